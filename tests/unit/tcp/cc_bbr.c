/* BBR, draft-ietf-ccwg-bbr-06: the machine and its bounds, one ACK a round trip. What comes of it
 * on a link: tests/lab/congestion.c. */
#include "bbr_path.h"

static void startup_ends_when_three_rounds_bring_no_more(void **state)
{
    struct path p;

    (void)state;
    begin_at(&p, 0, 0);
    for (uint32_t n = 10 * MSS; n < PRODUCT; n *= 2) {
        round_trip(&p, n);
        assert_int_equal(p.b.state, STARTUP);
    }
    round_trip(&p, PRODUCT);
    for (int i = 0; i < 2; i++) {
        round_trip(&p, PRODUCT);
        assert_int_equal(p.b.state, STARTUP);
    }
    p.in_flight = 2 * PRODUCT;
    round_trip(&p, PRODUCT);
    assert_int_equal(p.b.state, DRAIN);
    assert_true(bbr_bw(&p.b) == RATE);
    assert_true(cc_algo(&p.c)->pacing_rate(&p.c, &p.r) == RATE / 2 * 99 / 100);
}

static void rounds_of_the_application_do_not_end_it(void **state)
{
    struct path p;

    (void)state;
    begin_at(&p, 0, 0);
    p.s.is_app_limited = true;
    for (int i = 0; i < 20; i++)
        round_trip(&p, 5 * MSS);
    assert_int_equal(p.b.state, STARTUP);
    assert_true(cc_algo(&p.c)->pacing_rate(&p.c, &p.r) == 10 * MSS * 10 * 277 / 100);
}

/* A clock that says anything, and a connection that delivered half of all numbers before. */
static void it_begins_at_any_time(void **state)
{
    static const int64_t times[] = {0, 100000000, 0x7fffffff, 0xfffffff0};
    static const uint32_t totals[] = {0, 0x80000001, 0xfffff000};

    (void)state;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++) {
            struct path p;
            begin_at(&p, times[i], totals[k]);
            round_trip(&p, 10 * MSS);
            assert_int_equal(p.b.state, STARTUP);
            fill(&p);
            assert_true(p.b.is_full && p.b.state == CRUISE);
        }
}

static void drain_takes_three_rounds_at_most(void **state)
{
    struct path p;

    (void)state;
    begin_at(&p, 0, 0);
    p.in_flight = 3 * PRODUCT; /* others hold the queue full */
    fill(&p);
    assert_int_equal(p.b.state, DRAIN);
    for (int i = 0; i < 3; i++) {
        round_trip(&p, PRODUCT);
        assert_int_equal(p.b.state, DRAIN);
    }
    round_trip(&p, PRODUCT);
    assert_int_equal(p.b.state, DOWN);
}

static void the_phases_follow_each_other(void **state)
{
    static const struct {
        uint8_t state;
        uint32_t gain;
    } phases[] = {{CRUISE, 100}, {REFILL, 100}, {UP, 125}, {DOWN, 90}, {CRUISE, 100}};
    struct path p;

    (void)state;
    in_state(&p, DOWN);
    for (int i = 0; i < 5; i++) {
        go_to(&p, phases[i].state);
        assert_true(cc_algo(&p.c)->pacing_rate(&p.c, &p.r) ==
                    (uint64_t)RATE * phases[i].gain / 100 * 99 / 100);
    }
}

static void a_probe_goes_each_two_to_three_seconds(void **state)
{
    struct path p;
    int64_t from;

    (void)state;
    in_state(&p, CRUISE);
    for (int i = 0; i < 5; i++) {
        go_to(&p, DOWN);
        from = p.e.now_us;
        go_to(&p, REFILL);
        assert_in_range(p.e.now_us - from, 2000 * MS, 3200 * MS);
    }
}

