/* The memory that two members of a wire share: two lanes, one each way.
 *
 * Knows: memfd and seals. Not who the peer is. Shape: a page of controls, then the bytes of the
 * lane from who made it, then those of the other; it can neither shrink nor grow, so that no access
 * faults. Units: bytes of one lane. Errors: -errno; -EBADF where a peer's is not as it has to be.
 * Cost: pages are there once they are written to. */
#ifndef DRIVERS_WIRE_MEMORY_H
#define DRIVERS_WIRE_MEMORY_H

#include "drivers/wire_lane.h"

struct wire_memory {
    uint8_t *base;
    uint32_t lane_bytes;
};

/* The descriptor to hand to the peer. */
int wire_memory_make(struct wire_memory *m, uint32_t lane_bytes);
/* Maps what a peer made, once it is seen to be safe. The descriptor stays the caller's. */
int wire_memory_take(struct wire_memory *m, uint32_t lane_bytes, int fd);
/* Our ends. Both lanes are to be as new. */
void wire_memory_lanes(const struct wire_memory *m, bool is_maker, struct lane *out,
                       struct lane *in);
void wire_memory_free(struct wire_memory *m);

#endif
