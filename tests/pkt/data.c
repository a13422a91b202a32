/* Data on an established connection: acknowledgments, retransmission, windows. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "support/peer.h"

#define TEST(name) static void name(void **state)

static void write_bytes(struct peer *p, size_t n)
{
    static char data[65536];

    assert_int_equal(weir_send(p->stack, p->sock, data, n, 0), n);
}

TEST(writes_are_cut_at_mss) /* ROW:108 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    write_bytes(&p, 2500);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = TCP_ACK, .seq = 1001, .len = 1000);
    expect(&p, .flags = TCP_ACK, .seq = 2001, .len = 500);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(nagle_holds_a_second_small_segment_and_nodelay_does_not) /* ROW:54 */
{
    struct peer p = established(.mss = 1000);
    int on = 1;

    (void)state;
    write_bytes(&p, 10);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 10);
    write_bytes(&p, 10);
    expect_quiet(&p);
    weir_setsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    expect(&p, .flags = TCP_ACK, .seq = 11, .len = 10);
    peer_end(&p);
}

TEST(timeout_retransmits_and_doubles) /* ROW:29 ROW:56 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    write_bytes(&p, 100);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 100);
    advance_ms(&p, 199);
    expect_quiet(&p);
    advance_ms(&p, 1);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 100);
    advance_ms(&p, 399);
    expect_quiet(&p);
    advance_ms(&p, 1);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 100);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 101);
    advance_ms(&p, 120000);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(too_many_timeouts_end_with_etimedout_and_a_rst) /* ROW:30 */
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "2");
    char byte;

    (void)state;
    write_bytes(&p, 100);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 100);
    advance_ms(&p, 200);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 100);
    advance_ms(&p, 400);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 100);
    advance_ms(&p, 800);
    expect(&p, .flags = TCP_RST | TCP_ACK);
    assert_int_equal(weir_recv(p.stack, p.sock, &byte, 1, 0), -ETIMEDOUT);
    peer_end(&p);
}

TEST(three_duplicate_acks_retransmit_at_once) /* ROW:57 ROW:60 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    write_bytes(&p, 5000);
    for (uint32_t i = 0; i < 5; i++)
        expect(&p, .flags = TCP_ACK, .seq = 1 + 1000 * i, .len = 1000);
    for (int i = 0; i < 2; i++)
        inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 1);
    expect_quiet(&p);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 1000);
    expect_quiet(&p);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 5001);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(initial_window_is_ten_segments) /* ROW:58 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    write_bytes(&p, 20000);
    for (uint32_t i = 0; i < 10; i++)
        expect(&p, .flags = TCP_ACK, .seq = 1 + 1000 * i, .len = 1000);
    expect_quiet(&p);
    inject(&p, .flags = TCP_ACK, .seq = 1,
           .ack = 2001); /* two more for two acknowledged, and two */
    for (uint32_t i = 10; i < 14; i++)
        expect(&p, .flags = TCP_ACK, .seq = 1 + 1000 * i, .len = 1000);
    expect_quiet(&p);
    peer_end(&p);
}

TEST(a_hole_is_told_by_sack_and_filled_in_order) /* ROW:40 REQ:2018-4-1 */
{
    struct peer p = established(.mss = 1000, .sack_ok = true);
    uint8_t data[400];

    (void)state;
    inject(&p, .flags = TCP_ACK, .seq = 101, .ack = 1, .len = 100);
    expect(&p, .flags = TCP_ACK, .ack = 1, .sack_start = 101, .sack_end = 201);
    assert_int_equal(weir_recv(p.stack, p.sock, data, sizeof data, 0), -EAGAIN);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 100);
    expect(&p, .flags = TCP_ACK, .ack = 201);
    assert_int_equal(weir_recv(p.stack, p.sock, data, sizeof data, 0), 200);
    for (int i = 0; i < 200; i++)
        assert_int_equal(data[i], (uint8_t)((i < 100 ? 1 : 101) + i % 100));
    peer_end(&p);
}

TEST(repeated_data_is_acked_and_not_delivered_twice) /* ROW:38 ROW:41 */
{
    struct peer p = established(.mss = 1000);
    char data[400];

    (void)state;
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 100);
    expect(&p, .flags = TCP_ACK, .ack = 101);
    assert_int_equal(weir_recv(p.stack, p.sock, data, sizeof data, 0), 100);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 100);
    expect(&p, .flags = TCP_ACK, .ack = 101, .len = 0);
    assert_int_equal(weir_recv(p.stack, p.sock, data, sizeof data, 0), -EAGAIN);
    peer_end(&p);
}

