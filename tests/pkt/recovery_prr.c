/* Recovery itself: holes, what goes while it lasts (PRR, RFC 9937 and 6937), NewReno, reneging,
 * lost ACKs. The round trip is 100 ms. */
#include <errno.h>

#include "recovery.h"

static struct peer twenty_in_flight(bool has_sack)
{
    struct peer p = path(.sack_ok = has_sack, .knob = "net.weir.tcp_initial_cwnd", .value = "20");

    app_write(&p, 60000);
    expect_burst(&p, 1, 20);
    advance_ms(&p, 100);
    return p;
}

/* REQ:6937-3-1 REQ:6937-3-3 REQ:6937-3-7 REQ:6937-3.1-1 REQ:8985-9.3-1 REQ:8985-9.3-2
 * REQ:5681-4.3-2 REQ:6675-5-12 REQ:6582-6-1: one of twenty is lost. Each byte that arrives lets
 * half a byte go: every second ACK sends one segment. cwnd is what is in flight and what may go
 * beside it, to the byte. */
TEST(the_reduction_is_spread_over_the_round_trip)
{
    struct peer p = twenty_in_flight(true);
    uint32_t next = 22001, sent = 1;

    sack(&p, 1, {1001, 2001});
    sack(&p, 1, {1001, 3001});
    expect_burst(&p, 20001, 2); /* limited transmit: two left the network */
    sack(&p, 1, {1001, 4001});
    expect_burst(&p, 1, 1);
    assert_int_equal(ssthresh_of(&p), 10000);
    /* 22 were in flight, two of them reported before: 20 are to become 10 */
    assert_int_equal(cwnd_of(&p), 18500); /* 18 are in flight, half of one is due */
    for (uint32_t n = 2; n <= 15; n++) {  /* the n-th that arrives */
        uint32_t share = n * 500;         /* n * 1000 * 10000 / 20000 */
        uint32_t may = share - sent * 1000;
        sack(&p, 1, {1001, 3001 + n * 1000});
        if (may >= 1000) {
            expect_burst(&p, next, 1);
            next += 1000;
            sent++;
        }
        expect_quiet(&p);
    }
    sack(&p, 1, {1001, 19001}); /* ten are in flight, as many as may be */
    expect_quiet(&p);
    for (uint32_t n = 17; n <= 18; n++) { /* from now on one for one */
        sack(&p, 1, {1001, 3001 + n * 1000});
        expect_burst(&p, next, 1);
        next += 1000;
    }
    ack(&p, 22001);
    assert_int_equal(cwnd_of(&p), 10000); /* REQ:6937-4-1 */
    expect_burst(&p, next, 2);            /* eight are on their way: no burst at the end */
    expect_quiet(&p);
    peer_forget();
}

/* REQ:6937-3-5 REQ:6937-3-6 REQ:6937-8-1: most of the flight is lost: from below, what arrives goes
 * out again, and one more where the ACK brings progress and nothing new is missing. */
TEST(from_below_it_grows_to_ssthresh_as_in_slow_start)
{
    struct peer p = twenty_in_flight(true);

    sack(&p, 1, {17001, 20001}); /* 17 of 20 are lost, ssthresh is 10 */
    expect_burst(&p, 1, 3);      /* three arrived */
    advance_ms(&p, 100);
    ack(&p, 1001); /* progress, no new loss: one for it and one more */
    expect_burst(&p, 3001, 2);
    assert_int_equal(cwnd_of(&p), 4000);
    ack(&p, 2001);
    expect_burst(&p, 5001, 2);
    ack(&p, 3001);
    expect_burst(&p, 7001, 2);
    expect_quiet(&p);
    assert_int_equal(cwnd_of(&p), 6000);
    peer_forget();
}

TEST(many_holes_are_repaired_in_order) /* REQ:6675-4-2 */
{
    struct peer p = twenty_in_flight(true);

    sack(&p, 1, {1001, 2001});
    sack(&p, 1, {3001, 4001}, {1001, 2001});
    expect_burst(&p, 20001, 2);
    sack(&p, 1, {5001, 6001}, {3001, 4001}, {1001, 2001});
    expect_burst(&p, 1, 1);
    sack(&p, 1, {7001, 20001}, {5001, 6001}, {3001, 4001}, {1001, 2001});
    expect_burst(&p, 2001, 1);
    expect_burst(&p, 4001, 1);
    expect_burst(&p, 6001, 1);
    for (int i = 0; i < 4; i++)
        expect(&p, .flags = ACK, .seq = 22001 + 1000 * (uint32_t)i, .len = 1000);
    expect_quiet(&p);
    peer_forget();
}

/* All ACKs of a flight but the last are lost: nothing is. */
TEST(lost_acks_are_no_loss)
{
    struct peer p = twenty_in_flight(true);

    ack(&p, 20001);
    expect_burst(&p, 20001, 40);
    expect_stat(&p, "TcpRetransSegs", 0);
    expect_stat(&p, "TcpExtTCPSackRecovery", 0);
    peer_forget();
}

