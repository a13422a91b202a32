/* The timers in each state: RFC 9293 sections 3.8.1 to 3.8.4 and 3.10.8. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "support/states.h"

static struct weir_sock_info info_of(const struct peer *p)
{
    struct weir_sock_info info;

    assert_int_equal(weir_info(p->stack, p->sock, &info), 0);
    return info;
}

/* Something of ours is in flight: text where it may be sent, else our SYN or FIN. Its flags. */
static uint8_t something_in_flight(struct peer *p, int state)
{
    if (state != WEIR_ESTABLISHED && state != WEIR_CLOSE_WAIT)
        return state == WEIR_SYN_SENT ? SYN : state == WEIR_SYN_RECV ? SYN | ACK : FIN | ACK;
    app_write(p, 100);
    expect(p, .flags = ACK, .seq = 1, .len = 100);
    return ACK;
}

static void name_timeouts(struct peer *p, uint64_t n)
{
    expect_stat(p, "TcpRetransSegs", n);
    expect_stat(p, "TcpExtTCPTimeouts", n);
    expect_stat(p, "TcpExtTCPSlowStartRetrans", n);
}

/* An end by timeout: the error, the RST and what is counted. */
static void expect_given_up(struct peer *p, int state, int64_t ms)
{
    bool is_opening = state == WEIR_SYN_SENT || state == WEIR_SYN_RECV;

    if (state == WEIR_SYN_SENT)
        advance_ms(p, ms);
    else
        expect_after(p, ms, .flags = RST | ACK);
    expect_state(p, WEIR_CLOSED);
    assert_int_equal(app_error(p), ETIMEDOUT);
    advance_ms(p, 600000);
    expect_quiet(p);
    expect_stat(p, "TcpExtTCPAbortOnTimeout", 1);
    expect_stat(p, "TcpOutRsts", state != WEIR_SYN_SENT);
    expect_stat(p, "TcpEstabResets", state == WEIR_ESTABLISHED || state == WEIR_CLOSE_WAIT);
    expect_stat(p, "TcpAttemptFails", is_opening);
}

#define SENDING WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_CLOSE_WAIT, WEIR_CLOSING, WEIR_LAST_ACK

/* -- user timeout ------------------------------------------------------------------------------ */

/* FSM-332 FSM-333 FSM-335 FSM-336 FSM-337 REQ:5482-3-1 */
TEST(a_user_timeout_ends_the_connection)
{
    each_state (state, SENDING) {
        struct peer p = in_state(state, .mss = 1000);
        uint8_t flags;

        app_option(&p, IPPROTO_TCP, TCP_USER_TIMEOUT, 1000);
        flags = something_in_flight(&p, state);
        expect_after(&p, 200, .flags = flags, .seq = 1);
        expect_after(&p, 400, .flags = flags, .seq = 1);
        expect_given_up(&p, state,
                        flags == ACK ? 400 : 600); /* 1 s since it was sent, or repeated */
        name_timeouts(&p, 2);
        peer_end(&p);
    }
}

TEST(a_user_timeout_ends_the_attempt_to_open) /* FSM-330 FSM-331 */
{
    each_state (state, WEIR_SYN_SENT, WEIR_SYN_RECV) {
        struct peer p = in_state(state, .is_active = true);
        uint8_t flags = something_in_flight(&p, state);

        app_option(&p, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500);
        expect_after(&p, 1000, .flags = flags, .seq = 0);
        expect_given_up(&p, state, 1500);
        expect_stat(&p, "TcpRetransSegs", 1);
        peer_end(&p);
    }
}

TEST(a_user_timeout_may_be_longer_than_all_retransmissions) /* REQ:MUST-21 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "1");

    app_option(&p, IPPROTO_TCP, TCP_USER_TIMEOUT, INT_MAX);
    app_write(&p, 100);
    for (int hours = 0; hours < 14 * 24; hours++) {
        advance_ms(&p, 3600000);
        peer_forget_output(&p);
    }
    expect_state(&p, WEIR_ESTABLISHED);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101);
    assert_int_equal(info_of(&p).in_flight, 0);
    name_timeouts(&p, weir_stat_by_name(p.stack, "TcpRetransSegs"));
    peer_end(&p);
}

/* -- retransmission ---------------------------------------------------------------------------- */

