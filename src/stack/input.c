/* The way of one frame in, from the link to a socket. Read from top to bottom.
 *
 * Knows: all layers; no layer below knows another. Shape: each step takes a view of the same bytes
 * and returns a verdict; the verdict is counted once, here. Nothing is sent: what deserves an
 * answer is queued. Units: bytes. Errors: verdicts. Cost: O(1) and the copy into the receive ring.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/must.h"
#include "base/sum.h"
#include "stack/stack.h"

/* What is known of the frame in hand. Offsets count from the frame's first byte. */
struct arrival {
    struct weir_stack *k;
    struct weir_frame *f;
    const struct iface *iface;
    int ifindex;
    bool is_link_group; /* to a broadcast or multicast MAC */
    bool is_group;      /* to a broadcast or multicast address */
    bool is_transit;    /* for somebody else, and the stack is a router */
    bool is_answer;     /* what came is answered by a layer below the sockets */
    uint32_t end;       /* of what the link carries, without padding it knows of */
    uint32_t ip_at, l4_at;
    uint32_t l4_len; /* bytes of transport header and payload */
    struct ip4 ip;
    struct weir_addr src, dst;
    uint16_t local_port, remote_port; /* 0 until a TCP header was read */
};

/* The slices of `len` bytes from `at` on. */
static uint8_t slices_of(const struct weir_frame *f, uint32_t at, uint32_t len,
                         struct weir_slice out[WEIR_FRAME_PARTS])
{
    uint8_t n = 0;

    for (int i = 0; i < f->parts && len; i++) {
        uint32_t have = f->part[i].len, take;
        if (at >= have) {
            at -= have;
            continue;
        }
        take = have - at < len ? have - at : len;
        out[n++] = (struct weir_slice){f->part[i].data + at, take};
        len -= take;
        at = 0;
    }
    return n;
}

static const uint8_t *head_at(const struct arrival *a, uint32_t at)
{
    return a->f->part[0].data + at;
}

/* -- TCP --------------------------------------------------------------------------------------- */

static bool tcp_sum_is_good(const struct arrival *a)
{
    struct weir_slice s[WEIR_FRAME_PARTS];
    uint32_t acc = pseudo_sum(&a->src, &a->dst, PROTO_TCP, a->l4_len);
    size_t at = 0;
    uint8_t n;

    if (a->f->flags & (WEIR_CSUM_VALID | WEIR_CSUM_PARTIAL))
        return true;
    n = slices_of(a->f, a->l4_at, a->l4_len, s);
    for (int i = 0; i < n; i++) {
        acc = sum_fold(sum_add_at(acc, s[i].data, s[i].len, at));
        at += s[i].len;
    }
    return sum_fold(acc) == 0xffff;
}

static enum drop input_tcp(struct arrival *a)
{
    struct weir_stack *k = a->k;
    struct tcp_hdr h;
    struct seg s;
    uint32_t head = a->f->part[0].len - a->l4_at;
    int len = tcp_parse(&h, head_at(a, a->l4_at), head < a->l4_len ? head : a->l4_len);

