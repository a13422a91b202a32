/* The block of a connection that uses what few do: taken when it is first needed.
 *
 * Knows: the pool. Not what is in the block. Shape: tcb.more names it, 0: none. Units: none.
 * Errors: NULL without memory.
 * Cost: O(1). */
#include "tcp/more.h"

struct more *more_need(struct tcp *p, struct tcb *t)
{
    if (!t->more)
        t->more = pool_new(&p->mores);
    return more_of(p, t);
}

void more_free(struct tcp *p, struct tcb *t)
{
    if (t->more)
        pool_free(&p->mores, t->more);
    t->more = 0;
}
