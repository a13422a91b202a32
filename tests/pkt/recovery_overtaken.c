/* ACKs that a later one overtook on their way: what they say of text that came twice is heard,
 * nothing else. RFC 7323 section 5.3, 2883 section 4, 8985 section 6.2 step 4. */
#include <errno.h>

#include "recovery.h"

/* Six segments; the first was sent again, 25 ms too early, and all of them are acknowledged. With
 * timestamps the peer's last one is 2100; that of the original is not echoed. */
static struct peer repeated_for_nothing(bool has_ts)
{
    struct peer p = path(.sack_ok = true, .has_ts = has_ts);

    app_write(&p, 6000);
    expect_burst(&p, 1, 6);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .sack = {{1001, 2001}}, .tsval = has_ts ? 2000 : 0,
           .tsecr = has_ts ? 101 : 0);
    expect_after(&p, 25, .flags = ACK, .seq = 1, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 6001, .tsval = has_ts ? 2100 : 0,
           .tsecr = has_ts ? 226 : 0);
    return p;
}

/* The next segment that is late has so long. */
static void expect_window(struct peer *p, bool has_ts, int64_t ms)
{
    app_write(p, 3000);
    expect_burst(p, 6001, 3);
    advance_ms(p, 100);
    inject(p, .flags = ACK, .seq = 1, .ack = 7001, .tsval = has_ts ? 2200 : 0,
           .tsecr = has_ts ? 226 : 0);
    inject(p, .flags = ACK, .seq = 1, .ack = 7001, .sack = {{8001, 9001}},
           .tsval = has_ts ? 2200 : 0, .tsecr = has_ts ? 226 : 0);
    expect_after(p, ms, .flags = ACK, .seq = 7001, .len = 1000);
    peer_forget();
}

/* Its D-SACK widens the window, and the next ACK takes the recovery back. */
static void is_heard(bool has_ts, uint32_t ack, uint32_t tsval)
{
    struct peer p = repeated_for_nothing(has_ts);
    uint32_t after = cwnd_of(&p);

    inject(&p, .flags = ACK, .seq = 1, .ack = ack, .sack = {{1, 1001}}, .tsval = tsval,
           .tsecr = has_ts ? 101 : 0);
    expect_quiet(&p);
    expect_stat(&p, "TcpExtTCPDSACKRecv", 1);
    expect_stat(&p, "TcpExtPAWSEstab", 0);
    expect_stat(&p, "TcpExtTCPChallengeACK", 0);
    expect_window(&p, has_ts, 50);
    p = repeated_for_nothing(has_ts);
    inject(&p, .flags = ACK, .seq = 1, .ack = ack, .sack = {{1, 1001}}, .tsval = tsval,
           .tsecr = has_ts ? 101 : 0);
    assert_int_equal(cwnd_of(&p), after);
    app_write(&p, 1000);
    expect_burst(&p, 6001, 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 7001, .tsval = has_ts ? 2200 : 0,
           .tsecr = has_ts ? 226 : 0);
    assert_int_equal(ssthresh_of(&p), UINT32_MAX);
    expect_stat(&p, "TcpExtTCPDSACKUndo", 1);
    peer_forget();
}

TEST(a_dsack_that_was_overtaken_is_heard)
{
    is_heard(true, 6001, 2099); /* by a repetition of the ACK */
    is_heard(true, 5001, 2001); /* by an ACK of more */
    is_heard(false, 5001, 0);
    is_heard(true, 5001, 2100); /* within one tick */
}

/* Neither the window of the peer, nor the timestamp that is echoed, nor the count of duplicates. */
TEST(an_ack_that_was_overtaken_moves_nothing)
{
    struct peer p = path(.sack_ok = true, .has_ts = true);
    struct weir_sock_info before, after;

    app_write(&p, 8000);
    expect_burst(&p, 1, 8);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001, .tsval = 2000, .tsecr = 101);
    before = sock_info_of(&p);
    for (uint32_t i = 0; i < 5; i++)
        inject(&p, .flags = ACK, .seq = 1, .ack = i % 2 ? 2001 : 1001, .tsval = 1999, .tsecr = 101,
               .wnd = CLOSED_WINDOW, .sack = {{7001, 8001}});
    expect_quiet(&p);
    after = sock_info_of(&p);
    assert_int_equal(after.cwnd, before.cwnd);
    assert_int_equal(after.in_flight, before.in_flight);
    app_write(&p, 1000);
    expect(&p, .flags = ACK, .seq = 8001, .len = 1000, .has_ts = true, .tsecr = 2000);
    expect_stat(&p, "TcpExtTCPSackRecovery", 0);
    expect_stat(&p, "TcpExtPAWSEstab", 0);
    peer_forget();
}

/* What is no such ACK is old: dropped and answered. REQ:7323-5.3-3 */
TEST(what_could_not_be_an_overtaken_ack_is_old)
{
    static const struct segment cases[] = {
        {.flags = ACK, .seq = 1, .ack = 6001, .tsval = 1799}, /* an RTO is 300 ms */
        {.flags = ACK, .seq = 1, .ack = 6001, .tsval = 2099, .len = 10},
        {.flags = ACK | FIN, .seq = 1, .ack = 6001, .tsval = 2099},
        {.flags = ACK | SYN, .seq = 1, .ack = 6001, .tsval = 2099},
        {.flags = ACK | URG, .seq = 1, .ack = 6001, .tsval = 2099, .urg = 1},
        {.flags = ACK, .seq = 0, .ack = 6001, .tsval = 2099},
        {.flags = ACK, .seq = 2, .ack = 6001, .tsval = 2099},
        {.flags = ACK, .seq = 1, .ack = 7001, .tsval = 2099}, /* of what the later one lacks */
    };

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct peer p = repeated_for_nothing(true);
        struct segment s = cases[i];

        app_write(&p, 1000);
        expect_burst(&p, 6001, 1);
        s.drop = "tcp_paws";
        s.sack[0] = (struct tcp_sack_spec){1, 1001};
        s.sacks = 1;
        s.has_ts = true;
        s.tsecr = 101;
        inject_segment(&p, &s, __FILE__, __LINE__);
        expect(&p, .flags = ACK, .seq = 7001, .ack = 1, .len = 0);
        expect_stat(&p, "TcpExtTCPDSACKRecv", 0);
        expect_stat(&p, "TcpExtPAWSEstab", 1);
        peer_forget();
    }
}

int main(void)
{
    return peer_tests_run("recovery_overtaken");
}
