/* Attacks on TCP that no other test runs at length: each says what the honest peer still gets.
 * The numbers are those of docs/attacks.md; 4987, 5961, 2018#8, 5681. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "peer_net.h"
#include "stack/stack.h"
#include "unit.h"

/* What was sent to anybody is not looked at; how many there were. */
static int forget_output(struct peer *p)
{
    int n;

    peer_collect(p->net);
    n = p->net->queued;
    p->net->queued = 0;
    return n;
}

static uint16_t hit(struct peer *p, struct segment s)
{
    return inject_and_judge(p, &s);
}

static struct peer open_another(const struct peer *p, uint16_t port)
{
    struct peer q = peer_other(p, port);

    inject(&q, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&q, .flags = SYN | ACK, .seq = 0, .ack = 1);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&q);
    return q;
}

/* The number behind the highest that left. */
static uint32_t highest_sent(struct peer *p, uint32_t at)
{
    struct segment s;
    struct got g;

    while (peer_next(p, &g)) {
        peer_relative(p, &g, &s);
        at = s.seq + g.len > at ? s.seq + g.len : at;
    }
    return at;
}

/* -- before there is a connection -------------------------------------------------------------- */

TEST(attack_1_a_flood_of_syns) /* REQ:4987-3.5-1 */
{
    struct peer p = established(.mss = 1000), q;

    for (uint32_t i = 0; i < 5000; i++) {
        q = peer_other(&p, (uint16_t)(10000 + i));
        hit(&q, (struct segment){.flags = SYN, .seq = 0, .mss = 1460});
        forget_output(&p);
        if (i % 50 == 0) {
            inject(&p, .flags = ACK, .seq = 1 + p.read, .ack = 1, .len = 100);
            app_read(&p, 100);
        }
    }
    assert_int_equal(p.stack->tcp.syns.used, 1024); /* tcp_max_syn_backlog; the rest got cookies */
    forget_output(&p);
    q = open_another(&p, 5000);
    inject(&q, .flags = ACK, .seq = 1, .ack = 1, .len = 100);
    app_read(&q, 100);
    peer_forget();
}

TEST(attack_3_one_syn_ten_thousand_times)
{
    struct peer p = listening(0);
    size_t held;

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460);
    expect(&p, .flags = SYN | ACK, .ack = 1);
    held = p.stack->mem.held;
    for (int i = 0; i < 10000; i++) {
        hit(&p, (struct segment){.flags = SYN, .seq = 0, .mss = 1460});
        assert_int_equal(p.stack->tcp.syns.used, 1);
        assert_int_equal(p.stack->mem.held, held);
        forget_output(&p);
    }
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p);
    peer_forget();
}

TEST(attack_4_syn_and_rst_in_turns)
{
    struct peer p = listening(0), q;

    for (uint32_t i = 0; i < 10000; i++) {
        q = peer_other(&p, (uint16_t)(10000 + i % 5));
        assert_int_equal(hit(&q, (struct segment){.flags = SYN, .seq = 0, .mss = 1460}), 0);
        forget_output(&p);
        hit(&q, (struct segment){.flags = RST, .seq = 1});
        assert_int_equal(p.stack->tcp.syns.used, 0);
    }
    q = open_another(&p, 5000);
    peer_forget();
}

TEST(attack_7_cookies_by_trial)
{
    struct peer p = listening(.knob = "net.ipv4.tcp_syncookies", .value = "2"), q;
    struct dice d = {.state = 7};

    inject(&p, .flags = SYN, .seq = 0, .mss = 1460); /* cookies are about */
    expect(&p, .flags = SYN | ACK, .ack = 1);
    for (uint32_t i = 0; i < 50000; i++) {
        q = peer_other(&p, (uint16_t)(10000 + i));
        hit(&q, (struct segment){.flags = ACK, .seq = 1, .ack = (uint32_t)dice_u64(&d)});
        p.net->queued = 0;
    }
    assert_int_equal(weir_stat_by_name(p.stack, "TcpExtSyncookiesRecv"), 0);
    assert_int_equal(p.stack->tcp.tcbs.used, 1);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1);
    app_accept(&p); /* who has the cookie is let in */
    peer_forget();
}

/* -- the sender -------------------------------------------------------------------------------- */

