/* Reno, RFC 5681 section 3, in bytes. */
#include "tcp_bench.h"

#define MSS 1000u

static struct cc begin(void)
{
    struct cc c;

    cc_init(&c, CC_reno, MSS, 10);
    return c;
}

static void ack(struct cc *c, uint32_t acked)
{
    struct ack_event e = {.acked = acked, .is_cwnd_limited = true};

    cc_algo(c)->on_ack(c, &e, NULL);
}

static void it_begins_with_ten_segments(void **state)
{
    struct cc c = begin();

    (void)state;
    assert_int_equal(c.cwnd, 10 * MSS);
    assert_true(c.ssthresh == UINT32_MAX);
    assert_int_equal(tcp_congestion_find("vegas"), -1);
    assert_int_equal(tcp_congestion_find("reno"), CC_reno);
}

/* REQ:5681-3.1-10 */
static void slow_start_grows_by_what_was_acknowledged(void **state)
{
    struct cc c = begin();

    (void)state;
    ack(&c, 2 * MSS);
    assert_int_equal(c.cwnd, 12 * MSS);
    ack(&c, 1); /* ACK division gains nothing (27) */
    assert_int_equal(c.cwnd, 12 * MSS + 1);
}

/* REQ:5681-3.1-12 REQ:5681-3.1-13 REQ:5681-3.1-14 */
static void avoidance_grows_by_one_segment_a_window(void **state)
{
    struct cc c = begin();

    (void)state;
    c.ssthresh = 10 * MSS;
    for (int i = 0; i < 9; i++)
        ack(&c, MSS);
    assert_int_equal(c.cwnd, 10 * MSS);
    ack(&c, MSS);
    assert_int_equal(c.cwnd, 11 * MSS);
    for (int i = 0; i < 11; i++)
        ack(&c, MSS);
    assert_int_equal(c.cwnd, 12 * MSS);
}

static void one_ack_crosses_the_threshold(void **state)
{
    struct cc c = begin();

    (void)state;
    c.ssthresh = 11 * MSS;
    ack(&c, 3 * MSS); /* one to the threshold, two count for avoidance */
    assert_int_equal(c.cwnd, 11 * MSS);
    assert_int_equal(c.acked, 2 * MSS);
}

static void nothing_grows_that_was_not_used(void **state)
{
    struct cc c = begin();
    struct ack_event idle = {.acked = MSS}, lossy = {.acked = MSS, .is_cwnd_limited = true};

    (void)state;
    cc_algo(&c)->on_ack(&c, &idle, NULL);
    lossy.in_recovery = true;
    cc_algo(&c)->on_ack(&c, &lossy, NULL);
    ack(&c, 0);
    assert_int_equal(c.cwnd, 10 * MSS);
}

/* REQ:5681-3.1-17 REQ:5681-3.2-7 */
static void loss_halves_the_flight_and_not_below_two_segments(void **state)
{
    struct cc c = begin();

    (void)state;
    cc_algo(&c)->on_loss(&c, 20 * MSS);
    assert_int_equal(c.ssthresh, 10 * MSS);
    assert_int_equal(c.cwnd, 10 * MSS);
    cc_algo(&c)->on_loss(&c, 3 * MSS);
    assert_int_equal(c.ssthresh, 2 * MSS);
    assert_int_equal(c.cwnd, 2 * MSS);
}

static void timeout_begins_with_one_segment(void **state)
{
    struct cc c = begin();

    (void)state;
    cc_algo(&c)->on_timeout(&c, 8 * MSS);
    assert_int_equal(c.ssthresh, 4 * MSS);
    assert_int_equal(c.cwnd, MSS);
}

static void idle_only_shrinks(void **state)
{
    struct cc c = begin();

    (void)state;
    c.cwnd = 40 * MSS;
    c.ssthresh = 20 * MSS;
    cc_restart(&c, 10 * MSS);
    assert_int_equal(c.cwnd, 10 * MSS);
    assert_int_equal(c.ssthresh, 30 * MSS); /* 2861: back to three quarters */
    c.cwnd = 3 * MSS;
    cc_restart(&c, 10 * MSS);
    assert_int_equal(c.ssthresh, 30 * MSS);
    assert_int_equal(c.cwnd, 3 * MSS);
}

/* REQ:7661-4.4.3-1: slow start may go back to three quarters of what was; a higher bound stays. */
static void a_window_that_goes_is_remembered(void **state)
{
    struct cc c = begin();

    (void)state;
    c.cwnd = 40 * MSS;
    c.ssthresh = 5 * MSS;
    cc_restart(&c, 20 * MSS);
    assert_int_equal(c.cwnd, 20 * MSS);
    assert_int_equal(c.ssthresh, 30 * MSS);
    c.ssthresh = 70 * MSS;
    cc_restart(&c, 10 * MSS);
    assert_int_equal(c.ssthresh, 70 * MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_that_goes_is_remembered),
        cmocka_unit_test(it_begins_with_ten_segments),
        cmocka_unit_test(slow_start_grows_by_what_was_acknowledged),
        cmocka_unit_test(avoidance_grows_by_one_segment_a_window),
        cmocka_unit_test(one_ack_crosses_the_threshold),
        cmocka_unit_test(nothing_grows_that_was_not_used),
        cmocka_unit_test(loss_halves_the_flight_and_not_below_two_segments),
        cmocka_unit_test(timeout_begins_with_one_segment),
        cmocka_unit_test(idle_only_shrinks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
