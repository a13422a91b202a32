/* BBR, version 3: paces at the bandwidth that it measures, keeps in flight what that needs.
 *
 * Knows: its picture of the path (bbr_model.c) and its two controls (bbr_control.c). Shape: a
 * machine: STARTUP, DRAIN, then DOWN, CRUISE, REFILL, UP in turn, and PROBE_RTT. inflight_hi is
 * what a probe found too much; only probes move it. Units: see bbr.h. Errors: none.
 * Cost: three divisions for an ACK with a sample. draft-ietf-ccwg-bbr-06#5 */
#include "tcp/bbr.h"

enum { ACKS_INIT, ACKS_REFILLING, ACKS_STARTING, ACKS_FEEDBACK, ACKS_STOPPING };

#define PROBE_RTT_US 200000
#define PROBE_BASE_US 2000000 /* between two probes of the bandwidth, and up to a second more */
#define STARTUP_LOSSES 6
#define DRAIN_ROUNDS 3
#define RENO_ROUNDS 63

static uint32_t target_inflight(const struct cc *c)
{
    return (uint32_t)least(bbr_bdp(c, bbr_bw(bbr_of(c)), 100), c->cwnd);
}

static bool is_cwnd_limited(const struct cc *c, const struct ack_event *e)
{
    return e->in_flight + c->mss > c->cwnd;
}

/* -- the machine ------------------------------------------------------------------------------- */

static void begin_round(struct bbr *b, uint8_t acks)
{
    b->acks = acks;
    b->round_end = b->delivered;
}

static void begin_down(struct bbr *b, uint32_t now)
{
    uint32_t chance = (now ^ b->delivered) * 2654435761u;

    bbr_reset_signals(b);
    b->up_step = NO_BOUND;
    b->rounds_since_probe = chance >> 11 & 1;
    b->probe_wait_us = PROBE_BASE_US + (chance >> 12);
    b->phase_at_us = now;
    begin_round(b, ACKS_STOPPING);
    b->state = DOWN;
}

static void begin_refill(struct bbr *b)
{
    bbr_reset_lower_bounds(b);
    b->up_rounds = b->up_acked = 0;
    b->is_cautious = false;
    begin_round(b, ACKS_REFILLING);
    b->state = REFILL;
}

/* Each round trip inflight_hi grows by twice as many segments as in the one before. */
static void raise_slope(struct cc *c, struct bbr *b)
{
    uint32_t segments = 1u << b->up_rounds;

    b->up_rounds = (uint32_t)least(b->up_rounds + 1, 30);
    b->up_step = (uint32_t)most(c->cwnd / segments, c->mss);
}

static void begin_up(struct cc *c, struct bbr *b, uint32_t now, uint64_t bw)
{
    begin_round(b, ACKS_STARTING);
    bbr_reset_full_bw(b, bw);
    b->state = UP;
    b->phase_at_us = now;
    raise_slope(c, b);
}

static bool is_time_to_probe(const struct cc *c, const struct bbr *b, uint32_t now)
{
    uint32_t reno = (uint32_t)least(target_inflight(c) / c->mss, RENO_ROUNDS);

    return now - b->phase_at_us > b->probe_wait_us || b->rounds_since_probe >= reno;
}

static bool is_time_to_cruise(const struct cc *c, const struct bbr *b, uint32_t in_flight)
{
    return in_flight <= bbr_with_headroom(c) &&
           in_flight <= bbr_with_bursts(c, bbr_bdp(c, bbr_max_bw(b), 100));
}

static bool is_time_to_go_down(struct cc *c, struct bbr *b, const struct ack_event *e, uint64_t bw)
{
    if (b->was_too_high && e->rate->in_flight >= b->inflight_hi) {
        b->is_cautious = true;
        return true;
    }
    if (!is_cwnd_limited(c, e) || c->cwnd < b->inflight_hi)
        return b->is_full_bw_now;
    bbr_reset_full_bw(b, bw); /* it is inflight_hi that limits, not the path */
    return false;
}

