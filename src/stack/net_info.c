/* What `ip` shows and changes: interfaces, addresses, routes, neighbours.
 *
 * Knows: link.h, ip.h. Shape: walks by a cursor; one call, one change. Units: seconds in lifetimes,
 * bits of prefix of the address's family. Errors: -errno. Cost: O(1) a step; O(routes) a change. */
#include <errno.h>
#include <string.h>

#include "stack/stack.h"
#include "weir/net.h"

#define V4_BITS 96

static int bits_of(const struct weir_addr *addr, int prefix)
{
    return weir_addr_is_v4(addr) ? prefix - V4_BITS : prefix;
}

static struct iface *iface_of(const struct weir_stack *k, int ifindex)
{
    return iface_at((struct link *)(uintptr_t)&k->link, ifindex);
}

int weir_iface_info(const struct weir_stack *k, int ifindex, struct weir_iface_info *info)
{
    const struct iface *f = iface_of(k, ifindex);

    if (!f)
        return -ENODEV;
    *info = (struct weir_iface_info){.type = f->type, .is_up = f->is_up, .mtu = f->mtu};
    memcpy(info->name, f->name, sizeof info->name);
    memcpy(info->mac, f->mac, sizeof info->mac);
    return 0;
}

/* 5227#2.1, 4862#5.4: who was away knows not who came meanwhile. */
int weir_iface_set_up(struct weir_stack *k, int ifindex, bool is_up)
{
    struct iface *f = iface_of(k, ifindex);
    bool was_up;

    if (!f)
        return -ENODEV;
    was_up = f->is_up;
    stack_settle(k);
    iface_set_up(&k->link, ifindex, is_up);
    for (int i = 0; is_up && !was_up && i < f->addrs; i++)
        if (weir_addr_is_v4(&f->addr[i].addr) ? k->knobs.acd : f->ip6.is_on)
            acd_begin(&k->link, ifindex, &f->addr[i], k->now_us);
    return 0;
}

/* -- addresses --------------------------------------------------------------------------------- */

static uint32_t left_s(const struct weir_stack *k, int64_t until_us)
{
    int64_t left_us = until_us - k->now_us;

    if (until_us == INT64_MAX)
        return WEIR_FOR_EVER;
    return left_us > 0 ? (uint32_t)(left_us / 1000000) : 0;
}

static uint32_t flags_of(const struct iface_addr *a)
{
    return (a->state == ADDR_TENTATIVE ? WEIR_ADDR_TENTATIVE : 0u) |
           (a->state == ADDR_DUPLICATE ? WEIR_ADDR_DUPLICATE : 0u) |
           (a->flags & ADDR_DEPRECATED ? WEIR_ADDR_DEPRECATED : 0u) |
           (a->flags & ADDR_TEMPORARY ? WEIR_ADDR_TEMPORARY : 0u) |
           (a->flags & ADDR_AUTO && a->addr.b[0] != 0xfe ? WEIR_ADDR_DYNAMIC : 0u);
}

/* A lease's lifetime is the address's. */
static void add_lease(const struct weir_stack *k, struct weir_addr_info *info)
{
    struct weir_dhcp_lease l;

    if (weir_dhcp_lease(k, info->ifindex, &l) < 0 || !weir_addr_equal(&l.addr, &info->addr))
        return;
    info->flags |= WEIR_ADDR_DYNAMIC;
    if (l.expires_ns != WEIR_NEVER)
        info->valid_s = info->preferred_s = left_s(k, l.expires_ns / 1000);
}

int weir_addr_next(const struct weir_stack *k, uint32_t *cursor, struct weir_addr_info *info)
{
    int ifindex = (int)(*cursor / IFACE_ADDRS_MAX) + 1, i = (int)(*cursor % IFACE_ADDRS_MAX);
    const struct iface_addr *a;

    while (ifindex <= k->link.ifaces && i >= k->link.iface[ifindex].addrs) {
        ifindex++;
        i = 0;
    }
    if (ifindex > k->link.ifaces)
        return 0;
    a = &k->link.iface[ifindex].addr[i];
    *cursor = (uint32_t)((ifindex - 1) * IFACE_ADDRS_MAX + i + 1);
    *info = (struct weir_addr_info){.ifindex = ifindex,
                                    .addr = a->addr,
                                    .prefix = bits_of(&a->addr, a->prefix),
                                    .flags = flags_of(a),
                                    .valid_s = left_s(k, a->valid_until_us),
                                    .preferred_s = left_s(k, a->preferred_until_us)};
    memcpy(info->rival, a->rival, sizeof info->rival);
    add_lease(k, info);
    return 1;
}

