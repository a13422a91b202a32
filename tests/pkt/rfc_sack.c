/* Recovery by SACK as RFC 6675 counts it, net.ipv4.tcp_recovery=0, without tail loss probes. The
 * round trip is 100 ms, a segment 1000 bytes. */
#include "recovery.h"

static struct peer counting(uint32_t bytes)
{
    struct peer p = path(.sack_ok = true, .knob = "net.ipv4.tcp_recovery", .value = "0",
                         .knob2 = "net.ipv4.tcp_early_retrans", .value2 = "0");

    app_write(&p, bytes);
    return p;
}

/* Eight segments are out, and nothing waits behind them. */
static struct peer eight_are_out(void)
{
    struct peer p = counting(8000);

    expect_burst(&p, 1, 8);
    advance_ms(&p, 100);
    return p;
}

/* REQ:6675-5-3 REQ:6675-5-4: each ACK that SACKs something new counts; the third one is enough. */
TEST(the_third_ack_with_news_begins_a_recovery)
{
    struct peer p = counting(700);

    app_write(&p, 0);
    expect(&p, .flags = ACK, .seq = 1, .len = 700);
    for (int i = 0; i < 6; i++) { /* small ones: bytes are too few to tell of a loss */
        app_write(&p, 100);
        expect(&p, .flags = ACK, .len = 100);
    }
    advance_ms(&p, 100);
    sack(&p, 1, {701, 801});
    sack(&p, 1, {701, 801}); /* nothing new: not counted */
    sack(&p, 1, {701, 901});
    expect_quiet(&p);
    expect_stat(&p, "TcpExtTCPSackRecovery", 0);
    sack(&p, 1, {701, 1001});
    expect(&p, .flags = ACK, .seq = 1, .len = 700);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    ack(&p, 1301);
    peer_end(&p);
}

TEST(an_ack_of_text_begins_the_count_again) /* REQ:6675-5-2 */
{
    struct peer p = counting(100);

    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    for (int i = 0; i < 7; i++) {
        app_write(&p, 100);
        expect(&p, .flags = ACK, .len = 100);
    }
    advance_ms(&p, 100);
    sack(&p, 1, {101, 201});
    sack(&p, 1, {101, 301});
    ack(&p, 301);
    sack(&p, 301, {401, 501});
    sack(&p, 301, {401, 601});
    expect_quiet(&p);
    expect_stat(&p, "TcpExtTCPSackRecovery", 0);
    ack(&p, 801);
    peer_end(&p);
}

/* REQ:6675-4-3: one ACK is enough where three runs lie above, or more than two segments of bytes.
 */
TEST(three_runs_or_more_than_two_segments_tell_of_a_loss)
{
    struct peer p = eight_are_out();

    sack(&p, 1, {1001, 1101}, {3001, 3101});
    expect_quiet(&p);
    sack(&p, 1, {5001, 5101}, {3001, 3101}, {1001, 1101});
    expect_burst(&p, 1, 1);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    ack(&p, 8001);
    peer_end(&p);
    p = eight_are_out();
    sack(&p, 1, {1001, 3001});
    expect_quiet(&p);
    sack(&p, 1, {1001, 3002});
    expect_burst(&p, 1, 1);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    ack(&p, 8001);
    peer_end(&p);
}

/* REQ:6675-4-5 REQ:6675-5-9 REQ:6675-5-7: holes go in order, each once, also by an ACK
 * that leaves some; new text begins behind them; the ACK of all that was out ends it. */
TEST(holes_go_in_order_and_once)
{
    struct peer p = eight_are_out();

    sack(&p, 1, {1001, 2001}, {3001, 5001}); /* 2001 is missing, and not yet lost */
    expect_burst(&p, 1, 1);
    expect_quiet(&p);
    advance_ms(&p, 100);
    sack(&p, 2001, {3001, 5001});
    expect_burst(&p, 2001, 1);
    expect_quiet(&p);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Recovery);
    advance_ms(&p, 100);
    ack(&p, 8001);
    assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Open);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpExtTCPFastRetrans", 2);
    peer_end(&p);
}

