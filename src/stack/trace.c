/* The trace as callers see it: on, off, read; and what is routine in it.
 *
 * Knows: the ring of base/trace.h; who writes into it does so by itself (state.c, input.c,
 * output.c). Shape: none. Units: events. Errors: -ENOMEM. Cost: O(events read). */
#include "stack/tables.h"

int weir_trace_start(struct weir_stack *stack, uint32_t events)
{
    struct trace *t = stack_trace(stack);

    t->is_brief = false;
    return trace_init(t, stack_mem(stack), events);
}

int weir_trace_start_brief(struct weir_stack *stack)
{
    struct trace *t = stack_trace(stack);
    int v = trace_init(t, stack_mem(stack), (uint32_t)stack_knobs(stack)->trace_events);

    t->is_brief = true;
    return v;
}

static bool is_routine_event(uint16_t event)
{
    switch (event) {
    case EVENT_fast_retransmit:
    case EVENT_loss_retransmit:
    case EVENT_window_update:
    case EVENT_delayed_ack:
    case EVENT_duplicate_ack:
    case EVENT_repeated_ack:
    case EVENT_challenge_ack:
    case EVENT_time_wait_ack:
        return true;
    default:
        return false;
    }
}

/* A segment that was meant for a connection or a listener, and changed what became of it. */
static bool is_telling_drop(uint16_t verdict)
{
    switch (verdict) {
    case DROP_tcp_no_socket:
    case DROP_tcp_rst_window:
    case DROP_tcp_rst_time_wait:
    case DROP_tcp_no_memory:
    case DROP_tcp_after_close:
    case DROP_tcp_syn_queue:
    case DROP_tcp_accept_queue:
    case DROP_tcp_recycle:
    case DROP_tcp_time_wait:
    case DROP_tcp_limit:
        return true;
    default:
        return false;
    }
}

bool trace_wants(const struct trace *t, const struct weir_why *why)
{
    if (!t->is_brief)
        return true;
    return why->verdict >= DROP_FIRST ? is_telling_drop(why->verdict)
                                      : !is_routine_event(why->event);
}

int weir_trace_read(struct weir_stack *stack, struct weir_event *events, int max)
{
    int n = 0;

    while (n < max && trace_take(stack_trace(stack), &events[n]))
        n++;
    return n;
}

int weir_trace_next(struct weir_stack *stack, uint64_t *cursor, struct weir_event *event)
{
    return trace_look(stack_trace(stack), cursor, event);
}
