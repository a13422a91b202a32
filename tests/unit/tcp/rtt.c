/* RFC 6298 section 2, number by number. */
#include "tcp_bench.h"

static struct knobs knobs;
static struct tcp tcp = {.knobs = &knobs};

static struct rtt begin(void)
{
    struct rtt r;

    knobs_init(&knobs);
    rtt_init(&tcp, &r);
    return r;
}

static void before_any_sample_rto_is_one_second(void **state) /* REQ:6298-2-1 */
{
    struct rtt r = begin();

    (void)state;
    assert_int_equal(r.rto_us, 1000000);
    assert_int_equal(r.srtt_us, 0);
}

static void first_sample(void **state) /* REQ:6298-2-3 REQ:6298-2-6 */
{
    struct rtt r = begin();

    (void)state;
    rtt_sample(&tcp, &r, 300000);
    assert_int_equal(r.srtt_us, 300000);
    assert_int_equal(r.var_us, 150000);
    assert_int_equal(r.rto_us, 300000 + 4 * 150000);
    assert_int_equal(r.min_us, 300000);
}

static void later_samples(void **state) /* REQ:6298-2-4 REQ:6298-2-5 */
{
    struct rtt r = begin();

    (void)state;
    rtt_sample(&tcp, &r, 300000);
    rtt_sample(&tcp, &r,
               100000); /* var = 3/4 * 150 + 1/4 * |300 - 100|, then srtt = 7/8 * 300 + 1/8 * 100 */
    assert_int_equal(r.var_us, 162500);
    assert_int_equal(r.srtt_us, 275000);
    assert_int_equal(r.rto_us, 275000 + 4 * 162500);
    assert_int_equal(r.min_us, 100000);
    rtt_sample(&tcp, &r, 475000);
    assert_int_equal(r.var_us, (3 * 162500 + 200000) / 4);
    assert_int_equal(r.srtt_us, 300000);
}

static void rto_has_a_floor_and_a_ceiling(void **state) /* REQ:6298-4-1 REQ:6298-2-8 */
{
    struct rtt r = begin();

    (void)state;
    rtt_sample(&tcp, &r, 10);
    assert_int_equal(r.rto_us, 200000);
    knobs.tcp_rto_min_us = 1000;
    rtt_sample(&tcp, &r, 10);
    assert_int_equal(r.rto_us, 10 + 1000); /* the clock's grain stands for a variance of nothing */
    rtt_sample(&tcp, &r, 1000000000);
    assert_int_equal(r.rto_us, 120000000);
}

static void a_sample_of_nothing_counts_as_one_microsecond(void **state)
{
    struct rtt r = begin();

    (void)state;
    rtt_sample(&tcp, &r, 0);
    assert_int_equal(r.srtt_us, 1);
}

static void an_echo_says_nothing_of_the_shortest(void **state)
{
    struct rtt r = begin();

    (void)state;
    rtt_echo(&tcp, &r, 300000); /* but where nothing else was ever heard */
    assert_int_equal(r.min_us, 300000);
    rtt_sample(&tcp, &r, 200000);
    rtt_echo(&tcp, &r, 100000);
    assert_int_equal(r.min_us, 200000);
    assert_int_equal(r.srtt_us, ((300000 * 7 + 200000) / 8 * 7 + 100000) / 8);
}

static void without_a_sample_from_the_handshake_rto_is_three_seconds(void **state)
{
    struct rtt r = begin();

    (void)state;
    rtt_fall_back(&tcp, &r);
    assert_int_equal(r.rto_us, 3000000);
    knobs.tcp_rto_max_ms = 2000;
    r.rto_us = 1000000;
    rtt_fall_back(&tcp, &r);
    assert_int_equal(r.rto_us, 2000000);
    r.rto_us = 5000000;
    rtt_fall_back(&tcp, &r);
    assert_int_equal(r.rto_us, 5000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_any_sample_rto_is_one_second),
        cmocka_unit_test(first_sample),
        cmocka_unit_test(later_samples),
        cmocka_unit_test(rto_has_a_floor_and_a_ceiling),
        cmocka_unit_test(an_echo_says_nothing_of_the_shortest),
        cmocka_unit_test(without_a_sample_from_the_handshake_rto_is_three_seconds),
        cmocka_unit_test(a_sample_of_nothing_counts_as_one_microsecond),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
