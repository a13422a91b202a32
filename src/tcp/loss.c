/* What is lost, and what that sets going: one detector for each kind of peer, one recovery.
 *
 * Knows: the phase of recovery. Not how a retransmission is sent (pull.c) nor what cwnd becomes
 * (cc, prr.c). Shape: LOSS_OPEN, LOSS_RECOVERY (until `recover` is acknowledged), LOSS_TIMEOUT
 * (likewise). Losses are found by time with SACK (rack.c), by SACKed bytes where tcp_recovery says
 * so, by duplicate ACKs without SACK. Units: bytes. Errors: none. Cost: O(records that are
 * missing), O(1) where nothing is. 5681#3.2, 6582, 6675#5, 6298#5.4, 8985#6 */
#include "tcp/more.h"
#include "tcp/recovery.h"

uint32_t loss_dupthresh(const struct tcp *p, const struct tcb *t)
{
    uint32_t knob = (uint32_t)p->knobs->tcp_reordering;

    return t->loss.reordering > knob ? t->loss.reordering : knob;
}

bool loss_has_dupthresh(const struct tcp *p, const struct tcb *t)
{
    uint32_t n = loss_dupthresh(p, t);

    return t->loss.dupacks >= n || t->sent->sacked >= n * t->snd.mss;
}

/* -- beginning and end ------------------------------------------------------------------------- */

static void reduce(const struct tcp *p, struct tcb *t, uint32_t flight)
{
    ecn_on_reduced(t);
    if (t->ecn & ECN_REDUCED && seq_lt(t->snd.una, t->cwr_end)) /* 3168#6.1.2: once a window */
        return;
    validate_on_loss(p, t, flight);
}

static void begin_recovery(struct tcp *p, struct tcb *t, const struct ack_event *e)
{
    struct sent *s = t->sent;

    undo_begin(p, t);
    t->loss.phase = LOSS_RECOVERY;
    s->recover = t->snd.nxt;
    s->tlp.is_out = false; /* 8985#7.1 */
    if (t->flags & T_SACK)
        p->stats->TcpExtTCPSackRecovery++;
    else
        p->stats->TcpExtTCPRenoRecovery++;
    /* 5681#3.1 FlightSize, when the loss was found: with what this very ACK took out of it */
    reduce(p, t, (uint32_t)seq_diff(t->snd.nxt, t->snd.una) + e->acked);
    prr_begin(t, e);
    t->flags |= T_FORCE;
}

/* It was for nothing: all goes on as before. */
static void take_back(struct tcp *p, struct tcb *t)
{
    undo_cwnd(p, t);
    validate_on_recovered(p, t, true);
    t->loss.phase = LOSS_OPEN;
    t->loss.dupacks = t->loss.backoff = 0;
    t->sent->frto = FRTO_OFF;
    t->flags &= ~(uint32_t)T_FORCE;
    if (t->flags & T_SACK)
        return;
    /* without SACK the duplicate ACKs say how far it was out of order */
    uint32_t segs = t->sent->reno_sacked / t->snd.mss + 1,
             most = (uint32_t)p->knobs->tcp_max_reordering;
    if (segs > most)
        segs = most;
    if (segs > loss_dupthresh(p, t))
        t->loss.reordering = (uint16_t)segs;
}

/* True: the ACK shows that nothing was lost. */
static bool is_taken_back(struct tcp *p, struct tcb *t, const struct ack_event *e)
{
    bool is_whole = seq_ge(t->snd.una, t->sent->recover), is_late = undo_is_late(t, e);

    if (!undo_may(t, e))
        return false;
    if (is_late && t->loss.phase == LOSS_RECOVERY) {
        p->stats->TcpExtTCPTSReorder++;
        rack_widen(p, t);
    }
    if (t->loss.phase == LOSS_TIMEOUT)
        p->stats->TcpExtTCPLossUndo++;
    else if (!is_late)
        p->stats->TcpExtTCPDSACKUndo++;
    else if (is_whole)
        p->stats->TcpExtTCPFullUndo++;
    else
        p->stats->TcpExtTCPPartialUndo++;
    take_back(p, t);
    return true;
}

