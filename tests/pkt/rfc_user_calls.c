/* What the user asks for in each state: RFC 9293 sections 3.10.1 to 3.10.6. The calls are those of
 * BSD and do not block: a call that the RFC queues answers EAGAIN, and readiness tells when. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "support/states.h"

#define HOST 0x0a000001u
#define PEER 0x0a000002u
#define ALL_BUT_LISTEN                                                                \
    WEIR_SYN_SENT, WEIR_SYN_RECV, WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2, \
        WEIR_CLOSE_WAIT, WEIR_CLOSING, WEIR_LAST_ACK, WEIR_TIME_WAIT

static int open_to(const struct peer *p, int sock, uint32_t remote, uint16_t port)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(remote), .port = port};

    return weir_connect(p->stack, sock, &to);
}

static int send_byte(const struct peer *p)
{
    return (int)weir_send(p->stack, p->sock, "x", 1, 0);
}

static int receive_byte(const struct peer *p)
{
    char byte;

    return (int)weir_recv(p->stack, p->sock, &byte, 1, 0);
}

static uint32_t readiness(const struct peer *p)
{
    return (uint32_t)weir_readiness(p->stack, p->sock);
}

/* -- OPEN -------------------------------------------------------------------------------------- */

TEST(open_without_room_for_another_connection_fails) /* FSM-006 */
{
    struct peer p = begin(.knob = "net.weir.tcp_max_connections", .value = "1");

    assert_true(weir_socket(p.stack, AF_INET, SOCK_STREAM, 0) >= 0);
    assert_int_equal(weir_socket(p.stack, AF_INET, SOCK_STREAM, 0), -ENOMEM);
    peer_end(&p);
}

TEST(passive_open_waits_for_anyone) /* FSM-007 ROW:2 */
{
    struct peer p = listening(0);
    struct weir_sock_info info;

    assert_int_equal(weir_info(p.stack, p.listener, &info), 0);
    assert_int_equal(info.state, WEIR_LISTEN);
    expect_quiet(&p);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    peer_end(&p);
}

