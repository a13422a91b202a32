/* Behind which member of a wire a MAC is: what a switch learns from source addresses.
 *
 * Knows: MAC addresses and the numbers of members. Shape: MACS_SETS sets of MACS_WAYS entries under
 * a keyed hash; the least recently seen goes when a set is full. An entry that nothing was heard of
 * for five minutes counts as none. Units: ns. Errors: none: what is not known is flooded.
 * Cost: one hash and MACS_WAYS compares a look. */
#ifndef DRIVERS_WIRE_MACS_H
#define DRIVERS_WIRE_MACS_H

#include <stdbool.h>

#include "base/siphash.h"

#define MACS_SETS 64
#define MACS_WAYS 4
#define MACS_AGE_NS INT64_C(300000000000)

struct macs {
    struct sipkey key;
    struct mac_entry {
        uint64_t mac; /* as mac_number has it; 0: free */
        int member;
        int64_t seen_at;
    } set[MACS_SETS][MACS_WAYS];
};

/* The six bytes as a number; 0 is nobody's. */
static inline uint64_t mac_number(const uint8_t mac[6])
{
    uint64_t n = 0;

    for (int i = 0; i < 6; i++)
        n = n << 8 | mac[i];
    return n;
}

static inline bool mac_is_group(uint64_t mac)
{
    return mac >> 40 & 1;
}

/* A group's address is nobody's, and is not learned. */
void macs_learn(struct macs *m, uint64_t mac, int member, int64_t now_ns);
int macs_find(struct macs *m, uint64_t mac, int64_t now_ns); /* the member, -1: not known */
void macs_forget(struct macs *m, int member);

#endif
