/* TIME-WAIT: what it answers, what ends it, and who may have its place. RFC 9293, 1337, 6191. */
#include <errno.h>

#include "support/peer.h"

/* The listener is there, the program has gone; SND.NXT is 2, RCV.NXT is 2. */
static struct peer waiting_after(struct peer p)
{
    uint32_t ts = p.has_ts ? 2000 : 0;

    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2, .tsval = ts);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_state(&p, WEIR_TIME_WAIT);
    return p;
}

#define waiting(...) waiting_after(established(__VA_ARGS__))

/* A new incarnation of the stack's end: its numbers begin anew. */
static uint32_t next_isn(struct peer *p)
{
    uint32_t old = p->stack_isn;

    p->has_isn = false;
    expect(p, .flags = SYN | ACK);
    return p->stack_isn - old;
}

/* REQ:6191-2-6 REQ:FSM-222 REQ:6191-2-8 */
TEST(a_syn_beyond_the_last_number_opens_the_next_incarnation)
{
    struct peer p = waiting(0);

    inject(&p, .flags = SYN, .seq = 2, .mss = 1460);
    assert_true((int32_t)next_isn(&p) > 2); /* above all that the old one sent */
    expect_state(&p, WEIR_SYN_RECV);
    expect_stat(&p, "TcpExtTWRecycled", 1);
    peer_end(&p);
}

TEST(the_next_incarnation_numbers_from_above_the_old_however_fast_that_was)
{
    struct peer p = established(.mss = 1460, .wscale = 8, .wnd = 65535);

    for (uint32_t at = 1; at < 200000; at += 14600) { /* in no time: 250 bytes a ms is the clock */
        app_write(&p, 14600);
        for (uint32_t i = 0; i < 10; i++)
            expect(&p, .flags = ACK, .seq = at + 1460 * i, .len = 1460);
        inject(&p, .flags = ACK, .seq = 1, .ack = at + 14600);
    }
    app_close(&p);
    expect(&p, .flags = FIN | ACK, .seq = p.written + 1);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = p.written + 2);
    expect(&p, .flags = ACK, .seq = p.written + 2, .ack = 2);
    inject(&p, .flags = SYN, .seq = 100, .mss = 1460);
    assert_int_equal(next_isn(&p), p.written + 2 + 65537);
    expect_stat(&p, "TcpExtTWRecycled", 1);
    peer_end(&p);
}