TEST(active_open_needs_a_remote_socket) /* FSM-008 */
{
    struct peer p = begin(0);

    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(open_to(&p, p.sock, PEER, 0), -ECONNREFUSED);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(active_open_to_a_broadcast_or_multicast_address_fails) /* REQ:MUST-46 FSM-009 */
{
    const uint32_t bad[] = {0x0a0000ff, 0xffffffff, 0xe0000001, 0xefffffff};
    struct peer p = begin(0);

    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(open_to(&p, p.sock, bad[i], 80), -ENETUNREACH);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(active_open_chooses_address_and_number_and_sends_syn) /* FSM-010 REQ:MUST-44 */
{
    struct peer p = connecting(0);
    struct weir_sockaddr local;

    assert_int_equal(weir_getsockname(p.stack, p.sock, &local), 0);
    assert_int_equal(weir_addr_to_v4(&local.addr), HOST);
    assert_int_equal(local.port, p.stack_port);
    expect_state(&p, WEIR_SYN_SENT);
    expect_after(&p, 1000, .flags = SYN, .seq = 0); /* the timer runs */
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

/* The source of a multihomed host is the address on the way to the peer, in every segment. */
TEST(the_address_on_the_way_is_the_source_from_the_first_syn_on) /* REQ:MUST-44 REQ:MUST-45 */
{
    struct peer p = begin(0);
    struct weir_iface_config second = {.name = "second", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr other = weir_addr_v4(0x0a010001);
    int index = weir_iface_add(p.stack, &second);

    assert_int_equal(weir_addr_add(p.stack, index, &other, 24), 0);
    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(open_to(&p, p.sock, PEER, p.port), -EINPROGRESS);
    expect(&p, .flags = SYN, .seq = 0); /* peer_parse() wants HOST as the source */
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 1, .len = 10);
    peer_end(&p);
}

TEST(open_takes_a_local_address) /* REQ:MUST-43 */
{
    struct peer p = begin(0);
    struct weir_addr other = weir_addr_v4(0x0a000009), host = weir_addr_v4(HOST);
    struct weir_sockaddr at = {.addr = host, .port = 1234}, foreign = {.addr = other};

    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_bind(p.stack, p.sock, &foreign), -EADDRNOTAVAIL); /* not ours */
    assert_int_equal(weir_bind(p.stack, p.sock, &at), 0);
    assert_int_equal(open_to(&p, p.sock, PEER, p.port), -EINPROGRESS);
    expect(&p, .flags = SYN, .seq = 0);
    assert_int_equal(p.stack_port, 1234);
    peer_end(&p);
}

TEST(a_listening_socket_does_not_open_actively) /* FSM-013 ROW:16 */
{
    struct peer p = listening(0);

    assert_int_equal(open_to(&p, p.listener, PEER, p.port), -EISCONN);
    assert_int_equal(open_to(&p, p.listener, 0, 0), -EISCONN);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    peer_end(&p);
}

static void reuse_address(const struct peer *p, int sock)
{
    int on = 1;

    assert_int_equal(weir_setsockopt(p->stack, sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
}

/* FSM-015 FSM-016 FSM-017 FSM-018 FSM-019 FSM-020 FSM-021 FSM-022 FSM-023 */
TEST(a_connection_that_exists_is_not_opened_again)
{
    each_state (state, ALL_BUT_LISTEN) {
        struct peer p = in_state(state, .is_active = true, .is_shared = true);
        struct weir_sockaddr same = {.addr = weir_addr_v4(HOST), .port = p.stack_port};
        int second = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);

        reuse_address(&p, second);
        assert_int_equal(weir_bind(p.stack, second, &same), 0);
        assert_int_equal(open_to(&p, second, PEER, p.port), -EADDRNOTAVAIL);
        assert_true(open_to(&p, p.sock, PEER, p.port) < 0);
        expect_state(&p, state);
        expect_quiet(&p);
        peer_end(&p);
    }
}

/* Listening on a port leaves its connections alone, whatever their state. */
TEST(a_passive_open_disturbs_no_connection_of_the_same_port) /* REQ:MUST-41 REQ:MUST-42 */
{
    each_state (state, ALL_BUT_LISTEN) {
        struct peer p = in_state(state, .is_active = true, .is_shared = true);
        struct peer q = peer_other(&p, 4001);
        struct weir_sockaddr same = {.addr = weir_addr_v4(HOST), .port = p.stack_port};

        q.listener = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
        reuse_address(&p, q.listener);
        assert_int_equal(weir_bind(p.stack, q.listener, &same), 0);
        assert_int_equal(weir_listen(p.stack, q.listener, 1), 0);
        expect_state(&p, state);
        expect_quiet(&p);
        inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
        expect(&q, .flags = SYN | ACK, .seq = 0, .ack = 1);
        expect_state(&p, state);
        peer_end(&p);
    }
}

/* -- SEND -------------------------------------------------------------------------------------- */

TEST(send_without_a_connection_fails) /* FSM-025 */
{
    struct peer p = begin(0);

    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(send_byte(&p), -EPIPE); /* Linux */
    expect_quiet(&p);
    peer_end(&p);
}

TEST(send_on_a_listener_fails) /* FSM-027 */
{
    struct peer p = listening(0);

    assert_int_equal(weir_send(p.stack, p.listener, "x", 1, 0), -EPIPE); /* Linux */
    expect_quiet(&p);
    peer_end(&p);
}

/* Before the connection stands there is no room, and readiness says when there is. */
TEST(send_waits_for_established) /* FSM-028 FSM-029 FSM-030 FSM-031 */
{
    each_state (state, WEIR_SYN_SENT, WEIR_SYN_RECV) {
        struct peer p = in_state(state, .is_active = true);

        assert_int_equal(send_byte(&p), -EAGAIN);
        assert_false(readiness(&p) & WEIR_READY_OUT);
        expect_quiet(&p);
        inject(&p, .flags = state == WEIR_SYN_SENT ? SYN | ACK : ACK,
               .seq = state == WEIR_SYN_SENT ? 0 : 1, .ack = 1);
        if (state == WEIR_SYN_SENT)
            expect(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 0);
        assert_true(readiness(&p) & WEIR_READY_OUT);
        app_write(&p, 1);
        expect(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 1);
        peer_end(&p);
    }
}

/* Text goes at once, with the ACK that is due, and the retransmission timer runs. */
TEST(send_goes_out_with_the_acknowledgment) /* FSM-032 FSM-033 ROW:55 REQ:9293-3.10.7.3-2 */
{
    each_state (state, WEIR_ESTABLISHED, WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        app_write(&p, 2500);
        expect(&p, .flags = ACK, .seq = 1, .ack = n.rcv_nxt, .len = 1000);
        expect(&p, .flags = ACK, .seq = 1001, .ack = n.rcv_nxt, .len = 1000);
        expect(&p, .flags = ACK, .seq = 2001, .ack = n.rcv_nxt, .len = 500);
        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 2001);
        expect_after(&p, 200, .flags = ACK, .seq = 2001, .len = 500);
        expect_stat(&p, "TcpRetransSegs", 1);
        expect_stat(&p, "TcpExtTCPTimeouts", 1);
        expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
        peer_end(&p);
    }
}

TEST(send_beyond_the_buffer_is_refused_until_there_is_room) /* FSM-036 FSM-037 */
{
    each_state (state, WEIR_ESTABLISHED, WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);
        char data[8192] = {0};

        app_option(&p, SOL_SOCKET, SO_SNDBUF, 2500); /* doubled */
        assert_int_equal(weir_send(p.stack, p.sock, data, sizeof data, 0), 5000);
        assert_int_equal(weir_send(p.stack, p.sock, data, 1, 0), -EAGAIN);
        assert_false(readiness(&p) & WEIR_READY_OUT);
        peer_forget_output(&p);
        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 5001);
        assert_true(readiness(&p) & WEIR_READY_OUT);
        assert_int_equal(weir_send(p.stack, p.sock, data, sizeof data, 0), 5000);
        peer_forget_output(&p);
        peer_end(&p);
    }
}

