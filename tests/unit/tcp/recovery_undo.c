/* What a loss costs and what is taken back: prr.c, undo.c, frto.c at their edges, which no exchange
 * of packets pins down. What they do together: tests/pkt/recovery_prr.c, recovery_undo.c. */
#include "flight.h"

/* -- PRR --------------------------------------------------------------------------------------- */

static void prr_ack(uint32_t delivered, uint32_t acked, uint32_t lost)
{
    struct ack_event e = event();

    e.delivered = delivered;
    e.acked = acked;
    e.lost = lost;
    prr_on_ack(&tcb, &e);
}

static void prr_counts_what_was_out_before_the_ack_that_began_it(void **state)
{
    struct ack_event e;

    (void)state;
    send_to(10)->sacked = 3 * MSS;
    e = event(), e.sacked = e.delivered = MSS; /* it brought one of the three */
    prr_begin(&tcb, &e);
    assert_int_equal(tcb.sent->prr.flight, 8 * MSS);
    tcb.snd.una = at(2);
    e = event(), e.acked = 2 * MSS, e.sacked = MSS, e.delivered = 3 * MSS;
    prr_begin(&tcb, &e);
    assert_int_equal(tcb.sent->prr.flight, 8 * MSS);
}

static void prr_gives_a_part_of_what_arrives_rounded_up(void **state)
{
    (void)state;
    send_to(10)->prr = (struct prr){.flight = 9 * MSS};
    tcb.cc.ssthresh = 5 * MSS;
    tcb.sent->sacked = MSS;
    prr_ack(MSS, 0, 0);
    assert_int_equal(tcb.cc.cwnd, 9 * MSS + 556); /* 1000 * 5 / 9 */
    loss_on_sent(&tcb, 0);
    tcb.sent->prr.out = 556;
    prr_ack(MSS, 0, 0);
    assert_int_equal(tcb.cc.cwnd, 9 * MSS + 556); /* 1112 less what went */
}

static void below_ssthresh_prr_conserves_or_grows(void **state)
{
    (void)state;
    send_to(10)->prr = (struct prr){.flight = 10 * MSS, .out = MSS};
    tcb.cc.ssthresh = 9 * MSS;
    tcb.sent->sacked = 6 * MSS;
    prr_ack(2 * MSS, 0, 0); /* no progress: what arrived, and no more */
    assert_int_equal(tcb.cc.cwnd, 6 * MSS);
    tcb.sent->prr = (struct prr){.flight = 10 * MSS, .out = MSS};
    prr_ack(2 * MSS, MSS, MSS); /* progress, and more is missing */
    assert_int_equal(tcb.cc.cwnd, 6 * MSS);
    tcb.sent->prr = (struct prr){.flight = 10 * MSS, .out = MSS};
    prr_ack(2 * MSS, MSS, 0);
    assert_int_equal(tcb.cc.cwnd, 7 * MSS);
    tcb.sent->prr = (struct prr){.flight = 10 * MSS, .delivered = 3 * MSS, .out = MSS};
    prr_ack(MSS, 0, 0); /* three arrived before that nothing replaced */
    assert_int_equal(tcb.cc.cwnd, 7 * MSS);
    tcb.sent->prr = (struct prr){.flight = 10 * MSS};
    prr_ack(20 * MSS, MSS, 0);
    assert_int_equal(tcb.cc.cwnd, 9 * MSS); /* never beyond it */
}

static void the_first_retransmission_waits_for_nothing(void **state)
{
    (void)state;
    send_to(10)->prr = (struct prr){.flight = 1000 * MSS};
    tcb.cc.ssthresh = 0;
    prr_ack(1, 0, 0);
    assert_int_equal(tcb.cc.cwnd, 11 * MSS);
    tcb.sent->prr.out = 1;
    prr_ack(1, 0, 0);
    assert_int_equal(tcb.cc.cwnd, 10 * MSS);
    tcb.sent->lost = 10 * MSS;
    prr_ack(1, 0, 0);
    assert_int_equal(tcb.cc.cwnd, MSS); /* what is in flight is nothing: a segment may always go */
}

/* -- undo -------------------------------------------------------------------------------------- */

static void send_again(uint32_t segment)
{
    again(segment);
    undo_on_sent_again(&tcp, &tcb, MSS);
}

static struct ack_event twice(uint32_t segment)
{
    struct ack_event e = event();

    e.is_dsack = true;
    e.twice = (struct range){at(segment), at(segment + 1)};
    return e;
}

