/* The TAP link of a stack: the device, and who has which address on it.
 *
 * Knows: drivers, the kernel's addresses of a device. Shape: a device that was there belongs to who
 * made it: its address is the gateway, and the stack takes the next one; a device that is made here
 * gets addresses here, so that nothing else needs to be typed. What is typed goes before all that.
 * Units: none. Errors: NULL and a line. Cost: some ioctls. */
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/link.h"

#define PRESET_IP 0x0a4d0002u /* 10.77.0.2 */
#define PRESET_BITS 24

/* -- the kernel's end -------------------------------------------------------------------------- */

static struct ifreq request_for(const char *name)
{
    struct ifreq r = {.ifr_ifindex = 0};

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    return r;
}

static uint32_t address_in(const struct ifreq *r)
{
    struct sockaddr_in in;

    memcpy(&in, &r->ifr_addr, sizeof in);
    return ntohl(in.sin_addr.s_addr);
}

static struct ifreq request_with(const char *name, uint32_t address)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    struct ifreq r = request_for(name);

    memcpy(&r.ifr_addr, &in, sizeof in);
    return r;
}

/* The address that the kernel has on the device, 0: none. */
static uint32_t kernel_address(int s, const char *name, int *bits)
{
    struct ifreq r = request_for(name);
    uint32_t address, mask;

    if (ioctl(s, SIOCGIFADDR, &r) < 0)
        return 0;
    address = address_in(&r);
    r = request_for(name);
    if (ioctl(s, SIOCGIFNETMASK, &r) < 0)
        return 0;
    mask = address_in(&r);
    *bits = mask ? 32 - __builtin_ctz(mask) : 0;
    return address;
}

static bool give_kernel_address(int s, const char *name, uint32_t address, int bits)
{
    struct ifreq r = request_with(name, address);

    if (ioctl(s, SIOCSIFADDR, &r) < 0)
        return false;
    r = request_with(name, ~0u << (32 - bits));
    return ioctl(s, SIOCSIFNETMASK, &r) == 0;
}

static bool is_up(int s, const char *name)
{
    struct ifreq r = request_for(name);

    return ioctl(s, SIOCGIFFLAGS, &r) == 0 && r.ifr_flags & IFF_UP;
}

/* -- who has which address --------------------------------------------------------------------- */

/* A host of the subnet that is not `taken`: the one after it, else the one before. */
static uint32_t neighbour_of(uint32_t taken, int bits)
{
    uint32_t host = ~(~0u << (32 - bits));

    return bits == 31 ? taken ^ 1 : (taken & host) + 1 < host ? taken + 1 : taken - 1;
}

/* The first host of the subnet, unless that is `taken`. */
static uint32_t first_of(uint32_t taken, int bits)
{
    uint32_t first = (taken & ~0u << (32 - bits)) | (bits == 31 ? 0 : 1);

    return first == taken ? neighbour_of(taken, bits) : first;
}

static bool is_on_link(const struct link_ends *e, uint32_t address)
{
    return ((weir_addr_to_v4(&e->ip) ^ address) & ~0u << (32 - e->prefix)) == 0;
}

static void choose(const struct link_options *o, struct link_ends *e, uint32_t kernel, int bits)
{
    bool is_usable = kernel && bits >= 1 && bits <= 31;

    if (!o->prefix) {
        e->prefix = is_usable ? bits : PRESET_BITS;
        e->ip = weir_addr_v4(is_usable ? neighbour_of(kernel, bits) : PRESET_IP);
        if (o->has_gateway && !is_usable) /* what is typed says which subnet */
            e->ip = weir_addr_v4(neighbour_of(weir_addr_to_v4(&o->gateway), PRESET_BITS));
    }
    e->has_gateway = true;
    if (!o->has_gateway)
        e->gateway = weir_addr_v4(is_usable && is_on_link(e, kernel) &&
                                          kernel != weir_addr_to_v4(&e->ip)
                                      ? kernel
                                      : first_of(weir_addr_to_v4(&e->ip), e->prefix));
    e->kernel_has_gateway = kernel == weir_addr_to_v4(&e->gateway);
}

/* What is typed may not fit the device. */
static bool is_conflict(const struct link_ends *e, const char *name, uint32_t kernel, char *error,
                        size_t error_size)
{
    char text[WEIR_ADDR_TEXT];

    if (kernel && kernel == weir_addr_to_v4(&e->ip)) {
        snprintf(error, error_size, "%s is the kernel's own address on %s: choose another --ip",
                 weir_addr_text(&e->ip, text), name);
        return true;
    }
    if (!is_on_link(e, weir_addr_to_v4(&e->gateway)) || weir_addr_equal(&e->ip, &e->gateway)) {
        snprintf(error, error_size,
                 "--gw %s does not go with the address that the kernel has on %s: say --ip as well",
                 weir_addr_text(&e->gateway, text), name);
        return true;
    }
    return false;
}

static bool arrange(const struct link_options *o, struct link_ends *e, const char *name,
                    char *error, size_t error_size)
{
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bits = 0;
    uint32_t kernel = s < 0 ? 0 : kernel_address(s, name, &bits);

    link_ends_typed(e, o);
    if (o->is_dhcp && s >= 0) { /* a server says who is who */
        e->is_up = is_up(s, name);
        close(s);
        return true;
    }
    choose(o, e, kernel, bits);
    if (s < 0 || is_conflict(e, name, kernel, error, error_size)) {
        if (s >= 0)
            close(s);
        return s < 0;
    }
    if (!e->was_there && !kernel)
        e->kernel_has_gateway = give_kernel_address(s, name, weir_addr_to_v4(&e->gateway),
                                                    e->prefix);
    e->is_up = is_up(s, name);
    close(s);
    return true;
}

/* -- the link ---------------------------------------------------------------------------------- */

int tap_check(const char *name)
{
    if (strlen(name) >= IFNAMSIZ)
        return link_mistake("too long for a device", name, "its name has at most 15 letters");
    for (const char *c = name; *c; c++)
        if (isspace((unsigned char)*c) || strchr("/:,", *c))
            return link_mistake("not a device's name", name,
                                "as in --link tap:weir0 --ip 10.77.0.2/24");
    return 0;
}

struct weir_link *tap_open(const char *name, const struct link_options *o, struct link_ends *ends,
                           char *error, size_t error_size)
{
    struct weir_link *link;

    ends->was_there = *name && if_nametoindex(name) != 0;
    ends->is_kernels_end = true;
    link = weir_tap_open(name, error, error_size);
    if (!link)
        return NULL;
    if (o->no_offload)
        weir_tap_no_offload(link);
    if (arrange(o, ends, link->iface.name, error, error_size))
        return link;
    weir_link_close(link);
    return NULL;
}
