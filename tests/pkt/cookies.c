/* SYN cookies (RFC 4987 section 3.6) and TCP_DEFER_ACCEPT. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "support/peer.h"

static struct peer always(struct peer_config c)
{
    c.knob = "net.ipv4.tcp_syncookies";
    c.value = "2";
    return peer_listening(&c);
}

/* ROW:84 FSM-114 FSM-116 REQ:4987-3.6-1 */
TEST(a_cookie_keeps_nothing_and_its_ack_makes_the_connection)
{
    struct peer p = always((struct peer_config){.mss = 1460});

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect_state(&p, 0);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1460);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_state(&p, WEIR_ESTABLISHED);
    app_accept(&p);
    app_write(&p, 1460);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 1460);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1461);
    expect_stat(&p, "TcpExtSyncookiesSent", 1);
    expect_stat(&p, "TcpExtSyncookiesRecv", 1);
    expect_stat(&p, "TcpPassiveOpens", 1);
    peer_end(&p);
}

TEST(a_cookie_measures_no_round_trip_and_begins_with_three_seconds)
{
    struct peer p = always((struct peer_config){.mss = 1000});

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    app_write(&p, 2920);
    expect(&p, .flags = ACK, .seq = 1, .len = 1460); /* nothing was lost: ten segments may go */
    expect(&p, .flags = ACK, .seq = 1461, .len = 1460);
    expect_after(&p, 3000, .flags = ACK, .seq = 1, .len = 1460);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2921);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
    peer_end(&p);
}

TEST(a_cookie_remembers_the_nearest_size_below_the_peers)
{
    struct peer p = always((struct peer_config){.mss = 1410});

    inject(&p, .flags = SYN, .seq = 0, .mss = 1410);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    app_write(&p, 1500);
    expect(&p, .flags = ACK, .seq = 1, .len = 1400);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1401);
    expect(&p, .flags = ACK, .seq = 1401, .len = 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1501);
    peer_end(&p);
}

TEST(the_timestamp_carries_window_scale_and_sack)
{
    struct peer p = always((struct peer_config){.mss = 1460, .has_ts = true});
    struct got g;
    struct segment s;

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .wscale = 7 + 1, .sack_ok = true,
           .has_ts = true, .tsval = 500);
    assert_true(peer_next(&p, &g));
    peer_relative(&p, &g, &s);
    assert_true(s.sack_ok && s.wscale && s.has_ts);
    assert_int_equal(s.tsecr, 500);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = 10, .has_ts = true, .tsval = 501,
           .tsecr = s.tsval);
    app_accept(&p);
    app_write(&p, 1448);
    expect(&p, .flags = ACK, .seq = 1, .len = 1280, .has_ts = true); /* the window: 10 << 7 */
    inject(&p, .flags = ACK, .seq = 1, .ack = 1281, .wnd = 10, .has_ts = true, .tsval = 502);
    expect(&p, .flags = ACK, .seq = 1281, .len = 168);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1449, .has_ts = true, .tsval = 503);
    inject(&p, .flags = ACK, .seq = 11, .ack = 1449, .len = 10, .has_ts = true, .tsval = 504);
    expect(&p, .flags = ACK, .ack = 1, .sack = {{11, 21}});
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    peer_end(&p);
}

TEST(a_cookie_that_we_did_not_make_is_reset) /* REQ:4987-3.6-2 */
{
    struct peer p = always((struct peer_config){.mss = 1460});

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2, .drop = "tcp_listen_flags");
    expect(&p, .flags = RST, .seq = 2);
    inject(&p, .flags = ACK, .seq = 2, .ack = 1, .drop = "tcp_listen_flags"); /* another SYN's */
    expect(&p, .flags = RST, .seq = 1);
    expect_stat(&p, "TcpExtSyncookiesFailed", 2);
    expect_stat(&p, "TcpOutRsts", 2);
    peer_end(&p);
}

TEST(a_cookie_is_good_for_two_minutes_and_not_for_four) /* REQ:4987-3.6-2 */
{
    for (int ms = 120000; ms <= 240000; ms += 120000) {
        struct peer p = always((struct peer_config){.mss = 1460});
        inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
        expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
        advance_ms(&p, ms);
        if (ms == 120000) {
            inject(&p, .flags = ACK, .seq = 1, .ack = 1);
            expect_state(&p, WEIR_ESTABLISHED);
        } else {
            inject(&p, .flags = ACK, .seq = 1, .ack = 1, .drop = "tcp_listen_flags");
            expect(&p, .flags = RST, .seq = 1);
            expect_stat(&p, "TcpOutRsts", 1);
        }
        peer_end(&p);
    }
}

