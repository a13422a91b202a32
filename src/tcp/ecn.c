/* Explicit congestion notification: who is able to, what a mark means at each end.
 *
 * Knows: tcb.ecn. Shape: ECN_ON only if one ECN-setup SYN and one ECN-setup SYN,ACK passed and
 * nothing else; then text that is new is ECT(0). Units: bytes. Errors: none. Cost: O(1). 3168#6.1,
 * 8311#4.2 */
#include "tcp/tcb.h"

#define SETUP (TCP_ECE | TCP_CWR)

/* 3168#6.1.1.1: a SYN that was lost may have been lost for its flags. */
uint8_t ecn_of_syn(const struct tcp *p, struct tcb *t)
{
    if (t->state == SYN_RECEIVED && t->flags & T_PASSIVE) /* Fast Open: agreed already */
        return t->ecn & ECN_ON ? TCP_ECE : 0;
    bool is_asked = t->state == SYN_SENT && p->knobs->tcp_ecn == 1 && !(t->flags & T_SYN_AGAIN);

    t->ecn = is_asked ? ECN_ASKED : 0;
    return is_asked ? SETUP : 0;
}

bool ecn_is_setup(const struct tcp *p, const struct seg *s)
{
    return p->knobs->tcp_ecn && (s->flags & SETUP) == SETUP;
}

void ecn_on_syn_ack(struct tcb *t, const struct seg *s)
{
    bool is_on = t->ecn & ECN_ASKED && (s->flags & SETUP) == TCP_ECE;

    t->ecn = is_on ? ECN_ON : 0;
}

/* 3168#6.1.3: a mark is echoed in all ACKs until the sender says that it heard of it. */
void ecn_on_text(struct tcb *t, const struct seg *s)
{
    if (!(t->ecn & ECN_ON) || s->len == 0)
        return;
    if (s->flags & TCP_CWR)
        t->ecn &= (uint8_t)~ECN_ECHO;
    if (s->is_ce)
        t->ecn |= ECN_ECHO;
}

/* 3168#6.1.2: an echo halves the window like a loss, once for each window of text. */
void ecn_on_ack(struct tcb *t, const struct seg *s, struct ack_event *e)
{
    /* Until what bears our CWR is acknowledged an echo may be the old one still. */
    if (t->ecn & ECN_REDUCED && seq_gt(t->snd.una, t->cwr_end))
        t->ecn &= (uint8_t)~ECN_REDUCED;
    if (!(t->ecn & ECN_ON) || !(s->flags & TCP_ECE))
        return;
    e->in_recovery = true; /* nothing grows by this ACK */
    if (t->ecn & ECN_REDUCED || t->loss.phase != LOSS_OPEN)
        return;
    cc_on_ecn(&t->cc, e->in_flight);
    t->ecn |= ECN_REDUCED | ECN_CWR;
    t->cwr_end = t->snd.nxt;
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
