/* A run as a person reads it: the ladder of segments between two hosts.
 *
 * Knows: the log. Shape: one line for each segment, call and timer; long runs of ordinary segments
 * are counted instead. Units: s on the page. Errors: none. Cost: O(rows). */
#ifndef LAB_LADDER_H
#define LAB_LADDER_H

#include <stdbool.h>
#include <stdio.h>

#include "lab/log.h"

struct ladder_options {
    int left, right; /* nodes */
    bool has_colour;
    bool is_whole; /* nothing is left out */
};

void ladder_print(FILE *to, const struct lab *lab, const struct lab_log *log,
                  const struct ladder_options *o);

/* ladder_timer.c */
bool ladder_is_timed(int event); /* a segment with this reason was sent by a timer */
/* Whether `was` began the timer that sent `row`. */
bool ladder_began_timer(const struct lab_row *was, const struct lab_row *row);

/* ladder_text.c: a segment in words, numbers relative to the connection's first. */
struct ladder_flows;
struct ladder_flows *ladder_flows_new(void);
void ladder_flows_free(struct ladder_flows *f);
/* Writes to `text`, and learns first numbers from SYNs. The connection's number, from 1; 0: not
 * TCP. */
int ladder_text(struct ladder_flows *f, const struct lab_seg *s, char *text, size_t size);
/* Of a TCP segment that ladder_text has seen: relative, and the window as it is meant. */
struct ladder_numbers {
    uint32_t seq, ack, window;
    uint32_t sack[4][2];
};
void ladder_numbers(struct ladder_flows *f, const struct lab_seg *s, struct ladder_numbers *n);
/* The number of a connection that ladder_text has seen, in either direction, or 0. */
int ladder_flow_find(const struct ladder_flows *f, const struct lab_seg *s);
/* How many connections there were. */
int ladder_flow_count(const struct ladder_flows *f);

#endif
