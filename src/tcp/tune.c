/* Buffers that grow with the path: how much may be received ahead of the program, and written ahead
 * of the peer.
 *
 * Knows: what the program read in each round trip, and cwnd. Shape: a `struct tune` watches a
 * connection that receives in bulk; there are at most TUNES_MAX, a new one takes the oldest, whose
 * connection begins again. A buffer never shrinks, and one that SO_RCVBUF or SO_SNDBUF set stays.
 * Units: bytes, microseconds. Errors: none: without memory the buffer stays as it is.
 * Cost: O(1), nothing for a connection that received less than a quarter of its buffer. 7323#2 */
#include <stddef.h>

#include "tcp/memory.h"

#define TUNES_MAX 16384u
#define ECHO_MAX_MS (1u << 20) /* a timestamp that is echoed later says nothing */
#define ECHO_LEAST_US 1000u    /* what a timestamp resolves */

struct tune {
    struct list_node order; /* oldest first */
    uint32_t owner;         /* tcb */
    uint32_t rtt_us;        /* as the receiver sees it */
    uint32_t echo;          /* timestamp that was measured last */
    struct seq edge;        /* right edge at edge_at_us: its bytes come a round trip later */
    uint32_t edge_at_us;
    struct seq read; /* the program's first unread byte when this round began */
    uint32_t read_at_us;
    uint32_t most; /* bytes that it read in a round so far */
};

void tunes_init(struct tcp *p)
{
    pool_init(&p->tunes, p->mem, sizeof(struct tune), TUNES_MAX);
    list_init(&p->tune_order, &p->tunes, offsetof(struct tune, order));
}

void tune_free(struct tcp *p, struct tcb *t)
{
    if (!t->tune)
        return;
    list_unlink(&p->tune_order, t->tune);
    pool_free(&p->tunes, t->tune);
    t->tune = 0;
}

/* -- the receive buffer ------------------------------------------------------------------------ */

/* What the buffer may grow to: more than the window field can say would hold nothing. */
static uint32_t rcvbuf_max(const struct tcp *p, const struct tcb *t)
{
    uint32_t most = (uint32_t)p->knobs->tcp_rmem[2], sayable = 65535u << t->rcv.wscale;

    return most < sayable ? most : sayable;
}

static bool may_grow(const struct tcp *p, const struct tcb *t)
{
    return p->knobs->tcp_moderate_rcvbuf && !p->press.is_on && !(t->opt.on & OPT_RCVBUF_SET) &&
           t->opt.rcvbuf < rcvbuf_max(p, t);
}

static struct seq first_unread(const struct tcb *t)
{
    return seq_sub(t->rcv.nxt, t->rcv.ring.len);
}

static void tune_begin(struct tcp *p, struct tcb *t)
{
    struct tune *u;

    if (p->tunes.used == TUNES_MAX) {
        u = pool_at(&p->tunes, p->tune_order.first);
        tune_free(p, tcb_at(p, u->owner));
    }
    t->tune = pool_new(&p->tunes);
    if (!t->tune)
        return;
    u = pool_at(&p->tunes, t->tune);
    u->owner = t->self;
    u->rtt_us = t->rtt.srtt_us;
    u->edge = t->rcv.edge;
    u->read = first_unread(t);
    u->edge_at_us = u->read_at_us = (uint32_t)p->now_us;
    u->most = TUNE_FIRST_SEGMENTS * t->rcv.mss;
    list_append(&p->tune_order, t->tune);
}

/* What a full segment echoes left us a round trip ago. Smoothed, for the peer may have waited. */
static void measure_echo(const struct tcp *p, const struct tcb *t, const struct seg *s,
                         struct tune *u)
{
    uint32_t ms = ts_now(p, t) - s->opt->tsecr, us;

    if (s->len < t->rcv.mss / 2u || s->opt->tsecr == u->echo || ms >= ECHO_MAX_MS)
        return;
    u->echo = s->opt->tsecr;
    us = ms ? ms * 1000 : ECHO_LEAST_US;
    u->rtt_us = u->rtt_us ? u->rtt_us - u->rtt_us / 8 + us / 8 : us;
}

/* Without timestamps: a window of bytes takes a round trip at least, so the shortest counts. */
static void measure_window(const struct tcp *p, const struct tcb *t, struct tune *u)
{
    uint32_t us = (uint32_t)p->now_us - u->edge_at_us;

    if (seq_lt(t->rcv.nxt, u->edge))
        return;
    if (!u->rtt_us || us < u->rtt_us)
        u->rtt_us = us ? us : 1;
    u->edge = t->rcv.edge;
    u->edge_at_us = (uint32_t)p->now_us;
}

void tune_on_text(struct tcp *p, struct tcb *t, const struct seg *s)
{
    if (!t->tune) {
        if (may_grow(p, t))
            tune_begin(p, t);
        return;
    }
    if (t->flags & T_TS && s->opt->has & TCP_OPT_TS)
        measure_echo(p, t, s, pool_at(&p->tunes, t->tune));
    else
        measure_window(p, t, pool_at(&p->tunes, t->tune));
}

/* Twice what was read in a round, for the peer may send so much before it hears of more; and as
 * much again while the rounds grow, for in slow start the next one is twice as big. */
static uint32_t rcvbuf_for(const struct tcb *t, const struct tune *u, uint32_t bytes, uint32_t most)
{
    uint64_t want = 2 * (uint64_t)bytes + 16u * t->rcv.mss, more = want;

    if (bytes < 2 * (uint64_t)u->most)
        more = want * (bytes - u->most) / u->most;
    want += more;
    return want < most ? (uint32_t)want : most;
}

void tune_on_read(struct tcp *p, struct tcb *t)
{
    struct tune *u = pool_at(&p->tunes, t->tune);
    uint32_t now = (uint32_t)p->now_us, bytes, want;

    if (!u->rtt_us || now - u->read_at_us < u->rtt_us)
        return;
    bytes = (uint32_t)seq_diff(first_unread(t), u->read);
    u->read = first_unread(t);
    u->read_at_us = now;
    if (bytes <= u->most)
        return;
    if (may_grow(p, t)) {
        want = rcvbuf_for(t, u, bytes, rcvbuf_max(p, t));
        if (want > t->opt.rcvbuf)
            t->opt.rcvbuf = want;
    }
    u->most = bytes;
    if (!may_grow(p, t) && !p->press.is_on)
        tune_free(p, t);
}

/* -- the send buffer --------------------------------------------------------------------------- */

/* The program filled it: twice what may be in flight, so that there is always a window to send. */
void tune_sndbuf(const struct tcp *p, struct tcb *t)
{
    uint64_t want = 2 * (uint64_t)t->cc.cwnd, most = (uint64_t)p->knobs->tcp_wmem[2];

    if (t->opt.on & OPT_SNDBUF_SET || p->press.is_on)
        return;
    if (want > most)
        want = most;
    if (want > t->opt.sndbuf)
        t->opt.sndbuf = (uint32_t)want;
}
