/* Many peers that only want to hold memory, against a ceiling of a few megabytes: one connection
 * that is used as it should be loses no segment, the ceiling holds, and afterwards all is well.
 * docs/attacks.md 20, 21, 41, 42; docs/memory.md. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "peer_net.h"
#include "stack/stack.h"

#define ATTACKERS 100
#define ROOM (3u << 19) /* for all of them: a quarter of what they ask for */
#define WINDOW 65535u

struct siege {
    struct peer good;
    uint32_t said; /* by the good peer, in order */
    struct peer bad[ATTACKERS];
    int bads;
    size_t most;
};

/* What was sent to anybody. */
static void forget_output(struct peer *p)
{
    peer_collect(p->net);
    p->net->queued = 0;
}

/* False: it was refused. */
static bool open_one(struct siege *s, struct peer *q, uint16_t port)
{
    struct segment syn = {.flags = SYN, .seq = 0, .mss = 1460, .sack_ok = true};
    struct segment ack = {.flags = ACK, .seq = 1, .ack = 1};

    *q = peer_other(&s->good, port);
    forget_output(q);
    if (inject_and_judge(q, &syn) != 0)
        return false;
    expect(q, .flags = SYN | ACK, .seq = 0, .ack = 1);
    if (inject_and_judge(q, &ack) != 0)
        return false;
    app_accept(q);
    return true;
}

static void use_the_good_one(struct siege *s)
{
    const struct mem *m = &s->good.stack->mem;

    forget_output(&s->good);
    inject(&s->good, .flags = ACK, .seq = 1 + s->said, .ack = 1 + s->good.written, .len = 1000);
    app_read(&s->good, 1000);
    app_write(&s->good, 500);
    s->said += 1000;
    inject(&s->good, .flags = ACK, .seq = 1 + s->said, .ack = 1 + s->good.written);
    forget_output(&s->good);
    assert_true(m->held <= m->max);
}

static struct siege siege_begin(void)
{
    struct siege s = {.good = established(.mss = 1460, .sack_ok = true)};
    char text[32];

    snprintf(text, sizeof text, "%zu", s.good.stack->mem.held + ROOM);
    assert_int_equal(weir_knob_set(s.good.stack, "net.weir.mem_max", text), 0);
    return s;
}

static void attackers_come(struct siege *s)
{
    while (s->bads < ATTACKERS && open_one(s, &s->bad[s->bads], (uint16_t)(5000 + s->bads))) {
        s->bads++;
        advance_ms(&s->good, 3);
        use_the_good_one(s);
    }
}

static void attackers_are_closed(struct siege *s)
{
    for (int i = 0; i < s->bads; i++) {
        app_close(&s->bad[i]);
        forget_output(&s->good);
    }
    advance_ms(&s->good, 200000); /* TIME-WAIT, FIN-WAIT: whatever they left */
    forget_output(&s->good);
}

static void a_newcomer_is_served(struct siege *s)
{
    struct peer q;

    assert_true(open_one(s, &q, 4999));
    inject(&q, .flags = ACK, .seq = 1, .ack = 1, .len = 1000);
    app_read(&q, 1000);
    forget_output(&q);
    use_the_good_one(s);
}

static void siege_end(struct siege *s)
{
    use_the_good_one(s);
    peer_forget();
}

/* One byte at the end of the window: a ring of 64 KiB for each. */
TEST(attack_20_one_byte_far_beyond_a_hole)
{
    struct siege s = siege_begin();
    struct segment far = {.flags = ACK, .seq = WINDOW, .ack = 1, .len = 1};

    attackers_come(&s);
    assert_int_equal(s.bads, ATTACKERS);
    for (int i = 0; i < s.bads; i++) {
        inject_and_judge(&s.bad[i], &far);
        use_the_good_one(&s);
    }
    assert_true(weir_stat_by_name(s.good.stack, "TcpExtOfoPruned") > 50);
    assert_int_equal(weir_stat_by_name(s.good.stack, "TcpExtRcvPruned"), 0);
    for (int i = 0; i < s.bads; i++) { /* none of them is worse off: the hole is filled */
        struct segment all = {.flags = ACK, .seq = 1, .ack = 1, .len = 1000};
        assert_int_equal(inject_and_judge(&s.bad[i], &all), 0);
        app_read(&s.bad[i], 1000);
        forget_output(&s.bad[i]);
    }
    a_newcomer_is_served(&s);
    siege_end(&s);
}

/* Many small pieces, each beyond a hole of its own. */
TEST(attack_21_full_sets_of_holes)
{
    struct siege s = siege_begin();

    attackers_come(&s);
    for (int i = 0; i < s.bads; i++) {
        for (uint32_t k = 0; k < 130; k++) {
            struct segment piece = {.flags = ACK, .seq = 3 + 2 * k * 250, .ack = 1, .len = 1};
            inject_and_judge(&s.bad[i], &piece);
            if (k % 64 == 0)
                use_the_good_one(&s);
        }
        forget_output(&s.bad[i]);
    }
    assert_true(weir_stat_by_name(s.good.stack, "TcpExtOfoPruned") > 50);
    a_newcomer_is_served(&s);
    siege_end(&s);
}

