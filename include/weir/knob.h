/* Knobs: every limit and habit of a stack that can be set. A knob that Linux has bears its name and
 * its unit (net.ipv4.tcp_fin_timeout); a knob of three numbers is set as "4096 131072 6291456".
 *
 * The table is src/def/knobs.def. Set them when the stack is new: a connection takes some of them
 * (buffers, options offered) when it begins, and the others whenever it comes to need them. */
#ifndef WEIR_KNOB_H
#define WEIR_KNOB_H

#include <weir/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_knob_info {
    const char *name;            /* "net.ipv4.tcp_fin_timeout" */
    const char *unit;            /* "s", "ms", "us", "bytes", "pages", "count", "on" */
    const char *cite;            /* the document that defines it */
    const char *doc;             /* what it means, when to turn it */
    int values;                  /* 1, 2 (a range) or 3; 0: text */
    int64_t preset[3], min, max; /* in `unit` */
};

/* The rows of the table, by index from 0; NULL: no such row. The texts live as long as the program.
 */
int weir_knob_count(void);
const struct weir_knob_info *weir_knob_info(int index);
/* `value` in decimal, or the text. 0, or -ENOENT: no such knob (weir_knob_nearest helps); -EINVAL:
 * not a number, not as many as it takes, or no such name; -ERANGE: out of bounds; -EACCES: it can
 * only be read; -ENOMEM. */
int weir_knob_set(struct weir_stack *stack, const char *name, const char *value);
/* Text of the value, tab separated if several; returns its length, or -ENOENT, -ENOSPC. */
int weir_knob_get(const struct weir_stack *stack, const char *name, char *text, size_t size);
/* The knob whose last part (behind the last dot) is most like that of `name`; never NULL. */
const char *weir_knob_nearest(const char *name);

#ifdef __cplusplus
}
#endif

#endif