/* Slivers of one byte, in segments of 48. */
TEST(attack_22_slivers_of_small_segments)
{
    struct peer p = established(.mss = 48, .sack_ok = true);
    struct dice d = {.state = 22};

    for (uint32_t round = 0; round < 20; round++) {
        uint32_t from = 1 + p.written, end = from + 4000;
        app_write(&p, 4000);
        for (uint32_t i = 0; i < 200; i++) {
            uint32_t at = from + 1 + dice_below(&d, 480);
            hit(&p, (struct segment){
                        .flags = ACK, .seq = 1, .ack = from, .sacks = 1, .sack = {{at, at + 1}}});
            forget_output(&p);
        }
        for (uint32_t at = from; at < end;) { /* in the end it acknowledges what it gets */
            hit(&p, (struct segment){.flags = ACK, .seq = 1, .ack = at});
            at = highest_sent(&p, at);
            advance_ms(&p, 500);
            at = highest_sent(&p, at);
        }
        inject(&p, .flags = ACK, .seq = 1, .ack = end);
    }
    peer_forget();
}

/* Blocks of anything; then the honest ACKs come, and each byte has left as it was written. */
TEST(attack_25_sack_of_anything)
{
    struct peer p = established(.mss = 1000, .sack_ok = true);
    struct dice d = {.state = 25};

    app_write(&p, 9000);
    forget_output(&p);
    for (int i = 0; i < 2000; i++) {
        struct segment s = {.flags = ACK, .seq = 1, .ack = 1 + dice_below(&d, 2) * 1000};
        s.sacks = (uint8_t)(1 + dice_below(&d, 4));
        for (int k = 0; k < s.sacks; k++) {
            bool is_near = dice_below(&d, 2);
            s.sack[k].start = is_near ? dice_below(&d, 12000) : (uint32_t)dice_u64(&d);
            s.sack[k].end = is_near ? dice_below(&d, 12000) : (uint32_t)dice_u64(&d);
        }
        hit(&p, s);
        forget_output(&p);
    }
    advance_ms(&p, 5000);
    forget_output(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 9001);
    app_write(&p, 500);
    expect(&p, .flags = PSH | ACK, .seq = 9001, .len = 500);
    peer_forget();
}

/* Duplicates that stand for no segment let no more go than were in flight. */
TEST(attack_27_a_thousand_duplicate_acks)
{
    struct peer p = established(.mss = 1000);
    int sent;

    app_write(&p, 60000);
    assert_int_equal(forget_output(&p), 10);
    for (int i = sent = 0; i < 1000; i++) {
        hit(&p, (struct segment){.flags = ACK, .seq = 1, .ack = 1});
        sent += forget_output(&p);
    }
    assert_in_range(sent, 1, 20);
    peer_forget();
}

/* -- the receiver ------------------------------------------------------------------------------ */

/* What one connection drew tells nothing of another. */
TEST(attack_33_challenge_acks_of_others)
{
    struct peer p = established(.mss = 1000), q = open_another(&p, 5000);
    int n = 0;

    for (int i = 0; i < 1000; i++) {
        hit(&p, (struct segment){.flags = RST, .seq = 100});
        n += forget_output(&p);
    }
    assert_int_equal(n, 1);
    hit(&q, (struct segment){.flags = RST, .seq = 100});
    assert_int_equal(forget_output(&q), 1);
    peer_forget();
}

TEST(attack_38_too_many_time_waits)
{
    struct peer p = listening(.knob = "net.ipv4.tcp_max_tw_buckets", .value = "100"), q;

    for (uint16_t i = 0; i < 1000; i++) {
        q = open_another(&p, (uint16_t)(10000 + i));
        app_close(&q);
        expect(&q, .flags = FIN | ACK, .seq = 1);
        inject(&q, .flags = FIN | ACK, .seq = 1, .ack = 2);
        expect(&q, .flags = ACK, .ack = 2);
        assert_true(p.stack->tcp.tws.used <= 100);
    }
    expect_stat(&p, "TcpExtTCPTimeWaitOverflow", 900);
    assert_int_equal(p.stack->tcp.tcbs.used, 1);
    peer_forget();
}

