/* CLOSE and ABORT in each state: RFC 9293 sections 3.6, 3.10.4 and 3.10.5, and what the other side
 * makes of it. */
#include <errno.h>
#include <sys/socket.h>

#include "support/states.h"

static void app_abort(struct peer *p)
{
    assert_int_equal(weir_abort(p->stack, p->sock), 0);
    p->sock = -1;
}

/* -- CLOSE ------------------------------------------------------------------------------------- */

TEST(close_of_nothing_fails) /* FSM-064 FSM-081 */
{
    struct peer p = begin(0);
    int sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);

    assert_int_equal(weir_close(p.stack, sock), 0);
    assert_int_equal(weir_close(p.stack, sock), -EBADF);
    assert_int_equal(weir_abort(p.stack, sock), -EBADF);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(close_of_a_listener_ends_it) /* FSM-065 */
{
    struct peer p = listening(0);

    assert_int_equal(weir_close(p.stack, p.listener), 0);
    expect_quiet(&p);
    inject(&p, .flags = SYN, .seq = 0, .drop = "tcp_no_socket");
    expect(&p, .flags = RST | ACK, .ack = 1);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

TEST(close_in_syn_sent_sends_nothing_and_forgets) /* FSM-066 */
{
    struct peer p = in_state(WEIR_SYN_SENT, .mss = 1460);

    app_close(&p);
    expect_state(&p, 0);
    expect_quiet(&p);
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460, .drop = "tcp_no_socket");
    expect(&p, .flags = RST, .seq = 1);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpAttemptFails", 1);
    peer_end(&p);
}

TEST(close_in_syn_received_waits_for_the_ack_of_our_syn) /* FSM-068 FSM-243 ROW:4 */
{
    struct peer p = in_state(WEIR_SYN_RECV, .is_active = true);

    app_close(&p);
    expect_quiet(&p);
    expect_state(&p, WEIR_SYN_RECV);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 0);
    expect_state(&p, WEIR_FIN_WAIT_1);
    peer_end(&p);
}

TEST(close_sends_a_fin_that_has_a_number_and_is_repeated) /* FSM-069 FSM-344 ROW:6 ROW:21 ROW:24 */
{
    struct peer p = established(.mss = 1000);

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 0);
    expect_state(&p, WEIR_FIN_WAIT_1);
    expect_after(&p, 200, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 0);
    expect_after(&p, 400, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2);
    expect_state(&p, WEIR_FIN_WAIT_2);
    expect_quiet(&p);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPTimeouts", 2);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 2);
    peer_end(&p);
}

TEST(close_lets_the_fin_follow_what_is_queued) /* FSM-070 */
{
    struct peer p = established(.mss = 1000, .wnd = 2000);

    app_write(&p, 4500);
    app_shut_write(&p);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    expect_quiet(&p);
    expect_state(&p, WEIR_FIN_WAIT_1);
    assert_int_equal(weir_send(p.stack, p.sock, "x", 1, 0), -EPIPE);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001, .wnd = 2000);
    expect(&p, .flags = ACK, .seq = 2001, .len = 1000);
    expect(&p, .flags = ACK, .seq = 3001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 4001, .wnd = 2000);
    expect(&p, .flags = FIN | ACK, .seq = 4001, .len = 500);
    inject(&p, .flags = ACK, .seq = 1, .ack = 4502);
    expect_state(&p, WEIR_FIN_WAIT_2);
    peer_end(&p);
}

/* The socket is closed after its FIN went out: nothing more is sent, the state goes on. */
TEST(close_after_the_fin_sends_no_second_one) /* FSM-073 FSM-074 FSM-078 FSM-079 FSM-080 */
{
    each_state (state, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2, WEIR_CLOSING, WEIR_LAST_ACK,
                WEIR_TIME_WAIT) {
        struct peer p = in_state(state, .mss = 1000);

        weir_shutdown(p.stack, p.sock, SHUT_WR); /* once more */
        expect_quiet(&p);
        app_close(&p);
        expect_quiet(&p);
        expect_state(&p, state);
        peer_end(&p);
    }
}