/* FSM-343 FSM-344 FSM-345 FSM-346 FSM-347 ROW:29 ROW:56 */
TEST(what_is_unacknowledged_is_repeated_and_the_timer_doubles)
{
    each_state (state, SENDING) {
        struct peer p = in_state(state, .mss = 1000);
        uint8_t flags = something_in_flight(&p, state);

        for (int ms = 200; ms <= 3200; ms *= 2)
            expect_after(&p, ms, .flags = flags, .seq = 1);
        assert_int_equal(info_of(&p).cwnd, 1000);
        assert_int_equal(info_of(&p).ssthresh, 2000);
        name_timeouts(&p, 5);
        peer_end(&p);
    }
}

/* FSM-353 FSM-354 FSM-355 FSM-356 FSM-357 REQ:MUST-20 ROW:30 ROW:97 */
TEST(after_the_last_retransmission_the_connection_ends)
{
    each_state (state, SENDING) {
        struct peer p = in_state(state, .mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "1");
        uint8_t flags = something_in_flight(&p, state);

        expect_after(&p, 200, .flags = flags, .seq = 1);
        expect_given_up(&p, state, 400);
        name_timeouts(&p, 1);
        peer_end(&p);
    }
}

TEST(a_crossed_syn_is_given_up_like_any_other) /* FSM-342 */
{
    struct peer p = in_state(WEIR_SYN_RECV, .is_active = true,
                             .knob = "net.ipv4.tcp_synack_retries", .value = "1");

    expect_after(&p, 1000, .flags = SYN | ACK, .seq = 0, .ack = 1);
    expect_given_up(&p, WEIR_SYN_RECV, 2000);
    expect_stat(&p, "TcpRetransSegs", 1);
    peer_end(&p);
}

TEST(the_preset_r2_is_over_100_seconds) /* REQ:SHLD-11 */
{
    struct peer p = established(.mss = 1000);
    struct got g;
    int64_t at = 0;

    app_write(&p, 100);
    advance_ms(&p, 2000000);
    while (peer_next(&p, &g))
        at = g.at_ns;
    assert_true(g.h.flags & RST);
    assert_int_equal(at / 1000000 - 1000, 924600);
    assert_int_equal(app_error(&p), ETIMEDOUT);
    name_timeouts(&p, 15);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpExtTCPAbortOnTimeout", 1);
    peer_end(&p);
}

/* The preset is Linux's 127 s; RFC 9293 asks for three minutes, which is one more. */
TEST(seven_repetitions_of_a_syn_take_more_than_three_minutes)
{
    struct peer p = connecting(.knob = "net.ipv4.tcp_syn_retries", .value = "7");

    for (int ms = 1000; ms <= 64000; ms *= 2)
        expect_after(&p, ms, .flags = SYN, .seq = 0);
    advance_ms(&p, 119999); /* the ceiling of the RTO is 120 s */
    expect_state(&p, WEIR_SYN_SENT);
    expect_given_up(&p, WEIR_SYN_SENT, 1);
    expect_stat(&p, "TcpRetransSegs", 7);
    peer_end(&p);
}

TEST(the_timer_follows_the_round_trip_time) /* REQ:6298-3-3 REQ:MUST-18 REQ:6298-2-2 REQ:6298-2-3 */
{
    struct peer p = connecting(.mss = 1000);

    advance_ms(&p, 100);
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(info_of(&p).srtt_us, 100000);
    assert_int_equal(info_of(&p).rttvar_us, 50000);
    assert_int_equal(info_of(&p).rto_us, 300000); /* 100 + 4 * 50 */
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    advance_ms(&p, 180);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101);
    assert_int_equal(info_of(&p).srtt_us, 110000);  /* 7/8 100 + 1/8 180 */
    assert_int_equal(info_of(&p).rttvar_us, 57500); /* 3/4 50 + 1/4 80 */
    assert_int_equal(info_of(&p).rto_us, 340000);
    peer_end(&p);
}

TEST(what_was_repeated_is_not_measured) /* REQ:MUST-18 REQ:6298-3-1 */
{
    struct peer p = connecting(.mss = 1000);

    advance_ms(&p, 100);
    inject(&p, .flags = SYN | ACK, .seq = 0, .ack = 1, .mss = 1000);
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    expect_after(&p, 300, .flags = ACK, .seq = 1, .len = 100);
    advance_ms(&p, 10);
    inject(&p, .flags = ACK, .seq = 1, .ack = 101);
    assert_int_equal(info_of(&p).srtt_us, 100000);
    assert_int_equal(info_of(&p).rttvar_us, 50000);
    name_timeouts(&p, 1);
    peer_end(&p);
}

/* -- persist ----------------------------------------------------------------------------------- */

