/* Choosing a congestion control, and what each does at once. Formulas: tests/unit/tcp/cc_*.c; what
 * comes of them on a link: tests/lab/congestion.c. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "support/states.h"

static void choose(struct peer *p, int sock, const char *name, int want)
{
    assert_int_equal(
        weir_setsockopt(p->stack, sock, IPPROTO_TCP, TCP_CONGESTION, name, strlen(name)), want);
}

static void expect_algorithm(struct peer *p, int sock, const char *want)
{
    char name[16];
    size_t len = sizeof name;

    assert_int_equal(weir_getsockopt(p->stack, sock, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
    assert_string_equal(name, want);
}

static struct weir_sock_info info_of(const struct peer *p)
{
    struct weir_sock_info info;

    assert_int_equal(weir_info(p->stack, p->sock, &info), 0);
    return info;
}

static uint64_t bytes_held(const struct peer *p)
{
    struct weir_account a;

    weir_account(p->stack, &a);
    return a.mem_bytes;
}

/* A round trip of 100 ms, in the handshake. */
static struct peer distant(const char *algorithm)
{
    struct peer p = listening(.knob = "net.ipv4.tcp_congestion_control", .value = algorithm);

    inject(&p, .flags = SYN, .seq = 0, .mss = 1000);
    expect(&p, .flags = SYN | ACK);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    return p;
}

TEST(accepted_sockets_have_the_algorithm_of_their_listener)
{
    struct peer p = listening(.mss = 1000);

    expect_algorithm(&p, p.listener, "cubic");
    choose(&p, p.listener, "reno", 0);
    choose(&p, p.listener, "vegas", -ENOENT);
    inject(&p, .flags = SYN, .seq = 0, .mss = 1000);
    expect(&p, .flags = SYN | ACK);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    expect_algorithm(&p, p.sock, "reno");
    peer_end(&p);
}

TEST(the_knob_is_for_sockets_that_are_new)
{
    struct peer p = established(.mss = 1000);
    int sock;

    assert_int_equal(weir_knob_set(p.stack, "net.ipv4.tcp_congestion_control", "bbr"), 0);
    expect_algorithm(&p, p.sock, "cubic");
    sock = weir_socket(p.stack, AF_INET, SOCK_STREAM, 0);
    expect_algorithm(&p, sock, "bbr");
    assert_int_equal(weir_close(p.stack, sock), 0);
    peer_end(&p);
}

TEST(an_algorithm_may_change_in_mid_flight)
{
    static const char *const names[] = {"bbr", "reno", "bbr", "bbr", "cubic"};
    struct peer p = distant("cubic");
    uint32_t at = 1;

    for (int i = 0; i < 5; i++) {
        uint32_t cwnd = info_of(&p).cwnd;
        app_write(&p, 2000);
        expect(&p, .flags = ACK, .seq = at, .len = 1000);
        expect(&p, .flags = ACK, .seq = at + 1000, .len = 1000);
        choose(&p, p.sock, names[i], 0);
        assert_int_equal(info_of(&p).cwnd, cwnd);
        advance_ms(&p, 100);
        inject(&p, .flags = ACK, .seq = 1, .ack = at + 2000);
        at += 2000;
        expect_quiet(&p);
    }
    peer_end(&p);
}

/* peer_end sees that nothing of it is left behind. */
TEST(the_block_of_bbr_is_accounted)
{
    struct peer p = distant("cubic");
    uint64_t before = bytes_held(&p);

    choose(&p, p.sock, "bbr", 0);
    assert_true(bytes_held(&p) > before && bytes_held(&p) <= before + 256);
    peer_end(&p);
}

TEST(ten_segments_begin) /* REQ:6928-2-1 */
{
    struct peer p = distant("cubic");

    app_write(&p, 20000);
    for (uint32_t at = 1; at < 10000; at += 1000)
        expect(&p, .flags = ACK, .seq = at, .len = 1000);
    expect_quiet(&p);
    peer_forget();
}

/* A window of twenty segments, then only ten bytes each second, or none. */
static struct peer underused(const char *mode)
{
    struct peer p = distant("reno");
    uint32_t at = 1;

    assert_int_equal(weir_knob_set(p.stack, "net.ipv4.tcp_slow_start_after_idle", mode), 0);
    choose(&p, p.sock, "reno", 0); /* looks at the knobs anew */
    for (; at < 10000; at += 10000) {
        app_write(&p, 10000);
        for (int i = 0; i < 100; i++) /* it may be paced */
            advance_ms(&p, 1);
        for (uint32_t k = 0; k < 10; k++)
            expect(&p, .flags = ACK, .seq = at + 1000 * k, .len = 1000);
        inject(&p, .flags = ACK, .seq = 1, .ack = at + 10000);
    }
    assert_int_equal(info_of(&p).cwnd, 20000);
    return p;
}

