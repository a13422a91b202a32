/* What is known of a congestion window that is not used: how long it stands, and what it is worth.
 *
 * Knows: pipeACK, what is acknowledged in a round trip, and its greatest of late. Not what an
 * algorithm does with a loss. Shape: net.ipv4.tcp_slow_start_after_idle=2 and memory for it; else
 * 5681#4.1 holds, or nothing. Non-validated: less than half of cwnd arrived in each round of the
 * period. Units: bytes, microseconds. Errors: none. Cost: a test of a flag, or O(1). 7661#4 */
#include "tcp/more.h"
#include "tcp/pace.h"

#define PERIOD_LEAST_US 1000000
#define UNUSED_MAX_US 300000000 /* five minutes */

static struct validity *of(const struct tcp *p, const struct tcb *t)
{
    struct more *more = t->snd.pace & PACE_VALIDATES ? more_of(p, t) : NULL;

    return more ? &more->validity : NULL;
}

/* Undefined until the next sample: the start, and after a recovery. */
static void forget(const struct tcp *p, struct validity *v)
{
    *v = (struct validity){.sampled_at_us = p->now_us};
}

void validate_begin(struct tcp *p, struct tcb *t)
{
    struct more *more;

    if (t->snd.pace & PACE_VALIDATES || !(more = more_need(p, t)))
        return;
    t->snd.pace |= PACE_VALIDATES;
    forget(p, &more->validity);
}

/* -- pipeACK ----------------------------------------------------------------------------------- */

static int64_t period_us(const struct tcb *t)
{
    int64_t us = 3 * (int64_t)t->rtt.srtt_us;

    return us > PERIOD_LEAST_US ? us : PERIOD_LEAST_US;
}

static uint32_t pipe_ack(const struct tcp *p, const struct tcb *t, const struct validity *v)
{
    for (unsigned i = 0; i < v->count; i++)
        if (p->now_us - v->kept[i].at_us <= period_us(t))
            return v->kept[i].bytes; /* the ones behind it are smaller */
    return 0;
}

/* Where there is no place, the newest takes that of the smallest: never more than was measured. */
static void keep(const struct tcp *p, struct validity *v, uint32_t bytes)
{
    while (v->count && v->kept[v->count - 1].bytes <= bytes)
        v->count--;
    if (v->count == VALIDITY_KEPT)
        v->count--;
    v->kept[v->count++] = (struct pipe_sample){.at_us = p->now_us, .bytes = bytes};
    v->sampled_at_us = p->now_us;
    v->is_known = true;
}

static void judge(const struct tcp *p, const struct tcb *t, struct validity *v)
{
    bool is_unused = v->is_known && (uint64_t)pipe_ack(p, t, v) * 2 < t->cc.cwnd;
    int64_t ended = v->sampled_at_us + period_us(t);

    if (is_unused && !v->is_unused)
        v->since_us = ended < p->now_us ? ended : p->now_us;
    v->is_unused = is_unused;
}

/* Samples come while ACKs do; without them time passes judgement. */
static void judge_silence(const struct tcp *p, const struct tcb *t, struct validity *v)
{
    if (p->now_us - v->sampled_at_us > period_us(t))
        judge(p, t, v);
}

/* A round is what was in flight when its first ACK came: one in each round trip, and never more
 * than one round trip took. */
static void count_round(const struct tcp *p, const struct tcb *t, struct validity *v,
                        const struct ack_event *e)
{
    if (!v->is_round) {
        v->is_round = true;
        v->start = seq_sub(e->ack, e->acked);
        v->end = e->nxt;
    }
    if (seq_lt(e->ack, v->end))
        return;
    v->is_round = false;
    keep(p, v, (uint32_t)seq_diff(v->end, v->start));
    judge(p, t, v);
}

/* An ACK, not yet judged. In the phase cwnd grows for nobody but who has used it up, or would were
 * it not for the pace. 7661#4.2, #4.4 */
void validate_on_ack(const struct tcp *p, const struct tcb *t, struct ack_event *e)
{
    struct validity *v = of(p, t);

    if (!v || t->loss.phase != LOSS_OPEN || !e->acked)
        return;
    count_round(p, t, v, e);
    if (v->is_unused && e->in_flight + t->snd.mss < t->cc.cwnd && !unsent_of(t))
        e->is_cwnd_limited = false;
}

