/* Windows: closed ones and their probes, silly ones, scaled ones; Nagle. RFC 9293 3.8.6, 7323 2. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "support/peer.h"

/* 100 bytes went and are acknowledged; the window is closed; 1000 bytes wait. */
static struct peer closed_by_the_peer(struct peer p)
{
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = CLOSED_WINDOW);
    app_write(&p, 1000);
    expect_quiet(&p);
    return p;
}

TEST(probes_double_and_go_on_for_ever_while_they_are_answered) /* REQ:MUST-36 REQ:MUST-37 */
{
    struct peer p = closed_by_the_peer(
        established(.mss = 1000, .knob = "net.ipv4.tcp_rto_max_ms", .value = "2000",
                    .knob2 = "net.ipv4.tcp_retries2", .value2 = "3"));

    expect_after(&p, 200, .flags = ACK, .seq = 100, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = CLOSED_WINDOW);
    expect_after(&p, 400, .flags = ACK, .seq = 100, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = CLOSED_WINDOW);
    expect_after(&p, 800, .flags = ACK, .seq = 100, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = CLOSED_WINDOW);
    expect_after(&p, 1600, .flags = ACK, .seq = 100, .len = 0);
    for (int i = 0; i < 10; i++) {
        inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = CLOSED_WINDOW);
        expect_after(&p, 2000, .flags = ACK, .seq = 100, .len = 0);
    }
    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = 5000);
    expect(&p, .flags = ACK, .seq = 101, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1101);
    expect_stat(&p, "TcpExtTCPWinProbe", 14);
    peer_end(&p);
}

TEST(the_backoff_of_probes_is_over_when_the_window_opens)
{
    struct peer p = closed_by_the_peer(established(.mss = 1000));

    for (int64_t ms = 200; ms <= 1600; ms *= 2) {
        expect_after(&p, ms, .flags = ACK, .seq = 100, .len = 0);
        inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = CLOSED_WINDOW);
    }
    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = 10); /* too little; the override comes */
    expect_after(&p, 200, .flags = ACK, .seq = 101, .len = 10);
    expect_after(&p, 200, .flags = ACK, .seq = 101, .len = 10);
    inject(&p, .flags = ACK, .seq = 1, .ack = 111, .wnd = CLOSED_WINDOW);
    expect_after(&p, 200, .flags = ACK, .seq = 110, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 111, .wnd = 5000);
    expect(&p, .flags = ACK, .seq = 111, .len = 990);
    expect_after(&p, 200, .flags = ACK, .seq = 111, .len = 990);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1101);
    expect_stat(&p, "TcpExtTCPWinProbe", 5);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPTimeouts", 2);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 2);
    peer_end(&p);
}

TEST(probes_that_nobody_answers_end_the_connection) /* REQ:MUST-20 */
{
    struct peer p =
        closed_by_the_peer(established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "3"));

    expect_after(&p, 200, .flags = ACK, .seq = 100, .len = 0);
    expect_after(&p, 400, .flags = ACK, .seq = 100, .len = 0);
    expect_after(&p, 800, .flags = ACK, .seq = 100, .len = 0);
    expect_after(&p, 1600, .flags = RST | ACK, .seq = 101);
    app_read_error(&p, ETIMEDOUT);
    expect_stat(&p, "TcpExtTCPWinProbe", 3);
    expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

TEST(a_window_that_opens_a_little_is_used_when_the_override_comes) /* REQ:MUST-38 */
{
    struct peer p = closed_by_the_peer(established(.mss = 1000));

    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = 10);
    expect_quiet(&p);
    expect_after(&p, 200, .flags = ACK, .seq = 101, .len = 10);
    inject(&p, .flags = ACK, .seq = 1, .ack = 111, .wnd = 5000);
    expect(&p, .flags = ACK, .seq = 111, .len = 990);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1101);
    peer_end(&p);
}

TEST(a_window_that_shrinks_leaves_what_is_in_flight_to_the_timer) /* REQ:MUST-34 REQ:7323-2.4-1 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 5000);
    for (uint32_t i = 0; i < 5; i++)
        expect(&p, .flags = ACK, .seq = 1 + 1000 * i, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 1000); /* it was 65535 */
    app_write(&p, 1000);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 5001, .wnd = 1000);
    expect(&p, .flags = ACK, .seq = 5001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 6001);
    peer_end(&p);
}

TEST(an_older_ack_does_not_set_the_window)
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .wnd = 500, .len = 10); /* newer, by its number */
    expect(&p, .flags = ACK, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = 60000);
    app_write(&p, 1000);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .wnd = 2000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    peer_end(&p);
}

