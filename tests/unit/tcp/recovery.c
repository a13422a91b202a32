/* What is lost: rack.c and tlp.c at their edges, which no exchange of packets pins down. What they
 * do together: tests/pkt/recovery_rack.c. */
#include "flight.h"

static void sack(uint32_t from, uint32_t to)
{
    struct tcp_opts o = {.has = TCP_OPT_SACK, .sacks = 1, .sack[0] = {at(from), at(to)}};
    struct ack_event e = {.now_us = tcp.now_us, .ack = tcb.snd.una, .fack = tcb.snd.una};

    sack_on_ack(&tcp, &tcb, &o, &e);
    rack_on_ack(&tcp, &tcb, &e);
}

/* -- RACK -------------------------------------------------------------------------------------- */

static void arrive_reordered(uint32_t bytes)
{
    struct ack_event e = event();

    tcb.sent->fack = seq_add(tcb.snd.una, bytes);
    e.is_reordered = true;
    e.reordered_from = tcb.snd.una;
    rack_on_ack(&tcp, &tcb, &e);
}

static void reordering_is_counted_in_begun_segments_up_to_a_knob(void **state)
{
    (void)state;
    send_to(10);
    arrive_reordered(3000);
    assert_int_equal(tcb.loss.reordering, 0); /* three is what is waited for anyway */
    arrive_reordered(3001);
    assert_int_equal(tcb.loss.reordering, 4);
    arrive_reordered(500 * MSS);
    assert_int_equal(tcb.loss.reordering, 300);
}

static void dsack(void)
{
    struct ack_event e = event();

    e.is_dsack = true;
    rack_on_ack(&tcp, &tcb, &e);
}

/* REQ:8985-6.2-7 */
static void the_window_widens_once_a_round_trip(void **state)
{
    (void)state;
    send_to(10);
    dsack();
    dsack();
    assert_int_equal(tcb.loss.reo_steps, 1);
    tcb.snd.una = at(9);
    dsack();
    assert_int_equal(tcb.loss.reo_steps, 1);
    tcb.snd.una = at(10); /* all that was out when it widened has arrived */
    dsack();
    assert_int_equal(tcb.loss.reo_steps, 2);
}

static void recoveries_end(int n)
{
    for (int i = 0; i < n; i++)
        rack_on_recovery_end(&tcb);
}

/* REQ:8985-6.2-8: sixteen recoveries count from the last D-SACK, and then all of it goes. */
static void a_dsack_begins_the_count_of_recoveries_again(void **state)
{
    (void)state;
    send_to(10);
    dsack();
    tcb.snd.una = at(10);
    recoveries_end(15);
    dsack();
    assert_int_equal(tcb.loss.reo_steps, 2);
    recoveries_end(15);
    assert_int_equal(tcb.loss.reo_steps, 2);
    recoveries_end(1);
    assert_int_equal(tcb.loss.reo_steps, 0);
    recoveries_end(1); /* it stays there */
    assert_int_equal(tcb.loss.reo_steps, 0);
}

/* REQ:8985-6.2-3 */
static void what_arrives_late_is_not_the_newest(void **state)
{
    (void)state;
    send_to(4);
    sack(2, 3);
    assert_int_equal(tcb.sent->rack.end.v, at(3).v);
    sack(1, 2);
    assert_int_equal(tcb.sent->rack.end.v, at(3).v);
}

static void an_older_arrival_does_not_bring_the_judgement_back(void **state)
{
    (void)state;
    send_to(4);
    tcp.now_us += RTT_US;
    sack(3, 4);
    sack(1, 2);
    tcp.now_us += RTT_US;
    assert_int_equal(rack_mark_lost(&tcp, &tcb),
                     2 * MSS); /* the third, too: older than the fourth */
}

/* REQ:8985-6.2-5 REQ:8985-3.3.2-1 */
static void in_a_recovery_nothing_is_waited_for(void **state)
{
    (void)state;
    send_to(3);
    tcp.now_us = 1000 * MS + 3 * MS + RTT_US; /* the third arrived after the shortest round trip */
    sack(2, 3);
    assert_int_equal(rack_mark_lost(&tcp, &tcb), 0); /* a quarter of it is waited for */
    tcb.loss.phase = LOSS_RECOVERY;
    assert_int_equal(rack_mark_lost(&tcp, &tcb), 2 * MSS);
}

static void the_window_ends_at_a_round_trip(void **state)
{
    (void)state;
    send_to(2);
    tcp.now_us += RTT_US;
    sack(1, 2);
    tcb.loss.is_reordering = true;
    tcb.loss.reo_steps = 200;
    assert_int_equal(rack_mark_lost(&tcp, &tcb), 0);
    /* sent at 1001 ms, and given a round trip and as much again */
    assert_int_equal(tcb.sent->rack.due_us, 1001 * MS + 2 * RTT_US);
    tcp.now_us = 1001 * MS + 2 * RTT_US;
    assert_int_equal(rack_mark_lost(&tcp, &tcb), MSS);
}

/* REQ:8985-6.2-10 */
static void the_timer_waits_for_the_last(void **state)
{
    (void)state;
    send_to(3);
    tcp.now_us += RTT_US;
    sack(2, 3);
    assert_int_equal(rack_mark_lost(&tcp, &tcb), 0);
    assert_int_equal(tcb.sent->rack.due_us, 1002 * MS + RTT_US + RTT_US / 4);
}

