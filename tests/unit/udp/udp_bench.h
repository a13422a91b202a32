/* A struct udp_socks, and datagrams in one call. */
#ifndef UDP_BENCH_H
#define UDP_BENCH_H

#include "unit.h"

#include "base/bytes.h"
#include "base/sum.h"
#include "udp/udp.h"
#include "weir/socket.h"

#define US v4(10, 0, 0, 1)
#define PEER v4(10, 0, 0, 2)
#define ANY v4(0, 0, 0, 0)

struct bench {
    struct faulty faulty;
    struct mem mem;
    struct udp_socks u;
};

static UNUSED struct weir_addr v4(int a, int b, int c, int d)
{
    return weir_addr_v4((uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | (uint32_t)d);
}

static UNUSED void bench_open(struct bench *b)
{
    struct rng seed;

    rng_init(&seed, 1, 2);
    faulty_mem(&b->mem, &b->faulty);
    udp_init(&b->u, &b->mem, &seed, 1000);
}

static UNUSED void bench_close(struct bench *b)
{
    udp_fini(&b->u);
    faulty_mem_end(&b->mem, &b->faulty);
}

static UNUSED uint32_t open_on(struct bench *b, struct weir_addr local, uint16_t port)
{
    uint32_t s = udp_open(&b->u, PROTO_UDP, 100);

    assert_true(s > 0);
    assert_int_equal(udp_bind(&b->u, s, &local, port), 0);
    return s;
}

static UNUSED int connect_to(struct bench *b, uint32_t s, uint16_t lport, uint16_t pport)
{
    struct weir_sockaddr local = {US, lport, 0}, peer = {PEER, pport, 0};

    return udp_connect(&b->u, s, &local, &peer);
}

/* The bytes of a datagram on the wire, from its UDP header on. */
struct wire {
    uint8_t bytes[UDP_LEN + UDP_PAYLOAD_MAX];
    uint32_t len;
};

static UNUSED void wire_of(struct wire *w, const struct udp_view *v, uint16_t sport, uint16_t dport,
                           const char *text)
{
    struct udp h = {.sport = sport, .dport = dport, .len = (uint16_t)(UDP_LEN + strlen(text))};
    uint16_t sum;

    udp_emit(w->bytes, &h);
    memcpy(w->bytes + UDP_LEN, text, strlen(text));
    w->len = h.len;
    sum = sum_finish(sum_add(pseudo_sum(&v->src, &v->dst, PROTO_UDP, w->len), w->bytes, w->len));
    if (!sum)
        sum = 0xffff;
    memcpy(w->bytes + 6, &sum, sizeof sum);
}

static UNUSED enum drop input_wire(struct bench *b, struct udp_view v, const struct wire *w)
{
    v.part[0] = (struct weir_slice){w->bytes, w->len};
    v.parts = 1;
    return udp_input(&b->u, &v);
}

/* A datagram from PEER:sport to dst:dport. */
static UNUSED enum drop input_to(struct bench *b, struct weir_addr dst, uint16_t dport,
                                 uint16_t sport, const char *text)
{
    struct udp_view v = {.src = PEER, .dst = dst, .ifindex = 1, .ttl = 9, .tos = 0x20};
    static struct wire w;

    wire_of(&w, &v, sport, dport, text);
    return input_wire(b, v, &w);
}

/* A datagram to US:dport. */
static UNUSED enum drop input(struct bench *b, uint16_t dport, uint16_t sport, const char *text)
{
    return input_to(b, US, dport, sport, text);
}

/* What is read next, as a string; NULL: nothing. */
static UNUSED const char *read_from(struct bench *b, uint32_t s)
{
    static char text[256];
    struct udp_message m = {.data = text, .room = sizeof text - 1};
    int64_t n = udp_recv(&b->u, s, &m, 0);

    if (n < 0)
        return NULL;
    text[n] = 0;
    return text;
}

static UNUSED struct udp_dest to_peer(uint8_t ifindex)
{
    return (struct udp_dest){.local = US,
                             .peer = PEER,
                             .lport = 1000,
                             .pport = 2000,
                             .ifindex = ifindex,
                             .tos = 4,
                             .ttl = 33,
                             .is_df = true};
}

static UNUSED int64_t send_text(struct bench *b, uint32_t s, uint8_t ifindex, const char *text)
{
    struct udp_dest to = to_peer(ifindex);

    return udp_send(&b->u, s, &to, text, strlen(text));
}

/* What leaves next through an interface. */
static UNUSED bool udp_pull(struct udp_socks *u, int ifindex, struct udp_out *out)
{
    if (!udp_first(u, ifindex, out))
        return false;
    udp_sent(u, ifindex);
    return true;
}

/* What leaves next through an interface, as a string; NULL: nothing. */
static UNUSED const char *pulled(struct bench *b, int ifindex)
{
    static char text[256];
    struct udp_out out;
    uint32_t n = 0;

    if (!udp_pull(&b->u, ifindex, &out))
        return NULL;
    for (int i = 0; i < out.texts; i++) {
        memcpy(text + n, out.text[i].data, out.text[i].len);
        n += out.text[i].len;
    }
    text[n] = 0;
    return text;
}

#endif
