/* The way of an IPv4 packet in. 791, 792, 1122#3.2.
 *
 * Knows: IPv4, ICMP, IGMP, and which interface has which address. Not connections. Shape: read from
 * bottom to top of the layers, bottom to top of this file. Units: bytes. Errors: verdicts. Cost:
 * O(1); a fragment is copied. */
#include "stack/arrival.h"

static enum drop input_icmp(struct arrival *a)
{
    struct weir_stack *k = a->k;
    struct icmp_view in = {.src = a->src,
                           .dst = a->dst,
                           .local = a->dst,
                           .ifindex = a->ifindex,
                           .is_group = a->is_group,
                           .ttl = a->ip.ttl,
                           .tos = a->ip.tos};
    struct icmp_event event = {.kind = ICMP_EVENT_NONE};
    enum drop v;

    k->stats.IcmpInMsgs++;
    if (a->l4_len && a->f->part[0].len > a->l4_at)
        stats_icmp(&k->stats, *head_at(a, a->l4_at), false);
    if (a->is_group)
        iface_source_for(&k->link, a->ifindex, &a->src, &in.local);
    in.parts = arrival_slices(a->f, a->l4_at, a->l4_len, in.part);
    v = icmp_input(&k->ip, &in, &event);
    a->is_answer = v == PASS && event.kind == ICMP_EVENT_NONE;
    if (v != PASS || event.kind == ICMP_EVENT_NONE)
        return v;
    if (event.kind == ICMP_EVENT_REDIRECT)
        return input_redirect(a, &event);
    if (event.kind == ICMP_EVENT_ERROR)
        return input_icmp_error(a, &event.error);
    return input_icmp_reply(a, event.id);
}

/* -- IGMP -------------------------------------------------------------------------------------- */

static enum drop input_igmp(struct arrival *a)
{
    struct ip *ip = &a->k->ip;
    struct igmp_in in = {.ifindex = a->ifindex, .src = a->src, .dst = a->dst};

    a->is_answer = true;
    in.parts = arrival_slices(a->f, a->l4_at, a->l4_len, in.part);
    return igmp_input(&ip->members, &ip->rng, &in, a->k->now_us);
}

/* -- IP ---------------------------------------------------------------------------------------- */

/* What nobody here takes is answered by an ICMP error, where 1122#3.2.2 allows one. */
static void answer_error(struct arrival *a, uint8_t type, uint8_t code, uint32_t rest)
{
    struct icmp_offence o = {.type = type,
                             .code = code,
                             .rest = rest,
                             .local = a->dst,
                             .ifindex = a->ifindex,
                             .iface_flags = a->iface->flags,
                             .is_group = a->is_group || a->is_link_group};

    if (a->is_transit && !iface_source_for(&a->k->link, a->ifindex, &a->src, &o.local))
        return;
    o.is_source_bad = iface_is_broadcast(&a->k->link, a->ifindex, &a->src);
    o.parts = arrival_slices(a->f, a->ip_at, a->ip.total_len, o.part);
    if (icmp_error_send(&a->k->ip, &o, a->k->now_us) == DROP_icmp_rate)
        a->k->stats.IcmpOutRateLimitGlobal++;
}

static enum drop input_transport(struct arrival *a)
{
    enum drop v;

    switch (a->ip.proto) {
    case PROTO_TCP:
        return input_tcp(a);
    case PROTO_UDP:
        v = input_udp(a);
        if (v == DROP_udp_no_port)
            answer_error(a, ICMP4_UNREACH, UNREACH_PORT, 0);
        return v;
    case PROTO_ICMP:
        return input_icmp(a);
    case PROTO_IGMP:
        return input_igmp(a);
    default:
        answer_error(a, ICMP4_UNREACH, UNREACH_PROTO, 0);
        return DROP_ip_protocol;
    }
}

/* A switch asks for members though it has no address: 4541#2.1.1. */
static bool is_query_of_switch(const struct arrival *a)
{
    return a->ip.proto == PROTO_IGMP && weir_addr_is_any(&a->src);
}

static enum drop judge_addresses(struct arrival *a)
{
    struct weir_stack *k = a->k;
    bool is_forged = !k->loop.is_open && iface_has_addr(&k->link, &a->src);
    unsigned facts = (is_forged ? IP_SOURCE_OWN : 0) |
                     (iface_is_broadcast(&k->link, a->ifindex, &a->src) ? IP_SOURCE_BROADCAST : 0);
    enum drop v = ip_judge_source(&a->src, a->iface->flags, facts);

    if (v != PASS && !is_query_of_switch(a))
        return v;
    if ((v = ip_judge_dest(&a->dst, a->iface->flags)) != PASS)
        return v;
    a->is_group = iface_is_multicast(&a->dst) || iface_is_broadcast(&k->link, a->ifindex, &a->dst);
    if (a->is_group)
        return !iface_is_multicast(&a->dst) || iface_is_member(&k->link, a->ifindex, &a->dst)
                   ? PASS
                   : DROP_ip_not_local;
    a->is_transit = !a->is_link_group && k->knobs.ip_forward &&
                    !iface_is_own(&k->link, a->ifindex, &a->dst);
    if (a->is_transit)
        return PASS;
    if (a->is_link_group || !iface_is_own(&k->link, a->ifindex, &a->dst))
        return DROP_ip_not_local;
    arrival_passed(a);
    return PASS;
}

