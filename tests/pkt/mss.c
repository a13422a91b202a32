/* Segment sizes: what is offered, what is kept to, what a path allows. RFC 9293 3.7.1, 1191, 5927.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "def/drop.h"
#include "support/peer.h"

static struct weir_sock_info info_of(struct peer *p)
{
    struct weir_sock_info info;

    assert_int_equal(weir_info(p->stack, p->sock, &info), 0);
    return info;
}

static uint32_t mss_of(struct peer *p)
{
    return info_of(p).mss;
}

/* REQ:SHLD-5 REQ:MUST-67 REQ:6691-2-1 REQ:6691-2-2 REQ:6691-5.1-1
 * REQ:894-Frame-4 */
TEST(a_syn_offers_what_the_link_carries) /* ROW:128 */
{
    struct peer p = connecting(.mtu = 576);
    struct got g;

    p.has_isn = false;
    expect_after(&p, 1000, .flags = SYN, .mss = 536);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
    p = listening(.mtu = 9000);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    assert_true(peer_next(&p, &g));
    assert_int_equal(g.h.opt.mss, 8960);
    peer_end(&p);
}

/* REQ:1191-3.1-1 */
TEST(a_peer_that_offers_nothing_gets_536) /* REQ:MUST-15 */
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 0);
    expect(&p, .flags = SYN | ACK, .seq = 0, .mss = 1460);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    app_write(&p, 1000);
    expect(&p, .flags = ACK, .seq = 1, .len = 536);
    inject(&p, .flags = ACK, .seq = 1, .ack = 537);
    expect(&p, .flags = ACK, .seq = 537, .len = 464);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    peer_end(&p);
}

TEST(the_smaller_of_both_is_kept_to_and_options_count) /* REQ:MUST-16 REQ:6691-2-3 */
{
    struct peer p = established(.mss = 1000);

    assert_int_equal(mss_of(&p), 1000);
    peer_end(&p);
    p = established(.mss = 1400, .mtu = 1000);
    assert_int_equal(mss_of(&p), 960);
    peer_end(&p);
    p = established(.mss = 1000, .has_ts = true);
    assert_int_equal(mss_of(&p), 988);
    peer_end(&p);
    p = established(.mss = 1000, .has_ts = true, .is_active = true);
    assert_int_equal(mss_of(&p), 988);
    peer_end(&p);
}

TEST(a_ridiculous_offer_is_raised_to_the_knob)
{
    struct peer p = established(.mss = 1);

    assert_int_equal(mss_of(&p), 48);
    peer_end(&p);
}

TEST(maxseg_bounds_what_is_offered_and_sent)
{
    struct peer p = begin(0);
    struct weir_sockaddr to = {.addr = weir_addr_v4(0x0a000002), .port = 4000};

    p.sock = weir_socket(p.stack, 2, 1, 0);
    app_option(&p, IPPROTO_TCP, TCP_MAXSEG, 500);
    assert_int_equal(weir_connect(p.stack, p.sock, &to), -EINPROGRESS);
    expect(&p, .flags = SYN, .mss = 500);
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    expect(&p, .flags = ACK, .seq = 1);
    assert_int_equal(mss_of(&p), 500);
    peer_end(&p);
}

/* Three segments of 1460 bytes are in flight. */
static struct peer in_flight(void)
{
    struct peer p = established(.mss = 1460);

    app_write(&p, 4380);
    for (uint32_t i = 0; i < 3; i++)
        expect(&p, .flags = ACK, .seq = 1 + 1460 * i, .len = 1460);
    return p;
}

TEST(a_smaller_path_repeats_at_once_in_smaller_segments)
{
    struct peer p = in_flight();

    assert_int_equal(inject_icmp(&p, 3, 4, 1040, 1), PASS);
    for (uint32_t at = 1; at < 4381; at += 1000)
        expect(&p, .flags = ACK, .seq = at, .len = at < 4001 ? 1000 : 380);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 4381);
    app_write(&p, 1500);
    expect(&p, .flags = ACK, .seq = 4381, .len = 1000);
    expect(&p, .flags = ACK, .seq = 5381, .len = 500);
    inject(&p, .flags = ACK, .seq = 1, .ack = 5881);
    expect_stat(&p, "TcpRetransSegs", 5);
    expect_stat(&p, "TcpExtTCPFastRetrans", 5);
    peer_end(&p);
}

/* REQ:5681-3.1-5: what was ten segments is ten of the smaller ones, not a burst of fourteen. */
TEST(a_smaller_path_is_a_smaller_window)
{
    struct peer p = in_flight();
    uint32_t cwnd;

    assert_int_equal(inject_icmp(&p, 3, 4, 1040, 1), PASS);
    assert_int_equal(info_of(&p).cwnd, 10000);
    app_write(&p, 20000);
    for (uint32_t at = 1; at < 10001; at += 1000)
        expect(&p, .flags = ACK, .len = at == 4001 ? 380 : 1000);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 9381);
    for (struct got g; peer_next(&p, &g);)
        ;
    cwnd = info_of(&p).cwnd;
    assert_int_equal(inject_icmp(&p, 3, 4, 640, 9381), PASS);
    assert_int_equal(info_of(&p).cwnd, cwnd); /* of what is on its way nothing is too much */
    peer_forget();
}

/* REQ:1191-6.4-1 */
TEST(the_next_connection_knows_the_path)
{
    struct peer p = in_flight(), q = peer_other(&p, 5000);
    struct got g;

    assert_int_equal(inject_icmp(&p, 3, 4, 1040, 1), PASS);
    while (peer_next(&p, &g))
        continue;
    inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&q, .flags = SYN | ACK, .seq = 0);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&q);
    app_write(&q, 2000);
    expect(&q, .flags = ACK, .seq = 1, .len = 1000);
    expect(&q, .flags = ACK, .seq = 1001, .len = 1000);
    peer_forget();
}

TEST(an_error_about_what_is_not_in_flight_is_not_believed) /* 5927 4.1 */
{
    struct peer p = in_flight();

    assert_int_equal(inject_icmp(&p, 3, 4, 1040, 4381), DROP_icmp_unmatched);
    assert_int_equal(inject_icmp(&p, 3, 4, 1040, 0), DROP_icmp_unmatched);
    assert_int_equal(mss_of(&p), 1460);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 4381);
    peer_end(&p);
}

TEST(a_path_never_grows_nor_shrinks_to_nothing_by_an_error)
{
    struct peer p = in_flight();
    struct got g;

    inject_icmp(&p, 3, 4, 9000, 1);
    assert_int_equal(mss_of(&p), 1460);
    expect_quiet(&p);
    inject_icmp(&p, 3, 4, 68, 1);
    assert_true(mss_of(&p) >= 48);
    assert_true(peer_next(&p, &g));
    assert_true(g.len >= 48);
    peer_forget();
}

TEST(unreachable_is_soft_once_connected_and_hard_before) /* REQ:MUST-56 */
{
    struct peer p = in_flight();

    assert_int_equal(inject_icmp(&p, 3, 1, 0, 1), PASS);
    expect_state(&p, WEIR_ESTABLISHED);
    assert_int_equal(app_error(&p), 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 4381);
    peer_end(&p);
    p = connecting(0);
    assert_int_equal(inject_icmp(&p, 3, 3, 0, 0), PASS);
    expect_state(&p, WEIR_CLOSED);
    assert_int_equal(app_error(&p), ECONNREFUSED);
    expect_stat(&p, "TcpAttemptFails", 1);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run("mss");
}
