/* Pools of equal objects: see pool.h.
 *
 * Knows: mem. Not what an object is. Shape: a chunk is about 64 KiB, its number of objects a power
 * of two; chunks with room form a list; `live` has a bit for each slot in use. Units: objects.
 * Errors: 0 when the limit or mem refuses; freeing what is not live traps.
 * Cost: O(1); a chunk more costs a search for a hole in the chunk array, O(1) amortized. */
#include "base/pool.h"

#include <string.h>

#include "base/must.h"
#include "base/poison.h"

#define CHUNK_BYTES 65536u
#define CHUNK_ALIGN 64u
#define INDEX_MAX 0x3fffffffu /* wheel_ref has 30 bits for it */
#define BITS 64u

_Static_assert(sizeof(struct pool_chunk) == CHUNK_ALIGN, "objects begin at a cache line");

static uint32_t slots_of(const struct pool *p);
static bool chunk_add(struct pool *p);
static void chunk_remove(struct pool *p, uint32_t n);
static bool chunk_array_grow(struct pool *p);
static void partial_push(struct pool *p, uint32_t n);
static void partial_unlink(struct pool *p, uint32_t n);
static uint32_t slot_take(struct pool *p, struct pool_chunk *c);
static void *slot_at(const struct pool *p, struct pool_chunk *c, uint32_t slot);

void pool_init(struct pool *p, struct mem *mem, uint32_t object_size, uint32_t max)
{
    uint32_t log2 = 0;

    must(object_size >= 8 && object_size % 8 == 0 && object_size <= CHUNK_BYTES);
    must(max <= INDEX_MAX);
    while (2u << log2 <= CHUNK_BYTES / object_size && 1u << log2 < max)
        log2++;
    *p = (struct pool){.mem = mem,
                       .object_size = object_size,
                       .max = max,
                       .log2 = log2,
                       .slot_mask = (1u << log2) - 1};
}

void pool_fini(struct pool *p)
{
    for (uint32_t n = 0; n < p->chunk_count; n++)
        if (p->chunk[n])
            chunk_remove(p, n);
    mem_free(p->mem, p->chunk, p->chunk_room * sizeof *p->chunk);
    pool_init(p, p->mem, p->object_size, p->max);
}

uint32_t pool_new(struct pool *p)
{
    uint32_t n, slot;
    struct pool_chunk *c;

    if (p->used >= p->max || (!p->first_partial && !chunk_add(p)))
        return 0;
    n = p->first_partial - 1;
    c = p->chunk[n];
    if (!c->used)
        p->empty_chunks--;
    slot = slot_take(p, c);
    if (c->used == slots_of(p))
        partial_unlink(p, n);
    p->used++;
    return (n << p->log2) + slot + 1;
}

void pool_free(struct pool *p, uint32_t index)
{
    uint32_t n = (index - 1) >> p->log2;
    uint32_t slot = (index - 1) & p->slot_mask;
    struct pool_chunk *c;
    uint8_t *object;

    must(pool_is_live(p, index));
    c = p->chunk[n];
    object = slot_at(p, c, slot);
    memcpy(object, &c->first_free, sizeof c->first_free);
    poison(object + 8, p->object_size - 8);
    c->first_free = slot + 1;
    c->live[slot / BITS] &= ~(1ull << slot % BITS);
    if (c->used == slots_of(p))
        partial_push(p, n);
    c->used--;
    p->used--;
    if (c->used)
        return;
    if (p->empty_chunks)
        chunk_remove(p, n);
    else
        p->empty_chunks = 1;
}

bool pool_is_live(const struct pool *p, uint32_t index)
{
    uint32_t n = (index - 1) >> p->log2;
    uint32_t slot = (index - 1) & p->slot_mask;

    if (!index || n >= p->chunk_count || !p->chunk[n])
        return false;
    return p->chunk[n]->live[slot / BITS] >> slot % BITS & 1;
}

