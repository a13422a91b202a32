/* Which addresses the program's namespace shows: the host's own, or those on a link of the stack's
 * own; and which nameservers its libc will ask.
 *
 * Knows: getifaddrs, /etc/resolv.conf. Shape: looked up once, when the daemon starts. Units:
 * network order. Errors: -errno. Cost: a few system calls. */
#include "run/daemon.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static bool is_loopback(uint32_t address)
{
    return ntohl(address) >> 24 == IN_LOOPBACKNET;
}

/* Of IPv6, what holds on one link only stays there. */
static bool address_of(const struct ifaddrs *a, struct weir_addr *out)
{
    const struct sockaddr_in *in = (const void *)a->ifa_addr;
    const struct sockaddr_in6 *in6 = (const void *)a->ifa_addr;

    if (in && in->sin_family == AF_INET) {
        *out = weir_addr_v4(ntohl(in->sin_addr.s_addr));
        return !is_loopback(in->sin_addr.s_addr);
    }
    if (!in6 || in6->sin6_family != AF_INET6)
        return false;
    memcpy(out->b, &in6->sin6_addr, sizeof out->b);
    return !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) && !IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static void add_hosts_own(struct netns_face *face)
{
    struct ifaddrs *all;

    if (getifaddrs(&all) < 0)
        return;
    for (struct ifaddrs *a = all; a && face->addresses < NETNS_ADDRESSES; a = a->ifa_next) {
        const struct sockaddr_in6 *in6 = (const void *)a->ifa_addr;

        face->addresses += address_of(a, &face->address[face->addresses]);
        if (in6 && in6->sin6_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr))
            face->has_ip6_loopback = true;
    }
    freeifaddrs(all);
}

static void add_stacks(struct netns_face *face, const struct link_ends *e)
{
    if (e->prefix)
        face->address[face->addresses++] = e->ip;
    if (e->prefix6)
        face->address[face->addresses++] = e->ip6;
}

static void add_nameservers(struct netns_face *face)
{
    FILE *f = fopen("/etc/resolv.conf", "re");
    char line[256], text[64];
    struct in_addr addr;

    while (f && face->servers < NETNS_SERVERS && fgets(line, sizeof line, f))
        if (sscanf(line, "nameserver %63s", text) == 1 && inet_pton(AF_INET, text, &addr) == 1 &&
            !is_loopback(addr.s_addr)) /* that is local anyway */
            face->server[face->servers++] = addr.s_addr;
    if (f)
        fclose(f);
}

int face_show(struct daemon *d)
{
    struct netns_face face = {.addresses = 0};

    if (d->gateway)
        add_hosts_own(&face);
    else
        add_stacks(&face, &d->ends);
    add_nameservers(&face);
    return netns_face(&d->netns, &face);
}
