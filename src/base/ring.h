/* A byte ring that owns no memory while it is empty.
 *
 * Knows: mem. Shape: size is 0 or a power of two; len <= size; bytes [0, len) are readable, bytes
 * behind len may be placed early (ring_place) and become readable by ring_extend. Units: bytes,
 * offsets from the first readable byte. Errors: ring_reserve is the only call that can fail.
 * Cost: O(1) and the copy; growing copies what is held (all `used` bytes from the start). */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct ring {
    uint8_t *buf;
    uint32_t size;
    uint32_t head; /* index of the first readable byte, < size */
    uint32_t len;
};

struct ring_slice {
    uint8_t *data;
    uint32_t len;
};

/* Makes room for `capacity` bytes in all, keeping the first `used` (>= len) bytes. The new size is
 * the power of two that holds it, at least 2 KiB. */
bool ring_reserve(struct ring *r, struct mem *m, uint32_t capacity, uint32_t used);
/* Gives back what [0, len) does not need. False: nothing, or there is no memory to move to. */
bool ring_shrink(struct ring *r, struct mem *m);
void ring_release(struct ring *r, struct mem *m); /* frees the buffer; len becomes 0 */

/* The slices of [off, off + n), n > 0, off + n <= size. Returns 1 or 2. */
int ring_slices(const struct ring *r, uint32_t off, uint32_t n, struct ring_slice out[2]);
void ring_place(struct ring *r, uint32_t off, const void *src, uint32_t n); /* copy in, anywhere */
void ring_peek(const struct ring *r, uint32_t off, void *dst, uint32_t n);  /* copy out */

static inline void ring_extend(struct ring *r, uint32_t n)
{
    r->len += n;
}

/* Drops n <= len bytes from the front. */
static inline void ring_consume(struct ring *r, uint32_t n)
{
    r->head = (r->head + n) & (r->size - 1);
    r->len -= n;
}

#endif
