/* BBR, version 3: paces at the bandwidth that it measures, keeps in flight what that needs.
 *
 * Knows: struct cc and the rate sample. Shape: a model (max_bw, min_rtt, and bounds that losses
 * set: bw_lo, inflight_lo, inflight_hi) and a machine that probes it: STARTUP, DRAIN, then DOWN,
 * CRUISE, REFILL, UP in turn, and PROBE_RTT. Units: bytes, bytes/s, microseconds; gains in percent;
 * UINT64_MAX and UINT32_MAX: no bound. Errors: none. Cost: a division for an ACK with a sample.
 * draft-ietf-ccwg-bbr */
#include "tcp/cc.h"

enum { STARTUP, DRAIN, DOWN, CRUISE, REFILL, UP, PROBE_RTT };
enum { ACKS_INIT, ACKS_REFILLING, ACKS_STARTING, ACKS_FEEDBACK, ACKS_STOPPING };

#define NO_BW UINT64_MAX
#define NO_BOUND UINT32_MAX
#define STARTUP_GAIN 277
#define MIN_RTT_FILTER_US 10000000
#define PROBE_RTT_INTERVAL_US 5000000
#define PROBE_RTT_US 200000
#define PROBE_BASE_US 2000000 /* between two probes of the bandwidth, and up to a second more */
#define FULL_BW_ROUNDS 3
#define STARTUP_LOSSES 6
#define RENO_ROUNDS 63
#define EXTRA_ROUNDS 5 /* of each half of the filter */

struct bbr {
    uint64_t max_bw[2], bw_lo, bw_latest, full_bw, pacing_rate;
    uint32_t min_rtt_us, min_rtt_at_us, probe_rtt_us, probe_rtt_at_us, probe_rtt_done_us;
    uint32_t inflight_lo, inflight_hi, inflight_latest;
    uint32_t round_end, loss_round_end; /* in bytes delivered */
    uint32_t phase_at_us, probe_wait_us, rounds_since_probe;
    uint32_t up_step, up_acked, up_rounds; /* inflight_hi grows a segment for up_step bytes */
    uint32_t extra[2], extra_from_us, extra_delivered, extra_rounds;
    uint32_t prior_cwnd, delivered;
    uint32_t losses; /* ACKs that told of loss in this round */
    uint8_t state, acks, full_bw_count;
    bool is_full_bw_now, is_full, is_round_start, is_loss_round_start, has_loss, may_judge;
    bool is_probe_rtt_timed, is_probe_rtt_round, is_probe_rtt_expired;
};
_Static_assert(sizeof(struct bbr) <= 256, "a block of mem");

static struct bbr *bbr_of(const struct cc *c)
{
    return c->block;
}

/* -- what the model says ----------------------------------------------------------------------- */

static uint64_t bw_max(const struct bbr *b)
{
    return most(b->max_bw[0], b->max_bw[1]);
}
static uint64_t bw_of(const struct bbr *b)
{
    return least(bw_max(b), b->bw_lo);
}

/* gain * bw * min_rtt */
static uint32_t bdp(const struct cc *c, uint64_t bw, uint32_t gain)
{
    const struct bbr *b = bbr_of(c);

    if (b->min_rtt_us == NO_BOUND)
        return 10u * c->mss;
    return (uint32_t)least(least(bw, UINT64_MAX >> 32) * b->min_rtt_us / 1000000 * gain / 100,
                           INT32_MAX);
}

/* The same, with room for what the sender and the receiver hold back. */
static uint32_t inflight_for(const struct cc *c, uint64_t bw, uint32_t gain)
{
    uint32_t n = (uint32_t)most(bdp(c, bw, gain), 4u * c->mss) + 2u * c->mss;

    return bbr_of(c)->state == UP ? n + 2u * c->mss : n;
}

