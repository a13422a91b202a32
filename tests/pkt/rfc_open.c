/* Opening where old segments are about, or one side has forgotten: RFC 9293 sections 3.4.1 and 3.5,
 * and who may share a port. */
#include <errno.h>
#include <sys/socket.h>

#include "support/states.h"

#define HOST 0x0a000001u
#define PEER 0x0a000002u

/* -- old duplicates and half-open connections: figures 8 to 11 --------------------------------- */

TEST(an_old_duplicate_syn_leaves_nothing_behind) /* FSM-400 ROW:14 */
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 5000, .mss = 1460); /* stale */
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 5001);
    assert_int_equal(weir_accept(p.stack, p.listener, NULL), -EAGAIN);
    inject(&p, .flags = RST, .seq = 5001); /* what its supposed sender says to that */
    expect_state(&p, 0);
    p.has_isn = false;
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    expect_state(&p, WEIR_ESTABLISHED);
    expect_stat(&p, "TcpAttemptFails", 1);
    peer_end(&p);
}

TEST(a_stale_syn_between_two_listeners_leaves_both_listening) /* FSM-401 */
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 5000, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 5001);
    inject(&p, .flags = RST, .seq = 5001);
    expect_state(&p, 0);
    /* The other one, which gets such a SYN,ACK: */
    inject(&p, .flags = SYN | ACK, .seq = 77, .ack = 99, .drop = "tcp_listen_flags");
    expect(&p, .flags = RST, .seq = 99);
    expect_state(&p, 0);
    expect_stat(&p, "TcpAttemptFails", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

/* A rebooted and connects again; B, which is us, still thinks it is connected. */
TEST(a_syn_finds_a_half_open_connection) /* FSM-402 ROW:25 */
{
    struct peer p = established(.mss = 1000), q;

    inject(&p, .flags = SYN, .seq = 70000, .mss = 1000, .drop = "tcp_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 0);
    inject(&p, .flags = RST, .seq = 1); /* A knows nothing of that number */
    app_read_error(&p, ECONNRESET);
    assert_int_equal(weir_close(p.stack, p.sock), 0);
    q = peer_other(&p, p.port);
    inject(&q, .flags = SYN, .seq = 70000, .mss = 1000); /* it repeats its SYN */
    expect(&q, .flags = SYN | ACK, .seq = 0, .ack = 70001);
    inject(&q, .flags = ACK, .seq = 70001, .ack = 1);
    expect_state(&q, WEIR_ESTABLISHED);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&q);
}

TEST(text_finds_a_half_open_connection) /* FSM-403 ROW:25 ROW:95 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
    inject(&p, .flags = RST, .seq = 1); /* SEQ = SEG.ACK, from CLOSED */
    app_read_error(&p, ECONNRESET);
    advance_ms(&p, 600000);
    expect_quiet(&p);
    expect_stat(&p, "TcpEstabResets", 1);
    peer_end(&p);
}

