/* Steps seven and eight of SEGMENT ARRIVES: text and FIN, and the receive ring.
 *
 * Knows: RCV.NXT, the ring and the ranges beyond a hole. Not what is sent back.
 * Shape: the ring's readable bytes end at RCV.NXT; a byte that came early lies at its final place
 * behind them, and `ranges` says which do. Units: bytes of sequence space.
 * Errors: a segment that no memory can hold is dropped and repeated by the peer.
 * Cost: one copy of each byte; a range operation where there are holes. 9293#3.10.7.4, 6093 */
#include "tcp/memory.h"

void text_free(struct tcp *p, struct tcb *t)
{
    ring_release(&t->rcv.ring, p->mem);
    early_free(p, t);
}

/* Cuts n bytes from the segment's front. */
static void trim_front(struct seg *s, uint32_t n)
{
    s->seq = seq_add(s->seq, n);
    s->len -= n;
    for (int i = 0; i < s->texts && n; i++) {
        uint32_t cut = n < s->text[i].len ? n : s->text[i].len;
        s->text[i].data += cut;
        s->text[i].len -= cut;
        n -= cut;
    }
}

bool text_trim(struct tcb *t, struct seg *s)
{
    int32_t before = seq_diff(t->rcv.nxt, s->seq);
    int32_t room;

    if (before > 0)
        trim_front(s, (uint32_t)before < s->len ? (uint32_t)before : s->len);
    room = seq_diff(t->rcv.edge, s->seq);
    if (room < 0)
        room = 0;
    if ((uint32_t)room < s->len) { /* 47: what lies beyond the edge, the FIN too, will come again */
        s->len = (uint32_t)room;
        s->flags &= (uint8_t)~TCP_FIN;
    }
    return s->len > 0;
}

/* Bytes from the read pointer to the end of the last that came. */
static uint32_t used_of(const struct tcb *t)
{
    const struct early *e = t->rcv.early;
    uint32_t beyond = e && e->set.n ? (uint32_t)seq_diff(e->set.at[e->set.n - 1].end, t->rcv.nxt)
                                    : 0;

    return t->rcv.ring.len + beyond;
}

/* What came beyond holes gives way to what comes in order; and who leaves much unread, to others:
 * the fuller, the less. */
static bool grow(struct tcp *p, struct tcb *t, uint32_t need, bool is_in_order)
{
    struct ring *r = &t->rcv.ring;

    if (press_look(p) && r->len > press_unread_max(p, t))
        return false;
    if (ring_reserve(r, p->mem, need, used_of(t)))
        return true;
    if (!is_in_order || !p->early_first)
        return false;
    press_shed_early(p, 0);
    return ring_reserve(r, p->mem, need, used_of(t));
}

/* Puts the text where it belongs: `off` bytes behind RCV.NXT. */
static bool place(struct tcp *p, struct tcb *t, const struct seg *s, uint32_t off)
{
    uint32_t at = t->rcv.ring.len + off, left = s->len;

    if (at + s->len > t->rcv.ring.size && !grow(p, t, at + s->len, off == 0))
        return false;
    for (int i = 0; i < s->texts && left; i++) {
        uint32_t n = s->text[i].len < left ? s->text[i].len : left;
        ring_place(&t->rcv.ring, at, s->text[i].data, n);
        at += n;
        left -= n;
    }
    return true;
}

/* 2883#4: said once, in the first block of the next ACK; of two that were repeated the newer, or
 * both where they touch. */
void text_repeated(struct tcp *p, struct tcb *t, struct seq start, struct seq end)
{
    struct range *d = &t->rcv.dup;
    bool is_longer = t->flags & T_DSACK && seq_le(start, d->end) && seq_ge(end, d->start);

    if (!(t->flags & T_SACK) || !p->knobs->tcp_dsack || seq_ge(start, end))
        return;
    if (seq_lt(start, t->rcv.nxt))
        p->stats->TcpExtTCPDSACKOldSent++;
    else
        p->stats->TcpExtTCPDSACKOfoSent++;
    d->start = is_longer ? seq_min(start, d->start) : start;
    d->end = is_longer ? seq_max(end, d->end) : end;
    t->flags |= T_DSACK;
}

/* What of the segment beyond the hole is here already. */
static void note_overlap(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct range both;

    if (ranges_overlap(&t->rcv.early->set, s->seq, seq_add(s->seq, s->len), &both))
        text_repeated(p, t, both.start, both.end);
}

static enum drop text_out_of_order(struct tcp *p, struct tcb *t, const struct seg *s)
{
    uint32_t fresh;

    t->flags |= T_ACK_NOW; /* 5681#3.2: at once, so that the peer sees the hole */
    t->why_event = EVENT_duplicate_ack;
    if (press_look(p) || (!t->rcv.early && !early_new(p, t)) ||
        !place(p, t, s, (uint32_t)seq_diff(s->seq, t->rcv.nxt))) {
        p->stats->TcpExtTCPOFODrop++;
        return DROP_tcp_no_memory;
    }
    note_overlap(p, t, s);
    if (!ranges_add(&t->rcv.early->set, s->seq, seq_add(s->seq, s->len), &fresh))
        return DROP_tcp_ranges_full;
    if (!fresh)
        return DROP_tcp_duplicate;
    p->stats->TcpExtTCPOFOQueue++;
    return PASS;
}

