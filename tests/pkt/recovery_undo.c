/* What is taken back when a loss was none: D-SACK, Eifel, F-RTO. RFC 3708, 3522, 4015, 5682. The
 * round trip is 100 ms, the first timeout 300 ms. */
#include <errno.h>

#include "recovery.h"

/* Six segments leave 100 ms after the beginning; by the timestamp the stack's clock reads 101. */
static struct peer with_timestamps(void)
{
    struct peer p = path(.sack_ok = true, .has_ts = true);

    app_write(&p, 6000);
    expect_burst(&p, 1, 6);
    return p;
}

#define ack_ts(p, to, echo, ...) \
    inject(p, .flags = ACK, .seq = 1, .ack = to, .tsval = 2000, .tsecr = echo, __VA_ARGS__)

TEST(eifel_undoes_a_recovery_at_its_end) /* REQ:9438-4.9.2-1 REQ:9438-4.9.2-2 */
{
    struct peer p = with_timestamps();
    uint32_t before = cwnd_of(&p);

    advance_ms(&p, 100);
    ack_ts(&p, 1, 101, .sack = {{1001, 2001}});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    assert_true(ssthresh_of(&p) < before);
    ack_ts(&p, 6001, 101, .sacks = 0); /* of the original, sent at 101 */
    assert_int_equal(cwnd_of(&p), before);
    assert_int_equal(ssthresh_of(&p), UINT32_MAX);
    expect_stat(&p, "TcpExtTCPFullUndo", 1);
    expect_stat(&p, "TcpExtTCPTSReorder", 1);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    peer_end(&p);
}

/* As after a D-SACK: the next segment that is late has 50 ms instead of 25. */
TEST(eifel_widens_the_window_for_reordering)
{
    struct peer p = with_timestamps();

    advance_ms(&p, 100);
    ack_ts(&p, 1, 101, .sack = {{1001, 2001}});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    ack_ts(&p, 6001, 101, .sacks = 0);
    app_write(&p, 6000);
    expect_burst(&p, 6001, 6);
    advance_ms(&p, 100);
    ack_ts(&p, 6001, 101, .sack = {{7001, 8001}});
    expect_after(&p, 50, .flags = ACK, .seq = 6001, .len = 1000);
    peer_forget();
}

TEST(eifel_undoes_a_recovery_on_its_way)
{
    struct peer p = with_timestamps();
    uint32_t before = cwnd_of(&p);

    advance_ms(&p, 100);
    ack_ts(&p, 1, 101, .sack = {{1001, 2001}});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    ack_ts(&p, 2001, 101, .sacks = 0);
    assert_int_equal(cwnd_of(&p), before);
    assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Open);
    expect_stat(&p, "TcpExtTCPPartialUndo", 1);
    expect_stat(&p, "TcpExtTCPFullUndo", 0);
    peer_forget();
}

TEST(the_echo_of_the_retransmission_undoes_nothing)
{
    struct peer p = with_timestamps();
    uint32_t before = cwnd_of(&p);

    advance_ms(&p, 100);
    ack_ts(&p, 1, 101, .sack = {{1001, 2001}});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    advance_ms(&p, 100);
    ack_ts(&p, 6001, 226, .sacks = 0);
    assert_true(cwnd_of(&p) < before);
    expect_stat(&p, "TcpExtTCPFullUndo", 0);
    peer_forget();
}

/* 10001 was sent again in the first recovery, but lies above what ended that: its ACK comes in the
 * second, is older than all that this one sent again, and yet is of no original. */
TEST(the_echo_of_an_earlier_recovery_undoes_nothing)
{
    struct peer p = with_timestamps();
    uint32_t before;

    app_write(&p, 30000);
    expect_burst(&p, 6001, 4);
    advance_ms(&p, 100);
    ack_ts(&p, 1, 101, .sack = {{1001, 10001}});
    expect_burst(&p, 1, 1);
    expect_burst(&p, 10001, 4);
    advance_ms(&p, 100);
    ack_ts(&p, 1, 101, .sack = {{1001, 10001}, {11001, 13001}});
    expect_burst(&p, 10001, 1); /* bears 301 */
    expect_burst(&p, 14001, 2);
    ack_ts(&p, 10001, 201, .sack = {{11001, 13001}});
    assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Disorder);
    expect_burst(&p, 16001, 1);
    before = cwnd_of(&p);
    advance_ms(&p, 60);
    ack_ts(&p, 10001, 201, .sack = {{14001, 16001}, {11001, 13001}});
    expect_burst(&p, 13001, 1); /* bears 361 */
    ack_ts(&p, 13001, 301, .sack = {{14001, 16001}});
    assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Recovery);
    assert_true(ssthresh_of(&p) < before);
    expect_stat(&p, "TcpExtTCPPartialUndo", 0);
    peer_forget();
}

