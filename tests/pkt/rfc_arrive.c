/* SEGMENT ARRIVES where one segment does not show it: RFC 9293 section 3.10.7.4, with 5961 and 7323
 * in their steps. What one segment shows is in tests/matrix/arrivals.c. */
#include <errno.h>
#include <sys/socket.h>

#include "support/states.h"

#define RECEIVING WEIR_ESTABLISHED, WEIR_FIN_WAIT_1, WEIR_FIN_WAIT_2

static struct weir_sock_info info_of(const struct peer *p)
{
    struct weir_sock_info info;

    assert_int_equal(weir_info(p->stack, p->sock, &info), 0);
    return info;
}

/* With .rcvbuf = 2048: 4096 bytes fill the buffer and close the window. */
static void close_our_window(struct peer *p, uint32_t ack)
{
    for (uint32_t at = 0; at < 4096; at += 1024)
        inject(p, .flags = ACK, .seq = 1 + at, .ack = ack, .len = 1024);
    advance_ms(p, 40);
    peer_forget_output(p);
    assert_int_equal(info_of(p).rcv_wnd, 0);
}

/* -- first: sequence number -------------------------------------------------------------------- */

TEST(a_closed_window_accepts_empty_segments_at_rcv_nxt_only) /* FSM-133 REQ:9293-3.8.6.1-1 ROW:39 */
{
    struct peer p = established(.rcvbuf = 2048);

    close_our_window(&p, 1);
    inject(&p, .flags = ACK, .seq = 4097, .ack = 1);
    expect_quiet(&p);
    inject(&p, .flags = ACK, .seq = 4098, .ack = 1, .drop = "tcp_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 4097, .wnd = CLOSED_WINDOW);
    inject(&p, .flags = ACK, .seq = 4096, .ack = 1, .drop = "tcp_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 4097, .wnd = CLOSED_WINDOW);
    expect_stat(&p, "TcpExtTCPToZeroWindowAdv", 1);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&p);
}

TEST(a_closed_window_takes_no_text_but_ack_and_urg) /* FSM-135 REQ:MUST-66 */
{
    struct peer p = established(.rcvbuf = 2048);

    app_write(&p, 100);
    expect(&p, .flags = ACK, .seq = 1, .len = 100);
    close_our_window(&p, 1);
    inject(&p, .flags = ACK | URG, .seq = 4097, .ack = 101, .len = 1, .urg = 1,
           .drop = "tcp_window");
    expect(&p, .flags = ACK, .seq = 101, .ack = 4097, .wnd = CLOSED_WINDOW);
    assert_int_equal(info_of(&p).bytes_acked, 100);
    assert_true(weir_readiness(p.stack, p.sock) & WEIR_READY_PRI);
    expect_stat(&p, "TcpExtTCPToZeroWindowAdv", 1);
    peer_end(&p);
}

TEST(a_probe_of_our_closed_window_is_answered_for_ever) /* FSM-169 FSM-170 FSM-171 REQ:MAY-8 */
{
    each_state (state, RECEIVING) {
        struct peer p = in_state(state, .rcvbuf = 2048);
        struct numbers n = numbers(state);

        if (state == WEIR_FIN_WAIT_1) /* no RTO while we wait */
            n.una = 2;
        close_our_window(&p, n.una);
        for (int i = 0; i < 20; i++) {
            advance_ms(&p, 60000);
            inject(&p, .flags = ACK, .seq = 4097, .ack = n.una, .len = 1, .drop = "tcp_window");
            expect(&p, .flags = ACK, .seq = n.nxt, .ack = 4097, .len = 0, .wnd = CLOSED_WINDOW);
        }
        expect_stat(&p, "TcpExtTCPToZeroWindowAdv", 1);
        peer_end(&p);
    }
}

TEST(a_closed_window_lets_a_rst_through) /* FSM-191 FSM-192 REQ:MUST-66 */
{
    each_state (state, WEIR_ESTABLISHED, WEIR_CLOSE_WAIT) {
        struct peer p = established(.rcvbuf = 2048);
        bool has_fin = state == WEIR_CLOSE_WAIT;

        close_our_window(&p, 1);
        if (has_fin)
            inject(&p, .flags = FIN | ACK, .seq = 4097, .ack = 1);
        peer_forget_output(&p);
        expect_state(&p, state);
        inject(&p, .flags = RST, .seq = has_fin ? 4098 : 4097);
        expect_state(&p, WEIR_CLOSED);
        app_read(&p, 4096);
        app_read_error(&p, has_fin ? EPIPE : ECONNRESET);
        expect_stat(&p, "TcpEstabResets", 1);
        expect_stat(&p, "TcpExtTCPToZeroWindowAdv", 1);
        peer_end(&p);
    }
}

/* FSM-154 FSM-155 FSM-156 FSM-157 FSM-158 FSM-159 FSM-160 ROW:72 */
TEST(an_older_timestamp_is_dropped_with_an_ack) /* REQ:7323-5.3-1 */
{
    each_state (state, RECEIVING, WEIR_CLOSE_WAIT, WEIR_CLOSING, WEIR_LAST_ACK, WEIR_TIME_WAIT) {
        struct peer p = in_state(state, .mss = 1000, .has_ts = true);
        struct numbers n = numbers(state);
        bool is_time_wait = state == WEIR_TIME_WAIT;

        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = n.nxt, .tsval = 999, .len = 5,
               .drop = is_time_wait ? "tcp_time_wait" : "tcp_paws");
        expect(&p, .flags = ACK, .seq = n.nxt, .ack = n.rcv_nxt, .len = 0);
        expect_state(&p, state);
        expect_stat(&p, "TcpExtPAWSEstab", !is_time_wait);
        expect_stat(&p, "TcpExtTCPChallengeACK", !is_time_wait);
        peer_end(&p);
    }
}

