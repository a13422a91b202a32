/* SYN-RECEIVED of a listener: what completes a handshake, what is lost, queues that are full. */
#include <errno.h>

#include "stack/tables.h"
#include "support/peer.h"

static void expect_nothing_to_accept(struct peer *p)
{
    assert_int_equal(weir_accept(p->stack, p->listener, NULL), -EAGAIN);
}

/* FSM-340 FSM-341 ROW:28 REQ:4987-4-3 */
TEST(a_lost_syn_ack_is_repeated_after_1_3_7_seconds_and_forgotten)
{
    struct peer p = listening(.knob = "net.ipv4.tcp_synack_retries", .value = "2");

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_after(&p, 1000, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_after(&p, 2000, .flags = SYN | ACK, .seq = 0, .ack = 1);
    advance_ms(&p, 3999);
    expect_state(&p, WEIR_SYN_RECV);
    advance_ms(&p, 1);
    expect_state(&p, 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .drop = "tcp_listen_flags");
    expect(&p, .flags = RST, .seq = 1);
    expect_stat(&p, "TcpRetransSegs", 2);
    expect_stat(&p, "TcpAttemptFails", 1);
    expect_stat(&p, "TcpOutRsts", 1);
    peer_end(&p);
}

TEST(a_repeated_syn_is_answered_again_and_the_timer_goes_on) /* REQ:FSM-203 */
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    advance_ms(&p, 400);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .drop = "tcp_syn_dup");
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_after(&p, 600, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_stat(&p, "TcpRetransSegs", 2);
    peer_end(&p);
}

/* What `weir why` and the lab say of it: the peer asked again, or the timer did. */
TEST(who_wants_a_syn_ack_again_is_told)
{
    static const struct {
        int ms; /* since the one before; 0: then the SYN comes again */
        uint16_t event;
        uint8_t n;
    } told[] = {{0, EVENT_synack_asked, 0},
                {0, EVENT_synack_asked, 0},
                {1000, EVENT_synack_retry, 1},
                {0, EVENT_synack_asked, 0},
                {2000, EVENT_synack_retry, 2}};
    struct peer p = listening(0);
    struct got g;

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        advance_ms(&p, told[i].ms);
        if (!told[i].ms)
            inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .drop = "tcp_syn_dup");
        assert_true(peer_next(&p, &g));
        assert_int_equal(g.why.event, told[i].event);
        assert_int_equal(g.why.n, told[i].n);
        if (told[i].n)
            assert_int_equal(g.why.of, 5);
    }
    peer_forget();
}

TEST(a_lost_last_ack_is_made_good_by_the_next_segment)
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK | PSH, .seq = 1, .ack = 1, .len = 5);
    expect(&p, .flags = ACK, .seq = 1, .ack = 6);
    app_accept(&p);
    app_read(&p, 5);
    peer_end(&p);
}

TEST(an_ack_without_the_agreed_timestamp_completes_nothing) /* REQ:FSM-161 */
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .tsval = 1000);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .has_ts = true, .tsecr = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .drop = "tcp_no_timestamp");
    expect_nothing_to_accept(&p);
    expect_after(&p, 1000, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .tsval = 1001);
    app_accept(&p);
    expect_state(&p, WEIR_ESTABLISHED);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

TEST(an_ack_with_an_old_timestamp_completes_nothing) /* REQ:FSM-153 */
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .tsval = 1000);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .tsval = 999, .drop = "tcp_paws");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1, .tsecr = 1000);
    expect_nothing_to_accept(&p);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    expect_stat(&p, "TcpExtPAWSEstab", 1);
    peer_end(&p);
}