static void end_recovery(const struct tcp *p, struct tcb *t)
{
    cc_on_recovered(&t->cc, t->loss.phase == LOSS_RECOVERY);
    validate_on_recovered(p, t, false);
    t->loss.phase = LOSS_OPEN;
    t->sent->frto = FRTO_OFF;
    undo_on_end(t);
    rack_on_recovery_end(t);
}

/* -- what is lost ------------------------------------------------------------------------------ */

/* The first segment that is not known to have arrived. */
static uint32_t mark_first(struct tcp *p, struct tcb *t)
{
    return sent_mark_lost(p, t, seq_add(t->snd.una, t->snd.mss), false);
}

static uint32_t mark_by_sack(struct tcp *p, struct tcb *t)
{
    struct seq edge;

    return sack_lost_edge(t, loss_dupthresh(p, t), &edge) ? sent_mark_lost(p, t, edge, false) : 0;
}

/* Outside recovery: is this the beginning of one? */
static uint32_t find_first_loss(struct tcp *p, struct tcb *t, const struct ack_event *e)
{
    bool is_third = t->loss.dupacks >= loss_dupthresh(p, t);
    uint32_t marked;

    if (rack_is_on(p, t))
        return rack_mark_lost(p, t);
    if (t->flags & T_SACK) {
        marked = e->sacked ? mark_by_sack(p, t) : 0;
        return marked || !is_third || !t->sent->sacked ? marked : mark_first(p, t);
    }
    /* 6582#3.2 step 2: duplicates of what ended the last recovery tell nothing */
    return is_third && seq_gt(t->snd.una, t->sent->recover) ? mark_first(p, t) : 0;
}

static uint32_t find_more_losses(struct tcp *p, struct tcb *t, const struct ack_event *e)
{
    uint32_t marked = 0;

    if (rack_is_on(p, t))
        return rack_mark_lost(p, t);
    if (t->flags & T_SACK)
        marked = mark_by_sack(p, t);
    if (e->acked && t->loss.phase == LOSS_RECOVERY) {
        /* 6582#3.2 step 3: a partial ACK names the next hole */
        if (t->sent->lost == 0)
            t->flags |= T_FORCE;
        marked += mark_first(p, t);
    }
    return marked;
}

/* -- an ACK ------------------------------------------------------------------------------------ */

/* May a duplicate ACK stand for a segment that arrived? 5681#3.2 (4): for none that was sent since
 * the recovery began, or who repeats ACKs could have all that there is at once (27). */
static bool may_stand_for_one(const struct tcb *t)
{
    const struct sent *s = t->sent;
    uint32_t most = (uint32_t)seq_diff(s->recover, t->snd.una);

    return in_flight(t) > t->snd.mss &&
           (t->loss.phase != LOSS_RECOVERY || s->reno_sacked + t->snd.mss <= most);
}

/* Without SACK each duplicate ACK is a segment that arrived; an ACK of more takes them into it. */
static void count_without_sack(struct tcb *t, struct ack_event *e)
{
    struct sent *s = t->sent;
    uint32_t counted = s->reno_sacked, mss = t->snd.mss;

    if (e->is_duplicate && may_stand_for_one(t)) {
        s->reno_sacked += mss;
        e->delivered = mss;
    }
    if (e->acked) {
        uint32_t less = e->acked > mss ? e->acked - mss : 0;
        bool is_partial = t->loss.phase == LOSS_RECOVERY && seq_lt(t->snd.una, s->recover);
        e->delivered = e->acked > counted + mss ? e->acked - counted : mss;
        if (e->delivered > e->acked)
            e->delivered = e->acked;
        s->reno_sacked = is_partial && counted > less ? counted - less : 0;
    }
}

static void count(struct tcb *t, struct ack_event *e)
{
    if (e->acked)
        t->loss.dupacks = t->loss.backoff = 0;
    if (e->is_duplicate && (!(t->flags & T_SACK) || e->sacked) && t->loss.dupacks < UINT8_MAX)
        t->loss.dupacks++;
}

