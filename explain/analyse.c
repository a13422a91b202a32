/* What a segment is: new, sent again and why, out of order, a probe, a duplicate ACK.
 *
 * Knows: how senders repeat (RFC 6298, 5681, 6675, 8985), keepalives and window probes. Shape: the
 * numbers are judged against what was seen before, then taken in; a guess that needs time uses the
 * round trip seen here. Units: ns. Errors: none. Cost: O(1). */
#include "explain/conn.h"

#define MS 1000000ll
#define RTO_LEAST (190 * MS) /* no stack in use waits less, but for what is told as early */
#define FAR (1 << 30)        /* the largest window there is */
#define REORDER_NS (3 * MS)  /* where no round trip is known yet */

/* -- the sender's numbers ---------------------------------------------------------------------- */

static int64_t round_trip(const struct end *x, const struct end *y)
{
    return ((int64_t)rtt_median(x) + rtt_median(y)) * 1000;
}

static void add_hole(struct end *x, uint32_t start, uint32_t end, int64_t at)
{
    if (x->holes == HOLES) {
        for (unsigned i = 1; i < HOLES; i++)
            x->hole[i - 1] = x->hole[i];
        x->holes--;
    }
    x->hole[x->holes++] = (struct hole){start, end, at};
}

static void drop_hole(struct end *x, unsigned i)
{
    for (x->holes--; i < x->holes; i++)
        x->hole[i] = x->hole[i + 1];
}

/* Takes [start, end) out of the holes: never seen before? *at: when it was jumped over. */
static bool fills_hole(struct end *x, uint32_t start, uint32_t end, int64_t *at)
{
    bool is_new = false;

    for (unsigned i = 0; i < x->holes; i++) {
        struct hole *h = &x->hole[i];
        if (seq_past(start, h->end) >= 0 || seq_past(end, h->start) <= 0)
            continue;
        is_new = true;
        *at = h->at;
        if (seq_past(start, h->start) > 0 && seq_past(end, h->end) < 0)
            add_hole(x, end, h->end, h->at);
        if (seq_past(start, h->start) > 0)
            h->end = start;
        else if (seq_past(end, h->end) < 0)
            h->start = end;
        else
            drop_hole(x, i--);
    }
    return is_new;
}

/* Sent again: what made the sender do it? */
static unsigned why_again(struct end *x, const struct end *y, const struct segment *s)
{
    int64_t silence = s->at_ns - x->last_data, rtt = round_trip(x, y);
    bool is_told = y->dup_run >= 3 || (x->has_sacked && seq_past(x->sacked, s->h.seq.v) > 0);

    if (silence >= RTO_LEAST && silence >= rtt + rtt / 2) {
        x->in_rto = true;
        x->in_fast = false;
        x->rto_until = x->next;
        return R_RTO;
    }
    if (x->in_rto && seq_past(s->h.seq.v, x->rto_until) < 0)
        return R_RTO;
    x->in_rto = false;
    if (is_told) {
        x->in_fast = true;
        x->fast_until = x->next;
        return R_FAST;
    }
    return x->in_fast && seq_past(s->h.seq.v, x->fast_until) < 0 ? R_FAST : R_EARLY;
}

/* Begins below what was sent already. */
static unsigned judge_old(struct end *x, const struct end *y, const struct segment *s, uint32_t end)
{
    uint32_t start = s->h.seq.v;
    int64_t at = 0, rtt = x->rtt_count ? (int64_t)x->rtt_min * 1000 : REORDER_NS;

    if (s->h.flags & TCP_SYN)
        return R_SYN_AGAIN;
    if (fills_hole(x, start, end, &at)) {
        if (s->at_ns - at < rtt)
            return R_OUT_OF_ORDER;
        return why_again(x, y, s) | R_LOST_BEFORE;
    }
    if (x->has_acked && seq_past(end, x->acked) <= 0)
        return R_SPURIOUS;
    return why_again(x, y, s) | (s->h.flags & TCP_FIN ? R_FIN_AGAIN : 0);
}