static uint32_t with_headroom(const struct cc *c)
{
    const struct bbr *b = bbr_of(c);
    uint32_t room = (uint32_t)most(c->mss, (uint64_t)b->inflight_hi * 15 / 100);

    if (b->inflight_hi == NO_BOUND)
        return NO_BOUND;
    return (uint32_t)most(b->inflight_hi - least(room, b->inflight_hi), 4u * c->mss);
}

static uint32_t target_inflight(const struct cc *c)
{
    return (uint32_t)least(bdp(c, bw_of(bbr_of(c)), 100), c->cwnd);
}

static uint32_t pacing_gain(const struct bbr *b)
{
    static const uint16_t gains[] = {STARTUP_GAIN, 50, 90, 100, 100, 125, 100}; /* by state */

    return gains[b->state];
}

static uint32_t cwnd_gain(const struct bbr *b)
{
    return b->state == UP ? 225 : b->state == PROBE_RTT ? 50 : 200;
}

static bool is_in_probe_bw(const struct bbr *b)
{
    return b->state >= DOWN && b->state <= UP;
}

/* -- the machine ------------------------------------------------------------------------------- */

static void reset_lower_bounds(struct bbr *b)
{
    b->bw_lo = NO_BW;
    b->inflight_lo = NO_BOUND;
}

static void reset_full_bw(struct bbr *b, uint64_t bw)
{
    b->full_bw = bw;
    b->full_bw_count = 0;
    b->is_full_bw_now = false;
}

static void begin_down(struct bbr *b, uint32_t now)
{
    b->has_loss = false;
    b->bw_latest = b->inflight_latest = 0;
    b->up_step = NO_BOUND;
    b->rounds_since_probe = now >> 3 & 1; /* low bits of the clock: chance enough */
    b->probe_wait_us = PROBE_BASE_US + (now * 2654435761u >> 12);
    b->phase_at_us = now;
    b->acks = ACKS_STOPPING;
    b->round_end = b->delivered;
    b->state = DOWN;
}

static void begin_refill(struct bbr *b)
{
    reset_lower_bounds(b);
    b->up_rounds = 0;
    b->up_acked = 0;
    b->acks = ACKS_REFILLING;
    b->round_end = b->delivered;
    b->state = REFILL;
}

/* Each round trip inflight_hi grows by twice as many segments as in the one before. */
static void raise_slope(struct cc *c, struct bbr *b)
{
    uint32_t segments = 1u << b->up_rounds;

    b->up_rounds = (uint32_t)least(b->up_rounds + 1, 30);
    b->up_step = (uint32_t)most(c->cwnd / segments, 1);
}

static void begin_up(struct cc *c, struct bbr *b, uint32_t now, uint64_t bw)
{
    b->acks = ACKS_STARTING;
    b->round_end = b->delivered;
    reset_full_bw(b, bw);
    b->state = UP;
    b->phase_at_us = now;
    raise_slope(c, b);
}

static bool is_time_to_probe(const struct cc *c, struct bbr *b, uint32_t now)
{
    uint32_t reno = (uint32_t)least(target_inflight(c) / c->mss, RENO_ROUNDS);

    return now - b->phase_at_us > b->probe_wait_us || b->rounds_since_probe >= reno;
}

static void update_cycle(struct cc *c, struct bbr *b, const struct ack_event *e, uint64_t bw)
{
    uint32_t now = (uint32_t)e->now_us;

    switch (b->state) {
    case DOWN:
    case CRUISE:
        if (is_time_to_probe(c, b, now))
            begin_refill(b);
        else if (b->state == DOWN && e->rate->in_flight <= with_headroom(c) &&
                 e->rate->in_flight <= inflight_for(c, bw_max(b), 100))
            b->state = CRUISE;
        break;
    case REFILL:
        if (b->is_round_start) {
            b->may_judge = true;
            begin_up(c, b, now, bw);
        }
        break;
    case UP:
        if (e->is_cwnd_limited && c->cwnd >= b->inflight_hi)
            reset_full_bw(b, bw);
        else if (b->is_full_bw_now)
            begin_down(b, now);
        break;
    default:
        break;
    }
}