/* What was acknowledged beyond it leaves it behind, never so far that it would lie ahead. */
static void pass_recover(struct tcb *t)
{
    if (seq_gt(t->snd.una, t->sent->recover))
        t->sent->recover = seq_sub(t->snd.una, 1);
}

static void open_on_ack(struct tcp *p, struct tcb *t, struct ack_event *e)
{
    struct sent *s = t->sent;

    if (is_taken_back(p, t, e) || s->first == s->n)
        return;
    pass_recover(t);
    e->lost = find_first_loss(p, t, e);
    if (e->lost && mtu_takes_loss(p, t))
        e->lost = 0;
    if (e->lost)
        begin_recovery(p, t, e);
}

static void recovery_on_ack(struct tcp *p, struct tcb *t, struct ack_event *e)
{
    if (is_taken_back(p, t, e))
        return;
    if (seq_ge(t->snd.una, t->sent->recover))
        end_recovery(p, t);
    else
        e->lost = find_more_losses(p, t, e);
}

static void timeout_on_ack(struct tcp *p, struct tcb *t, struct ack_event *e)
{
    if (is_taken_back(p, t, e))
        return;
    if (frto_on_ack(t, e)) {
        p->stats->TcpExtTCPSpuriousRTOs++;
        p->stats->TcpExtTCPLossUndo++;
        take_back(p, t);
        return;
    }
    if (seq_ge(t->snd.una, t->sent->recover))
        end_recovery(p, t);
    else
        e->lost = find_more_losses(p, t, e);
}

/* 8985#7.4.2: what the probe repaired was a loss, and costs what one costs. */
static void pay_for_probe(struct tcp *p, struct tcb *t)
{
    p->stats->TcpExtTCPLossProbeRecovery++;
    reduce(p, t, t->sent->tlp.flight);
    validate_on_sent_again(p, t, t->snd.mss);
    validate_on_recovered(p, t, false);
}

/* A question is open that a D-SACK may still answer. */
static bool is_waited_for(const struct tcb *t)
{
    const struct sent *s = t->sent;

    return (s->undo.is_open && s->undo.is_any) || (s->tlp.is_out && s->tlp.is_again);
}

/* Nothing is missing, nothing is asked: the way of almost every ACK. */
static bool is_plain(const struct tcb *t, const struct ack_event *e)
{
    const struct sent *s = t->sent;
    bool is_news = e->is_pure | e->is_dsack | e->is_reordered | e->has_again | (e->sacked != 0);
    bool is_open = s->tlp.is_out | s->undo.is_open | ((s->sacked | s->lost | s->reno_sacked) != 0);

    return t->loss.phase == LOSS_OPEN && !is_news && !is_open;
}

static void plain_ack(struct tcp *p, struct tcb *t, const struct ack_event *e)
{
    struct sent *s = t->sent;

    if (s->first == s->n) {
        sent_free(p, t);
        return;
    }
    pass_recover(t);
    rack_on_ack(p, t, e);
}

void loss_on_ack(struct tcp *p, struct tcb *t, struct ack_event *e)
{
    struct sent *s = t->sent;

    /* The ACK that ends a recovery is of it still: it grows nothing. */
    e->in_recovery = t->loss.phase == LOSS_RECOVERY;
    if (e->rtt_us)
        t->loss.is_probed = false;
    count(t, e);
    if (!s) {
        t->loss.phase = LOSS_OPEN;
        return;
    }
    if (is_plain(t, e)) {
        plain_ack(p, t, e);
        return;
    }
    if (!(t->flags & T_SACK))
        count_without_sack(t, e);
    undo_on_dsack(t, e);
    if (s->tlp.is_out && tlp_on_ack(t, e) && t->loss.phase == LOSS_OPEN)
        pay_for_probe(p, t);
    rack_on_ack(p, t, e);
    if (t->loss.phase == LOSS_OPEN)
        open_on_ack(p, t, e);
    else if (t->loss.phase == LOSS_RECOVERY)
        recovery_on_ack(p, t, e);
    else
        timeout_on_ack(p, t, e);
    undo_on_ack(t);
    if (t->loss.phase == LOSS_RECOVERY)
        prr_on_ack(t, e);
    e->in_recovery |= t->loss.phase == LOSS_RECOVERY;
    s = t->sent; /* marking may have split records, and moved them all */
    if (s->first == s->n && !is_waited_for(t))
        sent_free(p, t);
}