TEST(send_into_a_closed_window_waits_and_the_persist_timer_runs) /* FSM-038 FSM-039 */
{
    each_state (state, WEIR_ESTABLISHED, WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 1, .wnd = CLOSED_WINDOW);
        app_write(&p, 100);
        expect_after(&p, 200, .flags = ACK, .seq = 0, .ack = n.rcv_nxt, .len = 0);
        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 1, .wnd = 1000);
        expect(&p, .flags = ACK, .seq = 1, .ack = n.rcv_nxt, .len = 100);
        expect_stat(&p, "TcpExtTCPWinProbe", 1);
        peer_end(&p);
    }
}

TEST(send_after_close_fails_and_nothing_is_queued) /* FSM-040 FSM-041 FSM-042 FSM-043 FSM-044 */
{
    each_state (state, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2, WEIR_CLOSING, WEIR_LAST_ACK,
                WEIR_TIME_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        struct weir_sock_info info;

        assert_int_equal(send_byte(&p), -EPIPE);
        assert_int_equal(weir_info(p.stack, p.sock, &info), 0);
        assert_int_equal(info.send_queue, 0);
        expect_state(&p, state);
        expect_quiet(&p);
        peer_end(&p);
    }
}

/* -- RECEIVE ----------------------------------------------------------------------------------- */