/* And the side that forgot answers with RSTs of the form that CLOSED has. */
TEST(who_has_forgotten_answers_rst) /* FSM-403 ROW:1 */
{
    struct peer p = listening(0);

    inject(&p, .flags = ACK, .seq = 300, .ack = 400, .len = 10, .drop = "tcp_listen_flags");
    expect(&p, .flags = RST, .seq = 400, .len = 0);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

TEST(a_client_with_newer_timestamps_comes_back_out_of_time_wait) /* FSM-415 FSM-217 ROW:68 */
{
    struct peer p = in_state(WEIR_TIME_WAIT, .mss = 1000, .has_ts = true), q;

    app_close(&p);
    q = peer_other(&p, p.port);
    q.has_ts = true;
    inject(&q, .flags = SYN, .seq = 0, .mss = 1000, .tsval = 5000);
    expect(&q, .flags = SYN | ACK, .seq = 0, .ack = 1, .has_ts = true, .tsecr = 5000);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1, .tsval = 5001);
    app_accept(&q);
    expect_state(&q, WEIR_ESTABLISHED);
    app_write(&q, 10);
    expect(&q, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
    expect_stat(&q, "TcpExtTWRecycled", 1);
    peer_end(&q);
}

/* -- initial sequence numbers ------------------------------------------------------------------ */

static uint32_t first_number(uint64_t seed, int64_t now_ns, uint16_t port)
{
    struct weir_config config = {.seed = {seed, 2}, .now_ns = now_ns};
    struct weir_iface_config i = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_stack *k = weir_new(&config);
    struct weir_addr host = weir_addr_v4(HOST);
    struct weir_sockaddr from = {.addr = host, .port = 1000}, to = {weir_addr_v4(PEER), port, 0};
    int sock = weir_socket(k, AF_INET, SOCK_STREAM, 0);
    struct weir_frame f;
    struct got g;

    weir_iface_add(k, &i);
    weir_addr_add(k, 1, &host, 24);
    assert_int_equal(weir_bind(k, sock, &from), 0);
    assert_int_equal(weir_connect(k, sock, &to), -EINPROGRESS);
    weir_advance(k, now_ns);
    assert_int_equal(weir_output(k, 1, &f, 1, now_ns), 1);
    assert_null(peer_parse(f.part[0].data, f.part[0].len, &g));
    weir_free(k);
    return g.h.seq.v;
}

/* ISN = M + F(ends, secret): a clock of 1/16 us, other peers and other secrets elsewhere. */
TEST(first_numbers_are_a_clock_and_a_secret) /* REQ:MUST-9 REQ:SHLD-1 ROW:44 ROW:12 REQ:6528-3-2 */
{
    const int64_t at = 1000000000;
    uint32_t number = first_number(1, at, 80);

    assert_int_equal(first_number(1, at, 80), number);
    assert_int_equal(first_number(1, at + 4000000, 80), number + 64000);
    assert_int_not_equal(first_number(1, at, 81) >> 8, number >> 8);
    assert_int_not_equal(first_number(2, at, 80) >> 8, number >> 8);
}

/* State was lost with the stack. Quiet time is a knob, off by default; another secret numbers anew,
 * so an old segment is in the window by luck only. */
TEST(a_restarted_stack_numbers_elsewhere) /* REQ:9293-3.4.3-1 ROW:44 */
{
    int near = 0;

    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint32_t old = first_number(seed, 1000000000, 80);
        uint32_t new = first_number(seed + 1000, 2000000000, 80);
        near += new - old + 65536 < 2 * 65536;
    }
    assert_int_equal(near, 0);
}

/* A crash, a clock and a secret that are the same again: the same numbers. An old segment that the
 * network still holds fits the new connection, and is taken for its text. */
TEST(after_a_crash_with_the_same_numbers_an_old_duplicate_is_taken) /* ROW:45 */
{
    for (uint64_t seed = 1; seed <= 3; seed += 2) { /* the net of the DSL has seed 1 */
        struct segment s = {.flags = ACK, .seq = 1, .ack = 1, .len = 100};
        struct weir_frame f = {.parts = 1};
        uint8_t old[PEER_FRAME_MAX];
        struct peer p = established(.mss = 1000);

        if (seed != 1)
            p.stack_isn = first_number(seed, 1000000000, p.port); /* it numbered elsewhere before */
        f.part[0] = (struct weir_slice){old, peer_build(&p, &s, old)};
        peer_forget(); /* the crash */
        p = established(.mss = 1000);
        weir_input(p.stack, 1, &f, 1, 1000000000); /* nobody sent this in the new life */
        if (seed == 1)
            app_read(&p, 100);
        app_read_error(&p, EAGAIN);
        peer_forget_output(&p);
        expect_stat(&p, "TcpExtTCPChallengeACK", seed != 1);
        peer_end(&p);
    }
}

TEST(in_quiet_time_nothing_is_sent) /* ROW:46 REQ:9293-3.4.3-1 */
{
    struct peer p = listening(.knob = "net.weir.tcp_quiet_time_s", .value = "120"), q;
    struct weir_sockaddr to = {.addr = weir_addr_v4(PEER), .port = 5000};

    q = peer_other(&p, 5000);
    q.sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_connect(p.stack, q.sock, &to), -EINPROGRESS);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    advance_ms(&p, 119999);
    assert_false(weir_has_output(p.stack));
    assert_int_equal(weir_deadline(p.stack), 121000 * 1000000ll); /* it began at 1 s */
    expect_quiet(&p);
    advance_ms(&p, 1);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect(&q, .flags = SYN, .seq = 0);
    expect_after(&p, 1000, .flags = SYN | ACK, .seq = 0,
                 .ack = 1); /* the timers run from then on */
    expect(&q, .flags = SYN, .seq = 0);
    expect_stat(&p, "TcpRetransSegs", 2);
    peer_end(&p);
}

/* -- ports ------------------------------------------------------------------------------------- */