/* The question whether a recovery was needed is answered by the next ACK that comes in order. */
void loss_on_overtaken(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct ack_event e = {.ack = s->ack};

    sack_take_dsack(p, s->opt, &e);
    if (!e.is_dsack)
        return;
    undo_on_dsack(t, &e);
    rack_widen(p, t);
}

/* -- timers ------------------------------------------------------------------------------------ */

void loss_on_reorder_timer(struct tcp *p, struct tcb *t)
{
    struct ack_event e = {.now_us = p->now_us};

    if (t->sent && rack_mark_lost(p, t) > 0 && t->loss.phase == LOSS_OPEN && !mtu_takes_loss(p, t))
        begin_recovery(p, t, &e);
}

/* No D-SACK came: what was sent again was needed. */
void loss_on_forget_timer(struct tcp *p, struct tcb *t)
{
    if (!t->sent)
        return;
    if (t->sent->tlp.is_out && t->sent->tlp.is_again)
        pay_for_probe(p, t);
    sent_free(p, t);
}

/* 6298#5.4, 5681#3.1: what is in flight is taken for lost; the first of a flight shrinks cwnd. */
void loss_on_timeout(struct tcp *p, struct tcb *t)
{
    uint32_t flight = (uint32_t)seq_diff(t->snd.nxt, t->snd.una);
    uint8_t was = t->loss.phase;

    mtu_on_timeout(p, t);
    p->stats->TcpExtTCPTimeouts++;
    ecn_on_reduced(t);
    if (!t->sent) /* there was no memory for a record */
        sent_add(p, t, t->snd.una, t->snd.nxt);
    if (t->sent && was == LOSS_OPEN)
        undo_begin(p, t);
    if (was == LOSS_RECOVERY &&
        !cc_algo(&t->cc)->has_own_cwnd) /* else what is in flight by now would count */
        t->cc.cwnd = t->cc.ssthresh;
    if (was != LOSS_TIMEOUT)
        cc_on_timeout(&t->cc, flight);
    validate_on_timeout(p, t);
    t->cc.cwnd = t->snd.mss;
    t->loss.phase = LOSS_TIMEOUT;
    t->loss.dupacks = 0;
    t->loss.reordering = 0; /* it was thought wider than it is */
    if (!t->sent)
        return;
    t->sent->recover = t->snd.nxt;
    t->sent->reno_sacked = 0;
    t->sent->tlp.is_out = false;
    frto_begin(p, t, was != LOSS_RECOVERY);
    t->flags |= T_FORCE; /* the oldest goes, whatever else is on its way */
    if (sack_forget_reneged(t)) {
        p->stats->TcpExtTCPSACKReneging++;
        sent_mark_lost(p, t, t->snd.nxt, true);
    } else if (rack_is_on(p, t)) {
        rack_mark_on_timeout(p, t);
    } else {
        sent_mark_lost(p, t, t->snd.nxt, true);
    }
}

/* -- what was sent ----------------------------------------------------------------------------- */

void loss_on_sent(struct tcb *t, uint32_t bytes)
{
    if (t->sent && t->loss.phase == LOSS_RECOVERY)
        t->sent->prr.out += bytes;
}

void loss_on_sent_again(struct tcp *p, struct tcb *t, uint32_t bytes)
{
    loss_on_sent(t, bytes);
    validate_on_sent_again(p, t, bytes);
    if (t->sent)
        undo_on_sent_again(p, t, bytes);
}