/* A piece of a datagram; the last one to come delivers the whole as if it were its own frame. */
static enum drop input_fragment(struct arrival *a)
{
    struct weir_stack *k = a->k;
    struct weir_frame *piece = a->f, joined = {.parts = 1};
    struct frag_in in = {.src = a->src,
                         .dst = a->dst,
                         .ifindex = a->ifindex,
                         .id = a->ip.id,
                         .proto = a->ip.proto,
                         .tos = a->tos,
                         .start = (a->ip.frag & IP4_OFFSET) * 8u,
                         .has_more = a->ip.frag & IP4_MF,
                         .is_group = a->is_group || a->is_link_group,
                         .hdr_len = a->ip.hdr_len,
                         .hdr = head_at(a, a->ip_at)};
    struct frag_whole whole;
    enum drop v;

    k->stats.IpReasmReqds++;
    in.parts = arrival_slices(a->f, a->l4_at, a->l4_len, in.part);
    v = frag_input(&k->ip.frags, &k->ip.config.frag, &in, &whole, k->now_us);
    k->stats.IpReasmFails = k->ip.frags.failed;
    if (v != PASS)
        return v;
    k->stats.IpReasmOKs++;
    k->stats.IpInDelivers++;
    joined.part[0] = (struct weir_slice){whole.data, whole.len};
    a->f = &joined;
    a->ip_at = 0;
    a->was_fragment = true;
    a->l4_at = (uint32_t)ip4_parse(&a->ip, whole.data, whole.len);
    a->tos = a->ip.tos;
    a->l4_len = a->ip.total_len - a->l4_at;
    v = input_transport(a);
    piece->why = joined.why;
    a->f = piece;
    frag_release(&k->ip.frags);
    return v;
}

static enum drop input_transit(struct arrival *a)
{
    struct transit t = {.ip = &a->ip,
                        .src = a->src,
                        .dst = a->dst,
                        .ifindex = a->ifindex,
                        .options = head_at(a, a->ip_at + IP4_LEN)};

    if (a->f->gso_size)
        return DROP_ip_too_big; /* joined by the link, and only its sender could part it again */
    if (a->f->flags & WEIR_CSUM_PARTIAL)
        t.sum_at = a->f->csum_start + a->f->csum_offset - a->l4_at;
    t.parts = arrival_slices(a->f, a->ip_at, a->ip.total_len, t.packet);
    t.l4_parts = arrival_slices(a->f, a->l4_at, a->l4_len, t.l4);
    return stack_forward(a->k, &t);
}

/* All headers lie in part[0], says frame.h; who forgets it must not make us read behind it. */
static bool is_head_split(const struct arrival *a, uint32_t head, uint32_t all)
{
    return head < all && (head < IP4_LEN || head < (*head_at(a, a->ip_at) & 15u) * 4);
}

static void count_ecn(struct arrival *a)
{
    struct stats *s = &a->k->stats;
    uint64_t *const counter[4] = {&s->IpExtInNoECTPkts, &s->IpExtInECT1Pkts, &s->IpExtInECT0Pkts,
                                  &s->IpExtInCEPkts};

    ++*counter[a->tos & 3];
}

/* 1122#3.2.2.5: the source hears where its header is wrong, if the packet would have been taken. */
static enum drop judge_options(struct arrival *a, size_t n)
{
    size_t fault = 0;
    enum drop v = ip_judge_options(head_at(a, a->ip_at + IP4_LEN), n, &fault);

    if (v == DROP_ip_option && judge_addresses(a) == PASS)
        answer_error(a, ICMP4_PARAM, 0, (uint32_t)(IP4_LEN + fault) << 24);
    return v;
}

enum drop input_ip4(struct arrival *a)
{
    uint32_t head = a->f->part[0].len - a->ip_at;
    uint32_t all = a->end - a->ip_at;
    enum drop v;
    int len;

    a->k->stats.IpInReceives++;
    if (is_head_split(a, head, all))
        return DROP_not_linear;
    len = ip4_parse(&a->ip, head_at(a, a->ip_at), all);
    if (len < 0)
        return (enum drop) - len;
    a->src = weir_addr_v4(a->ip.src);
    a->dst = weir_addr_v4(a->ip.dst);
    a->tos = a->ip.tos;
    count_ecn(a);
    a->ttl = a->ip.ttl;
    a->l4_at = a->ip_at + (uint32_t)len;
    a->l4_len = a->ip.total_len - (uint32_t)len;
    if (len > IP4_LEN && (v = judge_options(a, (size_t)len - IP4_LEN)) != PASS)
        return v;
    if (!arrival_is_like_the_last(a) && (v = judge_addresses(a)) != PASS)
        return v;
    if (a->is_transit)
        return input_transit(a);
    if (ip_is_fragment(&a->ip))
        return input_fragment(a);
    a->k->stats.IpInDelivers++;
    return input_transport(a);
}
