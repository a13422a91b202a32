/* The book of datagrams that are being put together: found by key, counted by source, bounded in
 * memory. 791#3.2, 1122#3.3.2.
 *
 * Knows: keys, pages, limits. Not what fragments hold. Shape: of all datagrams, and of those of one
 * source, the oldest makes room; it is never the one in hand. Units: bytes, microseconds. Errors:
 * 0 or false where there is no room. Cost: O(1) for each datagram; one block for each page. */
#include <string.h>

#include "ip/frag_inner.h"

#define DATAGRAMS_MAX 1048576 /* above what ipfrag_high_thresh has room for */

struct source {
    struct list datagrams; /* the oldest first */
    struct weir_addr addr;
    uint32_t hash;
};

#define CHARGE ((uint32_t)(sizeof(struct datagram) + sizeof(struct source)))

void frag_init(struct frags *f, struct mem *mem, struct rng *seed)
{
    *f = (struct frags){.mem = mem, .key = rng_key(seed)};
    pool_init(&f->datagrams, mem, sizeof(struct datagram), DATAGRAMS_MAX);
    pool_init(&f->sources, mem, sizeof(struct source), DATAGRAMS_MAX);
    table_init(&f->by_key, mem);
    table_init(&f->by_source, mem);
    list_init(&f->order, &f->datagrams, offsetof(struct datagram, order));
}

static struct source *source_at(const struct frags *f, uint32_t index)
{
    return pool_at(&f->sources, index);
}

/* -- finding and forgetting -------------------------------------------------------------------- */

static uint32_t hash_of(const struct frags *f, const struct frag_in *in)
{
    uint64_t word[5];

    memcpy(word, &in->src, 16);
    memcpy(word + 2, &in->dst, 16);
    word[4] = (uint64_t)in->proto << 32 | in->id;
    return (uint32_t)siphash13_words(&f->key, word, 5);
}

uint32_t datagram_find(const struct frags *f, const struct frag_in *in, uint32_t *hash)
{
    uint32_t pos = 0, index;

    *hash = hash_of(f, in);
    while ((index = table_find(&f->by_key, *hash, &pos))) {
        const struct datagram *d = datagram_at(f, index);

        if (d->id == in->id && d->proto == in->proto && weir_addr_equal(&d->src, &in->src) &&
            weir_addr_equal(&d->dst, &in->dst))
            return index;
    }
    return 0;
}

static void free_pages(struct frags *f, struct datagram *d)
{
    for (int i = 0; i < PAGES; i++) {
        if (!d->page[i])
            continue;
        mem_free(f->mem, d->page[i], sizeof(struct page));
        d->page[i] = NULL;
        f->held_bytes -= (uint32_t)sizeof(struct page);
    }
}

static void leave_source(struct frags *f, uint32_t index)
{
    uint32_t source = datagram_at(f, index)->source;
    struct source *s = source_at(f, source);

    list_unlink(&s->datagrams, index);
    if (s->datagrams.first)
        return;
    table_remove(&f->by_source, s->hash, source);
    pool_free(&f->sources, source);
}

void datagram_forget(struct frags *f, uint32_t index)
{
    struct datagram *d = datagram_at(f, index);

    free_pages(f, d);
    leave_source(f, index);
    list_unlink(&f->order, index);
    table_remove(&f->by_key, d->hash, index);
    pool_free(&f->datagrams, index);
    f->held_bytes -= CHARGE;
}

void datagram_give_up(struct frags *f, uint32_t index)
{
    f->failed += !datagram_at(f, index)->is_refused; /* counted when it was refused */
    datagram_forget(f, index);
}

/* 5722#4: the pieces that came, and those that did not yet. */
void datagram_refuse(struct frags *f, uint32_t index)
{
    struct datagram *d = datagram_at(f, index);

    f->failed += !d->is_refused;
    free_pages(f, d);
    d->is_refused = true;
    d->hdr_len = 0;
}

void frag_release(struct frags *f)
{
    mem_free(f->mem, f->whole, f->whole_bytes);
    f->whole = NULL;
    f->whole_bytes = 0;
}

