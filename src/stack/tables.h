/* The tables of one stack: knobs, counters, drops, the trace of events.
 *
 * Knows: def. Shape: the accessors let the table files work without the rest of the stack.
 * Units: as in the tables. Errors: none. Cost: O(1). */
#ifndef STACK_TABLES_H
#define STACK_TABLES_H

#include "base/mem.h"
#include "base/trace.h"
#include "def/drop.h"
#include "def/knob.h"
#include "def/stat.h"
#include "def/state.h"

void stats_icmp(struct stats *s, uint8_t type, bool is_out); /* one message more */
void knobs_init(struct knobs *k);

struct knobs *stack_knobs(const struct weir_stack *stack);
void stack_knobs_changed(struct weir_stack *stack); /* layers have copies of some */
struct stats *stack_stats(const struct weir_stack *stack);
const uint64_t *stack_drops(const struct weir_stack *stack); /* by enum drop - DROP_FIRST */
struct trace *stack_trace(struct weir_stack *stack);
struct mem *stack_mem(struct weir_stack *stack);

#endif
