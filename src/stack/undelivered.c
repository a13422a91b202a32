/* Packets that never left, because no MAC address was found for their next hop.
 *
 * Knows: the link's failures, and who sends what. Shape: a failed packet is read as if a router had
 * sent it back with "host unreachable", which is what Linux does. Units: microseconds. Errors:
 * none: whose sender is gone is only counted. Cost: O(packets that failed). 1122#2.3.2.2,
 * 1122#4.2.3.9, 4861#7.2.2 */
#include <errno.h>

#include "stack/stack.h"

enum { ORIGIN_LOCAL = 1, ORIGIN_ICMP = 2, ORIGIN_ICMP6 = 3 }; /* SO_EE_ORIGIN_LOCAL ... */

static uint8_t origin_of(const struct icmp_error *e)
{
    if (!e->type)
        return ORIGIN_LOCAL;
    return weir_addr_is_v4(&e->remote) ? ORIGIN_ICMP : ORIGIN_ICMP6;
}

struct udp_fault stack_fault(const struct icmp_error *e)
{
    return (struct udp_fault){.local = e->local,
                              .remote = e->remote,
                              .lport = e->lport,
                              .rport = e->rport,
                              .proto = e->proto,
                              .is_hard = e->is_hard,
                              .error = e->error,
                              .origin = origin_of(e),
                              .type = e->type,
                              .code = e->code,
                              .info = e->mtu,
                              .from = e->from};
}

/* A packet of somebody else's: 1812#5.2.7.1, 4443#3.1. */
static void tell_source(struct weir_stack *k, const struct weir_slice *packet,
                        const struct weir_addr *source)
{
    struct icmp_offence o = {.type = ICMP4_UNREACH, .code = UNREACH_HOST, .parts = 1};
    struct route_result r;
    enum drop v;

    if (route_lookup(&k->ip, source, 0, &r) < 0 ||
        !iface_source_for(&k->link, r.ifindex, source, &o.local))
        return;
    o.ifindex = r.ifindex;
    o.iface_flags = iface_at(&k->link, r.ifindex)->flags;
    o.part[0] = *packet;
    if (weir_addr_is_v4(source)) {
        v = icmp_error_send(&k->ip, &o, k->now_us);
    } else {
        o.type = ICMP6_UNREACH;
        o.code = UNREACH6_ADDR;
        v = icmp6_error_send(&k->ip, &o, k->now_us);
    }
    k->stats.IcmpOutRateLimitGlobal += v == DROP_icmp_rate;
}

static bool source_of(const struct weir_slice *packet, struct weir_addr *source)
{
    struct ip4 h;
    struct ip6 h6;

    if (ip6_parse(&h6, packet->data, packet->len) > 0) {
        *source = h6.src;
        return true;
    }
    if (ip4_parse(&h, packet->data, packet->len) < 0)
        return false;
    *source = weir_addr_v4(h.src);
    return true;
}

static void tell_sender(struct weir_stack *k, const struct weir_slice *packet)
{
    /* Linux: as if a router had said so, and the router is us. */
    struct icmp_error e = {.error = EHOSTUNREACH, .type = ICMP4_UNREACH, .code = UNREACH_HOST};
    struct weir_addr source;
    struct udp_fault fault;
    bool is_v4, is_router;
    enum drop v;

    if (!source_of(packet, &source))
        return;
    is_v4 = weir_addr_is_v4(&source);
    is_router = is_v4 ? k->knobs.ip_forward : k->knobs.ip6_forwarding;
    if (is_router && !iface_has_addr(&k->link, &source)) {
        tell_source(k, packet, &source);
        return;
    }
    v = is_v4 ? icmp_read_quote(packet->data, packet->len, &e)
              : icmp6_read_quote(packet->data, packet->len, &e);
    if (v != PASS)
        return; /* an ICMP answer of ours: nobody waits to hear of it */
    if (!is_v4) {
        e.type = ICMP6_UNREACH;
        e.code = UNREACH6_ADDR;
    }
    if (e.proto == PROTO_TCP) {
        struct flow flow = {
            .local = e.local, .remote = e.remote, .lport = e.lport, .rport = e.rport};
        tcp_unreachable(&k->tcp, &flow, e.error);
    } else {
        e.from = e.local;
        fault = stack_fault(&e);
        udp_on_icmp_error(&k->udp, &fault);
    }
}

static void count_since(uint64_t *drops, uint64_t *counted, uint64_t all)
{
    *drops += all - *counted;
    *counted = all;
}

static bool dest_of(const struct weir_slice *packet, struct weir_addr *dest)
{
    struct ip4 h;
    struct ip6 h6;

    if (ip6_parse(&h6, packet->data, packet->len) > 0)
        *dest = h6.dst;
    else if (ip4_parse(&h, packet->data, packet->len) > 0)
        *dest = weir_addr_v4(h.dst);
    else
        return false;
    return true;
}

/* 1122#3.3.1.5: by another gateway, which did not fail. */
static bool goes_another_way(struct weir_stack *k, const struct link_failure *f)
{
    struct way way = {&k->ip, &k->link};
    struct weir_addr dst;
    struct route_result r;

    if (!dest_of(&f->packet.part[0], &dst) || way_find_own(&way, &dst, f->ifindex, &r) < 0 ||
        neigh_has_failed(&k->link, f->ifindex, &r.next_hop))
        return false;
    return neigh_park(&k->link, f->ifindex, &r.next_hop, &f->packet, k->now_us) == KEPT;
}

void stack_undelivered(struct weir_stack *k)
{
    struct link_failure f;

    while (link_next_failure(&k->link, &f)) {
        if (goes_another_way(k, &f))
            continue;
        k->drops[DROP_neigh_failed - DROP_FIRST]++;
        tell_sender(k, &f.packet.part[0]);
    }
    count_since(&k->drops[DROP_neigh_queue_full - DROP_FIRST], &k->parked_out,
                k->link.dropped_queue_full);
    count_since(&k->drops[DROP_neigh_table_full - DROP_FIRST], &k->parked_evicted,
                k->link.dropped_evicted);
}