static void a_round_with_losses_lowers_what_it_counts_on(void **state)
{
    struct path p;
    uint32_t cwnd;

    (void)state;
    in_state(&p, CRUISE);
    round_trip(&p, PRODUCT / 2);
    cwnd = p.c.cwnd;
    lose(&p, PRODUCT, MSS);
    round_trip(&p, PRODUCT / 2);
    assert_true(p.b.bw_lo == RATE * 7 / 10);
    assert_int_equal(p.b.inflight_lo, (uint64_t)cwnd * 7 / 10);
    assert_true(p.b.inflight_hi == NO_BOUND);
    go_to(&p, REFILL);
    assert_true(p.b.bw_lo == NO_BW && p.b.inflight_lo == NO_BOUND);
}

static void two_per_cent_in_a_probe_bound_what_is_in_flight(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, UP);
    lose(&p, 120 * MSS, 2 * MSS);
    assert_int_equal(p.b.state, UP);
    assert_true(p.b.inflight_hi == NO_BOUND);
    lose(&p, 120 * MSS, 3 * MSS);
    assert_int_equal(p.b.state, DOWN);
    /* 119 flew before it and 2 were lost: 0.38 of the next segment may be lost, of 118.6 in flight
     */
    assert_in_range(p.b.inflight_hi, 119 * MSS, 119 * MSS + 500);
    lose(&p, 50 * MSS, 30 * MSS); /* once a probe */
    assert_in_range(p.b.inflight_hi, 119 * MSS, 119 * MSS + 500);
}

static void in_cruise_a_part_is_left_to_others(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, UP);
    lose(&p, 120 * MSS, 3 * MSS);
    go_to(&p, CRUISE);
    round_trip(&p, PRODUCT);
    assert_int_equal(p.c.cwnd, p.b.inflight_hi - p.b.inflight_hi * 15 / 100);
}

/* The next probe stops where losses had been; if there are none, the one behind it goes on. */
static void after_losses_a_probe_is_cautious(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, UP);
    lose(&p, 120 * MSS, 3 * MSS);
    go_to(&p, UP);
    p.in_flight = 120 * MSS;
    round_trip(&p, PRODUCT);
    assert_int_equal(p.b.state, DOWN);
    assert_true(p.b.is_cautious);
    p.in_flight = 80 * MSS;
    round_trip(&p, PRODUCT);
    assert_int_equal(p.b.state, REFILL);
    round_trip(&p, PRODUCT);
    assert_int_equal(p.b.state, UP);
    p.in_flight = 120 * MSS;
    round_trip(&p, PRODUCT);
    assert_int_equal(p.b.state, UP);
    p.in_flight = 10 * MSS;
    go_to(&p, DOWN);
    round_trip(&p, PRODUCT);
    assert_int_equal(p.b.state, CRUISE); /* that was the end of it */
}

/* Three rounds that lose 20 segments each, the last two in recovery; `growth` times as much comes.
 */
static uint8_t state_after_losses(uint32_t growth)
{
    struct path p;

    begin_at(&p, 0, 0);
    round_trip(&p, 50 * MSS);
    round_trip(&p, PRODUCT);
    p.e.in_recovery = true;
    for (uint32_t round = 0, n = PRODUCT; round < 2; round++) {
        assert_int_equal(p.b.state, STARTUP);
        for (int i = 0; i < 6; i++)
            lose(&p, PRODUCT, 6 * MSS);
        p.s.lost = 20 * MSS;
        p.in_flight = 10 * PRODUCT;
        round_trip(&p, n *= growth);
    }
    return p.b.state;
}

static void losses_end_startup_where_it_brings_no_more(void **state)
{
    (void)state;
    assert_int_equal(state_after_losses(1), DRAIN);
    assert_int_equal(state_after_losses(2), STARTUP);
}

static void a_loss_that_was_none_is_forgotten(void **state)
{
    struct path p;
    uint32_t cwnd;

    (void)state;
    in_state(&p, UP);
    cwnd = p.c.cwnd;
    lose(&p, 50 * MSS, 10 * MSS);
    assert_int_equal(p.b.state, DOWN);
    assert_true(p.b.inflight_hi < PRODUCT);
    p.c.cwnd = MSS;
    cc_algo(&p.c)->on_undo(&p.c);
    assert_int_equal(p.b.state, REFILL);
    assert_true(p.b.inflight_hi == NO_BOUND);
    assert_int_equal(p.c.cwnd, cwnd);
}

