/* Random numbers of one stack: SipHash of a counter under a key, so a seed repeats them and an
 * observer cannot foretell them.
 *
 * Knows: siphash. Shape: one stream. Cost: one hash a number. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/siphash.h"

struct rng {
    struct sipkey key;
    uint64_t counter;
};

void rng_init(struct rng *r, uint64_t seed0, uint64_t seed1);
uint64_t rng_u64(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* 0 <= x < n, unbiased, n > 0 */
/* A key for another use; each call gives another one. */
struct sipkey rng_key(struct rng *r);

#endif
