/* What links send of their own: ARP, neighbour discovery, and packets that waited for a neighbour.
 *
 * Knows: neigh_out. Not whom a neighbour is asked for. Shape: as in output.c; what waited is copied
 * as far as its headers go. Units: bytes. Errors: none. Cost: O(1) for each frame. */
#include <string.h>

#include "stack/burst.h"

static void send_arp(struct burst *b, const struct neigh_out *o)
{
    uint8_t *at = b->at;
    struct weir_frame *f = &b->frame[b->n];
    uint32_t head = b->link_head, len = head + ARP_LEN;
    struct arp arp;

    burst_ether(b, o->dst, o->arp.op >= RARP_REQUEST ? ETH_TYPE_RARP : ETH_TYPE_ARP, ARP_LEN);
    arp = o->arp;
    arp.is_802 = b->iface->flags & WEIR_IF_LLC;
    arp_emit(at + head, &arp);
    *f = (struct weir_frame){.parts = 1, .hdr_len = (uint16_t)len};
    f->part[0] = (struct weir_slice){at, len};
    burst_frame(b, len);
}

/* A packet that waited for its neighbour: the header is copied, the rest stays where it was parked.
 */
static void send_unparked(struct burst *b, const struct neigh_out *o)
{
    const struct link_packet *l = &o->packet;
    uint8_t *at = b->at;
    struct weir_frame *f = &b->frame[b->n];
    uint32_t head = b->link_head, rest = l->part[0].len - l->hdr_len;

    burst_ether(b, o->dst, l->part[0].data[0] >> 4 == 6 ? ETH_TYPE_IP6 : ETH_TYPE_IP4,
                l->part[0].len);
    memcpy(at + head, l->part[0].data, l->hdr_len);
    *f = (struct weir_frame){.parts = 1,
                             .flags = l->flags,
                             .gso_size = l->gso_size,
                             .csum_start = (uint16_t)(head + l->csum_start),
                             .csum_offset = l->csum_offset,
                             .hdr_len = (uint16_t)(head + l->hdr_len)};
    f->part[0] = (struct weir_slice){at, head + l->hdr_len};
    if (rest)
        f->part[f->parts++] = (struct weir_slice){l->part[0].data + l->hdr_len, rest};
    burst_frame(b, head + l->part[0].len);
}

/* 4861#4: the hop limit proves that no router passed it on. */
static void send_nd(struct burst *b, const struct neigh_out *o)
{
    const struct nd_out *nd = &o->nd;
    struct ip6 h = {.next = PROTO_ICMP6,
                    .hop_limit = 255,
                    .payload_len = nd->len,
                    .src = nd->src,
                    .dst = nd->dst};
    uint8_t *at = b->at, *ip = at + b->link_head;
    struct weir_frame *f = &b->frame[b->n];
    uint32_t len = (uint32_t)b->link_head + IP6_LEN + nd->len;

    if (b->iface->type == WEIR_LINK_ETHER)
        burst_ether(b, o->dst, ETH_TYPE_IP6, IP6_LEN + (uint32_t)nd->len);
    ip6_emit(ip, &h);
    memcpy(ip + IP6_LEN, nd->message, nd->len);
    icmp6_seal(ip + IP6_LEN, nd->len, &nd->src, &nd->dst);
    *f = (struct weir_frame){.parts = 1, .hdr_len = (uint16_t)len};
    f->part[0] = (struct weir_slice){at, len};
    b->k->stats.Ip6OutRequests++;
    b->k->stats.Icmp6OutMsgs++;
    burst_frame(b, len);
}

void burst_link(struct burst *b)
{
    struct neigh_out o;

    while (b->n < b->max && neigh_pull(&b->k->link, b->ifindex, b->k->now_us, &o)) {
        if (o.kind == NEIGH_ARP)
            send_arp(b, &o);
        else if (o.kind == NEIGH_IP)
            send_unparked(b, &o);
        else if (o.kind == NEIGH_ND)
            send_nd(b, &o);
    }
}
