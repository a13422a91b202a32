/* weir traceroute: what its files share.
 *
 * Knows: probes, and by which way they go. Shape: options; hops of probes; their lines.
 * Units: ns; round trips us. Errors: exit statuses. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "cli/ping.h"

#define TRACE_HOPS_MAX 255
#define TRACE_QUERIES_MAX 10

struct trace_options {
    struct ping_options way; /* link, daemon, target, address; the first member */
    enum probe_kind kind;
    long first, most, queries, port, size; /* size: of the packet, IP header and all */
    int64_t wait_ns;
};

/* trace_options.c. 0, or exit status 2; exits for --help. */
int trace_take_options(struct trace_options *o, int argc, char **argv);

/* What became of one probe. */
struct trace_fate {
    bool is_over; /* and no answer: nobody did in time */
    bool is_answered;
    int64_t sent_at;
    int failure; /* it could not be sent: -errno */
    struct probe_answer answer;
};

/* trace_way.c: probes of the open way; numbers count from 0. */
struct trace_way {
    struct ping_way way;
    struct probe probe[TRACE_HOPS_MAX * TRACE_QUERIES_MAX]; /* of a stack of our own */
    int probes;
};
int trace_way_send(struct trace_way *w, int number, const struct probe_wish *wish);
/* The next answer, to *number: 1; 0: none until that time, or a signal; -1: the way is gone. */
int trace_way_next(struct trace_way *w, int64_t until_ns, int *number, struct trace_fate *fate);

#endif
