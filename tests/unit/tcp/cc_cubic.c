/* CUBIC, RFC 9438, and HyStart++, RFC 9406, against the numbers of their formulas. */
#include "tcp_bench.h"

#define MSS 1000u
#define MS 1000

struct flow_of_acks {
    struct cc c;
    struct rtt r;
    struct ack_event e;
};

static struct flow_of_acks begin(uint32_t cwnd, uint32_t rtt_us)
{
    struct flow_of_acks f = {.r = {.srtt_us = rtt_us}};

    cc_init(&f.c, CC_cubic, MSS, cwnd);
    cc_algo(&f.c)->init(&f.c, MSS);
    f.e = (struct ack_event){.now_us = 1000000, .is_cwnd_limited = true};
    return f;
}

static void ack(struct flow_of_acks *f, uint32_t bytes)
{
    f->e.acked = bytes;
    cc_algo(&f->c)->on_ack(&f->c, &f->e, &f->r);
}

/* ACKs of two segments, a window of them in each round trip, as it stands when the round begins. */
static void round_trip(struct flow_of_acks *f)
{
    uint32_t n = f->c.cwnd / (2 * MSS);
    int64_t begun = f->e.now_us;

    for (uint32_t i = 0; i < n; i++) {
        f->e.now_us = begun + (int64_t)f->r.srtt_us * (i + 1) / n;
        ack(f, 2 * MSS);
    }
}

static void lose(struct flow_of_acks *f)
{
    cc_algo(&f->c)->on_loss(&f->c, f->c.cwnd);
}

/* W_cubic(t) of figure 1, in segments, in floating point: the reference. */
static double cube_root_of(double x)
{
    double y = x > 1 ? x : 1;

    for (int i = 0; i < 200; i++)
        y -= (y * y * y - x) / (3 * y * y);
    return y;
}

static double w_cubic(double t, double w_max, double epoch)
{
    double k = w_max > epoch ? cube_root_of((w_max - epoch) / 0.4) : 0;

    return 0.4 * (t - k) * (t - k) * (t - k) + w_max;
}

static void is_near(uint32_t bytes, double segments, double percent)
{
    double is = bytes / (double)MSS;

    if (is > segments * (1 + percent / 100) + 1 || is < segments * (1 - percent / 100) - 1)
        fail_msg("%.1f segments, not %.1f", is, segments);
}

/* -- congestion -------------------------------------------------------------------------------- */

static void loss_leaves_seven_tenths_of_the_flight(void **state) /* REQ:9438-4.6-2 REQ:9438-4.6-1 */
{
    struct flow_of_acks f = begin(100, 100 * MS);

    (void)state;
    lose(&f);
    assert_int_equal(f.c.cwnd, 70 * MSS);
    assert_int_equal(f.c.ssthresh, 70 * MSS);
    cc_algo(&f.c)->on_loss(&f.c, 40 * MSS); /* the flight, not cwnd */
    assert_int_equal(f.c.cwnd, 28 * MSS);
    cc_algo(&f.c)->on_loss(&f.c, 2 * MSS); /* REQ:9438-4.6-4 */
    assert_int_equal(f.c.cwnd, 2 * MSS);
    assert_int_equal(f.c.ssthresh, 2 * MSS);
}

/* REQ:9438-4.6-4 REQ:9438-4.6-5 */
static void echoes_reduce_to_one_segment(void **state)
{
    struct flow_of_acks f = begin(10, 100 * MS);

    (void)state;
    cc_on_ecn(&f.c, 10 * MSS);
    assert_int_equal(f.c.cwnd, 7 * MSS);
    for (int i = 0; i < 10; i++)
        cc_on_ecn(&f.c, f.c.cwnd);
    assert_int_equal(f.c.cwnd, MSS);
    assert_int_equal(f.c.ssthresh, 2 * MSS);
}

