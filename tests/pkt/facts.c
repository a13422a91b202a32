/* weir_facts: what ends a connection and when, foretold and then seen to come true. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "peer.h"
#include "weir/trace.h"

/* Of the one connection that is no listener. */
static struct weir_facts facts_of(struct peer *p, int state)
{
    struct weir_sock_info info;
    struct weir_facts f = {.end = -1};
    uint64_t cursor = 0;

    while (weir_info_next(p->stack, &cursor, &info))
        if (info.protocol == IPPROTO_TCP && info.state == state) {
            weir_facts(p->stack, cursor, &f);
            break;
        }
    assert_int_not_equal(f.end, -1);
    return f;
}

/* Silence for as long as was foretold, less a millisecond: it stands; then it does not. */
static void comes_true(struct peer *p, int state, int64_t left_us)
{
    struct got g;

    advance_ms(p, left_us / 1000 - 1);
    expect_state(p, state);
    advance_ms(p, 1);
    assert_true(peer_state(p) == 0 || peer_state(p) == WEIR_CLOSED);
    while (peer_next(p, &g))
        continue;
}

TEST(a_syn_that_nobody_answers)
{
    struct peer p = connecting(.mss = 1460);
    struct weir_facts f = facts_of(&p, WEIR_SYN_SENT);

    assert_int_equal(f.end, WEIR_END_RETRIES);
    assert_int_equal(f.end_left_us, 127000000);
    assert_int_equal(f.tries, 0);
    assert_int_equal(f.tries_most, 6);
    assert_string_equal(f.knob, "net.ipv4.tcp_syn_retries");
    assert_int_equal(f.knob_value, 6);
    advance_ms(&p, 3500);
    f = facts_of(&p, WEIR_SYN_SENT);
    assert_int_equal(f.tries, 2);
    assert_int_equal(f.state_ago_ms, 3500);
    assert_int_equal(f.stalled_ago_ms, 2500);
    assert_int_equal(f.end_left_us, 123500000);
    expect_stat(&p, "TcpOutSegs", 1); /* what goes again is not counted there */
    expect_stat(&p, "TcpRetransSegs", 2);
    advance_ms(&p, 123499);
    assert_int_equal(app_error(&p), 0);
    advance_ms(&p, 1);
    assert_int_equal(app_error(&p), ETIMEDOUT);
    peer_forget();
}

TEST(a_handshake_that_is_not_finished)
{
    struct peer p = listening(.mss = 1460);
    struct weir_facts f;

    inject(&p, .flags = SYN, .mss = 1460);
    expect(&p, .flags = SYN | ACK);
    f = facts_of(&p, WEIR_SYN_RECV);
    assert_int_equal(f.end_left_us, 63000000);
    assert_int_equal(f.tries_most, 5);
    advance_ms(&p, 2500);
    f = facts_of(&p, WEIR_SYN_RECV);
    assert_int_equal(f.tries, 1);
    assert_int_equal(f.state_ago_ms, 2500);
    assert_int_equal(f.end_left_us, 60500000);
    advance_ms(&p, 60500);
    f = (struct weir_facts){.end = 0};
    assert_int_equal(peer_state(&p), 0);
    peer_forget();
}

TEST(text_that_nobody_acknowledges)
{
    struct peer p = established(.mss = 1000, .knob = "net.ipv4.tcp_retries2", .value = "3");
    struct weir_facts f;

    app_write(&p, 100);
    expect(&p, .flags = ACK, .len = 100);
    f = facts_of(&p, WEIR_ESTABLISHED);
    assert_int_equal(f.end, WEIR_END_RETRIES);
    assert_string_equal(f.knob, "net.ipv4.tcp_retries2");
    comes_true(&p, WEIR_ESTABLISHED, f.end_left_us);
    peer_forget();
}