/* FSM-358 FSM-359 FSM-360 FSM-361 REQ:MUST-36 REQ:SHLD-29 REQ:SHLD-30 */
TEST(a_closed_window_is_probed_at_growing_intervals)
{
    each_state (state, WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_CLOSE_WAIT, WEIR_LAST_ACK) {
        bool had_fin = state == WEIR_CLOSE_WAIT || state == WEIR_LAST_ACK;
        struct peer p = in_state(had_fin ? WEIR_CLOSE_WAIT : WEIR_ESTABLISHED, .mss = 1000);
        uint32_t nxt = had_fin ? 2 : 1;

        inject(&p, .flags = ACK, .seq = nxt, .ack = 1, .wnd = CLOSED_WINDOW);
        app_write(&p, 100);
        if (state == WEIR_FIN_WAIT_1 || state == WEIR_LAST_ACK)
            app_shut_write(&p);
        expect_state(&p, state);
        for (int ms = 200; ms <= 3200; ms *= 2) {
            expect_after(&p, ms, .flags = ACK, .seq = 0, .ack = nxt, .len = 0);
            inject(&p, .flags = ACK, .seq = nxt, .ack = 1, .wnd = CLOSED_WINDOW);
        }
        expect_stat(&p, "TcpExtTCPWinProbe", 5);
        peer_end(&p);
    }
}

/* The window opens again, its update is lost, a probe finds out. */
TEST(a_lost_window_update_is_made_good_by_a_probe) /* FSM-416 REQ:MUST-37 REQ:6429-4-1 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "2");
    struct got g;
    int probes = 0;

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    app_write(&p, 100);
    while (peer_now_ms(&p) < 3600000) { /* an hour of answers, and no end */
        advance_ms(&p, 10);
        if (!peer_next(&p, &g))
            continue;
        probes++;
        inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    }
    expect_state(&p, WEIR_ESTABLISHED);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = 1000);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    expect_stat(&p, "TcpExtTCPWinProbe", (uint64_t)probes);
    peer_end(&p);
}

TEST(a_silent_peer_with_a_closed_window_is_given_up) /* REQ:MUST-36 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "2");

    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW);
    app_write(&p, 100);
    expect_after(&p, 200, .flags = ACK, .seq = 0, .len = 0);
    expect_after(&p, 400, .flags = ACK, .seq = 0, .len = 0);
    expect_given_up(&p, WEIR_ESTABLISHED, 800);
    expect_stat(&p, "TcpExtTCPWinProbe", 2);
    peer_end(&p);
}

/* Less than a segment fits and more is there: silly window avoidance holds it for a while only. */
TEST(a_window_below_a_segment_is_used_after_a_while) /* FSM-369 FSM-370 REQ:MUST-38 */
{
    each_state (state, WEIR_ESTABLISHED, WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 1, .wnd = 300);
        app_write(&p, 2000);
        expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 300);
        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 301, .wnd = 1000);
        expect(&p, .flags = ACK, .seq = 301, .len = 1000);
        peer_end(&p);
    }
}

/* -- delayed ACK, keepalive -------------------------------------------------------------------- */

TEST(keepalive_is_off_unless_asked_for) /* REQ:MUST-25 */
{
    struct peer p = established(.mss = 1000);

    advance_ms(&p, 30ll * 24 * 3600 * 1000);
    expect_quiet(&p);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_end(&p);
}