TEST(without_holes_to_fill_new_text_goes) /* REQ:6675-4-6 REQ:6675-5-11 */
{
    struct peer p = counting(13000);
    struct got g;

    expect_burst(&p, 1, 10);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 6001});
    expect_burst(&p, 1, 1);
    sack(&p, 1, {1001, 10001});
    assert_true(peer_next(&p, &g));
    assert_int_equal(g.h.seq.v - p.stack_isn, 10001);
    while (peer_next(&p, &g))
        continue;
    ack(&p, 13001);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPFastRetrans", 1);
    peer_forget();
}

/* REQ:6675-5.1-1 REQ:6675-5.1-2 REQ:6675-5.1-3 REQ:6675-5.1-4: a timeout ends the recovery; what
 * SACK reports, before it and after, is not repeated, and begins no other one. */
TEST(a_timeout_ends_a_recovery_and_keeps_what_sack_said)
{
    struct peer p = eight_are_out();

    sack(&p, 1, {1001, 2001}, {3001, 5001}); /* missing: 1, 2001, and from 5001 on */
    expect_burst(&p, 1, 1);
    advance_ms(&p, 299);
    expect_quiet(&p);
    advance_ms(&p, 1);
    expect_burst(&p, 1, 1);
    assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Loss);
    advance_ms(&p, 100);
    sack(&p, 2001, {7001, 8001}, {3001, 5001}); /* 7001 came after all */
    expect_burst(&p, 2001, 1);
    expect_burst(&p, 5001, 1);
    expect_quiet(&p);
    sack(&p, 2001, {7001, 8001}, {3001, 5001});
    sack(&p, 2001, {7001, 8001}, {3001, 5001});
    sack(&p, 2001, {7001, 8001}, {3001, 5001});
    expect_quiet(&p);
    expect_stat(&p, "TcpExtTCPSackRecovery", 1);
    ack(&p, 8001);
    assert_int_equal(info_of(&p).tcpi_ca_state, TCP_CA_Open);
    expect_stat(&p, "TcpRetransSegs", 4);
    peer_forget();
}

/* REQ:5681-3.2-6 REQ:5681-3.2-8 REQ:2018-5.1-1 REQ:6675-5-5: limited transmit, a segment for each
 * that left; what it sent does not count in ssthresh. */
TEST(new_text_goes_for_news_and_is_not_counted)
{
    struct peer p = counting(14000);

    expect_burst(&p, 1, 10);
    advance_ms(&p, 100);
    sack(&p, 1, {1001, 2001});
    expect_burst(&p, 10001, 1);
    sack(&p, 1, {1001, 2001});
    expect_quiet(&p);
    sack(&p, 1, {1001, 3001});
    expect_burst(&p, 11001, 1);
    sack(&p, 1, {1001, 4001});
    expect_burst(&p, 1, 1);
    assert_int_equal(ssthresh_of(&p), 5000);
    peer_forget();
}

TEST(no_mss_makes_cwnd_of_536) /* REQ:2525-2.3-1 */
{
    struct peer p = connecting(.mss = 1460);

    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect(&p, .flags = ACK, .seq = 1);
    app_write(&p, 10000);
    for (uint32_t i = 0; i < 10; i++)
        expect(&p, .flags = ACK, .seq = 1 + 536 * i, .len = 536);
    expect_quiet(&p);
    peer_forget();
}

/* REQ:8985-3.3.2-2 REQ:8985-3.3.2-3: each D-SACK widens the reordering window by a quarter of the
 * round trip, up to a whole one. */
TEST(the_reordering_window_ends_at_srtt)
{
    struct peer p = path(.sack_ok = true, .knob = "net.ipv4.tcp_early_retrans", .value = "0");
    uint32_t at = 1;

    for (uint32_t i = 1; i <= 6; i++, at += 2000) {
        uint32_t wait = i < 4 ? 25 * i : 100;
        app_write(&p, 2000);
        expect_burst(&p, at, 2);
        advance_ms(&p, 100);
        sack(&p, at, {at + 1000, at + 2000});
        expect_after(&p, wait, .flags = ACK, .seq = at, .len = 1000);
        ack(&p, at + 2000);
        sack(&p, at + 2000, {at, at + 1000});
        assert_int_equal(info_of(&p).tcpi_rtt / 1000, 100);
    }
    peer_forget();
}

int main(void)
{
    return peer_tests_run("rfc_sack");
}