/* Linux: LAST-ACK is its name from the call on, although the FIN has yet to go. */
TEST(close_in_close_wait_lets_the_fin_follow_what_is_queued) /* FSM-076 */
{
    struct peer p = in_state(WEIR_CLOSE_WAIT, .mss = 1000, .wnd = 1000);

    inject(&p, .flags = ACK, .seq = 2, .ack = 1, .wnd = 1000);
    app_write(&p, 1500);
    app_close(&p);
    expect(&p, .flags = ACK, .seq = 1, .ack = 2, .len = 1000);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 2, .ack = 1001, .wnd = 1000);
    expect(&p, .flags = FIN | ACK, .seq = 1001, .ack = 2, .len = 500);
    expect_state(&p, WEIR_LAST_ACK);
    inject(&p, .flags = ACK, .seq = 2, .ack = 1502);
    expect_state(&p, 0);
    peer_end(&p);
}

TEST(close_in_close_wait_with_text_unread_sends_rst) /* FSM-077 REQ:SHLD-3 REQ:MAY-1 ROW:88 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 10);
    expect(&p, .flags = ACK, .seq = 1, .ack = 12);
    app_close(&p);
    expect(&p, .flags = RST | ACK, .seq = 1, .ack = 12);
    expect_state(&p, 0);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpExtTCPAbortOnClose", 1);
    peer_end(&p);
}

/* 1122 4.2.2.13: nobody will read it, so the peer must hear of its loss. */
TEST(text_after_close_is_answered_by_rst) /* FSM-301 FSM-302 FSM-414 REQ:SHLD-3 */
{
    each_state (state, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        app_close(&p);
        inject(&p, .flags = ACK, .seq = 1, .ack = n.una, .len = 10, .drop = "tcp_after_close");
        expect(&p, .flags = RST | ACK, .seq = 2);
        expect_state(&p, 0);
        expect_stat(&p, "TcpOutRsts", 1);
        expect_stat(&p, "TcpExtTCPAbortOnData", 1);
        peer_end(&p);
    }
}

/* -- ABORT ------------------------------------------------------------------------------------- */

TEST(abort_of_a_listener_sends_nothing) /* FSM-082 */
{
    struct peer p = listening(0);

    assert_int_equal(weir_abort(p.stack, p.listener), 0);
    expect_quiet(&p);
    inject(&p, .flags = SYN, .seq = 0, .drop = "tcp_no_socket");
    expect(&p, .flags = RST | ACK, .ack = 1);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

TEST(abort_in_syn_sent_sends_nothing) /* FSM-083 */
{
    struct peer p = in_state(WEIR_SYN_SENT, .mss = 1460);

    app_abort(&p);
    expect_state(&p, 0);
    advance_ms(&p, 10000);
    expect_quiet(&p);
    expect_stat(&p, "TcpAttemptFails", 1);
    peer_end(&p);
}

TEST(abort_sends_rst_and_drops_what_is_queued) /* FSM-084 FSM-085 FSM-086 FSM-087 FSM-088 */
{
    each_state (state, WEIR_SYN_RECV, WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2,
                WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state, .is_active = true);
        struct numbers n = numbers(state);
        bool may_send = state == WEIR_ESTABLISHED || state == WEIR_CLOSE_WAIT;

        if (may_send) {
            app_write(&p, 100);
            expect(&p, .flags = ACK, .seq = 1, .len = 100);
        }
        app_abort(&p);
        expect(&p, .flags = RST | ACK, .seq = n.nxt + (may_send ? 100 : 0));
        expect_state(&p, 0);
        advance_ms(&p, 10000);
        expect_quiet(&p);
        expect_stat(&p, "TcpOutRsts", 1);
        expect_stat(&p, "TcpEstabResets", may_send);
        expect_stat(&p, "TcpAttemptFails", state == WEIR_SYN_RECV);
        peer_end(&p);
    }
}

TEST(abort_behind_both_fins_sends_nothing) /* FSM-089 FSM-090 FSM-091 */
{
    each_state (state, WEIR_CLOSING, WEIR_LAST_ACK, WEIR_TIME_WAIT) {
        struct peer p = in_state(state, .mss = 1000);

        app_abort(&p);
        expect_quiet(&p);
        expect_state(&p, state == WEIR_TIME_WAIT ? WEIR_TIME_WAIT : 0);
        peer_end(&p);
    }
}

/* -- what the program is told ------------------------------------------------------------------ */