TEST(a_segment_without_the_agreed_timestamp_is_dropped_silently) /* FSM-161 */
{
    each_state (state, RECEIVING, WEIR_CLOSE_WAIT, WEIR_CLOSING, WEIR_LAST_ACK) {
        struct peer p = in_state(state, .mss = 1000, .has_ts = true);
        struct numbers n = numbers(state);

        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = n.nxt, .drop = "tcp_no_timestamp");
        expect_quiet(&p);
        expect_state(&p, state);
        peer_end(&p);
    }
}

/* FSM-162 REQ:7323-5.5-1 REQ:7323-5.5-2 */
TEST(a_timestamp_of_24_days_ago_is_not_held_against_anyone)
{
    struct peer p = established(.mss = 1000, .has_ts = true);

    advance_ms(&p, 24ll * 24 * 3600 * 1000 + 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 5, .tsval = 10);
    expect(&p, .flags = ACK, .ack = 6, .has_ts = true, .tsecr = 10);
    inject(&p, .flags = ACK, .seq = 6, .ack = 1, .len = 5, .tsval = 9, .drop = "tcp_paws");
    expect(&p, .flags = ACK, .ack = 6, .has_ts = true, .tsecr = 10);
    expect_stat(&p, "TcpExtPAWSEstab", 1);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&p);
}

/* What lies beyond the window is cut off, and its FIN with it. FSM-164 FSM-295 FSM-296 FSM-297
 * FSM-315 FSM-316 FSM-317 ROW:47 */
TEST(text_beyond_the_window_is_cut_off_and_so_is_its_fin)
{
    each_state (state, RECEIVING) {
        struct peer p = in_state(state, .rcvbuf = 2048);
        struct numbers n = numbers(state);

        for (uint32_t at = 0; at < 4000; at += 1000)
            inject(&p, .flags = ACK, .seq = 1 + at, .ack = n.una, .len = 1000);
        peer_forget_output(&p);
        inject(&p, .flags = FIN | ACK, .seq = 4001, .ack = n.una, .len = 500);
        advance_ms(&p, 40);
        expect(&p, .flags = ACK, .seq = n.nxt, .ack = 4097, .wnd = CLOSED_WINDOW);
        expect_state(&p, state);
        app_read(&p, 4096);
        expect(&p, .flags = ACK, .ack = 4097, .wnd = 4096);
        inject(&p, .flags = FIN | ACK, .seq = 4097, .ack = n.una, .len = 404);
        app_read(&p, 404);
        app_read_error(&p, 0);
        peer_forget_output(&p);
        expect_stat(&p, "TcpExtTCPToZeroWindowAdv", 1);
        expect_stat(&p, "TcpExtTCPFromZeroWindowAdv", 1);
        peer_end(&p);
    }
}

