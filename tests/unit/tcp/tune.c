/* Buffers that grow: rounds, round trips, and the bound on what measuring them costs. */
#include "tcp_fixture.h"

#include "tcp/memory.h"

#define MSS 1000u
#define RTT_US 10000u

static const struct tcp_opts no_options;

static struct tcb *receiver(void)
{
    struct tcb *t = tcb_new(tcp);

    assert_non_null(t);
    t->rcv.mss = MSS;
    t->rcv.wscale = 7;
    t->rtt.srtt_us = RTT_US;
    t->rcv.edge = seq_add(t->rcv.nxt, t->opt.rcvbuf);
    return t;
}

/* n bytes come in order, `us` later, and are read at once. */
static void receive(struct tcb *t, uint32_t n, uint32_t us)
{
    struct seg s = {.len = n, .opt = &no_options};

    tcp->now_us += us;
    t->rcv.nxt = seq_add(t->rcv.nxt, n);
    t->rcv.edge = seq_add(t->rcv.nxt, t->opt.rcvbuf);
    if (tune_is_due(t))
        tune_on_text(tcp, t, &s);
    if (t->tune)
        tune_on_read(tcp, t);
}

static void nothing_is_measured_before_a_quarter_of_the_buffer_came(void **state)
{
    struct tcb *t = receiver();

    (void)state;
    receive(t, t->opt.rcvbuf / 4 - 1, 0);
    assert_int_equal(t->tune, 0);
    receive(t, 1, 0);
    assert_int_not_equal(t->tune, 0);
    tcb_free(tcp, t);
    assert_int_equal(tcp->tunes.used, 0);
}

static void the_buffer_is_twice_what_was_read_in_a_round_trip(void **state)
{
    struct tcb *t = receiver();

    (void)state;
    receive(t, 32768, 0);
    receive(t, 40000, RTT_US - 1); /* the round is not over */
    receive(t, 50000, 1);
    assert_int_equal(t->opt.rcvbuf, 2 * (2 * 90000 + 16 * MSS)); /* rounds grew: twice that */
    receive(t, 100000, RTT_US);                                  /* by a ninth */
    assert_int_equal(t->opt.rcvbuf, 2 * (2 * 90000 + 16 * MSS));
    receive(t, 300000, RTT_US);
    assert_int_equal(t->opt.rcvbuf, 2 * (2 * 300000 + 16 * MSS));
    receive(t, 100000, RTT_US); /* it never shrinks */
    assert_int_equal(t->opt.rcvbuf, 2 * (2 * 300000 + 16 * MSS));
    receive(t, 4000000, RTT_US);
    assert_int_equal(t->opt.rcvbuf, 6291456);
    assert_int_equal(t->tune, 0); /* there is nothing more to find out */
    receive(t, 4000000, RTT_US);
    assert_int_equal(t->tune, 0);
    tcb_free(tcp, t);
}

static void what_the_program_or_a_knob_set_stays(void **state)
{
    struct tcb *t = receiver();

    (void)state;
    t->opt.on |= OPT_RCVBUF_SET;
    receive(t, 1000000, RTT_US);
    receive(t, 1000000, RTT_US);
    assert_int_equal(t->tune, 0);
    t->opt.on = 0;
    bench.knobs.tcp_moderate_rcvbuf = 0;
    receive(t, 1000000, RTT_US);
    assert_int_equal(t->tune, 0);
    bench.knobs.tcp_moderate_rcvbuf = 1;
    receive(t, 1000000, RTT_US);
    assert_int_not_equal(t->tune, 0);
    t->opt.on |= OPT_RCVBUF_SET; /* in the middle of it */
    receive(t, 1000000, RTT_US);
    assert_int_equal(t->opt.rcvbuf, 131072);
    assert_int_equal(t->tune, 0);
    tcb_free(tcp, t);
}

static void without_scaling_more_could_not_be_said(void **state)
{
    struct tcb *t = receiver();

    (void)state;
    t->rcv.wscale = 0;
    receive(t, 1000000, RTT_US);
    assert_int_equal(t->tune, 0);
    t->rcv.wscale = 2;
    receive(t, 1000000, RTT_US);
    receive(t, 1000000, RTT_US);
    assert_int_equal(t->opt.rcvbuf, 4 * 65535);
    tcb_free(tcp, t);
}