TEST(the_program_tells_a_fin_from_a_rst) /* REQ:MUST-12 ROW:50 ROW:99 */
{
    each_state (state, WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2) {
        struct peer p = in_state(state, .mss = 1000), q;
        struct numbers n = numbers(state);

        inject(&p, .flags = FIN | ACK, .seq = 1, .ack = n.una);
        assert_true(weir_readiness(p.stack, p.sock) & WEIR_READY_IN);
        app_read_error(&p, 0);
        assert_int_equal(app_error(&p), 0);
        peer_forget_output(&p);
        peer_end(&p);
        q = in_state(state, .mss = 1000);
        inject(&q, .flags = RST, .seq = 1);
        assert_true(weir_readiness(q.stack, q.sock) & WEIR_READY_IN);
        app_read_error(&q, ECONNRESET);
        expect_stat(&q, "TcpEstabResets", state == WEIR_ESTABLISHED);
        peer_end(&q);
    }
}

TEST(the_first_write_after_the_peers_close_succeeds_and_the_second_fails) /* ROW:93 ROW:94 ROW:25 */
{
    struct peer p = in_state(WEIR_CLOSE_WAIT, .mss = 1000);

    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 1, .ack = 2, .len = 10);
    inject(&p, .flags = RST, .seq = 2); /* it had closed both ways */
    assert_int_equal(weir_send(p.stack, p.sock, "x", 1, 0), -EPIPE);
    expect_quiet(&p);
    expect_stat(&p, "TcpEstabResets", 1);
    peer_end(&p);
}

TEST(shutdown_of_reading_gives_the_end_and_a_write_still_goes) /* ROW:89 */
{
    struct peer p = established(.mss = 1000);

    assert_int_equal(weir_shutdown(p.stack, p.sock, SHUT_RD), 0);
    expect_quiet(&p);
    app_read_error(&p, 0);
    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 1, .len = 10);
    app_shut_write(&p);
    assert_int_equal(weir_send(p.stack, p.sock, "x", 1, 0), -EPIPE);
    expect(&p, .flags = FIN | ACK, .seq = 11);
    peer_end(&p);
}

/* -- SO_LINGER and orphans --------------------------------------------------------------------- */

TEST(linger_waits_for_delivery_and_then_resets) /* ROW:87 */
{
    struct linger l = {.l_onoff = 1, .l_linger = 2};
    struct peer p = established(.mss = 1000);

    weir_setsockopt(p.stack, p.sock, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    for (int ms = 200; ms < 1600; ms *= 2)
        expect_after(&p, ms, .flags = FIN | ACK, .seq = 1);
    expect_after(&p, 600, .flags = RST | ACK, .seq = 2);
    expect_state(&p, 0);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpRetransSegs", 3);
    expect_stat(&p, "TcpExtTCPTimeouts", 3);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 3);
    expect_stat(&p, "TcpExtTCPAbortOnLinger", 1);
    peer_end(&p);
}

