/* RACK-TLP, RFC 8985: what is lost by time, what is only late, and the tail. The round trip is 100
 * ms in all of them, so the reordering window is 25 ms at first. */
#include <errno.h>

#include "recovery.h"

TEST(one_hole_is_repaired_at_the_third_sack) /* REQ:8985-6.2-5 REQ:8985-6.2-9 REQ:8985-4-1 */
{
    struct peer p = path(.sack_ok = true);

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    advance_ms(&p, 100);
    sack(&p, 1, {2001, 3001}); /* 1001 is not reported either: it and 1 are late */
    sack(&p, 1, {2001, 4001});
    expect_quiet(&p);
    sack(&p, 1, {2001, 5001});
    expect_burst(&p, 1, 1); /* one for the one that arrived */
    expect_quiet(&p);
    sack(&p, 1, {2001, 6001});
    expect_burst(&p, 1001, 1);
    ack(&p, 8001);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPFastRetrans", 2);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    peer_end(&p);
}

/* REQ:8985-6.2-6 REQ:8985-6.2-10 REQ:8985-3.3.2-1 REQ:8985-9.2-1: less than three are overtaken; a
 * quarter of the round trip later it is lost, and not before. */
TEST(one_sack_waits_for_the_window)
{
    struct peer p = path(.sack_ok = true);

    app_write(&p, 2000);
    expect_burst(&p, 1, 2);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 2001});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    ack(&p, 2001);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    peer_end(&p);
}

TEST(what_is_late_within_the_window_is_no_loss) /* REQ:8985-6.2-4 REQ:8985-3.3.2-1 */
{
    struct peer p = path(.sack_ok = true);

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 3001});
    advance_ms(&p, 24);
    ack(&p, 3001); /* here it is: order was lost, nothing else */
    expect_quiet(&p);
    sack(&p, 3001, {4001, 8001}); /* reordering was seen: four SACKs do not hurry any more */
    expect_quiet(&p);
    advance_ms(&p, 10);
    ack(&p, 8001);
    expect_stat(&p, "TcpExtTCPSACKReorder", 2);
    expect_stat(&p, "TcpRetransSegs", 0);
    peer_end(&p);
}

/* REQ:8985-6.2-7 REQ:8985-3.3.2-4 REQ:8985-4-3: later than the window. The D-SACK takes back what
 * was done, and the window is twice as wide. */
TEST(what_is_later_is_undone_by_a_dsack_and_widens_the_window)
{
    struct peer p = path(.sack_ok = true);
    uint32_t before;

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    before = cwnd_of(&p);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 2001});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    assert_true(ssthresh_of(&p) < before);
    ack(&p, 8001);
    advance_ms(&p, 60);
    sack(&p, 8001, {1, 1001});
    assert_int_equal(cwnd_of(&p), before);
    assert_int_equal(ssthresh_of(&p), UINT32_MAX);
    app_write(&p, 2000);
    expect_burst(&p, 8001, 2);
    advance_ms(&p, 100);
    sack(&p, 8001, {9001, 10001});
    expect_after(&p, 50, .flags = ACK, .seq = 8001, .len = 1000);
    ack(&p, 10001);
    expect_stat(&p, "TcpExtTCPDSACKRecv", 1);
    expect_stat(&p, "TcpExtTCPDSACKUndo", 1);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPFastRetrans", 2);
    expect_stat(&p, "TcpExtTCPSackRecovery", 2);
    peer_end(&p);
}

