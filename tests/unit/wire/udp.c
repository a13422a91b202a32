/* UDP headers and the pseudo header. */
#include "unit.h"

#include "base/sum.h"
#include "wire/wire.h"

static const uint8_t known[UDP_LEN] = {0x12, 0x34, 0x00, 0x35, 0x00, 0x0c, 0x00, 0x00};

static void emit_gives_the_known_bytes(void **state)
{
    const struct udp u = {.sport = 0x1234, .dport = 53, .len = 12, .has_sum = true};
    uint8_t out[UDP_LEN];

    (void)state;
    memset(out, 0xff, sizeof out);
    assert_int_equal(udp_emit(out, &u), UDP_LEN);
    assert_memory_equal(out, known, UDP_LEN);
}

static void parse_reads_it_back(void **state)
{
    uint8_t p[12] = {0};
    struct udp u;

    (void)state;
    memcpy(p, known, UDP_LEN);
    assert_int_equal(udp_parse(&u, p, sizeof p), UDP_LEN);
    assert_int_equal(u.sport, 0x1234);
    assert_int_equal(u.dport, 53);
    assert_int_equal(u.len, 12);
    assert_false(u.has_sum);
    for (int bit = 0; bit < 16; bit++) {
        p[6] = (uint8_t)(1 << bit >> 8);
        p[7] = (uint8_t)(1 << bit);
        assert_int_equal(udp_parse(&u, p, sizeof p), UDP_LEN);
        assert_true(u.has_sum);
    }
}

/* REQ:768-Fields-2 */
static void the_length_is_judged(void **state)
{
    uint8_t p[100] = {0};
    struct udp u;

    (void)state;
    for (size_t n = 0; n < UDP_LEN; n++)
        assert_int_equal(udp_parse(&u, walled(known, n), n), -DROP_udp_short);
    for (int len = 0; len <= 0xffff; len += len < 200 ? 1 : 97) {
        p[4] = (uint8_t)(len >> 8);
        p[5] = (uint8_t)len;
        assert_int_equal(udp_parse(&u, walled(p, 100), 100),
                         len < 8 || len > 100 ? -DROP_udp_len : UDP_LEN);
        assert_int_equal(udp_parse(&u, walled(p, UDP_LEN), UDP_LEN),
                         len == 8 ? UDP_LEN : -DROP_udp_len);
    }
}

/* -- the pseudo header ------------------------------------------------------------------------- */

/* The checksum as the RFCs draw it: the pseudo header laid out byte by byte. */
static uint16_t drawn(const struct weir_addr *src, const struct weir_addr *dst, uint8_t proto,
                      const uint8_t *p, uint32_t len)
{
    uint8_t head[40] = {0};
    size_t n;

    if (weir_addr_is_v4(src) && weir_addr_is_v4(dst)) {
        const uint8_t tail[4] = {0, proto, (uint8_t)(len >> 8), (uint8_t)len};
        memcpy(head, src->b + 12, 4);
        memcpy(head + 4, dst->b + 12, 4);
        memcpy(head + 8, tail, 4);
        n = 12;
    } else {
        const uint8_t tail[8] = {(uint8_t)(len >> 24),
                                 (uint8_t)(len >> 16),
                                 (uint8_t)(len >> 8),
                                 (uint8_t)len,
                                 0,
                                 0,
                                 0,
                                 proto};
        memcpy(head, src->b, 16);
        memcpy(head + 16, dst->b, 16);
        memcpy(head + 32, tail, 8);
        n = 40;
    }
    return sum_finish(sum_add(sum_add(0, head, n), p, len));
}

/* Addresses at which the sum of 32-bit words is 2^33 - 1. */
static void carry_twice(struct weir_addr *src, struct weir_addr *dst, uint8_t proto, uint32_t len)
{
    src->w[3] = UINT32_MAX;
    /* both prefixes count */
    dst->w[3] = 0u - __builtin_bswap32(len) - __builtin_bswap16(proto) -
                2 * __builtin_bswap32(0xffff);
}

/* A single bit decides whether an address is IPv4 and its prefix no part of the sum. */
static void almost_mapped_addresses_are_v6(void **state)
{
    const struct weir_addr v4 = weir_addr_v4(0xc0000201);

    (void)state;
    for (int bit = 0; bit < 96; bit++) {
        struct weir_addr v6 = v4;

        v6.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(sum_finish(pseudo_sum(&v6, &v6, 6, 0)), drawn(&v6, &v6, 6, NULL, 0));
        assert_int_equal(sum_finish(pseudo_sum(&v4, &v6, 6, 0)), drawn(&v4, &v6, 6, NULL, 0));
        assert_int_equal(sum_finish(pseudo_sum(&v6, &v4, 6, 0)), drawn(&v6, &v4, 6, NULL, 0));
    }
}

/* REQ:768-Fields-3 REQ:8200-8.1-1 */
static void pseudo_sum_is_what_the_drawing_says(void **state) /* ROW:130 */
{
    static uint8_t p[70000];

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 2000); dice_next(&d)) {
        struct weir_addr src, dst;
        uint32_t len = dice_below(&d, d.seed % 2 ? 65536 : 200);
        uint8_t proto = (uint8_t)dice_u64(&d);

        if (d.seed % 3 == 0) {
            dice_fill(&d, src.b, 16);
            dice_fill(&d, dst.b, 16);
            len += d.seed % 2 ? 4000 : 0; /* more than 16 bits */
        } else {
            src = weir_addr_v4((uint32_t)dice_u64(&d));
            dst = weir_addr_v4((uint32_t)dice_u64(&d));
            if (d.seed % 5 == 0)
                carry_twice(&src, &dst, proto, len);
        }
        memset(p, (int)d.seed, len);
        check(&d, sum_finish(sum_add(pseudo_sum(&src, &dst, proto, len), p, len)) ==
                      drawn(&src, &dst, proto, p, len));
        check(&d, pseudo_sum(&src, &dst, proto, len) < 1u << 17);
    }
}

/* 10.0.0.1:4660 to 10.0.0.2:53 with "test": summed by hand. */
static void a_known_datagram(void **state) /* ROW:130 */
{
    struct weir_addr src = weir_addr_v4(0x0a000001), dst = weir_addr_v4(0x0a000002);
    uint8_t p[12];
    uint16_t sum;

    (void)state;
    memcpy(p, known, UDP_LEN);
    memcpy(p + UDP_LEN, "test", 4);
    sum = sum_finish(sum_add(pseudo_sum(&src, &dst, PROTO_UDP, 12), p, 12));
    memcpy(p + 6, &sum, 2);
    assert_int_equal(p[6] << 8 | p[7], 0xf190);
    assert_int_equal(sum_finish(sum_add(pseudo_sum(&src, &dst, PROTO_UDP, 12), p, 12)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emit_gives_the_known_bytes),
        cmocka_unit_test(parse_reads_it_back),
        cmocka_unit_test(the_length_is_judged),
        cmocka_unit_test(pseudo_sum_is_what_the_drawing_says),
        cmocka_unit_test(almost_mapped_addresses_are_v6),
        cmocka_unit_test(a_known_datagram),
    };

    return cmocka_run_group_tests_name("udp", tests, NULL, NULL);
}
