/* A struct ip with a route, and short words for addresses and ICMP messages. */
#ifndef IP_BENCH_H
#define IP_BENCH_H

#include "unit.h"

#include "base/bytes.h"
#include "base/sum.h"
#include "ip/ip.h"

#define SECOND INT64_C(1000000)
#define US v4(10, 0, 0, 1)
#define PEER v4(10, 0, 0, 2)

struct bench {
    struct faulty faulty;
    struct mem mem;
    struct ip ip;
    int64_t now;
};

static UNUSED struct weir_addr v4(int a, int b, int c, int d)
{
    return weir_addr_v4((uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | (uint32_t)d);
}

static UNUSED int add_route(struct bench *b, struct weir_addr dst, int prefix, int ifindex,
                            uint32_t metric)
{
    struct route_spec r = {.dst = dst, .prefix = prefix, .ifindex = ifindex, .metric = metric};

    return route_add(&b->ip, &r);
}

static UNUSED void bench_open_seed(struct bench *b, uint64_t seed_value)
{
    struct rng seed;

    rng_init(&seed, seed_value, 2);
    faulty_mem(&b->mem, &b->faulty);
    b->now = 5 * SECOND;
    ip_init(&b->ip, &b->mem, &seed, b->now);
}

/* With 0.0.0.0/0 through interface 1. */
static UNUSED void bench_open(struct bench *b)
{
    bench_open_seed(b, 1);
    assert_int_equal(add_route(b, v4(0, 0, 0, 0), 0, 1, 0), 0);
}

static UNUSED void bench_close(struct bench *b)
{
    ip_fini(&b->ip);
    faulty_mem_end(&b->mem, &b->faulty);
}

/* The IP packet `src > dst` of proto with this payload. Returns its length. */
static UNUSED uint32_t build_ip(uint8_t *p, struct ip4 h, const void *payload, uint32_t len)
{
    h.total_len = (uint16_t)(IP4_LEN + len);
    if (!h.ttl)
        h.ttl = 64;
    ip4_emit(p, &h);
    if (len)
        memcpy(p + IP4_LEN, payload, len);
    return IP4_LEN + len;
}

static UNUSED bool is_sum_good(const void *p, size_t n)
{
    return sum_finish(sum_add(0, p, n)) == 0;
}

/* The message that leaves, in one piece. */
static UNUSED uint32_t pull(struct bench *b, int ifindex, struct icmp_out *out, uint8_t *bytes)
{
    uint32_t n = ICMP_LEN;

    if (!icmp_first(&b->ip, ifindex, out))
        return 0;
    icmp_sent(&b->ip, ifindex);
    memcpy(bytes, out->hdr, ICMP_LEN);
    for (int i = 0; i < out->texts; i++) {
        memcpy(bytes + n, out->text[i].data, out->text[i].len);
        n += out->text[i].len;
    }
    assert_int_equal(n, out->len);
    assert_true(is_sum_good(bytes, n));
    return n;
}

#endif
