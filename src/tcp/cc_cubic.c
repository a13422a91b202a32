/* CUBIC, with HyStart++ in the first slow start.
 *
 * Knows: struct cc only. Shape: cwnd >= mss; own[] is struct hystart until the first slow start is
 * over, struct cubic after it. Units: bytes; K and t in 1/1024 s. Errors: none.
 * Cost: O(1) and no division for an ACK; a division and a cube root for a congestion event.
 * 9438#4, 9406#4.2 */
#include <string.h>

#include "tcp/cc.h"

enum { HYSTART_SLOW, HYSTART_CSS, SLOW_START, AVOIDANCE };

#define MIN_RTT_THRESH_US 4000 /* 9406#4.3 */
#define MAX_RTT_THRESH_US 16000
#define RTT_SAMPLES 8
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS 5

/* 9438: beta 0.7, C 0.4 (in 1/8192), alpha 3 * (1 - beta) / (1 + beta) (in 1/1024) */
#define C_8192 3277u
#define ALPHA_1024 542u
#define D_MAX (1 << 17) /* 128 s: what the arithmetic holds */

struct hystart {
    struct seq window_end; /* its ACK ends the round */
    uint32_t last_min_us, min_us, baseline_us;
    uint8_t samples, css_rounds, is_running;
};

struct cubic {
    uint32_t w_max, prior; /* prior: cwnd before the last reduction */
    uint32_t k;            /* 1/1024 s */
    uint32_t elapsed_us;   /* t: the time of this stage in which cwnd was used up */
    uint32_t acked_at_us;
    uint32_t w_est;  /* what Reno would have */
    uint64_t credit; /* towards the next segment, in bytes times bytes */
};
_Static_assert(sizeof(struct hystart) <= sizeof((struct cc *)0)->own, "fits own[]");
_Static_assert(sizeof(struct cubic) <= sizeof((struct cc *)0)->own, "fits own[]");

static struct hystart *hystart_of(struct cc *c)
{
    return (struct hystart *)(void *)c->own;
}

static struct cubic *cubic_of(struct cc *c)
{
    return (struct cubic *)(void *)c->own;
}

static void cubic_init(struct cc *c, uint32_t mss)
{
    (void)mss;
    memset(c->own, 0, sizeof c->own);
    c->acked = 0;
    c->mode = c->ssthresh == UINT32_MAX ? HYSTART_SLOW : SLOW_START;
    hystart_of(c)->last_min_us = hystart_of(c)->min_us = UINT32_MAX;
}

/* -- avoidance, 9438#4.2 to 4.5 ---------------------------------------------------------------- */

/* The greatest n with n * n * n <= x. */
static uint32_t cube_root(uint64_t x)
{
    uint64_t root = 0;

    for (int bit = 20; bit >= 0; bit--) {
        uint64_t n = root | 1ull << bit;
        if (n * n * n <= x)
            root = n;
    }
    return (uint32_t)root;
}

/* Figure 2, in 1/1024 s: K = cbrt((W_max - cwnd_epoch) / C). */
static uint32_t k_of(uint32_t gap, uint32_t mss)
{
    if (gap > INT32_MAX)
        gap = INT32_MAX;
    return cube_root(((uint64_t)gap * 5 << 29) / mss);
}

/* W_cubic(t) = C * (t - K)^3 + W_max, t in 1/1024 s. */
static uint32_t w_cubic(const struct cc *c, const struct cubic *u, uint32_t t)
{
    uint64_t d = t > u->k ? t - u->k : u->k - t, part;

    if (d > D_MAX)
        d = D_MAX;
    part = (d * d * d >> 16) * ((uint64_t)c->mss * C_8192) >> 27;
    if (t < u->k)
        return part < u->w_max ? u->w_max - (uint32_t)part : 0;
    return part < UINT32_MAX - u->w_max ? u->w_max + (uint32_t)part : UINT32_MAX;
}

