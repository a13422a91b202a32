/* Interfaces: what they can do, which addresses are ours, what a MAC or an address means here.
 *
 * Knows: addresses, masks, groups. Not neighbours, not routes. Shape: interfaces are never removed;
 * addresses are kept in the order in which they came, the first is the primary one. Units: bytes;
 * prefixes in bits of 128 inside. Errors: -EINVAL, -EEXIST, -ENOSPC, -ENODEV. Cost: O(addresses),
 * at most 8 for each interface; a hit on the first interface asked is one step. */
#include "link/neigh.h"

#include <errno.h>
#include <string.h>

#define MTU_MIN 68 /* 791#3.2 */
#define MTU_MAX 65535
#define V4_BITS 96 /* of prefix in front of an IPv4 address */

static const uint8_t mac_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static bool is_valid(const struct weir_iface_config *c)
{
    bool is_ether = c->type == WEIR_LINK_ETHER;

    if (!c->name || strnlen(c->name, 16) == 16 || c->mtu < MTU_MIN || c->mtu > MTU_MAX)
        return false;
    if (c->flags & WEIR_IF_LLC && (!is_ether || c->mtu > LLC_DATA_MAX || c->gso_max))
        return false;
    if (c->gso_max > MTU_MAX || (!is_ether && c->type != WEIR_LINK_IP))
        return false;
    return !is_ether || !(c->mac[0] & 1);
}

int iface_add(struct link *l, const struct weir_iface_config *config)
{
    struct iface *f;

    if (!is_valid(config))
        return -EINVAL;
    if (l->ifaces == IFACE_MAX)
        return -ENOSPC;
    f = &l->iface[++l->ifaces];
    *f = (struct iface){.type = config->type,
                        .is_up = true,
                        .mtu = config->mtu,
                        .gso_max = config->gso_max,
                        .flags = config->flags};
    memcpy(f->name, config->name, strlen(config->name));
    memcpy(f->mac, config->mac, sizeof f->mac);
    l->epoch++;
    return l->ifaces;
}

struct iface *iface_at(struct link *l, int ifindex)
{
    return ifindex > 0 && ifindex <= l->ifaces ? &l->iface[ifindex] : NULL;
}

static bool has_v6(const struct iface *f)
{
    for (int i = 0; i < f->addrs; i++)
        if (!weir_addr_is_v4(&f->addr[i].addr))
            return true;
    return false;
}

int iface_set_mtu(struct link *l, int ifindex, uint32_t mtu)
{
    struct iface *f = iface_at(l, ifindex);

    if (!f)
        return -ENODEV;
    if (mtu < MTU_MIN || mtu > (f->flags & WEIR_IF_LLC ? LLC_DATA_MAX : MTU_MAX))
        return -EINVAL;
    if (mtu < IP6_MTU_MIN && has_v6(f)) /* 8200#5: such a link is not for IPv6 */
        return -EINVAL;
    f->mtu = mtu;
    return 0;
}

void iface_set_up(struct link *l, int ifindex, bool is_up)
{
    struct iface *f = iface_at(l, ifindex);

    if (f)
        f->is_up = is_up;
}

static int find_addr(const struct iface *f, const struct weir_addr *addr)
{
    for (int i = 0; i < f->addrs; i++)
        if (weir_addr_equal(&f->addr[i].addr, addr))
            return i;
    return -1;
}

static bool has_usable(const struct iface *f, const struct weir_addr *addr)
{
    int i = find_addr(f, addr);

    return i >= 0 && f->addr[i].state == ADDR_USABLE;
}

struct iface_addr *iface_find_addr(struct iface *f, const struct weir_addr *addr)
{
    int i = find_addr(f, addr);

    return i < 0 ? NULL : &f->addr[i];
}

