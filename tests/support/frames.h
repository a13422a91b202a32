/* The packet-test language for what is not TCP: a stack at 10.0.0.1/24 in virtual time, and frames
 * that are written by hand, from 10.0.0.2 unless they say otherwise.
 *
 * put() gives the stack an IP packet, says what became of it (NULL: passed; "kept"; or the drop
 * reason), and collects what the stack sends; take() hands that out in order, one by one. On an
 * Ethernet link put_frame() takes whole frames. Text is a pattern that is compared in both
 * directions. The end checks that nothing is left to be taken, that frames are conserved and that
 * all memory came back. */
#ifndef SUPPORT_FRAMES_H
#define SUPPORT_FRAMES_H

#include <stdarg.h>
#include <stdbool.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peer.h"
#include "weir/weir.h"
#include "wire/wire.h"

#define US 0x0a000001u
#define THEM 0x0a000002u
#define RIGHT 0x0a000101u  /* our second address, where there is one */
#define ROUTER 0x0a0000feu /* the default gateway */
#define DATAGRAM_MAX 65535
#define TAKEN_MAX 2048

struct frames_config {
    uint32_t mtu; /* 1500 */
    bool is_ether;
    uint32_t flags; /* enum weir_iface_flag */
    const char *knob, *value;
    uint32_t right_mtu; /* not 0: a router, with a second link to 10.0.1.0/24 */
    bool has_v6;        /* fd00::1/64, and at the right fd00:1::1/64: frames6.h */
    bool hears_mld;     /* take() gives what is told of groups of addresses too */
};

/* What the stack sent. */
struct taken {
    int ifindex;
    int64_t at_ns;
    uint32_t len;
    const uint8_t *bytes; /* of the frame */
    struct ip4 ip;        /* where it is IP */
    struct ip6 ip6;       /* where it is IPv6: `l4` is behind its header, extension or not */
    bool is_v6;
    const uint8_t *l4; /* behind the IP header */
    uint32_t l4_len;
};

struct frames {
    struct weir_stack *stack;
    int ifindex, ifaces;
    bool hears_mld;
    int64_t now_ns;
    enum weir_link_type type;
    size_t bytes; /* that the stack holds */
    struct taken queue[TAKEN_MAX];
    int first, queued;
};

struct packet_spec {
    uint32_t src, dst; /* 0: THEM, US */
    uint8_t proto, ttl, tos;
    uint16_t id, frag;
    const void *l4;
    uint32_t len;
    const uint8_t *options;
    uint32_t options_len; /* a multiple of 4 */
};

struct frames *frames_begin(const struct frames_config *c);
void frames_end(struct frames *f);
#define frames_of(...) frames_begin(&(struct frames_config){__VA_ARGS__})

const char *put_frame(struct frames *f, const void *bytes, uint32_t len);
const char *put_packet(struct frames *f, const struct packet_spec *s);
#define put(f, ...) put_packet(f, &(struct packet_spec){__VA_ARGS__})
/* Cut in pieces of `step` bytes (a multiple of 8), in order; the last one's verdict. */
const char *put_pieces(struct frames *f, const struct packet_spec *s, uint32_t step);
struct taken *take(struct frames *f); /* NULL: nothing was sent */
void frames_advance(struct frames *f, int64_t us);
uint64_t frames_stat(const struct frames *f, const char *name);
uint64_t frames_drops(const struct frames *f, const char *reason);

uint8_t pattern(uint32_t at);
/* A UDP datagram (an ICMP message) of `len` bytes of pattern behind its header, with its checksum.
 * Returns its bytes; `p` has room for them. */
struct udp_spec {
    uint32_t src, dst; /* 0: THEM, US */
    uint16_t sport, dport;
    uint32_t len;
};
uint32_t build_udp(uint8_t *p, const struct udp_spec *s);
uint32_t build_icmp(uint8_t *p, uint8_t type, uint8_t code, uint32_t rest, uint32_t len);
/* An ICMP error with this packet's beginning, `quoted` bytes of it, behind its header. */
struct error_spec {
    uint8_t type, code;
    uint32_t rest;
    const uint8_t *packet;
    uint32_t quoted;
};
uint32_t build_error(uint8_t *p, const struct error_spec *s);
bool is_pattern(const uint8_t *p, uint32_t n);
uint16_t sum_of(const void *p, uint32_t n); /* 0: a good checksum */
uint16_t sum_of_udp(const struct taken *t);

int udp_socket(struct frames *f, uint16_t port); /* bound to port, unless that is 0 */
int send_pattern(struct frames *f, int sock, uint32_t to, uint16_t port, uint32_t len);

#endif