static void a_timeout_keeps_what_cwnd_was(void **state)
{
    struct path p;
    uint32_t cwnd;

    (void)state;
    in_state(&p, CRUISE);
    cwnd = p.c.cwnd;
    cc_on_timeout(&p.c, PRODUCT);
    p.c.cwnd = MSS;
    cc_on_recovered(&p.c, false);
    assert_int_equal(p.c.cwnd, cwnd);
}

static void a_mark_ends_startup_and_probes(void **state)
{
    struct path p;

    (void)state;
    begin_at(&p, 0, 0);
    round_trip(&p, 50 * MSS);
    cc_on_ecn(&p.c, 40 * MSS);
    round_trip(&p, 50 * MSS);
    assert_true(p.b.is_full && p.b.inflight_hi <= 50 * MSS);
    in_state(&p, UP);
    cc_on_ecn(&p.c, PRODUCT);
    assert_int_equal(p.b.state, DOWN);
    assert_int_equal(p.b.inflight_hi, PRODUCT * 7 / 10);
}

static void the_shortest_round_trip_is_asked_for_each_five_seconds(void **state)
{
    struct path p;
    int64_t from;

    (void)state;
    in_state(&p, CRUISE);
    from = p.e.now_us;
    go_to(&p, PROBE_RTT);
    assert_in_range(p.e.now_us - from, 5000 * MS, 5200 * MS);
    assert_true(p.c.holds_back);
    round_trip(&p, PRODUCT);
    assert_int_equal(p.c.cwnd, PRODUCT / 2);
    from = p.e.now_us;
    while (p.b.state == PROBE_RTT && p.e.now_us < from + 1000 * MS)
        round_trip(&p, PRODUCT / 2);
    assert_in_range(p.e.now_us - from, 200 * MS, 300 * MS);
    assert_int_equal(p.b.state, CRUISE);
    assert_true(p.c.cwnd > PRODUCT && !p.c.holds_back);
}

static void an_empty_queue_is_not_emptied(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, CRUISE);
    p.rtt_us = BURST_RTT_US;
    for (int i = 0; i < 300; i++) {
        round_trip(&p, PRODUCT);
        assert_int_not_equal(p.b.state, PROBE_RTT);
    }
    assert_int_equal(p.b.min_rtt_us, RTT_US);
}

static void idle_is_probe_enough(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, CRUISE);
    p.e.now_us += 20000 * MS;
    cc_algo(&p.c)->on_restart(&p.c, p.e.now_us);
    assert_true(cc_algo(&p.c)->pacing_rate(&p.c, &p.r) == RATE / 100 * 99);
    round_trip(&p, 10 * MSS);
    assert_int_not_equal(p.b.state, PROBE_RTT);
}

static void clumps_of_acks_make_room(void **state)
{
    struct path p;
    uint32_t cwnd;

    (void)state;
    in_state(&p, CRUISE);
    round_trip(&p, PRODUCT);
    cwnd = p.c.cwnd;
    p.e.now_us -= RTT_US - 1; /* at once behind it */
    round_trip(&p, 40 * MSS);
    round_trip(&p, PRODUCT);
    assert_in_range(p.c.cwnd, cwnd + 30 * MSS, cwnd + 100 * MSS);
}

static void beside_reno_a_short_path_is_probed_as_often_as_reno_would(void **state)
{
    struct path p;
    int64_t from;

    (void)state;
    begin_at(&p, 0, 0);
    p.in_flight = 0;
    for (int i = 0; i < 100 && p.b.state != DOWN; i++)
        round_trip(&p, 10 * MSS);
    from = p.e.now_us;
    for (int i = 0; i < 100 && p.b.state != REFILL; i++)
        round_trip(&p, 10 * MSS);
    assert_in_range(p.e.now_us - from, 900 * MS, 1100 * MS); /* ten segments, ten round trips */
}