static unsigned probe_kind(const struct end *x, const struct end *y, const struct segment *s)
{
    bool is_behind = s->h.seq.v == x->next - 1 && x->has_acked && x->acked == x->next;

    if (!x->is_seen || s->len > 1 || s->h.flags & (TCP_SYN | TCP_FIN | TCP_RST))
        return 0;
    if (y->zero_since && (is_behind || (s->len == 1 && s->h.seq.v == x->next)))
        return R_PROBE;
    return is_behind ? R_KEEPALIVE : 0;
}

/* Its numbers move on. */
static void advance(struct end *x, const struct segment *s, uint32_t end)
{
    if (!x->is_timing && !(s->h.flags & TCP_RST)) {
        x->is_timing = true;
        x->timed = end;
        x->timed_at = s->at_ns;
    }
    x->next = end;
}

static unsigned take_numbers(struct end *x, const struct end *y, const struct segment *s)
{
    uint32_t start = s->h.seq.v, extra = !!(s->h.flags & TCP_SYN) + !!(s->h.flags & TCP_FIN);
    uint32_t end = start + s->len + extra;
    unsigned r = probe_kind(x, y, s);

    if (r)
        return r;
    if (!x->is_seen || (s->h.flags & TCP_SYN && !x->has_isn)) {
        x->next = start;
        x->isn = start;
        x->has_isn = s->h.flags & TCP_SYN;
    }
    if (end == start)
        return 0;
    if (seq_past(start, x->next) < 0) {
        r = judge_old(x, y, s, end);
        if (x->is_timing && seq_past(start, x->timed) < 0)
            x->is_timing = false; /* Karn */
    } else if (seq_past(start, x->next) > FAR) {
        return R_GAP; /* of another life: no window reaches so far */
    } else if (seq_past(start, x->next) > 0) {
        add_hole(x, x->next, start, s->at_ns);
        r = R_GAP;
    }
    if (seq_past(end, x->next) > 0) {
        x->bytes += (uint32_t)seq_past(end, x->next) - extra;
        advance(x, s, end);
    }
    return r;
}

/* -- the ACK and the window -------------------------------------------------------------------- */

static unsigned take_sack(struct end *y, const struct segment *s)
{
    const struct tcp_opts *o = &s->h.opt;
    unsigned r = 0;

    if (!(o->has & TCP_OPT_SACK))
        return 0;
    for (int i = 0; i < o->sacks && i < TCP_SACK_MAX; i++) {
        uint32_t end = o->sack[i].end.v;
        if (seq_past(end, s->h.ack.v) <= 0)
            r |= i == 0 ? R_DSACK : 0;
        else if (!y->has_sacked || seq_past(end, y->sacked) > 0) {
            y->sacked = end;
            y->has_sacked = true;
        }
    }
    return r;
}

/* x acknowledges y's numbers. */
static unsigned take_ack(struct end *x, struct end *y, const struct segment *s)
{
    uint32_t ack = s->h.ack.v;
    unsigned r = 0;

    if (y->has_acked && ack == y->acked) {
        bool is_dup = s->len == 0 && !(s->h.flags & (TCP_SYN | TCP_FIN)) && s->h.wnd == x->wnd &&
                      y->is_seen && seq_past(y->next, ack) > 0;
        x->dup_run += is_dup;
        return (is_dup ? R_DUP_ACK : 0) | take_sack(y, s);
    }
    if (y->has_acked && seq_past(ack, y->acked) < 0)
        return 0; /* an older one, late */
    if (y->is_timing && seq_past(ack, y->timed) >= 0) {
        rtt_add(y, s->at_ns - y->timed_at);
        y->is_timing = false;
    }
    if (y->is_seen && seq_past(ack, y->next) > 0) {
        r = R_UNSEEN;
        y->next = ack;
    }
    while (y->holes && seq_past(ack, y->hole[0].end) >= 0)
        drop_hole(y, 0);
    if (y->has_sacked && seq_past(ack, y->sacked) >= 0)
        y->has_sacked = false;
    if (y->in_rto && seq_past(ack, y->rto_until) >= 0)
        y->in_rto = false;
    y->acked = ack;
    y->has_acked = true;
    x->dup_run = 0;
    return r | take_sack(y, s);
}

