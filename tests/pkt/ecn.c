/* Explicit congestion notification, RFC 3168 section 6.1 and RFC 8311. */
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include "support/peer_net.h"
#include "support/states.h"

static struct weir_sock_info info_of(const struct peer *p)
{
    struct weir_sock_info info;

    assert_int_equal(weir_info(p->stack, p->sock, &info), 0);
    return info;
}

/* The peer asked, as a Linux with tcp_ecn = 1 does. */
static struct peer agreed_with(uint32_t mss, const char *cwnd)
{
    struct peer p = listening(.knob = "net.weir.tcp_initial_cwnd", .value = cwnd,
                              .knob2 = "net.ipv4.tcp_congestion_control", .value2 = "reno");

    inject(&p, .flags = SYN | ECE | CWR, .seq = 0, .mss = (uint16_t)mss);
    expect(&p, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1, .ecn = NOT_ECT);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    return p;
}

static struct peer agreed(uint32_t mss)
{
    return agreed_with(mss, "10");
}

/* -- 6.1.1: the handshake ---------------------------------------------------------------------- */

/* REQ:3168-6.1.1-1 REQ:3168-6.1.1-2 REQ:3168-6.1.1-10 REQ:3168-5-1 REQ:8311-4.2-1
 * REQ:8311-4.2-2 REQ:8311-2.2-1 REQ:SHLD-8 */
TEST(who_is_asked_agrees_and_marks_new_text)
{
    struct peer p = agreed(1000);

    assert_true(info_of(&p).has_ecn);
    app_write(&p, 1500);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000, .ecn = ECT0);
    expect(&p, .flags = ACK, .seq = 1001, .len = 500, .ecn = ECT0);
    peer_end(&p);
}

TEST(who_is_not_asked_does_not_offer_and_does_not_mark) /* REQ:3168-6.1.1-3 REQ:3168-6.1.1-8 */
{
    const uint8_t no_setup[] = {SYN, SYN | ECE, SYN | CWR};

    for (int i = 0; i < 3; i++) {
        struct peer p = listening(0);
        inject(&p, .flags = no_setup[i], .seq = 0, .mss = 1000);
        expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .ecn = NOT_ECT);
        inject(&p, .flags = ACK, .seq = 1, .ack = 1);
        app_accept(&p);
        assert_false(info_of(&p).has_ecn);
        app_write(&p, 100);
        expect(&p, .flags = ACK, .seq = 1, .len = 100, .ecn = NOT_ECT);
        peer_end(&p);
    }
}

TEST(a_knob_switches_it_off) /* REQ:3168-6.1.1-8 */
{
    struct peer p = listening(.knob = "net.ipv4.tcp_ecn", .value = "0");

    inject(&p, .flags = SYN | ECE | CWR, .seq = 0, .mss = 1000);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    peer_end(&p);
}

static struct peer asking(void)
{
    struct peer p = begin(.knob = "net.ipv4.tcp_ecn", .value = "1");
    struct weir_sockaddr to = {.addr = peer_addr(false), .port = p.port};

    p.sock = weir_socket(p.stack, peer_is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    weir_connect(p.stack, p.sock, &to);
    expect(&p, .flags = SYN | ECE | CWR, .seq = 0, .ecn = NOT_ECT);
    return p;
}

/* A SYN,ACK with ECE alone agrees; one that reflects both, as broken hosts do, does not. */
TEST(a_syn_ack_agrees_by_ece_alone) /* REQ:3168-6.1.1-1 REQ:3168-6.1.1-4 REQ:3168-6.1.1-5
  REQ:3168-6.1.1-9 */
{
    const uint8_t answers[] = {ECE, 0, CWR, ECE | CWR};

    for (int i = 0; i < 4; i++) {
        struct peer p = asking();
        inject(&p, .flags = (uint8_t)(SYN | ACK | answers[i]), .seq = 0, .ack = 1, .mss = 1000);
        expect(&p, .flags = ACK, .seq = 1, .ack = 1, .ecn = NOT_ECT);
        app_write(&p, 100);
        expect(&p, .flags = ACK, .seq = 1, .len = 100, .ecn = i == 0 ? ECT0 : NOT_ECT);
        peer_end(&p);
    }
}

TEST(a_syn_that_is_repeated_asks_no_more) /* REQ:3168-6.1.1.1-2 REQ:3168-6.1.1-4 */
{
    struct peer p = asking();

    expect_after(&p, 1000, .flags = SYN, .seq = 0);
    inject(&p, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1, .mss = 1000);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100, .ecn = NOT_ECT);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

TEST(a_peer_that_asks_no_more_is_not_offered_it) /* REQ:3168-6.1.1-3 REQ:3168-6.1.1-5 */
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN | ECE | CWR, .seq = 0, .mss = 1000);
    expect(&p, .flags = SYN | ACK | ECE, .seq = 0, .ack = 1);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1000, .drop = "tcp_syn_dup");
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100, .ecn = NOT_ECT);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