    if (len < 0)
        return (enum drop) - len;
    a->local_port = h.dport;
    a->remote_port = h.sport;
    if (a->is_group)
        return DROP_tcp_address;
    if (!tcp_sum_is_good(a))
        return DROP_tcp_checksum;
    s.flow = (struct flow){.local = a->dst, .remote = a->src, .lport = h.dport, .rport = h.sport};
    s.seq = h.seq;
    s.ack = h.ack;
    s.wnd = h.wnd;
    s.urg = h.urg;
    s.flags = h.flags;
    s.ifindex = (uint8_t)a->ifindex;
    s.is_ce = (a->ip.tos & 3) == 3;
    s.opt = &h.opt;
    s.mtu = 0;
    if ((h.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        s.mtu = (uint16_t)pmtu_of(&k->ip, &a->src, a->iface->mtu, k->now_us);
    s.why = &a->f->why;
    s.len = a->l4_len - (uint32_t)len;
    s.pieces = 1;
    if (a->f->gso_size && s.len)
        s.pieces = (uint16_t)((s.len - 1) / a->f->gso_size + 1);
    s.texts = s.len ? slices_of(a->f, a->l4_at + (uint32_t)len, s.len, s.text) : 0;
    return tcp_input(&k->tcp, &s);
}

/* -- ICMP -------------------------------------------------------------------------------------- */

/* An error about something that we sent goes to who sent it. */
static enum drop icmp_to_transport(struct arrival *a, const struct icmp_error *e)
{
    struct weir_stack *k = a->k;
    uint32_t least = k->ip.config.min_pmtu; /* 1191#3: what is smaller is no path of today */
    uint32_t mtu = e->mtu && e->mtu < least ? least : e->mtu;
    struct tcp_icmp about = {
        .flow = {.local = e->local, .remote = e->remote, .lport = e->lport, .rport = e->rport},
        .seq = seq_of(e->seq),
        .error = e->error,
        .mtu = mtu,
        .is_hard = e->is_hard && e->type == ICMP4_UNREACH};
    struct udp_fault fault = stack_fault(e);
    enum drop v;

    if (a->l4_len > e->text_at)
        fault.parts = slices_of(a->f, a->l4_at + e->text_at, a->l4_len - e->text_at, fault.part);
    if (e->proto == PROTO_TCP)
        v = tcp_icmp(&k->tcp, &about);
    else
        v = udp_on_icmp_error(&k->udp, &fault);
    if (v == PASS && mtu) /* 5927: only what a transport confirmed */
        pmtu_update(&k->ip, &e->remote, mtu, k->now_us);
    return v;
}

static struct udp_view udp_view_of(const struct arrival *a)
{
    struct udp_view u = {.src = a->src,
                         .dst = a->dst,
                         .ifindex = (uint8_t)a->ifindex,
                         .ttl = a->ip.ttl,
                         .tos = a->ip.tos,
                         .flags = a->f->flags,
                         .is_group = a->is_group};

    u.parts = slices_of(a->f, a->l4_at, a->l4_len, u.part);
    return u;
}

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
    struct udp_view u;
    enum drop v;

    k->stats.IcmpInMsgs++;
    if (a->l4_len && a->f->part[0].len > a->l4_at)
        stats_icmp(&k->stats, *head_at(a, a->l4_at), false);
    if (a->is_group)
        iface_source_for(&k->link, a->ifindex, &a->src, &in.local);
    in.parts = slices_of(a->f, a->l4_at, a->l4_len, in.part);
    v = icmp_input(&k->ip, &in, &event);
    a->is_answer = v == PASS && event.kind == ICMP_EVENT_NONE;
    if (v != PASS || event.kind == ICMP_EVENT_NONE)
        return v;
    if (event.kind == ICMP_EVENT_ERROR)
        return icmp_to_transport(a, &event.error);
    u = udp_view_of(a);
    return udp_input_icmp(&k->udp, &u, event.id);
}

/* -- IGMP -------------------------------------------------------------------------------------- */

static enum drop input_igmp(struct arrival *a)
{
    struct ip *ip = &a->k->ip;
    struct igmp_in in = {.ifindex = a->ifindex, .src = a->src, .dst = a->dst};

    a->is_answer = true;
    in.parts = slices_of(a->f, a->l4_at, a->l4_len, in.part);
    return igmp_input(&ip->igmp, &ip->rng, &in, a->k->now_us);
}

/* -- UDP --------------------------------------------------------------------------------------- */

static enum drop input_udp(struct arrival *a)
{
    struct udp_view u = udp_view_of(a);
    enum drop v = udp_input(&a->k->udp, &u);

    a->k->stats.UdpInDatagrams += v == PASS;
    return v;
}

/* -- IPv4 -------------------------------------------------------------------------------------- */

/* What nobody here takes is answered by an ICMP error, where 1122#3.2.2 allows one. */
static void answer_unreachable(struct arrival *a, uint8_t code)
{
    struct icmp_offence o = {.type = ICMP4_UNREACH,
                             .code = code,
                             .local = a->dst,
                             .ifindex = a->ifindex,
                             .iface_flags = a->iface->flags,
                             .is_group = a->is_group || a->is_link_group};

    o.is_source_bad = iface_is_broadcast(&a->k->link, a->ifindex, &a->src);
    o.parts = slices_of(a->f, a->ip_at, a->ip.total_len, o.part);
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
            answer_unreachable(a, UNREACH_PORT);
        return v;
    case PROTO_ICMP:
        return input_icmp(a);
    case PROTO_IGMP:
        return input_igmp(a);
    default:
        answer_unreachable(a, UNREACH_PROTO);
        return DROP_ip_protocol;
    }
}

