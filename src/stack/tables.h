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
#include "weir/knob.h"

void stats_icmp(struct stats *s, uint8_t type, bool is_out); /* one message more */
void stats_icmp6(struct stats *s, uint8_t type, bool is_out);
void knobs_init(struct knobs *k);
/* knobs_text.c; NULL: no such row. -ENOENT, -EINVAL, -ERANGE, -ENOMEM, -ENOSPC. */
const struct weir_knob_info *knob_text_info(int index);
int knob_text_set(struct weir_stack *stack, const char *name, const char *value);
/* Appends n in decimal to text[0..at); the new length, or -ENOSPC. */
int knob_put_number(char *text, size_t size, int at, int64_t n);
int knob_text_get(const struct weir_stack *stack, const char *name, char *text, size_t size);

struct knobs *stack_knobs(const struct weir_stack *stack);
void stack_knobs_changed(struct weir_stack *stack); /* layers have copies of some */
struct stats *stack_stats(const struct weir_stack *stack);
const uint64_t *stack_drops(const struct weir_stack *stack); /* by enum drop - DROP_FIRST */
struct trace *stack_trace(struct weir_stack *stack);
bool trace_wants(const struct trace *t, const struct weir_why *why); /* trace.c */
struct mem *stack_mem(struct weir_stack *stack);

#endif
