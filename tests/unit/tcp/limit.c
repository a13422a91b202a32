/* Initial sequence numbers, the queue of answers, the pace of challenge ACKs. */
#include "tcp_fixture.h"

static void numbers_follow_a_clock_of_16_a_microsecond(void **state) /* REQ:SHLD-1 */
{
    struct seq first = isn_new(tcp, 77);

    (void)state;
    tcp->now_us += 4000;
    assert_int_equal(seq_diff(isn_new(tcp, 77), first), 64000);
    assert_int_equal(seq_diff(isn_new(tcp, 78), first), 64001);
}

static void each_flow_has_a_secret_of_its_own(void **state) /* REQ:MUST-9 */
{
    struct flow a = bench_flow(0x0a000001, 80, 0x0a000002, 4000), b = a;
    struct sipkey other = tcp->secret_key;
    uint64_t secret = flow_secret(&tcp->secret_key, &a);

    (void)state;
    b.rport++;
    assert_true(flow_secret(&tcp->secret_key, &b) != secret);
    b = a;
    b.lport++;
    assert_true(flow_secret(&tcp->secret_key, &b) != secret);
    b = a;
    b.remote = weir_addr_v4(0x0a000003);
    assert_true(flow_secret(&tcp->secret_key, &b) != secret);
    b = a;
    b.local = weir_addr_v4(0x0a000003);
    assert_true(flow_secret(&tcp->secret_key, &b) != secret);
    ((uint8_t *)&other)[0] ^= 1;
    assert_true(flow_secret(&other, &a) != secret);
}

static struct seg segment(uint8_t flags, uint32_t len)
{
    static const struct tcp_opts none;

    return (struct seg){.opt = &none,
                        .flow = bench_flow(0x0a000001, 80, 0x0a000002, 4000),
                        .ifindex = 1,
                        .flags = flags,
                        .seq = seq_of(1000),
                        .ack = seq_of(2000),
                        .len = len};
}

static struct tcp_hdr reset_for(uint8_t flags, uint32_t len)
{
    struct seg s = segment(flags, len);
    struct seg_out out;

    assert_int_equal(reply_reset(tcp, &s, DROP_tcp_no_socket, EVENT_reset_no_socket),
                     DROP_tcp_no_socket);
    assert_true(tcp_has_output(tcp, 1));
    assert_false(tcp_has_output(tcp, 2));
    reply_pull(tcp, &out);
    assert_memory_equal(&out.flow, &s.flow, sizeof s.flow);
    assert_int_equal(out.why.event, EVENT_reset_no_socket);
    return out.hdr;
}

static void a_reset_answers_an_ack_by_its_number(void **state)
{
    struct tcp_hdr h = reset_for(TCP_ACK, 10);

    (void)state;
    assert_int_equal(h.flags, TCP_RST);
    assert_int_equal(h.seq.v, 2000);
}

static void a_reset_acknowledges_all_that_had_a_number(void **state)
{
    struct tcp_hdr h = reset_for(TCP_SYN | TCP_FIN, 10);

    (void)state;
    assert_int_equal(h.flags, TCP_RST | TCP_ACK);
    assert_int_equal(h.seq.v, 0);
    assert_int_equal(h.ack.v, 1000 + 1 + 10 + 1);
    assert_int_equal(bench.stats.TcpOutRsts, 1);
}

/* REQ:7323-5.2-2: which of several segments it answers, whatever their clock. */
static void a_reset_echoes_the_timestamp_that_it_answers(void **state)
{
    struct tcp_opts o = {.has = TCP_OPT_TS, .tsval = 777, .tsecr = 888};
    struct seg s = segment(TCP_ACK, 10);
    struct seg_out out;

    (void)state;
    assert_int_equal(reset_for(TCP_ACK, 10).opt.has, 0);
    s.opt = &o;
    reply_reset(tcp, &s, DROP_tcp_no_socket, EVENT_reset_no_socket);
    reply_pull(tcp, &out);
    assert_int_equal(out.hdr.opt.has, TCP_OPT_TS);
    assert_int_equal(out.hdr.opt.tsval, 0);
    assert_int_equal(out.hdr.opt.tsecr, 777);
}

static void a_reset_is_never_answered(void **state)
{
    struct seg s = segment(TCP_RST | TCP_ACK, 0);

    (void)state;
    assert_int_equal(reply_reset(tcp, &s, DROP_tcp_no_socket, EVENT_reset_no_socket),
                     DROP_tcp_no_socket);
    assert_false(tcp_has_output(tcp, 1));
}

static void a_full_queue_says_so_and_keeps_its_order(void **state)
{
    struct seg s = segment(TCP_ACK, 0);
    struct seg_out out;

    (void)state;
    for (uint32_t i = 0; i < TCP_REPLIES; i++) {
        s.ack = seq_of(i);
        assert_int_equal(reply_reset(tcp, &s, DROP_tcp_no_socket, EVENT_none), DROP_tcp_no_socket);
    }
    assert_int_equal(reply_reset(tcp, &s, DROP_tcp_no_socket, EVENT_none), DROP_reply_queue);
    for (uint32_t i = 0; i < TCP_REPLIES; i++) {
        reply_pull(tcp, &out);
        assert_int_equal(out.hdr.seq.v, i);
    }
    assert_false(tcp_has_output(tcp, 1));
}

static bool is_challenge_sent(struct tcb *t)
{
    t->flags &= ~(uint32_t)T_ACK_NOW;
    challenge_ack(tcp, t);
    return t->flags & T_ACK_NOW;
}

static void challenges_keep_their_pace_from_any_instant(void **state) /* REQ:5961-7-1 */
{
    (void)state;
    for (uint32_t start = 1; start < 4; start++) {
        struct tcb *t = tcb_new(tcp);
        tcp->now_us = start * 1000;
        assert_true(is_challenge_sent(t));
        assert_false(is_challenge_sent(t));
        tcp->now_us += 499000;
        assert_false(is_challenge_sent(t));
        tcp->now_us += 1000;
        assert_true(is_challenge_sent(t));
        tcb_free(tcp, t);
    }
    assert_int_equal(bench.stats.TcpExtTCPChallengeACK, 12);
}

/* 0 is the mark of "never", which an instant must not be taken for. */
static void challenges_keep_their_pace_when_the_clock_is_0(void **state)
{
    struct tcb *t = tcb_new(tcp);

    (void)state;
    tcp->now_us = 0;
    assert_true(is_challenge_sent(t));
    assert_false(is_challenge_sent(t));
    tcp->now_us = 498000;
    assert_false(is_challenge_sent(t));
    tcb_free(tcp, t);
}

static void one_connection_does_not_tell_of_another(void **state)
{
    struct tcb *a = tcb_new(tcp), *b = tcb_new(tcp);

    (void)state;
    assert_true(is_challenge_sent(a));
    assert_true(is_challenge_sent(b));
    tcb_free(tcp, a);
    tcb_free(tcp, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_follow_a_clock_of_16_a_microsecond),
        TEST(each_flow_has_a_secret_of_its_own),
        TEST(a_reset_answers_an_ack_by_its_number),
        TEST(a_reset_acknowledges_all_that_had_a_number),
        TEST(a_reset_echoes_the_timestamp_that_it_answers),
        TEST(a_reset_is_never_answered),
        TEST(a_full_queue_says_so_and_keeps_its_order),
        TEST(challenges_keep_their_pace_from_any_instant),
        TEST(challenges_keep_their_pace_when_the_clock_is_0),
        TEST(one_connection_does_not_tell_of_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
