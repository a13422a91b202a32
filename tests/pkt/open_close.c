/* Opening and closing, segment by segment. */
#include <errno.h>
#include <sys/socket.h>

#include "support/peer.h"

#define TEST(name) static void name(void **state)

TEST(syn_is_answered_and_ack_establishes) /* ROW:12 ROW:21 REQ:MUST-13 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    expect_quiet(&p);
    peer_end(&p);
}

TEST(active_open_sends_syn_then_ack) /* ROW:3 ROW:13 */
{
    struct peer p = established(.is_active = true);

    (void)state;
    expect_quiet(&p);
    peer_end(&p);
}

TEST(simultaneous_open_ends_established) /* REQ:MUST-10 ROW:15 */
{
    struct peer p = peer_begin(&(struct peer_config){.mss = 1460});
    struct weir_sockaddr to = {.addr = weir_addr_v4(0x0a000002), .port = 4000};

    (void)state;
    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_connect(p.stack, p.sock, &to), -EINPROGRESS);
    expect(&p, .flags = TCP_SYN, .seq = 0);
    inject(&p, .flags = TCP_SYN, .seq = 0, .mss = 1460);
    expect_state(&p, WEIR_SYN_RECV);
    expect(&p, .flags = TCP_SYN | TCP_ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = TCP_SYN | TCP_ACK, .seq = 0, .ack = 1);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_end(&p);
}

TEST(syn_is_repeated_after_1_3_7_seconds_and_given_up) /* ROW:27 ROW:97 */
{
    struct peer p =
        peer_begin(&(struct peer_config){.knob = "net.ipv4.tcp_syn_retries", .value = "2"});
    struct weir_sockaddr to = {.addr = weir_addr_v4(0x0a000002), .port = 4000};
    int error = 0;
    size_t len = sizeof error;

    (void)state;
    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    weir_connect(p.stack, p.sock, &to);
    expect(&p, .flags = TCP_SYN, .seq = 0);
    advance_ms(&p, 999);
    expect_quiet(&p);
    advance_ms(&p, 1);
    expect(&p, .flags = TCP_SYN, .seq = 0);
    advance_ms(&p, 2000);
    expect(&p, .flags = TCP_SYN, .seq = 0);
    advance_ms(&p, 4000);
    expect_quiet(&p);
    weir_getsockopt(p.stack, p.sock, SOL_SOCKET, SO_ERROR, &error, &len);
    assert_int_equal(error, ETIMEDOUT);
    peer_end(&p);
}

