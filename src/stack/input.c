/* The way of one frame in, from the link on. Read from top to bottom of the layers, bottom to top
 * of this file; on from here in input_ip4.c or input_ip6.c, and in input_transport.c.
 *
 * Knows: all layers; no layer below knows another. Shape: each step takes a view of the same bytes
 * and returns a verdict; the verdict is counted once, here. Nothing is sent: what deserves an
 * answer is queued. Units: bytes. Errors: verdicts. Cost: O(1) and the copy into the receive ring.
 */
#include "stack/arrival.h"

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
        return input_ip6(a);
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
    if (a->iface->type == WEIR_LINK_ETHER)
        return input_ether(a);
    a->ip_at = 0;
    if (a->f->part[0].data[0] >> 4 == 6)
        return input_ip6(a);
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
        a.end = (uint32_t)weir_frame_len(a.f);
        a.is_link_group = a.is_group = a.is_transit = a.is_answer = a.was_fragment = false;
        a.src = a.dst = (struct weir_addr){.w = {0}};
        a.local_port = a.remote_port = 0;
        burst[i].why = (struct weir_why){.verdict = 0};
        k->account.frames_in++;
        k->account.bytes_in += a.end;
        passed += count(k, &a, input_frame(&a));
    }
    return passed;
}
