/* Tail loss probes: where the last of a flight is lost no ACK tells of it, so a segment is sent
 * that draws one, long before the retransmission timer.
 *
 * Knows: what is in flight, the RTT. Not how the probe is made (pull.c). Shape: one probe is out at
 * a time, and none follows before the RTT was measured again; tlp.end is SND.NXT when it left.
 * Units: microseconds, bytes. Errors: none. Cost: O(1). 8985#7 */
#include "tcp/recovery.h"

#define MAX_ACK_DELAY_US                                                                   \
    200000               /* 8985#7.2: how long a peer may hold back the ACK of one segment \
                          */
#define FIRST_US 1000000 /* before anything was measured */
#define LEAST_US 2000    /* Linux: two ticks, so that a short path is not asked at once */

/* 8985#7.2: nothing is missing, nothing was asked. */
bool tlp_may_wait(const struct tcp *p, const struct tcb *t)
{
    const struct sent *s = t->sent;

    return s && t->flags & T_SACK && p->knobs->tcp_early_retrans == 3 &&
           t->loss.phase == LOSS_OPEN && s->sacked == 0 && s->lost == 0 && !s->tlp.is_out &&
           !t->loss.is_probed;
}

uint32_t tlp_timeout_us(const struct tcb *t)
{
    uint32_t us = t->rtt.srtt_us ? 2 * t->rtt.srtt_us : FIRST_US;

    if (us < LEAST_US)
        us = LEAST_US;
    if (t->rtt.srtt_us && (uint32_t)seq_diff(t->snd.nxt, t->snd.una) <= t->snd.mss)
        us += MAX_ACK_DELAY_US;
    return us;
}

void tlp_on_sent(struct tcp *p, struct tcb *t, bool is_again)
{
    p->stats->TcpExtTCPLossProbes++;
    t->loss.is_probed = true;
    if (!t->sent)
        return;
    t->sent->tlp = (struct tlp){.end = t->snd.nxt,
                                .flight = (uint32_t)seq_diff(t->snd.nxt, t->snd.una),
                                .is_out = true,
                                .is_again = is_again};
}

/* 8985#7.4.2: both copies arrived if a D-SACK names the probe, or a plain duplicate ACK answers it;
 * an ACK of something newer without that says that the probe took the place of what was lost. */
bool tlp_on_ack(struct tcb *t, const struct ack_event *e)
{
    struct tlp *l = &t->sent->tlp;

    if (!l->is_out || seq_lt(e->ack, l->end))
        return false;
    if (!l->is_again || (e->is_dsack && seq_eq(e->twice.end, l->end)) ||
        (e->is_pure && seq_eq(e->ack, l->end) && !e->acked && !e->sacked)) {
        l->is_out = false;
        return false;
    }
    if (!seq_gt(e->ack, l->end))
        return false;
    l->is_out = false;
    return true;
}
