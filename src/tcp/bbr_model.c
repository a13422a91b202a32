/* What BBR knows of the path: its bandwidth, its shortest round trip, what losses say of both.
 *
 * Knows: struct bbr and the rate sample. Not what is done about it. Shape: max_bw is the most of
 * two probing cycles, min_rtt the least of ten seconds; bw_lo and inflight_lo fall in each round
 * with losses until the next probe forgets them; `extra` is what ACKs brought beyond the bandwidth,
 * the most of five to ten rounds. Units: see bbr.h. Errors: none. Cost: a division for an ACK.
 * draft-ietf-ccwg-bbr-06#5.5 */
#include "tcp/bbr.h"

#define MIN_RTT_FILTER_US 10000000
#define PROBE_RTT_INTERVAL_US 5000000
#define NOISE 32u /* of a round trip one of so many */
#define FULL_BW_ROUNDS 3
#define EXTRA_ROUNDS 5 /* of each half of the filter */
#define QUANTUM_MAX 65536u
#define CHANCE_MAX 33u   /* one of so many */
#define POLICED 16u      /* more than one of so many */
#define CHANCE_ROUNDS 8u /* the weight of one round is an eighth */

/* gain * bw * min_rtt */
uint32_t bbr_bdp(const struct cc *c, uint64_t bw, uint32_t gain)
{
    const struct bbr *b = bbr_of(c);

    if (b->min_rtt_us == NO_BOUND)
        return b->initial_cwnd;
    return (uint32_t)least(least(bw, UINT64_MAX >> 32) * b->min_rtt_us / 1000000 * gain / 100,
                           INT32_MAX);
}

/* A millisecond's. */
static uint64_t one_burst(const struct cc *c, const struct bbr *b)
{
    return most(least(b->pacing_rate >> 10, QUANTUM_MAX), 2u * c->mss);
}

/* A burst each in the sender, on its way to the receiver and in it. */
uint32_t bbr_with_bursts(const struct cc *c, uint64_t n)
{
    const struct bbr *b = bbr_of(c);

    n = most(n, most(3 * one_burst(c, b), bbr_cwnd_min(c)));
    return (uint32_t)least(b->state == UP ? n + 2u * c->mss : n, INT32_MAX);
}

/* 15 % below where losses began: others find room. */
uint32_t bbr_with_headroom(const struct cc *c)
{
    const struct bbr *b = bbr_of(c);
    uint32_t room = (uint32_t)most(c->mss, (uint64_t)b->inflight_hi * 15 / 100);

    if (b->inflight_hi == NO_BOUND)
        return NO_BOUND;
    return (uint32_t)most(b->inflight_hi - least(room, b->inflight_hi), bbr_cwnd_min(c));
}

static uint32_t root(uint64_t n)
{
    uint64_t r = 0;

    for (uint64_t bit = 1u << 31; bit; bit >>= 1)
        if ((r | bit) * (r | bit) <= n)
            r |= bit;
    return (uint32_t)r;
}

/* 2 %, and what the path loses by chance, of which there is now more and now less; in STARTUP that
 * is not known and taken for the most that it may be. Where nothing waits and very much is lost, a
 * policer is at work, not chance. Differs: the draft knows only the 2 %. */
uint32_t bbr_tolerance(const struct cc *c, uint32_t flight)
{
    const struct bbr *b = bbr_of(c);
    uint64_t chance = b->chance_sent ? (uint64_t)flight * b->chance_lost / b->chance_sent : 0;

    if (chance > flight / POLICED)
        chance = 0;
    if (!b->is_full || chance > flight / CHANCE_MAX)
        chance = flight / CHANCE_MAX;
    return flight / 50 + (uint32_t)chance + root(chance * c->mss);
}

void bbr_reset_lower_bounds(struct bbr *b)
{
    b->bw_lo = NO_BW;
    b->inflight_lo = NO_BOUND;
}

