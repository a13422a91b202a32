/* ICMP messages. */
#include "unit.h"

#include "wire/wire.h"

/* Echo request, id 0x1234, seq 1, "abc": checksum by hand. */
static const uint8_t echo[] = {8, 0, 0x21, 0x68, 0x12, 0x34, 0, 1, 'a', 'b', 'c'};

/* REQ:792-Formats-1 */
static void emit_and_seal_give_the_known_bytes(void **state)
{
    const struct icmp4 h = {.type = ICMP4_ECHO, .rest = 0x12340001};
    uint8_t out[sizeof echo];

    (void)state;
    memset(out, 0xff, sizeof out);
    assert_int_equal(icmp4_emit(out, &h), ICMP_LEN);
    memcpy(out + ICMP_LEN, "abc", 3);
    icmp4_seal(out, sizeof out);
    assert_memory_equal(out, echo, sizeof echo);
}

static void parse_reads_it_back(void **state)
{
    struct icmp4 h;

    (void)state;
    assert_int_equal(icmp4_parse(&h, walled(echo, sizeof echo), sizeof echo), ICMP_LEN);
    assert_int_equal(h.type, ICMP4_ECHO);
    assert_int_equal(h.code, 0);
    assert_int_equal(h.rest, 0x12340001);
}

static void every_cut_has_its_reason(void **state)
{
    struct icmp4 h;

    (void)state;
    for (size_t n = 0; n < ICMP_LEN; n++)
        assert_int_equal(icmp4_parse(&h, walled(echo, n), n), -DROP_icmp_short);
    for (size_t n = ICMP_LEN; n < sizeof echo; n++)
        assert_int_equal(icmp4_parse(&h, walled(echo, n), n), -DROP_icmp_checksum);
}

/* REQ:792-Formats-1: any part of the message counts. */
static void each_flipped_bit_fails_the_checksum(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof echo; bit++) {
        uint8_t p[sizeof echo];
        struct icmp4 h;

        memcpy(p, echo, sizeof p);
        p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(icmp4_parse(&h, p, sizeof p), -DROP_icmp_checksum);
    }
}

static void random_messages_cross(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 3000); dice_next(&d)) {
        uint8_t p[600];
        size_t n = ICMP_LEN + dice_below(&d, sizeof p - ICMP_LEN + 1);
        struct icmp4 a = {(uint8_t)dice_u64(&d), (uint8_t)dice_u64(&d), (uint32_t)dice_u64(&d)}, b;

        dice_fill(&d, p, n);
        icmp4_emit(p, &a);
        icmp4_seal(p, n);
        check(&d, icmp4_parse(&b, walled(p, n), n) == ICMP_LEN);
        check(&d, a.type == b.type && a.code == b.code && a.rest == b.rest);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emit_and_seal_give_the_known_bytes),
        cmocka_unit_test(parse_reads_it_back),
        cmocka_unit_test(every_cut_has_its_reason),
        cmocka_unit_test(each_flipped_bit_fails_the_checksum),
        cmocka_unit_test(random_messages_cross),
    };

    return cmocka_run_group_tests_name("icmp4", tests, NULL, NULL);
}