/* REQ:6937-4-1 */
TEST(a_recovery_that_ends_at_once_ends_at_ssthresh)
{
    struct peer p = twenty_in_flight(true);

    sack(&p, 1, {1001, 4001});
    expect_burst(&p, 1, 1);
    ack(&p, 20001);
    assert_int_equal(ssthresh_of(&p), 10000);
    assert_int_equal(cwnd_of(&p), 10000);
    peer_forget();
}

/* REQ:6937-4-1 REQ:6937-3-6: three ACKs instead of nineteen. */
TEST(lost_acks_in_recovery_change_nothing_of_where_it_ends)
{
    struct peer p = twenty_in_flight(true);

    sack(&p, 1, {1001, 4001});
    expect_burst(&p, 1, 1);
    sack(&p, 1, {1001, 12001}); /* nine are in flight */
    expect_burst(&p, 20001, 1);
    sack(&p, 1, {1001, 20001}); /* two are */
    expect_burst(&p, 21001, 8);
    expect_quiet(&p);
    ack(&p, 20001);
    assert_int_equal(cwnd_of(&p), 10000);
    peer_forget();
}

/* REQ:3042-2-1 REQ:3042-2-2 */
TEST(limited_transmit_with_sack)
{
    struct peer p = twenty_in_flight(true);
    uint32_t before = cwnd_of(&p);

    sack(&p, 1, {1001, 2001});
    expect_burst(&p, 20001, 1);
    sack(&p, 1, {1001, 3001});
    expect_burst(&p, 21001, 1);
    assert_int_equal(cwnd_of(&p), before);
    peer_forget();
}

/* REQ:6582-3.2-4 REQ:6582-3.2-2: three holes, no SACK: one for each partial ACK, one reduction. */
TEST(newreno_repairs_three_holes_in_three_round_trips)
{
    struct peer p = twenty_in_flight(false);

    for (int i = 0; i < 17; i++)
        ack(&p, 1);
    expect_burst(&p, 20001, 2);
    expect_burst(&p, 1, 1);
    for (struct got g; peer_next(&p, &g);) /* new text, by PRR */
        ;
    advance_ms(&p, 100);
    ack(&p, 5001);
    expect_burst(&p, 5001, 1);
    for (struct got g; peer_next(&p, &g);)
        ;
    advance_ms(&p, 100);
    ack(&p, 9001);
    expect_burst(&p, 9001, 1);
    for (struct got g; peer_next(&p, &g);)
        ;
    expect_stat(&p, "TcpExtTCPRenoRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 3);
    peer_forget();
}

/* REQ:6582-3.2-2: what ends a recovery exactly is followed by duplicates of its own
 * retransmissions.
 */
TEST(duplicates_at_the_end_of_a_recovery_begin_none)
{
    struct peer p = path(.sack_ok = false);

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    advance_ms(&p, 100);
    for (int i = 0; i < 3; i++)
        ack(&p, 1);
    expect_burst(&p, 1, 1);
    ack(&p, 8001);
    app_write(&p, 4000);
    expect_burst(&p, 8001, 4);
    for (int i = 0; i < 5; i++)
        ack(&p, 8001);
    expect_quiet(&p);
    expect_stat(&p, "TcpExtTCPRenoRecovery", 1);
    peer_forget();
}

/* REQ:2018-8-4 REQ:2018-5-3 REQ:2018-5.1-2: what was reported is asked for. */
TEST(a_receiver_that_reneges_gets_it_again)
{
    struct peer p = path(.sack_ok = true, .knob = "net.ipv4.tcp_early_retrans", .value = "0");

    app_write(&p, 3000);
    expect_burst(&p, 1, 3);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 3001});
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    ack(&p, 1001); /* and the rest is gone */
    for (int i = 0; i < 2 && p.stack; i++)
        advance_ms(&p, 150);
    expect_burst(&p, 1001, 1);
    ack(&p, 2001);
    expect_burst(&p, 2001, 1);
    ack(&p, 3001);
    expect_stat(&p, "TcpExtTCPSACKReneging", 1);
    peer_forget();
}

/* A peer that reports single bytes: blocks beyond the bound are left aside. */
TEST(tiny_sack_blocks_are_bounded)
{
    struct peer p = path(.sack_ok = true, .knob = "net.weir.tcp_sack_runs", .value = "8");

    app_write(&p, 10000);
    expect_burst(&p, 1, 10);
    advance_ms(&p, 10);
    for (uint32_t i = 0; i < 100; i++)
        sack(&p, 1, {101 + 10 * i, 102 + 10 * i});
    expect_stat(&p, "TcpExtTCPSACKDiscard", 92);
    assert_in_range(info_of(&p).tcpi_sacked, 1, 8);
    peer_forget();
}

/* 5681#3.1: half of the ten that were in flight when it was found, not of the seven that the ACK
 * that told of it left. */
TEST(the_flight_is_halved_as_it_was_before_the_ack)
{
    struct peer p = path(.sack_ok = true);

    app_write(&p, 10000);
    expect_burst(&p, 1, 10);
    advance_ms(&p, 100);
    sack(&p, 3001, {4001, 10001});
    expect_burst(&p, 3001, 1);
    assert_int_equal(ssthresh_of(&p), 5000);
    peer_forget();
}

int main(void)
{
    return peer_tests_run("recovery_prr");
}