int iface_add_addr(struct link *l, int ifindex, const struct weir_addr *addr, int prefix)
{
    struct iface *f = iface_at(l, ifindex);
    int shift = weir_addr_is_v4(addr) ? V4_BITS : 0;

    if (!f)
        return -ENODEV;
    if (prefix < 0 || prefix + shift > 128 || weir_addr_is_any(addr) || iface_is_multicast(addr))
        return -EINVAL;
    if (!shift && f->mtu < IP6_MTU_MIN) /* 8200#5 */
        return -EINVAL;
    if (find_addr(f, addr) >= 0)
        return -EEXIST;
    if (f->addrs == IFACE_ADDRS_MAX)
        return -ENOSPC;
    l->epoch++;
    f->addr[f->addrs] = (struct iface_addr){
        .addr = *addr,
        .prefix = (uint8_t)(prefix + shift),
        .step_at_us = INT64_MAX,
        .preferred_until_us = INT64_MAX,
        .valid_until_us = INT64_MAX,
        .defended_at_us = INT64_MIN / 2,
    };
    if (l->config.arp_notify && f->type == WEIR_LINK_ETHER && shift)
        acd_announce(l, ifindex, &f->addr[f->addrs], 1);
    f->addrs++;
    return 0;
}

int iface_remove_addr(struct link *l, int ifindex, const struct weir_addr *addr)
{
    struct iface *f = iface_at(l, ifindex);
    int i;

    if (!f)
        return -ENODEV;
    i = find_addr(f, addr);
    if (i < 0)
        return -EADDRNOTAVAIL;
    l->epoch++;
    f->addrs--;
    memmove(&f->addr[i], &f->addr[i + 1], (size_t)(f->addrs - i) * sizeof f->addr[0]);
    return 0;
}

/* 1122#3.3.7, 4291#2.8 */
static bool is_all_hosts(const struct weir_addr *group)
{
    static const struct weir_addr all_nodes = {.b = {0xff, 2, [15] = 1}};
    struct weir_addr all_hosts = weir_addr_v4(0xe0000001);

    return weir_addr_equal(group, &all_hosts) || weir_addr_equal(group, &all_nodes);
}

static int find_group(const struct iface *f, const struct weir_addr *group)
{
    for (int i = 0; i < f->groups; i++)
        if (weir_addr_equal(&f->group[i], group))
            return i;
    return -1;
}

int iface_join(struct link *l, int ifindex, const struct weir_addr *group)
{
    struct iface *f = iface_at(l, ifindex);

    if (!f)
        return -ENODEV;
    if (!iface_is_multicast(group))
        return -EINVAL;
    if (is_all_hosts(group) || find_group(f, group) >= 0)
        return -EEXIST;
    if (f->groups == IFACE_GROUPS_MAX)
        return -ENOSPC;
    f->group[f->groups++] = *group;
    return 0;
}

int iface_leave(struct link *l, int ifindex, const struct weir_addr *group)
{
    struct iface *f = iface_at(l, ifindex);
    int i;

    if (!f)
        return -ENODEV;
    i = find_group(f, group);
    if (i < 0)
        return -EADDRNOTAVAIL;
    f->group[i] = f->group[--f->groups];
    return 0;
}

static bool is_group_mac(const struct weir_addr *group, const uint8_t mac[6])
{
    uint8_t own[6];

    iface_group_mac(group, own);
    return memcmp(mac, own, 6) == 0;
}

/* 33:33 and the last 32 bits of ff02::1, or of the group of an address of ours. */
static bool is_implied_mac6(const struct iface *f, const uint8_t mac[6])
{
    static const uint8_t all_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};

    if (memcmp(mac, all_nodes, 6) == 0)
        return true;
    if (mac[0] != 0x33 || mac[1] != 0x33 || mac[2] != 0xff)
        return false;
    for (int i = 0; i < f->addrs; i++)
        if (!weir_addr_is_v4(&f->addr[i].addr) && memcmp(f->addr[i].addr.b + 13, mac + 3, 3) == 0)
            return true;
    return false;
}

enum drop iface_judge_mac(const struct link *l, int ifindex, const uint8_t mac[6])
{
    struct weir_addr all_hosts = weir_addr_v4(0xe0000001);
    const struct iface *f = &l->iface[ifindex];

    if (LIKELY(memcmp(mac, f->mac, 6) == 0))
        return PASS;
    if (memcmp(mac, mac_broadcast, 6) == 0)
        return PASS;
    if (!(mac[0] & 1))
        return DROP_not_ours;
    if (is_group_mac(&all_hosts, mac) || is_implied_mac6(f, mac))
        return PASS;
    for (int i = 0; i < f->groups; i++)
        if (is_group_mac(&f->group[i], mac))
            return PASS;
    return DROP_not_ours;
}

