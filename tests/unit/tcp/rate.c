/* Delivery rate samples: what a record noted when it left, and what its arrival makes of that. */
#include "flight.h"

#include "tcp/bbr.h"

static struct bbr bbr;

static int setup_rate(void **state)
{
    setup(state);
    memset(&bbr, 0, sizeof bbr);
    cc_init(&tcb.cc, CC_bbr, MSS, 100);
    tcb.cc.block = &bbr;
    cc_algo(&tcb.cc)->init(&tcb.cc, MSS);
    tcb.snd.pace = PACE_ON | PACE_SAMPLES;
    tcb.snd.iss = tcb.snd.una;
    tcb.rtt.min_us = 1;
    return 0;
}

static struct rate_sample sample_of(struct ack_event *e)
{
    struct rate_sample s = *e->rate;

    e->rate = NULL;
    return s;
}

/* All below segment `to` is acknowledged now, `lost` bytes by that are found missing. */
static struct rate_sample ack(uint32_t to, uint32_t lost)
{
    struct rate_sample s = {0};
    struct ack_event e = event();

    e.ack = e.fack = at(to);
    e.acked = (uint32_t)seq_diff(at(to), tcb.snd.una);
    e.rate = &s;
    e.lost = lost;
    tcb.snd.una = at(to);
    sent_ack(&tcb, &e);
    rate_finish(&tcb, &e);
    return sample_of(&e);
}

static struct rate_sample sack(uint32_t from, uint32_t to)
{
    struct tcp_opts o = {.has = TCP_OPT_SACK, .sacks = 1, .sack[0] = {at(from), at(to)}};
    struct rate_sample s = {0};
    struct ack_event e = event();

    e.fack = tcb.snd.una;
    e.rate = &s;
    sack_on_ack(&tcp, &tcb, &o, &e);
    rate_finish(&tcb, &e);
    return sample_of(&e);
}

static void more_to_send(uint32_t segments)
{
    tcb.snd.ring.len = (uint32_t)seq_diff(tcb.snd.nxt, tcb.snd.una) + segments * MSS;
}

static void a_sample_is_of_the_flight_of_its_record(void **state)
{
    struct rate_sample s;

    (void)state;
    send_to(10); /* at 1001 to 1010 ms */
    tcp.now_us = 1101 * MS;
    s = ack(1, 0);
    assert_true(s.is_set && s.has_sack && !s.is_app_limited);
    assert_int_equal(s.delivered, MSS);
    assert_int_equal(s.interval_us, 100 * MS);
    assert_int_equal(s.tx_in_flight, MSS);
    assert_int_equal(s.in_flight, 9 * MSS);
    assert_int_equal(s.total_delivered, MSS);
    tcp.now_us = 1110 * MS;
    s = ack(10, 0); /* the tenth left when nothing had arrived */
    assert_int_equal(s.delivered, 10 * MSS);
    assert_int_equal(s.interval_us, 109 * MS);
    assert_int_equal(s.tx_in_flight, 10 * MSS);
    assert_int_equal(s.prior_delivered, 0);
}

static void what_was_sent_slowly_cannot_arrive_faster(void **state)
{
    struct rate_sample s;

    (void)state;
    send_to(1);
    tcp.now_us += 400 * MS;
    send_to(2);
    tcp.now_us = 1500 * MS;
    ack(1, 0);
    send_to(3); /* at 1501: the clock began at 1001, when the first left */
    tcp.now_us = 1502 * MS;
    s = ack(3, 0);
    assert_int_equal(s.delivered, 2 * MSS);
    assert_int_equal(s.interval_us, 500 * MS); /* not 2, the time in which they arrived */
}

static void acks_that_come_too_fast_say_nothing(void **state)
{
    struct rate_sample s;

    (void)state;
    tcb.rtt.min_us = 100 * MS;
    send_to(1);
    tcp.now_us += 99 * MS;
    s = ack(1, 0);
    assert_true(s.is_set);
    assert_int_equal(s.interval_us, 0);
}

static void a_burst_has_one_note(void **state)
{
    struct rate_sample s;

    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        tcb.snd.nxt = at(i + 1);
        sent_add(&tcp, &tcb, at(i), at(i + 1));
    }
    assert_int_equal(tcb.sent->n - tcb.sent->first, 1);
    tcp.now_us += RTT_US;
    s = sack(2, 4); /* its middle */
    assert_int_equal(s.tx_in_flight, 5 * MSS);
    assert_int_equal(s.delivered, 2 * MSS);
    tcp.now_us += RTT_US;
    s = ack(5, 0);
    assert_int_equal(s.delivered, 5 * MSS);
    assert_int_equal(s.interval_us, 2 * RTT_US);
}

