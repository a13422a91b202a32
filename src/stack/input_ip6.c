/* The way of an IPv6 packet in. 8200, 4443, 5722, 6946, 7112.
 *
 * Knows: IPv6, ICMPv6, and which interface has which address. Not connections. Shape: read from
 * bottom to top of the layers, bottom to top of this file; extension headers are walked once,
 * before anything is done. Units: bytes. Errors: verdicts; the source hears of them by ICMPv6 where
 * that is allowed. Cost: O(1), O(extension headers); a fragment is copied. */
#include <string.h>

#include "base/sum.h"
#include "stack/arrival.h"

#define TRANSPORT_MIN 8 /* bytes of it that a first fragment holds at least; of TCP its header */

/* -- ICMPv6 ------------------------------------------------------------------------------------ */

/* Not asked of neighbour discovery, which speaks before it has an address, and hears others claim
 * it. */
static bool is_source_possible(const struct arrival *a)
{
    if (weir_addr_is_any(&a->src))
        return false;
    return a->k->loop.is_open || a->iface->flags & (WEIR_IF_LOOPBACK_OK | WEIR_IF_ANY_ADDR) ||
           !iface_has_addr(&a->k->link, &a->src);
}

/* Our address to answer from. */
static struct weir_addr local_of(const struct arrival *a)
{
    struct weir_addr local = a->dst;

    if (a->is_group)
        iface_source_for(&a->k->link, a->ifindex, &a->src, &local);
    return local;
}

static void tell_source(struct arrival *a, uint8_t type, uint8_t code, uint32_t rest)
{
    struct icmp_offence o = {.type = type,
                             .code = code,
                             .rest = rest,
                             .local = local_of(a),
                             .ifindex = a->ifindex,
                             .iface_flags = a->iface->flags,
                             .is_group = a->is_group || a->is_link_group};

    o.parts = arrival_slices(a->f, a->ip_at, IP6_LEN + (uint32_t)a->ip6.payload_len, o.part);
    if (icmp6_error_send(&a->k->ip, &o, a->k->now_us) == DROP_icmp_rate)
        a->k->stats.IcmpOutRateLimitGlobal++;
}

static enum drop input_nd(struct arrival *a)
{
    struct nd_in in = {.ifindex = a->ifindex,
                       .src = a->src,
                       .dst = a->dst,
                       .hop_limit = a->ttl,
                       .was_fragmented = a->was_fragment,
                       .message = head_at(a, a->l4_at),
                       .len = a->l4_len};

    if (a->f->part[0].len - a->l4_at < a->l4_len)
        return DROP_not_linear;
    a->is_answer = true;
    if (in.message[0] == ND_REDIRECT)
        return input_redirect6(a, &in);
    return nd_input(&a->k->link, &in, a->k->now_us);
}

static bool is_sum_good(const struct arrival *a, const struct icmp_view *in)
{
    uint32_t acc = pseudo_sum(&a->src, &a->dst, PROTO_ICMP6, a->l4_len), at = 0;

    for (int i = 0; i < in->parts; i++) {
        acc = sum_fold(sum_add_at(acc, in->part[i].data, in->part[i].len, at));
        at += in->part[i].len;
    }
    return sum_finish(acc) == 0;
}

static enum drop input_mld(struct arrival *a, const struct icmp_view *v)
{
    struct ip *ip = &a->k->ip;
    struct igmp_in in = {.ifindex = a->ifindex,
                         .src = a->src,
                         .dst = a->dst,
                         .ttl = a->ttl,
                         .has_alert = a->chain.has_alert,
                         .parts = v->parts};

    memcpy(in.part, v->part, sizeof in.part);
    a->is_answer = true;
    return mld_input(&ip->members, &ip->rng, &in, a->k->now_us);
}

static enum drop input_icmp6(struct arrival *a)
{
    struct weir_stack *k = a->k;
    struct icmp_view in = {.src = a->src,
                           .dst = a->dst,
                           .ifindex = a->ifindex,
                           .is_group = a->is_group,
                           .ttl = a->ttl,
                           .tos = a->tos};
    struct icmp_event event;
    uint8_t type;
    enum drop v;

    k->stats.Icmp6InMsgs++;
    if (a->l4_len < ICMP_LEN || a->f->part[0].len < a->l4_at + ICMP_LEN)
        return DROP_icmp_short;
    in.parts = arrival_slices(a->f, a->l4_at, a->l4_len, in.part);
    if (!is_sum_good(a, &in))
        return DROP_icmp_checksum;
    type = *head_at(a, a->l4_at);
    stats_icmp6(&k->stats, type, false);
    if (type >= ICMP6_ND_FIRST && type <= ICMP6_ND_LAST)
        return input_nd(a);
    if ((type >= ICMP6_MLD_QUERY && type <= ICMP6_MLD_DONE) || type == ICMP6_MLD2_REPORT)
        return input_mld(a, &in);
    if (!is_source_possible(a))
        return DROP_ip_martian_source;
    in.local = local_of(a);
    v = icmp6_input(&k->ip, &in, &event);
    a->is_answer = v == PASS && event.kind == ICMP_EVENT_NONE;
    if (v != PASS || event.kind == ICMP_EVENT_NONE)
        return v;
    return event.kind == ICMP_EVENT_ERROR ? input_icmp_error(a, &event.error)
                                          : input_icmp_reply(a, event.id);
}

