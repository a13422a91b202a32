/* Accurate ECN: each end counts the marked packets that it received and says the count, modulo 8,
 * in the header bits that 3168 used for one echo. AE, CWR and ECE are the number ACE, in this
 * order.
 *
 * Knows: the counts in struct more, and what a path does to them. What a mark does to cwnd is
 * ecn.c's, the option accecn_option.c's. Shape: ECN_ACC once both SYNs said so, for good; ECN_ON is
 * taken away where the path rewrites the IP field, and is_deaf says that what the peer tells is
 * nothing, but our counts go on. Units: packets, bytes. Errors: without memory it is neither
 * offered nor agreed to. Cost: O(1). 9768#3.1, #3.2.1, #3.2.2 */
#include "tcp/more.h"

#define SYN_ASKS_3168 3
#define MARKS_OF_TEXT 2 /* so many marks draw an ACK, 9768#3.2.2.5.1 */
#define MARKS_OF_ACKS 3
#define ROUNDS_MOST 4 /* in which nothing came unmarked: that is no congestion */

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

/* -- the handshake ----------------------------------------------------------------------------- */

/* 9768#3.1.3: what means nothing yet asks for this, too. */
bool accecn_is_setup(const struct tcp *p, const struct seg *s)
{
    uint8_t ace = accecn_of(s);

    return p->knobs->tcp_ecn >= 3 && ace && ace != SYN_ASKS_3168;
}

/* 9768#3.1.5: a SYN of the other kind than the one that began this; one of us would be wrong. */
bool accecn_is_conflict(const struct tcp *p, bool is_accurate, const struct seg *s)
{
    if (p->knobs->tcp_ecn < 3)
        return false;
    return is_accurate ? accecn_of(s) == SYN_ASKS_3168 : accecn_is_setup(p, s);
}

/* 9768#5.1: the ACK of a SYN cookie tells what was agreed. Others may set ECE, but never AE. */
bool accecn_is_cookie(const struct tcp *p, const struct seg *s)
{
    bool is_pure = s->len == 0 && !(s->flags & TCP_FIN);

    return p->knobs->tcp_ecn >= 3 && accecn_of(s) >= (is_pure ? 2 : 4);
}

/* Both ends agreed. `ip_ecn`: of the SYN or SYN/ACK that came. */
bool accecn_begin(struct tcp *p, struct tcb *t, uint8_t ip_ecn)
{
    struct more *more = more_need(p, t);

    if (!more)
        return false;
    more->ecn = (struct acc_ecn){.received = ACC_FIRST,
                                 .heard = ACC_FIRST,
                                 .handshake = accecn_told(ip_ecn),
                                 .last_ip = ip_ecn};
    accecn_option_begin(&more->ecn);
    t->ecn = ECN_ACC;
    return true;
}

/* How what we sent without ECT came: what says otherwise was rewritten (9768#3.2.2.3). A mark on it
 * is heeded still. */
static void take_told(struct tcb *t, uint8_t ace)
{
    if (ace == 3 || ace == 4 || ace == 6)
        t->ecn &= (uint8_t)~ECN_ON;
    if (ace == 6)
        cc_on_ecn(&t->cc, t->cc.cwnd);
}

/* The client, 9768#3.1.2 table 2; 5 is kept for later, and agrees (#3.1.3). */
void accecn_on_syn_ack(struct tcp *p, struct tcb *t, const struct seg *s)
{
    uint8_t ace = accecn_of(s);
    struct acc_ecn *a;

    t->ecn = ace == 1 ? ECN_ON : 0;
    if (ace < 2 || ace == 7 || !accecn_begin(p, t, s->ip_ecn))
        return;
    a = &more_of(p, t)->ecn;
    t->ecn |= ECN_ON | ECN_TELL;
    take_told(t, ace);
    accecn_take_first(a, s->opt);
    accecn_count(a, s);
    a->received += s->ip_ecn == 3;
    a->says_hello = true;
}

/* Our ACK of the SYN/ACK was lost. Any number of them is one mark (9768#3.2.2.2). */
bool accecn_on_syn_ack_again(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct acc_ecn *a;
    uint8_t ace = accecn_of(s);

    if (!(t->ecn & ECN_ACC) || t->flags & T_PASSIVE || !seq_eq(s->seq, t->rcv.irs) ||
        !seq_eq(s->ack, seq_add(t->snd.iss, 1)) || ace < 2 || ace == 7)
        return false;
    a = &more_of(p, t)->ecn;
    a->received += s->ip_ecn == 3 && a->received == ACC_FIRST;
    a->handshake = accecn_told(s->ip_ecn);
    t->ecn |= ECN_TELL;
    return true;
}

/* The server: what the handshake's last ACK says of its SYN/ACK, 9768#3.2.2.1 table 4. That is said
 * by an ACK and nothing else; where its like was lost there is a count. */
void accecn_on_last_ack(struct tcp *p, struct tcb *t, struct seg *s)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;
    uint8_t ace = accecn_of(s);
    struct tcp_hdr count = {.flags = s->flags};

    accecn_take_first(a, s->opt);
    if (s->len || s->flags & TCP_FIN || s->opt->has & TCP_OPT_SACK)
        return;
    take_told(t, ace);
    if (ace == 0) {
        t->ecn &= (uint8_t)~ECN_ON;
        a->is_deaf = true;
    }
    a->heard = ace == 6 ? ACC_FIRST + 1 : ACC_FIRST;
    a->is_told = true;
    accecn_put(&count, a->heard); /* who reads on takes it for a count */
    s->flags = count.flags;
    s->ae = count.ae;
}

/* -- received ---------------------------------------------------------------------------------- */