static void update_cycle(struct cc *c, struct bbr *b, const struct ack_event *e, uint64_t bw)
{
    uint32_t now = (uint32_t)e->now_us;

    switch (b->state) {
    case DOWN:
    case CRUISE:
        if (is_time_to_probe(c, b, now))
            begin_refill(b);
        else if (b->state == DOWN && is_time_to_cruise(c, b, e->rate->in_flight))
            b->state = CRUISE;
        break;
    case REFILL:
        if (b->is_round_start) {
            b->may_judge = true;
            begin_up(c, b, now, bw);
        }
        break;
    case UP:
        if (is_time_to_go_down(c, b, e, bw)) {
            b->was_too_high = false; /* losses may still tell */
            begin_down(b, now);
        }
        break;
    default:
        break;
    }
}

/* -- how much is too much ---------------------------------------------------------------------- */

static bool is_too_high(const struct cc *c, const struct rate_sample *s)
{
    return s->lost > (s->has_sack ? bbr_tolerance(c, s->tx_in_flight) : 0);
}

/* What a probe had in flight was too much. */
static void handle_too_high(struct cc *c, struct bbr *b, const struct rate_sample *s, uint32_t now)
{
    b->was_too_high = true;
    b->may_judge = false;
    if (!s->is_app_limited)
        b->inflight_hi = (uint32_t)most(s->tx_in_flight, (uint64_t)target_inflight(c) * 7 / 10);
    if (b->state != UP)
        return;
    begin_down(b, now);
    b->undo_state = UP;
}

