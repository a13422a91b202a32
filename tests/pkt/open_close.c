/* Opening and closing, segment by segment. */
#include <errno.h>
#include <sys/socket.h>

#include "support/peer.h"

TEST(syn_is_answered_and_ack_establishes) /* ROW:12 ROW:21 FSM-398 */
{
    struct peer p = established(.mss = 1000);

    expect_quiet(&p);
    peer_end(&p);
}

TEST(active_open_sends_syn_then_ack) /* ROW:3 ROW:13 FSM-398 */
{
    struct peer p = established(.is_active = true);

    expect_quiet(&p);
    peer_end(&p);
}

TEST(simultaneous_open_ends_established) /* REQ:MUST-10 ROW:15 FSM-399 */
{
    struct peer p = connecting(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect_state(&p, WEIR_SYN_RECV);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_end(&p);
}

/* ROW:27 ROW:97 FSM-338 FSM-339 REQ:MUST-22 REQ:9293-3.8.3-1 */
TEST(syn_is_repeated_after_1_3_7_seconds_and_given_up)
{
    struct peer p = connecting(.knob = "net.ipv4.tcp_syn_retries", .value = "2");

    expect_after(&p, 1000, .flags = SYN, .seq = 0);
    expect_after(&p, 2000, .flags = SYN, .seq = 0);
    advance_ms(&p, 4000);
    expect_quiet(&p);
    assert_int_equal(app_error(&p), ETIMEDOUT);
    expect_stat(&p, "TcpAttemptFails", 1);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
    peer_end(&p);
}

TEST(rst_to_syn_is_connection_refused) /* ROW:96 FSM-417 */
{
    struct peer p = connecting(0);

    inject(&p, .flags = RST | ACK, .seq = 0, .ack = 1);
    assert_int_equal(app_error(&p), ECONNREFUSED);
    expect_quiet(&p);
    expect_stat(&p, "TcpAttemptFails", 1);
    peer_end(&p);
}

TEST(closed_port_answers_syn_with_rst) /* ROW:1 ROW:100 FSM-417 REQ:9293-3.5.2-1 */
{
    struct peer p = begin(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .drop = "tcp_no_socket");
    expect(&p, .flags = RST | ACK, .ack = 1, .len = 0);
    inject(&p, .flags = RST, .seq = 1, .drop = "tcp_no_socket");
    expect_quiet(&p);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

/* ROW:17 ROW:6 ROW:7 ROW:11 ROW:34 REQ:MUST-13 FSM-404 FSM-372 */
TEST(four_segments_close_and_time_wait_ends_after_60_s)
{
    struct peer p = established(.mss = 1000);

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    expect_state(&p, WEIR_FIN_WAIT_1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2);
    expect_state(&p, WEIR_FIN_WAIT_2);
    expect_quiet(&p);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2, .len = 0);
    expect_state(&p, WEIR_TIME_WAIT);
    advance_ms(&p, 59999);
    expect_state(&p, WEIR_TIME_WAIT);
    advance_ms(&p, 1);
    expect_state(&p, 0);
    peer_end(&p);
}

TEST(fin_again_in_time_wait_is_acked_and_restarts_it) /* ROW:23 */
{
    struct peer p = established(.mss = 1000);

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    advance_ms(&p, 30000);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    advance_ms(&p, 59999);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(rst_does_not_end_time_wait) /* ROW:74 */
{
    struct peer p = established(.mss = 1000);

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    inject(&p, .flags = RST, .seq = 2, .drop = "tcp_rst_time_wait");
    expect_quiet(&p);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(simultaneous_close_goes_through_closing) /* ROW:20 ROW:9 FSM-405 */
{
    struct peer p = established(.mss = 1000);

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    expect_state(&p, WEIR_CLOSING);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    inject(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(passive_close_ends_in_last_ack) /* ROW:8 ROW:10 ROW:92 FSM-075 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK, .seq = 1, .ack = 2);
    expect_state(&p, WEIR_CLOSE_WAIT);
    app_read_error(&p, 0);
    advance_ms(&p, 3600000); /* it waits for the program, however long */
    expect_state(&p, WEIR_CLOSE_WAIT);
    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect_state(&p, WEIR_LAST_ACK);
    inject(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_state(&p, 0);
    peer_end(&p);
}

TEST(half_close_still_receives) /* ROW:18 ROW:89 FSM-406 FSM-368 */
{
    struct peer p = established(.mss = 1000);

    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2);
    inject(&p, .flags = ACK | PSH, .seq = 1, .ack = 2, .len = 50);
    expect_after(&p, 40, .flags = ACK, .seq = 2, .ack = 51);
    app_read(&p, 50);
    assert_int_equal(weir_send(p.stack, p.sock, "x", 1, 0), -EPIPE);
    peer_end(&p);
}

TEST(out_of_order_fin_waits_for_the_gap) /* ROW:22 FSM-314 */
{
    struct peer p = established(.mss = 1000);

    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2);
    inject(&p, .flags = FIN | ACK, .seq = 101, .ack = 2);
    expect_state(&p, WEIR_FIN_WAIT_2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 1, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2, .len = 100);
    expect(&p, .flags = ACK, .seq = 2, .ack = 102, .len = 0);
    expect_state(&p, WEIR_TIME_WAIT);
    app_read(&p, 100);
    app_read_error(&p, 0);
    peer_end(&p);
}

TEST(close_with_unread_data_sends_rst) /* ROW:88 FSM-071 FSM-413 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
    expect(&p, .flags = ACK, .seq = 1, .ack = 11);
    app_close(&p);
    expect(&p, .flags = RST | ACK, .seq = 1);
    expect_state(&p, 0);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpExtTCPAbortOnClose", 1);
    peer_end(&p);
}

TEST(linger_zero_sends_rst) /* ROW:86 FSM-072 */
{
    struct peer p = established(.mss = 1000);
    struct linger l = {.l_onoff = 1};

    weir_setsockopt(p.stack, p.sock, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    app_close(&p);
    expect(&p, .flags = RST | ACK, .seq = 1);
    expect_quiet(&p);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpExtTCPAbortOnData", 1);
    peer_end(&p);
}

TEST(exact_rst_resets_and_the_next_read_says_so) /* ROW:95 ROW:99 REQ:9293-3.10.7.4-1 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = RST, .seq = 1);
    app_read_error(&p, ECONNRESET);
    expect_quiet(&p);
    expect_stat(&p, "TcpEstabResets", 1);
    peer_end(&p);
}

/* REQ:5961-3.2-1 FSM-409 REQ:9293-3.10.7.4-2 REQ:9293-3.10.7.4-3 */
TEST(rst_in_the_window_but_not_at_its_edge_draws_a_challenge_ack)
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = RST, .seq = 100, .drop = "tcp_rst_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 0);
    expect_state(&p, WEIR_ESTABLISHED);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&p);
}

/* FSM-411 REQ:9293-3.10.7.4-4 REQ:9293-3.10.7.4-5 */
TEST(syn_on_an_established_connection_draws_a_challenge_ack)
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = SYN, .seq = 50, .drop = "tcp_syn_in_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 0);
    expect_state(&p, WEIR_ESTABLISHED);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&p);
}

TEST(fin_wait_2_of_a_closed_socket_ends_after_tcp_fin_timeout) /* ROW:33 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_fin_timeout", .value = "5");

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2);
    advance_ms(&p, 4999);
    expect_state(&p, WEIR_FIN_WAIT_2);
    advance_ms(&p, 1);
    expect_state(&p, 0);
    expect_stat(&p, "TcpExtTCPAbortOnLinger", 1);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
