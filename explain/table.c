/* Open connections by their two ends.
 *
 * Knows: when a connection is over for good. Shape: a hash table that doubles, and a list in the
 * order of the last segment, so that what is over leaves: memory is what is open. Units: ns of the
 * capture. Errors: NULL. Cost: O(1) for each segment. */
#include <stdlib.h>
#include <string.h>

#include "explain/conn.h"

#define S 1000000000ll
#define OVER_NS (60 * S)       /* late segments of a connection that is over still belong to it */
#define HALF_OPEN_NS (300 * S) /* a SYN that nobody answered */

bool conns_begin(struct conns *t)
{
    t->buckets = 1024;
    t->bucket = calloc(t->buckets, sizeof *t->bucket);
    t->key = (uint64_t)(uintptr_t)t->bucket | 1; /* who made the capture can not know it */
    return t->bucket != NULL;
}

static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3ull;
    return h ^ h >> 29;
}

/* Equal for both directions. */
static uint64_t hash_of(const struct conns *t, const struct segment *s)
{
    uint64_t a = mix(mix(t->key, &s->src, 16), &s->h.sport, 2);
    uint64_t b = mix(mix(t->key, &s->dst, 16), &s->h.dport, 2);

    return (a + b) * 0x9e3779b97f4a7c15ull;
}

static bool is_end(const struct end *e, const struct weir_addr *a, uint16_t port)
{
    return e->port == port && weir_addr_equal(&e->addr, a);
}

static struct conn *lookup(const struct conns *t, const struct segment *s, uint64_t hash, int *from)
{
    struct conn *c = t->bucket[hash >> 20 & (t->buckets - 1)];

    for (; c; c = c->next_hash) {
        if (c->hash != hash)
            continue;
        for (*from = 0; *from < 2; ++*from)
            if (is_end(&c->end[*from], &s->src, s->h.sport) &&
                is_end(&c->end[!*from], &s->dst, s->h.dport))
                return c;
    }
    return NULL;
}

static void grow(struct conns *t)
{
    uint64_t n = t->buckets * 2;
    struct conn **bucket = calloc(n, sizeof *bucket);

    if (!bucket)
        return; /* it gets slower, not wrong */
    for (uint64_t i = 0; i < t->buckets; i++)
        for (struct conn *c = t->bucket[i], *next; c; c = next) {
            next = c->next_hash;
            c->next_hash = bucket[c->hash >> 20 & (n - 1)];
            bucket[c->hash >> 20 & (n - 1)] = c;
        }
    free(t->bucket);
    t->bucket = bucket;
    t->buckets = n;
}

static void unlink_order(struct conns *t, struct conn *c)
{
    *(c->older ? &c->older->newer : &t->oldest) = c->newer;
    *(c->newer ? &c->newer->older : &t->newest) = c->older;
}

static void link_newest(struct conns *t, struct conn *c)
{
    c->older = t->newest;
    c->newer = NULL;
    *(t->newest ? &t->newest->newer : &t->oldest) = c;
    t->newest = c;
}

static struct conn *add(struct conns *t, const struct segment *s, uint64_t hash)
{
    struct conn *c = calloc(1, sizeof *c);
    struct conn **head;

    if (!c)
        return NULL;
    if (++t->count > t->buckets)
        grow(t);
    head = &t->bucket[hash >> 20 & (t->buckets - 1)];
    c->next_hash = *head;
    *head = c;
    c->hash = hash;
    c->number = ++t->made;
    c->closer = c->rst_by = -1;
    c->iface = s->iface;
    c->first_at = c->last_at = s->at_ns;
    c->end[0].addr = s->src;
    c->end[0].port = s->h.sport;
    c->end[1].addr = s->dst;
    c->end[1].port = s->h.dport;
    link_newest(t, c);
    return c;
}

static void take_out(struct conns *t, struct conn *c)
{
    struct conn **at = &t->bucket[c->hash >> 20 & (t->buckets - 1)];

    while (*at != c)
        at = &(*at)->next_hash;
    *at = c->next_hash;
    unlink_order(t, c);
    t->count--;
    t->on_end(t->arg, c);
}

/* A SYN with a number of its own: the ports are used again. */
static bool is_next_life(const struct conn *c, int from, const struct segment *s)
{
    const struct end *e = &c->end[from];

    if ((s->h.flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
        return false;
    if (e->has_isn && e->isn == s->h.seq.v)
        return false;
    return c->is_over || (e->has_isn && c->end[!from].is_seen) || !c->is_opened;
}

struct conn *conns_find(struct conns *t, const struct segment *s, int *from)
{
    uint64_t hash = hash_of(t, s);
    struct conn *c = lookup(t, s, hash, from), *next;
    bool was_waiting;
    int64_t last;

    if (c && !is_next_life(c, *from, s))
        return c;
    if (!c) {
        *from = 0;
        return add(t, s, hash);
    }
    last = c->last_at;
    was_waiting = c->end[0].state == TIME_WAIT || c->end[1].state == TIME_WAIT;
    take_out(t, c);
    *from = 0;
    next = add(t, s, hash);
    if (next) {
        next->is_again = true;
        next->was_waiting = was_waiting;
        next->gap_ns = s->at_ns - last;
    }
    return next;
}

void conns_touch(struct conns *t, struct conn *c)
{
    int64_t now = c->last_at;
    struct conn *o = t->oldest, *newer;

    if (t->newest != c) {
        unlink_order(t, c);
        link_newest(t, c);
    }
    for (int looked = 0; o && o != c && looked < 4; o = newer, looked++) {
        bool is_half = o->is_opened && !o->established_at;
        newer = o->newer;
        if ((o->is_over && now - o->last_at > OVER_NS) ||
            (is_half && now - o->last_at > HALF_OPEN_NS))
            take_out(t, o);
        else if (!o->is_over) { /* open and idle: it waits at the other end of the list */
            unlink_order(t, o);
            link_newest(t, o);
        }
    }
}

void conns_finish(struct conns *t)
{
    while (t->oldest)
        take_out(t, t->oldest);
    free(t->bucket);
    t->bucket = NULL;
}
