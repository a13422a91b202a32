/* What the files of ip/ share.
 *
 * Knows: ip.h. */
#ifndef IP_INNER_H
#define IP_INNER_H

#include <string.h>

#include "ip/ip.h"

/* Of what is kept by destination. */
static inline uint32_t dst_hash(const struct ip *ip, const struct weir_addr *dst)
{
    uint64_t word[2];

    memcpy(word, dst, sizeof word);
    return (uint32_t)siphash13_words(&ip->dst_key, word, 2);
}

void pmtu_init(struct ip *ip);
void pmtu_fini(struct ip *ip);
void redirect_init(struct ip *ip);
void redirect_fini(struct ip *ip);

/* An ICMP message to queue: where it goes, its first 8 bytes, and bytes behind them. */
struct icmp_answer {
    struct weir_addr src, dst;
    int ifindex; /* where it must leave: what is good on one link only; else by route */
    uint8_t tos;
    uint8_t hdr[ICMP_LEN]; /* checksum included */
    uint32_t len;          /* bytes of `part` to take */
    uint32_t skip;         /* bytes of `part` to leave out before */
    bool is_mtu;           /* Linux: path MTU discovery is not limited */
    uint8_t parts;
    const struct weir_slice *part;
};
/* PASS, ip_no_route or reply_queue. */
enum drop icmp_queue(struct ip *ip, const struct icmp_answer *a);

/* icmp_out.c: queues an error that quotes a->part, or icmp_rate. `acc` is what its checksum begins
 * with. */
enum drop icmp_queue_error(struct ip *ip, struct icmp_answer *a, const struct icmp4 *h,
                           uint32_t acc, int64_t now_us);

/* icmp.c: answers an echo request of type `request`; `moved` is what changed of the checksum beside
 * the type. */
enum drop icmp_answer_echo(struct ip *ip, const struct icmp_view *in, const struct icmp4 *reply,
                           uint8_t request, uint32_t moved);
/* Reads from the 8 bytes behind the headers of a packet of ours whose it was. */
enum drop icmp_read_transport(const uint8_t *p, bool is_icmp, uint8_t echo, struct icmp_error *out);

/* Copies up to n bytes from the slices' beginning; returns how many there were. */
uint32_t slices_peek(const struct weir_slice *part, int parts, uint8_t *dst, uint32_t n);
uint32_t slices_len(const struct weir_slice *part, int parts);
/* Adds n bytes from the beginning to a checksum, where they lie at `at` of the whole. */
uint32_t slices_sum(uint32_t acc, const struct weir_slice *part, int parts, uint32_t n);

#endif