TEST(a_syn_within_the_old_numbers_is_only_answered)
{
    struct peer p = waiting(0);

    inject(&p, .flags = SYN, .seq = 1, .mss = 1460, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(a_newer_timestamp_opens_whatever_the_number) /* REQ:6191-2-1 FSM-217 */
{
    struct peer p = waiting(.has_ts = true);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .tsval = 2001);
    assert_true((int32_t)next_isn(&p) > 2);
    expect_stat(&p, "TcpExtTWRecycled", 1);
    peer_end(&p);
}

TEST(an_equal_timestamp_leaves_it_to_the_number) /* REQ:6191-2-2 FSM-218 */
{
    struct peer p = waiting(.has_ts = true);

    inject(&p, .flags = SYN, .seq = 1, .mss = 1460, .tsval = 2000, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    inject(&p, .flags = SYN, .seq = 2, .mss = 1460, .tsval = 2000);
    next_isn(&p);
    expect_stat(&p, "TcpExtTWRecycled", 1);
    peer_end(&p);
}

TEST(an_older_timestamp_is_refused_whatever_the_number)
{
    struct peer p = waiting(.has_ts = true);

    inject(&p, .flags = SYN, .seq = 5000, .mss = 1460, .tsval = 1999, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(without_a_timestamp_in_the_syn_the_number_decides) /* REQ:6191-2-3 FSM-219 */
{
    struct peer p = waiting(.has_ts = true);

    inject(&p, .flags = SYN, .seq = 1, .mss = 1460, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    inject(&p, .flags = SYN, .seq = 2, .mss = 1460);
    next_isn(&p);
    expect_stat(&p, "TcpExtTWRecycled", 1);
    peer_end(&p);
}

TEST(a_syn_that_brings_timestamps_opens_where_there_were_none) /* REQ:6191-2-5 FSM-221 */
{
    struct peer p = waiting(0);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460, .tsval = 1);
    next_isn(&p);
    expect_stat(&p, "TcpExtTWRecycled", 1);
    peer_end(&p);
}

TEST(a_syn_with_fin_does_not_end_it)
{
    struct peer p = waiting(0);

    inject(&p, .flags = SYN | FIN, .seq = 500, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(a_listener_without_room_leaves_it_in_place)
{
    struct peer p = waiting(.knob = "net.ipv4.tcp_max_syn_backlog", .value = "1",
                            .knob2 = "net.ipv4.tcp_syncookies", .value2 = "0");
    struct peer q = peer_other(&p, 5000);

    inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&q, .flags = SYN | ACK);
    inject(&p, .flags = SYN, .seq = 500, .mss = 1460, .drop = "tcp_syn_queue");
    expect_state(&p, WEIR_TIME_WAIT);
    expect_stat(&p, "TcpExtTCPReqQFullDrop", 1);
    expect_stat(&p, "TcpExtListenDrops", 1);
    peer_end(&p);
}

TEST(without_a_listener_a_syn_is_only_answered)
{
    struct peer p = waiting(0);

    weir_close(p.stack, p.listener);
    inject(&p, .flags = SYN, .seq = 500, .mss = 1460, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(only_the_fin_that_comes_again_restarts_it) /* REQ:FSM-277 REQ:FSM-278 */
{
    struct peer p = waiting(0);

    advance_ms(&p, 30000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2, .len = 1, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    advance_ms(&p, 500);                                         /* the pace of such answers */
    inject(&p, .flags = FIN, .seq = 1, .drop = "tcp_time_wait"); /* no ACK: no segment of TCP's */
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    advance_ms(&p, 20000);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    advance_ms(&p, 59999);
    expect_state(&p, WEIR_TIME_WAIT);
    advance_ms(&p, 1);
    expect_state(&p, 0);
    peer_end(&p);
}

TEST(text_that_comes_late_does_not_restart_it)
{
    struct peer p = waiting(0);

    advance_ms(&p, 30000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2, .len = 1, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    advance_ms(&p, 29999);
    expect_state(&p, WEIR_TIME_WAIT);
    advance_ms(&p, 1);
    expect_state(&p, 0);
    peer_end(&p);
}

TEST(an_exact_rst_ends_it_only_where_1337_is_off) /* REQ:FSM-180 REQ:FSM-181 FSM-189 */
{
    struct peer p = waiting(.knob = "net.ipv4.tcp_rfc1337", .value = "0");

    inject(&p, .flags = RST, .seq = 1, .drop = "tcp_rst_time_wait");
    inject(&p, .flags = RST, .seq = 3, .drop = "tcp_rst_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2); /* a challenge */
    expect_state(&p, WEIR_TIME_WAIT);
    inject(&p, .flags = RST, .seq = 2);
    expect_state(&p, 0);
    peer_end(&p);
    p = waiting(0);
    inject(&p, .flags = RST, .seq = 2, .drop = "tcp_rst_time_wait");
    expect_state(&p, WEIR_TIME_WAIT);
    peer_end(&p);
}

TEST(what_is_out_of_place_is_answered_at_a_pace) /* REQ:5961-7-1 */
{
    struct peer p = waiting(0);

    inject(&p, .flags = ACK, .seq = 1, .ack = 2, .len = 1, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    for (int i = 0; i < 100; i++) {
        advance_ms(&p, 1);
        inject(&p, .flags = ACK, .seq = 1, .ack = 2, .len = 1, .drop = "tcp_time_wait");
    }
    expect_quiet(&p);
    expect_stat(&p, "TcpExtTCPACKSkippedTimeWait", 100);
    advance_ms(&p, 400);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2, .len = 1, .drop = "tcp_time_wait");
    expect(&p, .flags = ACK, .seq = 2, .ack = 2);
    peer_end(&p);
}

TEST(the_oldest_goes_when_there_are_too_many)
{
    struct peer p = established(.knob = "net.ipv4.tcp_max_tw_buckets", .value = "1");
    struct peer q = peer_other(&p, 5000);

    p = waiting_after(p);
    inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&q, .flags = SYN | ACK);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&q);
    q = waiting_after(q);
    expect_state(&p, 0);
    expect_state(&q, WEIR_TIME_WAIT);
    expect_stat(&p, "TcpExtTCPTimeWaitOverflow", 1);
    peer_end(&p);
}

/* -- tcp_tw_recycle ---------------------------------------------------------------------------- */

/* The peer's clock stood at 2000 when the connection ended. */
static struct peer recycled(void)
{
    return waiting(.has_ts = true, .knob = "net.ipv4.tcp_tw_recycle", .value = "1");
}

static void other_host_behind_the_address(struct peer *p, uint16_t port, uint32_t ts,
                                          const char *drop)
{
    struct peer other = peer_other(p, port);

    inject(&other, .flags = SYN, .seq = 0, .mss = 1460, .has_ts = true, .tsval = ts, .drop = drop);
    if (!drop)
        expect(&other, .flags = SYN | ACK);
}

TEST(recycling_ends_time_wait_after_three_and_a_half_rto) /* ROW:69 */
{
    struct peer p = recycled();

    advance_ms(&p, 699); /* the RTO is its floor of 200 ms */
    expect_state(&p, WEIR_TIME_WAIT);
    advance_ms(&p, 1);
    expect_state(&p, 0);
    peer_end(&p);
}

TEST(recycling_refuses_a_slower_clock_at_the_same_address_for_a_minute) /* ROW:69 ROW:70 */
{
    struct peer p = recycled();

    other_host_behind_the_address(&p, 4001, 1998, "tcp_recycle");
    other_host_behind_the_address(&p, 4002, 1999, NULL); /* within one */
    advance_ms(&p, 59999);
    other_host_behind_the_address(&p, 4003, 1998, "tcp_recycle");
    advance_ms(&p, 1);
    other_host_behind_the_address(&p, 4003, 1998, NULL);
    expect_stat(&p, "TcpExtPAWSPassive", 2);
    expect_stat(&p, "TcpExtListenDrops", 2);
    peer_forget();
}

TEST(a_syn_without_a_timestamp_is_not_refused_by_recycling) /* ROW:69 */
{
    struct peer p = recycled(), other = peer_other(&p, 4001);

    inject(&other, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&other, .flags = SYN | ACK);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run("time_wait");
}
