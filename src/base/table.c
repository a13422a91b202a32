/* Hash tables of references: see table.h.
 *
 * Knows: mem. Not what a reference names. Shape: an entry lies at its home (the hash's low bits) or
 * behind it with no empty slot between; removing moves later entries up, so there are no
 * tombstones.
 * Units: entries. Errors: table_add says false; removing what is not there traps.
 * Cost: O(1) expected. An empty table of some size is given back. */
#include "base/table.h"

#include <string.h>

#define SIZE_MIN 16u
#define SIZE_KEPT 256u /* an empty table up to this size stays */
#define SIZE_MAX_SLOTS 0x40000000u

static bool table_grow(struct table *t);
static uint32_t slot_of(const struct table *t, uint32_t hash, uint32_t ref);
static void slot_close(struct table *t, uint32_t hole);

void table_init(struct table *t, struct mem *mem)
{
    *t = (struct table){.mem = mem};
}

void table_fini(struct table *t)
{
    mem_free(t->mem, t->slot, t->size * sizeof *t->slot);
    table_init(t, t->mem);
}

static inline uint64_t entry(uint32_t hash, uint32_t ref)
{
    return (uint64_t)hash << 32 | ref;
}

static inline uint32_t entry_hash(uint64_t e)
{
    return (uint32_t)(e >> 32);
}

static void insert(uint64_t *slot, uint32_t mask, uint64_t e)
{
    uint32_t i = entry_hash(e) & mask;

    while (slot[i])
        i = (i + 1) & mask;
    slot[i] = e;
}

bool table_add(struct table *t, uint32_t hash, uint32_t ref)
{
    must(ref != 0);
    if (t->used + 1 > t->size / 4 * 3 && !table_grow(t))
        return false;
    insert(t->slot, t->size - 1, entry(hash, ref));
    t->used++;
    return true;
}

void table_remove(struct table *t, uint32_t hash, uint32_t ref)
{
    slot_close(t, slot_of(t, hash, ref));
    t->used--;
    if (!t->used && t->size > SIZE_KEPT)
        table_fini(t);
}

void table_replace(struct table *t, uint32_t hash, uint32_t old_ref, uint32_t new_ref)
{
    must(new_ref != 0);
    t->slot[slot_of(t, hash, old_ref)] = entry(hash, new_ref);
}

uint32_t table_find(const struct table *t, uint32_t hash, uint32_t *pos)
{
    uint32_t mask = t->size - 1;

    if (!t->size)
        return 0;
    for (uint32_t i = *pos;; i++) {
        uint64_t e = t->slot[(hash + i) & mask];

        if (e && entry_hash(e) != hash)
            continue;
        *pos = i + 1;
        return (uint32_t)e;
    }
}

static bool table_grow(struct table *t)
{
    uint32_t size = t->size ? 2 * t->size : SIZE_MIN;
    uint64_t *slot = size <= SIZE_MAX_SLOTS ? mem_zalloc(t->mem, size * sizeof *slot) : NULL;

    if (!slot)
        return false;
    for (uint32_t i = 0; i < t->size; i++)
        if (t->slot[i])
            insert(slot, size - 1, t->slot[i]);
    mem_free(t->mem, t->slot, t->size * sizeof *slot);
    t->slot = slot;
    t->size = size;
    return true;
}

static uint32_t slot_of(const struct table *t, uint32_t hash, uint32_t ref)
{
    uint32_t mask = t->size - 1;
    uint32_t i = hash & mask;

    must(t->used > 0);
    while (t->slot[i] != entry(hash, ref)) {
        must(t->slot[i] != 0);
        i = (i + 1) & mask;
    }
    return i;
}

/* An entry behind the hole moves into it if its home is not behind the hole. */
static void slot_close(struct table *t, uint32_t hole)
{
    uint32_t mask = t->size - 1;

    for (uint32_t i = (hole + 1) & mask; t->slot[i]; i = (i + 1) & mask) {
        uint32_t home = entry_hash(t->slot[i]) & mask;

        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        t->slot[hole] = t->slot[i];
        hole = i;
    }
    t->slot[hole] = 0;
}