TEST(eifel_undoes_a_timeout)
{
    struct peer p = path(.sack_ok = true, .has_ts = true, .knob = "net.ipv4.tcp_early_retrans",
                         .value = "0");
    uint32_t before;

    app_write(&p, 6000);
    expect_burst(&p, 1, 6);
    before = cwnd_of(&p);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    assert_int_equal(cwnd_of(&p), 1000);
    ack_ts(&p, 1001, 101, .sacks = 0); /* the original was slow */
    assert_in_range(cwnd_of(&p), before, before + 1000);
    assert_int_equal(ssthresh_of(&p), UINT32_MAX);
    expect_quiet(&p); /* the other five are on their way too */
    ack_ts(&p, 6001, 101, .sacks = 0);
    expect_stat(&p, "TcpExtTCPLossUndo", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
    peer_end(&p);
}

/* Two of three retransmissions came twice: one was needed. */
TEST(a_dsack_of_some_undoes_nothing)
{
    struct peer p = path(.sack_ok = true);
    uint32_t before;

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    before = cwnd_of(&p);
    advance_ms(&p, 100);
    sack(&p, 1, {3001, 8001});
    expect_burst(&p, 1, 3);
    advance_ms(&p, 100);
    ack(&p, 8001);
    sack(&p, 8001, {1, 1001});
    sack(&p, 8001, {1001, 2001});
    assert_true(cwnd_of(&p) < before);
    sack(&p, 8001, {2001, 3001}); /* all three */
    assert_int_equal(cwnd_of(&p), before);
    expect_stat(&p, "TcpExtTCPDSACKRecv", 3);
    expect_stat(&p, "TcpExtTCPDSACKUndo", 1);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 3);
    expect_stat(&p, "TcpExtTCPFastRetrans", 3);
    peer_end(&p);
}

TEST(the_question_closes_after_one_timeout)
{
    struct peer p = path(.sack_ok = true);
    uint32_t after;

    app_write(&p, 2000);
    expect_burst(&p, 1, 2);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 2001});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    ack(&p, 2001);
    after = cwnd_of(&p);
    advance_ms(&p, 1000);
    sack(&p, 2001, {1, 1001});
    assert_int_equal(cwnd_of(&p), after);
    expect_stat(&p, "TcpExtTCPDSACKUndo", 0);
    peer_forget();
}

/* -- F-RTO ------------------------------------------------------------------------------------- */

static struct peer timed_out(bool has_sack, const char *frto)
{
    struct peer p = path(.sack_ok = has_sack, .knob = "net.ipv4.tcp_early_retrans", .value = "0",
                         .knob2 = "net.ipv4.tcp_frto", .value2 = frto);

    app_write(&p, 20000);
    expect_burst(&p, 1, 10);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    return p;
}

/* Step 2b: the first ACK brings progress: two new segments. Step 3b: the second acknowledges what
 * was sent once. */
static void is_spurious(struct peer *p)
{
    ack(p, 1001);
    expect_burst(p, 10001, 2);
    expect_quiet(p);
    ack(p, 2001);
    assert_in_range(cwnd_of(p), 10000, 12000);
    assert_int_equal(ssthresh_of(p), UINT32_MAX);
    expect_stat(p, "TcpExtTCPSpuriousRTOs", 1);
    expect_stat(p, "TcpRetransSegs", 1);
    peer_forget();
}

TEST(a_premature_timeout_is_undone_with_sack) /* REQ:9438-4.9.1-1 */
{
    struct peer p = timed_out(true, "2");

    is_spurious(&p);
}

TEST(a_premature_timeout_is_undone_without_sack)
{
    struct peer p = timed_out(false, "2");

    is_spurious(&p);
}

TEST(frto_reverts_at_a_duplicate) /* step 2a */
{
    struct peer p = timed_out(false, "2");

    ack(&p, 1);
    ack(&p, 1001);
    expect_burst(&p, 1001, 2); /* the old, in slow start */
    expect_stat(&p, "TcpExtTCPSpuriousRTOs", 0);
    peer_forget();
}

TEST(frto_goes_on_with_the_old_when_the_second_ack_is_a_duplicate) /* step 3a */
{
    struct peer p = timed_out(false, "2");

    ack(&p, 1001);
    expect_burst(&p, 10001, 2);
    ack(&p, 1001); /* 10001 came; 1001 is still missing */
    expect_burst(&p, 1001, 1);
    expect_stat(&p, "TcpExtTCPSpuriousRTOs", 0);
    peer_forget();
}

TEST(frto_goes_on_with_the_old_when_sack_tells_of_the_new) /* step 3a */
{
    struct peer p = timed_out(true, "2");

    ack(&p, 1001);
    expect_burst(&p, 10001, 2);
    sack(&p, 1001, {10001, 11001});
    expect_burst(&p, 1001, 1);
    expect_stat(&p, "TcpExtTCPSpuriousRTOs", 0);
    peer_forget();
}

TEST(without_new_text_the_old_goes_at_once)
{
    struct peer p = path(.sack_ok = false);

    app_write(&p, 4000);
    expect_burst(&p, 1, 4);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000);
    ack(&p, 1001);
    expect_burst(&p, 1001, 2);
    peer_forget();
}

/* New text waits, but what is not known to be lost fills the window: the answer will not come. */
TEST(where_nothing_new_may_go_the_question_is_dropped)
{
    struct peer p = path(.sack_ok = true, .knob = "net.weir.tcp_initial_cwnd", .value = "4",
                         .knob2 = "net.ipv4.tcp_early_retrans", .value2 = "0");

    app_write(&p, 2000);
    expect_burst(&p, 1, 2);
    advance_ms(&p, 250);
    app_write(&p, 6000);
    expect_burst(&p, 2001, 2);
    expect_after(&p, 50, .flags = ACK, .seq = 1, .len = 1000);
    advance_ms(&p, 20);
    ack(&p, 1001);
    expect_quiet(&p);
    sack(&p, 1001, {2001, 3001}); /* sent once, but nothing was asked */
    expect_burst(&p, 1001, 1);
    expect_stat(&p, "TcpExtTCPSpuriousRTOs", 0);
    peer_forget();
}

TEST(net_ipv4_tcp_frto_0_asks_nothing)
{
    struct peer p = timed_out(true, "0");

    ack(&p, 1001);
    expect_burst(&p, 1001, 2);
    peer_forget();
}

int main(void)
{
    return peer_tests_run("recovery_undo");
}
