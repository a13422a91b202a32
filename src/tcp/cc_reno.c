/* Reno: slow start, congestion avoidance and halving.
 *
 * Knows: struct cc only. Shape: cwnd >= mss. Units: bytes. Errors: none. Cost: O(1).
 * 5681#3.1, 5681#3.2; bytes are counted (3465), so ACK division gains nothing (27) */
#include "tcp/cc.h"

static void reno_init(struct cc *c, uint32_t mss)
{
    (void)c;
    (void)mss;
}

static void reno_on_ack(struct cc *c, const struct ack_event *e, const struct rtt *r)
{
    uint32_t acked = e->acked;

    (void)r;
    if (e->in_recovery || acked == 0 || !e->is_cwnd_limited)
        return;
    if (c->cwnd < c->ssthresh) {
        uint32_t room = c->ssthresh - c->cwnd, grow = acked < room ? acked : room;
        c->cwnd += grow;
        acked -= grow;
    }
    if (c->cwnd < c->ssthresh)
        return;
    c->acked += acked;
    while (c->acked >= c->cwnd) { /* one MSS for each window of bytes */
        c->acked -= c->cwnd;
        c->cwnd += c->mss;
    }
}

static void halve(struct cc *c, uint32_t flight)
{
    uint32_t half = flight / 2;

    c->ssthresh = half > 2u * c->mss ? half : 2u * c->mss;
    c->acked = 0;
}

static void reno_on_loss(struct cc *c, uint32_t flight)
{
    halve(c, flight);
    c->cwnd = c->ssthresh;
}

static void reno_on_timeout(struct cc *c, uint32_t flight)
{
    halve(c, flight);
    c->cwnd = c->mss;
}

const struct cc_algo cc_reno = {
    .name = "reno",
    .init = reno_init,
    .on_ack = reno_on_ack,
    .on_loss = reno_on_loss,
    .on_timeout = reno_on_timeout,
};
