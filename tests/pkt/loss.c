/* Loss: timeouts, fast retransmit, NewReno, SACK. RFC 6298, 5681, 6582, 6675, 2018, 3042. */
#include <errno.h>

#include "support/peer.h"

/* n segments of 1000 bytes leave; the first begins at `from`. */
static void expect_burst(struct peer *p, uint32_t from, int n)
{
    for (int i = 0; i < n; i++)
        expect(p, .flags = ACK, .seq = from + 1000u * (uint32_t)i, .len = 1000);
}

static void inject_duplicates(struct peer *p, uint32_t ack, int n)
{
    for (int i = 0; i < n; i++)
        inject(p, .flags = ACK, .seq = 1, .ack = ack);
}

TEST(timeouts_double_up_to_the_ceiling) /* REQ:6298-5-5 REQ:6298-5-6 REQ:6298-5-7 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_rto_max_ms", .value = "1000");

    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 400, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 800, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 1000, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 1000, .flags = ACK, .seq = 1, .len = 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101);
    app_write(&p, 100); /* the ACK of a retransmission measures nothing (Karn), but ends it */
    expect(&p, .flags = ACK, .seq = 101, .len = 100);
    expect_after(&p, 200, .flags = ACK, .seq = 101, .len = 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 201);
    expect_stat(&p, "TcpRetransSegs", 6);
    expect_stat(&p, "TcpExtTCPTimeouts", 6);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 6);
    peer_end(&p);
}

TEST(each_ack_of_something_new_restarts_the_timer) /* REQ:6298-5-4 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 2000);
    expect_burst(&p, 1, 2);
    advance_ms(&p, 150);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    expect_after(&p, 200, .flags = ACK, .seq = 1001, .len = 1000); /* from now on */
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
    peer_end(&p);
}

TEST(after_a_timeout_it_begins_with_one_segment) /* REQ:8985-9.3-1 REQ:6582-3.2-8 REQ:9438-4.10-1
                                                    REQ:5681-3.1-19 REQ:5681-3.1-17 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 6000);
    expect_burst(&p, 1, 6);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 1000);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    expect_burst(&p, 1001, 2);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 3001); /* ssthresh is 3: one more, then a third */
    expect_burst(&p, 3001, 3);
    inject(&p, .flags = ACK, .seq = 1, .ack = 6001);
    expect_stat(&p, "TcpRetransSegs", 6);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 6);
    peer_end(&p);
}

TEST(two_duplicates_send_new_data_and_the_third_retransmits) /* REQ:3042-2-1 REQ:5681-3.2-3
                                                                REQ:5681-3.2-4 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 20000);
    expect_burst(&p, 1, 10);
    inject_duplicates(&p, 1, 1);
    expect_burst(&p, 10001, 1);
    inject_duplicates(&p, 1, 1);
    expect_burst(&p, 11001, 1);
    inject_duplicates(&p, 1, 1);
    expect_burst(&p, 1, 1);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 12001);
    peer_forget();
}

TEST(newreno_repairs_one_hole_for_each_partial_ack) /* REQ:6582-3.2-3 REQ:6582-3.2-4 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_congestion_control",
                                .value = "reno");

    app_write(&p, 8000); /* 1 and 3001 are lost */
    expect_burst(&p, 1, 8);
    inject_duplicates(&p, 1, 3);
    expect_burst(&p, 1, 1);
    inject_duplicates(&p, 1, 3);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 3001);
    expect_burst(&p, 3001, 1);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 8001);
    app_write(&p, 10000); /* cwnd is half of the flight of 8, and full again */
    expect_burst(&p, 8001, 4);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 12001);
    peer_forget();
}

TEST(duplicates_after_recovery_tell_of_the_same_flight) /* REQ:6582-3.2-2 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 1000);
    inject_duplicates(&p, 1, 5); /* below `recover`: of what the timeout has repeated already */
    expect_quiet(&p);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
    expect_stat(&p, "TcpExtTCPRenoRecovery", 0);
    peer_end(&p);
}

TEST(what_is_no_duplicate_is_not_counted)
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 5000);
    expect_burst(&p, 1, 5);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10); /* carries text */
    expect_after(&p, 40, .flags = ACK, .seq = 5001, .ack = 11);
    for (uint32_t i = 0; i < 4; i++) /* changes the window */
        inject(&p, .flags = ACK, .seq = 11, .ack = 1, .wnd = 30000 + i);
    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .wnd = 30003);
    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .wnd = 30003);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .wnd = 30003);
    expect_burst(&p, 1, 1);
    inject(&p, .flags = ACK, .seq = 11, .ack = 5001);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    expect_stat(&p, "TcpExtTCPRenoRecovery", 1);
    peer_end(&p);
}