/* The peer is gone: in each state in which we wait for it to close, that has an end. */
TEST(attack_40_a_peer_that_vanishes_while_closing)
{
    for (int which = 0; which < 5; which++) {
        struct peer p = established(.mss = 1000);

        if (which == 4) { /* LAST-ACK */
            inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
            forget_output(&p);
        }
        app_close(&p); /* FIN-WAIT-1 */
        forget_output(&p);
        if (which == 1) /* FIN-WAIT-2 */
            inject(&p, .flags = ACK, .seq = 1, .ack = 2);
        if (which == 2) /* CLOSING */
            inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 1);
        if (which == 3) /* TIME-WAIT */
            inject(&p, .flags = FIN | ACK, .seq = 1, .ack = 2);
        forget_output(&p);
        for (int s = 0; s < 400; s++) {
            advance_ms(&p, 1000);
            forget_output(&p);
        }
        assert_int_equal(p.stack->tcp.tcbs.used, 1); /* the listener */
        assert_int_equal(p.stack->tcp.tws.used, 0);
        peer_forget();
    }
}

/* A byte of window at a time, for five minutes: a few segments each second, nothing piles up. */
TEST(attack_43_a_window_of_one_byte)
{
    struct peer p = established(.mss = 1000);
    int n = 0;
    uint32_t at = 1;
    struct got g;

    app_write(&p, 20000);
    while (peer_next(&p, &g))
        at += g.len;
    for (int i = 0; i < 1500; i++) {
        hit(&p, (struct segment){.flags = ACK, .seq = 1, .ack = at, .wnd = 1});
        advance_ms(&p, 200);
        while (peer_next(&p, &g)) {
            struct segment s;
            peer_relative(&p, &g, &s);
            if (s.seq == at)
                at += g.len;
            n++;
        }
    }
    assert_in_range(n, 1, 1501);
    inject(&p, .flags = ACK, .seq = 1, .ack = at);
    assert_true(forget_output(&p) > 0); /* an honest window is used */
    peer_forget();
}

TEST(attack_45_a_window_that_shrinks_again_and_again)
{
    struct peer p = established(.mss = 1000);
    uint32_t at = 1;
    struct got g;

    for (uint32_t i = 0; i < 40; i++) {
        app_write(&p, 1000);
        while (peer_next(&p, &g))
            ;
        hit(&p, (struct segment){
                    .flags = ACK, .seq = 1, .ack = at, .wnd = i % 2 ? CLOSED_WINDOW : 400 - i});
        forget_output(&p);
        at += 1000;
        advance_ms(&p, 500);
        forget_output(&p);
        hit(&p, (struct segment){.flags = ACK, .seq = 1, .ack = at, .wnd = 8000});
        forget_output(&p);
    }
    assert_int_equal(at, 40001); /* each byte was there to be acknowledged */
    app_write(&p, 1000);
    expect(&p, .flags = PSH | ACK, .seq = 40001, .len = 1000);
    peer_forget();
}

/* A clock far ahead is believed of nobody who is out of the window. */
TEST(attack_50_a_poisoned_clock)
{
    struct peer p = established(.mss = 1000, .has_ts = true);

    hit(&p, (struct segment){.flags = ACK, .seq = 100000, .ack = 1, .len = 1, .tsval = 2000000000});
    hit(&p, (struct segment){.flags = ACK, .seq = 1001, .ack = 1, .len = 1, .tsval = 2000000000});
    forget_output(&p);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 1000, .tsval = 1002);
    app_read(&p, 1001);
    peer_forget();
}

TEST(attack_51_a_flood_beyond_the_window)
{
    struct peer p = established(.mss = 1000);
    int n = 0;

    for (int i = 0; i < 5000; i++) {
        hit(&p, (struct segment){.flags = ACK, .seq = 100000 + (uint32_t)i, .ack = 1, .len = 10});
        if (i % 5 == 0)
            advance_ms(&p, 1);
        n += forget_output(&p);
    }
    assert_in_range(n, 1, 3); /* one in 500 ms */
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .len = 10);
    app_read(&p, 10);
    peer_forget();
}

/* Each of our ACKs draws one that is out of place, as from an end that believes other numbers. */
TEST(attack_52_two_ends_that_disagree)
{
    struct peer p = established(.mss = 1000);
    int n = 0;

    hit(&p, (struct segment){.flags = ACK, .seq = 70000, .ack = 1});
    for (int ms = 0; ms < 5000; ms++) {
        for (int k = forget_output(&p); k; k--, n++)
            hit(&p, (struct segment){.flags = ACK, .seq = 70000, .ack = 1});
        advance_ms(&p, 1);
    }
    assert_in_range(n, 1, 11);
    peer_forget();
}

int main(void)
{
    return peer_tests_run("attack_tcp");
}