TEST(a_window_may_stand_for_five_minutes_and_then_halves) /* REQ:7661-4.4-2 */
{
    struct peer p = underused("2");
    uint32_t at = 10001;

    for (int s = 0; s < 290; s += 5, at += 10) { /* little is sent: it is not idle, and not used */
        advance_ms(&p, 5000);
        app_write(&p, 10);
        expect(&p, .flags = ACK, .seq = at, .len = 10);
        inject(&p, .flags = ACK, .seq = 1, .ack = at + 10);
        assert_int_equal(info_of(&p).cwnd, 20000);
    }
    advance_ms(&p, 15000);
    app_write(&p, 1);
    expect(&p, .flags = ACK, .seq = at, .len = 1);
    assert_int_equal(info_of(&p).cwnd, 10000); /* half of it, which is the initial window, too */
    assert_true(info_of(&p).ssthresh == UINT32_MAX);
    peer_forget();
}

TEST(what_stood_unused_leaves_at_a_pace) /* REQ:7661-4.4.2-1 */
{
    struct peer p = underused("2");

    advance_ms(&p, 60000);
    app_write(&p, 20000);
    expect(&p, .flags = ACK, .seq = 10001, .len = 1000);
    expect(&p, .flags = ACK, .seq = 11001, .len = 1000);
    expect_quiet(&p);
    peer_forget();
}

TEST(half_of_the_window_keeps_it)
{
    struct peer p = underused("2");

    advance_ms(&p, 250000);
    app_write(&p, 10000);
    for (int i = 0; i < 200; i++)
        advance_ms(&p, 1);
    for (uint32_t k = 0; k < 10; k++)
        expect(&p, .flags = ACK, .seq = 10001 + 1000 * k, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 20001);
    advance_ms(&p, 250000);
    app_write(&p, 1);
    expect(&p, .flags = ACK, .seq = 20001, .len = 1);
    assert_true(info_of(&p).cwnd >= 20000);
    peer_forget();
}

TEST(less_than_half_of_it_does_not)
{
    struct peer p = underused("2");

    advance_ms(&p, 250000);
    app_write(&p, 6000);
    for (int i = 0; i < 200; i++)
        advance_ms(&p, 1);
    for (uint32_t k = 0; k < 6; k++)
        expect(&p, .flags = ACK, .seq = 10001 + 1000 * k, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 16001);
    assert_int_equal(info_of(&p).cwnd, 20000);
    advance_ms(&p, 250000);
    app_write(&p, 1);
    expect(&p, .flags = ACK, .seq = 16001, .len = 1);
    assert_int_equal(info_of(&p).cwnd, 10000);
    peer_forget();
}

TEST(net_ipv4_tcp_slow_start_after_idle_0_keeps_it_for_ever)
{
    struct peer p = underused("0");

    advance_ms(&p, 4000000);
    app_write(&p, 1);
    expect(&p, .flags = ACK, .seq = 10001, .len = 1);
    assert_int_equal(info_of(&p).cwnd, 20000);
    peer_forget();
}

/* The initial window at 2.77 times what a round trip gives: two segments in 7.2 ms. */
TEST(bbr_paces_from_the_beginning)
{
    struct peer p = distant("bbr");

    app_write(&p, 20000);
    expect(&p, .flags = ACK, .seq = 1, .len = 1000);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    expect_quiet(&p);
    advance_ms(&p, 7);
    expect_quiet(&p);
    advance_ms(&p, 1);
    expect(&p, .flags = ACK, .seq = 2001, .len = 1000);
    expect(&p, .flags = ACK, .seq = 3001, .len = 1000);
    peer_forget();
}

TEST(a_loss_costs_bbr_no_window)
{
    struct peer p = distant("bbr");
    uint32_t cwnd;

    app_write(&p, 8000);
    advance_ms(&p, 100);
    for (uint32_t at = 1; at < 8000; at += 1000)
        expect(&p, .flags = ACK, .seq = at, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    cwnd = info_of(&p).cwnd;
    for (int i = 0; i < 3; i++)
        inject(&p, .flags = ACK, .seq = 1, .ack = 1001);
    expect(&p, .flags = ACK, .seq = 1001, .len = 1000);
    assert_true(info_of(&p).cwnd >= cwnd);
    peer_forget();
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