/* -- what the headers carry -------------------------------------------------------------------- */

static enum drop input_payload(struct arrival *a, bool is_known)
{
    enum drop v;

    if (!is_known && a->chain.proto != PROTO_ICMP6) {
        if (!is_source_possible(a))
            return DROP_ip_martian_source;
        if (!a->is_group)
            arrival_passed(a);
    }
    a->k->stats.Ip6InDelivers++;
    switch (a->chain.proto) {
    case PROTO_TCP:
        return input_tcp(a);
    case PROTO_UDP:
        v = input_udp(a);
        if (v == DROP_udp_no_port)
            tell_source(a, ICMP6_UNREACH, UNREACH6_PORT, 0);
        return v;
    case PROTO_ICMP6:
        return input_icmp6(a);
    default: /* 8200#4 */
        tell_source(a, ICMP6_PARAM, PARAM6_NEXT, a->chain.named_at);
        return DROP_ip_protocol;
    }
}

/* The headers from `at` on, counted from the IPv6 header: what they say, or why not. */
static enum drop walk(struct arrival *a, uint32_t at)
{
    uint32_t head = a->f->part[0].len - a->ip_at, all = IP6_LEN + (uint32_t)a->ip6.payload_len;
    enum drop v = ip6_walk(&a->chain, head_at(a, a->ip_at), at, head < all ? head : all);

    if (v == DROP_ip6_header && head < all && !a->chain.is_told)
        return DROP_not_linear;
    if (a->chain.is_told && (a->chain.is_told_group || !(a->is_group || a->is_link_group)))
        tell_source(a, ICMP6_PARAM, a->chain.code, a->chain.pointer);
    a->l4_at = a->ip_at + at + a->chain.len;
    a->l4_len = all - at - a->chain.len;
    return v;
}

/* -- fragments --------------------------------------------------------------------------------- */

/* 8200#4.5: what the sender is told of a fragment that can be none. */
static bool tell_of_lengths(struct arrival *a)
{
    uint32_t start = a->chain.frag & IP6_FRAG_OFFSET;

    if (a->chain.frag & IP6_FRAG_MORE && a->l4_len % 8)
        tell_source(a, ICMP6_PARAM, PARAM6_FIELD, 4);
    else if (start + a->l4_len > UINT16_MAX)
        tell_source(a, ICMP6_PARAM, PARAM6_FIELD, a->l4_at - a->ip_at - IP6_FRAG_LEN + 2);
    else
        return false;
    return true;
}

/* 7112: the first fragment holds all headers, and the beginning of the transport's. */
static enum drop judge_first(struct arrival *a)
{
    struct ip6_chain c = {.proto = a->chain.inner, .named_at = (uint16_t)(a->l4_at - a->ip_at - 8)};
    uint32_t at = a->l4_at - a->ip_at, end = at + a->l4_len;
    uint32_t head = a->f->part[0].len - a->ip_at, least;
    enum drop v = ip6_walk(&c, head_at(a, a->ip_at), at, head < end ? head : end);

    if (v == DROP_ip6_header && head < end && !c.is_told)
        return DROP_not_linear;
    least = c.proto == PROTO_TCP ? TCP_LEN : TRANSPORT_MIN;
    if ((v == DROP_ip6_header && !c.is_told) || (v == PASS && at + c.len + least > end)) {
        tell_source(a, ICMP6_PARAM, PARAM6_CHAIN, 0);
        return DROP_ip6_header;
    }
    return PASS; /* what else is wrong shows when it is whole */
}

/* Behind a fragment header, or in what was put together: the rest of the headers. */
static enum drop input_behind_fragment(struct arrival *a, uint16_t named_at)
{
    uint32_t at = a->l4_at - a->ip_at;
    enum drop v;

    a->was_fragment = true;
    a->chain = (struct ip6_chain){.proto = a->chain.inner, .named_at = named_at};
    v = walk(a, at);
    if (v == PASS && a->chain.proto == NEXT_FRAGMENT)
        return DROP_ip6_header; /* a fragment in a fragment */
    return v == PASS ? input_payload(a, false) : v;
}

static enum drop input_whole(struct arrival *a, const struct frag_whole *whole)
{
    struct weir_frame *piece = a->f, joined = {.parts = 1};
    enum drop v;

    joined.part[0] = (struct weir_slice){whole->data, whole->len};
    a->f = &joined;
    a->ip_at = 0;
    a->l4_at = IP6_LEN;
    ip6_parse(&a->ip6, whole->data, whole->len);
    a->tos = a->ip6.tclass;
    a->chain.inner = a->ip6.next;
    v = input_behind_fragment(a, 6);
    piece->why = joined.why;
    a->f = piece;
    return v;
}