static void probe_upward(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    if (!is_cwnd_limited(c, e) || c->cwnd < b->inflight_hi)
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

/* True: the next phase is begun already. */
static bool is_probe_over(struct bbr *b, const struct ack_event *e)
{
    b->may_judge = false;
    b->acks = ACKS_INIT;
    if (!bbr_is_in_probe_bw(b))
        return false;
    if (!e->rate->is_app_limited) {
        b->max_bw[0] = b->max_bw[1];
        b->max_bw[1] = 0;
    }
    if (!b->is_cautious || b->was_too_high)
        return false;
    begin_refill(b); /* where losses had been there were none: at once again, and to the end */
    return true;
}

static bool adapt_upper_bounds(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    if (b->acks == ACKS_STARTING && b->is_round_start)
        b->acks = ACKS_FEEDBACK;
    if (b->acks == ACKS_STOPPING && b->is_round_start && is_probe_over(b, e))
        return true;
    if (is_too_high(c, e->rate) || b->inflight_hi == NO_BOUND)
        return false;
    b->inflight_hi = (uint32_t)most(b->inflight_hi, e->rate->tx_in_flight);
    if (b->state == UP)
        probe_upward(c, b, e);
    return false;
}

/* -- the beginning ----------------------------------------------------------------------------- */

static void leave_startup(struct cc *c, struct bbr *b)
{
    b->is_full = true;
    b->inflight_hi = (uint32_t)most(bbr_bdp(c, bbr_max_bw(b), 100), b->inflight_latest);
    b->undo_state = STARTUP;
}

/* Losses end it too: a round trip of recovery, too much lost, six stretches of it. Differs: not
 * while each round still brings a quarter more, for then the path is not full. */
static void check_startup(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    bool is_long = b->is_in_recovery && b->rounds != b->recovery_from;

    if (e->in_recovery && !b->is_in_recovery)
        b->recovery_from = b->rounds;
    b->is_in_recovery = e->in_recovery;
    if (b->state != STARTUP)
        return;
    if (e->rate->has_sack ? is_long && b->is_loss_round_start && b->full_bw_count > 0 &&
                                b->losses >= STARTUP_LOSSES && is_too_high(c, e->rate)
                          : e->in_recovery && b->losses > 0)
        leave_startup(c, b);
    if (!b->is_full)
        return;
    b->state = DRAIN;
    b->drain_from = b->rounds;
}

static void check_drain(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    if (b->state == DRAIN &&
        (e->rate->in_flight <= bbr_with_bursts(c, bbr_bdp(c, bbr_bw(b), 100)) ||
         b->rounds > b->drain_from + DRAIN_ROUNDS))
        begin_down(b, (uint32_t)e->now_us);
}

/* -- the shortest round trip ------------------------------------------------------------------- */

static void check_probe_rtt_done(struct cc *c, struct bbr *b, uint32_t now)
{
    if (!b->is_probe_rtt_timed || (int32_t)(now - b->probe_rtt_done_us) <= 0)
        return;
    b->probe_rtt_at_us = now;
    bbr_restore_cwnd(c);
    bbr_reset_lower_bounds(b);
    c->holds_back = false;
    b->state = STARTUP;
    if (b->is_full) {
        begin_down(b, now);
        b->state = CRUISE;
    }
}

static void begin_probe_rtt(struct cc *c, struct bbr *b)
{
    b->prior_cwnd = b->is_saved ? (uint32_t)most(b->prior_cwnd, c->cwnd) : c->cwnd;
    b->state = PROBE_RTT;
    b->is_probe_rtt_timed = false;
    c->holds_back = true;
    begin_round(b, ACKS_STOPPING);
}

/* Unless the queue was empty by itself within five seconds, it is made so for 200 ms. */
static void check_probe_rtt(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    uint32_t now = (uint32_t)e->now_us;

    if (b->state != PROBE_RTT && b->is_probe_rtt_expired && !b->is_restart)
        begin_probe_rtt(c, b);
    b->is_restart = false;
    if (b->state != PROBE_RTT)
        return;
    if (!b->is_probe_rtt_timed && e->rate->in_flight <= bbr_probe_rtt_cwnd(c)) {
        b->is_probe_rtt_timed = true;
        b->is_probe_rtt_round = false;
        b->probe_rtt_done_us = now + PROBE_RTT_US;
        b->round_end = b->delivered;
        return;
    }
    b->is_probe_rtt_round |= b->is_round_start;
    if (b->is_probe_rtt_round)
        check_probe_rtt_done(c, b, now);
}

/* -- an ACK ------------------------------------------------------------------------------------ */

static void begin(struct bbr *b, const struct ack_event *e)
{
    b->is_begun = true;
    b->round_end = b->loss_round_end = e->rate->prior_delivered;
    b->extra_from_us = b->min_rtt_at_us = (uint32_t)e->now_us;
}

static void bbr_on_ack(struct cc *c, const struct ack_event *e, const struct rtt *r)
{
    struct bbr *b = bbr_of(c);
    uint64_t bw;

    if (!b->pacing_rate && r->srtt_us)
        b->pacing_rate = bbr_first_rate(c, r);
    b->delivered = e->rate->total_delivered;
    b->seen_at_us = (uint32_t)e->now_us;
    if (!e->rate->is_set || !e->rate->interval_us)
        return;
    if (!b->is_begun)
        begin(b, e);
    bw = e->rate->delivered * 1000000ull / e->rate->interval_us;
    bbr_learn_signals(c, e, bw);
    bbr_learn_extra(c, e);
    bbr_learn_full_bw(b, e, bw);
    check_startup(c, b, e);
    check_drain(c, b, e);
    if (b->is_full && !adapt_upper_bounds(c, b, e))
        update_cycle(c, b, e, bw);
    bbr_learn_rtt(c, e);
    check_probe_rtt(c, b, e);
    bbr_end_signals(b, e, bw);
    bbr_control(c, e);
}

/* -- losses, marks, idle ----------------------------------------------------------------------- */

/* At which amount in flight did the losses pass what is tolerated? Somewhere in the stretch that is
 * lost now. */
static uint32_t inflight_at_loss(const struct cc *c, const struct rate_sample *s, uint32_t bytes)
{
    uint32_t flight = s->tx_in_flight - (uint32_t)least(bytes, s->tx_in_flight);
    uint64_t allowed = bbr_tolerance(c, flight), lost = s->lost - least(bytes, s->lost);

    return flight + (allowed > lost ? (uint32_t)((allowed - lost) * 50 / 49) : 0);
}

static void bbr_on_lost(struct cc *c, const struct rate_sample *lost, uint32_t bytes, int64_t now)
{
    struct rate_sample s = *lost;
    struct bbr *b = bbr_of(c);

    b->delivered = s.total_delivered;
    b->losses++;
    bbr_note_loss(c);
    if (!b->may_judge || !s.is_set || !is_too_high(c, &s))
        return;
    s.tx_in_flight = inflight_at_loss(c, &s, bytes);
    handle_too_high(c, b, &s, (uint32_t)now);
}

/* The draft says nothing of marks: to 3168 one is a loss, and the only one that there will be. */
static void bbr_on_ecn(struct cc *c, uint32_t in_flight)
{
    struct bbr *b = bbr_of(c);
    struct rate_sample s = {.tx_in_flight = (uint32_t)((uint64_t)in_flight * 7 / 10)};

    bbr_note_loss(c);
    if (b->state == STARTUP)
        leave_startup(c, b);
    else if (b->may_judge)
        handle_too_high(c, b, &s, b->seen_at_us);
}

static void bbr_on_timeout(struct cc *c, uint32_t in_flight)
{
    (void)in_flight;
    bbr_note_loss(c);
}

static void bbr_on_recovered(struct cc *c)
{
    bbr_restore_cwnd(c);
    bbr_bound_cwnd(c);
    bbr_of(c)->is_saved = false;
}

/* Nothing was lost: what it was left for goes on. */
static void bbr_on_undo(struct cc *c)
{
    struct bbr *b = bbr_of(c);

    if (!b->may_undo)
        return;
    b->may_undo = b->is_saved = b->has_loss = false;
    c->holds_back = b->state == PROBE_RTT;
    bbr_restore_cwnd(c);
    bbr_reset_full_bw(b, 0);
    b->bw_lo = most(b->bw_lo, b->undo_bw_lo);
    b->inflight_lo = (uint32_t)most(b->inflight_lo, b->undo_inflight_lo);
    b->inflight_hi = (uint32_t)most(b->inflight_hi, b->undo_inflight_hi);
    if (b->undo_state == STARTUP && b->state != STARTUP) {
        b->is_full = false;
        b->state = b->state == PROBE_RTT ? PROBE_RTT : STARTUP;
    } else if (b->undo_state == UP && b->state != UP && b->state != PROBE_RTT) {
        begin_refill(b);
    }
    b->undo_state = CRUISE;
}

static void bbr_on_restart(struct cc *c, int64_t now)
{
    struct bbr *b = bbr_of(c);

    b->is_restart = true;
    b->extra_from_us = (uint32_t)now;
    b->extra_delivered = 0;
    if (bbr_is_in_probe_bw(b))
        bbr_pace(b, 100);
    else if (b->state == PROBE_RTT)
        check_probe_rtt_done(c, b, (uint32_t)now);
}

static void bbr_init(struct cc *c, uint32_t mss)
{
    struct bbr *b = bbr_of(c);

    (void)mss;
    c->holds_back = false;
    b->initial_cwnd = c->cwnd;
    b->min_rtt_us = b->probe_rtt_us = NO_BOUND;
    b->inflight_hi = NO_BOUND;
    b->undo_state = CRUISE;
    bbr_reset_lower_bounds(b);
}

static uint64_t bbr_pacing_rate(const struct cc *c, const struct rtt *r)
{
    uint64_t rate = bbr_of(c)->pacing_rate;

    return rate ? rate : r->srtt_us ? bbr_first_rate(c, r) : UINT64_MAX;
}

const struct cc_algo cc_bbr = {
    .name = "bbr",
    .block_bytes = sizeof(struct bbr),
    .has_own_cwnd = true,
    .init = bbr_init,
    .on_ack = bbr_on_ack,
    .on_lost = bbr_on_lost,
    .on_ecn = bbr_on_ecn,
    .on_timeout = bbr_on_timeout,
    .on_recovered = bbr_on_recovered,
    .on_undo = bbr_on_undo,
    .on_restart = bbr_on_restart,
    .pacing_rate = bbr_pacing_rate,
};
