/* What the page tells of chosen connections, gathered while the capture is read again.
 *
 * Knows: connections, segments. Not how it becomes JSON. Shape: of each the first segments, the
 * last, and the remarkable ones between; curves that are full keep every other point and go on half
 * as densely. Units: ns since the capture's first packet, bytes, us. Errors: false: no memory.
 * Cost: O(1) for each segment. */
#ifndef EXPLAIN_TELL_H
#define EXPLAIN_TELL_H

#include "explain/report.h"

#define TOLD_MAX 200         /* connections */
#define TOLD_ROWS 5000       /* of all together */
#define TOLD_POINTS 80000    /* of all curves together, */
#define TOLD_POINTS_OF 2000u /* of one */

struct point {
    int64_t at;
    uint32_t v[2];
    bool is_again;
};

struct points {
    struct point *p;
    uint32_t count, room, most, stride, skipped;
};

struct told_end {
    struct points sent;   /* first and past the last number */
    struct points acked;  /* by the other end; and how far its window reaches */
    struct points flight; /* sent and not acknowledged, as seen here */
    struct points window; /* of the other end */
    struct points rtt;    /* us */
    uint32_t flight_now, window_now, rtts;
    unsigned changes;
};

struct told_row {
    uint64_t packet;
    uint32_t told; /* which connection */
    uint8_t end;   /* who sent it; whose state it is */
    bool is_state;
    uint8_t from, to; /* states of both ends behind the segment, or around the change */
    unsigned remarks;
    struct segment s;
    uint32_t seq, ack, window; /* relative; the window as it is meant */
    uint32_t isn[2];           /* of the sender, of the receiver */
    enum cause cause;          /* of a RST */
};

struct told {
    const struct conn *c; /* as it was at the end of the first reading */
    struct told_end end[2];
    uint64_t rows, left_out;
    struct told_row *late; /* the last ones, in a ring */
    uint64_t lates;
};

struct tell {
    struct told *told;                 /* by number */
    uint64_t count, first, most, last; /* rows of each: of the beginning, at most, of the end */
    struct told_row *row;
    uint64_t rows, room;
    int64_t zero; /* the capture's first packet */
};

/* The first of r->kept, at most TOLD_MAX. */
bool tell_begin(struct tell *t, const struct report *r);
/* Behind conn_take. */
bool tell_take(struct tell *t, const struct conn *c, const struct segment *s, unsigned remarks);
/* Rows in the order of their packets, all in `row`. */
bool tell_end(struct tell *t);
void tell_free(struct tell *t);

/* html.c: the page. 0, or -errno and a line on stderr. */
int tell_page(const struct tell *t, const struct report *r, const struct file *f);

#endif
