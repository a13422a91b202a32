/* The trace as callers see it: on, off, read.
 *
 * Knows: the ring of base/trace.h; who writes into it does so by itself (state.c, input.c,
 * output.c). Shape: none. Units: events. Errors: -ENOMEM. Cost: O(events read). */
#include "stack/tables.h"

int weir_trace_start(struct weir_stack *stack, uint32_t events)
{
    return trace_init(stack_trace(stack), stack_mem(stack), events);
}

int weir_trace_read(struct weir_stack *stack, struct weir_event *events, int max)
{
    int n = 0;

    while (n < max && trace_take(stack_trace(stack), &events[n]))
        n++;
    return n;
}