uint32_t pool_next(const struct pool *p, uint32_t from)
{
    uint32_t i = from - 1;
    uint32_t slots = slots_of(p);

    must(from > 0);
    for (uint32_t n = i >> p->log2; n < p->chunk_count; n++, i = n << p->log2) {
        const struct pool_chunk *c = p->chunk[n];
        uint32_t slot = i & p->slot_mask;

        while (c && c->used && slot < slots) {
            uint64_t bits = c->live[slot / BITS] >> slot % BITS;

            if (bits)
                return (n << p->log2) + slot + (uint32_t)__builtin_ctzll(bits) + 1;
            slot = (slot / BITS + 1) * BITS;
        }
    }
    return 0;
}

static uint32_t slots_of(const struct pool *p)
{
    return p->slot_mask + 1;
}

static size_t live_bytes(const struct pool *p)
{
    return (slots_of(p) + BITS - 1) / BITS * 8;
}

static size_t block_bytes(const struct pool *p)
{
    size_t objects = (size_t)slots_of(p) * p->object_size;

    return CHUNK_ALIGN - 1 + sizeof(struct pool_chunk) + objects + live_bytes(p);
}

static bool chunk_add(struct pool *p)
{
    uint32_t n = p->chunk_hole;
    struct pool_chunk *c;
    void *block;

    while (n < p->chunk_count && p->chunk[n])
        n++;
    p->chunk_hole = n;
    if (n == p->chunk_room && !chunk_array_grow(p))
        return false;
    block = mem_alloc(p->mem, block_bytes(p));
    if (!block)
        return false;
    c = (void *)(((uintptr_t)block + CHUNK_ALIGN - 1) & ~(uintptr_t)(CHUNK_ALIGN - 1));
    *c = (struct pool_chunk){.block = block};
    c->live = (void *)(c->objects + (size_t)slots_of(p) * p->object_size);
    memset(c->live, 0, live_bytes(p));
    poison(c->objects, (size_t)slots_of(p) * p->object_size);
    p->chunk[n] = c;
    p->chunk_hole = n + 1;
    if (n == p->chunk_count)
        p->chunk_count++;
    p->empty_chunks++;
    partial_push(p, n);
    return true;
}

static void chunk_remove(struct pool *p, uint32_t n)
{
    struct pool_chunk *c = p->chunk[n];

    if (c->used < slots_of(p))
        partial_unlink(p, n);
    unpoison(c->objects, (size_t)slots_of(p) * p->object_size);
    mem_free(p->mem, c->block, block_bytes(p));
    p->chunk[n] = NULL;
    if (n < p->chunk_hole)
        p->chunk_hole = n;
}

static bool chunk_array_grow(struct pool *p)
{
    uint32_t room = p->chunk_room ? 2 * p->chunk_room : 8;
    struct pool_chunk **more = mem_alloc(p->mem, room * sizeof *more);

    if (!more)
        return false;
    if (p->chunk_count)
        memcpy(more, p->chunk, p->chunk_count * sizeof *more);
    mem_free(p->mem, p->chunk, p->chunk_room * sizeof *more);
    p->chunk = more;
    p->chunk_room = room;
    return true;
}

static void partial_push(struct pool *p, uint32_t n)
{
    struct pool_chunk *c = p->chunk[n];

    c->prev = 0;
    c->next = p->first_partial;
    if (c->next)
        p->chunk[c->next - 1]->prev = n + 1;
    p->first_partial = n + 1;
}

static void partial_unlink(struct pool *p, uint32_t n)
{
    struct pool_chunk *c = p->chunk[n];

    if (c->prev)
        p->chunk[c->prev - 1]->next = c->next;
    else
        p->first_partial = c->next;
    if (c->next)
        p->chunk[c->next - 1]->prev = c->prev;
}

static uint32_t slot_take(struct pool *p, struct pool_chunk *c)
{
    uint32_t slot = c->first_free ? c->first_free - 1 : c->fresh++;
    uint8_t *object = slot_at(p, c, slot);

    if (c->first_free)
        memcpy(&c->first_free, object, sizeof c->first_free);
    unpoison(object, p->object_size);
    memset(object, 0, p->object_size);
    c->live[slot / BITS] |= 1ull << slot % BITS;
    c->used++;
    return slot;
}

static void *slot_at(const struct pool *p, struct pool_chunk *c, uint32_t slot)
{
    return c->objects + (size_t)slot * p->object_size;
}
