/* Random numbers: see rng.h.
 *
 * Knows: siphash. Not what they are for. Shape: number i is SipHash-2-4 of i under the seed.
 * Units: none. Errors: none; the stream does not end.
 * Cost: one hash a number; rng_below draws again with probability n / 2^32 at most. */
#include "base/rng.h"

#include "base/must.h"

void rng_init(struct rng *r, uint64_t seed0, uint64_t seed1)
{
    *r = (struct rng){.key = {seed0, seed1}};
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t i = r->counter++;

    return siphash24(&r->key, &i, sizeof i);
}

/* Lemire's method: the upper half of a product is uniform but for a few lower halves. */
uint32_t rng_below(struct rng *r, uint32_t n)
{
    uint64_t product = (rng_u64(r) >> 32) * n;

    must(n > 0);
    if ((uint32_t)product < n) {
        uint32_t uneven = (0u - n) % n;

        while ((uint32_t)product < uneven)
            product = (rng_u64(r) >> 32) * n;
    }
    return (uint32_t)(product >> 32);
}

struct sipkey rng_key(struct rng *r)
{
    uint64_t k0 = rng_u64(r);

    return (struct sipkey){k0, rng_u64(r)};
}
