/* F-RTO: was the retransmission timeout premature? After it the oldest segment was sent again; if
 * its ACK brings progress, new text is sent instead of more of the old, and the next ACK tells:
 * what was sent once and is acknowledged now was never lost.
 *
 * Knows: the records since the timeout. Not what is restored. Shape: FRTO_WAIT for the first ACK,
 * FRTO_NEW until new text left, FRTO_ASKED for the second ACK. Units: bytes. Errors: none.
 * Cost: O(1). 5682#2.1, 5682#3.1 */
#include "tcp/recovery.h"

/* 5682#2.1 step 1. `is_clean`: nothing of this flight was sent again before. */
void frto_begin(const struct tcp *p, struct tcb *t, bool is_clean)
{
    t->sent->frto = p->knobs->tcp_frto && is_clean ? FRTO_WAIT : FRTO_OFF;
}

static bool has_new(const struct tcb *t)
{
    return unsent_of(t) > 0 && window_usable(t) > 0;
}

static void revert(struct tcb *t, uint32_t cwnd_max)
{
    t->sent->frto = FRTO_OFF;
    if (t->cc.cwnd > cwnd_max)
        t->cc.cwnd = cwnd_max;
}

/* True: the timeout was spurious. */
bool frto_on_ack(struct tcb *t, const struct ack_event *e)
{
    struct sent *s = t->sent;
    bool is_first = e->has_first && (t->flags & T_SACK || !e->has_again);

    if (s->frto == FRTO_WAIT && (e->acked || e->is_duplicate || e->sacked)) {
        bool is_ahead = e->acked && seq_lt(t->snd.una, s->recover);
        s->frto = is_ahead && has_new(t) ? FRTO_NEW : FRTO_OFF; /* step 2 */
    } else if (s->frto >= FRTO_NEW) {
        if (is_first) /* step 3b */
            return true;
        if (e->is_duplicate || e->sacked) /* step 3a */
            revert(t, 3u * t->snd.mss);
    }
    return false;
}

/* Retransmissions wait for the answer. */
bool frto_holds(const struct tcb *t)
{
    return t->sent && t->loss.phase == LOSS_TIMEOUT && t->sent->frto >= FRTO_NEW;
}

/* Nothing more goes now. If nothing new went at all, the answer will not come. */
bool frto_gives_up(struct tcb *t)
{
    if (!frto_holds(t) || t->sent->frto == FRTO_ASKED)
        return false;
    if (seq_gt(t->snd.nxt, t->sent->recover)) {
        t->sent->frto = FRTO_ASKED;
        return false;
    }
    t->sent->frto = FRTO_OFF;
    return true;
}
