/* Calls of a script: the table of them, and what they share in reading their arguments.
 *
 * Knows: run and node. Shape: each call is a function that tries; NODE_BLOCKS says try again.
 * Units: bytes. Errors: CALL_BAD with the problem told: the arguments make no sense. Cost: O(1). */
#ifndef PACKETDRILL_CALL_H
#define PACKETDRILL_CALL_H

#include "packetdrill/run.h"

#define CALL_BAD (INT64_MIN + 1)

struct call_row {
    const char *name;
    int least, most; /* arguments */
    int64_t (*attempt)(struct run *r, struct playing *c);
};
extern const struct call_row calls_of_sockets[], calls_of_data[], calls_of_settings[],
    calls_of_readiness[]; /* each ends with a row without a name */

/* -- arguments --------------------------------------------------------------------------------- */

const struct value *arg_at(const struct playing *c, int i); /* NULL: not given */
bool arg_number(struct run *r, struct playing *c, int i, int64_t *out);
/* A descriptor: the node's number for the script's; -1 where the script's stands for none. */
bool arg_fd(struct run *r, struct playing *c, int i, int *out);
bool arg_is_any(const struct playing *c, int i);
/* {sa_family = AF_INET, sin_port = htons(80), sin_addr = inet_addr("...")}; for "..." `fallback`.
 */
bool arg_address(struct run *r, struct playing *c, int i, const struct weir_sockaddr *fallback);
const struct value *field_of(const struct value *list, const char *name); /* NULL: none */
bool number_of(struct run *r, const struct value *v, int64_t *out);
int fd_of_script(const struct run *r, int64_t number);
/* A buffer of the call's own, kept from try to try. */
uint8_t *buffer_of(struct run *r, struct playing *c, size_t len);
bool call_differs(struct run *r, struct playing *c, const char *what, int64_t want, int64_t got);

#endif
