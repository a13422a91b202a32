/* frames.h for IPv6: the stack is fd00::1/64, and where it has a second link fd00:1::1/64 and a
 * router; packets come from fd00::2 unless they say otherwise. */
#ifndef SUPPORT_FRAMES6_H
#define SUPPORT_FRAMES6_H

#include "frames.h"

struct weir_addr addr6(const char *text);
#define US6 "fd00::1"
#define THEM6 "fd00::2"

struct packet6_spec {
    const char *src, *dst; /* NULL: THEM6, US6 */
    uint8_t proto;         /* of what is behind the IPv6 header */
    uint8_t hops, tclass;  /* hops 0: 64 */
    const void *l4;
    uint32_t len;
};
const char *put_packet6(struct frames *f, const struct packet6_spec *s);
#define put6(f, ...) put_packet6(f, &(struct packet6_spec){__VA_ARGS__})

/* Each writes to `p` and returns its length. An ICMPv6 message of `len` bytes behind its header:
 * `data`, or the pattern where that is NULL. */
struct icmp6_spec {
    const char *src, *dst; /* NULL: THEM6, US6 */
    uint8_t type, code;
    uint32_t rest;
    const void *data;
    uint32_t len;
};
uint32_t build_icmp6(uint8_t *p, const struct icmp6_spec *s);
uint32_t build_udp6(uint8_t *p, const struct udp_spec *s, const char *src, const char *dst);
/* An IPv6 packet of ours, as an error quotes it. */
uint32_t build_quote6(uint8_t *p, const struct packet6_spec *s);

/* The sum of what was sent over its pseudo header: 0 is good. */
uint16_t sum_of_taken6(const struct taken *t);
void frames6_addresses(struct frames *f);
int udp6_socket(struct frames *f, uint16_t port);
int send_pattern6(struct frames *f, int sock, const char *to, uint16_t port, uint32_t len);

#endif