/* Each flow goes to one of those that share, about as often to each. */
TEST(listeners_that_share_a_port_are_loaded_evenly) /* ROW:66 */
{
    enum { LISTENERS = 4, FLOWS = 400 };
    struct peer p = begin(0);
    struct weir_sockaddr at = {.addr = weir_addr_v4(HOST), .port = 80};
    int sock[LISTENERS], on = 1;

    for (int i = 0; i < LISTENERS; i++) {
        sock[i] = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
        weir_setsockopt(p.stack, sock[i], SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        assert_int_equal(weir_bind(p.stack, sock[i], &at), 0);
        assert_int_equal(weir_listen(p.stack, sock[i], FLOWS), 0);
    }
    for (uint16_t port = 0; port < FLOWS; port++) {
        struct peer q = peer_other(&p, (uint16_t)(20000 + port));
        inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
        expect(&q, .flags = SYN | ACK, .seq = 0, .ack = 1);
        inject(&q, .flags = ACK, .seq = 1, .ack = 1);
    }
    for (int i = 0; i < LISTENERS; i++) {
        int taken = 0;
        while (weir_accept(p.stack, sock[i], NULL) >= 0)
            taken++;
        assert_in_range(taken, 70, 130); /* 100 each; sqrt(75) is 8.7 */
    }
    peer_end(&p);
}

TEST(one_port_at_two_addresses) /* ROW:65 */
{
    struct peer p = begin(0);
    struct weir_addr second = weir_addr_v4(0x0a000003);
    struct weir_sockaddr at[2] = {{.addr = weir_addr_v4(HOST), .port = 80},
                                  {.addr = second, .port = 80}};
    int any, on = 1;

    assert_int_equal(weir_addr_add(p.stack, 1, &second, 24), 0);
    for (int i = 0; i < 2; i++) {
        int sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
        weir_setsockopt(p.stack, sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        assert_int_equal(weir_bind(p.stack, sock, &at[i]), 0);
        assert_int_equal(weir_listen(p.stack, sock, 1), 0);
        p.listener = i == 0 ? sock : p.listener;
    }
    any = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    at[0].addr = weir_addr_v4(0);
    assert_int_equal(weir_bind(p.stack, any, &at[0]), -EADDRINUSE);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p); /* the one whose address it is */
    peer_end(&p);
}

/* TIME-WAIT has the port: not even a bound socket gets the same pair, before 2MSL is over. */
TEST(a_pair_in_time_wait_is_taken) /* ROW:62 FSM-023 */
{
    struct peer p = in_state(WEIR_TIME_WAIT, .is_active = true, .is_shared = true);
    struct weir_sockaddr same = {.addr = weir_addr_v4(HOST), .port = p.stack_port};
    struct weir_sockaddr to = {.addr = weir_addr_v4(PEER), .port = p.port};
    int sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0), on = 1;

    weir_setsockopt(p.stack, sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(weir_bind(p.stack, sock, &same), 0);
    assert_int_equal(weir_connect(p.stack, sock, &to), -EADDRNOTAVAIL);
    app_close(&p);
    advance_ms(&p, 60000);
    assert_int_equal(weir_connect(p.stack, sock, &to), -EINPROGRESS);
    p.has_isn = false;
    expect(&p, .flags = SYN, .seq = 0);
    peer_end(&p);
}

/* tcp_tw_reuse: the pair is taken over by who connects, one second later and by timestamps only. */
TEST(tw_reuse_takes_a_pair_over_after_a_second) /* ROW:67 */
{
    for (int has_ts = 0; has_ts < 2; has_ts++) {
        struct peer p = in_state(WEIR_TIME_WAIT, .is_active = true, .is_shared = true,
                                 .has_ts = has_ts, .knob = "net.ipv4.tcp_tw_reuse", .value = "1");
        struct weir_sockaddr same = {.addr = weir_addr_v4(HOST), .port = p.stack_port};
        struct weir_sockaddr to = {.addr = weir_addr_v4(PEER), .port = p.port};
        int sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0), on = 1;
        uint32_t old = p.stack_isn;
        struct got g;

        weir_setsockopt(p.stack, sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        assert_int_equal(weir_bind(p.stack, sock, &same), 0);
        app_close(&p);
        advance_ms(&p, 1000);
        assert_int_equal(weir_connect(p.stack, sock, &to), -EADDRNOTAVAIL);
        advance_ms(&p, 1);
        assert_int_equal(weir_connect(p.stack, sock, &to), has_ts ? -EINPROGRESS : -EADDRNOTAVAIL);
        if (has_ts) {
            assert_true(peer_next(&p, &g) && g.h.flags == SYN);
            assert_true((int32_t)(g.h.seq.v - old) > 2);
            /* REQ:6191-2-9: its clock is the one of before, and older by that second */
            assert_in_range(g.h.opt.tsval - p.ts_first, 1001, 1100);
        }
        peer_end(&p);
    }
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