/* The program does not read: what it was sent is acknowledged and kept; so newcomers are refused,
 * until it closes them. */
TEST(attack_42_many_that_are_never_read)
{
    struct siege s = siege_begin();
    uint64_t kept = 0;
    struct peer q;

    attackers_come(&s);
    for (int i = 0; i < s.bads; i++)
        for (uint32_t at = 1; at < WINDOW; at += 1000) {
            struct segment text = {.flags = ACK, .seq = at, .ack = 1, .len = 1000};
            if (inject_and_judge(&s.bad[i], &text) != 0)
                break;
            forget_output(&s.bad[i]);
            if (at % 10000 == 1)
                use_the_good_one(&s);
        }
    assert_true(weir_stat_by_name(s.good.stack, "TcpExtRcvPruned") > 0);
    assert_false(open_one(&s, &q, 4998));
    for (int i = 0; i < s.bads; i++) { /* all that was acknowledged is there */
        struct peer *b = &s.bad[i];
        struct weir_sock_info info;
        assert_int_equal(weir_info(b->stack, b->sock, &info), 0);
        assert_int_equal(info.recv_queue, info.bytes_received);
        kept += info.recv_queue;
        for (uint32_t left = info.recv_queue, n; left; left -= n) {
            n = left < 50000 ? left : 50000;
            app_read(b, n);
        }
    }
    assert_true(kept > ROOM / 2);
    attackers_are_closed(&s);
    a_newcomer_is_served(&s);
    siege_end(&s);
}

static void write_what_fits(struct siege *s, int i)
{
    static const uint8_t text[65536];

    weir_send(s->bad[i].stack, s->bad[i].sock, text, sizeof text, 0);
    forget_output(&s->bad[i]);
}

static int alive(struct siege *s)
{
    int n = 0, error;
    size_t len = sizeof error;

    for (int i = 0; i < s->bads; i++) {
        assert_int_equal(
            weir_getsockopt(s->good.stack, s->bad[i].sock, SOL_SOCKET, SO_ERROR, &error, &len), 0);
        assert_true(error == 0 || error == ENOBUFS);
        n += error == 0;
    }
    return n;
}

/* They ask, and never acknowledge what they get. */
TEST(attack_42_many_that_never_acknowledge)
{
    struct siege s = siege_begin();

    attackers_come(&s);
    for (int i = 0; i < s.bads; i++) {
        write_what_fits(&s, i);
        advance_ms(&s.good, 3);
        use_the_good_one(&s);
    }
    assert_true(s.good.stack->tcp.press.is_on);
    for (int i = 0; i < 400; i++) {
        advance_ms(&s.good, 30);
        use_the_good_one(&s);
    }
    assert_true(alive(&s) < s.bads);
    a_newcomer_is_served(&s);
    siege_end(&s);
}

/* They ask, and close their windows; each probe is answered. */
TEST(attack_42_many_that_close_their_window)
{
    struct siege s = siege_begin();
    struct segment closed = {.flags = ACK, .seq = 1, .ack = 1, .wnd = CLOSED_WINDOW};

    attackers_come(&s);
    for (int i = 0; i < s.bads; i++) {
        inject_and_judge(&s.bad[i], &closed);
        write_what_fits(&s, i);
        advance_ms(&s.good, 3);
        use_the_good_one(&s);
    }
    assert_true(s.good.stack->tcp.press.is_on);
    for (int i = 0; i < 30; i++) {
        advance_ms(&s.good, 200);
        for (int k = 0; k < s.bads; k++) {
            inject_and_judge(&s.bad[k], &closed);
            forget_output(&s.bad[k]);
        }
        use_the_good_one(&s);
    }
    assert_true(alive(&s) < s.bads);
    a_newcomer_is_served(&s);
    siege_end(&s);
}

/* The program writes and closes; the peers are silent. */
TEST(attack_41_many_orphans)
{
    struct siege s = siege_begin();

    attackers_come(&s);
    for (int i = 0; i < s.bads; i++) {
        write_what_fits(&s, i);
        app_close(&s.bad[i]);
        advance_ms(&s.good, 3);
        use_the_good_one(&s);
    }
    for (int i = 0; i < 100; i++) {
        advance_ms(&s.good, 10);
        use_the_good_one(&s);
    }
    assert_true(weir_stat_by_name(s.good.stack, "TcpExtTCPAbortOnMemory") > 0);
    a_newcomer_is_served(&s);
    siege_end(&s);
}

int main(void)
{
    return peer_tests_run("attack_memory");
}