static bool is_like_the_last(const struct arrival *a)
{
    const struct last_pair *j = &a->k->judged;

    return j->ifindex == a->ifindex && !a->is_link_group && j->epoch == stack_epoch(a->k) &&
           weir_addr_equal(&j->dst, &a->dst) && weir_addr_equal(&j->src, &a->src);
}

static enum drop judge_addresses(struct arrival *a)
{
    struct weir_stack *k = a->k;
    unsigned facts = (iface_has_addr(&k->link, &a->src) ? IP_SOURCE_OWN : 0) |
                     (iface_is_broadcast(&k->link, a->ifindex, &a->src) ? IP_SOURCE_BROADCAST : 0);
    enum drop v = ip_judge_source(&a->src, a->iface->flags, facts);

    if (v != PASS)
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
    k->judged = (struct last_pair){stack_epoch(k), a->ifindex, a->src, a->dst};
    return PASS;
}

/* A piece of a datagram; the last one to come delivers the whole as if it were its own frame. */
static enum drop input_fragment(struct arrival *a)
{
    struct weir_stack *k = a->k;
    struct weir_frame *piece = a->f, joined = {.parts = 1};
    struct frag_in in = {.h = &a->ip,
                         .src = a->src,
                         .dst = a->dst,
                         .ifindex = a->ifindex,
                         .is_group = a->is_group || a->is_link_group,
                         .hdr = head_at(a, a->ip_at)};
    struct frag_whole whole;
    enum drop v;

    k->stats.IpReasmReqds++;
    in.parts = slices_of(a->f, a->l4_at, a->l4_len, in.part);
    v = frag_input(&k->ip.frags, &k->ip.config.frag, &in, &whole, k->now_us);
    k->stats.IpReasmFails = k->ip.frags.failed;
    if (v != PASS)
        return v;
    k->stats.IpReasmOKs++;
    k->stats.IpInDelivers++;
    joined.part[0] = (struct weir_slice){whole.data, whole.len};
    a->f = &joined;
    a->ip_at = 0;
    a->l4_at = (uint32_t)ip4_parse(&a->ip, whole.data, whole.len);
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
    t.parts = slices_of(a->f, a->ip_at, a->ip.total_len, t.packet);
    t.l4_parts = slices_of(a->f, a->l4_at, a->l4_len, t.l4);
    return stack_forward(a->k, &t);
}

/* All headers lie in part[0], says frame.h; who forgets it must not make us read behind it. */
static bool is_head_split(const struct arrival *a, uint32_t head, uint32_t all)
{
    return head < all && (head < IP4_LEN || head < (*head_at(a, a->ip_at) & 15u) * 4);
}

static enum drop input_ip4(struct arrival *a)
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
    a->l4_at = a->ip_at + (uint32_t)len;
    a->l4_len = a->ip.total_len - (uint32_t)len;
    if (len > IP4_LEN) {
        v = ip_judge_options(head_at(a, a->ip_at + IP4_LEN), (size_t)len - IP4_LEN);
        if (v != PASS)
            return v;
    }
    if (!is_like_the_last(a) && (v = judge_addresses(a)) != PASS)
        return v;
    if (a->is_transit)
        return input_transit(a);
    if (ip_is_fragment(&a->ip))
        return input_fragment(a);
    a->k->stats.IpInDelivers++;
    return input_transport(a);
}

/* -- the link ---------------------------------------------------------------------------------- */

static enum drop input_arp(struct arrival *a, bool is_reverse)
{
    struct arp arp;
    uint32_t head = a->f->part[0].len < a->end ? a->f->part[0].len : a->end;
    int len = arp_parse(&arp, head_at(a, a->ip_at), head - a->ip_at);