/* -- what is marked ---------------------------------------------------------------------------- */

/* REQ:3168-5.2-1 REQ:3168-5.2-2 REQ:3168-6.1.4-1 REQ:3168-6.1.5-1 REQ:3168-6.1.6-1 REQ:3168-6.1.2-6
 */
TEST(acks_repetitions_and_probes_are_not_marked)
{
    struct peer p = agreed(1000);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
    expect(&p, .flags = ACK, .ack = 11, .len = 0, .ecn = NOT_ECT);
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100, .ecn = ECT0);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 100, .ecn = NOT_ECT); /* and no CWR */
    inject(&p, .flags = ACK, .seq = 11, .ack = 101, .wnd = CLOSED_WINDOW);
    app_write(&p, 100);
    expect_after(&p, 200, .flags = ACK, .seq = 100, .len = 0, .ecn = NOT_ECT);
    expect_stat(&p, "TcpExtTCPWinProbe", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
    peer_end(&p);
}

TEST(the_program_does_not_touch_the_codepoint) /* REQ:SHLD-22 REQ:3168-5.3-5 */
{
    struct peer p = agreed(1000);
    struct got g;

    app_option(&p, IPPROTO_IP, IP_TOS, IPTOS_LOWDELAY | 3);
    app_write(&p, 100);
    assert_true(peer_next(&p, &g));
    assert_int_equal(g.tos, IPTOS_LOWDELAY | ECT0);
    assert_true(g.is_whole);
    peer_end(&p);
}

/* -- 6.1.3: who receives ----------------------------------------------------------------------- */

/* REQ:3168-6.1.3-1 REQ:3168-6.1.3-2 REQ:3168-6.1.3-3 REQ:3168-6.1.1-7 */
TEST(a_mark_is_echoed_until_the_sender_heard_of_it)
{
    struct peer p = agreed(1000);

    app_write(&p, 10); /* a dialogue: ACKs are delayed */
    expect(&p, .flags = ACK, .seq = 1, .len = 10);
    inject(&p, .flags = ACK, .seq = 1, .ack = 11, .len = 100, .ecn = CE);
    inject(&p, .flags = ACK, .seq = 101, .ack = 11, .len = 100, .ecn = ECT0);
    expect_after(&p, 40, .flags = ACK | ECE, .seq = 11, .ack = 201, .len = 0);
    inject(&p, .flags = ACK, .seq = 201, .ack = 11, .len = 100, .ecn = ECT0);
    app_write(&p, 10);
    expect(&p, .flags = ACK | ECE, .seq = 11, .ack = 301, .len = 10, .ecn = ECT0);
    inject(&p, .flags = ACK | CWR, .seq = 301, .ack = 21, .len = 100, .ecn = ECT0);
    expect_after(&p, 40, .flags = ACK, .seq = 21, .ack = 401, .len = 0);
    inject(&p, .flags = ACK | CWR, .seq = 401, .ack = 21, .len = 100, .ecn = CE); /* a new one */
    expect_after(&p, 40, .flags = ACK | ECE, .seq = 21, .ack = 501, .len = 0);
    peer_end(&p);
}

TEST(a_mark_outside_the_window_or_without_agreement_means_nothing) /* REQ:3168-6.1.5-2 */
{
    struct peer p = agreed(1000);

    inject(&p, .flags = ACK, .seq = 90000, .ack = 1, .len = 10, .ecn = CE, .drop = "tcp_window");
    expect(&p, .flags = ACK, .ack = 1);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&p);
    p = established(.mss = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .ecn = CE);
    expect(&p, .flags = ACK, .ack = 11);
    peer_end(&p);
}

TEST(a_marked_probe_of_a_closed_window_is_echoed) /* REQ:3168-6.1.6-2 */
{
    struct peer p = agreed(1000);

    app_option(&p, SOL_SOCKET, SO_RCVBUF, 2048);
    for (uint32_t at = 1; at < 65535; at += 1285)
        inject(&p, .flags = ACK, .seq = at, .ack = 1, .len = 1285);
    peer_forget_output(&p);
    assert_int_equal(info_of(&p).rcv_wnd, 0);
    inject(&p, .flags = ACK, .seq = 65536, .ack = 1, .len = 1, .ecn = CE, .drop = "tcp_window");
    expect(&p, .flags = ACK | ECE, .ack = 65536, .wnd = CLOSED_WINDOW);
    expect_stat(&p, "TcpExtTCPToZeroWindowAdv", 1);
    peer_end(&p);
}

