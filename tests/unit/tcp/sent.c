/* What is in flight, against a model that has one flag for each byte. */
#include "unit.h"

#include "tcp/recovery.h"

#define SPACE 40000u
#define FIRST 0xffffe000u /* numbers wrap on the way */

static struct mem mem;
static struct stats stats;
static struct knobs knobs = {.tcp_sack_runs = 1024};
static struct tcp tcp;
static struct tcb tcb;
static uint8_t model[SPACE]; /* SENT_* of each byte in flight */
static uint32_t una, nxt;    /* of the model, from 0 */

static struct seq at(uint32_t byte)
{
    return seq_of(FIRST + byte);
}

static int setup(void **state)
{
    (void)state;
    mem_init(&mem, NULL, NULL, NULL);
    memset(&tcp, 0, sizeof tcp);
    memset(&tcb, 0, sizeof tcb);
    memset(model, 0, sizeof model);
    tcp.mem = &mem;
    tcp.stats = &stats;
    tcp.knobs = &knobs;
    memset(&stats, 0, sizeof stats);
    knobs.tcp_sack_runs = 1024;
    una = nxt = 0;
    tcb.snd.una = tcb.snd.nxt = at(0);
    tcb.snd.mss = 1000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sent_free(&tcp, &tcb);
    mem_fini(&mem);
    return 0;
}

static void send(uint32_t n)
{
    tcp.now_us++; /* a record of its own */
    sent_add(&tcp, &tcb, at(nxt), at(nxt + n));
    nxt += n;
    tcb.snd.nxt = at(nxt);
}

static struct ack_event ack(uint32_t to)
{
    struct ack_event e = {.now_us = tcp.now_us, .ack = at(to), .fack = at(to)};

    una = to;
    tcb.snd.una = at(to);
    if (tcb.sent)
        sent_ack(&tcb, &e);
    return e;
}

static void sack(uint32_t start, uint32_t end)
{
    struct tcp_opts o = {.has = TCP_OPT_SACK, .sacks = 1, .sack[0] = {at(start), at(end)}};
    struct ack_event e = {.ack = at(una), .fack = at(una)};

    sack_on_ack(&tcp, &tcb, &o, &e);
    for (uint32_t i = start; i < end; i++)
        model[i] = (uint8_t)((model[i] & ~SENT_LOST) | SENT_SACKED);
}

static void mark_lost(uint32_t below)
{
    sent_mark_lost(&tcp, &tcb, at(below), true);
    for (uint32_t i = una; i < below; i++)
        if (!(model[i] & SENT_SACKED))
            model[i] |= SENT_LOST;
}

static void again(void)
{
    struct seq start, end;

    if (!sent_next_lost(&tcb, &start, &end))
        return;
    sent_again(&tcp, &tcb, start, end);
    memset(model + (start.v - FIRST), SENT_AGAIN, end.v - start.v);
}

/* The records lie without a gap from SND.UNA to SND.NXT and say what the model says. */
static void compare(void)
{
    uint32_t byte = una, sacked = 0, lost = 0, runs = 0;

    if (!tcb.sent) {
        assert_int_equal(una, nxt);
        return;
    }
    for (uint32_t i = tcb.sent->first; i < tcb.sent->n; i++) {
        const struct sent_rec *r = &tcb.sent->rec[i];
        assert_int_equal(r->start.v, at(byte).v);
        assert_true(seq_lt(r->start, r->end));
        runs += !!(r->flags & SENT_SACKED);
        assert_false(r->flags & SENT_SACKED && i > tcb.sent->first && r[-1].flags & SENT_SACKED);
        for (; byte < r->end.v - FIRST; byte++) {
            assert_int_equal(r->flags & (SENT_SACKED | SENT_LOST), model[byte] & ~SENT_AGAIN);
            sacked += !!(r->flags & SENT_SACKED);
            lost += !!(r->flags & SENT_LOST);
        }
    }
    assert_int_equal(byte, nxt);
    assert_int_equal(tcb.sent->sacked, sacked);
    assert_int_equal(tcb.sent->lost, lost);
    assert_int_equal(tcb.sent->runs, runs);
}