void bbr_reset_full_bw(struct bbr *b, uint64_t bw)
{
    b->full_bw = bw;
    b->full_bw_count = 0;
    b->is_full_bw_now = false;
}

void bbr_reset_signals(struct bbr *b)
{
    b->has_loss = false;
    b->bw_latest = b->inflight_latest = 0;
}

/* -- an ACK ------------------------------------------------------------------------------------ */

static void update_round(struct bbr *b, const struct ack_event *e)
{
    b->is_round_start = (int32_t)(e->rate->prior_delivered - b->round_end) >= 0;
    if (!b->is_round_start)
        return;
    b->round_end = b->delivered;
    b->rounds++;
    b->rounds_since_probe++;
    if (++b->extra_rounds >= (b->is_full ? EXTRA_ROUNDS : 1)) {
        b->extra_rounds = 0;
        b->extra[0] = b->extra[1];
        b->extra[1] = 0;
    }
}

/* In a round with losses what one can count on falls; while probing that is the probe's affair. */
static void adapt_lower_bounds(struct cc *c, struct bbr *b)
{
    bool is_probing = b->state == STARTUP || b->state == REFILL || b->state == UP;

    if (is_probing || !b->has_loss)
        return;
    if (b->bw_lo == NO_BW)
        b->bw_lo = bbr_max_bw(b);
    if (b->inflight_lo == NO_BOUND)
        b->inflight_lo = c->cwnd;
    b->bw_lo = most(b->bw_latest, b->bw_lo * 7 / 10);
    b->inflight_lo = (uint32_t)most(b->inflight_latest, (uint64_t)b->inflight_lo * 7 / 10);
}

/* Where nothing is probed and nothing waits in the queue, a loss is none of our making. */
static void learn_chance(const struct cc *c, struct bbr *b, const struct ack_event *e)
{
    uint32_t rtt_us = e->has_newest ? (uint32_t)e->now_us - e->newest_at_us : 0;
    uint64_t bursts_us = bbr_with_bursts(c, 0) * 1000000ull / most(bbr_max_bw(b), 1);
    uint64_t most_us = bursts_us + b->min_rtt_us + b->min_rtt_us / 16;
    bool is_empty = b->round_rtt_us && b->round_rtt_us < most_us;

    b->round_rtt_us = (uint32_t)most(b->round_rtt_us, rtt_us);
    if (!b->is_round_start)
        return;
    b->round_rtt_us = rtt_us;
    if (!is_empty || (b->state != CRUISE && b->state != PROBE_RTT))
        return;
    b->chance_lost += e->rate->lost - b->chance_lost / CHANCE_ROUNDS;
    b->chance_sent += e->rate->tx_in_flight - b->chance_sent / CHANCE_ROUNDS;
}

/* Differs: what was lost within the tolerance counts as if it had come. Else a path that loses one
 * in a hundred by chance would slow each round by as much, down to half before the next probe. */
void bbr_learn_signals(struct cc *c, const struct ack_event *e, uint64_t bw)
{
    struct bbr *b = bbr_of(c);
    uint32_t lost = (uint32_t)least(e->rate->lost, bbr_tolerance(c, e->rate->tx_in_flight));

    b->bw_latest = most(b->bw_latest, bw + lost * 1000000ull / e->rate->interval_us);
    b->inflight_latest = (uint32_t)most(b->inflight_latest, e->rate->delivered + lost);
    b->is_loss_round_start = (int32_t)(e->rate->prior_delivered - b->loss_round_end) >= 0;
    if (b->is_loss_round_start)
        b->loss_round_end = b->delivered;
    update_round(b, e);
    learn_chance(c, b, e);
    if (bw >= bbr_max_bw(b) || !e->rate->is_app_limited)
        b->max_bw[1] = most(b->max_bw[1], bw);
    if (!b->is_loss_round_start)
        return;
    adapt_lower_bounds(c, b);
    b->has_loss = false;
}