TEST(only_a_full_queue_sends_cookies_by_default) /* ROW:84 ROW:85 REQ:4987-3.7-1 REQ:4987-4-1 */
{
    struct peer a = listening(.mss = 1460, .knob = "net.ipv4.tcp_max_syn_backlog", .value = "1");
    struct peer b = peer_other(&a, 4001);

    inject(&a, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&a, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_state(&a, WEIR_SYN_RECV);
    inject(&b, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&b, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_state(&b, 0);
    inject(&b, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 5);
    expect_state(&b, WEIR_ESTABLISHED);
    expect(&b, .flags = ACK, .seq = 1, .ack = 6);
    app_accept(&b);
    app_read(&b, 5);
    expect_stat(&a, "TcpExtTCPReqQFullDoCookies", 1);
    expect_stat(&a, "TcpExtSyncookiesRecv", 1);
    peer_end(&a);
}

TEST(without_a_cookie_sent_an_ack_is_not_even_tried)
{
    struct peer p = listening(.mss = 1460);

    inject(&p, .flags = ACK, .seq = 1, .ack = 77, .drop = "tcp_listen_flags");
    expect(&p, .flags = RST, .seq = 77);
    expect_stat(&p, "TcpExtSyncookiesFailed", 0);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

TEST(a_cookie_that_meets_a_full_accept_queue_leaves_nothing)
{
    struct peer a = always((struct peer_config){.mss = 1460, .backlog = 1});
    struct peer b = peer_other(&a, 4001), c = peer_other(&a, 4002);
    struct peer *two[] = {&a, &b};

    for (int i = 0; i < 2; i++) {
        inject(two[i], .flags = SYN, .seq = 0, .mss = 1460);
        expect(two[i], .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    inject(&c, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&c, .flags = SYN | ACK, .seq = 0, .ack = 1);
    for (int i = 0; i < 2; i++)
        inject(two[i], .flags = ACK, .seq = 1, .ack = 1);
    inject(&c, .flags = ACK, .seq = 1, .ack = 1, .drop = "tcp_accept_queue");
    expect_state(&c, 0);
    expect_stat(&a, "TcpExtListenOverflows", 1);
    expect_stat(&a, "TcpExtListenDrops", 1);
    peer_end(&a);
}

/* -- TCP_DEFER_ACCEPT -------------------------------------------------------------------------- */

static struct peer deferring(int seconds)
{
    struct peer p = listening(.mss = 1460);

    assert_int_equal(weir_setsockopt(p.stack, p.listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds,
                                     sizeof seconds),
                     0);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(weir_accept(p.stack, p.listener, NULL), -EAGAIN);
    expect_state(&p, WEIR_SYN_RECV);
    expect_stat(&p, "TcpExtTCPDeferAcceptDrop", 1);
    return p;
}

TEST(a_deferred_connection_is_accepted_with_its_first_text)
{
    struct peer p = deferring(5);

    advance_ms(&p, 900);
    inject(&p, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 10);
    expect(&p, .flags = ACK, .seq = 1, .ack = 11);
    app_accept(&p);
    app_read(&p, 10);
    peer_end(&p);
}

TEST(a_deferred_connection_is_accepted_without_text_when_its_time_is_over)
{
    struct peer p = deferring(5); /* three SYN/ACKs: 1 + 2 + 4 s */

    expect_after(&p, 3000 + 4000, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_state(&p, WEIR_ESTABLISHED);
    app_accept(&p);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

TEST(the_time_is_told_as_linux_rounds_it)
{
    static const struct {
        int set, get;
    } times[] = {{0, 0}, {1, 1}, {2, 3}, {3, 3}, {4, 7}, {100, 127}, {200, 247}};
    struct peer p = listening(.mss = 1460);

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int value = times[i].set;
        size_t len = sizeof value;
        weir_setsockopt(p.stack, p.listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &value, sizeof value);
        weir_getsockopt(p.stack, p.listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &value, &len);
        assert_int_equal(value, times[i].get);
    }
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run("cookies");
}
