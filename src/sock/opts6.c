/* Socket options of IPv6: Linux's names and values. 3493, 3542.
 *
 * Knows: which option of IPv4 means the same, for both live in one place below. Shape: as opts.c.
 * Units: those of the option. Errors: ENOPROTOOPT for what is not there, EINVAL for a bad value.
 * Cost: O(1). */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "sock/sock.h"

/* The option of IPv4 that is kept in the same place, -1: none. */
static int same_of_ip4(int name)
{
    switch (name) {
    case IPV6_UNICAST_HOPS:
        return IP_TTL;
    case IPV6_TCLASS:
        return IP_TOS;
    case IPV6_RECVERR:
        return IP_RECVERR;
    case IPV6_MTU:
        return IP_MTU;
    case IPV6_MTU_DISCOVER:
        return IP_MTU_DISCOVER;
    case IPV6_TRANSPARENT:
        return IP_TRANSPARENT;
    case IPV6_FREEBIND:
        return IP_FREEBIND;
    case IPV6_MULTICAST_HOPS:
        return IP_MULTICAST_TTL;
    case IPV6_MULTICAST_LOOP:
        return IP_MULTICAST_LOOP;
    case IPV6_MULTICAST_ALL:
        return IP_MULTICAST_ALL;
    default:
        return -1;
    }
}

static bool is_taken_by_streams(int name)
{
    return name != IPV6_MULTICAST_HOPS && name != IPV6_MULTICAST_LOOP &&
           name != IPV6_MULTICAST_ALL && name != IPV6_MULTICAST_IF;
}

/* The endpoints must know, since they choose who an arrival is for. */
static int set_v6only(struct socks *k, struct sock *s, bool is_on)
{
    if (s->flags & SOCK_BOUND)
        return -EINVAL; /* Linux: too late */
    s->flags = (uint16_t)(is_on ? s->flags | SOCK_V6ONLY : s->flags & ~SOCK_V6ONLY);
    if (s->kind == SOCK_KIND_TCP) {
        uint16_t *on = &tcp_opt(k->tcp, s->endpoint)->on;
        *on = (uint16_t)(is_on ? *on | OPT_V6ONLY : *on & ~OPT_V6ONLY);
    } else {
        uint8_t *options = &udp_at(k->udp, s->endpoint)->options;
        *options = (uint8_t)(is_on ? *options | UDP_V6ONLY : *options & ~UDP_V6ONLY);
    }
    return 0;
}

static int set_interface(struct socks *k, struct sock *s, int ifindex)
{
    if (s->kind == SOCK_KIND_TCP)
        return -ENOPROTOOPT;
    if (ifindex && !iface_at(k->link, ifindex))
        return -ENODEV;
    udp_at(k->udp, s->endpoint)->mc_ifindex = (uint8_t)ifindex;
    return 0;
}

/* In datagrams of IPv6 too big for the path DONTFRAG is what IP_PMTUDISC_DO is. */
static int set_dont_cut(struct socks *k, struct sock *s, bool is_on)
{
    if (s->kind != SOCK_KIND_TCP)
        udp_at(k->udp, s->endpoint)->pmtudisc = is_on ? IPV6_PMTUDISC_DO : IPV6_PMTUDISC_WANT;
    return 0;
}

int sock_set_ip6(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    struct sock_opt four = {.level = IPPROTO_IP, .name = same_of_ip4(o->name)};
    int value = 0;

    if (s->family != AF_INET6)
        return -ENOPROTOOPT;
    if (sock_is_multicast6_opt(o->name))
        return sock_set_multicast6(k, s, o);
    if (s->kind == SOCK_KIND_TCP && !is_taken_by_streams(o->name))
        return -ENOPROTOOPT;
    if (o->len < sizeof value)
        return -EINVAL;
    memcpy(&value, o->value, sizeof value);
    if (o->name == IPV6_TCLASS && (value < -1 || value > 255))
        return -EINVAL;
    if (o->name == IPV6_TCLASS && value == -1)
        value = 0; /* 3542#6.5: the preset again */
    switch (o->name) {
    case IPV6_V6ONLY:
        return set_v6only(k, s, value);
    case IPV6_MULTICAST_IF:
        return set_interface(k, s, value);
    case IPV6_DONTFRAG:
        return set_dont_cut(k, s, value);
    default:
        four.value = &value;
        four.len = sizeof value;
        return four.name < 0 ? -ENOPROTOOPT : sock_set_ip(k, s, &four);
    }
}

/* The preset is another than IPv4's. */
static int get_hops(struct socks *k, const struct sock *s, struct sock_opt *o)
{
    uint8_t hops = s->kind == SOCK_KIND_TCP ? tcp_opt(k->tcp, s->endpoint)->ttl
                                            : udp_at(k->udp, s->endpoint)->ttl;

    return sock_give_int(o, hops ? hops : (int)k->knobs->hop_limit);
}

int sock_get_ip6(struct socks *k, struct sock *s, struct sock_opt *o)
{
    int name = o->name, v;

    if (s->family != AF_INET6)
        return -EOPNOTSUPP;
    if (sock_is_filter_opt(o->level, name))
        return sock_get_filter(k, s, o);
    if (s->kind == SOCK_KIND_TCP && !is_taken_by_streams(name))
        return -ENOPROTOOPT;
    switch (name) {
    case IPV6_V6ONLY:
        return sock_give_int(o, !!(s->flags & SOCK_V6ONLY));
    case IPV6_UNICAST_HOPS:
        return get_hops(k, s, o);
    case IPV6_MULTICAST_IF:
        return sock_give_int(o, udp_at(k->udp, s->endpoint)->mc_ifindex);
    default:
        if (same_of_ip4(name) < 0)
            return -ENOPROTOOPT;
        o->level = IPPROTO_IP;
        o->name = same_of_ip4(name);
        v = sock_get_ip(k, s, o);
        o->level = IPPROTO_IPV6;
        o->name = name;
        return v;
    }
}
