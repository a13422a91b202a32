/* Accurate ECN: each end counts the marked packets that it received and says the count, modulo 8,
 * in the header bits that 3168 used for one echo. AE, CWR and ECE are the number ACE, in this
 * order.
 *
 * Knows: the counts in struct more. What a mark does to cwnd is ecn.c's. Shape: ECN_ACC once both
 * SYNs said so; ECN_ON is taken away where the path rewrites the IP field, but the counts go on.
 * Units: packets. Errors: without memory it is not offered nor agreed to.
 * Cost: O(1). 9768#3.1, #3.2 */
#include "tcp/more.h"

#define FIRST 5u /* what both counts begin with, 9768#3.2.1 */
#define UNACKED_MOST 2

/* 9768#3.1.1, table 2: how the IP field of a SYN or SYN/ACK is told to who sent it. */
uint8_t accecn_told(uint8_t ip_ecn)
{
    static const uint8_t told[4] = {2, 3, 4, 6}; /* not ECT, ECT(1), ECT(0), CE */

    return told[ip_ecn & 3];
}

void accecn_put(struct tcp_hdr *h, uint8_t ace)
{
    h->ae = ace & 4;
    h->flags &= (uint8_t) ~(TCP_CWR | TCP_ECE);
    h->flags |= (uint8_t)((ace & 2 ? TCP_CWR : 0) | (ace & 1 ? TCP_ECE : 0));
}

uint8_t accecn_of(const struct seg *s)
{
    return (uint8_t)((s->ae ? 4 : 0) | (s->flags & TCP_CWR ? 2 : 0) | (s->flags & TCP_ECE ? 1 : 0));
}

bool accecn_is_setup(const struct tcp *p, const struct seg *s)
{
    return p->knobs->tcp_ecn >= 3 && accecn_of(s) == 7;
}

/* Both ends agreed. `ip_ecn`: of the SYN or SYN/ACK that came. */
bool accecn_begin(struct tcp *p, struct tcb *t, uint8_t ip_ecn)
{
    struct more *more = more_need(p, t);

    if (!more)
        return false;
    more->ecn =
        (struct acc_ecn){.received = FIRST, .heard = FIRST & 7, .handshake = accecn_told(ip_ecn)};
    t->ecn = ECN_ON | ECN_ACC;
    return true;
}

/* The client, 9768#3.1.2 table 2. Ours was not ECT: what says otherwise was rewritten (#3.2.2.3).
 */
void accecn_on_syn_ack(struct tcp *p, struct tcb *t, const struct seg *s)
{
    uint8_t ace = accecn_of(s);

    t->ecn = 0;
    if (ace == 1 || ace == 5)
        t->ecn = ECN_ON;
    if (ace != 2 && ace != 3 && ace != 4 && ace != 6)
        return;
    (void)accecn_begin(p, t, s->ip_ecn); /* there is memory: it was there for the SYN */
    t->ecn |= ECN_TELL;
    if (ace != 2)
        t->ecn &= (uint8_t)~ECN_ON;
    more_of(p, t)->ecn.received += s->ip_ecn == 3;
}

/* The server: what the handshake's last ACK says of its SYN/ACK, 9768#3.2.2.1 table 4. */
void accecn_on_last_ack(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;
    uint8_t ace = accecn_of(s);

    a->heard = (uint8_t)((FIRST + (ace == 6)) & 7);
    if (ace == 0 || ace == 3 || ace == 4 || ace == 6)
        t->ecn &= (uint8_t)~ECN_ON;
}

void accecn_on_segment(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;
    bool is_ce = s->ip_ecn == 3, is_first = is_ce && !a->was_ce;

    if (is_ce) {
        a->received += s->pieces;
        a->unacked = (uint8_t)(a->unacked + (s->pieces < 8 ? s->pieces : 8));
    }
    if (!s->len) {
        if (is_ce && a->unacked > UNACKED_MOST) /* or two ends would answer each other's ACKs */
            t->flags |= T_ACK_NOW;
        return;
    }
    a->was_ce = is_ce;
    if (is_first || (is_ce && a->unacked >= UNACKED_MOST)) /* 9768#3.2.2.5.1 */
        t->flags |= T_ACK_NOW;
}

/* How many marks an ACK of `packets` tells of. So many packets may hide a turn of the counter:
 * 9768 appendix A.2 takes the worst, but where the counter stands still. */
static uint32_t marks_of(const struct acc_ecn *a, uint8_t ace, uint32_t packets)
{
    uint32_t marks = (ace - a->heard) & 7u;

    if (!marks || packets <= 7)
        return marks;
    return packets - ((packets - marks) & 7);
}

/* Marks that this ACK tells of; only one that brings news, for an older one may come late. */
uint32_t accecn_on_ack(struct tcp *p, struct tcb *t, const struct seg *s, struct ack_event *e)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;
    uint32_t mss = t->snd.mss;

    if (!e->acked && !e->sacked)
        return 0;
    e->marks = marks_of(a, accecn_of(s), (e->delivered + mss - 1) / mss);
    a->heard = accecn_of(s);
    a->told += e->marks;
    return e->marks;
}

/* Every segment says the count, the first one of a client what its SYN/ACK bore. */
void accecn_on_out(struct tcp *p, struct tcb *t, struct tcp_hdr *h)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;

    if (h->flags & (TCP_SYN | TCP_RST))
        return;
    accecn_put(h, t->ecn & ECN_TELL ? a->handshake : a->received & 7);
    t->ecn &= (uint8_t)~ECN_TELL;
    a->unacked = 0;
}

/* What cuts superframes clears CWR behind the first piece, as 3168 wants it. */
bool accecn_is_whole(const struct tcp *p, const struct tcb *t)
{
    return !(more_of(p, t)->ecn.received & 2);
}