static void a_timeout_judges_by_the_latest_round_trip(void **state)
{
    (void)state;
    send_to(4);
    tcp.now_us += 200 * MS;
    sack(3, 4); /* 200 ms, where 100 are usual */
    tcp.now_us = 1003 * MS + 210 * MS;
    rack_mark_on_timeout(&tcp, &tcb);
    assert_int_equal(tcb.sent->lost, MSS); /* the first; the others may still come */
    tcp.now_us = 1003 * MS + 225 * MS;
    rack_mark_on_timeout(&tcp, &tcb);
    assert_int_equal(tcb.sent->lost, 3 * MSS);
}

/* REQ:8985-6.3-1 */
static void a_timeout_takes_the_first_again_although_it_went_again(void **state)
{
    (void)state;
    send_to(3);
    rack_mark_on_timeout(&tcp, &tcb);
    again(0);
    assert_int_equal(tcb.sent->lost, 0);
    rack_mark_on_timeout(&tcp, &tcb);
    assert_int_equal(tcb.sent->lost, MSS);
    assert_true(sent_find(tcb.sent, tcb.sent->lost_from) == tcb.sent->first);
}

/* -- the tail ---------------------------------------------------------------------------------- */

/* REQ:8985-7.2-1 REQ:8985-7.3-1 */
static void a_probe_waits_only_where_nothing_is_asked(void **state)
{
    (void)state;
    assert_false(tlp_may_wait(&tcp, &tcb));
    send_to(3);
    assert_true(tlp_may_wait(&tcp, &tcb));
    tcb.sent->lost = MSS;
    assert_false(tlp_may_wait(&tcp, &tcb));
    tcb.sent->lost = 0;
    tcb.sent->sacked = MSS;
    assert_false(tlp_may_wait(&tcp, &tcb));
    tcb.sent->sacked = 0;
    tcb.sent->tlp.is_out = true;
    assert_false(tlp_may_wait(&tcp, &tcb));
    tcb.sent->tlp.is_out = false;
    tcb.loss.phase = LOSS_RECOVERY;
    assert_false(tlp_may_wait(&tcp, &tcb));
}

static void how_long_it_waits(void **state) /* REQ:8985-7.2-3 */
{
    (void)state;
    send_to(2);
    assert_int_equal(tlp_timeout_us(&tcb), 2 * RTT_US);
    tcb.snd.una = at(1); /* one segment: its ACK may be delayed */
    assert_int_equal(tlp_timeout_us(&tcb), 2 * RTT_US + 200 * MS);
    tcb.rtt.srtt_us = 0;
    assert_int_equal(tlp_timeout_us(&tcb), 1000 * MS);
    tcb.rtt.srtt_us = 10;
    tcb.snd.una = at(0);
    assert_int_equal(tlp_timeout_us(&tcb), 2 * MS);
}

/* The last of three went again as a probe. */
static void probe(void)
{
    tcb.sent->tlp = (struct tlp){0};
    tlp_on_sent(&tcp, &tcb, true);
    assert_int_equal(tcb.sent->tlp.flight, 3 * MSS);
}

/* REQ:8985-7.4.2-1 */
static void what_answers_a_probe(void **state)
{
    struct ack_event e;

    (void)state;
    send_to(3);
    probe();
    e = event(), e.ack = at(2), e.acked = 2 * MSS;
    assert_false(tlp_on_ack(&tcb, &e)); /* of what came before it */
    assert_true(tcb.sent->tlp.is_out);
    e = event(), e.ack = at(3), e.acked = MSS;
    assert_false(tlp_on_ack(&tcb, &e)); /* of one copy; the other may come yet */
    assert_true(tcb.sent->tlp.is_out);
    e = event(), e.ack = at(3), e.is_pure = true, e.acked = MSS;
    assert_false(tlp_on_ack(&tcb, &e));
    assert_true(tcb.sent->tlp.is_out);
    e = event(), e.ack = at(3), e.is_pure = true, e.sacked = MSS;
    assert_false(tlp_on_ack(&tcb, &e));
    assert_true(tcb.sent->tlp.is_out);
    e = event(), e.ack = at(3), e.is_dsack = true, e.twice = (struct range){at(1), at(2)};
    assert_false(tlp_on_ack(&tcb, &e)); /* of something else */
    assert_true(tcb.sent->tlp.is_out);
    e = event(), e.ack = at(3), e.is_pure = true;
    assert_false(tlp_on_ack(&tcb, &e)); /* a plain duplicate: both came */
    assert_false(tcb.sent->tlp.is_out);
    probe();
    e = event(), e.ack = at(3), e.is_dsack = true, e.twice = (struct range){at(2), at(3)};
    assert_false(tlp_on_ack(&tcb, &e));
    assert_false(tcb.sent->tlp.is_out);
    probe();
    e = event(), e.ack = at(4), e.is_pure = true;
    assert_true(tlp_on_ack(&tcb, &e)); /* beyond it, and no second copy: it was the repair */
    assert_false(tcb.sent->tlp.is_out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLIGHT_TEST(reordering_is_counted_in_begun_segments_up_to_a_knob),
        FLIGHT_TEST(the_window_widens_once_a_round_trip),
        FLIGHT_TEST(a_dsack_begins_the_count_of_recoveries_again),
        FLIGHT_TEST(what_arrives_late_is_not_the_newest),
        FLIGHT_TEST(an_older_arrival_does_not_bring_the_judgement_back),
        FLIGHT_TEST(in_a_recovery_nothing_is_waited_for),
        FLIGHT_TEST(the_window_ends_at_a_round_trip),
        FLIGHT_TEST(the_timer_waits_for_the_last),
        FLIGHT_TEST(a_timeout_judges_by_the_latest_round_trip),
        FLIGHT_TEST(a_timeout_takes_the_first_again_although_it_went_again),
        FLIGHT_TEST(a_probe_waits_only_where_nothing_is_asked),
        FLIGHT_TEST(how_long_it_waits),
        FLIGHT_TEST(what_answers_a_probe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