/* -- 6.1.2: who sends -------------------------------------------------------------------------- */

/* REQ:3168-5-2 REQ:3168-6.1.2-1 REQ:3168-6.1.2-2 REQ:3168-6.1.2-3 REQ:3168-6.1.2-5 */
TEST(an_echo_halves_the_window_once_and_repeats_nothing)
{
    struct peer p = agreed(1000);

    app_write(&p, 20000);
    for (uint32_t i = 0; i < 10; i++)
        expect(&p, .flags = ACK, .seq = 1 + 1000 * i, .len = 1000, .ecn = ECT0);
    inject(&p, .flags = ACK | ECE, .seq = 1, .ack = 1001);
    assert_int_equal(info_of(&p).cwnd, 5000);
    assert_int_equal(info_of(&p).ssthresh, 5000);
    inject(&p, .flags = ACK | ECE, .seq = 1, .ack = 3001); /* the same window */
    inject(&p, .flags = ACK, .seq = 1, .ack = 5001);
    assert_int_equal(info_of(&p).cwnd, 5000);
    expect_quiet(&p);
    inject(&p, .flags = ACK | ECE, .seq = 1, .ack = 6001);
    expect(&p, .flags = ACK | CWR, .seq = 10001, .len = 1000, .ecn = ECT0);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 7001);
    expect(&p, .flags = ACK, .seq = 11001, .len = 1000, .ecn = ECT0); /* said once */
    inject(&p, .flags = ACK | ECE, .seq = 1, .ack = 12001);           /* the next window */
    assert_int_equal(info_of(&p).ssthresh, 2500);
    peer_forget_output(&p);
    peer_end(&p);
}

/* The window is reduced by what one ACK says; of the segments that the next one lets go, the
 * first says that it was. REQ:3168-6.1.2-5 */
TEST(of_several_segments_the_first_carries_cwr) /* REQ:3168-6.1.1-6 */
{
    struct peer p = agreed(1000);

    app_write(&p, 20000);
    peer_forget_output(&p);
    inject(&p, .flags = ACK | ECE, .seq = 1, .ack = 1001);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 9001);
    expect(&p, .flags = ACK | CWR, .seq = 10001, .len = 1000, .ecn = ECT0);
    for (uint32_t at = 11001; at <= 14001; at += 1000)
        expect(&p, .flags = ACK, .seq = at, .len = 1000, .ecn = ECT0);
    expect_quiet(&p);
    peer_end(&p);
}

/* REQ:3168-6.1.2-4 REQ:9438-4.6-6: one segment in each round trip is too much: one in each timeout,
 * as long as the marks go on. */
TEST(an_echo_in_a_window_of_one_waits_for_the_timeout)
{
    struct peer p = agreed_with(1000, "1");

    app_write(&p, 3000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    inject(&p, .flags = ACK | ECE, .seq = 1, .ack = 1001);
    assert_int_equal(info_of(&p).cwnd, 1000);
    expect_after(&p, 200, .flags = ACK | CWR, .seq = 1001, .len = 1000);
    advance_ms(&p, 10);
    inject(&p, .flags = ACK | ECE, .seq = 1, .ack = 2001);
    assert_int_equal(info_of(&p).cwnd, 1000);
    expect_after(&p, 200, .flags = ACK | CWR, .seq = 2001, .len = 1000);
    advance_ms(&p, 10);
    inject(&p, .flags = ACK, .seq = 1, .ack = 3001);
    app_write(&p, 1000);
    expect(&p, .flags = ACK, .seq = 3001, .len = 1000);
    peer_end(&p);
}

TEST(a_loss_is_told_by_cwr_too) /* REQ:3168-6.1.2-5 REQ:3168-6.1.2-6 */
{
    struct peer p = agreed(1000);

    app_write(&p, 5000);
    peer_forget_output(&p);
    for (int i = 0; i < 3; i++)
        inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000, .ecn = NOT_ECT); /* repeated: no CWR */
    inject(&p, .flags = ACK, .seq = 1, .ack = 5001);
    app_write(&p, 1000);
    expect(&p, .flags = ACK | CWR, .seq = 5001, .len = 1000, .ecn = ECT0);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    expect_stat(&p, "TcpExtTCPRenoRecovery", 1);
    peer_end(&p);
}

TEST(an_echo_nobody_agreed_to_means_nothing) /* REQ:3168-6.1.1-4 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 5000);
    peer_forget_output(&p);
    inject(&p, .flags = ACK | ECE, .seq = 1, .ack = 5001);
    assert_int_equal(info_of(&p).ssthresh, UINT32_MAX);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
