/* The accounted allocator: see mem.h.
 *
 * Knows: the caller's alloc and free, or the C library's. Not what the memory is for.
 * Shape: only sizes that are a power of two of 64 bytes to 4 MiB are cached, last in first out;
 * `held` is what users have, `cached` what lies idle. Units: bytes.
 * Errors: NULL over the ceiling, or when the allocator refuses although the cache was given back.
 * Cost: a list operation for a cached size, otherwise that of the caller's allocator. */
#include "base/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/poison.h"

#define CACHED_MAX_PRESET ((size_t)4 << 20)

static void *libc_alloc(void *ctx, size_t bytes);
static void libc_free(void *ctx, void *p, size_t bytes);
static inline int class_of(size_t bytes);
/* Apart: inside mem_alloc it would make that save registers for nothing. */
static __attribute__((noinline)) void *alloc_fresh(struct mem *m, size_t bytes);
static void *cache_take(struct mem *m, int size_class, size_t bytes);
static void cache_drain(struct mem *m);

void mem_init(struct mem *m, void *(*alloc)(void *, size_t), void (*free)(void *, void *, size_t),
              void *ctx)
{
    *m = (struct mem){
        .alloc = alloc ? alloc : libc_alloc,
        .free = free ? free : libc_free,
        .ctx = ctx,
        .cached_max = CACHED_MAX_PRESET,
    };
}

void mem_fini(struct mem *m)
{
    must(m->held == 0);
    cache_drain(m);
    must(m->cached == 0);
}

/* Whether so much more may be held: a ceiling of 0 wraps to one that nothing reaches. */
static bool is_below_ceiling(const struct mem *m, size_t held)
{
    return held - 1 <= m->max - 1;
}

/* Each flight takes and gives back a few blocks: those that lie in the cache go by here. */
void *mem_alloc(struct mem *m, size_t bytes)
{
    int size_class = class_of(bytes);
    void *p = size_class >= 0 ? m->cache[size_class] : NULL;

    if (!p || !is_below_ceiling(m, m->held + bytes))
        return alloc_fresh(m, bytes);
    unpoison(p, bytes);
    memcpy(&m->cache[size_class], p, sizeof(void *));
    m->cached -= bytes;
    m->held += bytes;
    if (m->held > m->peak)
        m->peak = m->held;
    return p;
}

static void *alloc_fresh(struct mem *m, size_t bytes)
{
    void *p;

    must(bytes > 0);
    if (m->max && (m->held > m->max || bytes > m->max - m->held)) {
        m->refused++;
        return NULL;
    }
    if (m->max && m->cached > m->max - m->held - bytes)
        cache_drain(m); /* what lies idle counts, too */
    p = m->alloc(m->ctx, bytes);
    if (!p && m->cached) {
        cache_drain(m);
        p = m->alloc(m->ctx, bytes);
    }
    if (!p) {
        m->refused++;
        return NULL;
    }
    m->held += bytes;
    if (m->held > m->peak)
        m->peak = m->held;
    return p;
}

void *mem_zalloc(struct mem *m, size_t bytes)
{
    void *p = mem_alloc(m, bytes);

    if (p)
        memset(p, 0, bytes);
    return p;
}

void mem_free(struct mem *m, void *p, size_t bytes)
{
    int size_class = class_of(bytes);

    if (!p)
        return;
    must(bytes - 1 < m->held);
    if (size_class < 0 || m->cached + bytes > m->cached_max || !is_below_ceiling(m, m->held)) {
        m->held -= bytes;
        m->free(m->ctx, p, bytes);
        return;
    }
    memcpy(p, &m->cache[size_class], sizeof(void *));
    m->cache[size_class] = p;
    m->held -= bytes;
    m->cached += bytes;
    poison(p, bytes);
}

static void *libc_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void libc_free(void *ctx, void *p, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    free(p);
}

/* -1: not a size that is cached. */
static inline int class_of(size_t bytes)
{
    unsigned log2 = (unsigned)__builtin_ctzll(bytes | (size_t)1 << 63);

    if (bytes & (bytes - 1) || log2 - MEM_CLASS_MIN_LOG2 >= MEM_CLASSES)
        return -1;
    return (int)(log2 - MEM_CLASS_MIN_LOG2);
}

static void *cache_take(struct mem *m, int size_class, size_t bytes)
{
    void *p = m->cache[size_class];

    if (!p)
        return NULL;
    unpoison(p, bytes);
    memcpy(&m->cache[size_class], p, sizeof(void *));
    m->cached -= bytes;
    return p;
}

static void cache_drain(struct mem *m)
{
    for (int size_class = 0; size_class < MEM_CLASSES; size_class++) {
        size_t bytes = (size_t)1 << (MEM_CLASS_MIN_LOG2 + size_class);
        void *p;

        while ((p = cache_take(m, size_class, bytes)) != NULL)
            m->free(m->ctx, p, bytes);
    }
}
