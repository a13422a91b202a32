/* What ICMP tells a connection, in each state: RFC 9293 section 3.9.2.2, 5927. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "def/drop.h"
#include "support/states.h"

enum { UNREACHABLE = 3, SOURCE_QUENCH = 4, TIME_EXCEEDED = 11, PARAMETER = 12 };
enum { NET, HOST, PROTOCOL, PORT, FRAG, SOURCE_ROUTE };

#define SENDING WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_CLOSE_WAIT, WEIR_CLOSING, WEIR_LAST_ACK

static const uint8_t soft[][2] = {
    {UNREACHABLE, NET}, {UNREACHABLE, HOST}, {UNREACHABLE, SOURCE_ROUTE},
    {TIME_EXCEEDED, 0}, {TIME_EXCEEDED, 1},  {PARAMETER, 0},
    {PARAMETER, 1}};
static const uint8_t hard[][2] = {{UNREACHABLE, PROTOCOL}, {UNREACHABLE, PORT}};
#define COUNT(a) (int)(sizeof(a) / sizeof(a)[0])

/* Text where it may be sent, else our SYN or FIN is what is quoted. */
static uint32_t something_in_flight(struct peer *p, int state)
{
    if (state == WEIR_ESTABLISHED || state == WEIR_CLOSE_WAIT) {
        app_write(p, 100);
        expect(p, .flags = ACK, .seq = 1, .len = 100);
    }
    return numbers(state).una;
}

static uint16_t quote(struct peer *p, const uint8_t error[2], uint32_t seq)
{
    return inject_icmp(p, error[0], error[1], 0, seq);
}

static void name_timeouts(struct peer *p, uint64_t n)
{
    expect_stat(p, "TcpRetransSegs", n);
    expect_stat(p, "TcpExtTCPTimeouts", n);
    expect_stat(p, "TcpExtTCPSlowStartRetrans", n);
}

TEST(a_quote_of_what_is_not_in_flight_is_ignored) /* FSM-373 */
{
    each_state (state, WEIR_SYN_SENT, SENDING) {
        struct peer p = in_state(state, .mss = 1000);
        uint32_t una = something_in_flight(&p, state);
        uint32_t nxt = state == WEIR_ESTABLISHED || state == WEIR_CLOSE_WAIT ? 101 : una + 1;

        assert_int_equal(quote(&p, hard[1], una - 1), DROP_icmp_unmatched);
        assert_int_equal(quote(&p, hard[1], nxt), DROP_icmp_unmatched);
        expect_state(&p, state);
        assert_int_equal(app_error(&p), 0);
        peer_end(&p);
    }
}

/* REQ:6633-3-3 */
TEST(source_quench_means_nothing) /* FSM-374 REQ:1122-3.2.2.3-2 REQ:MUST-55 */
{
    struct peer p = established(.mss = 1000);
    const uint8_t quench[2] = {SOURCE_QUENCH, 0};
    struct weir_sock_info before, after;

    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    assert_int_equal(weir_info(p.stack, p.sock, &before), 0);
    assert_true(quote(&p, quench, 1) >= DROP_FIRST);
    assert_int_equal(weir_info(p.stack, p.sock, &after), 0);
    assert_int_equal(before.cwnd, after.cwnd);
    assert_int_equal(before.ssthresh, after.ssthresh);
    expect_quiet(&p);
    assert_int_equal(app_error(&p), 0);
    peer_end(&p);
}

TEST(a_soft_error_does_not_end_an_attempt_and_is_told_if_it_fails) /* FSM-375 REQ:MUST-56 */
{
    for (int i = 0; i < COUNT(soft); i++) {
        struct peer p = connecting(.knob = "net.ipv4.tcp_syn_retries", .value = "1");
        int error;

        assert_int_equal(quote(&p, soft[i], 0), PASS);
        assert_int_equal(app_error(&p), 0);
        expect_state(&p, WEIR_SYN_SENT);
        expect_after(&p, 1000, .flags = SYN, .seq = 0);
        advance_ms(&p, 2000);
        expect_state(&p, WEIR_CLOSED);
        error = app_error(&p);
        assert_true(error == EHOSTUNREACH || error == ENETUNREACH || error == EPROTO ||
                    error == EOPNOTSUPP);
        expect_stat(&p, "TcpRetransSegs", 1);
        expect_stat(&p, "TcpAttemptFails", 1);
        expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
        peer_end(&p);
    }
}