static void losses_count_from_when_it_left(void **state)
{
    struct rate_sample s;

    (void)state;
    send_to(4);
    sent_mark_lost(&tcp, &tcb, at(1), false);
    send_to(5);
    tcp.now_us += RTT_US;
    s = sack(3, 4); /* left before the loss */
    assert_int_equal(s.lost, MSS);
    s = sack(4, 5);
    assert_int_equal(s.lost, 0);
    s = ack(5, 3 * MSS);
    assert_int_equal(s.lost, 4 * MSS); /* and what this ACK told */
}

static void without_text_a_flight_says_less_than_the_path_can(void **state)
{
    (void)state;
    send_to(3);
    more_to_send(1);
    rate_check_app_limited(&tcb);
    send_to(4);
    more_to_send(0);
    rate_check_app_limited(&tcb);
    send_to(5);
    tcp.now_us += RTT_US;
    assert_false(ack(4, 0).is_app_limited);
    send_to(6);
    tcp.now_us += RTT_US;
    assert_true(ack(5, 0).is_app_limited);
    send_to(7);
    assert_true(ack(6, 0).is_app_limited); /* left before all of the poor flight was known */
    send_to(8);
    assert_false(ack(7, 0).is_app_limited);
    assert_false(ack(8, 0).is_app_limited);
}

static void the_next_flight_knows_how_the_last_one_ended(void **state)
{
    (void)state;
    send_to(3);
    more_to_send(0);
    rate_check_app_limited(&tcb);
    ack(3, 0);
    sent_free(&tcp, &tcb);
    assert_false(bbr.is_restart);
    send_to(4);
    assert_true(bbr.is_restart);
    send_to(5);
    tcp.now_us += RTT_US;
    assert_true(ack(4, 0).is_app_limited);
    send_to(6);
    ack(5, 0);
    assert_false(ack(6, 0).is_app_limited);
    sent_free(&tcp, &tcb);
    bbr.is_restart = false;
    send_to(7);
    assert_false(bbr.is_restart);
}

static void an_algorithm_that_holds_back_is_not_the_path(void **state)
{
    (void)state;
    send_to(1);
    tcb.cc.holds_back = true;
    send_to(2);
    tcp.now_us += RTT_US;
    assert_false(ack(1, 0).is_app_limited);
    assert_true(ack(2, 0).is_app_limited);
}

/* The notes of a thousand records, which are sent again in part, and split. */
static void a_long_flight_keeps_all_its_notes(void **state)
{
    (void)state;
    tcb.cc.cwnd = 2000 * MSS;
    send_to(1000);
    for (uint32_t i = 1; i < 1000; i += 2)
        assert_int_equal(sack(i, i + 1).tx_in_flight, (i + 1) * MSS);
    assert_int_equal(ack(1000, 0).delivered, 1000 * MSS);
}

static void without_memory_there_are_no_samples(void **state)
{
    struct rate_sample s;

    (void)state;
    send_to(1);
    ack(1, 0);
    sent_free(&tcp, &tcb);
    mem.max = 256; /* enough for records */
    send_to(2);
    tcp.now_us += RTT_US;
    s = ack(2, 0);
    assert_false(s.is_set);
    assert_int_equal(s.total_delivered, 2 * MSS);
}

int main(void)
{
#define RATE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_rate, teardown)
    const struct CMUnitTest tests[] = {
        RATE_TEST(a_sample_is_of_the_flight_of_its_record),
        RATE_TEST(what_was_sent_slowly_cannot_arrive_faster),
        RATE_TEST(acks_that_come_too_fast_say_nothing),
        RATE_TEST(a_burst_has_one_note),
        RATE_TEST(losses_count_from_when_it_left),
        RATE_TEST(without_text_a_flight_says_less_than_the_path_can),
        RATE_TEST(the_next_flight_knows_how_the_last_one_ended),
        RATE_TEST(an_algorithm_that_holds_back_is_not_the_path),
        RATE_TEST(a_long_flight_keeps_all_its_notes),
        RATE_TEST(without_memory_there_are_no_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