TEST(receive_without_a_connection_fails) /* FSM-046 FSM-047 */
{
    struct peer p = listening(0);

    p.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(receive_byte(&p), -ENOTCONN);
    p.sock = p.listener;
    assert_int_equal(receive_byte(&p), -ENOTCONN);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(receive_waits_for_established) /* FSM-048 FSM-049 */
{
    each_state (state, WEIR_SYN_SENT, WEIR_SYN_RECV) {
        struct peer p = in_state(state, .is_active = true);

        assert_int_equal(receive_byte(&p), -EAGAIN);
        inject(&p, .flags = state == WEIR_SYN_SENT ? SYN | ACK : ACK,
               .seq = state == WEIR_SYN_SENT ? 0 : 1, .ack = 1, .mss = 1460, .len = 5);
        expect(&p, .flags = ACK, .seq = 1, .ack = 6);
        assert_true(readiness(&p) & WEIR_READY_IN);
        app_read(&p, 5);
        peer_end(&p);
    }
}

/* FSM-050 FSM-051 FSM-052 FSM-053 FSM-054 FSM-055 */
TEST(receive_delivers_in_order_and_waits_for_more)
{
    each_state (state, WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        app_read_error(&p, EAGAIN);
        inject(&p, .flags = ACK | PSH, .seq = 1, .ack = n.una, .len = 300);
        app_read(&p, 100);
        app_read(&p, 200);
        app_read_error(&p, EAGAIN);
        peer_forget_output(&p);
        peer_end(&p);
    }
}

/* FSM-056 FSM-057 FSM-058 REQ:MUST-33 */
TEST(urgent_data_ahead_is_told_until_it_is_read)
{
    each_state (state, WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        app_option(&p, SOL_SOCKET, SO_OOBINLINE, 1);
        inject(&p, .flags = ACK | URG, .seq = 1, .ack = n.una, .len = 30, .urg = 20);
        assert_true(readiness(&p) & WEIR_READY_PRI);
        app_read(&p, 19);
        assert_true(readiness(&p) & WEIR_READY_PRI);
        app_read(&p, 1); /* the pointer is behind the last urgent octet */
        assert_false(readiness(&p) & WEIR_READY_PRI);
        app_read(&p, 10);
        peer_forget_output(&p);
        peer_end(&p);
    }
}

TEST(receive_in_close_wait_gives_what_is_left_and_then_the_end) /* FSM-059 FSM-060 ROW:92 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1, .len = 50);
    expect(&p, .flags = ACK, .seq = 1, .ack = 52);
    expect_state(&p, WEIR_CLOSE_WAIT);
    app_read(&p, 30);
    app_read(&p, 20);
    app_read_error(&p, 0);
    app_read_error(&p, 0);
    peer_end(&p);
}

/* Text that came before the FIN is handed out first. */
TEST(receive_after_both_fins_gives_what_is_left_and_then_the_end) /* FSM-061 FSM-062 FSM-063 */
{
    each_state (state, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2, WEIR_CLOSE_WAIT) {
        bool is_last_ack = state == WEIR_CLOSE_WAIT;
        struct peer p = in_state(is_last_ack ? WEIR_ESTABLISHED : state, .mss = 1000);
        struct numbers n = numbers(is_last_ack ? WEIR_ESTABLISHED : state);

        inject(&p, .flags = FIN | ACK, .seq = 1, .ack = n.una, .len = 50);
        if (is_last_ack)
            app_shut_write(&p);
        peer_forget_output(&p);
        expect_state(&p, state == WEIR_FIN_WAIT_1   ? WEIR_CLOSING
                         : state == WEIR_FIN_WAIT_2 ? WEIR_TIME_WAIT
                                                    : WEIR_LAST_ACK);
        app_read(&p, 50);
        app_read_error(&p, 0);
        peer_end(&p);
    }
}

/* -- STATUS ------------------------------------------------------------------------------------ */

TEST(status_of_nothing_fails) /* FSM-093 ROW:91 */
{
    struct peer p = begin(0);
    struct weir_sock_info info;
    int sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);

    assert_int_equal(weir_close(p.stack, sock), 0);
    assert_int_equal(weir_info(p.stack, sock, &info), -EBADF);
    assert_int_equal(weir_send(p.stack, sock, "x", 1, 0), -EBADF);
    assert_int_equal(weir_recv(p.stack, sock, &info, 1, 0), -EBADF);
    peer_end(&p);
}

/* FSM-094 FSM-095 FSM-096 FSM-097 FSM-098 FSM-099 FSM-100 FSM-101 FSM-102 FSM-103 ROW:26 */
TEST(status_names_the_state_and_the_ends)
{
    static const char *const names[] = {
        [WEIR_LISTEN] = "LISTEN",         [WEIR_SYN_SENT] = "SYN-SENT",
        [WEIR_SYN_RECV] = "SYN-RECEIVED", [WEIR_ESTABLISHED] = "ESTABLISHED",
        [WEIR_FIN_WAIT_1] = "FIN-WAIT-1", [WEIR_FIN_WAIT_2] = "FIN-WAIT-2",
        [WEIR_CLOSE_WAIT] = "CLOSE-WAIT", [WEIR_CLOSING] = "CLOSING",
        [WEIR_LAST_ACK] = "LAST-ACK",     [WEIR_TIME_WAIT] = "TIME-WAIT"};

    each_state (state, WEIR_LISTEN, ALL_BUT_LISTEN) {
        struct peer p = in_state(state, .mss = 1000);
        struct weir_sock_info info;
        uint64_t cursor = 0;

        do
            assert_int_equal(weir_info_next(p.stack, &cursor, &info), 1);
        while (info.state != state);
        assert_string_equal(weir_state_name(info.state), names[state]);
        assert_int_equal(info.local.port, p.stack_port);
        assert_int_equal(info.peer.port, state == WEIR_LISTEN ? 0 : p.port);
        expect_quiet(&p);
        peer_end(&p);
    }
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