TEST(linger_is_over_when_all_was_delivered) /* ROW:87 */
{
    struct linger l = {.l_onoff = 1, .l_linger = 2};
    struct peer p = in_state(WEIR_CLOSE_WAIT, .mss = 1000);

    weir_setsockopt(p.stack, p.sock, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    inject(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_state(&p, 0);
    advance_ms(&p, 10000);
    expect_quiet(&p);
    peer_end(&p);
}

/* The FIN of a closed socket is repeated tcp_orphan_retries times. */
TEST(a_fin_that_nobody_waits_for_is_given_up) /* ROW:31 ROW:32 FSM-354 FSM-356 FSM-357 */
{
    each_state (state, WEIR_FIN_WAIT_1, WEIR_CLOSING, WEIR_LAST_ACK) {
        struct peer p = in_state(state, .mss = 1000, .knob = "net.ipv4.tcp_orphan_retries",
                                 .value = "2");
        struct numbers n = numbers(state);

        app_close(&p);
        expect_after(&p, 200, .flags = FIN | ACK, .seq = 1, .ack = n.rcv_nxt);
        expect_after(&p, 400, .flags = FIN | ACK, .seq = 1, .ack = n.rcv_nxt);
        expect_after(&p, 800, .flags = RST | ACK, .seq = 2);
        expect_state(&p, 0);
        expect_stat(&p, "TcpOutRsts", 1);
        expect_stat(&p, "TcpRetransSegs", 2);
        expect_stat(&p, "TcpExtTCPTimeouts", 2);
        expect_stat(&p, "TcpExtTCPSlowStartRetrans", 2);
        expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
        peer_end(&p);
    }
}

TEST(more_orphans_than_allowed_are_reset) /* ROW:102 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_max_orphans", .value = "0");

    app_close(&p);
    expect(&p, .flags = RST | ACK, .seq = 1);
    expect_state(&p, 0);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpExtTCPAbortOnMemory", 1);
    peer_end(&p);
}

/* A peer that keeps its window closed keeps no program from leaving. */
TEST(a_connection_in_persist_is_closed_or_aborted_like_any_other) /* REQ:6429-4-2 */
{
    for (int is_abort = 0; is_abort < 2; is_abort++) {
        struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_orphan_retries",
                                    .value = "2");

        inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
        app_write(&p, 100);
        expect_after(&p, 200, .flags = ACK, .seq = 0, .len = 0);
        if (is_abort) {
            app_abort(&p);
            expect(&p, .flags = RST | ACK, .seq = 1);
        } else { /* an orphan, which is given up sooner */
            app_close(&p);
            expect_after(&p, 400, .flags = ACK, .seq = 0, .len = 0);
            expect_after(&p, 800, .flags = RST | ACK, .seq = 1);
        }
        expect_state(&p, 0);
        expect_stat(&p, "TcpOutRsts", 1);
        expect_stat(&p, "TcpExtTCPWinProbe", is_abort ? 1 : 2);
        expect_stat(&p, "TcpEstabResets", is_abort);
        expect_stat(&p, "TcpExtTCPAbortOnTimeout", !is_abort);
        peer_end(&p);
    }
}

/* The peer answers each probe of a connection that nobody waits for, and never opens its window. */
TEST(an_orphan_is_not_held_by_a_window_that_stays_closed) /* REQ:6429-3-1 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    app_write(&p, 100);
    app_close(&p);
    for (int ms = 200; ms <= 102400; ms *= 2) {
        expect_after(&p, ms, .flags = ACK, .seq = 0, .len = 0);
        inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    }
    expect_after(&p, 120000, .flags = RST | ACK, .seq = 1);
    expect_state(&p, 0);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpExtTCPWinProbe", 10);
    expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
    peer_end(&p);
}

/* -- closing together -------------------------------------------------------------------------- */

TEST(three_segments_close_where_the_fin_rides_on_the_ack) /* FSM-407 ROW:19 */
{
    struct peer p = established(.mss = 1000);

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2, .len = 0);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(our_ack_of_the_fin_rides_on_our_own_fin) /* ROW:19 */
{
    struct peer p = established(.mss = 1000);
    struct weir_frame f = {.parts = 1};
    uint8_t bytes[PEER_FRAME_MAX];
    struct segment fin = {.flags = FIN | ACK, .seq = 1, .ack = 1};

    f.part[0] = (struct weir_slice){bytes, peer_build(&p, &fin, bytes)};
    weir_input(p.stack, 1, &f, 1, 1000000000); /* and before anything is sent: */
    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect_state(&p, WEIR_LAST_ACK);
    peer_end(&p);
}

/* The ACK that we sent last is lost: the FIN comes again, is answered, and 2MSL begins anew. */
TEST(a_lost_last_ack_is_given_again) /* FSM-408 FSM-324 ROW:23 ROW:24 */
{
    struct peer p = in_state(WEIR_TIME_WAIT, .mss = 1000);

    advance_ms(&p, 59000);
    expect_quiet(&p); /* an ACK is not repeated by itself */
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2, .len = 0);
    app_close(&p);
    advance_ms(&p, 59999);
    expect_state(&p, WEIR_TIME_WAIT);
    advance_ms(&p, 1);
    expect_state(&p, 0);
    peer_end(&p);
}

TEST(an_abort_on_both_sides_ends_without_answers) /* ROW:1 */
{
    struct peer p = established(.is_active = true);

    app_abort(&p);
    expect(&p, .flags = RST | ACK, .seq = 1);
    inject(&p, .flags = RST | ACK, .seq = 1, .ack = 1, .drop = "tcp_no_socket");
    expect_quiet(&p);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpEstabResets", 1);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
