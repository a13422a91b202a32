/* A hash table of 32-bit references under a caller's hash: open addressing, no tombstones.
 *
 * Knows: mem. Shape: a slot holds the upper hash bits and the reference, 0 is empty; at most 3/4
 * full; the caller compares keys. Units: entries. Errors: add refuses when it cannot grow. Cost:
 * O(1) expected under a keyed hash; growing rehashes from the stored hash without touching the
 * objects. */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"
#include "base/must.h"

struct table {
    struct mem *mem;
    uint64_t *slot; /* hash (upper 32 bits) and reference (lower 32) */
    uint32_t size;  /* 0 or a power of two */
    uint32_t used;
};

void table_init(struct table *t, struct mem *mem);
void table_fini(struct table *t);
bool table_add(struct table *t, uint32_t hash, uint32_t ref) MUST_USE;
void table_remove(struct table *t, uint32_t hash, uint32_t ref);
void table_replace(struct table *t, uint32_t hash, uint32_t old_ref, uint32_t new_ref);
/* Walks the references filed under `hash`: start with *pos = 0; 0 ends. */
uint32_t table_find(const struct table *t, uint32_t hash, uint32_t *pos);

#endif
