/* Proportional rate reduction: in recovery cwnd goes from what was in flight to ssthresh, a part
 * for each byte that arrives.
 *
 * Knows: bytes delivered and sent, ssthresh. Not why the recovery began. Shape: cwnd is what is in
 * flight and what this ACK allows beside it; so it ends at ssthresh, whatever ACKs are lost. Units:
 * bytes. Errors: none. Cost: O(1). 9937#6, 6937#3 */
#include "tcp/recovery.h"

static void allow(struct tcb *t, uint32_t bytes)
{
    if (cc_algo(&t->cc)->has_own_cwnd)
        return;
    t->cc.cwnd = in_flight(t) + bytes;
    if (t->cc.cwnd < t->snd.mss)
        t->cc.cwnd = t->snd.mss;
}

/* What SACK told before is no news in this recovery; what this ACK told is. */
void prr_begin(struct tcb *t, const struct ack_event *e)
{
    const struct sent *s = t->sent;
    uint32_t gone = s->sacked + s->reno_sacked, news = e->acked ? e->sacked : e->delivered;
    uint32_t before = gone > news ? gone - news : 0;

    t->sent->prr =
        (struct prr){.flight = (uint32_t)seq_diff(t->snd.nxt, t->snd.una) + e->acked - before};
    allow(t, t->snd.mss); /* the first retransmission waits for nothing */
}

void prr_on_ack(struct tcb *t, const struct ack_event *e)
{
    struct prr *r = &t->sent->prr;
    uint32_t pipe = in_flight(t), target = t->cc.ssthresh, n;
    uint32_t left; /* of what arrived, not yet replaced */

    if (e->delivered == 0)
        return;
    r->delivered += e->delivered;
    left = r->delivered > r->out ? r->delivered - r->out : 0;
    if (pipe > target) {
        uint64_t share = ((uint64_t)r->delivered * target + r->flight - 1) / r->flight;
        n = share > r->out ? (uint32_t)share - r->out : 0;
    } else {
        n = left > e->delivered ? left : e->delivered;
        if (e->acked && !e->lost) /* nothing new is missing: up to ssthresh as in slow start */
            n += t->snd.mss;
        if (n > target - pipe)
            n = target - pipe;
    }
    if (n == 0 && r->out == 0)
        n = t->snd.mss;
    allow(t, n);
}
