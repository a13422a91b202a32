/* A packet's TCP segment, through whatever link and network it came.
 *
 * Knows: link types, IP, wire. Shape: a copy of headers. Units: bytes. Errors: false: not TCP. */
#ifndef EXPLAIN_FRAME_H
#define EXPLAIN_FRAME_H

#include "capfile/capfile.h"
#include "weir/addr.h"
#include "wire/wire.h"

struct segment {
    int64_t at_ns;
    uint64_t number; /* of the packet */
    struct weir_addr src, dst;
    struct tcp_hdr h;
    uint32_t len;   /* bytes of text, as it was on the wire */
    uint32_t iface; /* where it was captured; Linux cooked 2 says so itself */
    uint8_t ttl;
};

enum frame_kind { FRAME_TCP, FRAME_OTHER, FRAME_FRAGMENT, FRAME_SHORT, FRAME_UNKNOWN_LINK };

enum frame_kind frame_read(struct segment *s, const struct packet *p);
const char *link_name(uint16_t link); /* "link type 147" is NULL */

#endif
