/* What only some connections need, in a block of its own that the tcb names by tcb.more.
 *
 * Knows: tcb.h. Shape: each group is written by the file named beside it; a connection that asks
 * for none of it has no block. Units: bytes; `_ms` fields are the low 32 bits of milliseconds.
 * Errors: NULL: there is no memory, and the extension is not used. Cost: O(1). */
#ifndef TCP_MORE_H
#define TCP_MORE_H

#include "tcp/tcb.h"

/* The search for the path MTU, in bytes of text as snd.mss counts them: mtu.c */
struct mtu_search {
    uint16_t low, high; /* arrives; may arrive */
    uint16_t top;       /* what the ends could take: `high` of a new search */
    uint16_t size;      /* of the probe in flight, 0: none */
    struct seq start;   /* of the probe */
    uint32_t at_ms;     /* the last news */
    bool is_on;
};

struct more {
    _Alignas(8) struct mtu_search mtu;
};

/* NULL: there is none yet. */
static inline struct more *more_of(const struct tcp *p, const struct tcb *t)
{
    return t->more ? pool_at(&p->mores, t->more) : NULL;
}
struct more *more_need(struct tcp *p, struct tcb *t);

#endif
