/* Packets that never left, because nobody answered ARP for their next hop.
 *
 * Knows: the link's failures, and who sends what. Shape: a failed packet is read as if a router had
 * sent it back with "host unreachable", which is what Linux does. Units: microseconds. Errors:
 * none: whose sender is gone is only counted. Cost: O(packets that failed). 1122#2.3.2.2,
 * 1122#4.2.3.9 */
#include <errno.h>

#include "stack/stack.h"

enum { ORIGIN_LOCAL = 1, ORIGIN_ICMP = 2 }; /* SO_EE_ORIGIN_LOCAL, SO_EE_ORIGIN_ICMP */

struct udp_fault stack_fault(const struct icmp_error *e)
{
    return (struct udp_fault){.local = e->local,
                              .remote = e->remote,
                              .lport = e->lport,
                              .rport = e->rport,
                              .proto = e->proto,
                              .is_hard = e->is_hard,
                              .error = e->error,
                              .origin = e->type ? ORIGIN_ICMP : ORIGIN_LOCAL,
                              .type = e->type,
                              .code = e->code,
                              .info = e->mtu,
                              .from = e->from};
}

/* A packet of somebody else's: 1812#5.2.7.1. */
static void tell_source(struct weir_stack *k, const struct weir_slice *packet,
                        const struct weir_addr *source)
{
    struct icmp_offence o = {.type = ICMP4_UNREACH, .code = UNREACH_HOST, .parts = 1};
    struct route_result r;

    if (route_lookup(&k->ip, source, 0, &r) < 0 ||
        !iface_source_for(&k->link, r.ifindex, source, &o.local))
        return;
    o.ifindex = r.ifindex;
    o.iface_flags = iface_at(&k->link, r.ifindex)->flags;
    o.part[0] = *packet;
    if (icmp_error_send(&k->ip, &o, k->now_us) == DROP_icmp_rate)
        k->stats.IcmpOutRateLimitGlobal++;
}

static void tell_sender(struct weir_stack *k, const struct weir_slice *packet)
{
    /* Linux: as if a router had said so, and the router is us. */
    struct icmp_error e = {.error = EHOSTUNREACH, .type = ICMP4_UNREACH, .code = UNREACH_HOST};
    struct udp_fault fault;

    struct weir_addr source;
    struct ip4 h;

    if (ip4_parse(&h, packet->data, packet->len) < 0)
        return;
    source = weir_addr_v4(h.src);
    if (k->knobs.ip_forward && !iface_has_addr(&k->link, &source)) {
        tell_source(k, packet, &source);
        return;
    }
    if (icmp_read_quote(packet->data, packet->len, &e) != PASS)
        return; /* an ICMP answer of ours: nobody waits to hear of it */
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

void stack_undelivered(struct weir_stack *k)
{
    struct link_failure f;

    while (link_next_failure(&k->link, &f)) {
        k->drops[DROP_neigh_failed - DROP_FIRST]++;
        tell_sender(k, &f.packet.part[0]);
    }
    count_since(&k->drops[DROP_neigh_queue_full - DROP_FIRST], &k->parked_out,
                k->link.dropped_queue_full);
    count_since(&k->drops[DROP_neigh_table_full - DROP_FIRST], &k->parked_evicted,
                k->link.dropped_evicted);
}