static enum drop input_fragment(struct arrival *a)
{
    struct weir_stack *k = a->k;
    struct frag_in in = {.src = a->src,
                         .dst = a->dst,
                         .ifindex = a->ifindex,
                         .id = a->chain.id,
                         .start = a->chain.frag & IP6_FRAG_OFFSET,
                         .tos = a->tos,
                         .has_more = a->chain.frag & IP6_FRAG_MORE,
                         .is_group = a->is_group || a->is_link_group,
                         .is_v6 = true,
                         .hdr_len = IP6_LEN};
    uint8_t hdr[IP6_LEN];
    struct frag_whole whole;
    enum drop v;

    if (!(a->chain.frag & (IP6_FRAG_OFFSET | IP6_FRAG_MORE))) /* 6946#4 */
        return input_behind_fragment(a, (uint16_t)(a->l4_at - a->ip_at - IP6_FRAG_LEN));
    k->stats.Ip6ReasmReqds++;
    if (!tell_of_lengths(a) && !in.start && (v = judge_first(a)) != PASS)
        return v;
    memcpy(hdr, head_at(a, a->ip_at), IP6_LEN);
    hdr[6] = a->chain.inner;
    in.hdr = hdr;
    in.parts = arrival_slices(a->f, a->l4_at, a->l4_len, in.part);
    v = frag_input(&k->ip.frags6, &k->ip.config.frag6, &in, &whole, k->now_us);
    k->stats.Ip6ReasmFails = k->ip.frags6.failed;
    if (v != PASS)
        return v;
    k->stats.Ip6ReasmOKs++;
    v = input_whole(a, &whole);
    frag_release(&k->ip.frags6);
    return v;
}

/* -- IP ---------------------------------------------------------------------------------------- */

static enum drop judge_addresses(struct arrival *a)
{
    struct weir_stack *k = a->k;
    enum drop v = ip6_judge_source(&a->src, a->iface->flags);

    if (v != PASS || (v = ip6_judge_dest(&a->dst, a->iface->flags)) != PASS)
        return v;
    a->is_group = iface_is_multicast(&a->dst);
    if (a->is_group)
        return iface_is_member(&k->link, a->ifindex, &a->dst) ? PASS : DROP_ip_not_local;
    if (iface_is_own(&k->link, a->ifindex, &a->dst))
        return a->is_link_group ? DROP_ip_not_local : PASS;
    a->is_transit = !a->is_link_group && k->knobs.ip6_forwarding;
    return a->is_transit ? PASS : DROP_ip_not_local;
}

static enum drop input_transit(struct arrival *a)
{
    struct transit t = {.ip6 = &a->ip6, .src = a->src, .dst = a->dst, .ifindex = a->ifindex};
    uint32_t at = a->ip_at + IP6_LEN;

    if (a->f->gso_size)
        return DROP_ip_too_big; /* joined by the link, and only its sender could part it again */
    if (a->f->flags & WEIR_CSUM_PARTIAL)
        t.sum_at = a->f->csum_start + a->f->csum_offset - at;
    t.parts = arrival_slices(a->f, a->ip_at, IP6_LEN + (uint32_t)a->ip6.payload_len, t.packet);
    t.l4_parts = arrival_slices(a->f, at, a->ip6.payload_len, t.l4);
    return stack_forward6(a->k, &t);
}

static void count_ecn(struct arrival *a)
{
    struct stats *s = &a->k->stats;
    uint64_t *const counter[4] = {&s->Ip6InNoECTPkts, &s->Ip6InECT1Pkts, &s->Ip6InECT0Pkts,
                                  &s->Ip6InCEPkts};

    ++*counter[a->tos & 3];
}

enum drop input_ip6(struct arrival *a)
{
    uint32_t head = a->f->part[0].len - a->ip_at, all = a->end - a->ip_at;
    bool is_known;
    enum drop v;
    int len;

    a->k->stats.Ip6InReceives++;
    if (head < all && head < IP6_LEN)
        return DROP_not_linear;
    len = ip6_parse(&a->ip6, head_at(a, a->ip_at), all);
    if (len < 0)
        return (enum drop) - len;
    a->src = a->ip6.src;
    a->dst = a->ip6.dst;
    a->tos = a->ip6.tclass;
    count_ecn(a);
    a->ttl = a->ip6.hop_limit;
    is_known = arrival_is_like_the_last(a);
    if (!is_known && (v = judge_addresses(a)) != PASS)
        return v;
    if (a->is_transit)
        return input_transit(a);
    a->chain = (struct ip6_chain){.proto = a->ip6.next, .named_at = 6};
    if ((v = walk(a, IP6_LEN)) != PASS)
        return v;
    if (a->chain.proto == NEXT_FRAGMENT)
        return input_fragment(a);
    return input_payload(a, is_known);
}
