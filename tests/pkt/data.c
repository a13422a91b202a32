/* Data on an established connection: acknowledgments, retransmission, windows. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "support/peer.h"

TEST(writes_are_cut_at_mss) /* ROW:108 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 2500);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    expect(&p, .flags = ACK, .seq = 2001, .len = 500);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(nagle_holds_a_second_small_segment_and_nodelay_does_not) /* ROW:54 REQ:MUST-17 REQ:SHLD-7 */
{
    struct peer p = established(.mss = 1000);
    int on = 1;

    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 1, .len = 10);
    app_write(&p, 10);
    expect_quiet(&p);
    weir_setsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    expect(&p, .flags = ACK, .seq = 11, .len = 10);
    peer_end(&p);
}

TEST(timeout_retransmits_and_doubles) /* ROW:29 ROW:56 FSM-343 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 400, .flags = ACK, .seq = 1, .len = 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101);
    advance_ms(&p, 120000);
    expect_quiet(&p);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPTimeouts", 2);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 2);
    peer_end(&p);
}

TEST(too_many_timeouts_end_with_etimedout_and_a_rst) /* ROW:30 FSM-353 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "2");

    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 400, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 800, .flags = RST | ACK);
    app_read_error(&p, ETIMEDOUT);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 2);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 2);
    expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
    peer_end(&p);
}

TEST(three_duplicate_acks_retransmit_at_once) /* ROW:57 ROW:60 FSM-250 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 5000);
    for (uint32_t i = 0; i < 5; i++)
        expect(&p, .flags = ACK, .seq = 1 + 1000 * i, .len = 1000);
    for (int i = 0; i < 2; i++)
        inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 5001);
    expect_quiet(&p);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    expect_stat(&p, "TcpExtTCPRenoRecovery", 1);
    peer_end(&p);
}

TEST(initial_window_is_ten_segments) /* ROW:58 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 20000);
    for (uint32_t i = 0; i < 10; i++)
        expect(&p, .flags = ACK, .seq = 1 + 1000 * i, .len = 1000);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001); /* two more for two acknowledged, and two */
    for (uint32_t i = 10; i < 14; i++)
        expect(&p, .flags = ACK, .seq = 1 + 1000 * i, .len = 1000);
    expect_quiet(&p);
    peer_end(&p);
}

/* ROW:40 REQ:2018-4-1 FSM-165 FSM-292 REQ:SHLD-31 REQ:MAY-13 */
TEST(a_hole_is_told_by_sack_and_filled_in_order)
{
    struct peer p = established(.mss = 1000, .sack_ok = true);

    inject(&p, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{101, 201}});
    app_read_error(&p, EAGAIN);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
    expect(&p, .flags = ACK, .ack = 201);
    app_read(&p, 200);
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    peer_end(&p);
}

TEST(repeated_data_is_acked_and_not_delivered_twice) /* ROW:38 ROW:41 ROW:137 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
    expect(&p, .flags = ACK, .ack = 101);
    app_read(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 100, .drop = "tcp_duplicate");
    expect(&p, .flags = ACK, .ack = 101, .len = 0);
    app_read_error(&p, EAGAIN);
    expect_stat(&p, "TcpExtDelayedACKLost", 1);
    peer_end(&p);
}

TEST(a_delayed_ack_goes_after_40_ms) /* ROW:35 FSM-366 REQ:SHLD-18 REQ:MUST-40 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 10); /* a dialogue: no quick ACKs any more */
    expect(&p, .flags = ACK, .seq = 1, .len = 10);
    inject(&p, .flags = ACK | PSH, .seq = 1, .ack = 11, .len = 10);
    expect_quiet(&p);
    expect_after(&p, 40, .flags = ACK, .seq = 11, .ack = 11, .len = 0);
    peer_end(&p);
}

TEST(a_closed_window_is_probed_and_its_opening_sends) /* REQ:MUST-36 REQ:SHLD-29 FSM-358 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = CLOSED_WINDOW);
    app_write(&p, 100);
    expect_quiet(&p);
    expect_after(&p, 200, .flags = ACK, .seq = 100, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101, .wnd = 1000);
    expect(&p, .flags = ACK, .seq = 101, .len = 100);
    expect_stat(&p, "TcpExtTCPWinProbe", 1);
    peer_end(&p);
}

TEST(ack_of_the_unsent_draws_an_ack_and_no_rst) /* REQ:MAY-12 REQ:9293-3.10.7.4-7 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK, .seq = 1, .ack = 5000, .drop = "tcp_ack_invalid");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_state(&p, WEIR_ESTABLISHED);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&p);
}

TEST(an_old_timestamp_is_dropped_and_acked) /* ROW:72 FSM-154 */
{
    struct peer p = established(.mss = 1000, .has_ts = true);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .has_ts = true, .tsval = 2000);
    expect(&p, .flags = ACK, .ack = 11);
    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .len = 10, .has_ts = true, .tsval = 1500,
           .drop = "tcp_paws");
    expect(&p, .flags = ACK, .ack = 11);
    app_read(&p, 10);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    expect_stat(&p, "TcpExtPAWSEstab", 1);
    peer_end(&p);
}

TEST(keepalive_probes_and_gives_up) /* ROW:36 FSM-362 FSM-364 REQ:MAY-5 REQ:SHLD-12 */
{
    struct peer p = established(.mss = 1000);

    app_option(&p, IPPROTO_TCP, TCP_KEEPIDLE, 10);
    app_option(&p, IPPROTO_TCP, TCP_KEEPINTVL, 5);
    app_option(&p, IPPROTO_TCP, TCP_KEEPCNT, 2);
    app_option(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
    expect_after(&p, 10000, .flags = ACK, .seq = 0, .len = 0);
    expect_after(&p, 5000, .flags = ACK, .seq = 0, .len = 0);
    expect_after(&p, 5000, .flags = RST | ACK);
    app_read_error(&p, ETIMEDOUT);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpExtTCPKeepAlive", 2);
    expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