/* The text up to `end` fills a hole, or some of it; the new end. */
static struct seq early_take(struct tcp *p, struct tcb *t, struct seq end)
{
    struct ranges *r = &t->rcv.early->set;

    ranges_trim(r, end);
    end = ranges_take(r, end);
    t->flags |= T_ACK_NOW; /* 5681#3.2 */
    if (r->n == 0)
        early_free(p, t);
    return end;
}

/* The text at RCV.NXT, and what had come before it. */
static enum drop text_in_order(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct seq end = seq_add(s->seq, s->len);
    uint32_t n;

    if (!place(p, t, s, 0)) {
        p->stats->TcpExtRcvPruned++;
        return DROP_tcp_no_memory;
    }
    if (t->rcv.early)
        end = early_take(p, t, end);
    n = (uint32_t)seq_diff(end, t->rcv.nxt);
    ring_extend(&t->rcv.ring, n);
    if (tcb_has_lapped(t->rcv.irs, t->rcv.nxt, end))
        t->nxt_laps++;
    t->rcv.nxt = end;
    t->rcv.waiting += n;
    if (tune_is_due(t))
        tune_on_text(p, t, s);
    t->rcv.at_ms = now_ms(p);
    tcb_mark(p, t, MARK_IN);
    timers_on_received(p, t);
    return PASS;
}

/* 1122#4.2.2.13. Linux: SHUT_RDWR is as good as a close. */
static bool nobody_reads(const struct tcb *t)
{
    return t->flags & T_ORPHAN || (t->flags & T_SHUT_RD && t->flags & T_FIN_QUEUED);
}

enum drop seventh_process_text(struct tcp *p, struct tcb *t, struct seg *s)
{
    struct seq end = seq_add(s->seq, s->len);

    if (s->flags & TCP_FIN && !(t->flags & T_FIN_SEEN) && seq_le(end, t->rcv.edge) &&
        seq_ge(end, t->rcv.nxt)) {
        t->flags |= T_FIN_SEEN;
        t->rcv.fin = end;
    }
    if (s->len == 0)
        return PASS;
    if (!may_receive(t))
        return DROP_tcp_past_fin;
    if (nobody_reads(t) && seq_gt(end, t->rcv.nxt)) {
        p->stats->TcpExtTCPAbortOnData++;
        t->flags |= T_RST_DUE;
        t->why_event = EVENT_reset_after_close;
        tcb_end(p, t, t->flags & T_ORPHAN ? 0 : ECONNRESET);
        return DROP_tcp_after_close;
    }
    if (seq_lt(s->seq, t->rcv.nxt))
        text_repeated(p, t, s->seq, seq_min(end, t->rcv.nxt));
    if (!text_trim(t, s)) { /* a probe of our closed window, or all of it repeated */
        t->flags |= T_ACK_NOW;
        return seq_le(end, t->rcv.nxt) ? DROP_tcp_duplicate : DROP_tcp_window;
    }
    if (t->flags & T_FIN_SEEN && seq_gt(seq_add(s->seq, s->len), t->rcv.fin))
        return DROP_tcp_past_fin;
    if (seq_gt(s->seq, t->rcv.nxt))
        return text_out_of_order(p, t, s);
    return text_in_order(p, t, s);
}

/* 7413#4.2.2: the text of a SYN that is taken; what is not taken will come again. */
void text_of_syn(struct tcp *p, struct tcb *t, struct seg *s)
{
    s->seq = seq_add(s->seq, 1);
    if (s->len && text_trim(t, s))
        (void)text_in_order(p, t, s);
}

/* A FIN acts when RCV.NXT reaches it, whenever its segment came. */
void eighth_check_fin(struct tcp *p, struct tcb *t, struct seg *s)
{
    if (!(t->flags & T_FIN_SEEN) || (t->flags & T_FIN_RECEIVED))
        return;
    if (!seq_eq(t->rcv.nxt, t->rcv.fin)) {
        if (s->flags & TCP_FIN) { /* 5681#3.2: it came before what it ends */
            t->flags |= T_ACK_NOW;
            t->why_event = EVENT_duplicate_ack;
        }
        return;
    }
    t->rcv.nxt = seq_add(t->rcv.nxt, 1);
    t->rcv.edge = seq_max(t->rcv.edge, t->rcv.nxt); /* it needs a number but no room */
    t->flags |= T_FIN_RECEIVED | T_ACK_NOW;
    tcb_mark(p, t, MARK_IN | (t->state == FIN_WAIT_1 || t->state == FIN_WAIT_2 ? MARK_GONE : 0));
    switch (t->state) {
    case ESTABLISHED:
        enter(p, t, CLOSE_WAIT);
        break;
    case FIN_WAIT_1:
        enter(p, t, CLOSING);
        break;
    case FIN_WAIT_2:
        enter(p, t, TIME_WAIT);
        tw_begin(p, t);
        return;
    default:
        return;
    }
    timers_on_state(p, t);
}