TEST(rst_to_syn_is_connection_refused) /* ROW:96 */
{
    struct peer p = peer_begin(&(struct peer_config){.mss = 1460});
    struct weir_sockaddr to = {.addr = weir_addr_v4(0x0a000002), .port = 4000};
    int error = 0;
    size_t len = sizeof error;

    (void)state;
    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    weir_connect(p.stack, p.sock, &to);
    expect(&p, .flags = TCP_SYN, .seq = 0);
    inject(&p, .flags = TCP_RST | TCP_ACK, .seq = 0, .ack = 1);
    weir_getsockopt(p.stack, p.sock, SOL_SOCKET, SO_ERROR, &error, &len);
    assert_int_equal(error, ECONNREFUSED);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(closed_port_answers_syn_with_rst) /* ROW:1 ROW:100 */
{
    struct peer p = peer_begin(&(struct peer_config){.mss = 1460});

    (void)state;
    inject(&p, .flags = TCP_SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = TCP_RST | TCP_ACK, .ack = 1, .len = 0);
    inject(&p, .flags = TCP_RST, .seq = 1);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(four_segments_close_and_time_wait_ends_after_60_s) /* ROW:17 ROW:6 ROW:7 ROW:11 ROW:34 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    weir_close(p.stack, p.sock);
    expect(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1);
    expect_state(&p, WEIR_FIN_WAIT_1);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 2);
    expect_state(&p, WEIR_FIN_WAIT_2);
    expect_quiet(&p);
    inject(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = TCP_ACK, .seq = 2, .ack = 2, .len = 0);
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

    (void)state;
    weir_close(p.stack, p.sock);
    expect(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1);
    inject(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = TCP_ACK, .seq = 2, .ack = 2);
    advance_ms(&p, 30000);
    inject(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = TCP_ACK, .seq = 2, .ack = 2);
    advance_ms(&p, 59999);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(rst_does_not_end_time_wait) /* ROW:74 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    weir_close(p.stack, p.sock);
    expect(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1);
    inject(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = TCP_ACK, .seq = 2, .ack = 2);
    inject(&p, .flags = TCP_RST, .seq = 2);
    expect_quiet(&p);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(simultaneous_close_goes_through_closing) /* ROW:20 ROW:9 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    weir_close(p.stack, p.sock);
    expect(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1);
    inject(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1);
    expect_state(&p, WEIR_CLOSING);
    expect(&p, .flags = TCP_ACK, .seq = 2, .ack = 2);
    inject(&p, .flags = TCP_ACK, .seq = 2, .ack = 2);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(passive_close_ends_in_last_ack) /* ROW:8 ROW:10 ROW:92 */
{
    struct peer p = established(.mss = 1000);
    char byte;

    (void)state;
    inject(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = TCP_ACK, .seq = 1, .ack = 2);
    expect_state(&p, WEIR_CLOSE_WAIT);
    assert_int_equal(weir_recv(p.stack, p.sock, &byte, 1, 0), 0);
    advance_ms(&p, 3600000); /* it waits for the program, however long */
    expect_state(&p, WEIR_CLOSE_WAIT);
    weir_close(p.stack, p.sock);
    expect(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1, .ack = 2);
    expect_state(&p, WEIR_LAST_ACK);
    inject(&p, .flags = TCP_ACK, .seq = 2, .ack = 2);
    expect_state(&p, 0);
    peer_end(&p);
}

TEST(half_close_still_receives) /* ROW:18 ROW:89 */
{
    struct peer p = established(.mss = 1000);
    char data[64];

    (void)state;
    assert_int_equal(weir_shutdown(p.stack, p.sock, SHUT_WR), 0);
    expect(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 2);
    inject(&p, .flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 2, .len = 50);
    assert_int_equal(weir_recv(p.stack, p.sock, data, sizeof data, 0), 50);
    assert_int_equal(weir_send(p.stack, p.sock, data, 1, 0), -EPIPE);
    peer_end(&p);
}

TEST(out_of_order_fin_waits_for_the_gap) /* ROW:22 */
{
    struct peer p = established(.mss = 1000);
    char data[200];

    (void)state;
    weir_shutdown(p.stack, p.sock, SHUT_WR);
    expect(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 2);
    inject(&p, .flags = TCP_FIN | TCP_ACK, .seq = 101, .ack = 2);
    expect_state(&p, WEIR_FIN_WAIT_2);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 2, .len = 100);
    expect_state(&p, WEIR_TIME_WAIT);
    assert_int_equal(weir_recv(p.stack, p.sock, data, sizeof data, 0), 100);
    assert_int_equal(weir_recv(p.stack, p.sock, data, sizeof data, 0), 0);
    peer_end(&p);
}

TEST(close_with_unread_data_sends_rst) /* ROW:88 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    inject(&p, .flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 1, .len = 10);
    weir_close(p.stack, p.sock);
    expect(&p, .flags = TCP_RST | TCP_ACK, .seq = 1);
    expect_state(&p, 0);
    peer_end(&p);
}

TEST(linger_zero_sends_rst) /* ROW:86 */
{
    struct peer p = established(.mss = 1000);
    struct linger l = {.l_onoff = 1};

    (void)state;
    weir_setsockopt(p.stack, p.sock, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    weir_close(p.stack, p.sock);
    expect(&p, .flags = TCP_RST | TCP_ACK, .seq = 1);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(exact_rst_resets_and_the_next_read_says_so) /* ROW:95 ROW:99 */
{
    struct peer p = established(.mss = 1000);
    char byte;

    (void)state;
    inject(&p, .flags = TCP_RST, .seq = 1);
    assert_int_equal(weir_recv(p.stack, p.sock, &byte, 1, 0), -ECONNRESET);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(rst_in_the_window_but_not_at_its_edge_draws_a_challenge_ack) /* REQ:5961-3.2-1 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    inject(&p, .flags = TCP_RST, .seq = 100);
    expect(&p, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 0);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_end(&p);
}

TEST(syn_on_an_established_connection_draws_a_challenge_ack)
{
    struct peer p = established(.mss = 1000);

    (void)state;
    inject(&p, .flags = TCP_SYN, .seq = 50);
    expect(&p, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 0);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_end(&p);
}

TEST(fin_wait_2_of_a_closed_socket_ends_after_tcp_fin_timeout) /* ROW:33 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_fin_timeout", .value = "5");

    (void)state;
    weir_close(p.stack, p.sock);
    expect(&p, .flags = TCP_FIN | TCP_ACK, .seq = 1);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 2);
    advance_ms(&p, 4999);
    expect_state(&p, WEIR_FIN_WAIT_2);
    advance_ms(&p, 1);
    expect_state(&p, 0);
    peer_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(syn_is_answered_and_ack_establishes),
        cmocka_unit_test(active_open_sends_syn_then_ack),
        cmocka_unit_test(simultaneous_open_ends_established),
        cmocka_unit_test(syn_is_repeated_after_1_3_7_seconds_and_given_up),
        cmocka_unit_test(rst_to_syn_is_connection_refused),
        cmocka_unit_test(closed_port_answers_syn_with_rst),
        cmocka_unit_test(four_segments_close_and_time_wait_ends_after_60_s),
        cmocka_unit_test(fin_again_in_time_wait_is_acked_and_restarts_it),
        cmocka_unit_test(rst_does_not_end_time_wait),
        cmocka_unit_test(simultaneous_close_goes_through_closing),
        cmocka_unit_test(passive_close_ends_in_last_ack),
        cmocka_unit_test(half_close_still_receives),
        cmocka_unit_test(out_of_order_fin_waits_for_the_gap),
        cmocka_unit_test(close_with_unread_data_sends_rst),
        cmocka_unit_test(linger_zero_sends_rst),
        cmocka_unit_test(exact_rst_resets_and_the_next_read_says_so),
        cmocka_unit_test(rst_in_the_window_but_not_at_its_edge_draws_a_challenge_ack),
        cmocka_unit_test(syn_on_an_established_connection_draws_a_challenge_ack),
        cmocka_unit_test(fin_wait_2_of_a_closed_socket_ends_after_tcp_fin_timeout),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
