/* Packetization-layer path MTU discovery: bigger segments are tried, and what is too big for a path
 * that says nothing is found out by its loss.
 *
 * Knows: snd.mss and the search in struct more. Not how a probe is made (pull.c). Shape: low <=
 * high
 * <= top; one probe is in flight at a time, real text, and [start, start + size) of the numbers.
 * Its loss alone is no sign of congestion; where more is lost it proves nothing. Units: bytes of
 * text. Errors: without memory no search. Cost: O(1). 4821, 8899#4, 8201#5.2; Linux's
 * tcp_mtu_probing */
#include "tcp/more.h"
#include "tcp/recovery.h"

#define CWND_LEAST 11 /* segments: Linux; a probe is a small part of what is in flight */

static void use(struct tcb *t, uint32_t mss)
{
    t->snd.mss = t->cc.mss = (uint16_t)mss;
    if (t->cc.cwnd < mss)
        t->cc.cwnd = mss;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Over what the ends agreed on, the search begins with what should pass everywhere, 4821#7.2. */
static void begin(const struct tcp *p, struct tcb *t, struct mtu_search *m)
{
    m->top = m->high = t->snd.mss;
    m->low = (uint16_t)smaller((uint32_t)p->knobs->tcp_base_mss, m->high);
    m->size = 0;
    m->at_ms = now_ms(p);
    m->is_on = true;
    use(t, m->low);
}

void mtu_begin(struct tcp *p, struct tcb *t)
{
    struct more *more;

    if (p->knobs->tcp_mtu_probing == 2 && (more = more_need(p, t)))
        begin(p, t, &more->mtu);
}

/* -- a probe ----------------------------------------------------------------------------------- */

/* 4821#7.6.1: the middle of what is not known; 0: it is known well enough, for a while. */
static uint32_t next_size(const struct tcp *p, const struct tcb *t, struct mtu_search *m)
{
    uint32_t interval_ms = (uint32_t)p->knobs->tcp_probe_interval * 1000;

    if (m->high - m->low >= p->knobs->tcp_probe_threshold)
        return (m->low + m->high + 1u) / 2;
    if (now_ms(p) - m->at_ms < interval_ms)
        return 0;
    m->high = m->top; /* 8201#5.3: it may have grown */
    m->low = t->snd.mss;
    m->at_ms = now_ms(p);
    return 0;
}

/* 4821#7.4: nothing is missing that a lost probe could be taken for. */
static bool is_calm(const struct tcb *t)
{
    const struct sent *s = t->sent;
    bool is_hole = s && (s->sacked | s->lost | s->reno_sacked) != 0;

    return t->loss.phase == LOSS_OPEN && !is_hole && !t->loss.dupacks && !t->rcv.early &&
           !(t->flags & (T_DSACK | T_TAIL_DUE | T_URG_OUT)) && !(t->ecn & ECN_CWR);
}

int32_t mtu_probe(struct tcp *p, struct tcb *t)
{
    struct more *more = more_of(p, t);
    uint32_t size, need, mss = t->snd.mss;

    if (!more || !more->mtu.is_on || more->mtu.size || !is_calm(t))
        return 0;
    if (t->cc.cwnd < CWND_LEAST * mss || !(size = next_size(p, t, &more->mtu)))
        return 0;
    need = size + (loss_dupthresh(p, t) + 1) * mss; /* what follows tells of its loss */
    if (unsent_of(t) < need || window_usable(t) < need)
        return 0;
    return in_flight(t) + size <= t->cc.cwnd ? (int32_t)size : MTU_WAIT;
}

void mtu_on_probe_sent(struct tcp *p, struct tcb *t, struct seq start, uint32_t bytes)
{
    struct mtu_search *m = &more_of(p, t)->mtu;

    m->size = (uint16_t)bytes;
    m->start = start;
}

/* Then its ACK says nothing about the probe. */
void mtu_on_sent_again(struct tcp *p, struct tcb *t, struct seq start, struct seq end)
{
    struct mtu_search *m = &more_of(p, t)->mtu;

    if (m->size && seq_lt(start, seq_add(m->start, m->size)) && seq_gt(end, m->start))
        m->size = 0;
}

void mtu_on_ack(struct tcp *p, struct tcb *t)
{
    struct mtu_search *m = &more_of(p, t)->mtu;

    if (!m->size || seq_lt(t->snd.una, seq_add(m->start, m->size)))
        return;
    p->stats->TcpExtTCPMTUPSuccess++;
    m->low = m->size;
    m->size = 0;
    m->at_ms = now_ms(p);
    use(t, m->low);
}

/* -- a loss ------------------------------------------------------------------------------------ */

/* It goes again as segments that pass, at once, and nothing shrinks for it: 4821#7.6.2. */
static void fails(struct tcp *p, struct tcb *t, struct mtu_search *m)
{
    p->stats->TcpExtTCPMTUPFail++;
    m->high = (uint16_t)(m->size - 1);
    m->size = 0;
    m->at_ms = now_ms(p);
    t->sent->recover = t->snd.nxt; /* 6582#3.2 step 2: the duplicates to come are of it, too */
    t->flags |= T_FORCE;
}

bool mtu_takes_loss(struct tcp *p, struct tcb *t)
{
    struct more *more = more_of(p, t);
    struct seq start, end;

    if (!more || !more->mtu.size || !seq_eq(t->snd.una, more->mtu.start) ||
        !sent_next_lost(t, &start, &end))
        return false;
    if (!seq_eq(start, t->snd.una) || t->sent->lost > more->mtu.size ||
        seq_gt(end, seq_add(start, more->mtu.size)))
        return false;
    sent_mark_lost(p, t, seq_add(start, more->mtu.size), false); /* all of it */
    fails(p, t, &more->mtu);
    return true;
}

/* A router says what passes: 8899#4.6, never more than was thought. */
void mtu_on_too_big(struct tcp *p, struct tcb *t, uint32_t mss)
{
    struct mtu_search *m = &more_of(p, t)->mtu;
    uint32_t i;

    if (!m->is_on || mss >= m->high)
        return;
    m->high = (uint16_t)mss;
    m->low = (uint16_t)smaller(m->low, mss);
    if (m->size <= mss || !t->sent)
        return;
    i = sent_find(t->sent, m->start);
    if (i < t->sent->n && t->sent->rec[i].flags == 0 && seq_le(t->sent->rec[i].start, m->start) &&
        sent_carve(p, t, &i, m->start, seq_add(m->start, m->size)))
        sent_mark_record(p, t, &i);
    fails(p, t, m);
    m->high = (uint16_t)mss;
    tcb_wants_output(p, t);
}

/* 4821#7.7, 8899#4.3: the same text was lost so often that its size may be the reason. */
void mtu_on_timeout(struct tcp *p, struct tcb *t)
{
    uint32_t base = (uint32_t)p->knobs->tcp_base_mss;
    uint32_t least = (uint32_t)p->knobs->tcp_min_snd_mss, mss;
    bool is_asked = p->knobs->tcp_mtu_probing && t->loss.backoff > p->knobs->tcp_retries1;
    struct more *more = is_asked ? more_need(p, t) : NULL;

    if (!more)
        return;
    if (least < (uint32_t)p->knobs->tcp_mtu_probe_floor)
        least = (uint32_t)p->knobs->tcp_mtu_probe_floor;
    mss = more->mtu.is_on ? smaller(more->mtu.low / 2u, base) : base;
    if (mss < least)
        mss = least;
    if (mss >= t->snd.mss || (uint32_t)seq_diff(t->snd.nxt, t->snd.una) <= mss)
        return;
    if (!more->mtu.is_on)
        begin(p, t, &more->mtu);
    more->mtu.low = (uint16_t)mss;
    more->mtu.size = 0;
    use(t, mss);
}