/* REQ:8985-6.2-8 */
TEST(sixteen_recoveries_later_the_window_is_narrow_again)
{
    struct peer p = path(.sack_ok = true);
    uint32_t at = 1;

    app_write(&p, 1000);
    expect_burst(&p, 1, 1);
    advance_ms(&p, 100);
    ack(&p, 1001);
    for (int i = 0; i <= 16; i++) {
        at += 1000;
        app_write(&p, 2000);
        expect_burst(&p, at, 2);
        if (i == 0)
            sack(&p, at, {1, 1001}); /* now there are sixteen to come */
        advance_ms(&p, 100);
        sack(&p, at, {at + 1000, at + 2000});
        expect_after(&p, i < 16 ? 50 : 25, .flags = ACK, .seq = at, .len = 1000);
        advance_ms(&p, 100);
        at += 1000;
        ack(&p, at + 1000);
    }
    expect_stat(&p, "TcpExtTCPSackRecovery", 17);
    peer_forget();
}

/* REQ:6298-5-1: the timeout counts from the last time that the oldest left. */
TEST(a_retransmission_of_the_oldest_starts_the_timer_again)
{
    struct peer p = path(.sack_ok = true, .knob = "net.ipv4.tcp_early_retrans", .value = "0");

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    advance_ms(&p, 250);
    sack(&p, 1, {1001, 8001});
    expect_burst(&p, 1, 1);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    peer_forget();
}

TEST(tcp_recovery_2_keeps_the_window)
{
    struct peer p = path(.sack_ok = true, .knob = "net.ipv4.tcp_recovery", .value = "3");

    app_write(&p, 2000);
    expect_burst(&p, 1, 2);
    advance_ms(&p, 100);
    sack(&p, 2001, {1, 1001}); /* a D-SACK out of nothing */
    app_write(&p, 2000);
    expect_burst(&p, 2001, 2);
    advance_ms(&p, 100);
    sack(&p, 2001, {3001, 4001});
    expect_after(&p, 25, .flags = ACK, .seq = 2001, .len = 1000);
    peer_forget();
}

TEST(tcp_recovery_4_waits_although_three_were_sacked)
{
    struct peer p = path(.sack_ok = true, .knob = "net.ipv4.tcp_recovery", .value = "5");

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 8001});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    peer_forget();
}

/* REQ:8985-9.2-1: without RACK three segments above decide, whatever the time. */
TEST(tcp_recovery_0_counts_bytes)
{
    struct peer p = path(.sack_ok = true, .knob = "net.ipv4.tcp_recovery", .value = "0");

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 3001});
    advance_ms(&p, 60);
    expect_quiet(&p);
    sack(&p, 1, {1001, 4001});
    expect_burst(&p, 1, 1);
    peer_forget();
}

/* REQ:8985-6.1-1 REQ:8985-6.2-9 REQ:8985-9.2-1: the retransmission has its own time; what was sent
 * after it and arrived says that it is lost too. */
TEST(a_lost_retransmission_is_found)
{
    struct peer p = path(.sack_ok = true);

    app_write(&p, 30000);
    expect_burst(&p, 1, 10);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 7001});
    expect_burst(&p, 1, 1);
    expect_burst(&p, 10001, 1); /* three are in flight, five may be */
    expect_quiet(&p);
    advance_ms(&p, 5);
    sack(&p, 1, {1001, 10001});
    expect_burst(&p, 11001, 3);
    advance_ms(&p, 100); /* 11001 left 5 ms after the retransmission */
    sack(&p, 1, {11001, 12001}, {1001, 10001});
    expect_burst(&p, 1, 1);
    expect_stat(&p, "TcpExtTCPLostRetransmit", 1);
    peer_forget();
}

/* -- the tail ---------------------------------------------------------------------------------- */

TEST(a_probe_goes_after_two_round_trips) /* REQ:8985-7.2-1 REQ:8985-7.2-2 REQ:8985-7.3-4 */
{
    struct peer p = path(.sack_ok = true);

    app_write(&p, 3000);
    expect_burst(&p, 1, 3);
    expect_after(&p, 200, .flags = ACK, .seq = 2001, .len = 1000);
    advance_ms(&p, 100);
    sack(&p, 1, {2001, 3001}); /* it drew the ACK that tells of the rest */
    expect_burst(&p, 1, 1);
    ack(&p, 1001);
    expect_burst(&p, 1001, 1);
    ack(&p, 3001);
    expect_stat(&p, "TcpExtTCPLossProbes", 1);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 3);
    expect_stat(&p, "TcpExtTCPFastRetrans", 2);
    peer_end(&p);
}

