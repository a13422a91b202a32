/* D-SACK, what the receiver says of text that came again: RFC 2883; and SACK beside data: RFC 6691.
 */
#include <errno.h>

#include "support/peer.h"

TEST(an_old_segment_is_named_once) /* REQ:2883-4-1 REQ:2883-4-3 REQ:2883-4-4 */
{
    struct peer p = established(.mss = 1000, .sack_ok = true);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
    expect(&p, .flags = ACK, .ack = 501, .sacks = NO_SACK);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 500, .drop = "tcp_duplicate");
    expect(&p, .flags = ACK, .ack = 501, .sack = {{1, 501}});
    inject(&p, .flags = ACK, .seq = 501, .ack = 1, .len = 500);
    expect(&p, .flags = ACK, .ack = 1001, .sacks = NO_SACK);
    app_read(&p, 1000);
    expect_stat(&p, "TcpExtTCPDSACKOldSent", 1);
    expect_stat(&p, "TcpExtTCPDSACKOfoSent", 0);
    expect_stat(&p, "TcpExtDelayedACKLost", 1);
    peer_end(&p);
}

TEST(the_repeated_front_of_new_text_is_named)
{
    struct peer p = established(.mss = 1000, .sack_ok = true);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
    expect(&p, .flags = ACK, .ack = 501);
    inject(&p, .flags = ACK, .seq = 201, .ack = 1, .len = 500);
    expect(&p, .flags = ACK, .ack = 701, .sack = {{201, 501}});
    app_read(&p, 700);
    expect_stat(&p, "TcpExtTCPDSACKOldSent", 1);
    peer_end(&p);
}

/* REQ:2883-4-5 REQ:2883-4-6: the run that holds it stands second, others follow. */
TEST(a_repeat_behind_a_hole_is_named_before_its_run)
{
    struct peer p = established(.mss = 1000, .sack_ok = true);

    inject(&p, .flags = ACK, .seq = 501, .ack = 1, .len = 1000);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{501, 1501}});
    inject(&p, .flags = ACK, .seq = 2501, .ack = 1, .len = 100);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{2501, 2601}, {501, 1501}});
    inject(&p, .flags = ACK, .seq = 601, .ack = 1, .len = 200, .drop = "tcp_duplicate");
    expect(&p, .flags = ACK, .ack = 1, .sack = {{601, 801}, {501, 1501}, {2501, 2601}});
    inject(&p, .flags = ACK, .seq = 1401, .ack = 1, .len = 200); /* half of it is new */
    expect(&p, .flags = ACK, .ack = 1, .sack = {{1401, 1501}, {501, 1601}, {2501, 2601}});
    expect_stat(&p, "TcpExtTCPDSACKOfoSent", 2);
    expect_stat(&p, "TcpExtTCPDSACKOldSent", 0);
    expect_stat(&p, "TcpExtTCPOFOQueue", 3);
    peer_end(&p);
}

TEST(timestamps_leave_room_for_two_blocks_beside_it)
{
    struct peer p = established(.mss = 1000, .sack_ok = true, .has_ts = true);

    for (uint32_t i = 0; i < 3; i++) {
        inject(&p, .flags = ACK, .seq = 101 + 200 * i, .ack = 1, .len = 100, .tsval = 2000);
        expect(&p, .flags = ACK, .ack = 1);
    }
    inject(&p, .flags = ACK, .seq = 101, .ack = 1, .len = 100, .tsval = 2000,
           .drop = "tcp_duplicate");
    expect(&p, .flags = ACK, .ack = 1, .sack = {{101, 201}, {101, 201}, {501, 601}});
    expect_stat(&p, "TcpExtTCPDSACKOfoSent", 1);
    expect_stat(&p, "TcpExtTCPOFOQueue", 3);
    peer_end(&p);
}

TEST(net_ipv4_tcp_dsack_0_names_nothing)
{
    struct peer p = established(.mss = 1000, .sack_ok = true, .knob = "net.ipv4.tcp_dsack",
                                .value = "0");

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
    expect(&p, .flags = ACK, .ack = 501);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 500, .drop = "tcp_duplicate");
    expect(&p, .flags = ACK, .ack = 501, .sacks = NO_SACK);
    app_read(&p, 500);
    expect_stat(&p, "TcpExtDelayedACKLost", 1);
    peer_end(&p);
}

TEST(without_sack_a_repeat_is_not_named)
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 500);
    expect(&p, .flags = ACK, .ack = 501);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 500, .drop = "tcp_duplicate");
    expect(&p, .flags = ACK, .ack = 501, .sacks = NO_SACK);
    app_read(&p, 500);
    expect_stat(&p, "TcpExtDelayedACKLost", 1);
    peer_end(&p);
}

/* 6691#2: a block takes its room from the text; a full segment is never larger than the MTU. */
TEST(a_full_segment_with_sack_still_fits_the_mtu)
{
    struct peer p = established(.mss = 1460, .sack_ok = true, .has_ts = true);

    inject(&p, .flags = ACK, .seq = 1001, .ack = 1, .len = 100, .tsval = 2000);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{1001, 1101}});
    app_write(&p, 4000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1436, .sack = {{1001, 1101}});
    expect(&p, .flags = ACK, .seq = 1437, .len = 1436, .sack = {{1001, 1101}});
    expect(&p, .flags = ACK, .seq = 2873, .len = 1128, .sack = {{1001, 1101}});
    inject(&p, .flags = ACK, .seq = 1, .ack = 4001, .len = 1000, .tsval = 2001);
    expect(&p, .flags = ACK, .seq = 4001, .ack = 1101);
    app_write(&p, 1448);
    expect(&p, .flags = ACK, .seq = 4001, .len = 1448);
    app_read(&p, 1100);
    peer_forget();
}

int main(void)
{
    return peer_tests_run("recovery_dsack");
}
