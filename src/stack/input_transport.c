/* The way in behind IP, of either version: to a connection or a socket.
 *
 * Knows: TCP, UDP, and who hears of errors. Not IP headers: input_ip4.c and input_ip6.c read them.
 * Shape: a view of the frame's bytes goes up, a verdict comes down. Units: bytes. Errors: verdicts.
 * Cost: O(1), one pass for a checksum and the copy into the receive ring. */
#include "base/sum.h"
#include "stack/arrival.h"

uint8_t arrival_slices(const struct weir_frame *f, uint32_t at, uint32_t len,
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

/* -- TCP --------------------------------------------------------------------------------------- */

/* Of the header, `at` bytes in part[0], and the text behind it. */
static bool tcp_sum_is_good(const struct arrival *a, size_t at, const struct seg *s)
{
    uint32_t acc = pseudo_sum(&a->src, &a->dst, PROTO_TCP, a->l4_len);

    if (a->f->flags & (WEIR_CSUM_VALID | WEIR_CSUM_PARTIAL))
        return true;
    acc = sum_add(acc, head_at(a, a->l4_at), at);
    for (int i = 0; i < s->texts; i++) {
        acc = sum_add_at(acc, s->text[i].data, s->text[i].len, at);
        at += s->text[i].len;
    }
    return sum_fold(acc) == 0xffff;
}

/* What we sent got there, so the way begins well: 4861#7.3.1, 1122#2.3.2.1. Mostly it is the way
 * that output took last. */
static void confirm_first_hop(struct arrival *a)
{
    struct weir_stack *k = a->k;
    const struct last_path *last = &k->path;
    struct route_result r;

    k->tcp.has_progress = false;
    if (a->iface->type != WEIR_LINK_ETHER)
        return;
    if (last->ifindex == a->ifindex && last->epoch == stack_epoch(k) &&
        weir_addr_equal(&last->dst, &a->src))
        neigh_confirm(&k->link, a->ifindex, &last->next_hop, k->now_us);
    else if (way_find_own(&(struct way){&k->ip, &k->link}, &a->src, a->ifindex, &r) == 0)
        neigh_confirm(&k->link, a->ifindex, &r.next_hop, k->now_us);
}

enum drop input_tcp(struct arrival *a)
{
    struct weir_stack *k = a->k;
    struct tcp_hdr h;
    struct seg s;
    uint32_t head = a->f->part[0].len - a->l4_at;
    int len = tcp_parse(&h, head_at(a, a->l4_at), head < a->l4_len ? head : a->l4_len);
    enum drop v;

    if (len < 0)
        return (enum drop) - len;
    a->local_port = h.dport;
    a->remote_port = h.sport;
    if (a->is_group)
        return DROP_tcp_address;
    s.len = a->l4_len - (uint32_t)len;
    s.texts = s.len ? arrival_slices(a->f, a->l4_at + (uint32_t)len, s.len, s.text) : 0;
    if (!tcp_sum_is_good(a, (size_t)len, &s))
        return DROP_tcp_checksum;
    s.flow = (struct flow){.local = a->dst, .remote = a->src, .lport = h.dport, .rport = h.sport};
    s.seq = h.seq;
    s.ack = h.ack;
    s.wnd = h.wnd;
    s.urg = h.urg;
    s.flags = h.flags;
    s.ifindex = (uint8_t)a->ifindex;
    s.ip_ecn = a->tos & 3;
    s.ae = h.ae;
    s.is_late = false;
    s.opt = &h.opt;
    s.mtu = 0;
    if ((h.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        s.mtu = (uint16_t)pmtu_of(&k->ip, &a->src, a->iface->mtu, k->now_us);
    s.why = &a->f->why;
    s.pieces = 1;
    if (a->f->gso_size && s.len)
        s.pieces = (uint16_t)((s.len - 1) / a->f->gso_size + 1);
    v = tcp_input(&k->tcp, &s);
    if (k->tcp.has_progress)
        confirm_first_hop(a);
    return v;
}

/* -- UDP --------------------------------------------------------------------------------------- */

static struct udp_view udp_view_of(const struct arrival *a)
{
    struct udp_view u = {.src = a->src,
                         .dst = a->dst,
                         .ifindex = (uint8_t)a->ifindex,
                         .ttl = a->ttl,
                         .tos = a->tos,
                         .flags = a->f->flags,
                         .is_group = a->is_group};

    if (weir_addr_is_v4(&a->dst) && a->ip.hdr_len > IP4_LEN) {
        u.options = head_at(a, a->ip_at + IP4_LEN);
        u.options_len = (uint8_t)(a->ip.hdr_len - IP4_LEN);
    }
    u.parts = arrival_slices(a->f, a->l4_at, a->l4_len, u.part);
    return u;
}

enum drop input_udp(struct arrival *a)
{
    struct udp_view u = udp_view_of(a);
    enum drop v = stack_udp_input(a->k, &u);

    a->k->stats.UdpInDatagrams += v == PASS;
    return v;
}

/* -- ICMP -------------------------------------------------------------------------------------- */

/* 1191#5: what a packet as large as the estimate is said to have measured may count its header
 * twice, as routers of 4.2BSD did; without this no smaller plateau would be tried. */
static uint32_t told_mtu(const struct arrival *a, const struct icmp_error *e)
{
    uint32_t head = e->text_at - ICMP_LEN - UDP_LEN;

    if (!e->quoted_len || e->quoted_len < head ||
        e->quoted_len < pmtu_of(&a->k->ip, &e->remote, a->iface->mtu, a->k->now_us))
        return e->mtu;
    return icmp_plateau_below(e->quoted_len - head);
}

enum drop input_icmp_error(struct arrival *a, const struct icmp_error *e)
{
    struct weir_stack *k = a->k;
    bool is_v4 = weir_addr_is_v4(&e->remote);
    uint32_t told = told_mtu(a, e);
    /* 1191#3: what is smaller is no path of today. */
    uint32_t mtu = is_v4 && told && told < k->ip.config.min_pmtu ? k->ip.config.min_pmtu : told;
    struct tcp_icmp about = {
        .flow = {.local = e->local, .remote = e->remote, .lport = e->lport, .rport = e->rport},
        .seq = seq_of(e->seq),
        .told = {e->error, e->type, e->code, e->from},
        .mtu = mtu,
        .is_hard = e->is_hard && e->type == (is_v4 ? ICMP4_UNREACH : ICMP6_UNREACH)};
    struct udp_fault fault = stack_fault(e);
    enum drop v;

    fault.info = told;
    fault.is_foreign = !iface_is_own(&k->link, a->ifindex, &e->local);
    fault.ttl = a->ttl;
    fault.tos = a->tos;
    if (a->l4_len > e->text_at)
        fault.parts = arrival_slices(a->f, a->l4_at + e->text_at, a->l4_len - e->text_at,
                                     fault.part);
    if (e->proto == PROTO_TCP)
        v = tcp_icmp(&k->tcp, &about);
    else
        v = udp_on_icmp_error(&k->udp, &fault);
    if (v == PASS && mtu) /* 5927: only what a transport confirmed */
        pmtu_update(&k->ip, &e->remote, told, k->now_us);
    return v;
}

enum drop input_icmp_reply(struct arrival *a, uint16_t id)
{
    struct udp_view u = udp_view_of(a);

    return udp_input_icmp(&a->k->udp, &u, id);
}

/* -- what was judged before -------------------------------------------------------------------- */

bool arrival_is_like_the_last(const struct arrival *a)
{
    const struct last_pair *j = &a->k->judged;

    return j->ifindex == a->ifindex && !a->is_link_group && j->epoch == stack_epoch(a->k) &&
           weir_addr_equal(&j->dst, &a->dst) && weir_addr_equal(&j->src, &a->src);
}

void arrival_passed(const struct arrival *a)
{
    a->k->judged = (struct last_pair){stack_epoch(a->k), a->ifindex, a->src, a->dst};
}
