/* A path of 100 ms and 1 MB/s with BBR at its end, one ACK a round trip, for unit tests. */
#ifndef UNIT_TCP_BBR_PATH_H
#define UNIT_TCP_BBR_PATH_H

#include "tcp_bench.h"

#include "tcp/bbr.h"

#define MSS 1000u
#define MS 1000
#define RTT_US (100 * MS)
#define RATE 1000000u /* bytes/s: a product of 100 segments */
#define PRODUCT 100000u

struct path {
    struct cc c;
    struct bbr b;
    struct rtt r;
    struct ack_event e;
    struct rate_sample s;
    uint32_t total, in_flight, rtt_us;
};

static UNUSED struct path *begin_at(struct path *p, int64_t now_us, uint32_t total)
{
    *p = (struct path){
        .r = {.srtt_us = RTT_US}, .total = total, .in_flight = 10 * MSS, .rtt_us = RTT_US};
    cc_init(&p->c, CC_bbr, MSS, 10);
    p->c.block = &p->b;
    cc_algo(&p->c)->init(&p->c, MSS);
    p->e.now_us = now_us;
    return p;
}

/* An ACK of a whole round trip, in which `bytes` were delivered. */
static UNUSED void round_trip(struct path *p, uint32_t bytes)
{
    p->e.now_us += RTT_US;
    p->s.is_set = p->s.has_sack = true;
    p->s.prior_delivered = p->total;
    p->s.delivered = p->e.delivered = p->e.acked = bytes;
    p->s.interval_us = RTT_US;
    p->s.tx_in_flight = bytes;
    p->s.total_delivered = p->total += bytes;
    p->s.in_flight = p->e.in_flight = p->in_flight;
    p->e.rtt_us = p->rtt_us;
    p->e.rate = &p->s;
    cc_algo(&p->c)->on_ack(&p->c, &p->e, &p->r);
    p->s.lost = 0;
}

static UNUSED void lose(struct path *p, uint32_t tx_in_flight, uint32_t lost)
{
    struct rate_sample s = {.is_set = true,
                            .has_sack = true,
                            .tx_in_flight = tx_in_flight,
                            .lost = lost,
                            .total_delivered = p->total};

    cc_algo(&p->c)->on_lost(&p->c, &s, MSS, p->e.now_us);
}

/* Doubles up to the rate, then three rounds without growth, then the queue drains. */
static UNUSED void fill(struct path *p)
{
    for (uint32_t n = 10 * MSS; n < PRODUCT; n *= 2)
        round_trip(p, n);
    for (int i = 0; i < 4; i++)
        round_trip(p, PRODUCT);
}

/* Nothing waits but a burst of two segments, or a little more does: the shortest round trip must be
 * asked for. */
#define BURST_RTT_US (RTT_US + RTT_US / 32 + 2 * MS)
#define QUEUE_RTT_US (BURST_RTT_US + 1)

static UNUSED void go_to(struct path *p, uint8_t state)
{
    p->rtt_us = state == PROBE_RTT ? QUEUE_RTT_US : RTT_US;
    for (int i = 0; i < 100 && p->b.state != state; i++)
        round_trip(p, PRODUCT);
    assert_int_equal(p->b.state, state);
}

static UNUSED struct path *in_state(struct path *p, uint8_t state)
{
    begin_at(p, 0, 0);
    fill(p);
    go_to(p, state);
    return p;
}

#endif
