/* weir ping: what its files share.
 *
 * Knows: how a request goes out and a reply comes back, by a running stack or by one of its own.
 * Shape: options, a way, statistics. Units: ns; statistics us. Errors: exit statuses. */
#ifndef CLI_PING_H
#define CLI_PING_H

#include <signal.h>

#include "cli/cli.h"

struct ping_options {
    long count; /* 0: until SIGINT */
    long size, ttl;
    int64_t interval_ns, wait_ns, deadline_ns; /* deadline 0: none */
    bool is_quiet;
    const char *verb, *usage; /* for messages */
    const char *lacks;        /* what the host link does not carry of it; NULL: nothing */
    const char *daemon, *target;
    struct weir_addr addr;
    struct link_options link; /* link.link NULL: by a running stack */
};

/* ping_options.c. 0, or exit status 2; exits for --help. */
int ping_take_options(struct ping_options *o, int argc, char **argv);

/* Below: what weir traceroute reads and says in the same words. "weir: VERB: WHAT 'TEXT': HINT"; 2.
 */
int ping_mistake(const char *verb, const char *what, const char *text, const char *hint);
/* Each option goes to `take`, which leaves to ping_take_shared what is no letter of its own. 0, or
 * exit status 2. */
int ping_read(struct ping_options *o, const char *letters,
              int (*take)(struct ping_options *o, int c), int argc, char **argv);
int ping_take_shared(struct ping_options *o, int c);

/* By which requests go out: ping_way.c. */
struct ping_way {
    int fd;                   /* of the control connection, or the link's */
    struct weir_stack *stack; /* of its own, NULL: a running one */
    struct weir_link *link;
    int ifindex;
    struct echo echo;
    sigset_t while_waiting; /* which signals are blocked then */
};
/* 0, or exit status 2 after a line on stderr. */
int ping_way_open(struct ping_way *w, const struct ping_options *o);
void ping_way_close(struct ping_way *w);
int ping_way_send(struct ping_way *w, const struct ping_options *o, uint16_t seq); /* 0, -errno */
/* The next reply: 1; 0: none until that time, or a signal came; -1: the way is gone. */
int ping_way_next(struct ping_way *w, int64_t until_ns, struct echo_reply *reply);

struct ping_stats {
    long sent, received, repeated, errors;
    int64_t least_us, most_us, sum_us;
    double sum2;                        /* of us squared */
    long judged;                        /* requests up to this one have a reply or an error */
    int64_t begin_ns, sent_ns, last_ns; /* last_ns: when something happened */
    uint8_t seen[65536 / 8];            /* sequence numbers that were answered */
};
/* ping_print.c. */
void ping_print_head(const struct ping_options *o);
void ping_print_reply(const struct ping_options *o, struct ping_stats *s,
                      const struct echo_reply *r);
void ping_print_error(const struct ping_options *o, struct ping_stats *s, long seq, int error);
void ping_print_summary(const struct ping_options *o, const struct ping_stats *s);

#endif