static void step(struct dice *d)
{
    uint32_t flight = nxt - una, a = una + dice_below(d, flight + 1),
             b = una + dice_below(d, flight + 1), low = a < b ? a : b;

    switch (flight ? dice_below(d, 6) : 0) {
    case 1:
        ack(a);
        break;
    case 2:
        if (a != b && low > una)
            sack(low, a + b - low);
        break;
    case 3:
        mark_lost(a);
        break;
    case 4:
        again();
        break;
    default:
        send(1 + dice_below(d, 1460));
    }
}

static void records_say_what_happened_to_each_byte(void **state)
{
    for (struct dice d = dice_first(1); dice_more(&d, 300); dice_next(&d)) {
        setup(state);
        while (nxt < SPACE - 1500) {
            step(&d);
            compare();
        }
        teardown(state);
    }
}

/* REQ:8985-4-2 */
static void an_ack_samples_the_newest_record_that_was_sent_once(void **state)
{
    (void)state;
    send(100);
    send(100);
    tcp.now_us += 5000;
    assert_int_equal(ack(200).rtt_us, 5000);
    send(100);
    mark_lost(300);
    again();
    tcp.now_us += 7000;
    assert_int_equal(ack(300).rtt_us, 0); /* Karn */
}

static void what_left_in_one_instant_is_one_record(void **state)
{
    (void)state;
    send(100);
    tcp.now_us--;
    send(100);
    assert_int_equal(tcb.sent->n, 1);
    assert_int_equal(in_flight(&tcb), 200);
}

static void a_report_of_what_is_still_asked_for_is_forgotten(void **state)
{
    (void)state;
    send(100);
    send(100);
    send(100);
    sack(100, 300);
    assert_false(sack_forget_reneged(&tcb));
    assert_int_equal(in_flight(&tcb), 100);
    ack(100); /* and not 300: the peer has them no more */
    assert_true(sack_forget_reneged(&tcb));
    assert_int_equal(in_flight(&tcb), 200);
}

/* A peer that reports single bytes: runs are bounded, and so is all that is held for them. */
static void runs_are_bounded(void **state)
{
    (void)state;
    knobs.tcp_sack_runs = 8;
    send(10000);
    for (uint32_t i = 1; i < 10000; i += 2) {
        struct tcp_opts o = {.has = TCP_OPT_SACK, .sacks = 1, .sack[0] = {at(i), at(i + 1)}};
        struct ack_event e = {.ack = at(0), .fack = at(0)};
        sack_on_ack(&tcp, &tcb, &o, &e);
        assert_int_equal(e.sacked, i < 16);
    }
    assert_int_equal(tcb.sent->runs, 8);
    assert_int_equal(tcb.sent->n - tcb.sent->first, 17);
    assert_int_equal(stats.TcpExtTCPSACKDiscard, 4992);
    sack(16, 17); /* what touches a run needs none of its own */
    sack(2, 15);
    assert_int_equal(tcb.sent->runs, 1);
    sack(5000, 5100);
    assert_int_equal(tcb.sent->sacked, 116);
}

static void what_is_lost_twice_is_counted(void **state) /* REQ:6675-4-4 */
{
    (void)state;
    send(3000);
    mark_lost(3000);
    again();
    assert_int_equal(stats.TcpExtTCPLostRetransmit, 0);
    assert_int_equal(in_flight(&tcb), 3000);
    mark_lost(3000);
    assert_int_equal(stats.TcpExtTCPLostRetransmit, 3);
    assert_int_equal(in_flight(&tcb), 0);
}

static void a_loss_that_was_none_is_in_flight_again(void **state) /* REQ:6675-4-4 */
{
    (void)state;
    send(1000);
    send(1000);
    send(1000);
    sack(1000, 2000);
    mark_lost(3000);
    assert_int_equal(in_flight(&tcb), 0);
    sent_unmark_lost(&tcp, &tcb);
    assert_int_equal(in_flight(&tcb), 2000);
    tcp.now_us += 5000;
    assert_int_equal(ack(1000).rtt_us, 0); /* when it left is not known any more */
}

