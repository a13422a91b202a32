/* Path MTU: lowered by messages, never below the floor, forgotten in time. */
#include "ip_bench.h"

/* REQ:1191-3-1 REQ:1191-3-9 REQ:1191-3-8 attack 64 */
static void an_estimate_is_only_lowered_and_has_a_floor(void **state)
{
    struct weir_addr peer = PEER, other = v4(10, 0, 0, 3);
    struct bench b;

    (void)state;
    bench_open(&b);
    assert_int_equal(pmtu_of(&b.ip, &peer, 1500, b.now), 1500);
    assert_int_equal(pmtu_update(&b.ip, &peer, 1400, b.now), 1400);
    assert_int_equal(pmtu_of(&b.ip, &peer, 1500, b.now), 1400);
    assert_int_equal(pmtu_of(&b.ip, &other, 1500, b.now), 1500);
    assert_int_equal(pmtu_update(&b.ip, &peer, 65535, b.now), 1400);
    assert_int_equal(pmtu_of(&b.ip, &peer, 1500, b.now), 1400);
    assert_int_equal(pmtu_of(&b.ip, &peer, 1300, b.now), 1300); /* the first link is narrower */
    assert_false(pmtu_is_narrow(&b.ip, &peer, b.now));
    assert_int_equal(pmtu_update(&b.ip, &peer, 68, b.now), 552);
    assert_true(pmtu_is_narrow(&b.ip, &peer, b.now)); /* DF would be its end */
    assert_false(pmtu_is_narrow(&b.ip, &other, b.now));
    assert_int_equal(pmtu_update(&b.ip, &peer, 0, b.now), 552);
    assert_int_equal(pmtu_of(&b.ip, &peer, 1500, b.now), 552);
    bench_close(&b);
}

/* REQ:1191-6.3-1 REQ:1191-3-6 REQ:1191-6.3-3 */
static void an_estimate_is_forgotten_after_ten_minutes(void **state)
{
    struct weir_addr peer = PEER;
    struct bench b;

    (void)state;
    bench_open(&b);
    pmtu_update(&b.ip, &peer, 1400, b.now);
    b.now += 300 * SECOND;
    pmtu_update(&b.ip, &peer, 1400, b.now); /* heard again: counts anew */
    b.now += 600 * SECOND - 1;
    assert_int_equal(pmtu_of(&b.ip, &peer, 1500, b.now), 1400);
    b.now += 1;
    assert_int_equal(pmtu_of(&b.ip, &peer, 1500, b.now), 1500);
    assert_int_equal(b.ip.pmtus.used, 0);
    b.ip.config.mtu_expires_s = 60;
    pmtu_update(&b.ip, &peer, 1400, b.now);
    assert_int_equal(pmtu_of(&b.ip, &peer, 1500, b.now + 60 * SECOND), 1500);
    bench_close(&b);
}

/* attack 69: a million messages. */
static void the_table_is_bounded_and_the_oldest_goes(void **state)
{
    struct weir_addr peer = PEER;
    struct bench b;

    (void)state;
    bench_open(&b);
    pmtu_update(&b.ip, &peer, 1400, b.now);
    for (uint32_t i = 0; i < 1000000; i++) {
        struct weir_addr a = weir_addr_v4(0x0b000000 + i);

        assert_int_equal(pmtu_update(&b.ip, &a, 1300, b.now), 1300);
        if (i % 512 == 0)
            pmtu_update(&b.ip, &peer, 1400, b.now); /* a live path is heard of again */
    }
    assert_int_equal(b.ip.pmtus.used, 1024);
    assert_int_equal(pmtu_of(&b.ip, &peer, 1500, b.now), 1400);
    bench_close(&b);
}

static void without_memory_there_is_no_estimate(void **state)
{
    struct weir_addr peer = PEER;
    struct bench b;

    (void)state;
    for (long left = 0; left < 4; left++) {
        uint32_t mtu;

        bench_open(&b);
        b.faulty.left = left;
        mtu = pmtu_update(&b.ip, &peer, 1400, b.now);
        assert_true(mtu == 0 || mtu == 1400);
        assert_int_equal(pmtu_of(&b.ip, &peer, 1500, b.now), mtu ? 1400 : 1500);
        bench_close(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_estimate_is_only_lowered_and_has_a_floor),
        cmocka_unit_test(an_estimate_is_forgotten_after_ten_minutes),
        cmocka_unit_test(the_table_is_bounded_and_the_oldest_goes),
        cmocka_unit_test(without_memory_there_is_no_estimate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
