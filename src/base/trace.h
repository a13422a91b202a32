/* The last events of a stack, in a ring that somebody drains.
 *
 * Knows: nothing of what an event means. Shape: a full ring forgets the oldest; events are numbered
 * from 0, the ring holds the last `count`; no room means that nobody wants to know. Units: events.
 * Errors: -ENOMEM. Cost: O(1) for each event, one comparison while off. */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include "base/mem.h"
#include "weir/trace.h"

struct trace {
    struct weir_event *ring;
    uint32_t room, first, count;
    uint64_t added; /* ever: the number of the next one */
    bool is_brief;  /* who writes leaves the routine out */
};

int trace_init(struct trace *t, struct mem *mem, uint32_t room); /* also anew; 0: off */
void trace_fini(struct trace *t, struct mem *mem);
void trace_add(struct trace *t, const struct weir_event *e);
bool trace_take(struct trace *t, struct weir_event *out); /* the oldest */
/* The first whose number is at least *cursor, which then is the next number; it stays. */
bool trace_look(const struct trace *t, uint64_t *cursor, struct weir_event *out);

static inline bool trace_is_on(const struct trace *t)
{
    return t->room > 0;
}

#endif
