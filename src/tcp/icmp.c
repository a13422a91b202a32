/* What ICMP, and our own link, tell a connection, and how the program hears of it.
 *
 * Knows: 9293#3.9.2.2 and 3.9.1.8, 1122#4.2.3.9, 1191, 5927. Shape: only what quotes a byte in
 * flight is believed; only hard errors end anything, and only what is not yet established. Units:
 * bytes. Errors: DROP_icmp_unmatched. Cost: O(1), or O(in flight) where the MTU falls. */
#include "tcp/more.h"
#include "tcp/recovery.h"

static bool is_in_flight(const struct tcb *t, struct seq seq)
{
    return seq_in_co(t->snd.una, seq, t->snd.nxt); /* 5927#4.1 */
}

/* 9293#3.9.1.8: told if the attempt fails; told at once, as a passing SO_ERROR, with IP_RECVERR. */
void tcb_report(struct tcp *p, struct tcb *t, int error)
{
    t->soft_error = (uint8_t)error;
    if (!(t->opt.on & OPT_RECVERR) || t->state == CLOSED)
        return;
    t->error = (uint8_t)error;
    tcb_mark(p, t, MARK_IN | MARK_OUT | MARK_ERROR);
}

/* For weir_recverr: who said so is worth a block, to who asked for it by IP_RECVERR. */
static void remember(struct tcp *p, struct tcb *t, const struct tcp_told *told)
{
    struct more *more = t->opt.on & OPT_RECVERR ? more_need(p, t) : NULL;

    if (more) {
        more->told = *told;
        more->is_told = true;
    }
}

bool tcp_recv_error(struct tcp *p, uint32_t index, struct tcp_told *out)
{
    struct more *more = more_of(p, tcb_at(p, index));

    if (!more || !more->is_told)
        return false;
    *out = more->told;
    more->is_told = false;
    return true;
}

static uint32_t mss_within(const struct tcp *p, const struct flow *f, uint32_t mtu, bool has_ts)
{
    uint32_t headers = (weir_addr_is_v4(&f->remote) ? 40u : 60u) + (has_ts ? 12 : 0);
    uint32_t floor = (uint32_t)p->knobs->tcp_min_snd_mss;

    return mtu > headers + floor ? mtu - headers : floor;
}

static void lower_mss(struct tcp *p, struct tcb *t, uint32_t mtu)
{
    bool has_ts = t->flags & T_TS && t->state != SYN_SENT; /* there the SYN,ACK decides */
    uint32_t mss = mss_within(p, &t->flow, mtu, has_ts);

    if (t->more)
        mtu_on_too_big(p, t, mss);
    if (mss >= t->snd.mss) /* 64: never grows */
        return;
    if (tcb_bytes_acked(t) == 0)
        cc_on_smaller_start(&t->cc, mss);
    t->snd.mss = (uint16_t)mss;
    t->cc.mss = (uint16_t)mss;
    if (t->sent && is_synchronized(t)) { /* what was too big is lost: at once, without a penalty */
        sent_mark_lost(p, t, t->snd.nxt, true);
        t->flags |= T_FORCE;
        tcb_wants_output(p, t);
    }
}

/* A SYN,ACK of a listener could not get there. Nobody asked for that connection: it is forgotten.
 */
static enum drop tell_mini(struct tcp *p, uint32_t index, const struct tcp_icmp *e)
{
    struct syn_mini *m = syn_at(p, index);
    uint32_t mss = mss_within(p, &m->flow, e->mtu, false);

    if (!seq_eq(e->seq, m->iss))
        return DROP_icmp_unmatched;
    if (e->is_question)
        return PASS;
    if (e->mtu) {
        m->peer_mss = (uint16_t)(mss < m->peer_mss ? mss : m->peer_mss);
    } else if (e->is_hard) {
        p->stats->TcpAttemptFails++;
        syn_free(p, index);
    }
    return PASS;
}

enum drop tcp_icmp(struct tcp *p, const struct tcp_icmp *e)
{
    uint32_t ref = demux_find(p, &e->flow, flow_hash(p, &e->flow));
    struct tcb *t;

    if (wheel_ref_kind(ref) == KIND_SYN)
        return tell_mini(p, wheel_ref_index(ref), e);
    if (wheel_ref_kind(ref) != KIND_TCB)
        return DROP_icmp_unmatched;
    t = tcb_at(p, wheel_ref_index(ref));
    if (!is_in_flight(t, e->seq))
        return DROP_icmp_unmatched;
    if (e->is_question)
        return PASS;
    remember(p, t, &e->told);
    if (e->mtu)
        lower_mss(p, t, e->mtu);
    else if (t->state == SYN_SENT && e->is_hard) /* 5927#5: before anything was agreed */
        tcb_end(p, t, e->told.error);
    else
        tcb_report(p, t, e->told.error);
    tcb_settle(p, t);
    return PASS;
}

void tcp_unreachable(struct tcp *p, const struct flow *flow, int error)
{
    uint32_t ref = demux_find(p, flow, flow_hash(p, flow));
    struct tcb *t;

    if (wheel_ref_kind(ref) != KIND_TCB)
        return;
    t = tcb_at(p, wheel_ref_index(ref));
    if (t->state == SYN_SENT) /* Linux: connect fails with EHOSTUNREACH when ARP gave up */
        tcb_end(p, t, error);
    else
        tcb_report(p, t, error);
    tcb_settle(p, t);
}

/* 5681#3.1 slows down for a SYN that was lost; one that never left was not. A SYN is sent again
 * from here only if no SYN before it went out either. */
void tcp_syn_parked(struct tcp *p, const struct flow *flow)
{
    uint32_t ref = demux_find(p, flow, flow_hash(p, flow));
    struct tcb *t;

    if (wheel_ref_kind(ref) != KIND_TCB)
        return;
    t = tcb_at(p, wheel_ref_index(ref));
    if (t->state != SYN_SENT)
        return;
    if (!(t->flags & T_SYN_AGAIN))
        t->flags |= T_SYN_PARKED;
    else if (t->flags & T_SYN_PARKED)
        t->flags &= ~(uint32_t)T_SYN_AGAIN;
}
