/* Where a connection's numbers count from: those of its first segment with an ACK.
 *
 * Knows: addresses and ports. Shape: a table that doubles, and begins anew after FLOWS_MAX
 * connections, so that a capture without end needs a bounded memory. Units: none. Errors: without
 * memory numbers are printed as they are. Cost: O(1). */
#include <stdlib.h>
#include <string.h>

#include "dump/print.h"

#define FLOWS_MIN 1024u
#define FLOWS_MAX (1u << 20)
#define FLAG_SYN 2
#define FLAG_ACK 16

struct key {
    uint8_t addr[32];
    uint16_t port[2];
};
struct entry {
    struct key key; /* port[0] 0 and port[1] 0: free */
    struct flow flow;
    bool is_used;
};
struct flows {
    struct entry *entry;
    uint32_t size, used;
};

static uint32_t hash_of(const struct key *k)
{
    const uint8_t *p = (const uint8_t *)k;
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < sizeof *k; i++)
        h = (h ^ p[i]) * 16777619u;
    return h ^ h >> 15;
}

static struct entry *slot_of(const struct flows *f, const struct key *k)
{
    uint32_t at = hash_of(k) & (f->size - 1);

    while (f->entry[at].is_used && memcmp(&f->entry[at].key, k, sizeof *k) != 0)
        at = (at + 1) & (f->size - 1);
    return &f->entry[at];
}

static bool grow(struct flows *f)
{
    struct flows old = *f;

    f->size = old.size ? old.size * 2 : FLOWS_MIN;
    f->entry = calloc(f->size, sizeof *f->entry);
    if (!f->entry) {
        *f = old;
        return false;
    }
    for (uint32_t i = 0; i < old.size; i++)
        if (old.entry[i].is_used)
            *slot_of(f, &old.entry[i].key) = old.entry[i];
    free(old.entry);
    return true;
}

static bool has_room(struct flows *f)
{
    if (f->used < f->size / 4 * 3)
        return true;
    if (f->size < FLOWS_MAX)
        return grow(f);
    memset(f->entry, 0, f->size * sizeof *f->entry);
    f->used = 0;
    return true;
}

/* Both directions of a connection have one key: the end with the lower port first. */
static struct key key_of(const struct inet *in, const uint8_t *tcp, bool *is_reverse)
{
    uint16_t sport = get16(tcp), dport = get16(tcp + 2);
    size_t n = in->is_v6 ? 16 : 4;
    struct key k = {.port = {0}};

    *is_reverse = sport > dport || (sport == dport && memcmp(in->src, in->dst, n) > 0);
    memcpy(k.addr, *is_reverse ? in->dst : in->src, n);
    memcpy(k.addr + 16, *is_reverse ? in->src : in->dst, n);
    k.port[0] = *is_reverse ? dport : sport;
    k.port[1] = *is_reverse ? sport : dport;
    return k;
}

struct flow flow_base(struct dump *d, const struct inet *in, const uint8_t *tcp, bool *is_reverse)
{
    struct key k = key_of(in, tcp, is_reverse);
    uint32_t seq = get32(tcp + 4), ack = get32(tcp + 8);
    struct entry *e;

    if (d->is_absolute || !(tcp[13] & FLAG_ACK)) {
        *is_reverse = false;
        return (struct flow){0, 0};
    }
    if (!d->flows && !(d->flows = calloc(1, sizeof *d->flows)))
        return (struct flow){0, 0};
    if (!has_room(d->flows))
        return (struct flow){0, 0};
    e = slot_of(d->flows, &k);
    if (e->is_used && !(tcp[13] & FLAG_SYN))
        return e->flow;
    d->flows->used += !e->is_used;
    *e = (struct entry){.key = k, .is_used = true, .flow = {seq, ack - 1}};
    if (*is_reverse)
        e->flow = (struct flow){ack - 1, seq};
    return (struct flow){0, 0};
}

void flows_free(struct flows *f)
{
    if (f)
        free(f->entry);
    free(f);
}
