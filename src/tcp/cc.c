/* Congestion control: which algorithms there are.
 *
 * Knows: def/congestion.def. Not what an algorithm does. Shape: cc_algos by enum cc_name.
 * Units: bytes. Errors: -1 for an unknown name. Cost: O(1). */
#include <string.h>

#include "tcp/cc.h"
#include "tcp/tcp.h"

#define CC(name, doc) extern const struct cc_algo cc_##name;
#include "def/congestion.def"
#undef CC

const struct cc_algo *const cc_algos[CC_COUNT] = {
#define CC(name, doc) &cc_##name,
#include "def/congestion.def"
#undef CC
};

int tcp_congestion_find(const char *name)
{
    for (int i = 0; i < CC_COUNT; i++)
        if (strcmp(cc_algos[i]->name, name) == 0)
            return i;
    return -1;
}

const char *tcp_congestion_name(int i)
{
    return i >= 0 && i < CC_COUNT ? cc_algos[i]->name : NULL;
}

void cc_init(struct cc *c, uint8_t algo, uint32_t mss, uint32_t initial_segments)
{
    *c = (struct cc){.algo = algo, .ssthresh = UINT32_MAX, .mss = (uint16_t)mss};
    c->cwnd = mss * initial_segments;
}

/* 5681#4.1: what was measured before a long silence is not known to hold; slow start may go back to
 * three quarters of it (2861#3, 7661#4.4.3). */
void cc_restart(struct cc *c, uint32_t initial)
{
    uint32_t most = c->cwnd - c->cwnd / 4;

    if (cc_algo(c)->has_own_cwnd)
        return;
    if (c->cwnd > initial) {
        if (c->ssthresh < most)
            c->ssthresh = most;
        c->cwnd = initial;
    }
    c->acked = 0;
    if (cc_algo(c)->on_idle)
        cc_algo(c)->on_idle(c);
}

/* 5681#3.1: the initial window is a number of segments; more of them, although smaller, would be a
 * burst. What was acknowledged since is known to pass (1191#6.4). */
void cc_on_smaller_start(struct cc *c, uint32_t mss)
{
    if (!cc_algo(c)->has_own_cwnd)
        c->cwnd = (uint32_t)((uint64_t)c->cwnd * mss / c->mss);
}

/* 5681#3.2 step 2: what limited transmit or a recovery sent beyond cwnd is not counted. */
static uint32_t counted(const struct cc *c, uint32_t flight)
{
    return flight < c->cwnd ? flight : c->cwnd;
}

void cc_on_loss(struct cc *c, uint32_t flight)
{
    if (cc_algo(c)->on_loss)
        cc_algo(c)->on_loss(c, counted(c, flight));
}

void cc_on_timeout(struct cc *c, uint32_t flight)
{
    if (cc_algo(c)->on_timeout)
        cc_algo(c)->on_timeout(c, counted(c, flight));
}

/* 5681#3.2 step 6, 9937#6; after a timeout cwnd is on its way already. */
void cc_on_recovered(struct cc *c, bool is_fast)
{
    if (cc_algo(c)->on_recovered)
        cc_algo(c)->on_recovered(c);
    else if (is_fast && !cc_algo(c)->has_own_cwnd)
        c->cwnd = c->ssthresh;
}

/* 3168#6.1.2: as if it were a loss, but where nothing is lost nothing may grow. */
void cc_on_ecn(struct cc *c, uint32_t flight)
{
    uint32_t before = c->cwnd;

    if (cc_algo(c)->on_ecn)
        cc_algo(c)->on_ecn(c, counted(c, flight));
    else
        cc_on_loss(c, flight);
    if (c->cwnd > before)
        c->cwnd = before;
}