TEST(windows_of_both_ends_are_scaled_but_not_in_syns) /* REQ:7323-2.2-7 REQ:7323-2.3-1
  REQ:7323-2.3-4 REQ:7323-2.3-5 */
{
    struct peer p = listening(.knob = "net.ipv4.tcp_rmem", .value = "4096 131072 1048576");

    inject(&p, .flags = SYN, .seq = 0, .mss = 1000, .wscale = 1 + 3, .wnd = 1000);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .wnd = 65535, .wscale = 1 + 5);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = 250); /* 2000 bytes */
    app_accept(&p);
    app_write(&p, 5000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001, .wnd = 0xffff); /* 524,280 bytes */
    for (uint32_t i = 2; i < 5; i++)
        expect(&p, .flags = ACK, .seq = 1 + 1000 * i, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 5001, .wnd = 0xffff, .len = 1000);
    expect_after(&p, 40, .flags = ACK, .seq = 5001, .ack = 1001, .wnd = (131072 - 1000 + 31) / 32);
    app_read(&p, 1000);
    peer_end(&p);
}

TEST(a_shift_above_14_counts_as_14) /* REQ:7323-2.3-7 */
{
    struct peer p = established(.mss = 1000, .wscale = 1 + 15, .wnd = 1);
    struct weir_sock_info info;

    assert_int_equal(weir_info(p.stack, p.sock, &info), 0);
    assert_int_equal(info.snd_wscale, 14);
    assert_int_equal(info.snd_wnd, 1 << 14);
    peer_end(&p);
}

/* The buffer is full: our window is closed. */
static struct peer closed_by_us(void)
{
    struct peer p = established(.mss = 1000, .rcvbuf = 4000); /* doubled, as Linux does */

    for (uint32_t at = 1; at < 8001; at += 1000)
        inject(&p, .flags = ACK | PSH, .seq = at, .ack = 1, .len = 1000);
    return p;
}

TEST(a_closed_window_of_ours_answers_probes_and_opens_by_a_whole_segment) /* REQ:MUST-39 */
{
    struct peer p = closed_by_us();
    struct got g;

    while (peer_next(&p, &g))
        continue;
    assert_int_equal(g.h.wnd, 0);
    assert_int_equal(g.h.ack.v - p.isn, 8001);
    inject(&p, .flags = ACK, .seq = 8001, .ack = 1, .len = 1,
           .drop = "tcp_window"); /* BSD's probe */
    expect(&p, .flags = ACK, .seq = 1, .ack = 8001, .wnd = CLOSED_WINDOW);
    inject(&p, .flags = ACK, .seq = 8000, .ack = 1, .drop = "tcp_window"); /* Linux's */
    expect(&p, .flags = ACK, .seq = 1, .ack = 8001, .wnd = CLOSED_WINDOW);
    app_read(&p, 999);
    expect_quiet(&p);
    app_read(&p, 461);
    expect(&p, .flags = ACK, .seq = 1, .ack = 8001, .wnd = 1460);
    expect_stat(&p, "TcpExtTCPToZeroWindowAdv", 1);
    expect_stat(&p, "TcpExtTCPFromZeroWindowAdv", 1);
    peer_forget();
}

TEST(a_closed_window_of_ours_still_takes_rst_and_ack) /* REQ:MUST-66 */
{
    struct peer p = closed_by_us();
    struct got g;

    while (peer_next(&p, &g))
        continue;
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    inject(&p, .flags = ACK, .seq = 8001, .ack = 101);
    advance_ms(&p, 300);
    expect_quiet(&p); /* acknowledged: not repeated */
    inject(&p, .flags = RST, .seq = 8001);
    expect_state(&p, WEIR_CLOSED);
    peer_forget();
}

/* REQ:2525-2.12-1: the program makes room for a byte, of which nobody is told, and the peer's probe
 * brings one. What the peer acknowledges from then on counts, wherever its numbers are by now. */
TEST(a_probe_of_a_nearly_full_window_locks_nobody_out)
{
    struct peer p = closed_by_us();
    struct got g;

    app_read(&p, 1);
    while (peer_next(&p, &g))
        continue;
    inject_and_judge(&p, &(struct segment){.flags = ACK, .seq = 8001, .ack = 1, .len = 1});
    assert_true(peer_next(&p, &g));
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    inject(&p, .flags = ACK, .seq = g.h.ack.v - p.isn, .ack = 101);
    advance_ms(&p, 2000);
    expect_quiet(&p); /* acknowledged: not repeated */
    peer_forget();
}

TEST(nagle_waits_for_the_ack_and_cork_for_200_ms_or_its_end)
{
    struct peer p = established(.mss = 1000);

    app_option(&p, IPPROTO_TCP, TCP_CORK, 1);
    app_write(&p, 1500);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect_quiet(&p);
    app_option(&p, IPPROTO_TCP, TCP_CORK, 0);
    expect(&p, .flags = ACK, .seq = 1001, .len = 500);
    app_write(&p, 10);
    expect_quiet(&p); /* Nagle: 500 bytes are out */
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1501);
    expect(&p, .flags = ACK, .seq = 1501, .len = 10);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1511);
    peer_end(&p);
}

TEST(a_cork_that_is_forgotten_holds_for_200_ms)
{
    struct peer p = established(.mss = 1000);

    app_option(&p, IPPROTO_TCP, TCP_CORK, 1);
    app_write(&p, 10);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 10);
    inject(&p, .flags = ACK, .seq = 1, .ack = 11);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run("windows");
}