/* -- the model learns -------------------------------------------------------------------------- */

static void update_round(struct bbr *b, const struct ack_event *e)
{
    b->is_round_start = (int32_t)(e->rate->prior_delivered - b->round_end) >= 0;
    if (!b->is_round_start)
        return;
    b->round_end = b->delivered;
    b->rounds_since_probe++;
    if (++b->extra_rounds >= EXTRA_ROUNDS) {
        b->extra_rounds = 0;
        b->extra[0] = b->extra[1];
        b->extra[1] = 0;
    }
}

/* In a round with losses, what one can count on falls; while probing that is probing's affair. */
static void adapt_lower_bounds(struct cc *c, struct bbr *b)
{
    bool is_probing = b->state == STARTUP || b->state == REFILL || b->state == UP;

    if (is_probing || !b->has_loss)
        return;
    if (b->bw_lo == NO_BW)
        b->bw_lo = bw_max(b);
    if (b->inflight_lo == NO_BOUND)
        b->inflight_lo = c->cwnd;
    b->bw_lo = most(b->bw_latest, b->bw_lo * 7 / 10);
    b->inflight_lo = (uint32_t)most(b->inflight_latest, (uint64_t)b->inflight_lo * 7 / 10);
}

static void update_signals(struct cc *c, struct bbr *b, const struct ack_event *e, uint64_t bw)
{
    bool is_limited = e->rate->is_app_limited || b->state == PROBE_RTT;

    b->bw_latest = most(b->bw_latest, bw);
    b->inflight_latest = (uint32_t)most(b->inflight_latest, e->rate->delivered);
    b->is_loss_round_start = (int32_t)(e->rate->prior_delivered - b->loss_round_end) >= 0;
    if (b->is_loss_round_start)
        b->loss_round_end = b->delivered;
    update_round(b, e);
    if (bw >= bw_max(b) || !is_limited)
        b->max_bw[1] = most(b->max_bw[1], bw);
    if (e->lost) {
        b->has_loss = true;
        b->losses++;
    }
    if (b->is_loss_round_start)
        adapt_lower_bounds(c, b);
}

/* What arrived beyond what the bandwidth explains: ACKs come in clumps. */
static void update_extra(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    uint32_t now = (uint32_t)e->now_us;
    uint64_t expected = bw_of(b) * (now - b->extra_from_us) / 1000000;

    if (b->extra_delivered <= expected) {
        b->extra_delivered = 0;
        b->extra_from_us = now;
        expected = 0;
    }
    b->extra_delivered += e->delivered;
    b->extra[1] = (uint32_t)most(b->extra[1], least(b->extra_delivered - expected, c->cwnd));
}

static bool is_loss_high(const struct ack_event *e)
{
    return (uint64_t)e->rate->lost * 50 > e->rate->tx_in_flight; /* 2 % */
}

static void check_full_bw(struct cc *c, struct bbr *b, const struct ack_event *e, uint64_t bw)
{
    if (b->state == STARTUP && b->is_loss_round_start && b->losses >= STARTUP_LOSSES &&
        is_loss_high(e)) {
        b->is_full = true;
        b->inflight_hi = (uint32_t)most(bdp(c, bw_max(b), 100), b->inflight_latest);
    }
    if (b->is_full_bw_now || !b->is_round_start || e->rate->is_app_limited)
        return;
    if (bw * 4 >= b->full_bw * 5) {
        reset_full_bw(b, bw);
        return;
    }
    b->is_full_bw_now = ++b->full_bw_count >= FULL_BW_ROUNDS;
    b->is_full |= b->is_full_bw_now;
}

static void check_start(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    b->state = b->state == STARTUP && b->is_full ? DRAIN : b->state;
    if (b->state == DRAIN && e->rate->in_flight <= inflight_for(c, bw_of(b), 100))
        begin_down(b, (uint32_t)e->now_us);
}

