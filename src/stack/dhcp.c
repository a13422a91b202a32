/* DHCP joined to the rest: datagrams of port 68 to the client, its leases to addresses and routes.
 *
 * Knows: dhcp.h, link.h, ip.h. Not the protocol. Shape: a client says by a mark what became of its
 * lease; an address is used when it was found to be free, and then its routes are set. Units: bits
 * of prefix. Errors: verdicts, -errno; an address or a route that finds no room is left out. Cost:
 * nothing while no interface asks but a look at a pointer. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"
#include "stack/burst.h"
#include "weir/net.h"

#define MESSAGE_MAX 1472
#define MTU_LEAST 576 /* below, what a server says is a mistake, as other clients see it */

/* -- leases ------------------------------------------------------------------------------------ */

static void route(struct weir_stack *k, int ifindex, const struct dhcp_route *r, bool is_there)
{
    struct weir_addr gateway = weir_addr_v4(r->gateway);
    struct route_spec s = {.dst = weir_addr_v4(r->dst),
                           .prefix = r->prefix,
                           .gateway = r->gateway ? &gateway : NULL,
                           .ifindex = ifindex};

    if (is_there)
        route_add(&k->ip, &s);
    else
        route_remove(&k->ip, &s);
}

/* A gateway outside of the subnet is a neighbour all the same: else it could not be reached. */
static void route_by(struct weir_stack *k, int ifindex, const struct dhcp_msg *m, bool is_there)
{
    for (int i = 0; i < (m->routes ? m->routes : 1); i++) {
        struct dhcp_route r = {.gateway = m->router};
        uint32_t mask = ~0u << (32 - m->prefix);

        if (m->routes)
            r = m->route[i];
        else if (!m->router)
            return;
        if (r.gateway && ((r.gateway ^ m->yiaddr) & mask))
            route(k, ifindex, &(struct dhcp_route){.dst = r.gateway, .prefix = 32}, is_there);
        route(k, ifindex, &r, is_there);
    }
}

static void set_mtu(struct weir_stack *k, int ifindex, uint32_t mtu)
{
    struct lease *l = k->lease[ifindex];
    uint32_t own = k->link.iface[ifindex].mtu;

    if (l->mtu) {
        iface_set_mtu(&k->link, ifindex, l->mtu);
        own = l->mtu;
        l->mtu = 0;
    }
    if (mtu >= MTU_LEAST && mtu < own && iface_set_mtu(&k->link, ifindex, mtu) == 0)
        l->mtu = own;
}

static void configure(struct weir_stack *k, int ifindex)
{
    const struct dhcp_msg *m = &k->lease[ifindex]->client.lease;

    route_by(k, ifindex, m, true);
    set_mtu(k, ifindex, m->mtu);
}

static void granted(struct weir_stack *k, int ifindex)
{
    const struct dhcp_msg *m = &k->lease[ifindex]->client.lease;
    struct weir_addr addr = weir_addr_v4(m->yiaddr);
    struct route_spec on_link = {.dst = addr, .prefix = m->prefix, .ifindex = ifindex};
    struct iface_addr *a;

    iface_add_addr(&k->link, ifindex, &addr, m->prefix);
    a = iface_find_addr(iface_at(&k->link, ifindex), &addr);
    if (!a)
        return;
    if (k->knobs.dhcp_acd)
        acd_begin(&k->link, ifindex, a, k->now_us);
    route_add(&k->ip, &on_link);
    if (a->state == ADDR_USABLE)
        stack_dhcp_checked(k, ifindex, &addr, true);
}

static void lost(struct weir_stack *k, int ifindex)
{
    const struct dhcp_msg *m = &k->lease[ifindex]->client.former;
    struct weir_addr addr = weir_addr_v4(m->yiaddr);
    struct route_spec on_link = {.dst = addr, .prefix = m->prefix, .ifindex = ifindex};

    route_by(k, ifindex, m, false);
    route_remove(&k->ip, &on_link);
    set_mtu(k, ifindex, 0);
    iface_remove_addr(&k->link, ifindex, &addr);
    tcp_lose_addr(&k->tcp, &addr, EADDRNOTAVAIL);
}