TEST(a_wrong_checksum_is_dropped_silently_and_counted) /* FSM-001 REQ:MUST-3 ROW:42 */
{
    each_state (state, WEIR_LISTEN, WEIR_SYN_SENT, RECEIVING, WEIR_CLOSE_WAIT, WEIR_CLOSING,
                WEIR_LAST_ACK, WEIR_TIME_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        struct segment s = {.flags = RST, .seq = numbers(state).rcv_nxt};
        struct weir_frame f = {.parts = 1};
        uint8_t bytes[PEER_FRAME_MAX];

        f.part[0] = (struct weir_slice){bytes, peer_build(&p, &s, bytes)};
        bytes[IP4_LEN + 4] ^= 1;
        weir_input(p.stack, 1, &f, 1, 1000000000);
        expect_quiet(&p);
        if (state != WEIR_LISTEN)
            expect_state(&p, state);
        expect_stat(&p, "TcpInErrs", 1);
        peer_end(&p);
    }
}

/* -- second to fourth -------------------------------------------------------------------------- */

TEST(challenge_acks_come_at_a_pace) /* FSM-190 */
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = RST, .seq = 100, .drop = "tcp_rst_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    inject(&p, .flags = RST, .seq = 101, .drop = "tcp_rst_window");
    inject(&p, .flags = SYN, .seq = 102, .drop = "tcp_syn_in_window");
    inject(&p, .flags = ACK, .seq = 1, .ack = 99, .drop = "tcp_ack_invalid");
    expect_quiet(&p);
    advance_ms(&p, 500);
    inject(&p, .flags = RST, .seq = 103, .drop = "tcp_rst_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    expect_stat(&p, "TcpExtTCPChallengeACK", 5);
    peer_end(&p);
}

/* FSM-410 REQ:5961-4.2-4 REQ:5961-1.1-1 */
TEST(the_rst_that_a_challenge_draws_is_exact_and_ends_it)
{
    struct peer p = established(.mss = 1000);

    inject(&p, .flags = RST, .seq = 100, .drop = "tcp_rst_window");
    expect(&p, .flags = ACK, .seq = 1, .ack = 1);
    inject(&p, .flags = RST, .seq = 1);
    expect_state(&p, WEIR_CLOSED);
    app_read_error(&p, ECONNRESET);
    expect_stat(&p, "TcpEstabResets", 1);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&p);
}

/* -- fifth: ACK -------------------------------------------------------------------------------- */

TEST(an_ack_frees_tells_measures_and_stops_the_timer) /* FSM-244 FSM-247 ROW:43 ROW:48 */
{
    each_state (state, WEIR_ESTABLISHED, WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        app_option(&p, SOL_SOCKET, SO_SNDBUF, 2304); /* 4608 */
        app_write(&p, 4608);
        peer_forget_output(&p);
        assert_false(weir_readiness(p.stack, p.sock) & WEIR_READY_OUT);
        advance_ms(&p, 50);
        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 3001); /* three segments at once */
        assert_true(weir_readiness(p.stack, p.sock) & WEIR_READY_OUT);
        assert_int_equal(info_of(&p).srtt_us, 6250);
        assert_int_equal(info_of(&p).send_queue, 1608);
        assert_int_equal(info_of(&p).in_flight, 1608);
        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 4609);
        advance_ms(&p, 600000);
        expect_quiet(&p);
        peer_end(&p);
    }
}

TEST(an_ack_below_the_fin_restarts_the_timer) /* FSM-245 FSM-271 */
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 2000);
    app_shut_write(&p);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = FIN | ACK, .seq = 1001, .len = 1000);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    expect_state(&p, WEIR_FIN_WAIT_1);
    expect_after(&p, 200, .flags = FIN | ACK, .seq = 1001, .len = 1000);
    expect_stat(&p, "TcpRetransSegs", 1);
    expect_stat(&p, "TcpExtTCPTimeouts", 1);
    expect_stat(&p, "TcpExtTCPSlowStartRetrans", 1);
    peer_end(&p);
}