TEST(a_delayed_ack_goes_after_40_ms) /* ROW:35 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    write_bytes(&p, 10); /* a dialogue: no quick ACKs any more */
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 10);
    inject(&p, .flags = TCP_ACK | TCP_PSH, .seq = 1, .ack = 11, .len = 10);
    expect_quiet(&p);
    advance_ms(&p, 39);
    expect_quiet(&p);
    advance_ms(&p, 1);
    expect(&p, .flags = TCP_ACK, .seq = 11, .ack = 11, .len = 0);
    peer_end(&p);
}

TEST(a_closed_window_is_probed_and_its_opening_sends) /* REQ:MUST-36 */
{
    struct peer p = established(.mss = 1000);

    (void)state;
    write_bytes(&p, 100);
    expect(&p, .flags = TCP_ACK, .seq = 1, .len = 100);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 101, .wnd = CLOSED_WINDOW);
    write_bytes(&p, 100);
    expect_quiet(&p);
    advance_ms(&p, 200);
    expect(&p, .flags = TCP_ACK, .seq = 100, .len = 0);
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 101, .wnd = 1000);
    expect(&p, .flags = TCP_ACK, .seq = 101, .len = 100);
    peer_end(&p);
}

TEST(ack_of_the_unsent_draws_an_ack_and_no_rst)
{
    struct peer p = established(.mss = 1000);

    (void)state;
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 5000);
    expect(&p, .flags = TCP_ACK, .seq = 1, .ack = 1);
    expect_state(&p, WEIR_ESTABLISHED);
    peer_end(&p);
}

TEST(an_old_timestamp_is_dropped_and_acked) /* ROW:72 */
{
    struct peer p = established(.mss = 1000, .has_ts = true);
    char data[100];

    (void)state;
    inject(&p, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 10, .has_ts = true, .tsval = 2000);
    expect(&p, .flags = TCP_ACK, .ack = 11);
    inject(&p, .flags = TCP_ACK, .seq = 11, .ack = 1, .len = 10, .has_ts = true, .tsval = 1500);
    expect(&p, .flags = TCP_ACK, .ack = 11);
    assert_int_equal(weir_recv(p.stack, p.sock, data, sizeof data, 0), 10);
    peer_end(&p);
}

TEST(keepalive_probes_and_gives_up) /* ROW:36 */
{
    struct peer p = established(.mss = 1000);
    int on = 1, idle = 10, every = 5, count = 2;
    char byte;

    (void)state;
    weir_setsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    weir_setsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
    weir_setsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    weir_setsockopt(p.stack, p.sock, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    advance_ms(&p, 9999);
    expect_quiet(&p);
    advance_ms(&p, 1);
    expect(&p, .flags = TCP_ACK, .seq = 0, .len = 0);
    advance_ms(&p, 5000);
    expect(&p, .flags = TCP_ACK, .seq = 0, .len = 0);
    advance_ms(&p, 5000);
    expect(&p, .flags = TCP_RST | TCP_ACK);
    assert_int_equal(weir_recv(p.stack, p.sock, &byte, 1, 0), -ETIMEDOUT);
    peer_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_are_cut_at_mss),
        cmocka_unit_test(nagle_holds_a_second_small_segment_and_nodelay_does_not),
        cmocka_unit_test(timeout_retransmits_and_doubles),
        cmocka_unit_test(too_many_timeouts_end_with_etimedout_and_a_rst),
        cmocka_unit_test(three_duplicate_acks_retransmit_at_once),
        cmocka_unit_test(initial_window_is_ten_segments),
        cmocka_unit_test(a_hole_is_told_by_sack_and_filled_in_order),
        cmocka_unit_test(repeated_data_is_acked_and_not_delivered_twice),
        cmocka_unit_test(a_delayed_ack_goes_after_40_ms),
        cmocka_unit_test(a_closed_window_is_probed_and_its_opening_sends),
        cmocka_unit_test(ack_of_the_unsent_draws_an_ack_and_no_rst),
        cmocka_unit_test(an_old_timestamp_is_dropped_and_acked),
        cmocka_unit_test(keepalive_probes_and_gives_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