/* 9768#3.2.2.4: no count begins with zero, and none gets there soon. The handshake's last ACK bears
 * none. */
static void check_first(struct tcb *t, struct acc_ecn *a, const struct seg *s)
{
    if (a->is_checked || a->is_told)
        return;
    a->is_checked = true;
    if (accecn_of(s))
        return;
    a->is_deaf = true;
    t->ecn &= (uint8_t)~ECN_ON;
}

/* 9768#3.2.2.5.1: the first marked text behind what was not is told at once; then each second mark,
 * or third where only ACKs were marked: with less two ends would answer each other's for ever. */
void accecn_on_segment(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;
    bool is_ce = s->ip_ecn == 3, is_first = is_ce && a->last_ip != 3;
    bool has_text = s->len || t->rcv.waiting;

    check_first(t, a, s);
    a->is_told = false;
    accecn_count(a, s);
    a->last_ip = s->ip_ecn;
    if (s->len)
        t->ecn &= (uint8_t)~ECN_BARE;
    if (!is_ce)
        return;
    a->received += s->pieces;
    a->unacked = (uint8_t)(a->unacked + (s->pieces < 8 ? s->pieces : 8));
    if (!(s->len && is_first) && a->unacked < (has_text ? MARKS_OF_TEXT : MARKS_OF_ACKS))
        return;
    if (!has_text && !(t->flags & T_ACK_NOW))
        t->ecn |= ECN_BARE; /* SACK blocks would make it a duplicate ACK */
    t->flags |= T_ACK_NOW;
}

/* -- told by the peer -------------------------------------------------------------------------- */

/* How many marks an ACK of `packets` tells of. So many packets may hide a turn of the counter: the
 * bytes that were marked tell (9768#3.2.3), else appendix A.2 takes the worst, but where the
 * counter stands still. */
static uint32_t marks_of(const struct acc_ecn *a, uint8_t ace, uint32_t packets,
                         const struct acc_told *told)
{
    uint32_t marks = (ace - a->heard) & 7u, least = told->packets;

    if (told->is_known) {
        least -= least < a->since_marks ? least : a->since_marks;
        return marks < least ? marks + ((least - marks + 7) & ~7u) : marks;
    }
    if (!marks || packets <= 7)
        return marks;
    return packets - ((packets - marks) & 7);
}

/* 9768#3.2.3.2.5: bytes were marked, they say, but no packet was, and so few can not have turned
 * the counter. Both are told by the same end, so one of them was changed on the way. */
static bool is_mangled(const struct acc_ecn *a, uint8_t ace, uint32_t packets,
                       const struct acc_told *told)
{
    return told->is_known && told->bytes && !a->since_marks && ace == a->heard &&
           a->since_packets + packets <= 7;
}

/* Marks that this ACK tells of; only one that brings news, for an older one may come late. */
uint32_t accecn_on_ack(struct tcp *p, struct tcb *t, const struct seg *s, struct ack_event *e)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;
    uint32_t mss = t->snd.mss, packets = (e->delivered + mss - 1) / mss, most;
    uint8_t ace = accecn_of(s);
    struct acc_told told;

    if (!e->acked && !e->sacked)
        return 0;
    check_first(t, a, s);
    told = accecn_take(a, s->opt, mss);
    if (is_mangled(a, ace, packets, &told)) {
        t->ecn &= (uint8_t)~ECN_ON;
        told.packets = 0;
    }
    e->marks = marks_of(a, ace, packets, &told);
    most = e->marks * mss < e->delivered ? e->marks * mss : e->delivered;
    e->marked_bytes = told.is_known ? told.bytes : most; /* 9768 appendix A.3 */
    if (!told.is_known)
        accecn_guess(a, most);
    a->heard = ace;
    a->told += e->marks;
    a->has_unmarked |= e->marks < packets;
    a->since_marks = told.is_known ? 0 : a->since_marks + e->marks;
    a->since_packets = told.is_known ? 0 : a->since_packets + packets;
    accecn_option_on_ack(t, a);
    return a->is_deaf ? 0 : e->marks + e->marked_bytes;
}

/* The window was reduced for marks. 9768#3.2.2.3: a path that marks all there is, round for round,
 * means nothing by it. */
void accecn_on_reduced(struct tcp *p, struct tcb *t)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;

    if (a->has_unmarked || ++a->rounds < ROUNDS_MOST)
        return;
    t->ecn &= (uint8_t)~ECN_ON;
    a->is_deaf = true;
}

/* -- sent -------------------------------------------------------------------------------------- */

/* Every segment says the count, but the ACK of a SYN/ACK what that bore. */
void accecn_on_out(struct tcp *p, struct tcb *t, struct tcp_hdr *h, const struct acc_plan *plan)
{
    struct acc_ecn *a = &more_of(p, t)->ecn;

    accecn_put(h, t->ecn & ECN_TELL ? a->handshake : a->received & 7);
    t->ecn &= (uint8_t) ~(ECN_TELL | ECN_BARE);
    a->unacked = 0;
    accecn_option_on_out(a, &h->opt, plan);
}

/* What an answer without a connection says: half open, from a cookie, in TIME-WAIT. */
uint8_t accecn_count_now(const struct tcp *p, const struct tcb *t)
{
    if (!t)
        return ACC_FIRST;
    return t->ecn & ECN_ACC ? more_of(p, t)->ecn.received & 7 : 0;
}

/* What cuts superframes clears CWR behind the first piece, as 3168 wants it; and one of several
 * segments tries whether an option gets through. */
bool accecn_is_single(const struct tcp *p, const struct tcb *t, bool is_cut_below)
{
    const struct acc_ecn *a = &more_of(p, t)->ecn;

    return a->says_hello || (is_cut_below && a->received & 2);
}
