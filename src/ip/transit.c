/* Packets that are on their way to somebody else: the queue between the links of a router. 1812#5.
 *
 * Knows: bytes of packets. Not routes, not what a packet may do. Shape: one ring of records for
 * each interface, bounded together; the first stays until transit_sent, its bytes until ip_settle.
 * Units: bytes. Errors: forward_queue. Cost: one copy. */
#include "ip/inner.h"

#include <string.h>

#include "base/sum.h"

struct transit_record {
    union {
        struct ip4 ip;
        struct ip6 ip6;
    };
    struct weir_addr next_hop;
    uint16_t len; /* bytes behind the header and its options */
    uint8_t options_len;
    bool is_v6;
};

/* `end` is where the packet ends: nobody behind us will do it. */
static void complete_sum(struct ring *ring, uint32_t end, uint32_t len, const struct transit_in *in)
{
    uint16_t sum = sum_finish(slices_sum(0, in->part, in->parts, len));

    if (in->sum_at + sizeof sum <= len)
        ring_place(ring, end - len + in->sum_at, &sum, sizeof sum);
}

enum drop transit_queue(struct ip *ip, int ifindex, const struct transit_in *in)
{
    struct ring *ring = &ip->transit[ifindex];
    struct transit_record r = {.next_hop = in->next_hop, .is_v6 = in->ip6};
    uint32_t charge, at;

    if (in->ip6) {
        r.ip6 = *in->ip6;
        r.len = r.ip6.payload_len;
    } else {
        r.ip = *in->ip;
        r.len = r.ip.total_len - r.ip.hdr_len;
        r.options_len = (uint8_t)(r.ip.hdr_len - IP4_LEN);
    }
    charge = (uint32_t)sizeof r + r.options_len + r.len;

    if (ip->transit_bytes + charge > ip->config.forward_queue_bytes ||
        !ring_reserve(ring, ip->mem, ring->len + charge, ring->len))
        return DROP_forward_queue;
    ring_place(ring, ring->len, &r, sizeof r);
    at = ring->len + (uint32_t)sizeof r;
    if (r.options_len)
        ring_place(ring, at, in->options, r.options_len);
    at += r.options_len;
    for (int i = 0; i < in->parts; i++) {
        ring_place(ring, at, in->part[i].data, in->part[i].len);
        at += in->part[i].len;
    }
    if (in->sum_at)
        complete_sum(ring, at, r.len, in);
    ring_extend(ring, charge);
    ip->transit_bytes += charge;
    return PASS;
}

bool transit_first(const struct ip *ip, int ifindex, struct transit_out *out)
{
    const struct ring *ring = &ip->transit[ifindex];
    struct transit_record r;
    uint32_t at = sizeof r;

    if (!ring->len)
        return false;
    ring_peek(ring, 0, &r, sizeof r);
    *out = (struct transit_out){
        .is_v6 = r.is_v6, .next_hop = r.next_hop, .options_len = r.options_len, .len = r.len};
    if (r.is_v6)
        out->ip6 = r.ip6;
    else
        out->ip = r.ip;
    if (r.options_len)
        ring_peek(ring, at, out->options, r.options_len);
    if (out->len)
        out->texts = (uint8_t)ring_slices(ring, at + r.options_len, out->len, out->text);
    return true;
}

void transit_sent(struct ip *ip, int ifindex)
{
    struct ring *ring = &ip->transit[ifindex];
    struct transit_record r;
    uint32_t charge;

    ring_peek(ring, 0, &r, sizeof r);
    charge = (uint32_t)sizeof r + r.options_len + r.len;
    ring_consume(ring, charge);
    ip->transit_bytes -= charge;
    if (!ring->len)
        ip->emptied |= 1u << ifindex;
}
