/* Links beside an interface of the kernel's: packet sockets and AF_XDP.
 *
 * Knows: drivers, the kernel's addresses. Shape: a station of the stack's own on that network: its
 * address is typed, or comes by DHCP; nothing is guessed, since an address that is another's harms
 * others. Units: none. Errors: NULL and a line. Cost: some system calls. */
#include <ctype.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/link.h"

/* The kernel's address as the stack has it; false: another family's. */
static bool address_of(const struct sockaddr *a, struct weir_addr *out)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (a && a->sa_family == AF_INET) {
        memcpy(&in, a, sizeof in);
        *out = weir_addr_v4(ntohl(in.sin_addr.s_addr));
        return true;
    }
    if (!a || a->sa_family != AF_INET6)
        return false;
    memcpy(&in6, a, sizeof in6);
    memcpy(out->b, &in6.sin6_addr, sizeof out->b);
    return true;
}

/* Two stacks that answer for one address: the kernel would reset what is the stack's. */
static bool is_conflict(const struct link_ends *e, char *error, size_t error_size)
{
    struct ifaddrs *all = NULL;
    bool is_taken = false;
    char text[WEIR_ADDR_TEXT];

    if (getifaddrs(&all) < 0)
        return false;
    for (struct ifaddrs *i = all; i && !is_taken; i = i->ifa_next) {
        struct weir_addr a;

        if (!address_of(i->ifa_addr, &a))
            continue;
        is_taken = (e->prefix && weir_addr_equal(&a, &e->ip)) ||
                   (e->prefix6 && weir_addr_equal(&a, &e->ip6));
        if (is_taken)
            snprintf(error, error_size,
                     "%s is the kernel's own address on %s: choose another --ip that is free there",
                     weir_addr_text(&a, text), i->ifa_name);
    }
    freeifaddrs(all);
    return is_taken;
}

/* A name of `n` letters. */
static int check_name(const char *name, size_t n)
{
    if (!n)
        return link_mistake("which interface", name, "as in --link packet:eth0 (ip link)");
    if (n >= IFNAMSIZ)
        return link_mistake("too long for an interface", name, "its name has at most 15 letters");
    for (size_t i = 0; i < n; i++)
        if (isspace((unsigned char)name[i]) || name[i] == '/')
            return link_mistake("not an interface's name", name, "as in --link packet:eth0");
    return 0;
}

int station_check(const char *name)
{
    return check_name(name, strlen(name));
}

#define GENERIC ",generic"

int xdp_check(const char *name)
{
    size_t n = strcspn(name, ":,");
    const char *queue = name + n + (name[n] == ':');
    size_t digits = strspn(queue, "0123456789"), len = strcspn(queue, ",");
    const char *mode = name + strcspn(name, ",");

    if (name[n] == ':' && (!len || len > 4 || digits != len))
        return link_mistake("not a queue", queue,
                            "they are counted from 0, as in --link xdp:eth0:0");
    if (*mode && strcmp(mode, GENERIC) != 0)
        return link_mistake("not a mode of XDP", mode + 1,
                            "there is one to ask for: --link xdp:eth0,generic");
    return check_name(name, n);
}

struct weir_link *station_open(const char *name, const struct link_options *o,
                               struct link_ends *ends, char *error, size_t error_size)
{
    struct weir_link *link;
    uint8_t mac[6];

    link_ends_typed(ends, o);
    if (is_conflict(ends, error, error_size))
        return NULL;
    link = weir_packet_open(name, link_ends_mac(ends, "", mac) ? mac : NULL, error, error_size);
    if (link && o->no_offload)
        weir_packet_no_offload(link);
    return link;
}

struct weir_link *xdp_open(const char *name, const struct link_options *o, struct link_ends *ends,
                           char *error, size_t error_size)
{
    char device[IFNAMSIZ];
    const char *colon = strchr(name, ':');
    bool wants_generic = strchr(name, ',') != NULL;
    struct weir_link *link;
    uint8_t mac[6];

    snprintf(device, sizeof device, "%.*s", (int)strcspn(name, ":,"), name);
    link_ends_typed(ends, o);
    if (is_conflict(ends, error, error_size))
        return NULL;
    link = (wants_generic ? weir_xdp_open_generic : weir_xdp_open)(
        device, colon ? atoi(colon + 1) : -1, link_ends_mac(ends, "", mac) ? mac : NULL, error,
        error_size);
    if (link)
        fprintf(stderr, "weir: xdp %s: %s\n", device, weir_xdp_mode(link));
    return link;
}