TEST(text_beyond_the_offered_window_completes_nothing) /* REQ:FSM-137 */
{
    struct peer p = listening(.rcvbuf = 4096);
    struct got g;
    struct segment s;

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    assert_true(peer_next(&p, &g));
    peer_relative(&p, &g, &s);
    inject(&p, .flags = ACK, .seq = 1 + s.wnd, .ack = 1, .len = 10, .drop = "tcp_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = s.wnd);
    expect_nothing_to_accept(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&p);
}

TEST(what_is_out_of_place_is_answered_once_in_500_ms) /* REQ:5961-7-1 */
{
    struct peer p = listening(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 100000, .ack = 1, .drop = "tcp_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    advance_ms(&p, 499);
    inject(&p, .flags = ACK, .seq = 100000, .ack = 1, .drop = "tcp_window");
    expect_quiet(&p);
    advance_ms(&p, 1);
    inject(&p, .flags = RST, .seq = 2, .drop = "tcp_rst_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_stat(&p, "TcpExtTCPChallengeACK", 3);
    peer_end(&p);
}

/* ROW:78 ROW:80 ROW:82 ROW:137 */
TEST(a_full_accept_queue_drops_the_last_ack_and_the_syn_ack_comes_again)
{
    struct peer p = listening(.backlog = 1), q[3];

    for (uint16_t i = 0; i < 3; i++) {
        q[i] = peer_other(&p, (uint16_t)(5000 + i));
        inject(&q[i], .flags = SYN, .seq = 0, .mss = 1460);
        expect(&q[i], .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    inject(&q[0], .flags = ACK, .seq = 1, .ack = 1);
    inject(&q[1], .flags = ACK, .seq = 1, .ack = 1); /* one more than the backlog, as Linux */
    inject(&q[2], .flags = ACK, .seq = 1, .ack = 1, .drop = "tcp_accept_queue");
    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .drop = "tcp_accept_queue");
    expect_after(&q[2], 1000, .flags = SYN | ACK, .seq = 0, .ack = 1);
    app_accept(&q[0]);
    inject(&q[2], .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&q[1]);
    app_accept(&q[2]);
    expect_state(&q[2], WEIR_ESTABLISHED);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtListenOverflows", 2);
    expect_stat(&p, "TcpExtListenDrops", 2);
    peer_end(&p);
}

TEST(a_full_accept_queue_answers_rst_where_that_is_asked_for) /* ROW:83 */
{
    struct peer p = listening(.backlog = 1, .knob = "net.ipv4.tcp_abort_on_overflow", .value = "1");
    struct peer q[3];

    for (uint16_t i = 0; i < 3; i++) {
        q[i] = peer_other(&p, (uint16_t)(5000 + i));
        inject(&q[i], .flags = SYN, .seq = 0, .mss = 1460);
        expect(&q[i], .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    inject(&q[0], .flags = ACK, .seq = 1, .ack = 1);
    inject(&q[1], .flags = ACK, .seq = 1, .ack = 1);
    inject(&q[2], .flags = ACK, .seq = 1, .ack = 1, .drop = "tcp_accept_queue");
    expect(&q[2], .flags = RST, .seq = 1);
    expect_state(&q[2], 0);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpExtListenOverflows", 1);
    expect_stat(&p, "TcpExtListenDrops", 1);
    peer_end(&p);
}

TEST(a_full_syn_queue_drops_syns_and_makes_room_again) /* ROW:79 ROW:81 FSM-115 */
{
    struct peer p = listening(.knob = "net.ipv4.tcp_max_syn_backlog", .value = "2",
                              .knob2 = "net.ipv4.tcp_syncookies", .value2 = "0"),
                q[3];

    for (uint16_t i = 0; i < 3; i++)
        q[i] = peer_other(&p, (uint16_t)(5000 + i));
    for (int i = 0; i < 2; i++) {
        inject(&q[i], .flags = SYN, .seq = 0, .mss = 1460);
        expect(&q[i], .flags = SYN | ACK, .seq = 0, .ack = 1);
    }
    inject(&q[2], .flags = SYN, .seq = 0, .mss = 1460, .drop = "tcp_syn_queue");
    inject(&q[0], .flags = RST, .seq = 1);
    inject(&q[2], .flags = SYN, .seq = 0, .mss = 1460);
    expect(&q[2], .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_stat(&p, "TcpAttemptFails", 1);
    expect_stat(&p, "TcpExtListenDrops", 1);
    expect_stat(&p, "TcpExtTCPReqQFullDrop", 1);
    peer_end(&p);
}

TEST(closing_the_listener_resets_what_waits_and_forgets_what_is_half_open)
{
    struct peer p = listening(0), q = peer_other(&p, 5000);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&q, .flags = SYN | ACK, .seq = 0, .ack = 1);
    weir_close(p.stack, p.listener);
    expect(&p, .flags = RST | ACK, .seq = 1, .ack = 1);
    expect_state(&q, 0);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1, .drop = "tcp_no_socket");
    expect(&q, .flags = RST, .seq = 1);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpOutRsts", 2);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run("half_open");
}
