/* The frame in hand, on its way in: what the files of input share.
 *
 * Knows: all layers. Shape: each step finds out more and says it here; offsets count from the
 * frame's first byte. Units: bytes. Errors: verdicts. Cost: O(1). */
#ifndef STACK_ARRIVAL_H
#define STACK_ARRIVAL_H

#include "stack/stack.h"

struct arrival {
    struct weir_stack *k;
    struct weir_frame *f;
    const struct iface *iface;
    int ifindex;
    bool is_link_group; /* to a broadcast or multicast MAC */
    bool is_group;      /* to a broadcast or multicast address */
    bool is_transit;    /* for somebody else, and the stack is a router */
    bool is_answer;     /* what came is answered by a layer below the sockets */
    bool was_fragment;  /* it came in fragments, or with the header of one */
    uint32_t end;       /* of what the link carries, without padding it knows of */
    uint32_t ip_at, l4_at;
    uint32_t l4_len; /* bytes of transport header and payload */
    uint8_t tos, ttl;
    struct ip4 ip; /* of the two, the one that came */
    struct ip6 ip6;
    struct ip6_chain chain;
    struct weir_addr src, dst;
    uint16_t local_port, remote_port; /* 0 until a TCP header was read */
};

static inline const uint8_t *head_at(const struct arrival *a, uint32_t at)
{
    return a->f->part[0].data + at;
}

/* input_transport.c: the slices of `len` bytes from `at` on. */
uint8_t arrival_slices(const struct weir_frame *f, uint32_t at, uint32_t len,
                       struct weir_slice out[WEIR_FRAME_PARTS]);
enum drop input_tcp(struct arrival *a);
enum drop input_udp(struct arrival *a);
/* An error about something that we sent goes to who sent it. */
enum drop input_icmp_error(struct arrival *a, const struct icmp_error *e);
enum drop input_redirect(struct arrival *a, const struct icmp_event *event); /* redirect.c */
enum drop input_redirect6(struct arrival *a, const struct nd_in *in);
/* An echo reply, to the ping sockets of identifier `id`. */
enum drop input_icmp_reply(struct arrival *a, uint16_t id);
/* Judged before, and nothing that matters changed since. */
bool arrival_is_like_the_last(const struct arrival *a);
void arrival_passed(const struct arrival *a);

enum drop input_ip4(struct arrival *a); /* input_ip4.c */
enum drop input_ip6(struct arrival *a); /* input_ip6.c */

#endif