/* -- what an unused window loses --------------------------------------------------------------- */

/* 5681#4.1 */
static void restart_after_idle(const struct tcp *p, struct tcb *t, uint32_t initial)
{
    uint32_t idle = now_ms(p) - t->sent_at_ms;

    if (p->knobs->tcp_slow_start_after_idle && seq_eq(t->snd.una, t->snd.nxt) &&
        idle > t->rtt.rto_us / 1000)
        cc_restart(&t->cc, initial);
}

/* New text may go. 7661#4.4.3: after five minutes half of it goes. */
void validate_before_send(const struct tcp *p, struct tcb *t)
{
    uint32_t initial = (uint32_t)p->knobs->tcp_initial_cwnd * t->snd.mss, half = t->cc.cwnd / 2;
    struct validity *v = of(p, t);
    int64_t since;

    if (!v) {
        restart_after_idle(p, t, initial);
        return;
    }
    if (t->loss.phase != LOSS_OPEN)
        return;
    judge_silence(p, t, v);
    since = v->is_unused ? v->since_us : v->sampled_at_us + period_us(t);
    if ((v->is_known && !v->is_unused) || p->now_us - since <= UNUSED_MAX_US)
        return;
    cc_restart(&t->cc, half > initial ? half : initial);
    v->since_us = v->sampled_at_us = p->now_us;
}

/* 7661#4.4.1: what was in use counts, not what stood; without halving twice an algorithm may keep
 * more than half of it, so a bound says so. */
static void reduce_to_used(struct tcb *t, struct validity *v, uint32_t used)
{
    struct cc *c = &t->cc;
    uint32_t half = used / 2 > c->mss ? used / 2 : c->mss;

    if (c->cwnd > used)
        c->cwnd = used;
    cc_on_loss(c, used);
    if (c->ssthresh > half)
        c->ssthresh = half;
    if (c->cwnd > half)
        c->cwnd = half;
    v->is_unused = false;
}

static bool is_unused(const struct tcp *p, const struct tcb *t, struct validity *v, uint32_t flight,
                      uint32_t *used)
{
    uint32_t pipe;

    if (v)
        judge_silence(p, t, v);
    if (!v || !v->is_unused)
        return false;
    pipe = pipe_ack(p, t, v);
    *used = pipe > flight ? pipe : flight;
    return true;
}

void validate_on_loss(const struct tcp *p, struct tcb *t, uint32_t flight)
{
    struct validity *v = of(p, t);
    uint32_t used;

    if (v)
        v->loss_used = v->again = 0;
    if (!is_unused(p, t, v, flight, &used)) {
        cc_on_loss(&t->cc, flight);
        return;
    }
    v->loss_used = used;
    reduce_to_used(t, v, used);
}

/* Nothing is sent again for an echo: the recovery is over at once. */
void validate_on_ecn(const struct tcp *p, struct tcb *t, uint32_t flight)
{
    struct validity *v = of(p, t);
    uint32_t used;

    if (!is_unused(p, t, v, flight, &used)) {
        cc_on_ecn(&t->cc, flight);
        return;
    }
    reduce_to_used(t, v, used);
    forget(p, v);
}

void validate_on_timeout(const struct tcp *p, const struct tcb *t)
{
    struct validity *v = of(p, t);

    if (!v)
        return;
    v->is_unused = false;
    v->loss_used = 0;
}

/* R. What is lost again and goes again counts again: the window is smaller for it. */
void validate_on_sent_again(const struct tcp *p, const struct tcb *t, uint32_t bytes)
{
    struct validity *v = of(p, t);

    if (v)
        v->again += bytes;
}

/* All is repaired; or nothing had been lost, and cwnd is what it was. */
void validate_on_recovered(const struct tcp *p, struct tcb *t, bool is_undone)
{
    struct validity *v = of(p, t);
    uint32_t left;

    if (!v)
        return;
    if (v->loss_used && !is_undone) {
        left = v->loss_used > v->again ? (v->loss_used - v->again) / 2 : 0;
        t->cc.cwnd = left > t->cc.mss ? left : t->cc.mss;
    }
    forget(p, v);
}
