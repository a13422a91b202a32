/* Explicit congestion notification: who is able to, what a mark means at each end.
 *
 * Knows: tcb.ecn. Counts of accurate ECN are accecn.c's. Shape: ECN_ON only if one ECN-setup SYN
 * and one ECN-setup SYN,ACK passed and nothing else; then text that is new is ECT(0). Units: bytes.
 * Errors: none. Cost: O(1). 3168#6.1, 8311#4.2, 9768#3.1 */
#include "tcp/more.h"
#include "tcp/pace.h"

#define SETUP (TCP_ECE | TCP_CWR)

enum { ASKS_NEVER, ASKS, ASKS_ACCURATE }; /* of net.ipv4.tcp_ecn */

static int asks(const struct tcp *p)
{
    static const uint8_t of[] = {ASKS_NEVER, ASKS, ASKS_NEVER, ASKS_ACCURATE, ASKS, ASKS_NEVER};

    return of[p->knobs->tcp_ecn];
}

/* A SYN/ACK: what is agreed already. 9768#3.2.3.2.2: repeated without the option, then without the
 * flags; who sent such a one marks nothing (#3.1.5). */
static void syn_ack_says(struct tcp *p, struct tcb *t, struct tcp_hdr *h)
{
    if (t->ecn & ECN_ACC && t->loss.backoff >= 2) {
        t->ecn &= (uint8_t)~ECN_ON;
    } else if (t->ecn & ECN_ACC) {
        accecn_put(h, more_of(p, t)->ecn.handshake);
        if (t->flags & T_SYN_AGAIN)
            more_of(p, t)->ecn.is_lost = true;
        else
            accecn_put_first(p, &h->opt);
    } else if (t->ecn & ECN_ON) {
        h->flags |= TCP_ECE;
    }
}

/* 3168#6.1.1.1: a SYN that was lost may have been lost for its flags; 9768#3.1.4.1 tries once more.
 */
void ecn_on_syn_out(struct tcp *p, struct tcb *t, struct tcp_hdr *h)
{
    int how = t->state == SYN_SENT ? asks(p) : ASKS_NEVER;

    if (t->state == SYN_RECEIVED) {
        syn_ack_says(p, t, h);
        return;
    }
    t->ecn &= ECN_ACC_ASKED; /* 9768#3.1.4.1: whatever follows, the first SYN may be answered */
    if (how == ASKS && !(t->flags & T_SYN_AGAIN)) {
        t->ecn = ECN_ASKED;
        h->flags |= SETUP;
    } else if (how == ASKS_ACCURATE && t->loss.backoff < 2 && more_need(p, t)) {
        t->ecn = ECN_ACC_ASKED;
        accecn_put(h, 7);
    }
}

bool ecn_is_setup(const struct tcp *p, const struct seg *s)
{
    return p->knobs->tcp_ecn && (s->flags & SETUP) == SETUP;
}

/* 9768#3.1.2: who asked agrees as if it had not. */
void ecn_on_syn(struct tcp *p, struct tcb *t, const struct seg *s)
{
    bool has_asked = t->ecn & (ECN_ASKED | ECN_ACC_ASKED), is_acc = t->ecn & ECN_ACC_ASKED;

    t->ecn = 0;
    if (is_acc && accecn_is_setup(p, s) && accecn_begin(p, t, s->ip_ecn))
        t->ecn |= ECN_ON;
    else if (has_asked && ecn_is_setup(p, s))
        t->ecn = ECN_ON;
}

/* The SYN of a connection that is open for text already comes again. */
bool ecn_on_syn_again(struct tcp *p, struct tcb *t, const struct seg *s)
{
    bool is_acc = t->ecn & ECN_ACC;

    if (!(t->ecn & (ECN_ON | ECN_ACC)))
        return true;
    if (accecn_is_conflict(p, is_acc, s))
        return false;
    if (!(s->flags & SETUP) && !s->ae)
        t->ecn &= (uint8_t)~ECN_ON;
    if (is_acc)
        more_of(p, t)->ecn.handshake = accecn_told(s->ip_ecn);
    return true;
}

void ecn_on_syn_ack(struct tcp *p, struct tcb *t, const struct seg *s)
{
    bool is_on = t->ecn & ECN_ASKED && (s->flags & SETUP) == TCP_ECE;

    if (t->ecn & ECN_ACC_ASKED)
        accecn_on_syn_ack(p, t, s);
    else
        t->ecn = is_on ? ECN_ON : 0;
}

/* 3168#6.1.3: a mark is echoed in all ACKs until the sender says that it heard of it. */
void ecn_on_segment(struct tcp *p, struct tcb *t, const struct seg *s)
{
    if (t->ecn & ECN_ACC) {
        accecn_on_segment(p, t, s);
        return;
    }
    if (!(t->ecn & ECN_ON) || s->len == 0)
        return;
    if (s->flags & TCP_CWR)
        t->ecn &= (uint8_t)~ECN_ECHO;
    if (s->ip_ecn == 3)
        t->ecn |= ECN_ECHO;
}

/* 3168#6.1.2: a mark halves the window like a loss, once for each window of text. */
void ecn_on_ack(struct tcp *p, struct tcb *t, const struct seg *s, struct ack_event *e)
{
    bool is_told;

    /* Until what bears our CWR is acknowledged an echo may be the old one still. */
    if (t->ecn & ECN_REDUCED && seq_gt(t->snd.una, t->cwr_end))
        t->ecn &= (uint8_t)~ECN_REDUCED;
    if (t->ecn & ECN_ACC)
        is_told = accecn_on_ack(p, t, s, e);
    else
        is_told = t->ecn & ECN_ON && s->flags & TCP_ECE;
    if (!is_told)
        return;
    e->in_recovery = true;        /* nothing grows by this ACK */
    if (t->cc.cwnd <= t->snd.mss) /* less is one segment for each timeout: 3168#6.1.2, 9438#4.6 */
        pace_hold(p, t, rto_with_backoff(p, t));
    if (t->ecn & ECN_REDUCED || t->loss.phase != LOSS_OPEN)
        return;
    validate_on_ecn(p, t, e->in_flight);
    t->ecn |= ECN_REDUCED;
    ecn_on_reduced(t);
    if (t->ecn & ECN_ACC)
        accecn_on_reduced(p, t);
    t->cwr_end = t->snd.nxt;
}

/* The peer of 3168 must hear that the window is smaller; a count needs no answer. */
void ecn_on_reduced(struct tcb *t)
{
    if ((t->ecn & (ECN_ON | ECN_ACC)) == ECN_ON)
        t->ecn |= ECN_CWR;
}

/* New text goes out: the first of it behind a reduction says so. */
void ecn_mark(struct tcb *t, struct seg_out *out)
{
    if (!(t->ecn & ECN_ON))
        return;
    out->tos |= ECN_ECT0;
    if (t->ecn & ECN_CWR)
        out->hdr.flags |= TCP_CWR;
    t->ecn &= (uint8_t)~ECN_CWR;
}