static unsigned take_window(struct end *x, const struct segment *s)
{
    x->wnd = s->h.wnd;
    if (s->h.flags & (TCP_SYN | TCP_RST))
        return 0;
    if (s->h.wnd == 0 && !x->zero_since) {
        x->zero_since = s->at_ns ? s->at_ns : 1;
        x->zeros++;
        return R_ZERO;
    }
    if (s->h.wnd && x->zero_since) {
        x->zero_ns += s->at_ns - x->zero_since;
        x->zero_since = 0;
        return R_OPENS;
    }
    return 0;
}

/* -- all of it --------------------------------------------------------------------------------- */

static void count(struct end *x, unsigned r, const struct segment *s)
{
    x->segments++;
    x->rto += !!(r & R_RTO);
    x->fast += !!(r & R_FAST);
    x->early += !!(r & R_EARLY);
    x->spurious += !!(r & R_SPURIOUS);
    x->keepalives += !!(r & R_KEEPALIVE);
    x->probes += !!(r & R_PROBE);
    x->out_of_order += !!(r & R_OUT_OF_ORDER);
    x->lost_before += !!(r & R_LOST_BEFORE);
    x->gaps += !!(r & R_GAP);
    x->dup_acks += !!(r & R_DUP_ACK);
    x->dsacks += !!(r & R_DSACK);
    x->unseen += !!(r & R_UNSEEN);
    if (r & R_AGAIN)
        x->bytes_again += s->len;
}

static void take_syn(struct conn *c, int from, const struct segment *s)
{
    struct end *x = &c->end[from];

    if (!x->syns)
        x->is_syn_ack = s->h.flags & TCP_ACK;
    x->syns += !x->syns ||
               x->is_syn_ack == !!(s->h.flags & TCP_ACK); /* both: a simultaneous open */
    c->is_opened = true;
    x->offers = s->h.opt.has;
    x->mss = s->h.opt.has & TCP_OPT_MSS ? s->h.opt.mss : 0;
    x->wscale = s->h.opt.has & TCP_OPT_WSCALE ? s->h.opt.wscale : 0;
}

/* The ends change places: who answers with SYN/ACK did not open. */
static void find_opener(struct conn *c, int *from, const struct segment *s)
{
    struct end x;

    if (*from != 0 || c->end[0].is_seen || c->end[1].is_seen ||
        (s->h.flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK))
        return;
    x = c->end[0];
    c->end[0] = c->end[1];
    c->end[1] = x;
    *from = 1;
}

static void take_end(struct conn *c, int from, const struct segment *s)
{
    struct end *x = &c->end[from];

    if (s->h.flags & TCP_FIN && !x->has_fin) {
        x->has_fin = true;
        x->fin = s->h.seq.v + s->len + 1;
        x->fin_at = s->at_ns;
    }
    if (s->h.flags & (TCP_FIN | TCP_RST) && c->closer < 0)
        c->closer = from;
    if (s->h.flags & TCP_RST && c->rst_by < 0) {
        c->rst_by = from;
        c->rst_at = s->at_ns;
        c->cause = reset_cause(c, from, s);
    }
}

unsigned conn_take(struct conn *c, int from, const struct segment *s)
{
    struct end *x, *y;
    unsigned r = 0;

    find_opener(c, &from, s);
    x = &c->end[from];
    y = &c->end[!from];
    c->after_end += c->is_over && !(s->h.flags & TCP_RST);
    if (s->h.flags & TCP_SYN)
        take_syn(c, from, s);
    if (!(s->h.flags & TCP_RST))
        r = take_numbers(x, y, s);
    if (s->h.flags & TCP_ACK && !(s->h.flags & TCP_RST))
        r |= take_ack(x, y, s);
    sizes_take(c, from, s);
    take_end(c, from, s);
    states_take(c, from, s);
    r |= take_window(x, s);
    count(x, r, s);
    x->unheard += !!(r & (R_RTO | R_KEEPALIVE | R_PROBE));
    y->unheard = 0;
    if (s->len || s->h.flags & (TCP_SYN | TCP_FIN)) {
        x->first_data = x->first_data ? x->first_data : s->at_ns;
        x->last_data = s->at_ns;
    }
    if (!(s->h.flags & TCP_RST)) {
        x->ttl = s->ttl;
        x->is_seen = true;
    }
    x->last_sent = c->last_at = s->at_ns;
    return r;
}