/* What arrived beyond what the bandwidth explains: ACKs come in clumps. */
void bbr_learn_extra(struct cc *c, const struct ack_event *e)
{
    struct bbr *b = bbr_of(c);
    uint32_t now = (uint32_t)e->now_us;
    uint64_t expected = bbr_bw(b) * (now - b->extra_from_us) / 1000000;

    if (b->extra_delivered <= expected) {
        b->extra_delivered = 0;
        b->extra_from_us = now;
        expected = 0;
    }
    b->extra_delivered += e->delivered;
    b->extra[1] = (uint32_t)most(b->extra[1], least(b->extra_delivered - expected, c->cwnd));
}

/* Three rounds that tried for more and got less than a quarter more: this is all there is. */
void bbr_learn_full_bw(struct bbr *b, const struct ack_event *e, uint64_t bw)
{
    if (b->is_full_bw_now || !b->is_round_start || e->rate->is_app_limited)
        return;
    if (bw * 4 >= b->full_bw * 5) {
        bbr_reset_full_bw(b, bw);
        return;
    }
    b->is_full_bw_now = ++b->full_bw_count >= FULL_BW_ROUNDS;
    b->is_full |= b->is_full_bw_now;
}

/* Nothing waits but a burst of our own. Differs: the draft wants the shortest itself seen again,
 * which noise and bursts prevent, and so empties an empty queue for 200 ms in each five seconds. */
static bool is_shortest_again(const struct cc *c, const struct bbr *b, const struct ack_event *e)
{
    uint64_t short_us = (uint64_t)b->probe_rtt_us + b->probe_rtt_us / NOISE;

    return b->probe_rtt_us != NO_BOUND && e->rtt_us &&
           (e->rtt_us <= short_us ||
            (e->rtt_us - short_us) * bbr_max_bw(b) <= one_burst(c, b) * 1000000);
}

void bbr_learn_rtt(const struct cc *c, const struct ack_event *e)
{
    struct bbr *b = bbr_of(c);
    uint32_t now = (uint32_t)e->now_us;

    if (is_shortest_again(c, b, e))
        b->probe_rtt_at_us = now;
    b->is_probe_rtt_expired = b->probe_rtt_us != NO_BOUND &&
                              now - b->probe_rtt_at_us > PROBE_RTT_INTERVAL_US;
    if (e->rtt_us && (e->rtt_us < b->probe_rtt_us || b->is_probe_rtt_expired)) {
        b->probe_rtt_us = e->rtt_us;
        b->probe_rtt_at_us = now;
    }
    if (b->probe_rtt_us < b->min_rtt_us || now - b->min_rtt_at_us > MIN_RTT_FILTER_US) {
        b->min_rtt_us = b->probe_rtt_us;
        b->min_rtt_at_us = b->probe_rtt_at_us;
    }
}

void bbr_end_signals(struct bbr *b, const struct ack_event *e, uint64_t bw)
{
    if (!b->is_loss_round_start)
        return;
    b->losses = 0;
    b->bw_latest = bw;
    b->inflight_latest = e->rate->delivered;
}

/* -- a loss ------------------------------------------------------------------------------------ */

/* The first of a round begins the round that it is judged by; the first of a recovery is what a
 * recovery that was for nothing goes back to. */
void bbr_note_loss(struct cc *c)
{
    struct bbr *b = bbr_of(c);

    if (!b->has_loss)
        b->loss_round_end = b->delivered;
    b->has_loss = true;
    b->prior_cwnd = b->is_saved || b->state == PROBE_RTT ? (uint32_t)most(b->prior_cwnd, c->cwnd)
                                                         : c->cwnd;
    if (b->is_saved)
        return;
    b->is_saved = b->may_undo = true;
    b->undo_state = CRUISE; /* neither STARTUP nor UP: nothing to go back to */
    b->undo_bw_lo = b->bw_lo;
    b->undo_inflight_lo = b->inflight_lo;
    b->undo_inflight_hi = b->inflight_hi;
}