TEST(an_attempt_goes_on_after_a_soft_error) /* FSM-375 FSM-376 REQ:MUST-56 */
{
    each_state (state, WEIR_SYN_SENT, WEIR_SYN_RECV) {
        struct peer p = in_state(state, .is_active = true);

        for (int i = 0; i < COUNT(soft); i++)
            assert_int_equal(quote(&p, soft[i], 0), PASS);
        inject(&p, .flags = state == WEIR_SYN_SENT ? SYN | ACK : ACK,
               .seq = state == WEIR_SYN_SENT ? 0 : 1, .ack = 1);
        expect_state(&p, WEIR_ESTABLISHED);
        assert_int_equal(app_error(&p), 0);
        peer_forget_output(&p);
        peer_end(&p);
    }
}

TEST(a_half_open_connection_survives_a_soft_error_and_not_a_hard_one) /* FSM-376 FSM-378 */
{
    for (int i = 0; i < 2; i++) {
        struct peer p = in_state(WEIR_SYN_RECV, .mss = 1000);

        for (int k = 0; k < COUNT(soft); k++)
            assert_int_equal(quote(&p, soft[k], 0), PASS);
        expect_state(&p, WEIR_SYN_RECV);
        assert_int_equal(quote(&p, hard[i], 1), DROP_icmp_unmatched);
        expect_state(&p, WEIR_SYN_RECV);
        assert_int_equal(quote(&p, hard[i], 0), PASS);
        expect_state(&p, 0);
        inject(&p, .flags = SYN, .seq = 0, .mss = 1000); /* the listener listens */
        expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
        expect_stat(&p, "TcpAttemptFails", 1);
        peer_end(&p);
    }
}

TEST(a_hard_error_ends_an_attempt) /* FSM-377 REQ:1122-3.2.2.1-3 REQ:SHLD-26 REQ:MUST-54 ROW:96 */
{
    for (int i = 0; i < COUNT(hard); i++) {
        struct peer p = connecting(0);

        assert_int_equal(quote(&p, hard[i], 0), PASS);
        expect_state(&p, WEIR_CLOSED);
        assert_int_equal(app_error(&p), i == 0 ? ENOPROTOOPT : ECONNREFUSED);
        expect_quiet(&p);
        expect_stat(&p, "TcpAttemptFails", 1);
        peer_end(&p);
    }
}

/* FSM-379 FSM-380 FSM-382 FSM-383 FSM-384 FSM-385 FSM-386 FSM-388 FSM-389 FSM-390 REQ:MUST-56 */
TEST(no_error_ends_what_is_established) /* ROW:119 */
{
    each_state (state, SENDING) {
        struct peer p = in_state(state, .mss = 1000);
        uint32_t una = something_in_flight(&p, state);

        for (int i = 0; i < COUNT(soft); i++)
            assert_int_equal(quote(&p, soft[i], una), PASS);
        for (int i = 0; i < COUNT(hard); i++)
            assert_int_equal(quote(&p, hard[i], una), PASS);
        expect_state(&p, state);
        assert_int_equal(app_error(&p), 0); /* unless asked for */
        expect_quiet(&p);
        peer_end(&p);
    }
}

/* FSM-381 FSM-387: nothing of ours is in flight, so no quote is to be believed. */
TEST(fin_wait_2_has_nothing_that_an_error_could_quote)
{
    struct peer p = in_state(WEIR_FIN_WAIT_2, .mss = 1000);

    assert_int_equal(quote(&p, soft[0], 1), DROP_icmp_unmatched);
    assert_int_equal(quote(&p, hard[0], 1), DROP_icmp_unmatched);
    assert_int_equal(quote(&p, hard[0], 2), DROP_icmp_unmatched);
    expect_state(&p, WEIR_FIN_WAIT_2);
    peer_end(&p);
}

