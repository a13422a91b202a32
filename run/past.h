/* One event of a stack's trace as a line of text: what the daemon answers to RUN_WHY.
 *
 * Knows: struct weir_event. Shape: numbers and addresses separated by blanks. Units: us before the
 * question. Errors: false. Cost: O(1). */
#ifndef RUN_PAST_H
#define RUN_PAST_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/trace.h>

struct past {
    int64_t ago_us;
    struct weir_sockaddr local, peer;
    struct weir_why why;
};

#define PAST_LINE 192
/* Length of the line, with its '\n'. */
size_t past_write(const struct past *p, char text[PAST_LINE]);
bool past_read(struct past *p, const char *line);

#endif
