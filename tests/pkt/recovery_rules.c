/* Rules of loss recovery that hold beside each other: what a loss costs, what a D-SACK is, which
 * timer runs. The round trip is 100 ms, a segment 1000 bytes, numbers are Reno's. */
#include "recovery.h"

static void drain(struct peer *p)
{
    for (struct got g; peer_next(p, &g);)
        ;
}

static struct peer in_flight(struct peer p, uint32_t segments)
{
    app_write(&p, segments * PATH_MSS);
    expect_burst(&p, 1, segments);
    return p;
}

/* -- what a loss costs ------------------------------------------------------------------------- */

/* Each of two windows lost one: half, and half of that. */
TEST(a_loss_in_the_next_window_costs_as_much)
{
    struct peer p = in_flight(path(.sack_ok = true), 8);

    advance_ms(&p, 100);
    sack(&p, 1, {1001, 8001});
    expect_burst(&p, 1, 1);
    assert_int_equal(ssthresh_of(&p), 4000);
    ack(&p, 8001);
    app_write(&p, 4000);
    expect_burst(&p, 8001, 4);
    advance_ms(&p, 100);
    sack(&p, 8001, {9001, 12001});
    expect_burst(&p, 8001, 1);
    assert_int_equal(ssthresh_of(&p), 2000);
    assert_int_equal(cwnd_of(&p), 2000);
    peer_forget();
}

/* REQ:6675-5-8: what came in the recovery and was reported stays reported. 8001 is lost, the end of
 * the recovery says nothing of what lies above, and the timeout repeats only what is missing. */
TEST(the_end_of_a_recovery_forgets_no_report)
{
    struct peer p =
        in_flight(path(.sack_ok = true, .knob = "net.ipv4.tcp_early_retrans", .value = "0"), 8);

    advance_ms(&p, 100);
    sack(&p, 1, {1001, 8001});
    expect_burst(&p, 1, 1);
    app_write(&p, 3000);
    expect_burst(&p, 8001, 3);
    advance_ms(&p, 20);
    sack(&p, 1, {9001, 11001}, {1001, 8001});
    ack(&p, 8001);
    drain(&p);
    assert_int_equal(info_of(&p).tcpi_sacked, 2);
    advance_ms(&p, 1000);
    for (int i = 0; i < 2; i++) /* two timeouts */
        expect_burst(&p, 8001, 1);
    expect_quiet(&p);
    ack(&p, 11001);
    peer_forget();
}

/* REQ:6675-4-10: cwnd has room for two, and there is neither a hole nor new text: 7001 may be on
 * its way still. */
TEST(where_no_rule_applies_nothing_goes)
{
    static const char *const recovery[] = {"0", "1"};

    for (int i = 0; i < 2; i++) {
        struct peer p = in_flight(
            path(.sack_ok = true, .knob = "net.ipv4.tcp_recovery", .value = recovery[i]), 8);

        advance_ms(&p, 100);
        sack(&p, 1, {1001, 7001});
        expect_burst(&p, 1, 1);
        expect_quiet(&p);
        assert_true(cwnd_of(&p) >= 3000);
        peer_forget();
    }
}

/* REQ:8985-4-1: without SACK it is three duplicates. REQ:6582-3.2-1: the first flight of all may
 * lose its first segment. */
TEST(the_first_segment_of_all_is_repaired)
{
    struct peer p = in_flight(path(.sack_ok = false), 4);

    advance_ms(&p, 100);
    for (int i = 0; i < 3; i++)
        ack(&p, 1);
    expect_burst(&p, 1, 1);
    expect_stat(&p, "TcpExtTCPRenoRecovery", 1);
    peer_forget();
}

/* REQ:6582-3.2-6 REQ:6582-6-2: a partial ACK takes all that was counted, and the recovery goes on:
 * the next hole at once, and new text beside it. */
TEST(a_partial_ack_sends_the_hole_and_new_text)
{
    struct peer p = in_flight(path(.sack_ok = false), 10);

    app_write(&p, 10000);
    advance_ms(&p, 100);
    for (int i = 0; i < 3; i++)
        ack(&p, 1);
    expect_burst(&p, 10001, 2); /* limited transmit */
    expect_burst(&p, 1, 1);
    for (int i = 0; i < 5; i++)
        ack(&p, 1);
    drain(&p);
    advance_ms(&p, 100);
    ack(&p, 5001);
    expect_burst(&p, 5001, 1);
    expect(&p, .flags = ACK, .len = 1000);
    assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Recovery);
    expect_stat(&p, "TcpExtTCPRenoRecovery", 1);
    peer_forget();
}

/* 2525#2.14: one timeout, one segment; and one fast retransmission, with room for its options. */
TEST(a_timeout_and_a_recovery_send_one_segment_each) /* REQ:2525-2.14-1 */
{
    struct peer p = path(.sack_ok = false, .has_ts = true, .knob = "net.ipv4.tcp_frto",
                         .value = "0");

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    advance_ms(&p, 100);
    for (int i = 0; i < 3; i++)
        inject(&p, .flags = ACK, .seq = 1, .ack = 1, .tsval = 1200, .tsecr = 1);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000, .has_ts = true);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 8001, .tsval = 1300, .tsecr = 200);
    app_write(&p, 4000);
    expect_burst(&p, 8001, 4);
    expect_after(&p, 250, .flags = ACK, .seq = 8001, .len = 1000, .has_ts = true);
    expect_quiet(&p);
    peer_forget();
}

