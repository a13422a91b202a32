/* Routes: longest prefix first, then the lowest metric. 1122#3.3.1.
 *
 * Knows: prefixes and gateways. Not whether an interface or a gateway works. Shape: one sorted
 * array; `group` says where each prefix length begins, so that a lookup is one binary search for
 * each length in use. Networks are compared as 128-bit numbers. Units: bits of prefix, of 128
 * inside. Errors: -EINVAL, -EEXIST, -ENOSPC, -ENOMEM, -ESRCH, -ENETUNREACH. Cost: lookup O(lengths
 * in use * log routes); changing O(routes). */
#include "ip/ip.h"

#include <errno.h>
#include <string.h>

#define ROUTES_MIN 8
#define V4_BITS 96

static bool route_of(struct route *out, const struct route_spec *spec);
static int compare(const struct route *a, const struct route *b);
static bool grow(struct ip *ip);
static void regroup(struct ip *ip);

static bool same_gateway(const struct route *a, const struct route *b)
{
    return a->has_gateway == b->has_gateway &&
           (!a->has_gateway || weir_addr_equal(&a->gateway, &b->gateway));
}

static bool same_route(const struct route *a, const struct route *b)
{
    return compare(a, b) == 0 && a->ifindex == b->ifindex && same_gateway(a, b);
}

int route_add(struct ip *ip, const struct route_spec *spec)
{
    struct route r;
    uint32_t at = 0;

    if (!route_of(&r, spec))
        return -EINVAL;
    for (; at < ip->routes && compare(&ip->route[at], &r) <= 0; at++)
        if (same_route(&ip->route[at], &r))
            return -EEXIST;
    if (ip->routes >= ip->config.route_max)
        return -ENOSPC;
    if (ip->routes == ip->routes_room && !grow(ip))
        return -ENOMEM;
    memmove(&ip->route[at + 1], &ip->route[at], (ip->routes - at) * sizeof r);
    ip->route[at] = r;
    ip->routes++;
    regroup(ip);
    return 0;
}

int route_remove(struct ip *ip, const struct route_spec *spec)
{
    struct route r;
    uint32_t at = 0;

    if (!route_of(&r, spec))
        return -EINVAL;
    while (at < ip->routes && !same_route(&ip->route[at], &r))
        at++;
    if (at == ip->routes)
        return -ESRCH;
    ip->routes--;
    memmove(&ip->route[at], &ip->route[at + 1], (ip->routes - at) * sizeof r);
    regroup(ip);
    return 0;
}

static inline uint64_t number(uint64_t net)
{
    return __builtin_bswap64(net);
}

/* Before, at or behind the network: -1, 0, 1. */
static inline int compare_net(const uint64_t a[2], const uint64_t b[2])
{
    int i = a[0] == b[0];

    return (number(a[i]) > number(b[i])) - (number(a[i]) < number(b[i]));
}

/* The first route of [first, end) whose network is `net`, and that leads through ifindex if that is
 * given; NULL: none. */
static const struct route *find_net(const struct ip *ip, uint32_t first, uint32_t end,
                                    const uint64_t net[2], int ifindex)
{
    uint32_t stop = end;

    while (first < end) {
        uint32_t middle = first + (end - first) / 2;

        if (compare_net(ip->route[middle].net, net) < 0)
            first = middle + 1;
        else
            end = middle;
    }
    for (; first < stop && compare_net(ip->route[first].net, net) == 0; first++)
        if (!ifindex || ip->route[first].ifindex == ifindex)
            return &ip->route[first];
    return NULL;
}

static void describe(const struct ip *ip, const struct route *r, const struct weir_addr *dst,
                     struct route_result *out)
{
    *out = (struct route_result){.ifindex = r->ifindex,
                                 .has_gateway = r->has_gateway,
                                 .next_hop = r->has_gateway ? r->gateway : *dst,
                                 .prefix = r->prefix,
                                 .at = (uint32_t)(r - ip->route)};
}

int route_lookup(const struct ip *ip, const struct weir_addr *dst, int ifindex,
                 struct route_result *out)
{
    uint64_t address[2];

    memcpy(address, dst, sizeof address);
    for (uint32_t g = 0; g < ip->groups; g++) {
        uint32_t first = ip->group[g].first;
        uint32_t end = g + 1 < ip->groups ? ip->group[g + 1].first : ip->routes;
        const uint64_t *mask = ip->route[first].mask;
        uint64_t net[2] = {address[0] & mask[0], address[1] & mask[1]};
        const struct route *r = find_net(ip, first, end, net, ifindex);

        if (!r)
            continue;
        describe(ip, r, dst, out);
        return 0;
    }
    return -ENETUNREACH;
}

int route_next(const struct ip *ip, const struct weir_addr *dst, int ifindex,
               struct route_result *r)
{
    const struct route *last = &ip->route[r->at];

    for (const struct route *n = last + 1; n < ip->route + ip->routes; n++) {
        if (n->prefix != last->prefix || compare_net(n->net, last->net) != 0)
            break;
        if (ifindex && n->ifindex != ifindex)
            continue;
        describe(ip, n, dst, r);
        return 0;
    }
    return -ENETUNREACH;
}

static uint64_t mask_of(int bits)
{
    if (bits <= 0)
        return 0;
    return __builtin_bswap64(bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits));
}

static bool route_of(struct route *out, const struct route_spec *spec)
{
    bool is_v4 = weir_addr_is_v4(&spec->dst);
    int prefix = spec->prefix + (is_v4 ? V4_BITS : 0);
    uint64_t address[2];

    if (spec->prefix < 0 || prefix > 128 || spec->ifindex < 1 || spec->ifindex >= IP_IFACES)
        return false;
    if (spec->gateway &&
        (weir_addr_is_any(spec->gateway) || weir_addr_is_v4(spec->gateway) != is_v4))
        return false;
    memcpy(address, &spec->dst, sizeof address);
    *out = (struct route){.mask = {mask_of(prefix), mask_of(prefix - 64)},
                          .metric = spec->metric,
                          .prefix = (uint8_t)prefix,
                          .ifindex = (uint8_t)spec->ifindex};
    out->net[0] = address[0] & out->mask[0];
    out->net[1] = address[1] & out->mask[1];
    if (spec->gateway) {
        out->has_gateway = true;
        out->gateway = *spec->gateway;
    }
    return true;
}

static int compare(const struct route *a, const struct route *b)
{
    int by_net;

    if (a->prefix != b->prefix)
        return a->prefix > b->prefix ? -1 : 1;
    by_net = compare_net(a->net, b->net);
    if (by_net)
        return by_net;
    return (a->metric > b->metric) - (a->metric < b->metric);
}

static bool grow(struct ip *ip)
{
    uint32_t room = ip->routes_room ? 2 * ip->routes_room : ROUTES_MIN;
    struct route *more = mem_alloc(ip->mem, room * sizeof *more);

    if (!more)
        return false;
    if (ip->routes)
        memcpy(more, ip->route, ip->routes * sizeof *more);
    mem_free(ip->mem, ip->route, ip->routes_room * sizeof *more);
    ip->route = more;
    ip->routes_room = room;
    return true;
}

static void regroup(struct ip *ip)
{
    ip->epoch++;
    ip->groups = 0;
    for (uint32_t i = 0; i < ip->routes; i++) {
        if (i && ip->route[i].prefix == ip->route[i - 1].prefix)
            continue;
        ip->group[ip->groups++] = (struct route_group){i, ip->route[i].prefix};
    }
}