TEST(a_user_timeout_ends_it_sooner)
{
    struct peer p = established(.mss = 1000);
    struct weir_facts f;

    app_option(&p, IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
    app_write(&p, 100);
    expect(&p, .flags = ACK, .len = 100);
    advance_ms(&p, 2000);
    f = facts_of(&p, WEIR_ESTABLISHED);
    assert_int_equal(f.end, WEIR_END_USER_TIMEOUT);
    assert_null(f.knob);
    assert_int_equal(f.end_left_us, 3000000);
    peer_forget();
}

TEST(a_window_that_is_closed)
{
    struct peer p = established(.mss = 1000);
    struct weir_facts f;

    app_write(&p, 1000);
    expect(&p, .flags = ACK, .len = 1000);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001, .wnd = CLOSED_WINDOW);
    app_write(&p, 500);
    expect_quiet(&p);
    advance_ms(&p, 100);
    f = facts_of(&p, WEIR_ESTABLISHED);
    assert_int_equal(f.end, WEIR_END_PROBES);
    assert_int_equal(f.stalled_ago_ms, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1001, .wnd = 5000); /* it opens: no trouble is left */
    expect(&p, .flags = ACK, .len = 500);
    f = facts_of(&p, WEIR_ESTABLISHED);
    assert_int_equal(f.end, WEIR_END_RETRIES);
    assert_int_equal(f.stalled_ago_ms, 0);
    peer_forget();
}

TEST(a_peer_that_keepalive_finds_silent)
{
    struct peer p = established(.mss = 1000);
    struct weir_facts f;

    app_option(&p, SOL_SOCKET, SO_KEEPALIVE, 1);
    f = facts_of(&p, WEIR_ESTABLISHED);
    assert_int_equal(f.end, WEIR_END_KEEPALIVE);
    assert_int_equal(f.flags & WEIR_FACT_KEEPALIVE, WEIR_FACT_KEEPALIVE);
    assert_string_equal(f.knob, "net.ipv4.tcp_keepalive_time");
    comes_true(&p, WEIR_ESTABLISHED, f.end_left_us);
    peer_forget();
}

TEST(fin_wait_2_and_time_wait_end_when_foretold)
{
    struct peer p = established(.mss = 1000);
    struct weir_facts f;

    app_close(&p);
    expect(&p, .flags = FIN | ACK);
    f = facts_of(&p, WEIR_FIN_WAIT_1);
    assert_string_equal(f.knob, "net.ipv4.tcp_orphan_retries");
    assert_true(f.flags & WEIR_FACT_ORPHAN && f.flags & WEIR_FACT_FIN_SENT);
    inject(&p, .flags = ACK, .seq = 1, .ack = 2);
    advance_ms(&p, 1000);
    f = facts_of(&p, WEIR_FIN_WAIT_2);
    assert_int_equal(f.end, WEIR_END_FIN_WAIT_2);
    assert_int_equal(f.end_left_us, 59000000);
    assert_int_equal(f.state_ago_ms, 1000);
    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    expect(&p, .flags = ACK);
    advance_ms(&p, 7000);
    f = facts_of(&p, WEIR_TIME_WAIT);
    assert_int_equal(f.end, WEIR_END_TIME_WAIT);
    assert_int_equal(f.state_ago_ms, 7000);
    comes_true(&p, WEIR_TIME_WAIT, f.end_left_us);
    peer_forget();
}

TEST(close_wait_has_no_end)
{
    struct peer p = established(.mss = 1000);
    struct weir_facts f;

    inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    expect(&p, .flags = ACK);
    advance_ms(&p, 3600000);
    f = facts_of(&p, WEIR_CLOSE_WAIT);
    assert_int_equal(f.end, WEIR_END_NONE);
    assert_int_equal(f.state_ago_ms, 3600000);
    peer_forget();
}

TEST(a_listener_that_accepts_nothing)
{
    struct peer p = listening(.mss = 1460, .backlog = 1);
    struct peer q = peer_other(&p, 1002), r = peer_other(&p, 1003);
    struct peer *all[] = {&p, &q, &r};
    struct weir_facts f;

    for (int i = 0; i < 2; i++) {
        inject(all[i], .flags = SYN, .mss = 1460);
        expect(all[i], .flags = SYN | ACK);
        inject(all[i], .flags = ACK, .seq = 1, .ack = 1);
        advance_ms(&p, 500);
    }
    inject(&r, .flags = SYN, .mss = 1460, .drop = "tcp_accept_queue");
    f = facts_of(&p, WEIR_LISTEN);
    assert_int_equal(f.waits_ago_ms, 1000);
    assert_int_equal(f.refused, 1);
    app_accept(&p);
    advance_ms(&p, 200);
    assert_int_equal(facts_of(&p, WEIR_LISTEN).waits_ago_ms, 200);
    peer_forget();
}

int main(void)
{
    return peer_tests_run(__FILE__);
}