static void probe_upward(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    if (!e->is_cwnd_limited || c->cwnd < b->inflight_hi)
        return;
    b->up_acked += e->delivered;
    if (b->up_acked >= b->up_step) {
        uint32_t segments = b->up_acked / b->up_step;
        b->up_acked -= segments * b->up_step;
        b->inflight_hi += segments * c->mss;
    }
    if (b->is_round_start)
        raise_slope(c, b);
}

/* Was what a probe put in flight too much? Else the bound may be raised. */
static void adapt_upper_bounds(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    uint32_t beta = (uint32_t)((uint64_t)target_inflight(c) * 7 / 10);

    if (b->acks == ACKS_STARTING && b->is_round_start)
        b->acks = ACKS_FEEDBACK;
    if (b->acks == ACKS_STOPPING && b->is_round_start) {
        b->acks = ACKS_INIT;
        b->may_judge = false;
        if (is_in_probe_bw(b) && !e->rate->is_app_limited) {
            b->max_bw[0] = b->max_bw[1];
            b->max_bw[1] = 0;
        }
    }
    if (is_loss_high(e)) {
        if (!b->may_judge)
            return;
        b->may_judge = false;
        if (!e->rate->is_app_limited)
            b->inflight_hi = (uint32_t)most(e->rate->tx_in_flight, beta);
        if (b->state == UP)
            begin_down(b, (uint32_t)e->now_us);
        return;
    }
    if (b->inflight_hi == NO_BOUND)
        return;
    if (e->rate->tx_in_flight > b->inflight_hi)
        b->inflight_hi = e->rate->tx_in_flight;
    if (b->state == UP)
        probe_upward(c, b, e);
}

/* -- the shortest round trip ------------------------------------------------------------------- */

static void update_min_rtt(struct bbr *b, const struct ack_event *e)
{
    uint32_t now = (uint32_t)e->now_us;

    b->is_probe_rtt_expired = now - b->probe_rtt_at_us > PROBE_RTT_INTERVAL_US;
    if (e->rtt_us && (e->rtt_us < b->probe_rtt_us || b->is_probe_rtt_expired)) {
        b->probe_rtt_us = e->rtt_us;
        b->probe_rtt_at_us = now;
    }
    if (b->probe_rtt_us < b->min_rtt_us || now - b->min_rtt_at_us > MIN_RTT_FILTER_US) {
        b->min_rtt_us = b->probe_rtt_us;
        b->min_rtt_at_us = b->probe_rtt_at_us;
    }
}

static uint32_t probe_rtt_cwnd(const struct cc *c)
{
    return (uint32_t)most(bdp(c, bw_of(bbr_of(c)), 50), 4u * c->mss);
}

static void end_probe_rtt(struct cc *c, struct bbr *b, uint32_t now)
{
    b->probe_rtt_at_us = now;
    c->cwnd = (uint32_t)most(c->cwnd, b->prior_cwnd);
    reset_lower_bounds(b);
    if (!b->is_full) {
        b->state = STARTUP;
        return;
    }
    begin_down(b, now);
    b->state = CRUISE;
}

/* Every five seconds, unless the queue was empty by itself, it is made so for 200 ms. */
static void check_probe_rtt(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    uint32_t now = (uint32_t)e->now_us;
    bool was_idle = e->rate->is_app_limited && e->rate->tx_in_flight <= 4u * c->mss;

    if (b->state != PROBE_RTT) {
        if (!b->is_probe_rtt_expired || was_idle)
            return;
        b->state = PROBE_RTT;
        b->prior_cwnd = c->cwnd;
        b->is_probe_rtt_timed = false;
        b->acks = ACKS_STOPPING;
        b->round_end = b->delivered;
        return;
    }
    if (!b->is_probe_rtt_timed) {
        if (e->rate->in_flight > probe_rtt_cwnd(c))
            return;
        b->is_probe_rtt_timed = true;
        b->is_probe_rtt_round = false;
        b->probe_rtt_done_us = now + PROBE_RTT_US;
        b->round_end = b->delivered;
        return;
    }
    b->is_probe_rtt_round |= b->is_round_start;
    if (b->is_probe_rtt_round && (int32_t)(now - b->probe_rtt_done_us) > 0)
        end_probe_rtt(c, b, now);
}