TEST(three_duplicates_retransmit_in_the_other_states_too) /* FSM-251 FSM-253 */
{
    each_state (state, WEIR_FIN_WAIT_1, WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state == WEIR_FIN_WAIT_1 ? WEIR_ESTABLISHED : state, .mss = 1000);
        struct numbers n = numbers(state);

        app_write(&p, 5000);
        if (state == WEIR_FIN_WAIT_1)
            app_shut_write(&p);
        peer_forget_output(&p);
        expect_state(&p, state);
        for (int i = 0; i < 2; i++)
            inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 1);
        expect_quiet(&p);
        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = 1);
        expect(&p, .flags = ACK, .seq = 1, .len = 1000);
        expect_quiet(&p);
        expect_stat(&p, "TcpRetransSegs", 1);
        expect_stat(&p, "TcpExtTCPFastRetrans", 1);
        expect_stat(&p, "TcpExtTCPRenoRecovery", 1);
        peer_end(&p);
    }
}

/* FSM-262 FSM-263 FSM-264 FSM-265 FSM-266 FSM-267 FSM-268 FSM-269 */
TEST(the_newest_segment_says_what_the_window_is)
{
    each_state (state, RECEIVING, WEIR_CLOSE_WAIT) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = n.una, .wnd = 5000);
        assert_int_equal(info_of(&p).snd_wnd, 5000);
        inject(&p, .flags = ACK, .seq = n.rcv_nxt, .ack = n.una, .wnd = 4000);
        assert_int_equal(info_of(&p).snd_wnd, 4000);
        inject(&p, .flags = ACK, .seq = 0, .ack = n.una, .len = 5, .wnd = 7,
               .drop = state == WEIR_CLOSE_WAIT ? "tcp_past_fin" : NULL); /* begins before WL1 */
        assert_int_equal(info_of(&p).snd_wnd, 4000);
        peer_forget_output(&p);
        peer_end(&p);
    }
}

/* REQ:9293-3.10.7.4-6 REQ:MAY-12 REQ:5961-5.2-1 REQ:5961-5.2-2 REQ:5961-5.2-4 */
TEST(an_ack_is_believed_back_to_the_largest_window_seen)
{
    struct peer p = established(.mss = 1000, .wnd = 1000);

    app_write(&p, 500);
    expect(&p, .flags = ACK, .seq = 1, .len = 500);
    inject(&p, .flags = ACK, .seq = 1, .ack = 501, .wnd = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = (uint32_t)-499, .len = 5, .wnd = 1000);
    expect_after(&p, 40, .flags = ACK, .seq = 501, .ack = 6);
    inject(&p, .flags = ACK, .seq = 6, .ack = (uint32_t)-500, .len = 5, .wnd = 1000,
           .drop = "tcp_ack_invalid");
    expect(&p, .flags = ACK, .seq = 501, .ack = 6);
    app_read(&p, 5);
    app_read_error(&p, EAGAIN);
    expect_stat(&p, "TcpExtTCPChallengeACK", 1);
    peer_end(&p);
}

/* -- sixth: URG -------------------------------------------------------------------------------- */

static bool is_told_of_urgent(const struct peer *p)
{
    struct weir_ready_event e[4];
    int n = weir_ready(p->stack, e, 4);

    for (int i = 0; i < n; i++)
        if (e[i].sock == p->sock && e[i].ready & WEIR_READY_PRI)
            return true;
    return false;
}

/* Once when there is some, and again when the pointer moves on.
 * FSM-279 FSM-280 FSM-281 FSM-282 FSM-283 FSM-284 REQ:MUST-30 REQ:MUST-32 ROW:51 */
TEST(urgent_data_is_told_once_and_again_when_there_is_more)
{
    each_state (state, RECEIVING) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        assert_false(is_told_of_urgent(&p));
        inject(&p, .flags = ACK | URG, .seq = 1, .ack = n.una, .urg = 20, .wnd = 60001);
        assert_true(is_told_of_urgent(&p));
        inject(&p, .flags = ACK | URG, .seq = 1, .ack = n.una, .urg = 20, .wnd = 60002);
        inject(&p, .flags = ACK | URG, .seq = 1, .ack = n.una, .urg = 19, .wnd = 60003);
        assert_false(is_told_of_urgent(&p));
        inject(&p, .flags = ACK | URG, .seq = 1, .ack = n.una, .urg = 21, .wnd = 60004);
        assert_true(is_told_of_urgent(&p));
        expect_quiet(&p);
        peer_end(&p);
    }
}

