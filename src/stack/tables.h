/* The tables of one stack: knobs, counters, drops, the trace of events.
 *
 * Knows: def. Shape: the accessors let the table files work without the rest of the stack.
 * Units: as in the tables. Errors: none. Cost: O(1). */
#ifndef STACK_TABLES_H
#define STACK_TABLES_H

#include "base/mem.h"
#include "def/drop.h"
#include "def/knob.h"
#include "def/stat.h"
#include "def/state.h"
#include "weir/trace.h"

struct trace {
    struct weir_event *ring;
    uint32_t room, first, count;
    uint64_t lost;
};

void knobs_init(struct knobs *k);
void trace_add(struct trace *t, const struct weir_event *e);
void trace_fini(struct trace *t, struct mem *mem);

struct knobs *stack_knobs(const struct weir_stack *stack);
void stack_knobs_changed(struct weir_stack *stack); /* layers have copies of some */
struct stats *stack_stats(const struct weir_stack *stack);
const uint64_t *stack_drops(const struct weir_stack *stack); /* by enum drop - DROP_FIRST */
struct trace *stack_trace(struct weir_stack *stack);
struct mem *stack_mem(struct weir_stack *stack);

#endif