/* 7323#4.3: above a hole the echo is of what lies below, older than the probe: it says nothing. */
TEST(a_probe_tells_of_the_rest_whatever_the_ack_echoes)
{
    struct peer p = path(.sack_ok = true, .has_ts = true);

    app_write(&p, 4000);
    expect_burst(&p, 1, 4);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001, .tsval = 1300, .tsecr = 101);
    expect_after(&p, 200, .flags = ACK, .seq = 3001, .len = 1000);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001, .tsval = 1500, .tsecr = 101,
           .sack = {{3001, 4001}});
    expect_burst(&p, 1001, 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001, .tsval = 1600, .tsecr = 501,
           .sack = {{3001, 4001}});
    expect_burst(&p, 2001, 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 0);
    peer_forget();
}

TEST(a_probe_of_new_data_goes_beyond_cwnd) /* REQ:8985-7.3-3 */
{
    struct peer p = path(.sack_ok = true, .knob = "net.weir.tcp_initial_cwnd", .value = "2");

    app_write(&p, 9000);
    expect_burst(&p, 1, 2);
    expect_after(&p, 200, .flags = ACK, .seq = 2001, .len = 1000);
    expect_quiet(&p);
    ack(&p, 3001);
    expect_burst(&p, 3001, 5);
    expect_stat(&p, "TcpExtTCPLossProbes", 1);
    peer_forget();
}

/* REQ:8985-7.3-3: the peer has no room for new text, so the last segment goes again. */
TEST(a_probe_keeps_to_the_window_of_the_peer)
{
    struct peer p = path(.sack_ok = true);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = 3000);
    app_write(&p, 9000);
    expect_burst(&p, 1, 3);
    expect_after(&p, 200, .flags = ACK, .seq = 2001, .len = 1000);
    expect_quiet(&p);
    peer_forget();
}

/* REQ:8985-7.4.2-2 REQ:8985-7.4.2-1: the probe took the place of the last segment; no duplicate
 * came back, so it had been lost, and that costs. */
