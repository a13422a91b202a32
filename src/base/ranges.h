/* A sorted set of sequence ranges of bounded size: which bytes beyond a hole are there.
 *
 * Knows: seq. Shape: n <= RANGES_MAX; ranges are disjoint, not adjacent, ascending in sequence
 * order; all lie within 2^31 of each other. Units: bytes. Errors: add refuses when a new range does
 * not fit.
 * Cost: O(RANGES_MAX) at worst, O(1) for appending at the end. */
#ifndef BASE_RANGES_H
#define BASE_RANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/seq.h"

#define RANGES_MAX 122  /* 1 KiB with what tcp keeps beside it */
#define RANGES_RECENT 4 /* so many are told by SACK */

struct range {
    struct seq start, end; /* [start, end) */
};

struct ranges {
    uint32_t n;
    uint32_t recents;
    struct seq recent[RANGES_RECENT]; /* a byte of each that was last added to, newest first */
    struct range at[RANGES_MAX];
};

/* Adds [start, end), merging what touches. False, and nothing changed, if it would need a range
 * more than RANGES_MAX. *fresh (may be NULL) gets how many bytes of it were new. */
bool ranges_add(struct ranges *r, struct seq start, struct seq end, uint32_t *fresh);
/* If the first range starts at or before `at`: removes it and returns its end; otherwise returns
 * at. */
struct seq ranges_take(struct ranges *r, struct seq at);
/* Forgets everything below `at`. */
void ranges_trim(struct ranges *r, struct seq at);
/* Those last added to, newest first (2018#4), then others in order: at most `max`. */
uint32_t ranges_recent(const struct ranges *r, struct range *out, uint32_t max);
/* *both gets the first stretch of [start, end) that is inside the set. False: there is none. */
bool ranges_overlap(const struct ranges *r, struct seq start, struct seq end, struct range *both);
bool ranges_has(const struct ranges *r, struct seq start, struct seq end); /* wholly inside one */

#endif
