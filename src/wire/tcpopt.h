/* The option list of a TCP header, between tcp.c and tcpopt.c. Knows: wire. Units: bytes. */
#ifndef WIRE_TCPOPT_H
#define WIRE_TCPOPT_H

#include "wire/wire.h"

void tcpopt_parse(struct tcp_opts *out, const uint8_t *p, size_t n); /* n <= 40 */
size_t tcpopt_emit(uint8_t *p, const struct tcp_opts *o); /* writes tcp_opts_len(o) bytes */

#endif
