/* What the files of udp/ share: records in the rings, keys of the demultiplexing table.
 *
 * Knows: udp.h. Shape: a ring holds whole records, header and bytes. */
#ifndef UDP_INNER_H
#define UDP_INNER_H

#include "udp/udp.h"

/* In front of each datagram in a ring. Both rings: local is ours, peer is the other end. */
struct udp_record {
    struct weir_addr local, peer;
    uint16_t lport, pport;
    uint16_t len; /* bytes of the datagram */
    uint8_t ifindex, tos, ttl;
    bool is_df, is_link_mtu;
    uint8_t options_len; /* of IP options, in front of those bytes */
};

_Static_assert(sizeof(struct udp_record) <= 44, "small datagrams should not be mostly record");
_Static_assert(sizeof(struct udp_sock) <= 256, "an idle UDP socket is small");

static inline uint32_t udp_record_bytes(const struct udp_record *r)
{
    return (uint32_t)sizeof *r + r->options_len + r->len;
}

/* What a socket is filed under. peer NULL: only bound. */
struct udp_key {
    const struct weir_addr *local, *peer;
    uint16_t lport, pport;
    uint8_t proto;
};

/* Who sent the datagram that came to grief; 0: nobody. */
uint32_t udp_find_sender(const struct udp_socks *u, const struct udp_fault *f);
void udp_options_release(struct udp_socks *u, struct udp_sock *s);
void groups_init(struct udp_socks *u);
/* A datagram to a group is for this socket too. */
bool udp_may_hear(const struct udp_socks *u, uint32_t index, const struct udp_view *in);
uint32_t udp_hash(const struct udp_socks *u, const struct udp_key *k);
void udp_mark(struct udp_socks *u, uint32_t index, unsigned marks);
/* The socket has something for udp_settle to do. */
void udp_mark_emptied(struct udp_socks *u, uint32_t index);

#endif