/* -- what a D-SACK is -------------------------------------------------------------------------- */

/* REQ:2883-5-1: it lies below the ACK that bears it, however far that ACK moved SND.UNA. */
TEST(a_block_below_its_own_ack_is_a_dsack)
{
    struct peer p = in_flight(path(.sack_ok = true), 4);

    advance_ms(&p, 100);
    sack(&p, 4001, {1001, 2001});
    expect_stat(&p, "TcpExtTCPDSACKRecv", 1);
    ack(&p, 4001);
    peer_end(&p);
}

/* REQ:2883-5-1: an ACK that was overtaken tells of a hole that is filled by now, of no duplicate.
 */
TEST(a_block_above_its_own_ack_is_none_whatever_came_since)
{
    struct peer p = in_flight(path(.sack_ok = true), 4);

    advance_ms(&p, 100);
    ack(&p, 4001);
    sack(&p, 1001, {2001, 3001});
    expect_stat(&p, "TcpExtTCPDSACKRecv", 0);
    expect_stat(&p, "TcpExtTCPDSACKOfoRecv", 0);
    peer_end(&p);
}

/* REQ:2883-5-1: above the ACK it is one inside the second block; what reaches beyond the ACK, or
 * lies beside the second block, is none. */
TEST(a_block_inside_the_second_is_a_dsack)
{
    struct peer p = in_flight(path(.sack_ok = true), 6);

    advance_ms(&p, 10);
    sack(&p, 2001, {1001, 3001});
    sack(&p, 2001, {3001, 4001}, {5001, 6001});
    expect_stat(&p, "TcpExtTCPDSACKRecv", 0);
    expect_stat(&p, "TcpExtTCPDSACKOfoRecv", 0);
    sack(&p, 2001, {3001, 3501}, {3001, 4001}, {5001, 6001});
    expect_stat(&p, "TcpExtTCPDSACKRecv", 0);
    expect_stat(&p, "TcpExtTCPDSACKOfoRecv", 1);
    peer_forget();
}

/* REQ:2883-4-2: two come twice, one ACK each: it names the one that it answers. */
TEST(each_ack_names_the_repeat_that_it_answers)
{
    struct peer p = path(.sack_ok = true);

    for (uint32_t at = 1; at < 1001; at += 500) {
        inject(&p, .flags = ACK, .seq = at, .ack = 1, .len = 500);
        expect(&p, .flags = ACK, .ack = at + 500, .sacks = NO_SACK);
    }
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 500, .drop = "tcp_duplicate");
    expect(&p, .flags = ACK, .ack = 1001, .sack = {{1, 501}});
    inject(&p, .flags = ACK, .seq = 501, .ack = 1, .len = 500, .drop = "tcp_duplicate");
    expect(&p, .flags = ACK, .ack = 1001, .sack = {{501, 1001}});
    inject(&p, .flags = ACK, .seq = 1501, .ack = 1, .len = 500);
    expect(&p, .flags = ACK, .ack = 1001, .sack = {{1501, 2001}}); /* a hole, nothing twice */
    peer_forget();
}

/* -- probes and timers ------------------------------------------------------------------------- */

/* REQ:8985-7.3-5: the probe has its own time. It arrives after 100 ms, so all that left 200 ms
 * before it is lost, and no window is waited for. */
TEST(a_probe_is_dated_as_any_segment)
{
    struct peer p = in_flight(path(.sack_ok = true), 4);

    expect_after(&p, 200, .flags = ACK, .seq = 3001, .len = 1000);
    advance_ms(&p, 100);
    sack(&p, 1, {3001, 4001});
    expect_burst(&p, 1, 1);
    peer_forget();
}

/* REQ:8985-7.1-1: a recovery, or a timeout, ends what was asked by a probe: its answer costs no
 * second time. */
TEST(a_recovery_ends_the_question_of_a_probe)
{
    for (int by_timeout = 0; by_timeout < 2; by_timeout++) {
        struct peer p = in_flight(path(.sack_ok = true), 4);

        expect_after(&p, 200, .flags = ACK, .seq = 3001, .len = 1000);
        if (by_timeout) {
            advance_ms(&p, 400);
            assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Loss);
        } else {
            advance_ms(&p, 100);
            sack(&p, 1, {3001, 4001});
            assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Recovery);
        }
        drain(&p);
        ack(&p, 4001);
        app_write(&p, 1000);
        drain(&p);
        advance_ms(&p, 100);
        ack(&p, 5001);
        advance_ms(&p, 1000);
        assert_int_equal(ssthresh_of(&p), 2000);
        expect_stat(&p, "TcpExtTCPLossProbeRecovery", 0);
        peer_forget();
    }
}

/* REQ:8985-8-1: at 150 ms a hole shows, and its timer takes the place of the probe's, due at 200;
 * then the retransmission's takes its place. */
TEST(one_timer_runs_at_a_time)
{
    struct peer p = in_flight(path(.sack_ok = true), 5);

    advance_ms(&p, 150);
    sack(&p, 1, {1001, 2001});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPLossProbes", 0);
    /* the window closes behind all that was sent: nothing is repeated, it is asked about */
    ack(&p, 5001);
    app_write(&p, 1000);
    drain(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 6001, .wnd = CLOSED_WINDOW);
    app_write(&p, 1000);
    advance_ms(&p, 2000);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    peer_forget();
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