/* Another address of the subnet keeps its route. */
static bool is_subnet_used(const struct iface *f, const struct iface_addr *gone)
{
    for (int i = 0; i < f->addrs; i++) {
        int bytes = gone->prefix / 8, rest = gone->prefix % 8;
        uint8_t mask = (uint8_t)(0xff00u >> rest), diff;

        if (f->addr[i].prefix != gone->prefix ||
            memcmp(f->addr[i].addr.b, gone->addr.b, (size_t)bytes) != 0)
            continue;
        diff = rest ? (f->addr[i].addr.b[bytes] ^ gone->addr.b[bytes]) & mask : 0;
        if (!diff)
            return true;
    }
    return false;
}

int weir_addr_remove(struct weir_stack *k, int ifindex, const struct weir_addr *addr)
{
    struct iface *f = iface_of(k, ifindex);
    struct iface_addr *a = f ? iface_find_addr(f, addr) : NULL, gone;
    struct route_spec r = {.dst = *addr, .ifindex = ifindex};

    if (!a)
        return f ? -EADDRNOTAVAIL : -ENODEV;
    gone = *a;
    stack_settle(k);
    iface_remove_addr(&k->link, ifindex, addr);
    r.prefix = bits_of(addr, gone.prefix);
    if (!is_subnet_used(f, &gone))
        route_remove(&k->ip, &r);
    return 0;
}

/* -- routes ------------------------------------------------------------------------------------ */

int weir_route_next(const struct weir_stack *k, uint32_t *cursor, struct weir_route_info *info)
{
    const struct route *r;

    if (*cursor >= k->ip.routes)
        return 0;
    r = &k->ip.route[(*cursor)++];
    *info = (struct weir_route_info){.ifindex = r->ifindex,
                                     .has_gateway = r->has_gateway,
                                     .gateway = r->gateway,
                                     .metric = r->metric};
    memcpy(&info->dst, r->net, sizeof info->dst);
    info->prefix = bits_of(&info->dst, r->prefix);
    return 1;
}

int weir_route_remove(struct weir_stack *k, const struct weir_addr *dst, int prefix,
                      const struct weir_addr *gateway, int ifindex)
{
    struct weir_route_info r;
    uint32_t cursor = 0;

    while (weir_route_next(k, &cursor, &r)) {
        struct route_spec s = {.dst = r.dst,
                               .prefix = prefix,
                               .gateway = r.has_gateway ? &r.gateway : NULL,
                               .ifindex = r.ifindex,
                               .metric = r.metric};
        if (r.prefix != prefix || !weir_addr_equal(&r.dst, dst) ||
            (ifindex && r.ifindex != ifindex) ||
            (gateway && !(r.has_gateway && weir_addr_equal(&r.gateway, gateway))))
            continue;
        stack_settle(k);
        return route_remove(&k->ip, &s);
    }
    return -ESRCH;
}

/* -- neighbours -------------------------------------------------------------------------------- */

int weir_neigh_next(const struct weir_stack *k, uint32_t *cursor, struct weir_neigh_info *info)
{
    static const char *const names[] = {"",      "INCOMPLETE", "REACHABLE", "STALE",
                                        "DELAY", "PROBE",      "FAILED"};
    struct neigh_info n;

    if (!neigh_next(&k->link, cursor, k->now_us, &n))
        return 0;
    *info = (struct weir_neigh_info){.ifindex = n.ifindex,
                                     .addr = n.addr,
                                     .has_mac = n.has_mac,
                                     .is_router = n.is_router,
                                     .state = n.is_permanent ? "PERMANENT" : names[n.state]};
    memcpy(info->mac, n.mac, sizeof info->mac);
    return 1;
}

/* The cursor is how many were told. */
int weir_nameserver_next(const struct weir_stack *k, uint32_t *cursor,
                         struct weir_nameserver_info *info)
{
    uint32_t at = 0;

    for (int i = 1; i <= k->link.ifaces; i++) {
        const struct iface_ip6 *six = &k->link.iface[i].ip6;
        if (*cursor - at >= six->dnss) {
            at += six->dnss;
            continue;
        }
        *info = (struct weir_nameserver_info){i, six->dns[*cursor - at].addr,
                                              left_s(k, six->dns[*cursor - at].until_us)};
        ++*cursor;
        return 1;
    }
    return 0;
}

int weir_neigh_set(struct weir_stack *k, int ifindex, const struct weir_addr *addr,
                   const uint8_t *mac)
{
    const struct iface *f = iface_of(k, ifindex);

    if (!f)
        return -ENODEV;
    if (f->type != WEIR_LINK_ETHER || iface_is_multicast(addr) || (mac && mac[0] & 1))
        return -EINVAL;
    stack_settle(k);
    return neigh_set(&k->link, ifindex, addr, mac, k->now_us);
}