TEST(an_error_is_why_a_connection_was_given_up) /* FSM-379 REQ:SHLD-25 REQ:MUST-47 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "1");

    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    assert_int_equal(quote(&p, soft[1], 1), PASS);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 400, .flags = RST | ACK, .seq = 101);
    app_read_error(&p, EHOSTUNREACH);
    name_timeouts(&p, 1);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
    peer_end(&p);
}

/* IP_RECVERR: told at once, once, and the connection stands. */
TEST(errors_that_end_nothing_are_told_where_the_program_asks)
/* REQ:MUST-47 REQ:SHLD-20 REQ:SHLD-25 REQ:9293-3.9.1.8-1 */
{
    struct peer p = established(.mss = 1000);
    struct weir_ready_event e[4];

    app_option(&p, IPPROTO_IP, IP_RECVERR, 1);
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    while (weir_ready(p.stack, e, 4))
        ;
    assert_int_equal(quote(&p, soft[1], 1), PASS);
    assert_int_equal(weir_ready(p.stack, e, 4), 1);
    assert_true(e[0].ready & WEIR_READY_ERR);
    assert_int_equal(app_error(&p), EHOSTUNREACH);
    app_read_error(&p, EAGAIN);
    app_option(&p, IPPROTO_IP, IP_RECVERR, 0);
    assert_int_equal(quote(&p, soft[1], 1), PASS);
    assert_int_equal(weir_ready(p.stack, e, 4), 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_end(&p);
}

TEST(trouble_between_r1_and_r2_is_told_where_the_program_asks)
/* REQ:SHLD-9 REQ:MUST-47 REQ:SHLD-20 REQ:9293-3.9.1.8-1 */
{
    for (int is_asked = 0; is_asked < 2; is_asked++) {
        struct peer p = established(.mss = 1000);

        app_option(&p, IPPROTO_IP, IP_RECVERR, is_asked);
        app_write(&p, 100);
        expect(&p, .flags = ACK, .seq = 1, .len = 100);
        expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 100);
        expect_after(&p, 400, .flags = ACK, .seq = 1, .len = 100);
        assert_int_equal(app_error(&p), 0);
        expect_after(&p, 800, .flags = ACK, .seq = 1, .len = 100); /* R1: three of them */
        assert_int_equal(app_error(&p), is_asked ? ETIMEDOUT : 0);
        expect_after(&p, 1600, .flags = ACK, .seq = 1, .len = 100);
        assert_int_equal(app_error(&p), 0);
        expect_state(&p, WEIR_ESTABLISHED);
        name_timeouts(&p, 4);
        peer_end(&p);
    }
}

/* -- a packet was too big ---------------------------------------------------------------------- */

/* FSM-393 FSM-394 FSM-395 FSM-396 FSM-397 REQ:9293-3.7.2-1 ROW:107 */
/* REQ:1191-6.2-1 REQ:1191-6.2-2 */
TEST(what_was_too_big_is_sent_again_in_smaller_pieces_without_penalty) /* REQ:7323-5.7-1 */
{
    each_state (state, SENDING) {
        bool had_fin = state == WEIR_CLOSE_WAIT || state == WEIR_LAST_ACK;
        struct peer p = in_state(had_fin ? WEIR_CLOSE_WAIT : WEIR_ESTABLISHED, .mss = 1460);
        uint8_t fin = state == WEIR_ESTABLISHED || state == WEIR_CLOSE_WAIT ? 0 : FIN;
        struct weir_sock_info info;

        app_write(&p, 1460);
        if (fin)
            app_shut_write(&p);
        peer_forget_output(&p);
        if (state == WEIR_CLOSING)
            inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
        peer_forget_output(&p);
        expect_state(&p, state);
        assert_int_equal(inject_icmp(&p, UNREACHABLE, FRAG, 1040, 1), PASS);
        expect(&p, .flags = ACK, .seq = 1, .len = 1000);
        expect(&p, .flags = (uint8_t)(ACK | fin), .seq = 1001, .len = 460);
        assert_int_equal(weir_info(p.stack, p.sock, &info), 0);
        assert_int_equal(info.mss, 1000);
        assert_int_equal(info.ssthresh, UINT32_MAX);
        expect_state(&p, state);
        expect_stat(&p, "TcpRetransSegs", 2);
        expect_stat(&p, "TcpExtTCPFastRetrans", 2);
        peer_end(&p);
    }
}

TEST(a_path_that_is_narrow_for_the_syn_is_narrow_for_the_text) /* FSM-391 */
{
    struct peer p = connecting(0);

    assert_int_equal(inject_icmp(&p, UNREACHABLE, FRAG, 1040, 0), PASS);
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_write(&p, 1500);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    peer_forget_output(&p);
    peer_end(&p);
}

TEST(with_timestamps_the_narrow_path_counts_them_once) /* FSM-391 */
{
    struct peer p = connecting(0);

    p.has_ts = true;
    assert_int_equal(inject_icmp(&p, UNREACHABLE, FRAG, 1040, 0), PASS);
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .tsval = 1000);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_write(&p, 1500);
    expect(&p, .flags = ACK, .seq = 1, .len = 988);
    peer_forget_output(&p);
    peer_end(&p);
}

TEST(a_path_that_is_narrow_for_the_syn_ack_is_narrow_for_the_text) /* FSM-392 */
{
    struct peer p = in_state(WEIR_SYN_RECV, .mss = 1460);

    assert_int_equal(inject_icmp(&p, UNREACHABLE, FRAG, 1040, 0), PASS);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    app_write(&p, 1500);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    peer_forget_output(&p);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
