/* RACK: what was sent before something that has arrived, and long enough before, is lost.
 *
 * Knows: the records, times of sending, the RTT. Not what becomes of a loss. Shape: rack.at_us and
 * rack.end name the last sent of all that arrived; its round trip, and a window for reordering, are
 * the time that everything else is given. The window is a quarter of the least RTT, nothing while
 * no reordering was seen and the loss is plain, and more for each round that D-SACK showed wrong.
 * Units: microseconds. Errors: none. Cost: the records up to the first that was sent after
 * rack.end and never again; where nothing is missing, O(1). 8985#5, 8985#6 */
#include "tcp/recovery.h"

#define PERSIST 16 /* recoveries without a D-SACK narrow the window again, 8985#6.2 step 4 */

enum { RECOVERY_RACK = 1, RECOVERY_STATIC = 2, RECOVERY_NO_DUPTHRESH = 4 }; /* of tcp_recovery */

bool rack_is_on(const struct tcp *p, const struct tcb *t)
{
    return t->flags & T_SACK && p->knobs->tcp_recovery & RECOVERY_RACK;
}

/* Step 3: how far apart what arrived in the wrong order was sent, in segments. */
static void note_reordering(struct tcp *p, struct tcb *t, const struct ack_event *e)
{
    uint32_t bytes = (uint32_t)seq_diff(t->sent->fack, e->reordered_from);
    uint32_t segs = (bytes + t->snd.mss - 1) / t->snd.mss;
    uint32_t most = (uint32_t)p->knobs->tcp_max_reordering;

    p->stats->TcpExtTCPSACKReorder++;
    t->loss.is_reordering = true;
    if (segs > most)
        segs = most;
    if (segs > loss_dupthresh(p, t))
        t->loss.reordering = (uint16_t)segs;
}

/* Step 4: once in a round trip a D-SACK says that the window was too narrow; differs: so does an
 * original that came after all. */
void rack_widen(const struct tcp *p, struct tcb *t)
{
    struct rack *r = &t->sent->rack;

    if (r->is_round && seq_ge(t->snd.una, r->round_end))
        r->is_round = false;
    if (r->is_round || p->knobs->tcp_recovery & RECOVERY_STATIC)
        return;
    r->is_round = true;
    r->round_end = t->snd.nxt;
    if (t->loss.reo_steps < UINT8_MAX)
        t->loss.reo_steps++;
    t->loss.reo_persist = PERSIST;
}

void rack_on_recovery_end(struct tcb *t)
{
    if (t->loss.reo_persist && --t->loss.reo_persist == 0)
        t->loss.reo_steps = 0;
}

void rack_on_ack(struct tcp *p, struct tcb *t, const struct ack_event *e)
{
    struct rack *r = &t->sent->rack;

    if (e->is_reordered)
        note_reordering(p, t, e);
    if (e->is_dsack)
        rack_widen(p, t);
    if (!e->has_newest)
        return;
    r->rtt_us = (uint32_t)e->now_us - e->newest_at_us;
    if (r->is_set && !is_sent_after(e->newest_at_us, e->newest_end, r->at_us, r->end))
        return;
    r->is_set = true;
    r->at_us = e->newest_at_us;
    r->end = e->newest_end;
}

static uint32_t window_us(const struct tcp *p, const struct tcb *t)
{
    uint64_t us = (uint64_t)t->rtt.min_us / 4 * (t->loss.reo_steps + 1u);

    if (!t->loss.is_reordering) {
        bool is_plain = loss_has_dupthresh(p, t) &&
                        !(p->knobs->tcp_recovery & RECOVERY_NO_DUPTHRESH);
        if (is_plain || t->loss.phase != LOSS_OPEN)
            return 0;
    }
    return (uint32_t)(us < t->rtt.srtt_us ? us : t->rtt.srtt_us);
}

/* Numbers order what left in one instant, but not what left again in it. */
static bool is_older(const struct sent_rec *r, const struct rack *k)
{
    if (r->sends > 1 && r->at_us == k->at_us)
        return false;
    return is_sent_after(k->at_us, k->end, r->at_us, r->end);
}

/* Step 5. What was sent once goes out in order: the first of it that is younger than rack.end ends
 * the search. */
uint32_t rack_mark_lost(struct tcp *p, struct tcb *t)
{
    struct sent *s = t->sent;
    struct rack *k = &s->rack;
    uint32_t wait = k->rtt_us + window_us(p, t), now = (uint32_t)p->now_us, marked = 0;

    k->is_due = false;
    if (!k->is_set)
        return 0;
    for (uint32_t i = s->first; i < s->n; i++) {
        struct sent_rec *r = &s->rec[i];
        uint32_t due = r->at_us + wait;
        if (r->flags & (SENT_SACKED | SENT_LOST))
            continue;
        if (!is_older(r, k)) {
            if (r->sends == 1)
                break;
            continue;
        }
        if ((int32_t)(due - now) <= 0) {
            marked += sent_mark_record(p, t, &i);
        } else if (!k->is_due || (int32_t)(due - k->due_us) > 0) {
            k->is_due = true;
            k->due_us = due;
        }
    }
    return marked;
}

/* 8985#6.3: the first segment, and what was sent so long ago that it should have been heard of. */
void rack_mark_on_timeout(struct tcp *p, struct tcb *t)
{
    struct sent *s = t->sent;
    uint32_t wait = (s->rack.is_set ? s->rack.rtt_us : t->rtt.srtt_us) + window_us(p, t);

    s->rack.is_due = false;
    sent_mark_lost(p, t, seq_add(t->snd.una, t->snd.mss), true);
    for (uint32_t i = t->sent->first; i < t->sent->n; i++) {
        struct sent_rec *r = &t->sent->rec[i];
        bool is_young = (int32_t)(r->at_us + wait - (uint32_t)p->now_us) > 0;
        if (!(r->flags & (SENT_SACKED | SENT_LOST)) && !is_young)
            sent_mark_record(p, t, &i);
    }
}