TEST(keepalive_waits_two_hours_by_itself) /* REQ:MUST-28 REQ:SHLD-12 ROW:36 */
{
    struct peer p = established(.mss = 1000);

    app_option(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
    expect_after(&p, 7200000, .flags = ACK, .seq = 0, .ack = 1, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_after(&p, 7200000, .flags = ACK, .seq = 0, .ack = 1, .len = 0);
    expect_stat(&p, "TcpExtTCPKeepAlive", 2);
    peer_end(&p);
}

TEST(keepalive_goes_on_and_off_and_its_interval_is_set) /* REQ:MUST-24 REQ:MUST-27 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_keepalive_time", .value = "100");

    app_option(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
    expect_after(&p, 100000, .flags = ACK, .seq = 0, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_option(&p, IPPROTO_TCP, TCP_KEEPIDLE, 20);
    expect_after(&p, 20000, .flags = ACK, .seq = 0, .len = 0);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_option(&p, SOL_SOCKET, SO_KEEPALIVE, 0);
    advance_ms(&p, 10000000);
    expect_quiet(&p);
    expect_stat(&p, "TcpExtTCPKeepAlive", 2);
    peer_end(&p);
}

TEST(keepalive_probes_only_where_nothing_is_under_way) /* REQ:MUST-26 */
{
    struct peer p = established(.mss = 1000);

    app_option(&p, IPPROTO_TCP, TCP_KEEPIDLE, 10);
    app_option(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
    advance_ms(&p, 9000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1); /* the interval begins anew */
    advance_ms(&p, 9999);
    expect_quiet(&p);
    app_write(&p, 100); /* in flight: retransmission asks already */
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    for (int ms = 200; ms <= 6400; ms *= 2)
        expect_after(&p, ms, .flags = ACK, .seq = 1, .len = 100);
    name_timeouts(&p, 6);
    peer_end(&p);
}

/* FSM-362 FSM-363 FSM-364 FSM-365 REQ:MUST-29 */
TEST(keepalive_needs_several_silences_to_end_a_connection)
{
    each_state (state, WEIR_ESTABLISHED, WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        app_option(&p, IPPROTO_TCP, TCP_KEEPIDLE, 10);
        app_option(&p, IPPROTO_TCP, TCP_KEEPINTVL, 5);
        app_option(&p, IPPROTO_TCP, TCP_KEEPCNT, 3);
        app_option(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
        expect_after(&p, 10000, .flags = ACK, .seq = 0, .ack = n.rcv_nxt, .len = 0);
        expect_after(&p, 5000, .flags = ACK, .seq = 0, .ack = n.rcv_nxt, .len = 0);
        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 1); /* one answer of two */
        expect_state(&p, state);
        expect_after(&p, 10000, .flags = ACK, .seq = 0, .len = 0);
        expect_after(&p, 5000, .flags = ACK, .seq = 0, .len = 0);
        expect_after(&p, 5000, .flags = ACK, .seq = 0, .len = 0);
        expect_given_up(&p, state, 5000);
        expect_stat(&p, "TcpExtTCPKeepAlive", 5);
        peer_end(&p);
    }
}

/* FSM-366 FSM-367 FSM-368 REQ:MUST-40 REQ:SHLD-18 ROW:35 */
TEST(an_ack_waits_40_ms_for_company)
{
    each_state (state, WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        if (state == WEIR_ESTABLISHED) { /* a dialogue, as where our FIN was sent */
            app_write(&p, 10);
            expect(&p, .flags = ACK, .seq = 1, .len = 10);
            n = (struct numbers){11, 11, 1};
        }
        inject(&p, .flags = ACK, .seq = 1, .ack = n.una, .len = 10);
        expect_after(&p, 40, .flags = ACK, .seq = n.nxt, .ack = 11, .len = 0);
        peer_end(&p);
    }
}

TEST(the_second_full_segment_is_acknowledged_at_once) /* REQ:SHLD-19 */
{
    struct peer p = established(.mss = 1460);

    app_write(&p, 10);
    expect(&p, .flags = ACK, .seq = 1, .len = 10);
    for (uint32_t at = 1; at < 1 + 8 * 1460; at += 2 * 1460) {
        inject(&p, .flags = ACK, .seq = at, .ack = 11, .len = 1460);
        expect_quiet(&p);
        inject(&p, .flags = ACK, .seq = at + 1460, .ack = 11, .len = 1460);
        expect(&p, .flags = ACK, .seq = 11, .ack = at + 2920, .len = 0);
    }
    peer_end(&p);
}

/* -- FIN-WAIT-2 -------------------------------------------------------------------------------- */

TEST(fin_wait_2_of_a_closed_socket_ends_and_what_comes_then_is_reset) /* FSM-371 ROW:33 */
{
    struct peer p = in_state(WEIR_FIN_WAIT_2, .is_active = true);

    app_close(&p);
    advance_ms(&p, 59999);
    expect_state(&p, WEIR_FIN_WAIT_2);
    advance_ms(&p, 1);
    expect_state(&p, 0);
    expect_quiet(&p);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2, .drop = "tcp_no_socket");
    expect(&p, .flags = RST, .seq = 2);
    expect_stat(&p, "TcpOutRsts", 1);
    expect_stat(&p, "TcpExtTCPAbortOnLinger", 1);
    peer_end(&p);
}

TEST(fin_wait_2_of_an_open_socket_waits_as_long_as_it_takes) /* ROW:7 */
{
    struct peer p = in_state(WEIR_FIN_WAIT_2, .mss = 1000);

    advance_ms(&p, 24ll * 3600 * 1000);
    expect_state(&p, WEIR_FIN_WAIT_2);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2, .len = 10);
    app_read(&p, 10);
    peer_forget_output(&p);
    assert_int_equal(weir_send(p.stack, p.sock, "x", 1, 0), -EPIPE);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
