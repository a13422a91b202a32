/* run/: what the command sees of it. Starting a program on weir, and asking the daemons that live.
 *
 * Knows: protocol.h. Shape: a daemon is known by its name; each question is one connection.
 * Units: as in protocol.h. Errors: -errno.
 * Cost: finding daemons reads the host's list of AF_UNIX names. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "run/protocol.h"

#define RUN_DAEMON_NAME 32
#define RUN_DAEMONS_MAX 64

/* weir run, argv[0] is the verb. The exit status. */
int run_verb(int argc, char **argv);

/* Names of the daemons that live; how many (at most max). */
int run_daemons(char name[][RUN_DAEMON_NAME], int max);
/* Asks and calls `each` (NULL: nobody) for each answer with something in it. The result of the last
 * answer; -ENETDOWN: no such daemon, or it ended. answer: the last one; NULL: not wanted. */
struct run_listener {
    void (*each)(void *ctx, const struct run_answer *answer);
    void *ctx;
};
int run_question(const char *daemon, const struct run_ask *ask, const struct run_listener *listener,
                 struct run_answer *answer);

#endif
