/* The packet-test language for what is not TCP. See frames.h.
 *
 * Knows: the public interface, and the wire through a checksum of its own. Shape: what was sent is
 * copied into a queue. Units: ns. Errors: a failure ends the test. Cost: none that matters. */
#include "frames6.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define STEPS_MAX 100000

uint8_t pattern(uint32_t at)
{
    uint32_t x = at * 2654435761u;

    return (uint8_t)(x >> 23 ^ x >> 9);
}

bool is_pattern(const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (p[i] != pattern(i))
            return false;
    return true;
}

/* 1071, written apart from src/base/sum.c. */
static uint32_t add_words(uint32_t sum, const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        sum += (uint32_t)(i & 1 ? p[i] : p[i] << 8);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

uint16_t sum_of(const void *p, uint32_t n)
{
    return (uint16_t)~add_words(0, p, n);
}

static uint16_t sum_with(uint32_t src, uint32_t dst, const uint8_t *udp, uint32_t len)
{
    uint8_t pseudo[12] = {src >> 24, src >> 16, src >> 8, src, dst >> 24, dst >> 16,
                          dst >> 8,  dst,       0,        17,  len >> 8,  len};

    return (uint16_t)~add_words(add_words(0, pseudo, sizeof pseudo), udp, len);
}

uint16_t sum_of_udp(const struct taken *t)
{
    return sum_with(t->ip.src, t->ip.dst, t->l4, t->l4_len);
}

static void put_word(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

uint32_t build_udp(uint8_t *p, const struct udp_spec *s)
{
    uint32_t len = UDP_LEN + s->len;

    put_word(p, s->sport);
    put_word(p + 2, s->dport);
    put_word(p + 4, (uint16_t)len);
    put_word(p + 6, 0);
    for (uint32_t i = 0; i < s->len; i++)
        p[UDP_LEN + i] = pattern(i);
    put_word(p + 6, sum_with(s->src ? s->src : THEM, s->dst ? s->dst : US, p, len));
    return len;
}

static void icmp_head(uint8_t *p, uint8_t type, uint8_t code, uint32_t rest)
{
    p[0] = type;
    p[1] = code;
    put_word(p + 2, 0);
    put_word(p + 4, (uint16_t)(rest >> 16));
    put_word(p + 6, (uint16_t)rest);
}

uint32_t build_icmp(uint8_t *p, uint8_t type, uint8_t code, uint32_t rest, uint32_t len)
{
    icmp_head(p, type, code, rest);
    for (uint32_t i = 0; i < len; i++)
        p[ICMP_LEN + i] = pattern(i);
    put_word(p + 2, sum_of(p, ICMP_LEN + len));
    return ICMP_LEN + len;
}

uint32_t build_error(uint8_t *p, const struct error_spec *s)
{
    icmp_head(p, s->type, s->code, s->rest);
    memcpy(p + ICMP_LEN, s->packet, s->quoted);
    put_word(p + 2, sum_of(p, ICMP_LEN + s->quoted));
    return ICMP_LEN + s->quoted;
}

/* -- the stack --------------------------------------------------------------------------------- */

static void *count_alloc(void *ctx, size_t bytes)
{
    ((struct frames *)ctx)->bytes += bytes;
    return malloc(bytes);
}

static void count_free(void *ctx, void *p, size_t bytes)
{
    ((struct frames *)ctx)->bytes -= bytes;
    free(p);
}

static void add_right(struct frames *f, const struct weir_iface_config *left, uint32_t mtu)
{
    struct weir_iface_config i = *left;
    struct weir_addr right = weir_addr_v4(RIGHT);

    i.name = "right";
    i.mtu = mtu;
    f->ifaces = weir_iface_add(f->stack, &i);
    assert_int_equal(weir_addr_add(f->stack, f->ifaces, &right, 24), 0);
    assert_int_equal(weir_knob_set(f->stack, "net.ipv4.ip_forward", "1"), 0);
}

struct frames *frames_begin(const struct frames_config *c)
{
    struct frames *f = calloc(1, sizeof *f);
    struct weir_config config = {.seed = {1, 2},
                                 .now_ns = 1000000000,
                                 .alloc = count_alloc,
                                 .free = count_free,
                                 .mem_ctx = f};
    struct weir_iface_config i = {.name = "frames",
                                  .type = c->is_ether ? WEIR_LINK_ETHER : WEIR_LINK_IP,
                                  .mac = {2, 0, 0, 0, 0, 1},
                                  .mtu = c->mtu ? c->mtu : 1500,
                                  .flags = c->flags};
    struct weir_addr us = weir_addr_v4(US), gateway = weir_addr_v4(ROUTER), all = weir_addr_v4(0);

    assert_non_null(f);
    f->now_ns = config.now_ns;
    f->type = i.type;
    f->hears_mld = c->hears_mld;
    f->stack = weir_new(&config);
    assert_non_null(f->stack);
    f->ifindex = weir_iface_add(f->stack, &i);
    assert_int_equal(weir_addr_add(f->stack, f->ifindex, &us, 24), 0);
    assert_int_equal(weir_route_add(f->stack, &all, 0, &gateway, f->ifindex, 0), 0);
    f->ifaces = f->ifindex;
    if (c->right_mtu)
        add_right(f, &i, c->right_mtu);
    if (c->has_v6)
        frames6_addresses(f);
    if (c->knob)
        assert_int_equal(weir_knob_set(f->stack, c->knob, c->value), 0);
    return f;
}

static void free_taken(struct frames *f, int end)
{
    for (; f->first < end; f->first++)
        free((void *)(uintptr_t)f->queue[f->first].bytes);
    if (f->first == f->queued)
        f->first = f->queued = 0;
}

void frames_end(struct frames *f)
{
    struct weir_account a;
    size_t left;

    assert_null(take(f));
    free_taken(f, f->queued);
    weir_account(f->stack, &a);
    assert_int_equal(a.frames_in, a.delivered + a.answered + a.forwarded + a.parked + a.dropped);
    weir_free(f->stack);
    left = f->bytes;
    free(f);
    assert_int_equal(left, 0);
}

uint64_t frames_stat(const struct frames *f, const char *name)
{
    return weir_stat_by_name(f->stack, name);
}

uint64_t frames_drops(const struct frames *f, const char *reason)
{
    int i = 0;

    while (i < weir_drop_count() && strcmp(weir_drop_name(i), reason) != 0)
        i++;
    assert_true(i < weir_drop_count());
    return weir_drops(f->stack, i);
}

/* -- out --------------------------------------------------------------------------------------- */

static void read_ip6(struct taken *t, uint32_t at)
{
    assert_int_equal(ip6_parse(&t->ip6, t->bytes + at, t->len - at), IP6_LEN);
    assert_int_equal(IP6_LEN + t->ip6.payload_len, t->len - at);
    t->is_v6 = true;
    t->l4 = t->bytes + at + IP6_LEN;
    t->l4_len = t->ip6.payload_len;
}

static void read_ip(struct taken *t, uint32_t at)
{
    int len;

    if (t->bytes[at] >> 4 == 6) {
        read_ip6(t, at);
        return;
    }
    len = ip4_parse(&t->ip, t->bytes + at, t->len - at);
    assert_true(len >= IP4_LEN);
    assert_int_equal(sum_of(t->bytes + at, (uint32_t)len), 0);
    t->l4 = t->bytes + at + len;
    t->l4_len = t->ip.total_len - (uint32_t)len;
}

/* What every interface with IPv6 tells routers of its addresses: no test here is about that. */
static bool is_mld_report(const struct frames *f, const struct taken *t)
{
    static const uint8_t routers[16] = {0xff, 2, [15] = 0x16};

    return !f->hears_mld && f->type == WEIR_LINK_ETHER && t->is_v6 &&
           memcmp(&t->ip6.dst, routers, 16) == 0;
}

static void keep(struct frames *f, int ifindex, const struct weir_frame *frame)
{
    struct taken *t = &f->queue[f->queued++];
    uint8_t *bytes = malloc(weir_frame_len(frame) + 1);

    assert_true(f->queued < TAKEN_MAX);
    *t = (struct taken){.ifindex = ifindex, .at_ns = f->now_ns, .bytes = bytes};
    for (int k = 0; k < frame->parts; t->len += frame->part[k++].len)
        memcpy(bytes + t->len, frame->part[k].data, frame->part[k].len);
    if (f->type == WEIR_LINK_IP)
        read_ip(t, 0);
    else if (bytes[12] == 0x86 && bytes[13] == 0xdd)
        read_ip6(t, ETH_LEN);
    else if (bytes[12] == 8 && bytes[13] == 0)
        read_ip(t, ETH_LEN);
    else if (bytes[12] < 6 && bytes[20] == 8 && bytes[21] == 0)
        read_ip(t, ETH_LEN + LLC_LEN);
    if (is_mld_report(f, t))
        free((void *)(uintptr_t)f->queue[--f->queued].bytes);
}

static void collect(struct frames *f)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int n, at = 1;

    weir_advance(f->stack, f->now_ns);
    while (at <= f->ifaces) {
        n = weir_output(f->stack, at, burst, WEIR_BURST_MAX, f->now_ns);
        for (int i = 0; i < n; i++)
            keep(f, at, &burst[i]);
        at += n == 0;
    }
}

struct taken *take(struct frames *f)
{
    static struct taken t;
    static uint8_t bytes[DATAGRAM_MAX + ETH_LEN];

    collect(f);
    if (f->first == f->queued)
        return NULL;
    t = f->queue[f->first];
    memcpy(bytes, t.bytes, t.len);
    t.l4 = t.l4 ? bytes + (t.l4 - t.bytes) : NULL;
    t.bytes = bytes;
    free_taken(f, f->first + 1);
    return &t;
}

void frames_advance(struct frames *f, int64_t us)
{
    int64_t end = f->now_ns + us * 1000, due;

    collect(f);
    for (int i = 0; (due = weir_deadline(f->stack)) <= end; i++) {
        assert_true(i < STEPS_MAX);
        if (due > f->now_ns)
            f->now_ns = due;
        collect(f);
    }
    f->now_ns = end;
    collect(f);
}

/* -- in ---------------------------------------------------------------------------------------- */

const char *put_frame(struct frames *f, const void *bytes, uint32_t len)
{
    uint8_t *copy = malloc(len); /* so that an overread is seen */
    struct weir_frame frame = {.parts = 1, .part = {{copy, len}}};

    memcpy(copy, bytes, len);
    weir_input(f->stack, f->ifindex, &frame, 1, f->now_ns);
    free(copy);
    collect(f);
    if (frame.why.verdict < 2)
        return frame.why.verdict ? "kept" : NULL;
    return weir_drop_name(frame.why.verdict - 2);
}

const char *put_packet(struct frames *f, const struct packet_spec *s)
{
    static uint8_t bytes[ETH_LEN + 60 + DATAGRAM_MAX];
    uint32_t at = f->type == WEIR_LINK_ETHER ? ETH_LEN : 0, head = IP4_LEN + s->options_len;
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    uint8_t *p = bytes + at;
    struct ip4 h = {.tos = s->tos,
                    .ttl = s->ttl ? s->ttl : 64,
                    .proto = s->proto,
                    .id = s->id,
                    .frag = s->frag,
                    .total_len = (uint16_t)(head + s->len),
                    .src = s->src ? s->src : THEM,
                    .dst = s->dst ? s->dst : US};

    memcpy(bytes, macs, sizeof macs);
    put_word(bytes + 12, ETH_TYPE_IP4);
    ip4_emit(p, &h);
    if (s->options_len) {
        p[0] = (uint8_t)(0x40 | head / 4);
        memcpy(p + IP4_LEN, s->options, s->options_len);
        put_word(p + 10, 0);
        put_word(p + 10, sum_of(p, head));
    }
    memcpy(p + head, s->l4, s->len);
    return put_frame(f, bytes, at + head + s->len);
}

const char *put_pieces(struct frames *f, const struct packet_spec *s, uint32_t step)
{
    const char *v = NULL;

    for (uint32_t at = 0; at < s->len; at += step) {
        struct packet_spec piece = *s;

        piece.l4 = (const uint8_t *)s->l4 + at;
        piece.len = s->len - at < step ? s->len - at : step;
        piece.frag = (uint16_t)(at / 8 | (at + step < s->len ? IP4_MF : 0));
        v = put_packet(f, &piece);
        if (at + step < s->len && (!v || strcmp(v, "kept") != 0))
            return v;
    }
    return v;
}

/* -- programs ---------------------------------------------------------------------------------- */

int udp_socket(struct frames *f, uint16_t port)
{
    struct weir_sockaddr at = {.addr = weir_addr_v4(0), .port = port};
    int s = weir_socket(f->stack, AF_INET, SOCK_DGRAM, 0);

    assert_true(s >= 0);
    if (port)
        assert_int_equal(weir_bind(f->stack, s, &at), 0);
    return s;
}

int send_pattern(struct frames *f, int sock, uint32_t to, uint16_t port, uint32_t len)
{
    struct weir_sockaddr peer = {.addr = weir_addr_v4(to), .port = port};
    static uint8_t text[DATAGRAM_MAX + 1];

    for (uint32_t i = 0; i < len; i++)
        text[i] = pattern(i);
    return (int)weir_sendto(f->stack, sock, text, len, 0, &peer);
}