static void only_what_a_recovery_sent_again_is_counted(void **state)
{
    struct undo *u;

    (void)state;
    u = &send_to(5)->undo;
    tcb.snd.una = at(1);
    undo_begin(&tcp, &tcb);
    send_again(1);
    undo_on_end(&tcb);
    undo_on_sent_again(&tcp, &tcb, MSS); /* of the next */
    assert_int_equal(u->again, MSS);
    undo_on_dsack(&tcb, &(struct ack_event[]){twice(0)}[0]); /* of one before */
    assert_int_equal(u->again, MSS);
    undo_on_dsack(&tcb, &(struct ack_event[]){twice(1)}[0]);
    assert_int_equal(u->again, 0);
    assert_true(undo_may(&tcb, &(struct ack_event[]){twice(1)}[0]));
}

static void nothing_sent_again_is_nothing_to_undo(void **state)
{
    struct ack_event e;

    (void)state;
    send_to(5);
    undo_begin(&tcp, &tcb);
    e = event();
    assert_false(undo_may(&tcb, &e));
}

static void the_first_retransmission_dates_the_question(void **state)
{
    struct ack_event e;
    uint32_t first;

    (void)state;
    send_to(5);
    undo_begin(&tcp, &tcb);
    tcp.now_us += 10 * MS;
    send_again(0);
    first = ts_now(&tcp, &tcb);
    tcp.now_us += 10 * MS;
    send_again(1);
    e = event(), e.has_echo = true, e.acked = MSS, e.echo = first;
    assert_false(undo_is_late(&tcb, &e)); /* the first retransmission itself */
    e.echo = first - 1;
    assert_true(undo_is_late(&tcb, &e));
    e.acked = 0;
    assert_false(undo_is_late(&tcb, &e)); /* no progress: the echo is an old one */
    e.acked = MSS;
    undo_on_end(&tcb);
    assert_false(undo_is_late(&tcb, &e));
}

static void what_grew_meanwhile_stays(void **state) /* REQ:9438-4.9.2-3 */
{
    (void)state;
    send_to(5);
    tcb.cc.cwnd = 10 * MSS, tcb.cc.ssthresh = 20 * MSS;
    undo_begin(&tcp, &tcb);
    tcb.cc.cwnd = 30 * MSS, tcb.cc.ssthresh = 40 * MSS;
    tcb.cc.own[0] = 5, tcb.cc.acked = 9; /* of the way up */
    undo_cwnd(&tcp, &tcb);
    assert_int_equal(tcb.cc.cwnd, 30 * MSS);
    assert_int_equal(tcb.cc.ssthresh, 40 * MSS);
    assert_int_equal(tcb.cc.own[0], 5);
    assert_int_equal(tcb.cc.acked, 9);
    assert_false(tcb.sent->undo.is_open);
    undo_begin(&tcp, &tcb);
    tcb.cc.cwnd = MSS, tcb.cc.ssthresh = 2 * MSS, tcb.cc.acked = 7, tcb.cc.mss = 500;
    tcb.cc.own[0] = 6;
    undo_cwnd(&tcp, &tcb);
    assert_int_equal(tcb.cc.cwnd, 30 * MSS);
    assert_int_equal(tcb.cc.acked, 9);
    assert_int_equal(tcb.cc.own[0], 5);
    assert_int_equal(tcb.cc.mss, 500); /* the path's, and newer */
}

static void another_algorithm_keeps_what_is_its_own(void **state)
{
    (void)state;
    send_to(5);
    undo_begin(&tcp, &tcb);
    tcb.cc.algo = CC_cubic;
    tcb.cc.own[0] = 7;
    undo_cwnd(&tcp, &tcb);
    assert_int_equal(tcb.cc.algo, CC_cubic);
    assert_true(tcb.cc.own[0] == 7);
}

/* BBR, another one, and BBR again, while the question is open: the block of then is freed. */
static void a_block_of_the_algorithm_s_own_stays(void **state)
{
    static uint64_t then[512], now[512];

    (void)state;
    send_to(10);
    tcb.cc.algo = CC_bbr;
    tcb.cc.block = then;
    undo_begin(&tcp, &tcb);
    tcb.cc.block = now;
    assert_true(sizeof then >= cc_algo(&tcb.cc)->block_bytes);
    tcb.cc.cwnd = 5 * MSS;
    undo_cwnd(&tcp, &tcb);
    assert_ptr_equal(tcb.cc.block, now);
    assert_int_equal(tcb.cc.cwnd, 10 * MSS);
    tcb.cc.block = NULL; /* none of them is anybody's to free */
    tcb.cc.algo = CC_reno;
}

static void the_question_ends_behind_what_was_out(void **state)
{
    (void)state;
    send_to(5);
    undo_begin(&tcp, &tcb);
    undo_on_end(&tcb);
    tcb.snd.una = at(5);
    undo_on_ack(&tcb);
    assert_true(tcb.sent->undo.is_open);
    tcb.snd.una = seq_add(at(5), 1);
    undo_on_ack(&tcb);
    assert_false(tcb.sent->undo.is_open);
}

