/* Timestamps and window scaling beyond a single segment: RFC 7323. */
#include <errno.h>
#include <sys/socket.h>

#include "support/states.h"

TEST(the_shift_that_we_offer_is_at_most_14) /* REQ:7323-2.3-6 */
{
    struct peer p = connecting(.knob = "net.ipv4.tcp_rmem", .value = "4096 1048576 1073741824"), q;

    peer_end(&p);
    q = listening(.knob = "net.ipv4.tcp_rmem", .value = "4096 1048576 1073741824");
    inject(&q, .flags = SYN, .seq = 0, .mss = 1460, .wscale = 7 + 1);
    expect(&q, .flags = SYN | ACK, .seq = 0, .ack = 1, .wscale = 14 + 1);
    peer_end(&q);
}

/* The ACK of two segments echoes the first: the time that it waited is the sender's to know. A
 * segment that begins behind the last ACK that we sent updates nothing. */
/* REQ:7323-5.3-4 REQ:7323-4.3-1 REQ:7323-4.3-4 */
TEST(an_ack_echoes_the_earliest_segment_that_it_covers)
{
    struct peer p = established(.mss = 1000, .has_ts = true);

    app_write(&p, 10); /* a dialogue: ACKs are delayed */
    expect(&p, .flags = ACK, .seq = 1, .len = 10, .has_ts = true, .tsecr = 1001);
    inject(&p, .flags = ACK, .seq = 1, .ack = 11, .len = 10, .tsval = 2000);
    inject(&p, .flags = ACK, .seq = 11, .ack = 11, .len = 10, .tsval = 3000);
    expect_after(&p, 40, .flags = ACK, .seq = 11, .ack = 21, .has_ts = true, .tsecr = 2000);
    inject(&p, .flags = ACK, .seq = 21, .ack = 11, .len = 10, .tsval = 4000);
    expect_after(&p, 40, .flags = ACK, .seq = 11, .ack = 31, .has_ts = true, .tsecr = 4000);
    peer_end(&p);
}

TEST(what_a_hole_is_filled_with_is_echoed) /* REQ:7323-5.3-4 REQ:7323-4.3-2 REQ:7323-4.3-3 */
{
    struct peer p = established(.mss = 1000, .has_ts = true);

    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .len = 10, .tsval = 3000); /* early */
    expect(&p, .flags = ACK, .seq = 1, .ack = 1, .has_ts = true, .tsecr = 1001);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .tsval = 2000); /* fills */
    expect(&p, .flags = ACK, .seq = 1, .ack = 21, .has_ts = true, .tsecr = 2000);
    app_read(&p, 20);
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    peer_end(&p);
}

/* Text that came early with an older stamp is not judged again when the hole is filled by a newer.
 */
TEST(what_was_accepted_is_not_judged_again) /* REQ:7323-5.3-5 */
{
    struct peer p = established(.mss = 1000, .has_ts = true);

    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .len = 10, .tsval = 2000);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .tsval = 5000);
    expect(&p, .flags = ACK, .seq = 1, .ack = 21, .has_ts = true, .tsecr = 5000);
    app_read(&p, 20);
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    peer_end(&p);
}

TEST(ts_recent_never_moves_back) /* REQ:7323-5.2-1 REQ:7323-5.3-1 */
{
    struct peer p = established(.mss = 1000, .has_ts = true);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .tsval = 0x80000400,
           .drop = "tcp_paws"); /* more than 2^31 ahead is behind */
    expect(&p, .flags = ACK, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10, .tsval = 0x80000300);
    expect(&p, .flags = ACK, .ack = 11, .has_ts = true, .tsecr = 0x80000300);
    advance_ms(&p, 1000);
    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .len = 10, .tsval = 0x800002ff,
           .drop = "tcp_paws");
    expect(&p, .flags = ACK, .ack = 11, .has_ts = true, .tsecr = 0x80000300);
    inject(&p, .flags = ACK, .seq = 11, .ack = 1, .len = 10, .tsval = 1); /* it wrapped */
    expect(&p, .flags = ACK, .ack = 21, .has_ts = true, .tsecr = 1);
    expect_stat(&p, "TcpExtPAWSEstab", 2);
    expect_stat(&p, "TcpExtTCPChallengeACK", 2);
    peer_end(&p);
}

TEST(our_clock_ticks_a_thousand_times_a_second) /* REQ:7323-5.4-1 REQ:7323-5.4-3 ROW:71 */
{
    struct peer p = established(.mss = 1000, .has_ts = true);

    advance_ms(&p, 1);
    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 1, .len = 10, .has_ts = true, .tsval = 2);
    inject(&p, .flags = ACK, .seq = 1, .ack = 11, .tsval = 1002);
    advance_ms(&p, 999);
    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 11, .len = 10, .has_ts = true, .tsval = 1001);
    peer_end(&p);
}

/* Two connections of one instant: their clocks tell neither our uptime nor of each other. */
TEST(each_connection_has_a_clock_of_its_own) /* REQ:7323-7-1 REQ:7323-7.1-1 */
{
    struct peer p = listening(0), q = peer_other(&p, 4001);
    struct got a, b;

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .tsval = 1000);
    inject(&q, .flags = SYN, .seq = 0, .mss = 1460, .tsval = 1000);
    assert_true(peer_next(&p, &a) && peer_next(&q, &b));
    assert_true(a.h.opt.tsval - b.h.opt.tsval + 1000000 > 2000000); /* 1,000 s apart at least */
    peer_end(&p);
}

/* A stamp that nobody echoed, in a segment without ACK, measures nothing. */
TEST(an_echo_without_ack_is_disregarded) /* REQ:7323-3.2-4 */
{
    struct peer p = listening(0);
    struct weir_sock_info info;

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .tsval = 1000, .tsecr = 77777);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .tsval = 1001, .tsecr = 1);
    app_accept(&p);
    assert_int_equal(weir_info(p.stack, p.sock, &info), 0);
    assert_int_equal(info.srtt_us, 100000);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