/* -- seventh and eighth: text and FIN ---------------------------------------------------------- */

/* FSM-165 FSM-166 FSM-167 FSM-292 FSM-293 FSM-294 REQ:SHLD-31 ROW:40 ROW:49 ROW:57 */
TEST(a_gap_draws_an_ack_at_once_and_so_does_its_end)
{
    each_state (state, RECEIVING) {
        struct peer p = in_state(state, .mss = 1000, .sack_ok = true);
        struct numbers n = numbers(state);

        inject(&p, .flags = ACK, .seq = 201, .ack = n.una, .len = 100);
        expect(&p, .flags = ACK, .seq = n.nxt, .ack = 1, .sack = {{201, 301}});
        inject(&p, .flags = ACK, .seq = 401, .ack = n.una, .len = 100);
        expect(&p, .flags = ACK, .seq = n.nxt, .ack = 1, .sack = {{401, 501}, {201, 301}});
        app_read_error(&p, EAGAIN);
        inject(&p, .flags = ACK, .seq = 1, .ack = n.una, .len = 200); /* in part */
        expect(&p, .flags = ACK, .seq = n.nxt, .ack = 301, .sack = {{401, 501}});
        app_read(&p, 300);
        inject(&p, .flags = ACK, .seq = 301, .ack = n.una, .len = 100); /* wholly */
        expect(&p, .flags = ACK, .seq = n.nxt, .ack = 501, .sacks = NO_SACK);
        app_read(&p, 200);
        expect_stat(&p, "TcpExtTCPOFOQueue", 2);
        peer_end(&p);
    }
}

TEST(a_fin_behind_a_gap_waits_for_it) /* FSM-312 FSM-313 FSM-314 ROW:22 */
{
    each_state (state, RECEIVING) {
        struct peer p = in_state(state, .mss = 1000);
        struct numbers n = numbers(state);

        inject(&p, .flags = FIN | ACK, .seq = 101, .ack = n.una, .len = 50);
        expect(&p, .flags = ACK, .seq = n.nxt, .ack = 1);
        expect_state(&p, state);
        inject(&p, .flags = ACK, .seq = 1, .ack = n.una, .len = 100);
        expect(&p, .flags = ACK, .seq = n.nxt, .ack = 152);
        expect_state(&p, state == WEIR_ESTABLISHED  ? WEIR_CLOSE_WAIT
                         : state == WEIR_FIN_WAIT_1 ? WEIR_CLOSING
                                                    : WEIR_TIME_WAIT);
        app_read(&p, 150);
        app_read_error(&p, 0);
        expect_stat(&p, "TcpExtTCPOFOQueue", 1);
        peer_end(&p);
    }
}

static int input_burst(struct peer *p, const struct segment *s, int n)
{
    struct weir_frame f[8] = {{.parts = 1}};
    static uint8_t bytes[8][PEER_FRAME_MAX];

    for (int i = 0; i < n; i++) {
        f[i].parts = 1;
        f[i].part[0] = (struct weir_slice){bytes[i], peer_build(p, &s[i], bytes[i])};
    }
    return weir_input(p->stack, 1, f, n, 1000000000);
}

TEST(a_batch_of_segments_is_processed_before_one_ack_goes) /* REQ:MUST-58 REQ:MUST-59 */
{
    struct peer p = established(.mss = 1000);
    const struct segment batch[] = {
        {.flags = ACK, .seq = 1, .ack = 1, .len = 1000},
        {.flags = ACK, .seq = 2001, .ack = 1, .len = 1000}, /* out of order */
        {.flags = ACK, .seq = 1001, .ack = 1, .len = 1000},
        {.flags = ACK, .seq = 3001, .ack = 1, .len = 1000},
        {.flags = ACK, .seq = 3001, .ack = 1, .len = 1000}, /* repeated */
    };

    input_burst(&p, batch, 5);
    expect(&p, .flags = ACK, .seq = 1, .ack = 4001, .len = 0);
    expect_quiet(&p);
    app_read(&p, 4000);
    expect_stat(&p, "TcpExtTCPOFOQueue", 1);
    expect_stat(&p, "TcpExtDelayedACKLost", 1);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