/* 9438#4.2, and 4.8 and 4.10: without a known maximum above, K is 0. */
static void begin_avoidance(struct cc *c, const struct ack_event *e)
{
    struct cubic *u = cubic_of(c);

    if (c->mode != SLOW_START) { /* HyStart++ ends here: own[] gets its other face */
        memset(u, 0, sizeof *u);
        u->prior = c->cwnd;
    }
    c->mode = AVOIDANCE;
    c->acked = 0;
    u->credit = 0;
    u->elapsed_us = 0;
    u->acked_at_us = (uint32_t)e->now_us;
    u->w_est = c->cwnd;
    u->k = 0;
    if (u->w_max > c->cwnd)
        u->k = k_of(u->w_max - c->cwnd, c->mss);
    else
        u->w_max = c->cwnd;
}

/* Bytes that the Reno of 4.3 counts: alpha of those acknowledged, all once it has caught up. */
static void grow_w_est(struct cc *c, struct cubic *u, uint32_t acked)
{
    uint32_t alpha = u->w_est < u->prior ? ALPHA_1024 : 1024;

    c->acked += (uint32_t)((uint64_t)acked * alpha >> 10);
    while (c->acked >= c->cwnd) {
        c->acked -= c->cwnd;
        u->w_est += c->mss;
    }
}

/* (target - cwnd) / cwnd for each segment acknowledged, without dividing. */
static void grow_to(struct cc *c, struct cubic *u, uint32_t target, uint32_t acked)
{
    uint32_t most = c->cwnd + c->cwnd / 2;
    uint64_t step = (uint64_t)c->cwnd * c->mss;

    if (target > most)
        target = most;
    if (target <= c->cwnd)
        return;
    u->credit += (uint64_t)(target - c->cwnd) * acked;
    while (u->credit >= step) {
        u->credit -= step;
        c->cwnd += c->mss;
    }
}

/* us to 1/1024 s */
static uint32_t ticks(uint64_t us)
{
    return (uint32_t)(us * 68720 >> 26);
}

/* 9438#4.2: t counts no time in which cwnd was not the limit. ACKs of a full window come at most a
 * round trip apart, so what is longer was silence. */
static void pass_time(struct cubic *u, const struct ack_event *e, const struct rtt *r)
{
    uint32_t us = (uint32_t)e->now_us - u->acked_at_us;

    u->acked_at_us = (uint32_t)e->now_us;
    if (!e->is_cwnd_limited)
        return;
    if (us > r->srtt_us)
        us = r->srtt_us;
    u->elapsed_us += us < UINT32_MAX - u->elapsed_us ? us : 0;
}

static void avoid(struct cc *c, uint32_t acked, const struct ack_event *e, const struct rtt *r)
{
    struct cubic *u = cubic_of(c);

    pass_time(u, e, r);
    if (!e->is_cwnd_limited || e->in_recovery || acked == 0)
        return;
    grow_w_est(c, u, acked);
    if (w_cubic(c, u, ticks(u->elapsed_us)) < u->w_est) {
        if (c->cwnd < u->w_est)
            c->cwnd = u->w_est;
        return;
    }
    grow_to(c, u, w_cubic(c, u, ticks((uint64_t)u->elapsed_us + r->srtt_us)), acked);
}

/* -- slow start, 9406#4.2 ---------------------------------------------------------------------- */

static void begin_round(struct hystart *h, const struct ack_event *e)
{
    h->window_end = e->nxt;
    h->last_min_us = h->min_us;
    h->min_us = UINT32_MAX;
    h->samples = 0;
    h->is_running = 1;
}

static uint32_t rtt_threshold(uint32_t last_us)
{
    uint32_t us = last_us / 8;

    if (us > MAX_RTT_THRESH_US)
        us = MAX_RTT_THRESH_US;
    return us > MIN_RTT_THRESH_US ? us : MIN_RTT_THRESH_US;
}

/* After each RTT sample: does the delay grow, or does it no longer? */
static void judge_delay(struct cc *c, struct hystart *h)
{
    if (h->samples < RTT_SAMPLES || h->min_us == UINT32_MAX)
        return;
    if (c->mode == HYSTART_CSS) {
        if (h->min_us < h->baseline_us)
            c->mode = HYSTART_SLOW;
        return;
    }
    if (h->last_min_us != UINT32_MAX &&
        h->min_us >= h->last_min_us + rtt_threshold(h->last_min_us)) {
        h->baseline_us = h->min_us;
        h->css_rounds = 0;
        c->mode = HYSTART_CSS;
    }
}

