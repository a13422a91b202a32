/* Sequence numbers, modulo 2^32. A struct, so that `<` does not compile. 9293#3.4
 *
 * Knows: nothing. Shape: comparisons hold for distances below 2^31. Units: bytes of sequence
 * space. */
#ifndef BASE_SEQ_H
#define BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

struct seq {
    uint32_t v;
};

static inline struct seq seq_of(uint32_t v)
{
    return (struct seq){v};
}
static inline struct seq seq_add(struct seq a, uint32_t n)
{
    return (struct seq){a.v + n};
}
static inline struct seq seq_sub(struct seq a, uint32_t n)
{
    return (struct seq){a.v - n};
}
/* a - b as a signed distance */
static inline int32_t seq_diff(struct seq a, struct seq b)
{
    return (int32_t)(a.v - b.v);
}
static inline bool seq_eq(struct seq a, struct seq b)
{
    return a.v == b.v;
}
static inline bool seq_lt(struct seq a, struct seq b)
{
    return seq_diff(a, b) < 0;
}
static inline bool seq_le(struct seq a, struct seq b)
{
    return seq_diff(a, b) <= 0;
}
static inline bool seq_gt(struct seq a, struct seq b)
{
    return seq_diff(a, b) > 0;
}
static inline bool seq_ge(struct seq a, struct seq b)
{
    return seq_diff(a, b) >= 0;
}
static inline struct seq seq_max(struct seq a, struct seq b)
{
    return seq_lt(a, b) ? b : a;
}
static inline struct seq seq_min(struct seq a, struct seq b)
{
    return seq_lt(a, b) ? a : b;
}
/* a < x <= b, a <= x < b, a <= x <= b; o: open end, c: closed end */
static inline bool seq_in_oc(struct seq a, struct seq x, struct seq b)
{
    return x.v - a.v - 1u < b.v - a.v;
}
static inline bool seq_in_co(struct seq a, struct seq x, struct seq b)
{
    return x.v - a.v < b.v - a.v;
}
static inline bool seq_in_cc(struct seq a, struct seq x, struct seq b)
{
    return x.v - a.v <= b.v - a.v;
}

#endif
