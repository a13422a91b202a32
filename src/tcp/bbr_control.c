/* What BBR does with its picture of the path: the pacing rate, and cwnd.
 *
 * Knows: struct bbr. Not when a state ends (cc_bbr.c). Shape: the rate is bandwidth times the
 * state's gain, less one in a hundred; cwnd grows by what arrives, up to what the gain allows, and
 * stays below the bounds that losses set. Units: see bbr.h. Errors: none. Cost: two divisions for
 * an ACK. draft-ietf-ccwg-bbr-06#5.6 */
#include "tcp/bbr.h"

#define STARTUP_GAIN 277

static uint32_t pacing_gain(const struct bbr *b)
{
    static const uint16_t gains[] = {STARTUP_GAIN, 50, 90, 100, 100, 125, 100}; /* by state */

    return gains[b->state];
}

static uint32_t cwnd_gain(const struct bbr *b)
{
    return b->state == UP ? 225 : b->state == PROBE_RTT ? 50 : 200;
}

uint32_t bbr_probe_rtt_cwnd(const struct cc *c)
{
    return (uint32_t)most(bbr_bdp(c, bbr_bw(bbr_of(c)), 50), bbr_cwnd_min(c));
}

void bbr_restore_cwnd(struct cc *c)
{
    c->cwnd = (uint32_t)most(c->cwnd, bbr_of(c)->prior_cwnd);
}

void bbr_pace(struct bbr *b, uint32_t gain)
{
    uint64_t rate = bbr_bw(b) * gain / 100 * 99 / 100;

    if (rate && (b->is_full || rate > b->pacing_rate))
        b->pacing_rate = rate;
}

void bbr_bound_cwnd(struct cc *c)
{
    const struct bbr *b = bbr_of(c);
    uint64_t cap = NO_BOUND;

    if (b->state == CRUISE || b->state == PROBE_RTT)
        cap = bbr_with_headroom(c);
    else if (bbr_is_in_probe_bw(b))
        cap = b->inflight_hi;
    cap = least(cap, b->inflight_lo);
    if (b->state == PROBE_RTT)
        cap = least(cap, bbr_probe_rtt_cwnd(c));
    c->cwnd = (uint32_t)least(c->cwnd, most(cap, bbr_cwnd_min(c)));
}

static void set_cwnd(struct cc *c, struct bbr *b, const struct ack_event *e)
{
    uint64_t extra = most(b->extra[0], b->extra[1]);
    uint32_t max = bbr_with_bursts(c, bbr_bdp(c, bbr_bw(b), cwnd_gain(b)) + extra);

    if (b->is_full)
        c->cwnd = (uint32_t)least(c->cwnd + (uint64_t)e->delivered, max);
    else if (c->cwnd < max || b->delivered < b->initial_cwnd)
        c->cwnd += e->delivered;
    c->cwnd = (uint32_t)most(c->cwnd, bbr_cwnd_min(c));
    bbr_bound_cwnd(c);
}

void bbr_control(struct cc *c, const struct ack_event *e)
{
    struct bbr *b = bbr_of(c);

    bbr_pace(b, pacing_gain(b));
    set_cwnd(c, b, e);
}

/* What the initial window gives in a round trip. */
uint64_t bbr_first_rate(const struct cc *c, const struct rtt *r)
{
    return c->cwnd * 10000ull * STARTUP_GAIN / r->srtt_us;
}
