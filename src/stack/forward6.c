/* An IPv6 packet for somebody else, where net.ipv6.conf.all.forwarding makes the stack a router.
 * 8200#3, 4443#3.
 *
 * Knows: routes, interfaces, ICMPv6. Shape: what may go on loses one of its hop limit and is queued
 * for the interface that its route names; it is never cut here (8200#4.5), and its extension
 * headers are nobody's business on the way (8200#4). No redirect is sent. Units: bytes. Errors:
 * verdicts; the source hears of them by ICMPv6 where that is allowed. Cost: a route lookup and one
 * copy. */
#include <string.h>

#include "stack/stack.h"

static void tell_source(struct weir_stack *k, const struct transit *t, uint8_t type, uint8_t code,
                        uint32_t rest)
{
    struct icmp_offence o = {.type = type,
                             .code = code,
                             .rest = rest,
                             .ifindex = t->ifindex,
                             .iface_flags = iface_at(&k->link, t->ifindex)->flags,
                             .parts = t->parts};

    if (!iface_source_for(&k->link, t->ifindex, &t->src, &o.local))
        return;
    memcpy(o.part, t->packet, sizeof o.part);
    if (icmp6_error_send(&k->ip, &o, k->now_us) == DROP_icmp_rate)
        k->stats.IcmpOutRateLimitGlobal++;
}

enum drop stack_forward6(struct weir_stack *k, const struct transit *t)
{
    struct ip6 h = *t->ip6;
    struct transit_in in = {.ip6 = &h, .parts = t->l4_parts, .sum_at = t->sum_at};
    struct route_result r;
    uint32_t mtu;
    enum drop v;

    if (weir_addr_is_any(&t->src) || ip6_is_link_local(&t->dst))
        return DROP_ip_not_local; /* 4291#2.5.2, 4291#2.5.6 */
    if (ip6_is_link_local(&t->src)) {
        tell_source(k, t, ICMP6_UNREACH, UNREACH6_SCOPE, 0);
        return DROP_ip_not_local;
    }
    if (h.hop_limit <= 1) {
        tell_source(k, t, ICMP6_TIME, 0, 0);
        return DROP_ip_ttl;
    }
    if (way_find(&(struct way){&k->ip, &k->link}, &t->dst, 0, &r) < 0) {
        tell_source(k, t, ICMP6_UNREACH, UNREACH6_ROUTE, 0);
        return DROP_ip_no_route;
    }
    mtu = iface_at(&k->link, r.ifindex)->mtu;
    if (IP6_LEN + (uint32_t)h.payload_len > mtu) {
        k->stats.Ip6InTooBigErrors++;
        tell_source(k, t, ICMP6_TOO_BIG, 0, mtu);
        return DROP_ip_too_big;
    }
    h.hop_limit--;
    in.next_hop = r.next_hop;
    memcpy(in.part, t->l4, sizeof in.part);
    v = transit_queue(&k->ip, r.ifindex, &in);
    k->stats.Ip6OutForwDatagrams += v == PASS;
    return v;
}