/* 1112#6.4: 01:00:5e and 23 bits; 2464#7: 33:33 and 32 bits. */
void iface_group_mac(const struct weir_addr *group, uint8_t mac[6])
{
    static const uint8_t v4[3] = {0x01, 0x00, 0x5e};
    static const uint8_t v6[2] = {0x33, 0x33};

    memcpy(mac + 2, group->b + 12, 4);
    if (weir_addr_is_v4(group)) {
        memcpy(mac, v4, sizeof v4);
        mac[3] &= 0x7f;
    } else {
        memcpy(mac, v6, sizeof v6);
    }
}

static bool is_loopback(const struct weir_addr *a)
{
    return weir_addr_is_v4(a) && a->b[12] == 127;
}

bool iface_has_addr(const struct link *l, const struct weir_addr *addr)
{
    for (int i = 1; i <= l->ifaces; i++)
        if (has_usable(&l->iface[i], addr))
            return true;
    return false;
}

bool iface_is_own(const struct link *l, int ifindex, const struct weir_addr *addr)
{
    const struct iface *f = &l->iface[ifindex];

    if (LIKELY(has_usable(f, addr)))
        return true;
    if (f->flags & WEIR_IF_ANY_ADDR)
        return !iface_is_multicast(addr) && !weir_addr_is_any(addr) &&
               !iface_is_broadcast(l, ifindex, addr);
    if (is_loopback(addr))
        for (int i = 0; i < f->addrs; i++)
            if (is_loopback(&f->addr[i].addr))
                return true;
    return iface_has_addr(l, addr);
}

/* Bits of the host part of a v4 address, as a mask in host order. */
static uint32_t host_mask(const struct iface_addr *a)
{
    return (uint32_t)(0xffffffffull >> (a->prefix - V4_BITS));
}

bool iface_is_broadcast(const struct link *l, int ifindex, const struct weir_addr *addr)
{
    const struct iface *f = &l->iface[ifindex];
    uint32_t v4;

    if (!weir_addr_is_v4(addr))
        return false;
    v4 = weir_addr_to_v4(addr);
    if (v4 == 0xffffffff)
        return true;
    for (int i = 0; i < f->addrs; i++) {
        const struct iface_addr *a = &f->addr[i];
        uint32_t host, own;

        if (a->state != ADDR_USABLE || !weir_addr_is_v4(&a->addr) || a->prefix > V4_BITS + 30)
            continue; /* 3021: 31 bits and more have no broadcast address */
        own = weir_addr_to_v4(&a->addr);
        host = host_mask(a);
        if (((v4 ^ own) & ~host) == 0 && v4 != own && ((v4 & host) == host || !(v4 & host)))
            return true;
    }
    return false;
}

bool iface_is_multicast(const struct weir_addr *addr)
{
    return weir_addr_is_v4(addr) ? addr->b[12] >> 4 == 0xe : addr->b[0] == 0xff;
}

/* The group of an address of ours whose last three bytes it bears: 4291#2.7.1. */
static bool is_solicited(const struct iface *f, const struct weir_addr *group)
{
    if (!nd_is_solicited_group(group))
        return false;
    for (int i = 0; i < f->addrs; i++)
        if (!weir_addr_is_v4(&f->addr[i].addr) && f->addr[i].state != ADDR_DUPLICATE &&
            memcmp(f->addr[i].addr.b + 13, group->b + 13, 3) == 0)
            return true;
    return false;
}

bool iface_is_implied(const struct link *l, int ifindex, const struct weir_addr *group)
{
    return is_all_hosts(group) || is_solicited(&l->iface[ifindex], group);
}

bool iface_is_member(const struct link *l, int ifindex, const struct weir_addr *group)
{
    return is_all_hosts(group) || find_group(&l->iface[ifindex], group) >= 0 ||
           is_solicited(&l->iface[ifindex], group);
}

void iface_link_local(const struct link *l, int ifindex, struct weir_addr *out)
{
    const struct iface *f = &l->iface[ifindex];

    *out = (struct weir_addr){.b = {0}};
    for (int i = 0; i < f->addrs; i++)
        if (f->addr[i].addr.b[0] == 0xfe && f->addr[i].state == ADDR_USABLE)
            *out = f->addr[i].addr;
}
