/* Packets as bytes and as text, both ways but one: text to segment is the parser's.
 *
 * Knows: IPv4, IPv6, TCP, UDP, ICMP and their checksums, by its own code: what checks the stack
 * does not lean on the stack's option lists. Shape: a packet is a struct segment, two addresses and
 * payload. Units: bytes, host order. Errors: one line that says what is wrong with the bytes. Cost:
 * O(bytes).
 */
#ifndef PACKETDRILL_SEGMENT_H
#define PACKETDRILL_SEGMENT_H

#include <weir/addr.h>

#include "packetdrill/script.h"

#define PACKET_MAX 65535

struct packet {
    struct segment s; /* numbers as on the wire */
    struct weir_addr src, dst;
    const uint8_t *payload; /* s.len bytes; for ICMP errors quote_len bytes of what is quoted */
    uint32_t quote_len;
    uint32_t more; /* bytes that the IP header tells of and that are not there: of a quote */
    uint16_t frag; /* IPv4's flags */
};

/* Writes the packet; returns its length. `packet` holds PACKET_MAX bytes. */
size_t packet_build(uint8_t *packet, const struct packet *p);
size_t packet_head(const struct packet *p); /* bytes of its IP header */
/* NULL, or what is wrong; *out points into the bytes. */
const char *packet_read(struct packet *out, const uint8_t *packet, size_t len);

size_t option_len(const struct option *o); /* bytes on the wire */
size_t options_build(uint8_t *out, const struct option *list, int n);
int options_read(struct option *list, const uint8_t *p, size_t len); /* -1: malformed */

enum shown_field {
    SHOWN_IP,
    SHOWN_PORTS,
    SHOWN_KIND, /* flags; "udp"; ICMP type and code */
    SHOWN_SEQ,
    SHOWN_ACK,
    SHOWN_WIN,
    SHOWN_URG,
    SHOWN_OPTIONS,
    SHOWN_MTU,
    SHOWN_QUOTE,
    SHOWN_FIELDS
};
struct shown {
    char text[480];
    int len;
    int at[SHOWN_FIELDS], end[SHOWN_FIELDS]; /* columns of text; equal: the field is not shown */
};
/* A segment in the language of scripts. */
void segment_show(struct shown *out, const struct segment *s, bool is_out);

#endif