/* 5681#3.2 step 2 */
static void what_was_sent_beyond_the_window_is_not_counted(void **state)
{
    struct flow_of_acks f = begin(10, 100 * MS);

    (void)state;
    cc_on_loss(&f.c, 100 * MSS);
    assert_int_equal(f.c.cwnd, 7 * MSS);
    cc_on_timeout(&f.c, 100 * MSS);
    assert_int_equal(f.c.ssthresh, 4900);
}

static void timeout_leaves_one_segment_and_seven_tenths(void **state) /* REQ:9438-4.8-1 */
{
    struct flow_of_acks f = begin(100, 100 * MS);

    (void)state;
    cc_algo(&f.c)->on_timeout(&f.c, 100 * MSS);
    assert_int_equal(f.c.cwnd, MSS);
    assert_int_equal(f.c.ssthresh, 70 * MSS);
}

/* -- the curve --------------------------------------------------------------------------------- */

/* After a loss at 1,000 segments: back to W_max after K = cbrt(1000 * 0.3 / 0.4) = 9.09 s, concave
 * before and convex behind it. REQ:9438-4.2-1 REQ:9438-4.2-2 REQ:9438-4.4-1 REQ:9438-4.5-1
 * REQ:9438-4.1.1-1 REQ:9438-5.1-1 REQ:9438-4.7-1 REQ:MAY-18 */
static void window_follows_the_cubic(void **state)
{
    struct flow_of_acks f = begin(1000, 100 * MS);

    (void)state;
    lose(&f);
    for (int i = 1; i <= 150; i++) {
        round_trip(&f);
        is_near(f.c.cwnd, w_cubic(i / 10.0, 1000, 700), 1);
    }
}

static void window_of_a_fat_pipe_follows_it_too(void **state)
{
    struct flow_of_acks f = begin(50000, 50 * MS);

    (void)state;
    lose(&f);
    for (int i = 1; i <= 900; i++) {
        round_trip(&f);
        is_near(f.c.cwnd, w_cubic(i / 20.0, 50000, 35000), 1);
    }
}

/* REQ:9438-4.2-2 REQ:9438-4.5-1: the target is half as much again, so a segment acknowledged is
 * worth half a segment. */
static void target_is_at_most_half_as_much_again(void **state)
{
    struct flow_of_acks f = begin(10, 100 * MS);

    (void)state;
    f.c.ssthresh = 10 * MSS;
    ack(&f, 0);
    for (int i = 0; i < 600; i++) { /* a minute without growth, for nothing was acknowledged */
        f.e.now_us += 100 * MS;
        ack(&f, 0);
    }
    round_trip(&f);
    assert_int_equal(f.c.cwnd, 15 * MSS);
}

static void time_without_use_of_the_window_does_not_count(void **state) /* REQ:9438-4.2-3 */
{
    struct flow_of_acks f = begin(1000, 100 * MS), g;

    (void)state;
    lose(&f);
    for (int i = 0; i < 20; i++)
        round_trip(&f);
    g = f;
    f.e.is_cwnd_limited = false;
    for (int i = 0; i < 100; i++)
        round_trip(&f);
    assert_int_equal(f.c.cwnd, g.c.cwnd);
    f.e.now_us += 3600 * 1000000ll; /* an hour of silence */
    f.e.is_cwnd_limited = true;
    round_trip(&f);
    round_trip(&g);
    round_trip(&g); /* one round trip is what can not be told from silence */
    assert_true(f.c.cwnd <= g.c.cwnd + 2 * MSS);
}

static void recover(struct flow_of_acks *f, int rounds)
{
    f->e.in_recovery = true;
    for (int i = 0; i < rounds; i++)
        round_trip(f);
    f->e.in_recovery = false;
}

/* REQ:9438-4.2-4: and the time of a recovery is not of the stage that follows. */
static void nothing_grows_in_recovery_nor_without_new_data(void **state)
{
    struct flow_of_acks f = begin(100, 100 * MS), g;
    uint32_t before;

    (void)state;
    recover(&f, 1); /* slow start */
    assert_int_equal(f.c.cwnd, 100 * MSS);
    lose(&f);
    g = f;
    recover(&f, 100);
    ack(&f, 0);
    assert_int_equal(f.c.cwnd, 70 * MSS);
    for (int i = 0; i < 20; i++) {
        round_trip(&f);
        round_trip(&g);
        assert_int_equal(f.c.cwnd, g.c.cwnd);
    }
    before = f.c.cwnd;
    assert_true(before > 70 * MSS);
    recover(&f, 10); /* avoidance */
    assert_int_equal(f.c.cwnd, before);
}

