/* Neighbour discovery, RFC 4861: the door between the way of packets and what is known of a link.
 *
 * Knows: wire. link.h shows it. Shape: the stack hands over each ICMPv6 message of types 133 to 137
 * that came with a good checksum; what discovery sends leaves by neigh_pull as NEIGH_ND. Units:
 * bytes, microseconds (`now_us`). Errors: verdicts. Cost: O(options). */
#ifndef LINK_ND_H
#define LINK_ND_H

#include "weir/addr.h"
#include "wire/wire.h"

struct link;

/* A message that came in. All of it lies in one piece, from its ICMPv6 header on. */
struct nd_in {
    int ifindex;
    struct weir_addr src, dst;
    uint8_t hop_limit;
    bool was_fragmented; /* 6980#5: then it is not to be believed */
    const uint8_t *message;
    uint32_t len;
};
/* PASS: taken. Types: message[0], ICMP6_ND_FIRST to ICMP6_ND_LAST. */
enum drop nd_input(struct link *l, const struct nd_in *in, int64_t now_us);

/* A redirect: nd_input passes it to nobody, for whose first hop it comes from is not known here.
 * nd_read_redirect says what it claims, or nd_invalid; who believes it calls nd_heed_redirect. */
struct nd_redirect {
    struct weir_addr dst, next_hop;
};
enum drop nd_read_redirect(const struct nd_in *in, struct nd_redirect *out);
void nd_heed_redirect(struct link *l, const struct nd_in *in, int64_t now_us);

/* ff02::1:ffXX:XXXX, in which neighbours ask for the address: 4291#2.7.1. */
void nd_solicited_group(const struct weir_addr *addr, struct weir_addr *group);
bool nd_is_solicited_group(const struct weir_addr *group);

#endif
