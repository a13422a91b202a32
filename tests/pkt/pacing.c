/* Pacing: SO_MAX_PACING_RATE, net.weir.tcp_pacing and the ratios. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "support/states.h"

static void limit_to(struct peer *p, uint64_t bytes_per_second)
{
    assert_int_equal(weir_setsockopt(p->stack, p->sock, SOL_SOCKET, SO_MAX_PACING_RATE,
                                     &bytes_per_second, sizeof bytes_per_second),
                     0);
}

TEST(a_limited_connection_sends_two_segments_and_then_waits_for_their_time)
{
    struct peer p = established(.mss = 1000);

    limit_to(&p, 100000); /* a segment in 10 ms */
    app_write(&p, 5000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    expect_after(&p, 20, .flags = ACK, .seq = 2001, .len = 1000);
    expect(&p, .flags = ACK, .seq = 3001, .len = 1000);
    expect_after(&p, 20, .flags = ACK, .seq = 4001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 5001);
    app_write(&p, 1000); /* the last one's time is not over, though nothing is in flight */
    expect_after(&p, 10, .flags = ACK, .seq = 5001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 6001);
    advance_ms(&p, 1000);
    app_write(&p, 3000); /* idle time saves nothing up */
    expect(&p, .flags = ACK, .seq = 6001, .len = 1000);
    expect(&p, .flags = ACK, .seq = 7001, .len = 1000);
    expect_after(&p, 20, .flags = ACK, .seq = 8001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 9001);
    peer_end(&p);
}

TEST(acks_are_not_paced)
{
    struct peer p = established(.mss = 1000);

    limit_to(&p, 20000); /* a segment in 50 ms */
    app_write(&p, 4000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
    expect_after(&p, 40, .flags = ACK, .ack = 1001, .len = 0);
    expect_after(&p, 60, .flags = ACK, .seq = 2001, .len = 1000);
    expect(&p, .flags = ACK, .seq = 3001, .len = 1000);
    peer_forget();
}

TEST(retransmissions_are_paced_too)
{
    struct peer p = established(.mss = 1000);

    app_write(&p, 6000);
    for (uint32_t at = 1; at < 6000; at += 1000)
        expect(&p, .flags = ACK, .seq = at, .len = 1000);
    limit_to(&p, 10000);
    expect_after(&p, 200, .flags = ACK, .seq = 1, .len = 1000); /* the timeout's */
    advance_ms(&p, 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    expect_after(&p, 99, .flags = ACK, .seq = 1001, .len = 1000);
    expect(&p, .flags = ACK, .seq = 2001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 6001);
    peer_forget();
}

TEST(without_a_limit_nothing_waits)
{
    struct peer p = established(.mss = 1000);

    limit_to(&p, 10000);
    limit_to(&p, UINT64_MAX);
    app_write(&p, 10000);
    for (uint32_t at = 1; at < 10000; at += 1000)
        expect(&p, .flags = ACK, .seq = at, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 10001);
    peer_end(&p);
}

/* 100 ms and ten segments: slow start goes at twice that, two segments in 10 ms. */
TEST(the_window_is_spread_over_the_round_trip)
{
    struct peer p = listening(.knob = "net.weir.tcp_pacing", .value = "1");

    inject(&p, .flags = SYN, .seq = 0, .mss = 1000);
    expect(&p, .flags = SYN | ACK);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    app_write(&p, 10000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    for (uint32_t at = 2001; at < 10000; at += 2000) {
        expect_after(&p, 10, .flags = ACK, .seq = at, .len = 1000);
        expect(&p, .flags = ACK, .seq = at + 1000, .len = 1000);
    }
    inject(&p, .flags = ACK, .seq = 1, .ack = 10001);
    peer_end(&p);
}

/* Instants have 32 bits: 50 minutes after the stack's beginning 0 is one to come. */
TEST(a_connection_waits_for_nothing_before_its_first_text_however_old_the_stack_is)
{
    struct peer p = listening(.knob = "net.weir.tcp_pacing", .value = "1");

    advance_ms(&p, 3000000);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1000);
    expect(&p, .flags = SYN | ACK);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    app_write(&p, 2000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2001);
    peer_end(&p);
}

TEST(the_limit_is_read_as_it_was_set)
{
    struct peer p = established(.mss = 1000);
    uint64_t rate = 0;
    uint32_t low = 0;
    size_t len = sizeof rate, low_len = sizeof low;

    assert_int_equal(weir_getsockopt(p.stack, p.sock, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len),
                     0);
    assert_true(rate == UINT64_MAX);
    low = 123456;
    assert_int_equal(
        weir_setsockopt(p.stack, p.sock, SOL_SOCKET, SO_MAX_PACING_RATE, &low, sizeof low), 0);
    assert_int_equal(weir_getsockopt(p.stack, p.sock, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &len),
                     0);
    assert_int_equal(rate, 123456);
    low = 0;
    assert_int_equal(
        weir_getsockopt(p.stack, p.sock, SOL_SOCKET, SO_MAX_PACING_RATE, &low, &low_len), 0);
    assert_int_equal(low, 123456);
    peer_end(&p);
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