TEST(sack_repairs_exactly_the_holes) /* REQ:6675-5-1 */
{
    struct peer p = established(.mss = 1000, .sack_ok = true);

    app_write(&p, 8000); /* 1 and 3001 are lost */
    expect_burst(&p, 1, 8);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 2001}});
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 3001}});
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sack = {{4001, 5001}, {1001, 3001}});
    expect_burst(&p, 1, 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sack = {{4001, 6001}, {1001, 3001}});
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sack = {{4001, 7001}, {1001, 3001}});
    expect_burst(&p, 3001, 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sack = {{4001, 8001}, {1001, 3001}});
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 8001);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPFastRetrans", 2);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    peer_end(&p);
}

TEST(sack_of_what_was_never_sent_is_ignored)
{
    struct peer p = established(.mss = 1000, .sack_ok = true, .knob = "net.ipv4.tcp_early_retrans",
                                .value = "0");

    app_write(&p, 2000);
    expect_burst(&p, 1, 2);
    for (int i = 0; i < 5; i++)
        inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sack = {{2001, 9001}, {1500, 1400}});
    expect_quiet(&p);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001);
    peer_forget();
}

/* REQ:2018-4-6 REQ:2018-4-7 REQ:2018-4-8 ROW:52 */
TEST(the_first_sack_block_is_the_newest_and_three_go_with_timestamps)
{
    struct peer p = established(.mss = 1000, .sack_ok = true, .has_ts = true);

    inject(&p, .flags = ACK, .seq = 101, .ack = 1, .len = 100, .tsval = 2000);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{101, 201}});
    inject(&p, .flags = ACK, .seq = 301, .ack = 1, .len = 100, .tsval = 2000);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{301, 401}, {101, 201}});
    inject(&p, .flags = ACK, .seq = 701, .ack = 1, .len = 100, .tsval = 2000);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{701, 801}, {301, 401}, {101, 201}});
    inject(&p, .flags = ACK, .seq = 501, .ack = 1, .len = 100, .tsval = 2000);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{501, 601}, {701, 801}, {301, 401}});
    inject(&p, .flags = ACK, .seq = 201, .ack = 1, .len = 100, .tsval = 2000); /* two become one */
    expect(&p, .flags = ACK, .ack = 1, .sack = {{101, 401}, {501, 601}, {701, 801}});
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 100, .tsval = 2000);
    expect(&p, .flags = ACK, .ack = 401, .sack = {{501, 601}, {701, 801}});
    app_read(&p, 400);
    expect_stat(&p, "TcpExtTCPOFOQueue", 5);
    peer_end(&p);
}

TEST(four_blocks_go_without_timestamps)
{
    struct peer p = established(.mss = 1000, .sack_ok = true);

    for (uint32_t i = 0; i < 5; i++)
        inject(&p, .flags = ACK, .seq = 101 + 200 * i, .ack = 1, .len = 100);
    for (uint32_t i = 0; i < 4; i++)
        expect(&p, .flags = ACK, .ack = 1);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{901, 1001}, {701, 801}, {501, 601}, {301, 401}});
    expect_stat(&p, "TcpExtTCPOFOQueue", 5);
    peer_end(&p);
}

TEST(without_sack_no_block_is_sent) /* REQ:2018-4-3 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK, .seq = 101, .ack = 1, .len = 100);
    expect(&p, .flags = ACK, .ack = 1, .sacks = NO_SACK);
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    peer_end(&p);
}

TEST(after_a_lost_syn_it_begins_with_one_segment_and_three_seconds) /* REQ:6298-5-8 REQ:5681-3.1-4
   REQ:6928-2-2 */
{
    struct peer p = connecting(0);

    expect_after(&p, 1000, .flags = SYN, .seq = 0);
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 0);
    app_write(&p, 3000);
    expect_burst(&p, 1, 1);
    expect_after(&p, 3000, .flags = ACK, .seq = 1, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    expect_burst(&p, 1001, 2);
    inject(&p, .flags = ACK, .seq = 1, .ack = 3001);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
    peer_end(&p);
}

TEST(after_a_lost_syn_ack_a_timestamp_measures)
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1012, .tsval = 1000);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_after(&p, 1000, .flags = SYN | ACK, .seq = 0, .ack = 1, .tsval = 1001);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .tsval = 1001, .tsecr = 1001);
    app_accept(&p);
    app_write(&p, 3000);
    expect_burst(&p, 1, 1);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 1000); /* 100 + 4 * 50 */
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001, .tsval = 1002);
    expect_burst(&p, 1001, 2);
    inject(&p, .flags = ACK, .seq = 1, .ack = 3001, .tsval = 1002);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
    peer_end(&p);
}

TEST(a_lost_fin_is_sent_again)
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 500);
    expect(&p, .flags = ACK, .seq = 1, .len = 500);
    app_shut_write(&p);
    expect(&p, .flags = FIN | ACK, .seq = 501, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 501);
    expect_after(&p, 200, .flags = FIN | ACK, .seq = 501, .len = 0);
    expect_after(&p, 400, .flags = FIN | ACK, .seq = 501, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 502);
    expect_state(&p, WEIR_FIN_WAIT_2);
    peer_forget();
}

int main(void)
{
    return peer_tests_run("loss");
}