/* -- Reno-friendly, 4.3 ------------------------------------------------------------------------ */

/* With 20 segments and 10 ms the cubic is slower than Reno: W_est gains 0.529 of a segment in each
 * round trip, and a whole one above what it was. REQ:9438-4.3-1 REQ:9438-4.3-2 REQ:9438-4.3-3 */
static void short_round_trips_grow_as_reno_would(void **state)
{
    struct flow_of_acks f = begin(20, 10 * MS);

    (void)state;
    lose(&f);
    assert_int_equal(f.c.cwnd, 14 * MSS);
    for (int i = 1; i <= 11; i++) {
        round_trip(&f);
        is_near(f.c.cwnd, 14 + i * 0.529, 0);
    }
    assert_in_range(f.c.cwnd, 19 * MSS, 20 * MSS);
    while (f.c.cwnd < 20 * MSS)
        round_trip(&f);
    for (int i = 1; i <= 20; i++) {
        round_trip(&f);
        is_near(f.c.cwnd, 20 + i, 0);
    }
}

/* Six segments more take the ACKs of (14 + 15 + ... + 19) / alpha = 99 * 17 / 9 segments, 187; one
 * more for what ten bits of alpha leave out. REQ:9438-4.1.1-1 REQ:9438-4.3-2 */
static void alpha_is_nine_seventeenths(void **state)
{
    struct flow_of_acks f = begin(20, 10 * MS);
    uint32_t n = 0;

    (void)state;
    lose(&f);
    for (; f.c.cwnd < 20 * MSS; n++) /* no time passes: the cubic stays where it is */
        ack(&f, MSS);
    assert_in_range(n, 187, 188);
}

/* -- fast convergence, 4.7 --------------------------------------------------------------------- */

/* A second loss at 90 of 100 segments: the plateau is to be 90 * 0.85 = 76.5, K = cbrt(13.5 / 0.4)
 * = 3.23 s. REQ:9438-4.7-1 REQ:9438-4.4-1 */
static void second_loss_below_the_first_leaves_room(void **state)
{
    struct flow_of_acks f = begin(100, 500 * MS);

    (void)state;
    lose(&f);
    f.c.cwnd = 90 * MSS;
    lose(&f);
    assert_int_equal(f.c.cwnd, 63 * MSS);
    for (int i = 1; i <= 6; i++)
        round_trip(&f);
    is_near(f.c.cwnd, w_cubic(3.0, 76.5, 63), 1);
    for (int i = 1; i <= 8; i++)
        round_trip(&f);
    is_near(f.c.cwnd, w_cubic(7.0, 76.5, 63), 3);
}

/* REQ:9438-4.8-2: after a timeout K is 0 where slow start ended. */
static void avoidance_after_a_timeout_begins_on_the_plateau(void **state)
{
    struct flow_of_acks f = begin(100, 100 * MS);

    (void)state;
    cc_algo(&f.c)->on_timeout(&f.c, 100 * MSS);
    while (f.c.cwnd < f.c.ssthresh)
        ack(&f, 2 * MSS);
    assert_int_equal(f.c.cwnd, 70 * MSS);
    for (int i = 1; i <= 40; i++)
        round_trip(&f);
    is_near(f.c.cwnd, w_cubic(4.0, 70, 70), 2);
}

/* -- HyStart++ --------------------------------------------------------------------------------- */

/* ACKs of one segment each, in rounds of n. */
static void play_round(struct flow_of_acks *f, int n, uint32_t rtt_us)
{
    f->e.rtt_us = rtt_us;
    for (int i = 0; i < n; i++) {
        f->e.ack = seq_add(f->e.ack, MSS);
        f->e.nxt = seq_add(f->e.ack, (uint32_t)n * MSS);
        ack(f, MSS);
    }
}

