/* A hierarchical timing wheel with ticks of one microsecond. One node per endpoint.
 *
 * Knows: pool. Shape: a node is 12 bytes and lives inside a pool object; a handle names pool and
 * index. 6 levels of 64 slots with a bitmap each; a node lies on the level of the highest base-64
 * digit in which its instant and now differ, in the slot of that digit, and moves down as time
 * passes. Deadlines are exact; more than 2^31 - 1 us ahead are clamped, so owners keep the true
 * instant and arm again (they do that anyway: a deadline that moves later is left alone and found
 * out when the node fires). Units: microseconds. Cost: O(1), amortized. */
#ifndef BASE_WHEEL_H
#define BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"

#define WHEEL_LEVELS 6
#define WHEEL_SLOTS 64
#define WHEEL_POOLS 4

/* Which pool (2 bits) and which object (30 bits); 0 is none. */
typedef uint32_t wheel_ref;

struct wheel_node {
    wheel_ref next, prev; /* within a slot; 0: its ends */
    uint32_t at;          /* low bits of the instant, valid while armed */
};
/* A node that is not armed has next == prev == WHEEL_IDLE. */
#define WHEEL_IDLE UINT32_MAX

struct wheel_slot {
    wheel_ref first, last; /* valid while the slot's bit in `busy` is set */
};

struct wheel {
    int64_t now_us; /* all nodes due at or before were handed out */
    struct pool *pool[WHEEL_POOLS];
    uint32_t offset[WHEEL_POOLS]; /* of the node in the object */
    uint64_t busy[WHEEL_LEVELS];
    struct wheel_slot slot[WHEEL_LEVELS][WHEEL_SLOTS];
    struct wheel_slot due; /* at or before now_us, not yet taken; first 0: none */
    uint32_t armed;
};

void wheel_init(struct wheel *w, int64_t now_us);
void wheel_add_pool(struct wheel *w, int kind, struct pool *p, uint32_t node_offset);
static inline wheel_ref wheel_ref_of(int kind, uint32_t index)
{
    return (uint32_t)kind << 30 | index;
}
static inline int wheel_ref_kind(wheel_ref ref)
{
    return (int)(ref >> 30);
}
static inline uint32_t wheel_ref_index(wheel_ref ref)
{
    return ref & 0x3fffffffu;
}

void wheel_node_init(struct wheel_node *n);
/* Arms, or moves, the node to at_us. An instant in the past counts as now: the next step fires
 * it. */
void wheel_arm(struct wheel *w, wheel_ref ref, int64_t at_us);
void wheel_disarm(struct wheel *w, wheel_ref ref); /* not armed: nothing */
bool wheel_is_armed(const struct wheel_node *n);
/* The next node due at or before now_us, disarmed, in order of instants, equal ones in order of
 * arming; 0: none left, and w->now_us is now_us (a step back is not followed). */
wheel_ref wheel_step(struct wheel *w, int64_t now_us);
/* Not later than the first deadline, and exactly that when few nodes are near it; INT64_MAX:
 * nothing armed. */
int64_t wheel_next(const struct wheel *w);
/* Without a step of time: is a node waiting to be taken? */
static inline bool wheel_has_due(const struct wheel *w)
{
    return w->due.first != 0;
}

#endif
