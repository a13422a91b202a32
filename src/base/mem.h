/* The accounted allocator of one stack: every byte that the stack holds came from here.
 *
 * Knows: the caller's alloc and free. Shape: power-of-two blocks of 64 bytes to 4 MiB are kept in
 * free lists (up to `cached_max` bytes), so rings that come and go cost a list operation. Units:
 * bytes.
 * Errors: NULL when the ceiling or the allocator refuses. Cost: O(1). */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#define MEM_CLASS_MIN_LOG2 6
/* 64 bytes to 4 MiB: what comes and goes with each flight costs no malloc. */
#define MEM_CLASSES 17

struct mem {
    void *(*alloc)(void *ctx, size_t bytes);
    void (*free)(void *ctx, void *p, size_t bytes);
    void *ctx;
    size_t max;        /* ceiling of `held`; 0: none */
    size_t held, peak; /* handed out */
    size_t cached, cached_max;
    uint64_t refused;
    void *cache[MEM_CLASSES]; /* each free block begins with a pointer to the next */
};

void mem_init(struct mem *m, void *(*alloc)(void *, size_t), void (*free)(void *, void *, size_t),
              void *ctx);
void mem_fini(struct mem *m);                 /* gives back the cache; must(held == 0) */
void *mem_alloc(struct mem *m, size_t bytes); /* not cleared */
void *mem_zalloc(struct mem *m, size_t bytes);
void mem_free(struct mem *m, void *p, size_t bytes); /* p NULL: nothing */

#endif
