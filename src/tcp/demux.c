/* Who a segment is for: flows by 4-tuple, listeners by local end.
 *
 * Knows: the two tables. Not what a segment means.
 * Shape: a reference is kind and pool index; each kind of object begins with its struct flow.
 * Units: none. Errors: adding fails when the table can not grow.
 * Cost: one SipHash-1-3 and a probe or two; a keyed hash, so nobody can aim at a slot (76).
 * Listeners: those of the port. */
#include <string.h>

#include "tcp/tcb.h"

static uint64_t word_of(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

/* The flow as words: fewer for IPv4, whose other bits are constant. */
static int words_of(const struct flow *f, uint64_t word[5])
{
    const uint32_t *l = f->local.w;
    const uint32_t *r = f->remote.w;
    int n = 0;

    if (!weir_addr_is_v4(&f->local)) {
        word[n++] = word_of(l[0], l[1]);
        word[n++] = word_of(r[0], r[1]);
        word[n++] = word_of(l[2], r[2]);
    }
    word[n++] = word_of(l[3], r[3]);
    word[n++] = (uint64_t)f->lport << 16 | f->rport;
    return n;
}

uint32_t flow_hash(const struct tcp *p, const struct flow *f)
{
    uint64_t word[5];

    return (uint32_t)siphash13_words(&p->flow_key, word, words_of(f, word));
}

uint64_t flow_secret(const struct sipkey *key, const struct flow *f)
{
    uint64_t word[5];

    return siphash24_words(key, word, words_of(f, word));
}

static const struct flow *flow_of(const struct tcp *p, wheel_ref ref)
{
    uint32_t index = wheel_ref_index(ref);

    switch (wheel_ref_kind(ref)) {
    case KIND_TCB:
        return &tcb_at(p, index)->flow;
    case KIND_SYN:
        return &syn_at(p, index)->flow;
    default:
        return &tw_at(p, index)->flow;
    }
}

uint32_t demux_find(const struct tcp *p, const struct flow *f, uint32_t hash)
{
    uint32_t pos = 0, ref;

    while ((ref = table_find(&p->demux, hash, &pos)))
        if (memcmp(flow_of(p, ref), f, sizeof *f) == 0)
            return ref;
    return 0;
}

bool demux_add(struct tcp *p, uint32_t hash, int kind, uint32_t index)
{
    return table_add(&p->demux, hash, wheel_ref_of(kind, index));
}

void demux_remove(struct tcp *p, uint32_t hash, int kind, uint32_t index)
{
    table_remove(&p->demux, hash, wheel_ref_of(kind, index));
}

static bool is_at(const struct flow *f, const struct weir_sockaddr *local)
{
    if (f->lport != local->port)
        return false;
    if (!weir_addr_is_any(&local->addr))
        return weir_addr_equal(&f->local, &local->addr);
    return !weir_addr_is_v4(&local->addr) || weir_addr_is_v4(&f->local);
}

bool tcp_port_in_use(const struct tcp *p, const struct weir_sockaddr *local, uint16_t reuse)
{
    for (uint32_t i = pool_next(&p->tcbs, 1); i; i = pool_next(&p->tcbs, i + 1)) {
        const struct tcb *t = tcb_at(p, i);
        if (t->state != CLOSED && t->state != LISTEN && !(t->opt.on & reuse) &&
            is_at(&t->flow, local))
            return true;
    }
    for (uint32_t i = pool_next(&p->tws, 1); i; i = pool_next(&p->tws, i + 1))
        if (!(tw_at(p, i)->reuse * OPT_REUSEADDR & reuse) && is_at(&tw_at(p, i)->flow, local))
            return true;
    return false;
}

/* -- listeners --------------------------------------------------------------------------------- */

/* Ports of listeners are our own choice: no key. */
static uint32_t port_hash(uint16_t port)
{
    return port * 2654435761u;
}

/* How well a listener fits the local end: 0 not at all, then any address of either family, any IPv4
 * address, this address. */
static int fit(const struct tcb *t, const struct flow *f)
{
    if (t->flow.lport != f->lport)
        return 0;
    if (weir_addr_equal(&t->flow.local, &f->local))
        return 3;
    if (!weir_addr_is_any(&t->flow.local))
        return 0;
    if (!weir_addr_is_v4(&t->flow.local))
        return t->opt.on & OPT_V6ONLY && weir_addr_is_v4(&f->local) ? 0 : 1;
    return weir_addr_is_v4(&f->local) ? 2 : 0;
}

/* The `nth` listener of those that fit best; *count gets how many these are. */
static uint32_t listen_nth(const struct tcp *p, const struct flow *f, uint32_t nth, uint32_t *count)
{
    uint32_t pos = 0, ref, chosen = 0;
    int best = 1;

    *count = 0;
    while ((ref = table_find(&p->listens, port_hash(f->lport), &pos))) {
        int fits = fit(tcb_at(p, ref), f);
        if (fits < best)
            continue;
        if (fits > best)
            *count = 0;
        best = fits;
        if (*count == 0 || *count == nth)
            chosen = ref;
        ++*count;
    }
    return chosen;
}

/* Listeners that share one local end (SO_REUSEPORT) are taken by the flow's hash, so a client's
 * repeated SYN meets the same one. */
uint32_t listen_find(const struct tcp *p, const struct flow *f, uint32_t spread)
{
    uint32_t count, found = listen_nth(p, f, 0, &count);

    if (count > 1)
        found = listen_nth(p, f, spread % count, &count);
    return found ? found : p->any_port;
}

bool listen_add(struct tcp *p, struct tcb *t)
{
    t->hash = port_hash(t->flow.lport);
    return table_add(&p->listens, t->hash, t->self);
}

void listen_remove(struct tcp *p, struct tcb *t)
{
    if (p->any_port == t->self)
        p->any_port = 0;
    else
        table_remove(&p->listens, t->hash, t->self);
}
