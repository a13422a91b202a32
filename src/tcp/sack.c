/* What the peer says that it has: selective acknowledgments as a sender hears them.
 *
 * Knows: the option and the records. Not what is lost. Shape: what was reported is one record for
 * each unbroken run, of which there are at most net.weir.tcp_sack_runs: a peer that reports single
 * bytes costs neither memory nor time. Units: bytes. Errors: blocks of what was never sent, or
 * inverted, are ignored (25); so is a run too many. Cost: a search for each block, and the records
 * that are new in it. 2018#5, 2883#4, 6675#4 */
#include "tcp/recovery.h"

static bool is_sacked(const struct sent *s, uint32_t i)
{
    return s->rec[i].flags & SENT_SACKED;
}

/* [start, end) of record i is a run of its own. False: there may be no more, or no memory. */
static bool begin_run(struct tcp *p, struct tcb *t, uint32_t i, struct seq start, struct seq end)
{
    struct sent_rec *r;

    if (t->sent->runs >= p->knobs->tcp_sack_runs) {
        p->stats->TcpExtTCPSACKDiscard++;
        return false;
    }
    if (!sent_carve(p, t, &i, start, end))
        return false;
    r = &t->sent->rec[i];
    t->sent->lost -= r->flags & SENT_LOST ? rec_len(r) : 0;
    r->flags = SENT_SACKED | SENT_UNTIMED;
    t->sent->runs++;
    return true;
}

/* [start, end) of record i joins the run before it, which it may join to the run behind it. */
static void extend_run(struct sent *s, uint32_t i, struct seq end)
{
    struct sent_rec *r = &s->rec[i];
    bool is_whole = seq_eq(end, r->end), is_gap = is_whole && i + 1 < s->n && is_sacked(s, i + 1);

    s->lost -= r->flags & SENT_LOST ? (uint32_t)seq_diff(end, r->start) : 0;
    r[-1].end = r->start = end;
    if (!is_whole)
        return;
    i = sent_remove(s, i);
    if (!is_gap)
        return;
    s->rec[i].end = s->rec[i + 1].end;
    sent_remove(s, i + 1);
    s->runs--;
}

/* [start, end of record i) joins the run behind it. */
static void extend_run_left(struct sent *s, uint32_t i, struct seq start)
{
    struct sent_rec *r = &s->rec[i];

    s->lost -= r->flags & SENT_LOST ? (uint32_t)seq_diff(r->end, start) : 0;
    r[1].start = r->end = start;
    if (seq_eq(r->start, start))
        sent_remove(s, i);
}

/* The piece lies in record i and is news. */
static void take_piece(struct tcp *p, struct tcb *t, uint32_t i, struct range piece,
                       struct ack_event *e)
{
    struct seq start = piece.start, end = piece.end;
    struct sent *s = t->sent;
    struct sent_rec was = s->rec[i];
    uint32_t bytes = (uint32_t)seq_diff(end, start);

    if (seq_eq(start, was.start) && i > s->first && is_sacked(s, i - 1))
        extend_run(s, i, end);
    else if (seq_eq(end, was.end) && i + 1 < s->n && is_sacked(s, i + 1))
        extend_run_left(s, i, start);
    else if (!begin_run(p, t, i, start, end))
        return;
    was.start = start;
    sent_delivered(t, &was, end, e);
    t->sent->sacked += bytes;
    e->sacked += bytes;
    e->delivered += bytes;
}

static void take_block(struct tcp *p, struct tcb *t, struct seq start, struct seq end,
                       struct ack_event *e)
{
    while (seq_lt(start, end)) {
        const struct sent *s = t->sent;
        uint32_t i = sent_find(s, start);
        struct seq stop;

        if (i == s->n)
            return;
        stop = seq_min(s->rec[i].end, end);
        if (!is_sacked(s, i))
            take_piece(p, t, i, (struct range){start, stop}, e);
        start = stop;
    }
}

/* 2883#4: the first block may tell of text that came twice: below the ACK, or inside the second
 * block. */
void sack_take_dsack(struct tcp *p, const struct tcp_opts *o, struct ack_event *e)
{
    const struct tcp_sack *b = o->sack;
    int32_t below = seq_diff(e->ack, b[0].start);

    if (o->sacks == 0 || seq_ge(b[0].start, b[0].end))
        return;
    if (below > 0 && below < 1 << 30 && seq_le(b[0].end, e->ack)) {
        e->is_dsack = true;
        p->stats->TcpExtTCPDSACKRecv++;
    } else if (o->sacks > 1 && seq_ge(b[0].start, b[1].start) && seq_le(b[0].end, b[1].end)) {
        e->is_dsack = true;
        p->stats->TcpExtTCPDSACKOfoRecv++;
    }
    e->twice = (struct range){b[0].start, b[0].end};
}

void sack_on_ack(struct tcp *p, struct tcb *t, const struct tcp_opts *o, struct ack_event *e)
{
    sack_take_dsack(p, o, e);
    for (int i = 0; i < o->sacks; i++) {
        struct seq start = o->sack[i].start, end = o->sack[i].end;
        if (seq_le(end, start) || seq_le(start, e->ack) || seq_gt(end, t->snd.nxt))
            continue;
        take_block(p, t, start, end, e);
    }
}

/* 2018#8: a receiver may throw away what it has reported. It did if what it must have next is among
 * it; then no report is believed any more. */
bool sack_forget_reneged(struct tcb *t)
{
    struct sent *s = t->sent;

    if (s->first == s->n || !is_sacked(s, s->first))
        return false;
    for (uint32_t i = s->first; i < s->n; i++)
        s->rec[i].flags &= (uint8_t)~SENT_SACKED;
    s->sacked = s->runs = 0;
    return true;
}

/* More than `segments` - 1 full ones were reported above it, or `segments` runs. */
bool sack_lost_edge(const struct tcb *t, uint32_t segments, struct seq *edge)
{
    const struct sent *s = t->sent;
    uint32_t bytes = 0, runs = 0;

    for (uint32_t i = s->n; i-- > s->first && runs < s->runs;) {
        if (!is_sacked(s, i))
            continue;
        bytes += rec_len(&s->rec[i]);
        runs++;
        if (bytes <= (segments - 1) * t->snd.mss && runs < segments)
            continue;
        *edge = s->rec[i].start;
        return true;
    }
    return false;
}
