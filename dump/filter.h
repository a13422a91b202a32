/* tcpdump's filter expressions, by libpcap.
 *
 * Knows: libpcap's compiler and its machine. Shape: an expression, and one program for each link
 * type that comes. Units: bytes. Errors: a message of libpcap's. Cost: O(instructions) a packet. */
#ifndef DUMP_FILTER_H
#define DUMP_FILTER_H

#include <stdbool.h>

#include "capfile/capfile.h"

struct filter;

/* The words of a command line; NULL with *error filled: they make no expression. */
struct filter *filter_open(char *const *words, int n, char *error, size_t error_size);
bool filter_takes(struct filter *f, const struct packet *p);
void filter_close(struct filter *f);

#endif
