/* The packets of a running stack, as it sends and gets them.
 *
 * Knows: RUN_DUMP. Shape: a connection to the daemon, a message for each frame. Units: as in
 * capfile/capfile.h. Errors: -1 with a sentence. Cost: a copy a packet. */
#ifndef DUMP_LIVE_H
#define DUMP_LIVE_H

#include <signal.h>
#include <stdbool.h>

#include "capfile/capfile.h"

struct live_end {
    uint64_t packets, dropped; /* shown; missed because this end was too slow */
    char error[160];
};

/* Asks the stack; what it sends and gets from now on waits to be read. A descriptor, or -1. */
int live_open(const char *name, struct live_end *end);
/* `on` gets each packet, with the stack's reason as its note, until it returns false, *is_over is
 * set, or the stack ends. Closes the descriptor. 0, or -1: no memory. */
int live_packets(int fd, bool (*on)(const struct packet *p, void *arg), void *arg,
                 const volatile sig_atomic_t *is_over, struct live_end *end);

#endif
