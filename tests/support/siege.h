/* What attacks on IP, fragments and ICMP share: a stack with both versions of IP, a datagram socket
 * at port 5000, a listener at port 80, and an honest peer who is served before and after.
 *
 * Both versions are spoken by one call: `is_v6` says which, and where it is true addresses of
 * IPv4 stand for those of IPv6 that end alike: 10.0.0.2 for fd00::2. */
#ifndef SUPPORT_SIEGE_H
#define SUPPORT_SIEGE_H

#include "frames6.h"

#define SIEGE_PORT 5000
#define SIEGE_LISTENER 80

struct siege {
    struct frames *f;
    int udp, listener; /* sockets, of both versions */
    size_t held;       /* bytes of memory before anything happened */
};

struct siege siege_begin(const struct frames_config *c);
#define siege_of(...) siege_begin(&(struct frames_config){.has_v6 = true, __VA_ARGS__})
/* The honest peer's ping, datagram and SYN are answered; all else that was sent is forgotten. */
void siege_serves(struct siege *s);
/* The same once more, when all that was begun is over; then frames_end. */
void siege_end(struct siege *s);

/* A packet of either version; the verdict as of put_packet. */
struct siege_packet {
    bool is_v6;
    uint32_t src, dst; /* 0: THEM, US */
    uint8_t proto;     /* PROTO_ICMP is ICMPv6's too */
    const void *l4;
    uint32_t len;
    bool is_piece; /* then: */
    uint32_t start, id;
    bool has_more;
};
const char *siege_put(struct siege *s, const struct siege_packet *p);
#define siege_put_of(s, ...) siege_put(s, &(struct siege_packet){__VA_ARGS__})
struct weir_addr siege_addr(bool is_v6, uint32_t host);

/* Each writes to `p`, with its checksum, what stands behind the IP header; returns its length. `s`
 * names the addresses. */
uint32_t siege_udp(uint8_t *p, const struct siege_packet *s, const struct udp_spec *udp);
uint32_t siege_echo(uint8_t *p, const struct siege_packet *s, uint32_t len);
uint32_t siege_tcp(uint8_t *p, const struct siege_packet *s, const struct tcp_hdr *h);
/* Writes the checksum that a changed message should have. */
void siege_seal(uint8_t *p, uint32_t len, const struct siege_packet *s);

/* How many packets the stack has sent since this was asked last; they are forgotten. */
int siege_forget(struct siege *s);
/* Bytes waiting at the datagram socket are read: their number, or -EAGAIN. */
int siege_read(struct siege *s, uint8_t *text, uint32_t size);
/* True: the verdict is this drop. */
bool siege_is(const char *verdict, const char *drop);

#endif
