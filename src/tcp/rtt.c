/* Round-trip time and retransmission timeout.
 *
 * Knows: samples. Not where they come from. Shape: rto = srtt + max(G, 4 * rttvar), within the
 * knobs; backoff is not in here. Units: microseconds. Errors: none. Cost: O(1). 6298#2 */
#include "tcp/tcb.h"

#define FALL_BACK_US 3000000      /* 6298#5.7 */
#define CLOCK_GRANULARITY_US 1000 /* what a peer's timestamp resolves */

void rtt_init(const struct tcp *p, struct rtt *r)
{
    *r = (struct rtt){.rto_us = (uint32_t)p->knobs->tcp_rto_init_us, .min_us = UINT32_MAX};
}

void rtt_fall_back(const struct tcp *p, struct rtt *r)
{
    int64_t most = p->knobs->tcp_rto_max_ms * 1000;

    if (r->rto_us < FALL_BACK_US)
        r->rto_us = (uint32_t)(most < FALL_BACK_US ? most : FALL_BACK_US);
}

void rtt_sample(const struct tcp *p, struct rtt *r, uint32_t us)
{
    uint64_t rto, spread;

    if (us == 0)
        us = 1;
    if (us < r->min_us)
        r->min_us = us;
    if (r->srtt_us == 0) {
        r->srtt_us = us;
        r->var_us = us / 2;
    } else {
        uint32_t delta = us > r->srtt_us ? us - r->srtt_us : r->srtt_us - us;
        r->var_us = (uint32_t)(((uint64_t)r->var_us * 3 + delta) / 4);
        r->srtt_us = (uint32_t)(((uint64_t)r->srtt_us * 7 + us) / 8);
    }
    spread = (uint64_t)r->var_us * 4;
    if (spread < CLOCK_GRANULARITY_US)
        spread = CLOCK_GRANULARITY_US;
    rto = r->srtt_us + spread;
    if (rto < (uint64_t)p->knobs->tcp_rto_min_us)
        rto = (uint64_t)p->knobs->tcp_rto_min_us;
    if (rto > (uint64_t)p->knobs->tcp_rto_max_ms * 1000)
        rto = (uint64_t)p->knobs->tcp_rto_max_ms * 1000;
    r->rto_us = (uint32_t)rto;
}

/* Differs: nothing is learned of the shortest. An echo knows milliseconds only, and that of a
 * retransmission which overtook others would halve what a window for reordering is measured by. */
void rtt_echo(const struct tcp *p, struct rtt *r, uint32_t us)
{
    uint32_t min_us = r->min_us;

    rtt_sample(p, r, us);
    if (min_us != UINT32_MAX)
        r->min_us = min_us;
}
