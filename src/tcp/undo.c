/* Taking back what was done to cwnd for a loss that was none.
 *
 * Knows: what was sent again, what the peer says of it. Not how a loss is found. Shape: a recovery
 * was for nothing if all that was sent again came twice (D-SACK, 3708), or if the ACK echoes a
 * timestamp older than the first retransmission (Eifel, 3522). The question stays open until what
 * was in flight at the end of the recovery is acknowledged. Units: bytes, timestamps in
 * milliseconds. Errors: none. Cost: O(1), and the records where it is answered. 4015, 5682#3 */
#include "tcp/recovery.h"

/* The timestamp that record r bore; of what was joined: the first of its time. */
static uint32_t stamp_of(const struct tcp *p, const struct tcb *t, const struct sent_rec *r,
                         const struct undo *was)
{
    if (r->flags & SENT_UNTIMED && was->is_any)
        return was->echo;
    return (uint32_t)((p->now_us - ((uint32_t)p->now_us - r->at_us)) / 1000) + t->ts.offset;
}

/* A recovery ends when what was out at its beginning arrived, and what it sent again above that may
 * be out still: an ACK of that is no ACK of an original, for the next recovery neither. */
static void count_earlier(const struct tcp *p, struct tcb *t, const struct undo *was)
{
    struct undo *u = &t->sent->undo;

    for (uint32_t i = t->sent->first; i < t->sent->n; i++) {
        const struct sent_rec *r = &t->sent->rec[i];
        uint32_t stamp;

        if (r->sends == 1 || r->flags & SENT_SACKED)
            continue;
        stamp = stamp_of(p, t, r, was);
        if (!u->is_any || (int32_t)(stamp - u->echo) < 0)
            u->echo = stamp;
        u->is_any = true;
        u->again += r->flags & SENT_AGAIN ? rec_len(r) : 0;
    }
}

/* Recovery begins: what cwnd was, unless it was reduced already for the same flight. */
void undo_begin(const struct tcp *p, struct tcb *t)
{
    struct undo was = t->sent->undo;

    t->sent->undo = (struct undo){.from = t->snd.una, .cc = t->cc, .is_open = true};
    count_earlier(p, t, &was);
}

void undo_on_sent_again(const struct tcp *p, struct tcb *t, uint32_t bytes)
{
    struct undo *u = &t->sent->undo;

    if (!u->is_open || u->has_ended)
        return;
    if (!u->is_any)
        u->echo = ts_now(p, t);
    u->is_any = true;
    u->again += bytes;
}

void undo_on_dsack(struct tcb *t, const struct ack_event *e)
{
    struct undo *u = &t->sent->undo;
    uint32_t bytes = (uint32_t)seq_diff(e->twice.end, e->twice.start);

    if (!e->is_dsack || !u->is_open || !u->is_any || seq_le(e->twice.end, u->from))
        return;
    u->again = u->again > bytes ? u->again - bytes : 0;
}

bool undo_is_late(const struct tcb *t, const struct ack_event *e)
{
    const struct undo *u = &t->sent->undo;

    return u->is_open && u->is_any && e->has_echo && e->acked && !u->has_ended &&
           (int32_t)(e->echo - u->echo) < 0;
}

bool undo_may(const struct tcb *t, const struct ack_event *e)
{
    const struct undo *u = &t->sent->undo;

    return u->is_open && u->is_any && (u->again == 0 || undo_is_late(t, e));
}

/* 4015#3.2, as Linux has it: nothing that grew since is taken. */
void undo_cwnd(struct tcp *p, struct tcb *t)
{
    struct undo *u = &t->sent->undo;
    struct cc now = t->cc;

    u->is_open = false;
    sent_unmark_lost(p, t);
    if (now.cwnd > u->cc.cwnd && !cc_algo(&now)->has_own_cwnd) { /* 9438#4.9.2 */
        t->cc.ssthresh = now.ssthresh > u->cc.ssthresh ? now.ssthresh : u->cc.ssthresh;
        return;
    }
    /* A block of the algorithm's own is not in the copy, and may have been freed since. */
    if (u->cc.algo == now.algo && !cc_algo(&now)->block_bytes)
        t->cc = u->cc;
    t->cc.mss = now.mss;
    t->cc.cwnd = now.cwnd > u->cc.cwnd ? now.cwnd : u->cc.cwnd;
    t->cc.ssthresh = now.ssthresh > u->cc.ssthresh ? now.ssthresh : u->cc.ssthresh;
    if (cc_algo(&t->cc)->on_undo)
        cc_algo(&t->cc)->on_undo(&t->cc);
}

/* The recovery is over. Later D-SACKs may still tell of it, for about a round trip. */
void undo_on_end(struct tcb *t)
{
    t->sent->undo.has_ended = true;
    t->sent->undo.until = t->snd.nxt;
}

void undo_on_ack(struct tcb *t)
{
    struct undo *u = &t->sent->undo;

    if (u->is_open && u->has_ended && seq_gt(t->snd.una, u->until))
        u->is_open = false;
}