TEST(what_the_probe_repaired_costs_a_reduction)
{
    struct peer p = path(.sack_ok = true);

    app_write(&p, 4000);
    expect_burst(&p, 1, 4);
    advance_ms(&p, 100);
    ack(&p, 3001);
    expect_after(&p, 250, .flags = ACK, .seq = 3001, .len = 1000); /* the timeout, by now */
    advance_ms(&p, 100);
    ack(&p, 4001);
    assert_int_equal(ssthresh_of(&p), UINT32_MAX); /* not known yet */
    app_write(&p, 1000);
    expect_burst(&p, 4001, 1);
    advance_ms(&p, 100);
    ack(&p, 5001);
    assert_true(ssthresh_of(&p) != UINT32_MAX);
    expect_stat(&p, "TcpExtTCPLossProbes", 1);
    expect_stat(&p, "TcpExtTCPLossProbeRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

TEST(without_more_to_send_a_silent_timeout_says_the_same)
{
    struct peer p = path(.sack_ok = true);

    app_write(&p, 1000);
    expect_burst(&p, 1, 1);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    advance_ms(&p, 100);
    ack(&p, 1001);
    advance_ms(&p, 1000);
    assert_true(ssthresh_of(&p) != UINT32_MAX);
    expect_stat(&p, "TcpExtTCPLossProbes", 1);
    expect_stat(&p, "TcpExtTCPLossProbeRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

static void probe_for_nothing(struct peer *p)
{
    app_write(p, 1000);
    expect_burst(p, 1, 1);
    expect_after(p, 300, .flags = ACK, .seq = 1, .len = 1000);
    ack(p, 1001);
}

TEST(a_dsack_of_the_probe_says_that_both_came) /* REQ:8985-7.3-4 */
{
    struct peer p = path(.sack_ok = true);

    probe_for_nothing(&p);
    advance_ms(&p, 100);
    sack(&p, 1001, {1, 1001});
    advance_ms(&p, 1000);
    assert_int_equal(ssthresh_of(&p), UINT32_MAX);
    expect_stat(&p, "TcpExtTCPLossProbes", 1);
    expect_stat(&p, "TcpExtTCPDSACKRecv", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

TEST(so_does_a_plain_duplicate) /* REQ:8985-7.4.2-1 */
{
    struct peer p = path(.sack_ok = true);

    probe_for_nothing(&p);
    advance_ms(&p, 100);
    ack(&p, 1001);
    advance_ms(&p, 1000);
    assert_int_equal(ssthresh_of(&p), UINT32_MAX);
    expect_stat(&p, "TcpExtTCPLossProbes", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

/* REQ:8985-7.2-4: one segment may wait for the peer's delayed ACK. REQ:8985-7.2-5: never longer
 * than for the timeout. REQ:8985-7.3-1 REQ:8985-7.3-2 REQ:8985-7.3-6: one probe, then the timeout.
 */
TEST(after_one_probe_the_timeout_follows)
{
    struct peer p = path(.sack_ok = true);

    app_write(&p, 1000);
    expect_burst(&p, 1, 1);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    expect_after(&p, 600, .flags = ACK, .seq = 1, .len = 1000);
    ack(&p, 1001);
    expect_stat(&p, "TcpExtTCPLossProbes", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 2);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 2);
    expect_stat(&p, "TcpRetransSegs", 3);
    peer_end(&p);
}

/* REQ:8985-7.3-1 REQ:8985-7.3-2: the ACK of the probe measured nothing (Karn), so no other follows.
 */
TEST(no_probe_before_the_path_was_measured_again)
{
    struct peer p = path(.sack_ok = true);

    probe_for_nothing(&p);
    ack(&p, 1001);
    app_write(&p, 2000);
    expect_burst(&p, 1001, 2);
    expect_after(&p, 300, .flags = ACK, .seq = 1001, .len = 1000);
    ack(&p, 3001);
    app_write(&p, 2000); /* measured: the first of the two was sent once */
    expect_stat(&p, "TcpExtTCPLossProbes", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    peer_forget();
}

TEST(tcp_early_retrans_0_probes_nothing)
{
    struct peer p = path(.sack_ok = true, .knob = "net.ipv4.tcp_early_retrans", .value = "0");

    app_write(&p, 3000);
    expect_burst(&p, 1, 3);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    expect_stat(&p, "TcpExtTCPLossProbes", 0);
    peer_forget();
}

TEST(without_sack_nothing_is_probed) /* REQ:8985-4-1 */
{
    struct peer p = path(.sack_ok = false);

    app_write(&p, 3000);
    expect_burst(&p, 1, 3);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    expect_stat(&p, "TcpExtTCPLossProbes", 0);
    peer_forget();
}

/* REQ:8985-6.3-1: of what was sent shortly before the timeout it is not known that it is lost. */
TEST(a_timeout_takes_for_lost_what_is_old)
{
    struct peer p = path(.sack_ok = true, .knob = "net.ipv4.tcp_early_retrans", .value = "0");

    app_write(&p, 2000);
    expect_burst(&p, 1, 2);
    advance_ms(&p, 250);
    app_write(&p, 2000);
    expect_burst(&p, 2001, 2);
    expect_after(&p, 50, .flags = ACK, .seq = 1, .len = 1000);
    assert_int_equal(info_of(&p).tcpi_lost, 1);
    peer_forget();
}

int main(void)
{
    return peer_tests_run("recovery_rack");
}