static void hystart_on_ack(struct cc *c, const struct ack_event *e)
{
    struct hystart *h = hystart_of(c);
    bool is_round_over = !h->is_running || seq_ge(e->ack, h->window_end);

    if (e->rtt_us) {
        if (e->rtt_us < h->min_us)
            h->min_us = e->rtt_us;
        if (h->samples < RTT_SAMPLES)
            h->samples++;
        judge_delay(c, h);
    }
    if (!is_round_over)
        return;
    begin_round(h, e);
    if (c->mode == HYSTART_CSS && ++h->css_rounds >= CSS_ROUNDS)
        c->ssthresh = c->cwnd;
}

/* What is left of `acked` beyond ssthresh. Differs: no L of 9406#4.3, as Linux: where superframes
 * are the rule one ACK covers forty segments, and 8 a time would make slow start linear. */
static uint32_t slow_start(struct cc *c, uint32_t acked)
{
    uint32_t room = c->ssthresh - c->cwnd, grow = acked;

    if (c->mode == HYSTART_CSS)
        grow /= CSS_GROWTH_DIVISOR;
    if (grow < room) {
        c->cwnd += grow;
        return 0;
    }
    c->cwnd = c->ssthresh;
    return acked - room;
}

static void cubic_on_ack(struct cc *c, const struct ack_event *e, const struct rtt *r)
{
    uint32_t acked = e->acked;

    if (c->mode <= HYSTART_CSS && acked)
        hystart_on_ack(c, e);
    if (c->cwnd < c->ssthresh) {
        if (e->in_recovery || acked == 0 || !e->is_cwnd_limited)
            return;
        acked = slow_start(c, acked);
    }
    if (c->cwnd < c->ssthresh)
        return;
    if (c->mode != AVOIDANCE && !e->in_recovery)
        begin_avoidance(c, e);
    if (c->mode == AVOIDANCE)
        avoid(c, acked, e, r);
}

/* -- congestion, 9438#4.6 to 4.8 --------------------------------------------------------------- */

static uint32_t at_least_two(const struct cc *c, uint64_t bytes)
{
    return bytes > 2u * c->mss ? (uint32_t)bytes : 2u * c->mss;
}

/* The stage ends: what it knew is W_max, less with fast convergence (4.7). */
static void end_stage(struct cc *c, uint32_t flight)
{
    struct cubic *u = cubic_of(c);
    uint32_t w_max = c->mode <= HYSTART_CSS ? 0 : u->w_max;

    if (c->mode <= HYSTART_CSS)
        memset(u, 0, sizeof *u);
    u->prior = c->cwnd;
    u->w_max = c->cwnd < w_max ? (uint32_t)((uint64_t)c->cwnd * 17 / 20) : c->cwnd;
    c->ssthresh = at_least_two(c, (uint64_t)flight * 7 / 10);
    c->mode = SLOW_START;
    c->acked = 0;
}

static void cubic_on_loss(struct cc *c, uint32_t flight)
{
    end_stage(c, flight);
    c->cwnd = c->ssthresh;
}

/* 9438#4.6: an echo may leave a single segment. */
static void cubic_on_ecn(struct cc *c, uint32_t flight)
{
    uint64_t left = (uint64_t)flight * 7 / 10;

    end_stage(c, flight);
    c->cwnd = left > c->mss ? (uint32_t)left : c->mss;
}

static void cubic_on_timeout(struct cc *c, uint32_t flight)
{
    end_stage(c, flight);
    cubic_of(c)->w_max = 0;
    c->cwnd = c->mss;
}

/* Avoidance begins anew, with what is known of W_max, once slow start has come back. */
static void cubic_on_idle(struct cc *c)
{
    if (c->mode == AVOIDANCE && c->cwnd < c->ssthresh)
        c->mode = SLOW_START;
}

const struct cc_algo cc_cubic = {
    .name = "cubic",
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .on_loss = cubic_on_loss,
    .on_ecn = cubic_on_ecn,
    .on_timeout = cubic_on_timeout,
    .on_idle = cubic_on_idle,
};
