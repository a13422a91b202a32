/* One socket of a stack as a line of text: what the daemon answers to RUN_SS and the tools read.
 *
 * Knows: struct weir_sock_info. Shape: "name=value" pairs separated by tabs; what is 0 or empty is
 * left out, and a name that the reader does not know is passed over, so that both sides may grow.
 * Units: as in struct weir_sock_info. Errors: false. Cost: O(fields). */
#ifndef RUN_ENDPOINT_H
#define RUN_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/socket.h>
#include <weir/trace.h>

struct endpoint {
    struct weir_sock_info info; /* its pointers do not travel: they are the texts below */
    char timer[16], congestion[16];
    char carrier[48]; /* id of the program's end, see protocol.h */
    int32_t pid;      /* who opened it, 0: unknown */
    /* RUN_WHY only */
    struct weir_facts facts; /* its knob is the text below */
    char knob[40];
    uint32_t inode;                       /* of the program's end, 0: not known, or not accepted */
    uint32_t accept_waiting, accept_most; /* a listener's queue at the program's end */
    uint32_t unread;                      /* bytes at the program's end that it has not read */
    uint32_t ended_ago_ms; /* + 1: since the program was given the end of the stream; a listener:
                            * since its queue is full; 0: it was not */
};

/* Of what the stack tells; the caller adds whose it is. */
struct endpoint endpoint_of(const struct weir_sock_info *info);
/* Length of the text, which is cut at `size`. */
size_t endpoint_write(const struct endpoint *e, char *text, size_t size);
/* The text is cut up. False: it names no protocol. */
bool endpoint_read(struct endpoint *e, char *text);

#endif