static void obey(struct weir_stack *k, int ifindex)
{
    struct dhcp_client *c = &k->lease[ifindex]->client;

    if (c->is_leaving && c->is_due)
        return; /* the last word still goes by the address */
    switch (dhcp_take_mark(c)) {
    case DHCP_GRANTED:
        granted(k, ifindex);
        break;
    case DHCP_RENEWED:
        route_by(k, ifindex, &c->former, false);
        configure(k, ifindex);
        break;
    case DHCP_LOST:
        lost(k, ifindex);
        break;
    case DHCP_NOTHING:
        break;
    }
}

void stack_dhcp_checked(struct weir_stack *k, int ifindex, const struct weir_addr *addr, bool ours)
{
    struct lease *l = k->lease[ifindex];
    struct weir_addr own = weir_addr_v4(l ? l->client.lease.yiaddr : 0);

    if (!l || !weir_addr_equal(&own, addr))
        return;
    dhcp_checked(&l->client, ours, k->now_us);
    if (ours)
        configure(k, ifindex);
    obey(k, ifindex);
}

/* -- datagrams --------------------------------------------------------------------------------- */

/* A datagram of one or more slices as one; 0: too long. */
static uint32_t gather(const struct udp_view *u, uint8_t p[UDP_LEN + MESSAGE_MAX])
{
    uint32_t n = 0;

    for (int i = 0; i < u->parts; i++) {
        if (u->part[i].len > UDP_LEN + MESSAGE_MAX - n)
            return 0;
        memcpy(p + n, u->part[i].data, u->part[i].len);
        n += u->part[i].len;
    }
    return n;
}

static enum drop input(struct weir_stack *k, const struct udp_view *u)
{
    uint8_t p[UDP_LEN + MESSAGE_MAX];
    uint32_t n = gather(u, p);
    struct udp h;
    uint32_t acc;
    enum drop v;
    int len = udp_parse(&h, p, n);

    if (len < 0)
        return (enum drop) - len;
    acc = pseudo_sum(&u->src, &u->dst, PROTO_UDP, h.len);
    if (h.has_sum && !(u->flags & (WEIR_CSUM_VALID | WEIR_CSUM_PARTIAL)) &&
        sum_finish(sum_add(acc, p, h.len)) != 0)
        return DROP_udp_checksum;
    v = dhcp_input(&k->lease[u->ifindex]->client, p + UDP_LEN, h.len - UDP_LEN, k->now_us);
    obey(k, u->ifindex);
    return v;
}

enum drop stack_udp_input(struct weir_stack *k, const struct udp_view *u)
{
    struct lease *l = k->lease[u->ifindex];

    if (l && l->client.state != DHCP_OFF && u->parts && u->part[0].len >= UDP_LEN &&
        get16(u->part[0].data) == DHCP_SERVER_PORT &&
        get16(u->part[0].data + 2) == DHCP_CLIENT_PORT)
        return input(k, u);
    return udp_input(&k->udp, u);
}

bool stack_dhcp_has_output(const struct weir_stack *k, int ifindex)
{
    return k->lease[ifindex] && k->lease[ifindex]->client.is_due;
}

void burst_dhcp(struct burst *b)
{
    struct lease *l = b->k->lease[b->ifindex];
    struct packet p = {
        .proto = PROTO_UDP, .ttl = 64, .ip_len = IP4_LEN, .l4_head = UDP_LEN, .texts = 1};
    struct udp h = {.sport = DHCP_CLIENT_PORT, .dport = DHCP_SERVER_PORT};
    struct dhcp_out o;
    uint32_t acc;
    uint16_t sum;

    if (b->n >= b->max || !dhcp_pull(&l->client, l->bytes, &o, b->k->now_us))
        return;
    p.src = weir_addr_v4(o.src);
    p.dst = weir_addr_v4(o.dst);
    p.text[0] = (struct ring_slice){l->bytes, (uint32_t)o.len};
    p.text_len = (uint32_t)o.len;
    h.len = (uint16_t)(UDP_LEN + o.len);
    udp_emit(l4_of(b, IP4_LEN), &h);
    acc = pseudo_sum(&p.src, &p.dst, PROTO_UDP, h.len);
    sum = sum_finish(sum_add(sum_add(acc, l4_of(b, IP4_LEN), UDP_LEN), l->bytes, o.len));
    sum = sum ? sum : 0xffff;
    memcpy(l4_of(b, IP4_LEN) + 6, &sum, sizeof sum);
    burst_send(b, &p);
    obey(b->k, b->ifindex);
}