/* 8985#6.2 step 1: the original that comes after its retransmission names no time; REQ:8985-6.2-2
 * REQ:8985-4-2: instants are microseconds; REQ:8985-6.1-1: it is known to have gone again. */
static void a_retransmission_is_named_only_where_it_must_be_it(void **state)
{
    struct ack_event e;

    (void)state;
    tcb.rtt.min_us = 10000;
    send(1000);
    mark_lost(1000);
    tcp.now_us += 50000;
    again();
    tcp.now_us += 9999;
    assert_false(ack(500).has_newest);
    tcp.now_us += 1;
    e = ack(1000);
    assert_true(e.has_newest && e.has_again && !e.has_first);
    assert_int_equal(e.newest_at_us, (uint32_t)tcp.now_us - 10000);
}

/* REQ:8985-6.2-2 */
static void an_echo_from_before_the_retransmission_names_no_time(void **state)
{
    struct ack_event e = {.has_echo = true};

    (void)state;
    tcb.rtt.min_us = 10000;
    send(1000);
    mark_lost(1000);
    tcp.now_us = 50000;
    again();
    tcp.now_us = 70000;
    e.now_us = 70000;
    e.ack = e.fack = at(1000);
    e.echo = 49;
    sent_ack(&tcb, &e);
    assert_false(e.has_newest);
}

/* REQ:8985-6.2-4 */
static void below_what_arrived_is_out_of_order_unless_it_was_sent_again(void **state)
{
    struct tcp_opts o = {.has = TCP_OPT_SACK, .sacks = 1, .sack[0] = {at(2000), at(3000)}};
    struct ack_event e = {.ack = at(0), .fack = at(0)};

    (void)state;
    for (int i = 0; i < 4; i++)
        send(1000);
    sack_on_ack(&tcp, &tcb, &o, &e);
    assert_false(e.is_reordered);
    sent_ack(&tcb, &e);
    o.sack[0] = (struct tcp_sack){at(1000), at(2000)};
    e = (struct ack_event){.ack = at(0), .fack = at(0)};
    sack_on_ack(&tcp, &tcb, &o, &e);
    assert_true(e.is_reordered);
    assert_int_equal(e.reordered_from.v, at(1000).v);
    mark_lost(1000);
    again();
    assert_false(ack(1000).is_reordered);
}

/* REQ:8985-6.2-3: of all that one ACK covers the last that left is named, wherever it lies; of what
 * left in one instant, that with the higher number. */
static void the_last_sent_of_all_that_arrived_is_named(void **state)
{
    struct ack_event e;

    (void)state;
    tcp.now_us = 1000;
    send(1000);
    send(1000);
    send(1000);
    tcp.now_us = 50000;
    mark_lost(1000);
    again();
    e = ack(2000); /* the first left again, after the second */
    assert_int_equal(e.newest_end.v, at(1000).v);
    assert_int_equal(e.newest_at_us, 50000);
    tcp.now_us = 80000;
    send(1000);
    e = ack(4000);
    assert_int_equal(e.newest_end.v, at(4000).v);
    assert_int_equal(e.newest_at_us, 80001);
    assert_true(is_sent_after(7, at(2), 7, at(1)) && !is_sent_after(7, at(1), 7, at(2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_say_what_happened_to_each_byte),
        cmocka_unit_test_setup_teardown(an_ack_samples_the_newest_record_that_was_sent_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_left_in_one_instant_is_one_record, setup, teardown),
        cmocka_unit_test_setup_teardown(runs_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_lost_twice_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(a_loss_that_was_none_is_in_flight_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_retransmission_is_named_only_where_it_must_be_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_echo_from_before_the_retransmission_names_no_time, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(below_what_arrived_is_out_of_order_unless_it_was_sent_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_sent_of_all_that_arrived_is_named, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_report_of_what_is_still_asked_for_is_forgotten, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
