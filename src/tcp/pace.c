/* Pacing: when the next text may leave, and how much of it at once.
 *
 * Knows: rates, the token time of a connection (pace_at_us: nothing leaves before it). Not what is
 * sent. Shape: PACE_ON where the algorithm, SO_MAX_PACING_RATE or tcp_pacing says so, else all of
 * this is one test of a flag. A timer that wakes late is made up for; idle time is not.
 * Units: bytes, microseconds; instants low 32 bits. Errors: none; without memory for its block an
 * algorithm is replaced by the first. Cost: one division for a burst. */
#include <string.h>

#include "tcp/recovery.h"

#define LATE_US 10000          /* what a late timer may make up for */
#define WAIT_MAX_US (1u << 30) /* 18 minutes: instants have 32 bits */

/* What stood unused would else leave as one burst, 7661#4.4.2. */
static bool is_paced_by_knob(const struct tcp *p)
{
    return p->knobs->tcp_pacing || p->knobs->tcp_slow_start_after_idle == CC_VALIDATES;
}

void pace_choose(struct tcp *p, struct tcb *t)
{
    bool is_on = cc_algo(&t->cc)->pacing_rate || is_paced_by_knob(p) || t->opt.max_pacing;

    /* Of an instant that nobody set, the low 32 bits may as well mean one to come. */
    if (is_on && !(t->snd.pace & PACE_ON))
        t->pace_at_us = (uint32_t)p->now_us;
    t->snd.pace = (uint8_t)(is_on ? t->snd.pace | PACE_ON : 0);
    if (cc_algo(&t->cc)->has_own_cwnd)
        t->snd.pace |= PACE_SAMPLES;
    else
        t->snd.pace &= (uint8_t)~PACE_SAMPLES;
    if (p->knobs->tcp_slow_start_after_idle == CC_VALIDATES && !cc_algo(&t->cc)->has_own_cwnd)
        validate_begin(p, t);
    else
        t->snd.pace &= (uint8_t)~PACE_VALIDATES;
}

void cc_end(struct tcp *p, struct tcb *t)
{
    struct cc *c = &t->cc;

    if (!cc_algo(c)->block_bytes)
        return;
    mem_free(p->mem, c->block, cc_algo(c)->block_bytes);
    c->block = NULL;
}

/* The algorithm's memory, cleared, and its first word. */
static void begin_algo(struct tcp *p, struct tcb *t)
{
    struct cc *c = &t->cc;

    memset(c->own, 0, sizeof c->own);
    if (cc_algo(c)->block_bytes && !(c->block = mem_zalloc(p->mem, cc_algo(c)->block_bytes)))
        c->algo = 0;
    c->acked = 0;
    cc_algo(c)->init(c, t->snd.mss);
    pace_choose(p, t);
}

void cc_choose(struct tcp *p, struct tcb *t, uint8_t algo)
{
    cc_end(p, t);
    if (t->sent)
        t->sent->undo.is_open = false; /* it would bring back what is gone */
    t->cc.algo = algo;
    if (t->state != CLOSED && t->state != LISTEN)
        begin_algo(p, t);
}

void cc_begin(struct tcp *p, struct tcb *t, uint32_t segments)
{
    cc_end(p, t);
    cc_init(&t->cc, t->cc.algo, t->snd.mss, segments);
    begin_algo(p, t);
}

/* -- rates ------------------------------------------------------------------------------------- */

/* Linux: twice what cwnd allows in slow start, a fifth above it then. */
static uint64_t rate_of_window(const struct tcp *p, const struct tcb *t)
{
    bool is_slow_start = t->cc.cwnd < t->cc.ssthresh / 2;
    uint64_t percent = (uint64_t)(is_slow_start ? p->knobs->tcp_pacing_ss_ratio
                                                : p->knobs->tcp_pacing_ca_ratio);

    if (!t->rtt.srtt_us)
        return UINT64_MAX;
    return t->cc.cwnd * percent * 10000 / t->rtt.srtt_us;
}

uint64_t pace_rate(const struct tcp *p, const struct tcb *t)
{
    const struct cc_algo *a = cc_algo(&t->cc);
    uint64_t rate = UINT64_MAX;

    if (!(t->snd.pace & PACE_ON))
        return rate;
    if (a->pacing_rate)
        rate = a->pacing_rate(&t->cc, &t->rtt);
    else if (is_paced_by_knob(p))
        rate = rate_of_window(p, t);
    if (t->opt.max_pacing && t->opt.max_pacing < rate)
        rate = t->opt.max_pacing;
    return rate ? rate : 1;
}

/* -- the token time ---------------------------------------------------------------------------- */

int64_t pace_at(const struct tcp *p, const struct tcb *t)
{
    return p->now_us + (int32_t)(t->pace_at_us - (uint32_t)p->now_us);
}

/* False: not before pace_at, and the timer says when. */
bool pace_allows(struct tcp *p, struct tcb *t)
{
    int64_t wait = pace_at(p, t) - p->now_us;
    bool is_stale = now_ms(p) - t->sent_at_ms > WAIT_MAX_US / 1000;

    if (wait <= 0 || is_stale)
        return true;
    t->snd.pace |= PACE_WAITS;
    return false;
}

/* Whole segments, two at least. */
uint32_t pace_quantum(const struct tcp *p, const struct tcb *t)
{
    uint64_t bytes = pace_rate(p, t) >> 10; /* a millisecond, nearly */
    uint32_t mss = t->snd.mss;

    if (bytes > 65536)
        bytes = 65536;
    return bytes > 2u * mss ? (uint32_t)bytes - (uint32_t)bytes % mss : 2 * mss;
}

void pace_sent(struct tcp *p, struct tcb *t, uint32_t bytes)
{
    uint64_t rate = pace_rate(p, t), us = rate == UINT64_MAX ? 0 : bytes * 1000000ull / rate;
    uint32_t from = (uint32_t)p->now_us;

    if (t->snd.pace & PACE_LATE && from - t->pace_at_us < LATE_US)
        from = t->pace_at_us;
    t->pace_at_us = from + (uint32_t)(us < WAIT_MAX_US ? us : WAIT_MAX_US);
    if ((int32_t)(t->pace_at_us - (uint32_t)p->now_us) > 0)
        t->snd.pace &= (uint8_t)~PACE_LATE;
}

void pace_hold(const struct tcp *p, struct tcb *t, uint32_t us)
{
    t->snd.pace |= PACE_ON;
    t->pace_at_us = (uint32_t)p->now_us + us;
}

void pace_fires(struct tcp *p, struct tcb *t)
{
    t->snd.pace = (uint8_t)((t->snd.pace & ~PACE_WAITS) | PACE_LATE);
    tcb_wants_output(p, t);
}