/* -- F-RTO ------------------------------------------------------------------------------------- */

/* A timeout with five segments in flight and `unsent` more to send. */
static struct sent *timed_out(uint32_t unsent)
{
    struct sent *s = send_to(5);

    tcb.snd.ring.len = 5 * MSS + unsent;
    tcb.snd.wnd = 20 * MSS;
    tcb.cc.cwnd = 10 * MSS;
    tcb.loss.phase = LOSS_TIMEOUT;
    s->recover = at(5);
    frto_begin(&tcp, &tcb, true);
    return s;
}

static bool frto_ack(uint32_t to, struct ack_event e)
{
    e.acked = (uint32_t)seq_diff(at(to), tcb.snd.una);
    tcb.snd.una = at(to);
    tcb.snd.ring.len -= e.acked;
    return frto_on_ack(&tcb, &e);
}

static void it_asks_only_where_the_flight_was_sent_once(void **state)
{
    (void)state;
    timed_out(MSS);
    assert_int_equal(tcb.sent->frto, FRTO_WAIT);
    frto_begin(&tcp, &tcb, false);
    assert_int_equal(tcb.sent->frto, FRTO_OFF);
    knobs.tcp_frto = 0;
    frto_begin(&tcp, &tcb, true);
    assert_int_equal(tcb.sent->frto, FRTO_OFF);
}

static void it_asks_with_new_text_where_some_of_the_flight_is_open(void **state)
{
    (void)state;
    timed_out(MSS);
    frto_ack(2, (struct ack_event){0});
    assert_int_equal(tcb.sent->frto, FRTO_NEW);
    tcb.snd.una = at(0);
    timed_out(MSS);
    frto_ack(5, (struct ack_event){0}); /* all of it: no more to ask */
    assert_int_equal(tcb.sent->frto, FRTO_OFF);
}

static void it_does_not_ask_without_text_or_window(void **state)
{
    (void)state;
    timed_out(0);
    frto_ack(2, (struct ack_event){0});
    assert_int_equal(tcb.sent->frto, FRTO_OFF);
    tcb.snd.una = at(0);
    timed_out(MSS);
    tcb.snd.wnd = 3 * MSS;
    frto_ack(2, (struct ack_event){0});
    assert_int_equal(tcb.sent->frto, FRTO_OFF);
}

static void what_was_sent_once_answers(void **state)
{
    (void)state;
    timed_out(MSS)->frto = FRTO_ASKED;
    assert_true(frto_ack(3, (struct ack_event){.has_first = true, .has_again = true}));
    tcb.flags = 0; /* without SACK the ACK may be of what went again */
    assert_false(frto_ack(4, (struct ack_event){.has_first = true, .has_again = true}));
    assert_true(frto_ack(4, (struct ack_event){.has_first = true}));
    assert_false(frto_ack(4, (struct ack_event){.has_again = true}));
}

static void a_duplicate_says_that_the_timeout_was_right(void **state)
{
    (void)state;
    timed_out(MSS)->frto = FRTO_ASKED;
    assert_true(frto_holds(&tcb));
    assert_false(frto_ack(0, (struct ack_event){.is_duplicate = true}));
    assert_int_equal(tcb.cc.cwnd, 3 * MSS);
    assert_false(frto_holds(&tcb));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLIGHT_TEST(prr_counts_what_was_out_before_the_ack_that_began_it),
        FLIGHT_TEST(prr_gives_a_part_of_what_arrives_rounded_up),
        FLIGHT_TEST(below_ssthresh_prr_conserves_or_grows),
        FLIGHT_TEST(the_first_retransmission_waits_for_nothing),
        FLIGHT_TEST(only_what_a_recovery_sent_again_is_counted),
        FLIGHT_TEST(nothing_sent_again_is_nothing_to_undo),
        FLIGHT_TEST(the_first_retransmission_dates_the_question),
        FLIGHT_TEST(what_grew_meanwhile_stays),
        FLIGHT_TEST(another_algorithm_keeps_what_is_its_own),
        FLIGHT_TEST(a_block_of_the_algorithm_s_own_stays),
        FLIGHT_TEST(the_question_ends_behind_what_was_out),
        FLIGHT_TEST(it_asks_only_where_the_flight_was_sent_once),
        FLIGHT_TEST(it_asks_with_new_text_where_some_of_the_flight_is_open),
        FLIGHT_TEST(it_does_not_ask_without_text_or_window),
        FLIGHT_TEST(what_was_sent_once_answers),
        FLIGHT_TEST(a_duplicate_says_that_the_timeout_was_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
