/* Some stacks on one Ethernet in virtual time. See ether.h.
 *
 * Knows: the public interface. Shape: one frame at a time is copied and given to all others. Units:
 * ns. Errors: a failure ends the test. Cost: none that matters. */
#include "ether.h"

#include <string.h>

#include "wire/wire.h"

#define STEPS_MAX 1000000

void ether_mac(int station, uint8_t mac[6])
{
    const uint8_t m[6] = {2, 0, 0, 0, 0, (uint8_t)(station + 1)};

    memcpy(mac, m, sizeof m);
}

void ether_open(struct ether *s, int stations)
{
    *s = (struct ether){.stations = stations, .now_ns = 1000000000};
    for (int i = 0; i < stations; i++) {
        struct weir_config c = {.seed = {(uint64_t)i + 1, 2}, .now_ns = s->now_ns};
        struct weir_iface_config f = {.name = "eth0", .type = WEIR_LINK_ETHER, .mtu = 1500};

        ether_mac(i, f.mac);
        s->stack[i] = weir_new(&c);
        assert_non_null(s->stack[i]);
        assert_int_equal(weir_iface_add(s->stack[i], &f), 1);
    }
}

void ether_close(struct ether *s)
{
    for (int i = 0; i < s->stations; i++)
        weir_free(s->stack[i]);
}

static void give(struct ether *s, int from, const uint8_t *bytes, uint32_t len)
{
    for (int i = 0; i < s->stations; i++) {
        struct weir_frame f = {.parts = 1, .hdr_len = (uint16_t)len};

        f.part[0] = (struct weir_slice){bytes, len};
        if (i != from)
            weir_input(s->stack[i], 1, &f, 1, s->now_ns);
    }
}

void ether_put(struct ether *s, const void *bytes, uint32_t len)
{
    if (!s->on_frame || !s->on_frame(s, -1, bytes, len))
        give(s, -1, bytes, len);
}

struct weir_addr ether_addr(const char *text)
{
    struct weir_addr a;

    assert_int_equal(weir_addr_parse(&a, text), 0);
    return a;
}

void ether_put_icmp6(struct ether *s, struct ether_icmp6 *m)
{
    struct weir_addr src = ether_addr(m->src), dst = ether_addr(m->dst);
    struct ip6 h = {.next = PROTO_ICMP6,
                    .hop_limit = m->hop_limit ? m->hop_limit : 255,
                    .payload_len = (uint16_t)m->len,
                    .src = src,
                    .dst = dst};
    struct eth e = {.src = {2, 0, 0, 0, 0, m->from}, .type = ETH_TYPE_IP6};
    uint8_t frame[ETHER_FRAME_MAX];

    if (dst.b[0] == 0xff) {
        e.dst[0] = e.dst[1] = 0x33;
        memcpy(e.dst + 2, dst.b + 12, 4);
    } else {
        ether_mac(0, e.dst);
    }
    eth_emit(frame, &e);
    ip6_emit(frame + ETH_LEN, &h);
    icmp6_seal(m->message, m->len, &src, &dst);
    memcpy(frame + ETH_LEN + IP6_LEN, m->message, m->len);
    ether_put(s, frame, ETH_LEN + IP6_LEN + m->len);
}

static bool send_one(struct ether *s, int from)
{
    static uint8_t bytes[ETHER_FRAME_MAX];
    struct weir_frame f;
    uint32_t len = 0;

    if (weir_output(s->stack[from], 1, &f, 1, s->now_ns) != 1)
        return false;
    for (int i = 0; i < f.parts; len += f.part[i++].len) {
        assert_true(len + f.part[i].len <= sizeof bytes);
        memcpy(bytes + len, f.part[i].data, f.part[i].len);
    }
    if (!s->on_frame || !s->on_frame(s, from, bytes, len))
        give(s, from, bytes, len);
    return true;
}

static bool move(struct ether *s)
{
    bool has_moved = false;

    for (int i = 0; i < s->stations; i++) {
        weir_advance(s->stack[i], s->now_ns);
        while (send_one(s, i))
            has_moved = true;
    }
    return has_moved;
}

static int64_t deadline(const struct ether *s)
{
    int64_t first = WEIR_NEVER;

    for (int i = 0; i < s->stations; i++)
        if (weir_deadline(s->stack[i]) < first)
            first = weir_deadline(s->stack[i]);
    return first;
}

void ether_run(struct ether *s, int64_t us)
{
    int64_t end = s->now_ns + us * 1000;

    for (int steps = 0; steps < STEPS_MAX; steps++) {
        while (move(s))
            ;
        if (deadline(s) > end)
            break;
        if (deadline(s) > s->now_ns)
            s->now_ns = deadline(s);
    }
    s->now_ns = end;
    move(s);
}
