/* The last events of a stack, in a ring that the caller drains.
 *
 * Knows: nothing of what an event means. Shape: a full ring forgets the oldest and counts it.
 * Units: events. Errors: ENOMEM. Cost: O(1) for each event, nothing while off. */
#include <errno.h>

#include "stack/tables.h"

void trace_fini(struct trace *t, struct mem *mem)
{
    mem_free(mem, t->ring, t->room * sizeof t->ring[0]);
    *t = (struct trace){.room = 0};
}

int weir_trace_start(struct weir_stack *stack, uint32_t events)
{
    struct trace *t = stack_trace(stack);

    trace_fini(t, stack_mem(stack));
    if (events == 0)
        return 0;
    t->ring = mem_alloc(stack_mem(stack), events * sizeof t->ring[0]);
    if (!t->ring)
        return -ENOMEM;
    t->room = events;
    return 0;
}

void trace_add(struct trace *t, const struct weir_event *e)
{
    if (!t->room)
        return;
    if (t->count == t->room) {
        t->first = (t->first + 1) % t->room;
        t->count--;
        t->lost++;
    }
    t->ring[(t->first + t->count++) % t->room] = *e;
}

int weir_trace_read(struct weir_stack *stack, struct weir_event *events, int max)
{
    struct trace *t = stack_trace(stack);
    int n = 0;

    while (n < max && t->count) {
        events[n++] = t->ring[t->first];
        t->first = (t->first + 1) % t->room;
        t->count--;
    }
    return n;
}