static struct flow_of_acks two_rounds(int n)
{
    struct flow_of_acks f = begin(10, 100 * MS);

    f.e.nxt = seq_of((uint32_t)n * MSS);
    ack(&f, MSS); /* windowEnd is n segments on */
    return f;
}

static void slow_start_grows_by_what_was_acknowledged_however_much_that_is(void **state)
{
    struct flow_of_acks f = begin(10, 100 * MS);

    (void)state;
    ack(&f, 2 * MSS);
    assert_int_equal(f.c.cwnd, 12 * MSS);
    ack(&f, 44 * MSS);
    assert_int_equal(f.c.cwnd, 56 * MSS);
}

/* A threshold of an eighth, between 4 and 16 ms. REQ:9406-4.2-1 REQ:9406-4.2-2 REQ:9406-4.2-4
 * REQ:9406-4.2-5 REQ:9406-4.2-6 REQ:9406-4.2-7 REQ:9406-4.3-1 REQ:9406-4.3-2 REQ:9406-4.3-7 */
static void growing_delay_makes_slow_start_conservative(void **state)
{
    static const struct {
        uint32_t rtt_ms, threshold_ms;
    } cases[] = {{10, 4}, {32, 4}, {80, 10}, {128, 16}, {1000, 16}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (uint32_t more = cases[i].threshold_ms - 1; more <= cases[i].threshold_ms; more++) {
            struct flow_of_acks f = two_rounds(16);
            uint32_t before;
            play_round(&f, 16, cases[i].rtt_ms * MS);
            before = f.c.cwnd;
            play_round(&f, 7, (cases[i].rtt_ms + more) * MS); /* seven samples are not enough */
            assert_int_equal(f.c.cwnd, before + 7 * MSS);
            before = f.c.cwnd;
            play_round(&f, 1, (cases[i].rtt_ms + more) * MS);
            play_round(&f, 1, (cases[i].rtt_ms + more) * MS);
            assert_int_equal(f.c.cwnd - before,
                             more < cases[i].threshold_ms ? 2 * MSS : MSS / 4 + MSS / 4);
        }
}

/* REQ:9406-4.2-4: the least of a round counts, not the last. */
static void one_fast_round_trip_in_a_round_is_enough(void **state)
{
    struct flow_of_acks f = two_rounds(16);
    uint32_t before;

    (void)state;
    play_round(&f, 16, 100 * MS);
    before = f.c.cwnd;
    play_round(&f, 1, 111 * MS); /* the threshold is 12 */
    play_round(&f, 15, 200 * MS);
    assert_int_equal(f.c.cwnd, before + 16 * MSS);
}

/* REQ:9406-4.2-8: eight samples less than the baseline; as much as it is not less. Conservative
 * rounds count anew afterwards, REQ:9406-4.2-9. */
static void delay_that_falls_again_resumes_slow_start(void **state)
{
    struct flow_of_acks f = two_rounds(16);
    uint32_t before;

    (void)state;
    play_round(&f, 16, 100 * MS);
    for (int i = 0; i < 4; i++) /* four of the five */
        play_round(&f, 16, 120 * MS);
    before = f.c.cwnd;
    play_round(&f, 7, 119 * MS);
    assert_int_equal(f.c.cwnd, before + 7 * MSS / 4);
    before = f.c.cwnd;
    play_round(&f, 9, 119 * MS);
    assert_int_equal(f.c.cwnd, before + 9 * MSS);
    for (int i = 0; i < 4; i++)
        play_round(&f, 16, 140 * MS);
    assert_true(f.c.ssthresh == UINT32_MAX);
    play_round(&f, 16, 140 * MS);
    assert_true(f.c.ssthresh != UINT32_MAX);
}

/* REQ:9406-4.2-9 REQ:9438-4.10-2 REQ:9438-4.10-4: then avoidance, K 0. */
static void five_conservative_rounds_end_it(void **state)
{
    struct flow_of_acks f = two_rounds(16);

    (void)state;
    play_round(&f, 16, 100 * MS);
    for (int i = 0; i < 4; i++)
        play_round(&f, 16, 120 * MS);
    assert_true(f.c.ssthresh == UINT32_MAX);
    play_round(&f, 16, 120 * MS); /* the first was partial, and counts */
    assert_int_equal(f.c.ssthresh, f.c.cwnd);
    f.c.ssthresh -= f.c.ssthresh % MSS;
    f.c.cwnd = f.c.ssthresh;
    f.e.rtt_us = 0;
    for (int i = 1; i <= 10; i++) /* one segment in each: W_est stands at cwnd_prior, alpha is 1 */
        round_trip(&f);
    is_near(f.c.cwnd, f.c.ssthresh / 1000.0 + 10, 0);
    for (int i = 1; i <= 90; i++)
        round_trip(&f);
    is_near(f.c.cwnd, w_cubic(10.0, f.c.ssthresh / 1000.0, f.c.ssthresh / 1000.0), 2);
}

static void timeout(struct cc *c)
{
    cc_on_timeout(c, c->cwnd);
}

/* A mark leaves seven tenths, and after a silence slow start goes back to three quarters of that.
 */
static void mark_and_silence(struct cc *c)
{
    struct ack_event e = {.is_cwnd_limited = true, .acked = MSS};

    cc_on_ecn(c, c->cwnd);
    assert_int_equal(c->cwnd, c->ssthresh);
    cc_algo(c)->on_ack(c, &e, &(struct rtt){.srtt_us = 100 * MS}); /* avoidance */
    cc_restart(c, 10 * MSS);
}

/* REQ:9406-4.2-10 REQ:9406-4.3-4 */
static void loss_and_marks_end_it_for_good(void **state)
{
    static void (*const ends[])(struct cc * c) = {timeout, mark_and_silence};

    (void)state;
    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct flow_of_acks f = two_rounds(64);
        uint32_t before;
        play_round(&f, 64, 100 * MS);
        ends[i](&f.c);
        assert_true(f.c.ssthresh < UINT32_MAX);
        assert_in_range(f.c.cwnd, MSS, 10 * MSS);
        play_round(&f, 9, 100 * MS);
        play_round(&f, 9, 200 * MS);
        before = f.c.cwnd;
        play_round(&f, 4, 200 * MS);
        assert_int_equal(f.c.cwnd, before + 4 * MSS); /* no slower for the delay */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_leaves_seven_tenths_of_the_flight),
        cmocka_unit_test(echoes_reduce_to_one_segment),
        cmocka_unit_test(what_was_sent_beyond_the_window_is_not_counted),
        cmocka_unit_test(timeout_leaves_one_segment_and_seven_tenths),
        cmocka_unit_test(window_follows_the_cubic),
        cmocka_unit_test(window_of_a_fat_pipe_follows_it_too),
        cmocka_unit_test(target_is_at_most_half_as_much_again),
        cmocka_unit_test(time_without_use_of_the_window_does_not_count),
        cmocka_unit_test(nothing_grows_in_recovery_nor_without_new_data),
        cmocka_unit_test(short_round_trips_grow_as_reno_would),
        cmocka_unit_test(alpha_is_nine_seventeenths),
        cmocka_unit_test(second_loss_below_the_first_leaves_room),
        cmocka_unit_test(avoidance_after_a_timeout_begins_on_the_plateau),
        cmocka_unit_test(slow_start_grows_by_what_was_acknowledged_however_much_that_is),
        cmocka_unit_test(growing_delay_makes_slow_start_conservative),
        cmocka_unit_test(one_fast_round_trip_in_a_round_is_enough),
        cmocka_unit_test(delay_that_falls_again_resumes_slow_start),
        cmocka_unit_test(five_conservative_rounds_end_it),
        cmocka_unit_test(loss_and_marks_end_it_for_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