void frag_fini(struct frags *f)
{
    while (f->order.first)
        datagram_forget(f, f->order.first);
    frag_release(f);
    table_fini(&f->by_key);
    table_fini(&f->by_source);
    pool_fini(&f->datagrams);
    pool_fini(&f->sources);
}

/* -- beginning a datagram ---------------------------------------------------------------------- */

/* Room for `bytes` more; `keep` is not given up for it. */
static bool make_room(struct frags *f, const struct frag_limits *limit, uint32_t bytes,
                      uint32_t keep)
{
    while (f->held_bytes + bytes > limit->high_thresh && f->order.first && f->order.first != keep)
        datagram_give_up(f, f->order.first);
    return f->held_bytes + bytes <= limit->high_thresh;
}

static uint32_t source_find_or_new(struct frags *f, const struct weir_addr *addr)
{
    uint64_t word[2];
    uint32_t hash, pos = 0, index;
    struct source *s;

    memcpy(word, addr, sizeof word);
    hash = (uint32_t)siphash13_words(&f->key, word, 2);
    while ((index = table_find(&f->by_source, hash, &pos)))
        if (weir_addr_equal(&source_at(f, index)->addr, addr))
            return index;
    index = pool_new(&f->sources);
    if (!index)
        return 0;
    if (!table_add(&f->by_source, hash, index)) {
        pool_free(&f->sources, index);
        return 0;
    }
    s = source_at(f, index);
    s->addr = *addr;
    s->hash = hash;
    list_init(&s->datagrams, &f->datagrams, offsetof(struct datagram, of_source));
    return index;
}

static bool join_source(struct frags *f, uint32_t index)
{
    struct datagram *d = datagram_at(f, index);

    d->source = source_find_or_new(f, &d->src);
    if (d->source)
        list_append(&source_at(f, d->source)->datagrams, index);
    return d->source;
}

static uint32_t datagram_new(struct frags *f, const struct frag_in *in, uint32_t hash,
                             int64_t now_us)
{
    uint32_t index = pool_new(&f->datagrams);
    struct datagram *d;

    if (!index)
        return 0;
    d = datagram_at(f, index);
    d->src = in->src;
    d->dst = in->dst;
    d->id = in->id;
    d->proto = in->proto;
    d->ifindex = (uint8_t)in->ifindex;
    d->hash = hash;
    d->began_us = now_us;
    if (!join_source(f, index)) {
        pool_free(&f->datagrams, index);
        return 0;
    }
    if (!table_add(&f->by_key, hash, index)) {
        leave_source(f, index);
        pool_free(&f->datagrams, index);
        return 0;
    }
    list_append(&f->order, index);
    f->held_bytes += CHARGE;
    return index;
}

uint32_t datagram_begin(struct frags *f, const struct frag_limits *limit, const struct frag_in *in,
                        uint32_t hash, int64_t now_us)
{
    uint32_t index;
    struct list *of_source;

    if (!make_room(f, limit, CHARGE, 0))
        return 0;
    index = datagram_new(f, in, hash, now_us);
    if (!index)
        return 0;
    of_source = &source_at(f, datagram_at(f, index)->source)->datagrams;
    if (limit->max_dist && of_source->count > limit->max_dist)
        datagram_give_up(f, of_source->first);
    return index;
}

bool datagram_open(struct frags *f, const struct frag_limits *limit, uint32_t index, uint32_t start,
                   uint32_t end)
{
    struct datagram *d = datagram_at(f, index);

    for (uint32_t i = start / PAGE_BYTES; i <= (end - 1) / PAGE_BYTES; i++) {
        if (d->page[i])
            continue;
        if (!make_room(f, limit, sizeof(struct page), index))
            return false;
        d->page[i] = mem_alloc(f->mem, sizeof(struct page));
        if (!d->page[i])
            return false;
        memset(d->page[i]->have, 0, sizeof d->page[i]->have);
        f->held_bytes += (uint32_t)sizeof(struct page);
    }
    return true;
}
