/* Round trip times: least, greatest, and the median of evenly chosen ones.
 *
 * Knows: nothing. Shape: all samples until the room is full, then every second, every fourth, ...;
 * deterministic. Units: us. Errors: none. Cost: O(1) to add, O(n log n) to ask. */
#include <stdlib.h>
#include <string.h>

#include "explain/conn.h"

void rtt_add(struct end *e, int64_t ns)
{
    uint32_t us = ns < 0 ? 0 : ns / 1000 < UINT32_MAX ? (uint32_t)(ns / 1000) : UINT32_MAX;

    e->rtt_last = us;
    if (!e->rtt_count || us < e->rtt_min)
        e->rtt_min = us;
    if (us > e->rtt_max)
        e->rtt_max = us;
    if (!e->rtt_step)
        e->rtt_step = 1;
    if (e->rtt_count++ % e->rtt_step)
        return;
    if (e->rtts == SAMPLES) {
        for (unsigned i = 0; i < SAMPLES / 2; i++)
            e->rtt_us[i] = e->rtt_us[2 * i];
        e->rtts = SAMPLES / 2;
        e->rtt_step *= 2;
    }
    e->rtt_us[e->rtts++] = us;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

uint32_t rtt_median(const struct end *e)
{
    uint32_t sorted[SAMPLES];

    if (!e->rtts)
        return 0;
    memcpy(sorted, e->rtt_us, e->rtts * sizeof sorted[0]);
    qsort(sorted, e->rtts, sizeof sorted[0], by_size);
    return sorted[e->rtts / 2];
}
