/* Who a segment is for: flows by 4-tuple, listeners by local end.
 *
 * Knows: the two tables. Not what a segment means.
 * Shape: a reference is kind and pool index; each kind of object begins with its struct flow.
 * Units: none. Errors: adding fails when the table can not grow.
 * Cost: one SipHash-1-3 and a probe or two; a keyed hash, so nobody can aim at a slot (76). */
#include <string.h>

#include "tcp/tcb.h"

static uint64_t word_of(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

uint32_t flow_hash(const struct tcp *p, const struct flow *f)
{
    const uint32_t *l = f->local.w;
    const uint32_t *r = f->remote.w;
    uint64_t ports = (uint64_t)f->lport << 16 | f->rport;

    if (weir_addr_is_v4(&f->local)) {
        uint64_t word[2] = {word_of(l[3], r[3]), ports};
        return (uint32_t)siphash13_words(&p->flow_key, word, 2);
    }
    uint64_t word[5] = {word_of(l[0], l[1]), word_of(l[2], l[3]), word_of(r[0], r[1]),
                        word_of(r[2], r[3]), ports};
    return (uint32_t)siphash13_words(&p->flow_key, word, 5);
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

/* -- listeners --------------------------------------------------------------------------------- */

static uint32_t local_hash(const struct tcp *p, const struct weir_addr *a, uint16_t port)
{
    uint64_t word[3] = {word_of(a->w[0], a->w[1]), word_of(a->w[2], a->w[3]), port};

    return (uint32_t)siphash13_words(&p->flow_key, word, 3);
}

/* The `nth` listener of this local end; *count gets how many there are. */
static uint32_t listen_nth(const struct tcp *p, const struct weir_sockaddr *local, uint32_t nth,
                           uint32_t *count)
{
    uint32_t hash = local_hash(p, &local->addr, local->port), pos = 0, ref, chosen = 0;

    *count = 0;
    while ((ref = table_find(&p->listens, hash, &pos))) {
        const struct tcb *t = tcb_at(p, ref);
        if (t->flow.lport != local->port || !weir_addr_equal(&t->flow.local, &local->addr))
            continue;
        if ((*count)++ == nth)
            chosen = ref;
    }
    return chosen;
}

/* Listeners that share one local end (SO_REUSEPORT) are taken by the flow's hash, so a client's
 * repeated SYN meets the same one. */
static uint32_t listen_pick(const struct tcp *p, const struct weir_addr *a, uint16_t port,
                            uint32_t spread)
{
    struct weir_sockaddr local = {.addr = *a, .port = port};
    uint32_t count, first = listen_nth(p, &local, 0, &count);

    return count > 1 ? listen_nth(p, &local, spread % count, &count) : first;
}

uint32_t listen_find(const struct tcp *p, const struct flow *f, uint32_t spread)
{
    struct weir_addr any = weir_addr_v4(0);
    uint32_t found = listen_pick(p, &f->local, f->lport, spread);

    if (!found && weir_addr_is_v4(&f->local))
        found = listen_pick(p, &any, f->lport, spread);
    if (!found)
        found = listen_pick(p, &(struct weir_addr){.w = {0}}, f->lport, spread);
    return found ? found : p->any_port;
}

bool listen_add(struct tcp *p, struct tcb *t)
{
    t->hash = local_hash(p, &t->flow.local, t->flow.lport);
    return table_add(&p->listens, t->hash, t->self);
}

void listen_remove(struct tcp *p, struct tcb *t)
{
    if (p->any_port == t->self)
        p->any_port = 0;
    else
        table_remove(&p->listens, t->hash, t->self);
}
