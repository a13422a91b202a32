/* The program of `weir run`: what is looked at before, and how it is started.
 *
 * Knows: struct run_options. Shape: two calls. Units: none. Errors: exit statuses. */
#ifndef RUN_PROGRAM_H
#define RUN_PROGRAM_H

#include "run/daemon.h"
#include "run/netns.h"

/* 0, and the door is chosen; or the exit status: 127 no such program, 126 none that can be run
 * here.
 */
int program_check(struct run_options *o);
/* In the forked child, which becomes the program. `doorman`: where the seccomp door's process
 * waits, -1: the preload door. Returns only where it could not. */
int program_exec(const struct run_options *o, const char *daemon, const struct netns *n,
                 int doorman);

#endif