/* -- time -------------------------------------------------------------------------------------- */

int stack_dhcp_advance(struct weir_stack *k)
{
    int n = 0;

    for (int i = 1; i <= k->link.ifaces; i++) {
        if (!k->lease[i])
            continue;
        n += dhcp_advance(&k->lease[i]->client, k->now_us);
        obey(k, i);
    }
    return n;
}

int64_t stack_dhcp_deadline(const struct weir_stack *k)
{
    int64_t first = INT64_MAX;

    for (int i = 1; i <= k->link.ifaces; i++)
        if (k->lease[i] && k->lease[i]->client.at_us < first)
            first = k->lease[i]->client.at_us;
    return first;
}

void stack_dhcp_fini(struct weir_stack *k)
{
    for (int i = 1; i <= IFACE_MAX; i++)
        mem_free(&k->mem, k->lease[i], sizeof *k->lease[i]);
}

/* -- the public calls -------------------------------------------------------------------------- */

static const struct iface *asker(const struct weir_stack *k, int ifindex)
{
    return ifindex > 0 && ifindex <= k->link.ifaces ? &k->link.iface[ifindex] : NULL;
}

int weir_dhcp_start(struct weir_stack *k, int ifindex, const struct weir_addr *again)
{
    const struct iface *f = asker(k, ifindex);
    uint64_t seed;

    if (!f || f->type != WEIR_LINK_ETHER)
        return f ? -EOPNOTSUPP : -ENODEV;
    stack_settle(k);
    if (k->lease[ifindex]) {
        dhcp_stop(&k->lease[ifindex]->client, k->now_us);
        k->lease[ifindex]->client.is_leaving = k->lease[ifindex]->client.is_due = false;
        obey(k, ifindex);
    } else {
        k->lease[ifindex] = mem_zalloc(&k->mem, sizeof(struct lease));
        if (!k->lease[ifindex])
            return -ENOMEM;
        seed = rng_u64(&k->rng);
        rng_init(&k->lease[ifindex]->client.rng, seed, (uint64_t)ifindex);
    }
    dhcp_start(&k->lease[ifindex]->client, f->mac, again ? weir_addr_to_v4(again) : 0, k->now_us);
    return 0;
}

int weir_dhcp_stop(struct weir_stack *k, int ifindex)
{
    if (!asker(k, ifindex))
        return -ENODEV;
    if (!k->lease[ifindex])
        return -EINVAL;
    stack_settle(k);
    dhcp_stop(&k->lease[ifindex]->client, k->now_us);
    obey(k, ifindex);
    return 0;
}

int weir_dhcp_lease(const struct weir_stack *k, int ifindex, struct weir_dhcp_lease *out)
{
    static const char *const names[] = {"off",   "init",     "selecting", "requesting", "checking",
                                        "bound", "renewing", "rebinding", "rebooting"};
    const struct lease *l = asker(k, ifindex) ? k->lease[ifindex] : NULL;
    const struct dhcp_client *c;

    if (!l)
        return asker(k, ifindex) ? -EINVAL : -ENODEV;
    c = &l->client;
    *out = (struct weir_dhcp_lease){.state = names[c->state],
                                    .naks = c->naks,
                                    .declines = c->declines,
                                    .addr = weir_addr_v4(c->lease.yiaddr),
                                    .prefix = c->lease.prefix,
                                    .server = weir_addr_v4(c->lease.server),
                                    .has_router = c->lease.router,
                                    .router = weir_addr_v4(c->lease.router),
                                    .dnss = c->lease.dnss,
                                    .mtu = c->lease.mtu,
                                    .expires_ns = WEIR_NEVER};
    for (int i = 0; i < c->lease.dnss; i++)
        out->dns[i] = weir_addr_v4(c->lease.dns[i]);
    memcpy(out->domain, c->lease.domain, sizeof out->domain);
    if (c->expires_us != INT64_MAX)
        out->expires_ns = c->expires_us * 1000;
    return c->state >= DHCP_BOUND && c->state <= DHCP_REBINDING ? 0 : -EAGAIN;
}