static void it_goes_back_to_the_beginning_of_the_recovery(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, UP);
    lose(&p, 50 * MSS, 10 * MSS);
    round_trip(&p, PRODUCT / 2);
    round_trip(&p, PRODUCT / 2);
    lose(&p, 50 * MSS, MSS); /* in a later round of the same recovery */
    cc_algo(&p.c)->on_undo(&p.c);
    assert_int_equal(p.b.state, REFILL);
    assert_true(p.b.inflight_hi == NO_BOUND);
}

static void losses_of_a_poor_flight_end_a_probe_but_bound_nothing(void **state)
{
    struct rate_sample s = {.is_set = true,
                            .has_sack = true,
                            .is_app_limited = true,
                            .tx_in_flight = 9 * MSS,
                            .lost = MSS};
    struct path p;

    (void)state;
    in_state(&p, UP);
    s.total_delivered = p.total;
    cc_algo(&p.c)->on_lost(&p.c, &s, MSS, p.e.now_us);
    assert_int_equal(p.b.state, DOWN);
    assert_true(p.b.inflight_hi == NO_BOUND);
}

static void two_cycles_later_a_slower_path_is_believed(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, CRUISE);
    p.in_flight = 0;
    for (int i = 0, cycles = 0; i < 200 && cycles < 2; i++) {
        uint8_t was = p.b.state;
        p.b.probe_rtt_at_us = (uint32_t)p.e.now_us;
        round_trip(&p, PRODUCT / 2);
        cycles += was == UP && p.b.state == DOWN;
        assert_true(bbr_bw(&p.b) == RATE || cycles > 0);
    }
    for (int i = 0; i < 2; i++)
        round_trip(&p, PRODUCT / 2);
    assert_true(bbr_bw(&p.b) == RATE / 2);
}

/* One segment, two, four: a bound that does not hold is found soon. */
static void a_bound_rises_ever_faster(void **state)
{
    struct path p;
    uint32_t was, by = 0;

    (void)state;
    in_state(&p, UP);
    p.b.inflight_hi = p.c.cwnd = p.in_flight = 150 * MSS;
    for (int i = 0; i < 4; i++) {
        was = p.b.inflight_hi;
        p.in_flight = p.c.cwnd;
        bbr_reset_full_bw(&p.b, 0); /* an ACK that raises nothing does so */
        round_trip(&p, p.c.cwnd);
        assert_int_equal(p.b.state, UP);
        assert_true(p.b.inflight_hi - was >= by);
        by = p.b.inflight_hi - was;
    }
    assert_true(by >= 8 * MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(startup_ends_when_three_rounds_bring_no_more),
        cmocka_unit_test(rounds_of_the_application_do_not_end_it),
        cmocka_unit_test(it_begins_at_any_time),
        cmocka_unit_test(drain_takes_three_rounds_at_most),
        cmocka_unit_test(the_phases_follow_each_other),
        cmocka_unit_test(a_probe_goes_each_two_to_three_seconds),
        cmocka_unit_test(a_round_with_losses_lowers_what_it_counts_on),
        cmocka_unit_test(two_per_cent_in_a_probe_bound_what_is_in_flight),
        cmocka_unit_test(in_cruise_a_part_is_left_to_others),
        cmocka_unit_test(after_losses_a_probe_is_cautious),
        cmocka_unit_test(losses_end_startup_where_it_brings_no_more),
        cmocka_unit_test(a_loss_that_was_none_is_forgotten),
        cmocka_unit_test(a_timeout_keeps_what_cwnd_was),
        cmocka_unit_test(a_mark_ends_startup_and_probes),
        cmocka_unit_test(the_shortest_round_trip_is_asked_for_each_five_seconds),
        cmocka_unit_test(an_empty_queue_is_not_emptied),
        cmocka_unit_test(idle_is_probe_enough),
        cmocka_unit_test(clumps_of_acks_make_room),
        cmocka_unit_test(beside_reno_a_short_path_is_probed_as_often_as_reno_would),
        cmocka_unit_test(it_goes_back_to_the_beginning_of_the_recovery),
        cmocka_unit_test(losses_of_a_poor_flight_end_a_probe_but_bound_nothing),
        cmocka_unit_test(two_cycles_later_a_slower_path_is_believed),
        cmocka_unit_test(a_bound_rises_ever_faster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
