/* A pool of objects of one size, named by 32-bit indexes from 1; 0 names none.
 *
 * Knows: mem. Shape: objects live in chunks that never move; a chunk whose objects are all free
 * goes back to mem (one empty chunk is kept). A fresh object is cleared. Units: objects. Errors: 0
 * when the limit `max` or mem refuses. Cost: O(1). */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct pool_chunk {
    void *block;    /* what mem gave: the chunk is the first multiple of 64 bytes in it */
    uint64_t *live; /* bitmap, lies behind the objects */
    uint32_t used;
    uint32_t fresh;      /* slots from here on were never in use */
    uint32_t first_free; /* slot + 1 of those that were; each begins with the next one */
    uint32_t next, prev; /* chunks with room, + 1 */
    uint8_t objects[] __attribute__((aligned(64)));
};

struct pool {
    struct mem *mem;
    struct pool_chunk **chunk; /* by (index - 1) >> log2 */
    uint32_t chunk_count;      /* entries of `chunk` in use, some may be NULL */
    uint32_t chunk_room;
    uint32_t chunk_hole;    /* no entry below is NULL */
    uint32_t object_size;   /* multiple of 8 */
    uint32_t log2;          /* objects in a chunk */
    uint32_t slot_mask;     /* one less than these */
    uint32_t first_partial; /* chunk with a free object, + 1; 0: none */
    uint32_t used, max, empty_chunks;
};

void pool_init(struct pool *p, struct mem *mem, uint32_t object_size, uint32_t max);
void pool_fini(struct pool *p); /* frees all chunks, whatever is in use */
uint32_t pool_new(struct pool *p);
void pool_free(struct pool *p, uint32_t index);
bool pool_is_live(const struct pool *p, uint32_t index); /* any number may be asked */
/* First live object with an index >= from (from >= 1), or 0. O(1) amortized over a walk. */
uint32_t pool_next(const struct pool *p, uint32_t from);

/* The object of a live index. */
static inline void *pool_at(const struct pool *p, uint32_t index)
{
    uint32_t i = index - 1;
    struct pool_chunk *c = p->chunk[i >> p->log2];
    return c->objects + (size_t)(i & p->slot_mask) * p->object_size;
}

#endif
