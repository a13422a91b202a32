/* Names that scripts use for the numbers of the socket interface: AF_INET, EAGAIN, TCP_NODELAY.
 *
 * Knows: the host's headers. Shape: one table. Errors: false for what is not in it. Cost: O(table).
 */
#ifndef PACKETDRILL_NAMES_H
#define PACKETDRILL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool name_value(const char *name, int64_t *value);
bool name_errno(const char *name, int *error);
const char *errno_name(int error); /* "EAGAIN", or "errno 4711" for what has no name here */
const char *name_nearest(const char *name);
/* "POLLIN|POLLOUT" of bits whose names begin with `prefix`; 0 is "0". Returns `text`. */
char *bits_text(const char *prefix, uint32_t bits, char *text, size_t size);

#endif
