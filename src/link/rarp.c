/* RARP: a station asks for its own address, and one that knows answers. 903.
 *
 * Knows: MACs and addresses. Not what the address is used for: who asked adds it. Shape: one
 * question for each interface at most, repeated with growing pauses; a table of what we answer to
 * others. Units: microseconds. Errors: -errno, verdicts. Cost: O(stations served). */
#include "link/neigh.h"

#include <errno.h>
#include <string.h>

#define FIRST_PAUSE_US 1000000
#define TRIES 5 /* after 31 s nobody is thought to know */
#define NEVER INT64_MAX

int rarp_ask(struct link *l, int ifindex, int64_t now_us)
{
    struct iface *f = iface_at(l, ifindex);

    if (!f || f->type != WEIR_LINK_ETHER)
        return f ? -EOPNOTSUPP : -ENODEV;
    l->rarp[ifindex] = (struct rarp){.state = RARP_ASKING, .is_due = true, .again_at_us = now_us};
    return 0;
}

int rarp_result(const struct link *l, int ifindex, struct weir_addr *addr)
{
    if (ifindex < 1 || ifindex > l->ifaces)
        return -ENODEV;
    switch (l->rarp[ifindex].state) {
    case RARP_ASKING:
        return -EAGAIN;
    case RARP_KNOWN:
        *addr = l->rarp[ifindex].addr;
        return 0;
    case RARP_FAILED:
        return -ETIMEDOUT;
    default:
        return -EINVAL;
    }
}

int rarp_serve(struct link *l, int ifindex, const uint8_t mac[6], const struct weir_addr *addr)
{
    struct iface *f = iface_at(l, ifindex);

    if (!f || f->type != WEIR_LINK_ETHER)
        return f ? -EOPNOTSUPP : -ENODEV;
    if (mac[0] & 1 || !weir_addr_is_v4(addr))
        return -EINVAL;
    for (uint32_t i = 0; i < l->stations; i++)
        if (l->station[i].ifindex == ifindex && memcmp(l->station[i].mac, mac, 6) == 0)
            return -EEXIST;
    if (l->stations == RARP_STATIONS_MAX)
        return -ENOSPC;
    l->station[l->stations] = (struct rarp_station){.ifindex = (uint8_t)ifindex, .addr = *addr};
    memcpy(l->station[l->stations++].mac, mac, 6);
    return 0;
}

static enum drop input_request(struct link *l, int ifindex, const struct arp *a)
{
    struct neigh_answer reply = {.arp = {.op = RARP_REPLY}};
    struct weir_addr own;

    for (uint32_t i = 0; i < l->stations; i++) {
        const struct rarp_station *s = &l->station[i];

        if (s->ifindex != ifindex || memcmp(s->mac, a->tha, 6) != 0)
            continue;
        reply.arp.tpa = weir_addr_to_v4(&s->addr);
        if (iface_source_for(l, ifindex, &s->addr, &own))
            reply.arp.spa = weir_addr_to_v4(&own);
        memcpy(reply.arp.sha, l->iface[ifindex].mac, 6);
        memcpy(reply.arp.tha, s->mac, 6);
        return neigh_queue_answer(l, ifindex, &reply);
    }
    return DROP_arp_not_for_us;
}

static enum drop input_reply(struct link *l, int ifindex, const struct arp *a)
{
    struct rarp *r = &l->rarp[ifindex];
    uint8_t first = (uint8_t)(a->tpa >> 24);

    if (r->state != RARP_ASKING || memcmp(a->tha, l->iface[ifindex].mac, 6) != 0)
        return DROP_arp_not_for_us;
    if (first == 0 || first == 127 || first >= 224)
        return DROP_arp_invalid;
    *r = (struct rarp){.state = RARP_KNOWN, .addr = weir_addr_v4(a->tpa)};
    return PASS;
}

enum drop rarp_input(struct link *l, int ifindex, const struct arp *a)
{
    if (a->op == RARP_REQUEST)
        return input_request(l, ifindex, a);
    return a->op == RARP_REPLY ? input_reply(l, ifindex, a) : DROP_arp_invalid;
}

int rarp_advance(struct link *l, int64_t now_us)
{
    int n = 0;

    for (int i = 1; i <= l->ifaces; i++) {
        struct rarp *r = &l->rarp[i];

        if (r->state != RARP_ASKING || r->is_due || r->again_at_us > now_us)
            continue;
        r->is_due = r->tries < TRIES;
        r->state = r->is_due ? RARP_ASKING : RARP_FAILED;
        n++;
    }
    return n;
}

int64_t rarp_deadline(const struct link *l)
{
    int64_t first = NEVER;

    for (int i = 1; i <= l->ifaces; i++)
        if (l->rarp[i].state == RARP_ASKING && !l->rarp[i].is_due && l->rarp[i].again_at_us < first)
            first = l->rarp[i].again_at_us;
    return first;
}

/* Our own MAC is both who asks and who is asked about. */
bool rarp_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out)
{
    struct rarp *r = &l->rarp[ifindex];

    if (!r->is_due)
        return false;
    r->is_due = false;
    r->again_at_us = now_us + ((int64_t)FIRST_PAUSE_US << r->tries++);
    *out = (struct neigh_out){.kind = NEIGH_ARP, .arp = {.op = RARP_REQUEST}};
    memcpy(out->arp.sha, l->iface[ifindex].mac, 6);
    memcpy(out->arp.tha, l->iface[ifindex].mac, 6);
    memset(out->dst, 0xff, 6);
    return true;
}
