/* A burst of frames in the making: what the files of output share.
 *
 * Knows: all layers. Shape: a packet's headers are written into the stack's buffer of the next
 * frame, its payload stays where it is. Units: bytes. Errors: none: what can not go is dropped with
 * its reason, or parked. Cost: O(1) for each frame. */
#ifndef STACK_BURST_H
#define STACK_BURST_H

#include "stack/stack.h"

struct burst {
    struct weir_stack *k;
    const struct iface *iface;
    int ifindex;
    struct weir_frame *frame;
    int n, max;
    uint8_t *at;       /* the stack's buffer for the headers of the next frame */
    uint8_t link_head; /* bytes of the link's header */
    bool is_own;       /* the packet at hand is to ourselves */
    bool is_parked;    /* a packet waits for its neighbour: ask for it in the same burst */
};

/* An IP packet in the making: addresses and what follows the IP header. */
struct packet {
    struct weir_addr src, dst;
    uint8_t proto, tos, ttl;
    uint8_t ip_len; /* bytes in front of the transport header, options counted */
    bool is_v6;
    bool is_df, is_doubted; /* unanswered so far: is the next hop still there? */
    bool is_transit;
    uint16_t frag;  /* of a fragment, and in transit: as in the header */
    uint32_t id;    /* with `frag` */
    uint32_t label; /* of the flow, IPv6 */
    uint8_t
        *options; /* of IPv4; or an extension header of type options_type, but for its first byte */
    uint8_t options_len, options_type;
    const struct weir_addr *next_hop; /* where that is known already, else NULL */
    uint32_t l4_head;                 /* bytes of transport header, already in the buffer */
    struct ring_slice text[2];        /* payload */
    uint8_t texts;
    uint32_t text_len;
    uint16_t gso_size;
    uint16_t sum_offset; /* of the checksum in the transport header, where is_partial */
    bool is_partial;
    struct weir_why why;
};

/* `n` frames are ready. IP begins on 4 bytes, whatever the link puts before it. */
static inline void burst_next(struct burst *b, int n)
{
    b->n = n;
    b->at = b->k->header[n] + (b->link_head & 3 ? 2 : 0);
}

/* Of the next frame: its transport header. */
static inline uint8_t *l4_of(const struct burst *b, uint32_t ip_len)
{
    return b->at + b->link_head + ip_len;
}

/* weir_addr_is_v4, where each packet asks. */
static inline bool is_v6(const struct weir_addr *a)
{
    return a->w[0] | a->w[1] || a->w[2] != __builtin_bswap32(0xffff);
}
static inline uint8_t ip_len_of(const struct weir_addr *a)
{
    return is_v6(a) ? IP6_LEN : IP4_LEN;
}

/* output.c */
void burst_send(struct burst *b, const struct packet *p);
void burst_drop(struct burst *b, enum drop why);
/* Its link header: type II, or 802.3 with the length of what follows (1042). */
void burst_ether(const struct burst *b, const uint8_t dst[6], uint16_t type, uint32_t behind);
void burst_frame(struct burst *b, uint32_t len); /* it is ready */

/* output_link.c */
void burst_link(struct burst *b);

/* loop.c: a frame to an address of ours, which is copied. */
void burst_loop(struct burst *b, const struct weir_frame *f);

/* dhcp.c */
void burst_dhcp(struct burst *b);

/* pieces.c */
void burst_icmp(struct burst *b);
void burst_igmp(struct burst *b);
void burst_mld(struct burst *b);
void burst_udp(struct burst *b, int max);
void burst_transit(struct burst *b);

#endif
