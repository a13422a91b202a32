/* IPv4 headers: what is read, what is refused and why. */
#include "unit.h"

#include "base/sum.h"
#include "wire/wire.h"

/* 192.168.0.1 to 192.168.0.199, UDP, DF, 115 bytes, checksum b861. */
static const uint8_t known[IP4_LEN] = {
    0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0xb8, 0x61, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7,
};
static uint8_t packet[256];

static void seal(void)
{
    uint16_t sum;

    packet[10] = packet[11] = 0;
    sum = sum_finish(sum_add(0, packet, (size_t)(packet[0] & 15) * 4));
    memcpy(packet + 10, &sum, 2);
}

static int setup(void **state)
{
    (void)state;
    memset(packet, 0, sizeof packet);
    memcpy(packet, known, IP4_LEN);
    return 0;
}

static int parse(size_t n)
{
    struct ip4 h;

    return ip4_parse(&h, walled(packet, n), n);
}

/* REQ:791-3.1-8 */
static void emit_gives_the_known_bytes(void **state)
{
    const struct ip4 h = {.ttl = 64,
                          .proto = PROTO_UDP,
                          .total_len = 115,
                          .frag = IP4_DF,
                          .src = 0xc0a80001,
                          .dst = 0xc0a800c7};
    uint8_t out[IP4_LEN];

    (void)state;
    memset(out, 0xff, sizeof out);
    assert_int_equal(ip4_emit(out, &h), IP4_LEN);
    assert_memory_equal(out, known, IP4_LEN);
}

static void parse_reads_each_field(void **state) /* ROW:110 */
{
    struct ip4 h;

    (void)state;
    packet[1] = 0xb9;
    packet[4] = 0x12;
    packet[5] = 0x34;
    packet[6] = 0x20;
    packet[7] = 0x07;
    seal();
    assert_int_equal(ip4_parse(&h, packet, 115), IP4_LEN);
    assert_int_equal(h.hdr_len, 20);
    assert_int_equal(h.tos, 0xb9);
    assert_int_equal(h.ttl, 64);
    assert_int_equal(h.proto, PROTO_UDP);
    assert_int_equal(h.total_len, 115);
    assert_int_equal(h.id, 0x1234);
    assert_int_equal(h.frag, IP4_MF | 7);
    assert_int_equal(h.src, 0xc0a80001);
    assert_int_equal(h.dst, 0xc0a800c7);
}

static void parse_reads_what_emit_wrote(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 5000); dice_next(&d)) {
        struct ip4 a, b;
        static uint8_t out[65536];

        dice_fill(&d, &a, sizeof a);
        if (a.total_len < IP4_LEN)
            a.total_len = IP4_LEN;
        if (d.seed % 5 == 0) { /* the sum of words carries twice */
            a.src = UINT32_MAX;
            a.dst = ~(0x45000000u + ((uint32_t)a.tos << 16) + a.total_len + ((uint32_t)a.id << 16) +
                      a.frag + ((uint32_t)a.ttl << 24) + ((uint32_t)a.proto << 16) - 1);
        }
        ip4_emit(out, &a);
        check(&d, sum_finish(sum_add(0, out, IP4_LEN)) == 0);
        check(&d, ip4_parse(&b, out, a.total_len) == IP4_LEN);
        check(&d, a.tos == b.tos && a.ttl == b.ttl && a.proto == b.proto && a.id == b.id);
        check(&d, a.total_len == b.total_len && a.frag == b.frag);
        check(&d, a.src == b.src && a.dst == b.dst && b.hdr_len == IP4_LEN);
    }
}

static void every_cut_has_its_reason(void **state)
{
    (void)state;
    packet[0] = 0x4f; /* with 40 bytes of options */
    seal();
    for (size_t n = 0; n < 20; n++)
        assert_int_equal(parse(n), -DROP_ip_short);
    for (size_t n = 20; n < 60; n++)
        assert_int_equal(parse(n), -DROP_ip_header_len);
    for (size_t n = 60; n < 115; n++)
        assert_int_equal(parse(n), -DROP_ip_total_len);
    for (size_t n = 115; n < 200; n++) /* 894: padding is no part of the packet */
        assert_int_equal(parse(n), 60);
}

/* REQ:1122-3.2.1.1-1 REQ:791-3.1-1 */
static void version_and_header_length_are_judged(void **state) /* ROW:110 */
{
    (void)state;
    for (int first = 0; first < 256; first++) {
        int words = first & 15;

        packet[0] = (uint8_t)first;
        seal();
        if (first >> 4 != 4)
            assert_int_equal(parse(115), -DROP_ip_version);
        else if (words < 5)
            assert_int_equal(parse(115), -DROP_ip_header_len);
        else
            assert_int_equal(parse(115), words * 4);
    }
}

/* REQ:791-3.1-2 */
static void total_length_is_judged(void **state) /* ROW:110 */
{
    (void)state;
    packet[0] = 0x46;
    for (int len = 0; len <= 0xffff; len += len < 300 ? 1 : 251) {
        packet[2] = (uint8_t)(len >> 8);
        packet[3] = (uint8_t)len;
        seal();
        assert_int_equal(parse(200), len < 24 || len > 200 ? -DROP_ip_total_len : 24);
    }
}

/* REQ:1122-3.2.1.2-1 */
static void each_flipped_bit_fails_the_checksum(void **state)
{
    (void)state;
    for (int bit = 8; bit < 160; bit++) { /* byte 0 would change what is summed */
        setup(NULL);
        packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(parse(115), -DROP_ip_checksum);
    }
    setup(NULL);
    packet[0] = 0x4f;
    seal();
    for (int bit = 160; bit < 480; bit++) {
        packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(parse(115), -DROP_ip_checksum);
        packet[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(parse(115), 60);
}

static void noise_is_judged_without_an_overread(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 20000); dice_next(&d)) {
        size_t n = dice_below(&d, 100);
        struct ip4 h;
        int got;

        dice_fill(&d, packet, sizeof packet);
        packet[0] = (uint8_t)(0x40 | (packet[0] & 15));
        packet[2] = 0;
        if (d.seed % 2 && (packet[0] & 15) >= 5)
            seal();
        got = ip4_parse(&h, walled(packet, n), n);
        check(&d, got < 0 || (got >= 20 && got <= (int)n && h.total_len <= n));
        if (d.seed % 2 && (packet[0] & 15) >= 5 && n >= 60) /* any options */
            check(&d, got == (packet[0] & 15) * 4 || got == -DROP_ip_total_len);
    }
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(emit_gives_the_known_bytes),           T(parse_reads_each_field),
        T(parse_reads_what_emit_wrote),          T(every_cut_has_its_reason),
        T(version_and_header_length_are_judged), T(total_length_is_judged),
        T(each_flipped_bit_fails_the_checksum),  T(noise_is_judged_without_an_overread),
    };

    return cmocka_run_group_tests_name("ip4", tests, NULL, NULL);
}
