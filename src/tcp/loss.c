/* What is lost: duplicate ACKs, SACK, timeouts.
 *
 * Knows: the phase of recovery. Not how a retransmission is sent (pull.c) nor what cwnd becomes
 * (cc). Shape: LOSS_OPEN, LOSS_RECOVERY (until `recover` is acknowledged), LOSS_TIMEOUT (likewise).
 * Units: bytes. Errors: none. Cost: O(records in flight) where something is lost, else O(1).
 * 5681#3.2, 6582, 6675#5, 6298#5.4 */
#include "tcp/tcb.h"

static void begin_recovery(struct tcp *p, struct tcb *t)
{
    t->loss.phase = LOSS_RECOVERY;
    t->loss.recover = t->snd.nxt;
    t->flags |= T_FORCE;
    if (t->flags & T_SACK)
        p->stats->TcpExtTCPSackRecovery++;
    else
        p->stats->TcpExtTCPRenoRecovery++;
    if (t->ecn & ECN_ON)
        t->ecn |= ECN_CWR;
    if (t->ecn & ECN_REDUCED && seq_lt(t->snd.una, t->cwr_end)) /* 3168#6.1.2: once a window */
        return;
    cc_on_loss(&t->cc, (uint32_t)seq_diff(t->snd.nxt, t->snd.una));
}

/* The first segment that is not known to have arrived. */
static void mark_first(struct tcp *p, struct tcb *t)
{
    sent_mark_lost(p, t, seq_add(t->snd.una, t->snd.mss), false);
}

/* 6675#4 IsLost: more than (DupThresh - 1) * SMSS bytes were SACKed above it. */
static bool mark_by_sack(struct tcp *p, struct tcb *t)
{
    uint32_t reach = (uint32_t)p->knobs->tcp_reordering * t->snd.mss;
    struct seq top;

    if (!sent_highest_sacked(t, &top) || t->sent->sacked < reach)
        return false;
    return sent_mark_lost(p, t, seq_sub(top, reach), false) > 0 || t->sent->lost > 0;
}

static void reno_deflate(struct tcb *t, uint32_t acked)
{
    uint32_t less = acked > t->snd.mss ? acked - t->snd.mss : 0;

    t->sent->reno_sacked = t->sent->reno_sacked > less ? t->sent->reno_sacked - less : 0;
}

static void count_duplicate(struct tcb *t)
{
    if (t->loss.dupacks < UINT8_MAX)
        t->loss.dupacks++;
    if (!(t->flags & T_SACK) && in_flight(t) > t->snd.mss)
        t->sent->reno_sacked += t->snd.mss;
}

static void open_on_ack(struct tcp *p, struct tcb *t)
{
    bool is_lost = (t->flags & T_SACK) && mark_by_sack(p, t);

    if (!is_lost && t->loss.dupacks < p->knobs->tcp_reordering)
        return;
    if (seq_lt(t->snd.una, t->loss.recover)) /* 6582#4.1: these tell of the same flight */
        return;
    begin_recovery(p, t);
    mark_first(p, t);
}

static void recovery_on_ack(struct tcp *p, struct tcb *t, const struct ack_event *e)
{
    if (t->flags & T_SACK)
        mark_by_sack(p, t);
    else if (e->acked)
        reno_deflate(t, e->acked);
    if (e->acked) { /* 6582#3.2 step 5: a partial ACK names the next hole */
        if (t->sent->lost == 0)
            t->flags |= T_FORCE;
        mark_first(p, t);
    }
}

void loss_on_ack(struct tcp *p, struct tcb *t, struct ack_event *e)
{
    /* The ACK that ends a recovery is of it still: cwnd comes out at ssthresh (5681#3.2 step 6). */
    e->in_recovery = t->loss.phase == LOSS_RECOVERY;
    if (e->acked) {
        t->loss.dupacks = 0;
        t->loss.backoff = 0;
        if (t->loss.phase != LOSS_OPEN && seq_ge(e->ack, t->loss.recover))
            t->loss.phase = LOSS_OPEN;
    }
    if (!t->sent) {
        t->loss.phase = LOSS_OPEN;
        return;
    }
    if (t->loss.phase == LOSS_OPEN && e->acked)
        t->sent->reno_sacked = 0;
    if (e->is_duplicate && (!(t->flags & T_SACK) || e->sacked))
        count_duplicate(t);
    if (t->loss.phase == LOSS_OPEN && (e->is_duplicate || e->sacked))
        open_on_ack(p, t);
    else if (t->loss.phase == LOSS_RECOVERY)
        recovery_on_ack(p, t, e);
    e->in_recovery |= t->loss.phase == LOSS_RECOVERY;
}

/* 6298#5.4, 5681#3.1: all that is in flight is taken for lost; the first of a flight shrinks cwnd.
 */
void loss_on_timeout(struct tcp *p, struct tcb *t)
{
    uint32_t flight = (uint32_t)seq_diff(t->snd.nxt, t->snd.una);

    p->stats->TcpExtTCPTimeouts++;
    if (t->ecn & ECN_ON)
        t->ecn |= ECN_CWR;
    if (t->loss.phase != LOSS_TIMEOUT || seq_ge(t->snd.una, t->loss.recover))
        cc_on_timeout(&t->cc, flight);
    t->cc.cwnd = t->snd.mss;
    t->loss.phase = LOSS_TIMEOUT;
    t->loss.recover = t->snd.nxt;
    t->loss.dupacks = 0;
    if (!t->sent) /* there was no memory for a record */
        sent_add(p, t, t->snd.una, t->snd.nxt);
    if (!t->sent)
        return;
    t->sent->reno_sacked = 0;
    if (sent_forget_reneged(t))
        p->stats->TcpExtTCPSACKReneging++;
    sent_mark_lost(p, t, t->snd.nxt, true);
}
