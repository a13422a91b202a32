/* How a stack is joined to networks: interfaces, addresses, routes.
 *
 * Knows: link.h, ip.h. Not frames. Shape: each public call enters the stack, then asks link/ or
 * ip/; what an address's change means to others is said here. Units: bits of prefix. Errors:
 * -errno. Cost: O(addresses), O(routes). */
#include <errno.h>
#include <string.h>

#include "stack/stack.h"
#include "weir/net.h"

/* -- interfaces -------------------------------------------------------------------------------- */

int weir_iface_add(struct weir_stack *k, const struct weir_iface_config *c)
{
    return iface_add(&k->link, c);
}

int weir_iface_set_mtu(struct weir_stack *k, int ifindex, uint32_t mtu)
{
    return iface_set_mtu(&k->link, ifindex, mtu);
}

int weir_addr_add(struct weir_stack *k, int ifindex, const struct weir_addr *addr, int prefix)
{
    struct route_spec r = {.dst = *addr, .prefix = prefix, .ifindex = ifindex};
    int v = iface_add_addr(&k->link, ifindex, addr, prefix);

    if (v < 0)
        return v;
    if (weir_addr_is_v4(addr) ? k->knobs.acd : iface_at(&k->link, ifindex)->ip6.is_on)
        acd_begin(&k->link, ifindex, iface_find_addr(iface_at(&k->link, ifindex), addr), k->now_us);
    stack_sync_groups(k);
    v = route_add(&k->ip, &r);
    return v == -EEXIST ? 0 : v; /* two addresses of one subnet share its route */
}

int weir_route_add(struct weir_stack *k, const struct weir_addr *dst, int prefix,
                   const struct weir_addr *gateway, int ifindex, uint32_t metric)
{
    struct route_spec r = {
        .dst = *dst, .prefix = prefix, .gateway = gateway, .ifindex = ifindex, .metric = metric};

    if (!iface_at(&k->link, ifindex))
        return -EINVAL;
    return route_add(&k->ip, &r);
}

int weir_rarp_ask(struct weir_stack *k, int ifindex)
{
    return rarp_ask(&k->link, ifindex, k->now_us);
}

int weir_rarp_result(const struct weir_stack *k, int ifindex, struct weir_addr *addr)
{
    return rarp_result(&k->link, ifindex, addr);
}

int weir_rarp_serve(struct weir_stack *k, int ifindex, const uint8_t mac[6],
                    const struct weir_addr *addr)
{
    return rarp_serve(&k->link, ifindex, mac, addr);
}

/* -- groups of addresses ----------------------------------------------------------------------- */

/* The group in which neighbours ask for the address, on a link where they do. 4861#7.2.1: it is
 * joined before the address is asked for, and as late as that may be said (4862#5.4.2). */
static void tell_of(struct weir_stack *k, int ifindex, const struct iface_addr *a)
{
    struct weir_addr group;

    if (weir_addr_is_v4(&a->addr) || a->state == ADDR_DUPLICATE)
        return;
    nd_solicited_group(&a->addr, &group);
    groups_tell(&k->socks, ifindex, &group, a->step_at_us == INT64_MAX ? k->now_us : a->step_at_us);
}

void stack_sync_groups(struct weir_stack *k)
{
    const struct members *m = &k->ip.members;

    k->groups_epoch = k->link.epoch;
    for (uint32_t i = m->members; i-- > 0;) {
        struct weir_addr group = m->member[i].group;
        if (nd_is_solicited_group(&group))
            groups_tell(&k->socks, m->member[i].ifindex, &group, k->now_us);
    }
    for (int i = 1; i <= k->link.ifaces; i++) {
        const struct iface *f = &k->link.iface[i];
        for (int j = 0; f->type == WEIR_LINK_ETHER && j < f->addrs; j++)
            tell_of(k, i, &f->addr[j]);
    }
}

/* -- what changes by itself -------------------------------------------------------------------- */

