/* Datagrams of which some pieces never came: given up in time, and their senders told.
 *
 * Knows: what reassembly gave up, and ICMP. Shape: a sender hears of it only where the first
 * fragment came, for without it nobody could say what the message is about. Units: microseconds.
 * Errors: none: where ICMP may not or can not speak, it is only counted. Cost: O(datagrams given
 * up). 1122#3.3.2 */
#include "stack/stack.h"

#define REASSEMBLY_TIME 1 /* code of ICMP time exceeded */

static void tell_source(struct weir_stack *k, const struct frag_expired *e)
{
    struct icmp_offence o = {.type = ICMP4_TIME,
                             .code = REASSEMBLY_TIME,
                             .local = e->dst,
                             .ifindex = e->ifindex,
                             .iface_flags = iface_at(&k->link, e->ifindex)->flags,
                             .is_group = e->is_group,
                             .parts = 1};
    enum drop v;

    o.part[0] = (struct weir_slice){e->quote, e->len};
    if (weir_addr_is_v4(&e->src)) {
        o.is_source_bad = iface_is_broadcast(&k->link, e->ifindex, &e->src);
        v = icmp_error_send(&k->ip, &o, k->now_us);
    } else {
        o.type = ICMP6_TIME; /* 8200#4.5 */
        v = icmp6_error_send(&k->ip, &o, k->now_us);
    }
    k->stats.IcmpOutRateLimitGlobal += v == DROP_icmp_rate;
}

int stack_incomplete(struct weir_stack *k)
{
    const struct frag_limits *limit = &k->ip.config.frag;
    struct frag_expired e;
    int n = 0;

    for (; frag_expire(&k->ip.frags, limit, &e, k->now_us); n++) {
        k->stats.IpReasmTimeout++;
        if (e.len)
            tell_source(k, &e);
    }
    k->stats.IpReasmFails = k->ip.frags.failed;
    for (limit = &k->ip.config.frag6; frag_expire(&k->ip.frags6, limit, &e, k->now_us); n++) {
        k->stats.Ip6ReasmTimeout++;
        if (e.len)
            tell_source(k, &e);
    }
    k->stats.Ip6ReasmFails = k->ip.frags6.failed;
    return n;
}
