/* Proportional rate reduction, RFC 6937 as RFC 9937 has it: what one ACK lets go, to the byte. The
 * rest of it, with packets: tests/pkt/recovery_prr.c. */
#include "flight.h"

struct ack_of {
    uint32_t flight, ssthresh, delivered, out; /* the recovery so far */
    uint32_t pipe;                             /* with this ACK */
    uint32_t news, acked, lost;                /* what it tells */
    uint32_t may;                              /* go */
};

static const struct ack_of acks[] = {
    /* above ssthresh: each byte that arrived is worth ssthresh/RecoverFS, rounded up; REQ:6937-3-3
     */
    {9000, 5000, 1000, 1000, 7000, 1000, 0, 0, .may = 112}, /* ceil(2000 * 5 / 9) - 1000 */
    {9000, 5000, 0, 0, 8000, 1, 0, 0, .may = 1},
    {9000, 5000, 1000, 3000, 7000, 1000, 0, 0, .may = 0}, /* sent in advance */
    {9000, 5000, 1000, 1112, 7000, 1000, 1000, 0, .may = 0},
    /* below: what arrived goes again, and a segment more where all goes well; REQ:6937-3-5 */
    {20000, 10000, 3000, 3000, 3000, 1000, 1000, 0, .may = 2000},
    {20000, 10000, 3000, 3000, 3000, 1000, 0, 0, .may = 1000},       /* no progress */
    {20000, 10000, 3000, 3000, 3000, 1000, 1000, 1000, .may = 1000}, /* something more is missing */
    {20000, 10000, 5000, 2000, 3000, 1000, 0, 0, .may = 4000},       /* three were not used */
    {20000, 10000, 2000, 4000, 3000, 1000, 0, 0, .may = 1000}, /* what arrived now, at least */
    /* never beyond ssthresh; REQ:6937-3-6 */
    {20000, 10000, 5000, 2000, 9500, 1000, 1000, 0, .may = 500},
    {20000, 10000, 5000, 2000, 10000, 1000, 1000, 0, .may = 0},
    /* bytes count, not segments nor ACKs; REQ:6937-8-1 */
    {20000, 10000, 3000, 3000, 3000, 1, 0, 0, .may = 1},
    {20000, 10000, 3000, 3000, 3000, 999, 0, 0, .may = 999},
    {20000, 10000, 5999, 3000, 12000, 1, 0, 0, .may = 0},
    {20000, 10000, 5999, 2999, 12000, 1, 0, 0, .may = 1},
};

static void what_one_ack_lets_go(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof acks / sizeof acks[0]; i++) {
        const struct ack_of *a = &acks[i];
        struct ack_event e = event();
        tcb.snd.una = tcb.snd.nxt = at(0);
        send_to(1);
        tcb.snd.nxt = seq_add(tcb.snd.una, a->pipe);
        tcb.cc.ssthresh = a->ssthresh;
        tcb.sent->prr = (struct prr){a->flight, a->delivered, a->out};
        e.delivered = a->news, e.acked = a->acked, e.lost = a->lost;
        prr_on_ack(&tcb, &e);
        if (tcb.cc.cwnd - a->pipe != a->may)
            fail_msg("ACK %u lets %u go, not %u", i, tcb.cc.cwnd - a->pipe, a->may);
        sent_free(&tcp, &tcb);
    }
}

/* REQ:6937-3-1: what had been reported before is not of the flight that is reduced. */
static void the_flight_is_what_was_not_reported(void **state)
{
    struct ack_event e;

    (void)state;
    send_to(10);
    tcb.sent->sacked = 4 * MSS;
    tcb.sent->prr = (struct prr){1, 2, 3};
    e = event(), e.delivered = e.sacked = MSS; /* three were, and this one is news */
    prr_begin(&tcb, &e);
    assert_int_equal(tcb.sent->prr.flight, 7 * MSS);
    assert_int_equal(tcb.sent->prr.delivered, 0);
    assert_int_equal(tcb.sent->prr.out, 0);
    tcb.sent->sacked = 0;
    e = event(), e.delivered = e.acked = 2 * MSS; /* SND.UNA has moved */
    prr_begin(&tcb, &e);
    assert_int_equal(tcb.sent->prr.flight, 12 * MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FLIGHT_TEST(what_one_ack_lets_go),
        FLIGHT_TEST(the_flight_is_what_was_not_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