static void on_route(struct weir_stack *k, const struct ra_change *c)
{
    const struct ra_route *r = &c->route;
    struct route_spec s = {.dst = r->dst,
                           .prefix = r->prefix,
                           .gateway = r->has_router ? &r->router : NULL,
                           .ifindex = r->ifindex,
                           .metric = r->metric};

    if (c->is_there)
        route_add(&k->ip, &s);
    else
        route_remove(&k->ip, &s);
    if (!c->is_there && r->has_router && !r->prefix)
        redirect_forget_via(&k->ip, r->ifindex, &r->router);
}

static void on_router_said(struct weir_stack *k, int ifindex)
{
    const struct iface_ip6 *i = &k->link.iface[ifindex].ip6;

    if (i->hop_limit)
        k->ip.config.hop_limit = i->hop_limit;
    if (i->mtu)
        iface_set_mtu(&k->link, ifindex, i->mtu);
}

/* 5227#2.4: who uses an address that is given up hears of it, and so do the peers. */
void stack_on_changes(struct weir_stack *k)
{
    struct weir_addr addr;
    struct acd_change c;
    struct ra_change r;

    while (acd_next_change(&k->link, &c)) {
        bool is_ours = c.addr->state == ADDR_USABLE;

        addr = c.addr->addr;
        if (is_ours && ip6_is_link_local(&addr)) /* 3590#4: now they may listen */
            members_repeat(&k->ip.members, MEMBERS_V6, c.ifindex, k->now_us);
        if (!is_ours)
            tcp_lose_addr(&k->tcp, &addr, EADDRNOTAVAIL);
        stack_dhcp_checked(k, c.ifindex, &addr, is_ours);
    }
    while (acd_next_gone(&k->link, &addr))
        tcp_lose_addr(&k->tcp, &addr, EADDRNOTAVAIL);
    while (ra_next_change(&k->link, &r)) {
        if (r.is_route)
            on_route(k, &r);
        else
            on_router_said(k, r.ifindex);
    }
}

bool stack_net_is_due(const struct weir_stack *k)
{
    return acd_deadline(&k->link) <= k->now_us || autoconf_deadline(&k->link) <= k->now_us ||
           stack_dhcp_deadline(k) <= k->now_us || members_deadline(&k->ip.members) <= k->now_us;
}

/* -- IPv6 that configures itself --------------------------------------------------------------- */

void stack_ip6_knobs(struct weir_stack *k)
{
    const struct knobs *n = &k->knobs;
    struct autoconf_config *c = &k->link.config.ip6;

    c->accept_ra = (uint8_t)n->accept_ra;
    c->autoconf = (uint8_t)n->autoconf;
    c->use_tempaddr = (uint8_t)n->use_tempaddr;
    c->dad_transmits = (uint8_t)n->dad_transmits;
    c->addr_gen_mode = (uint8_t)n->addr_gen_mode;
    c->max_addresses = (uint8_t)n->max_addresses;
    c->temp_valid_lft = (uint32_t)n->temp_valid_lft;
    c->temp_prefered_lft = (uint32_t)n->temp_prefered_lft;
    c->router_solicitations = (int32_t)n->router_solicitations;
    c->router_solicitation_interval = (uint32_t)n->router_solicitation_interval;
    c->router_solicitation_max_interval = (uint32_t)n->router_solicitation_max_interval;
    c->accept_ra_defrtr = (uint8_t)n->accept_ra_defrtr;
    c->accept_ra_pinfo = (uint8_t)n->accept_ra_pinfo;
    c->accept_ra_mtu = (uint8_t)n->accept_ra_mtu;
    c->accept_ra_rt_info_max_plen = (uint8_t)n->accept_ra_rt_info_max_plen;
}

int weir_ip6_start(struct weir_stack *k, int ifindex)
{
    if (k->knobs.disable_ipv6)
        return -EACCES;
    stack_settle(k);
    return autoconf_start(&k->link, ifindex, k->now_us);
}
