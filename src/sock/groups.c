/* Multicast options of datagram sockets, and what joining and leaving mean to interfaces. 1112#7,
 * ip(7).
 *
 * Knows: sockets, interfaces, IGMP. Shape: an interface listens to a group while any socket wants
 * it there; routers hear of the first that comes and the last that goes. Units: none. Errors:
 * -errno, Linux's for the same call. Cost: joining O(memberships of the socket), leaving O(all). */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "sock/groups.h"

#define V4_LEN 4

int groups_ifindex_at(struct socks *k, struct in_addr addr)
{
    struct weir_addr a = weir_addr_v4(ntohl(addr.s_addr));

    if (!addr.s_addr)
        return 0;
    for (int i = 1; i <= k->link->ifaces; i++)
        if (iface_find_addr(iface_at(k->link, i), &a))
            return i;
    return -ENODEV;
}

bool groups_read_addr(const struct sockaddr_storage *in, int level, struct weir_addr *out)
{
    struct sockaddr_in6 six;
    struct sockaddr_in four;

    if (in->ss_family != (level == IPPROTO_IPV6 ? AF_INET6 : AF_INET))
        return false;
    if (level == IPPROTO_IPV6) {
        memcpy(&six, in, sizeof six);
        memcpy(out, &six.sin6_addr, sizeof *out);
    } else {
        memcpy(&four, in, sizeof four);
        *out = weir_addr_v4(ntohl(four.sin_addr.s_addr));
    }
    return true;
}

/* Which interface a struct ip_mreqn, ip_mreq or in_addr names; 0: none, -ENODEV: no such one. */
static int ifindex_of(struct socks *k, const struct ip_mreqn *m)
{
    if (m->imr_ifindex)
        return iface_at(k->link, m->imr_ifindex) ? m->imr_ifindex : -ENODEV;
    return groups_ifindex_at(k, m->imr_address);
}

static bool read_request(const struct sock_opt *o, struct ip_mreqn *m)
{
    *m = (struct ip_mreqn){.imr_ifindex = 0};
    if (o->len < sizeof(struct ip_mreq))
        return false;
    memcpy(m, o->value, o->len < sizeof *m ? sizeof(struct ip_mreq) : sizeof *m);
    return true;
}

void groups_tell(struct socks *k, int ifindex, const struct weir_addr *group, int64_t at_us)
{
    struct filter want = udp_wanted(k->udp, group, ifindex);

    if (iface_is_implied(k->link, ifindex, group))
        want = filter_all();
    if (igmp_is_told(group))
        members_set(&k->ip->members, ifindex, group, &want, at_us);
}

int groups_leave(struct socks *k, struct sock *s, const struct weir_addr *group, int ifindex)
{
    struct filter left;

    ifindex = udp_leave(k->udp, s->endpoint, group, ifindex);
    if (ifindex < 0)
        return ifindex;
    left = udp_wanted(k->udp, group, ifindex);
    if (filter_is_none(&left))
        iface_leave(k->link, ifindex, group);
    groups_tell(k, ifindex, group, k->now_us);
    return 0;
}

int groups_join(struct socks *k, struct sock *s, const struct weir_addr *group, int ifindex,
                const struct filter *from)
{
    int v = udp_join(k->udp, s->endpoint, group, ifindex, from);

    if (v < 0)
        return v;
    v = iface_join(k->link, ifindex, group);
    if (v < 0 && v != -EEXIST) {
        udp_leave(k->udp, s->endpoint, group, ifindex);
        return -ENOBUFS;
    }
    groups_tell(k, ifindex, group, k->now_us);
    return 0;
}

static int first_of_ip6(struct socks *k)
{
    for (int i = 1; i <= k->link->ifaces; i++) {
        const struct iface *f = iface_at(k->link, i);

        for (int n = 0; n < f->addrs; n++)
            if (!weir_addr_is_v4(&f->addr[n].addr))
                return i;
    }
    return 0;
}

int groups_ifindex(struct socks *k, const struct weir_addr *group, int ifindex)
{
    struct route_result r;

    if (ifindex)
        return iface_at(k->link, ifindex) ? ifindex : -ENODEV;
    if (route_lookup(k->ip, group, 0, &r) == 0)
        return r.ifindex;
    if (!weir_addr_is_v4(group)) /* no route says where: the first that speaks IPv6 */
        ifindex = first_of_ip6(k);
    return ifindex ? ifindex : -ENODEV;
}

static int set_membership(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    struct filter all = filter_all();
    struct weir_addr group;
    struct ip_mreqn m;
    int ifindex;

    if (!read_request(o, &m))
        return -EINVAL;
    group = weir_addr_v4(ntohl(m.imr_multiaddr.s_addr));
    ifindex = ifindex_of(k, &m);
    if (ifindex < 0)
        return ifindex;
    if (o->name == IP_DROP_MEMBERSHIP)
        return groups_leave(k, s, &group, ifindex);
    if (!iface_is_multicast(&group))
        return -EINVAL;
    ifindex = groups_ifindex(k, &group, ifindex);
    return ifindex < 0 ? ifindex : groups_join(k, s, &group, ifindex, &all);
}

/* IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP. */
static int set_membership6(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    struct filter all = filter_all();
    struct weir_addr group;
    struct ipv6_mreq m;
    int ifindex;

    if (o->len < sizeof m)
        return -EINVAL;
    memcpy(&m, o->value, sizeof m);
    memcpy(group.b, &m.ipv6mr_multiaddr, sizeof group.b);
    ifindex = (int)m.ipv6mr_interface;
    if (!iface_is_multicast(&group))
        return -EINVAL;
    if (ifindex && !iface_at(k->link, ifindex))
        return -ENODEV;
    if (o->name == IPV6_LEAVE_GROUP)
        return groups_leave(k, s, &group, ifindex);
    ifindex = groups_ifindex(k, &group, ifindex);
    return ifindex < 0 ? ifindex : groups_join(k, s, &group, ifindex, &all);
}

bool sock_is_multicast6_opt(int name)
{
    return name == IPV6_JOIN_GROUP || name == IPV6_LEAVE_GROUP || sources_is_opt(name) ||
           sock_is_filter_opt(IPPROTO_IPV6, name);
}

int sock_set_multicast6(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    if (s->kind == SOCK_KIND_TCP)
        return -EPROTO;
    if (sock_is_filter_opt(o->level, o->name))
        return msfilter_set(k, s, o);
    return sources_is_opt(o->name) ? sources_set(k, s, o) : set_membership6(k, s, o);
}

static int set_interface(struct socks *k, struct udp_sock *u, const struct sock_opt *o)
{
    struct ip_mreqn m = {.imr_ifindex = 0};
    int ifindex;

    if (o->len >= sizeof(struct ip_mreq))
        read_request(o, &m);
    else if (o->len >= V4_LEN)
        memcpy(&m.imr_address, o->value, V4_LEN);
    else
        return -EINVAL;
    ifindex = ifindex_of(k, &m);
    if (ifindex < 0)
        return ifindex == -ENODEV ? -EADDRNOTAVAIL : ifindex;
    u->mc_ifindex = (uint8_t)ifindex;
    return 0;
}

/* A number in an int or, as BSD had it, in one byte. */
static int number_of(const struct sock_opt *o)
{
    int value = -2;

    if (o->len >= sizeof value)
        memcpy(&value, o->value, sizeof value);
    else if (o->len)
        value = *(const uint8_t *)o->value;
    return value;
}

static int set_number(struct udp_sock *u, int name, int value)
{
    uint8_t bit = name == IP_MULTICAST_LOOP ? UDP_NO_LOOP : UDP_JOINED_ONLY;

    if (name == IP_MULTICAST_TTL) {
        if (value < -1 || value > 255)
            return -EINVAL;
        u->mc_ttl = (uint8_t)(value < 0 ? 1 : value);
        return 0;
    }
    if (value < 0 || (name == IP_MULTICAST_ALL && value > 1))
        return -EINVAL;
    u->options = (uint8_t)(value ? u->options & ~bit : u->options | bit);
    return 0;
}

bool sock_is_multicast_opt(int name)
{
    return name == IP_ADD_MEMBERSHIP || name == IP_DROP_MEMBERSHIP || name == IP_MULTICAST_IF ||
           name == IP_MULTICAST_TTL || name == IP_MULTICAST_LOOP || name == IP_MULTICAST_ALL ||
           sources_is_opt(name) || sock_is_filter_opt(IPPROTO_IP, name) ||
           (name >= IP_UNBLOCK_SOURCE && name <= IP_DROP_SOURCE_MEMBERSHIP);
}

int sock_set_multicast(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    struct udp_sock *u;

    if (s->kind == SOCK_KIND_TCP)
        return o->name == IP_MULTICAST_IF || o->name == IP_MULTICAST_TTL ||
                       o->name == IP_MULTICAST_LOOP || o->name == IP_MULTICAST_ALL
                   ? -EINVAL
                   : -EPROTO;
    u = udp_at(k->udp, s->endpoint);
    switch (o->name) {
    case IP_ADD_MEMBERSHIP:
    case IP_DROP_MEMBERSHIP:
        return set_membership(k, s, o);
    case IP_MULTICAST_IF:
        return set_interface(k, u, o);
    case IP_MULTICAST_TTL:
    case IP_MULTICAST_LOOP:
    case IP_MULTICAST_ALL:
        return set_number(u, o->name, number_of(o));
    case IP_MSFILTER:
    case MCAST_MSFILTER:
        return msfilter_set(k, s, o);
    default:
        return sources_set(k, s, o);
    }
}

int sock_get_multicast(struct socks *k, const struct sock *s, int name, int *value)
{
    const struct udp_sock *u;
    struct weir_addr from;

    if (s->kind == SOCK_KIND_TCP)
        return -ENOPROTOOPT;
    u = udp_at(k->udp, s->endpoint);
    switch (name) {
    case IP_MULTICAST_TTL:
        *value = u->mc_ttl;
        return 0;
    case IP_MULTICAST_LOOP:
        *value = !(u->options & UDP_NO_LOOP);
        return 0;
    case IP_MULTICAST_ALL:
        *value = !(u->options & UDP_JOINED_ONLY);
        return 0;
    case IP_MULTICAST_IF: /* its address, in network order */
        from = weir_addr_v4(0);
        if (u->mc_ifindex)
            iface_source_for(k->link, u->mc_ifindex, &from, &from);
        *value = (int)htonl(weir_addr_to_v4(&from));
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

void sock_leave_all(struct socks *k, struct sock *s)
{
    struct weir_addr group;

    while (udp_first_group(k->udp, s->endpoint, &group))
        groups_leave(k, s, &group, 0);
}
