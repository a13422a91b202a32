/* A packet for somebody else, where net.ipv4.ip_forward makes the stack a router. 1812#5, 791.
 *
 * Knows: routes, interfaces, ICMP. Shape: what may go on loses one of its TTL and is queued for the
 * interface that its route names; pieces.c sends it, in fragments where the next link is narrower.
 * Differs: 1812#5.3.3: a broadcast to another subnet is never forwarded (2644), neither are groups;
 * no redirect is sent. Units: bytes. Errors: verdicts; the source hears of them by ICMP where that
 * is allowed. Cost: a route lookup and one copy. */
#include <string.h>

#include "base/sum.h"
#include "stack/stack.h"

static void tell_source(struct weir_stack *k, const struct transit *t,
                        const struct icmp_offence *why)
{
    struct icmp_offence o = *why;

    o.ifindex = t->ifindex;
    o.iface_flags = iface_at(&k->link, t->ifindex)->flags;
    o.is_source_bad = iface_is_broadcast(&k->link, t->ifindex, &t->src);
    if (!iface_source_for(&k->link, t->ifindex, &t->src, &o.local))
        return;
    memcpy(o.part, t->packet, sizeof o.part);
    o.parts = t->parts;
    if (icmp_error_send(&k->ip, &o, k->now_us) == DROP_icmp_rate)
        k->stats.IcmpOutRateLimitGlobal++;
}

static enum drop refuse(struct weir_stack *k, const struct transit *t, uint8_t type, uint8_t code)
{
    bool is_ttl = type == ICMP4_TIME;

    tell_source(k, t, &(struct icmp_offence){.type = type, .code = code});
    return is_ttl ? DROP_ip_ttl : DROP_ip_no_route;
}

static enum drop too_big(struct weir_stack *k, const struct transit *t, uint32_t mtu)
{
    k->stats.IpFragFails++;
    tell_source(k, t,
                &(struct icmp_offence){.type = ICMP4_UNREACH, .code = UNREACH_FRAG, .rest = mtu});
    return DROP_ip_too_big;
}

/* 127/8 was refused before; 169.254/16 stays on its link: 3927#2.7. */
static bool may_leave_its_link(const struct weir_addr *a)
{
    return !(a->b[12] == 169 && a->b[13] == 254);
}

enum drop stack_forward(struct weir_stack *k, const struct transit *t)
{
    struct ip4 h = *t->ip;
    struct transit_in in = {
        .ip = &h, .options = t->options, .parts = t->l4_parts, .sum_at = t->sum_at};
    struct route_result r;
    uint32_t mtu;
    enum drop v;

    if (!may_leave_its_link(&t->src) || !may_leave_its_link(&t->dst))
        return DROP_ip_not_local;
    if (h.ttl <= 1)
        return refuse(k, t, ICMP4_TIME, 0);
    if (way_find(&(struct way){&k->ip, &k->link}, &t->dst, 0, &r) < 0)
        return refuse(k, t, ICMP4_UNREACH, UNREACH_NET);
    if (iface_is_broadcast(&k->link, r.ifindex, &t->dst))
        return DROP_ip_not_local;
    mtu = iface_at(&k->link, r.ifindex)->mtu;
    if (h.total_len > mtu && h.frag & IP4_DF)
        return too_big(k, t, mtu);
    h.ttl--;
    in.next_hop = r.next_hop;
    memcpy(in.part, t->l4, sizeof in.part);
    v = transit_queue(&k->ip, r.ifindex, &in);
    k->stats.IpForwDatagrams += v == PASS;
    return v;
}