static void the_round_trip_is_what_a_timestamp_says(void **state)
{
    struct tcp_opts o = {.has = TCP_OPT_TS};
    struct seg s = {.len = MSS, .opt = &o};
    struct tcb *t = receiver();

    (void)state;
    t->flags |= T_TS;
    receive(t, 40000, 0);
    for (int i = 0; i < 100; i++) { /* 200 ms, where the handshake took 10 */
        tcp->now_us += 1000;
        o.tsecr = ts_now(tcp, t) - 200;
        tune_on_text(tcp, t, &s);
    }
    receive(t, 90000, 90000);
    assert_int_equal(t->opt.rcvbuf, 131072); /* not yet a round */
    receive(t, 10000, 20000);
    assert_int_equal(t->opt.rcvbuf, 2 * (2 * 100000 + 16 * MSS));
    tcb_free(tcp, t);
}

static void without_one_a_window_that_came_tells_it(void **state)
{
    struct tcb *t = receiver();

    (void)state;
    t->rtt.srtt_us = 0; /* the handshake told nothing */
    receive(t, 40000, 0);
    receive(t, 131071, 200000); /* one byte of the window is missing */
    assert_int_equal(t->opt.rcvbuf, 131072);
    receive(t, 1, 100000); /* so a round trip takes 300 ms at most */
    assert_int_equal(t->opt.rcvbuf, 2 * (2 * 131072 + 16 * MSS));
    receive(t, 100000, 299999); /* not yet a round */
    receive(t, 900000, 1);
    assert_int_equal(t->opt.rcvbuf, 2 * (2 * 1000000 + 16 * MSS));
    tcb_free(tcp, t);
}

/* The oldest makes room: what is measured of ever so many connections costs a bounded block. */
static void there_is_a_bound(void **state)
{
    struct tcb *first = receiver(), *t = first;

    (void)state;
    receive(first, 40000, 0);
    for (int i = 1; i < 16384; i++) {
        t = receiver();
        receive(t, 40000, 0);
    }
    assert_int_not_equal(first->tune, 0);
    assert_int_equal(tcp->tunes.used, 16384);
    t = receiver();
    receive(t, 40000, 0);
    assert_int_not_equal(t->tune, 0);
    assert_int_equal(first->tune, 0);
    assert_int_equal(tcp->tunes.used, 16384);
    receive(first, 40000, 0); /* and takes the next oldest's place */
    assert_int_not_equal(first->tune, 0);
    assert_int_equal(tcp->tunes.used, 16384);
}

static void a_full_send_buffer_grows_to_twice_the_window(void **state)
{
    struct tcb *t = receiver();

    (void)state;
    t->cc.cwnd = 30000;
    tune_sndbuf(tcp, t);
    assert_int_equal(t->opt.sndbuf, 65536); /* never less than it was */
    t->cc.cwnd = 50000;
    tune_sndbuf(tcp, t);
    assert_int_equal(t->opt.sndbuf, 100000);
    t->opt.on |= OPT_SNDBUF_SET;
    t->cc.cwnd = 100000;
    tune_sndbuf(tcp, t);
    assert_int_equal(t->opt.sndbuf, 100000);
    t->opt.on = 0;
    t->cc.cwnd = UINT32_MAX;
    tune_sndbuf(tcp, t);
    assert_int_equal(t->opt.sndbuf, 4194304);
    tcb_free(tcp, t);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nothing_is_measured_before_a_quarter_of_the_buffer_came),
        CASE(the_buffer_is_twice_what_was_read_in_a_round_trip),
        CASE(what_the_program_or_a_knob_set_stays),
        CASE(without_scaling_more_could_not_be_said),
        CASE(the_round_trip_is_what_a_timestamp_says),
        CASE(without_one_a_window_that_came_tells_it),
        CASE(there_is_a_bound),
        CASE(a_full_send_buffer_grows_to_twice_the_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