    if (len < 0)
        return (enum drop) - len;
    a->is_answer = true;
    if (is_reverse)
        return rarp_input(&a->k->link, a->ifindex, &arp);
    return neigh_input_arp(&a->k->link, a->ifindex, &arp, a->k->now_us);
}

/* 1042: the type that SNAP says; what lies behind the frame's own length is padding. */
static enum drop open_llc(struct arrival *a, uint16_t *type)
{
    uint32_t head = a->f->part[0].len - ETH_LEN, length = *type;
    int len = llc_parse(type, head_at(a, ETH_LEN), head < length ? head : length);

    if (len < 0)
        return (enum drop) - len;
    if (length > a->end - ETH_LEN)
        return DROP_short_frame;
    a->end = ETH_LEN + length;
    a->ip_at += (uint32_t)len;
    return PASS;
}

static enum drop input_ether(struct arrival *a)
{
    struct eth e;
    int len = eth_parse(&e, a->f->part[0].data, a->f->part[0].len);
    enum drop v;

    if (len < 0)
        return (enum drop) - len;
    if ((v = iface_judge_mac(&a->k->link, a->ifindex, e.dst)) != PASS)
        return v;
    a->is_link_group = e.dst[0] & 1;
    a->ip_at = ETH_LEN;
    if (e.type < ETH_TYPE_MIN && (v = open_llc(a, &e.type)) != PASS)
        return v;
    switch (e.type) {
    case ETH_TYPE_IP4:
        return input_ip4(a);
    case ETH_TYPE_ARP:
        return input_arp(a, false);
    case ETH_TYPE_RARP:
        return input_arp(a, true);
    case ETH_TYPE_IP6:
        return DROP_ip6_unsupported;
    case ETH_TYPE_VLAN:
        return DROP_vlan;
    default:
        return DROP_ether_type;
    }
}

static enum drop input_frame(struct arrival *a)
{
    if (!a->iface || !a->iface->is_up)
        return DROP_no_interface;
    if (a->f->parts == 0 || a->f->part[0].len == 0)
        return DROP_short_frame;
    a->end = (uint32_t)weir_frame_len(a->f);
    if (a->iface->type == WEIR_LINK_ETHER)
        return input_ether(a);
    a->ip_at = 0;
    if (a->f->part[0].data[0] >> 4 == 6)
        return DROP_ip6_unsupported;
    return input_ip4(a);
}

/* What was dropped goes to the trace; who changed a state told it already. */
static void note_drop(struct weir_stack *k, const struct arrival *a)
{
    struct weir_event e = {.at_ns = k->now_us * 1000,
                           .local = {.addr = a->dst, .port = a->local_port},
                           .peer = {.addr = a->src, .port = a->remote_port},
                           .why.verdict = a->f->why.verdict};

    if (trace_wants(&k->trace, &e.why))
        trace_add(&k->trace, &e);
}

static bool count(struct weir_stack *k, const struct arrival *a, enum drop v)
{
    k->account.frames_in++;
    k->account.bytes_in += weir_frame_len(a->f);
    a->f->why.verdict = (uint16_t)v;
    if (v >= DROP_FIRST && trace_is_on(&k->trace))
        note_drop(k, a);
    if (v == PASS) {
        *(a->is_transit  ? &k->account.forwarded
          : a->is_answer ? &k->account.answered
                         : &k->account.delivered) += 1;
        return true;
    }
    if (v == KEPT) {
        k->account.parked++;
        return true;
    }
    k->account.dropped++;
    k->drops[v - DROP_FIRST]++;
    return false;
}

int weir_input(struct weir_stack *k, int ifindex, struct weir_frame *burst, int n, int64_t now_ns)
{
    int passed = 0;

    stack_enter(k, now_ns);
    for (int i = 0; i < n; i++) {
        struct arrival a;
        a.k = k;
        a.f = &burst[i];
        a.iface = iface_at(&k->link, ifindex);
        a.ifindex = ifindex;
        a.is_link_group = a.is_group = a.is_transit = a.is_answer = false;
        a.src = a.dst = (struct weir_addr){.w = {0}};
        a.local_port = a.remote_port = 0;
        burst[i].why = (struct weir_why){.verdict = 0};
        passed += count(k, &a, input_frame(&a));
    }
    return passed;
}