/* -- what comes of it -------------------------------------------------------------------------- */

static void set_pacing(struct bbr *b)
{
    uint64_t rate = bw_of(b) * pacing_gain(b) / 100 * 99 / 100;

    if (rate && (b->is_full || rate > b->pacing_rate))
        b->pacing_rate = rate;
}

static void set_cwnd(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    uint32_t extra = b->is_full ? (uint32_t)most(b->extra[0], b->extra[1]) : 0;
    uint64_t max = inflight_for(c, bw_of(b), cwnd_gain(b)) + (uint64_t)extra, cap = NO_BOUND;

    if (b->is_full)
        c->cwnd = (uint32_t)least(c->cwnd + (uint64_t)e->delivered, max);
    else if (c->cwnd < max || b->delivered < 10u * c->mss)
        c->cwnd += e->delivered;
    if (is_in_probe_bw(b) && b->state != CRUISE)
        cap = b->inflight_hi;
    else if (b->state == CRUISE || b->state == PROBE_RTT)
        cap = with_headroom(c);
    cap = least(cap, b->inflight_lo);
    if (b->state == PROBE_RTT)
        cap = least(cap, probe_rtt_cwnd(c));
    c->cwnd = (uint32_t)least(c->cwnd, most(cap, 4u * c->mss));
    c->cwnd = (uint32_t)most(c->cwnd, 4u * c->mss);
}

/* What the initial window gives in a round trip. */
static uint64_t first_rate(const struct cc *c, const struct rtt *r)
{
    return c->cwnd * 10000ull * STARTUP_GAIN / r->srtt_us;
}

static void bbr_on_ack(struct cc *c, const struct ack_event *e, const struct rtt *r)
{
    struct bbr *b = bbr_of(c);
    uint64_t bw;

    if (!b->pacing_rate && r->srtt_us)
        b->pacing_rate = first_rate(c, r);
    b->delivered = e->rate->total_delivered;
    if (!e->rate->is_set || !e->rate->interval_us)
        return;
    bw = e->rate->delivered * 1000000ull / e->rate->interval_us;
    update_signals(c, b, e, bw);
    update_extra(c, b, e);
    check_full_bw(c, b, e, bw);
    check_start(c, b, e);
    if (b->is_full) {
        adapt_upper_bounds(c, b, e);
        update_cycle(c, b, e, bw);
    }
    update_min_rtt(b, e);
    check_probe_rtt(c, b, e);
    if (b->is_loss_round_start) {
        b->has_loss = false;
        b->losses = 0;
        b->bw_latest = bw;
        b->inflight_latest = e->rate->delivered;
    }
    set_pacing(b);
    set_cwnd(c, b, e);
}

static void bbr_init(struct cc *c, uint32_t mss)
{
    struct bbr *b = bbr_of(c);

    (void)mss;
    b->min_rtt_us = b->probe_rtt_us = NO_BOUND;
    b->inflight_hi = NO_BOUND;
    reset_lower_bounds(b);
}

static uint64_t bbr_pacing_rate(const struct cc *c, const struct rtt *r)
{
    uint64_t rate = bbr_of(c)->pacing_rate;

    return rate ? rate : r->srtt_us ? first_rate(c, r) : UINT64_MAX;
}

const struct cc_algo cc_bbr = {
    .name = "bbr",
    .block_bytes = sizeof(struct bbr),
    .has_own_cwnd = true,
    .init = bbr_init,
    .on_ack = bbr_on_ack,
    .pacing_rate = bbr_pacing_rate,
};
