/* An address by DHCP: asked for before the program begins, given back when all is over.
 *
 * Knows: weir/net.h, the link. Shape: the stack asks; here the link is pumped until there is a
 * lease, or patience ends. Units: ns. Errors: -errno and a line of text that says what to try.
 * Cost: some seconds, most of them for others to say that the address is theirs. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "run/daemon.h"

#define PATIENCE_NS 45000000000ll /* three questions, and their repetitions */
#define LOOK_NS 100000000ll

static void wait_for_frames(struct daemon *d, int64_t now)
{
    int64_t at = weir_deadline(d->stack), other = d->link->driver->deadline(d->link), left;
    struct pollfd p = {.fd = d->link->driver->fd(d->link), .events = POLLIN};

    at = other < at ? other : at;
    left = at - now < LOOK_NS ? at - now : LOOK_NS;
    if (left > 0)
        poll(&p, p.fd >= 0, (int)(left / 1000000) + 1);
}

static void say(const struct daemon *d, const struct weir_dhcp_lease *l)
{
    char text[WEIR_ADDR_TEXT], server[WEIR_ADDR_TEXT];

    fprintf(stderr, "weir: %s %s: weir is %s/%d, by DHCP from %s", d->ends.kind,
            d->link->iface.name, weir_addr_text(&l->addr, text), l->prefix,
            weir_addr_text(&l->server, server));
    if (l->has_router)
        fprintf(stderr, "; gateway %s", weir_addr_text(&l->router, text));
    if (l->dnss)
        fprintf(stderr, "; nameserver %s", weir_addr_text(&l->dns[0], text));
    fputc('\n', stderr);
}

static int complain(const struct daemon *d, const struct weir_dhcp_lease *l, char *error,
                    size_t error_size)
{
    const char *name = d->link->iface.name;
    bool has_answered = l->naks || l->declines || strcmp(l->state, "selecting") != 0;

    if (!d->ends.is_up)
        snprintf(error, error_size, "%s is down, no DHCP server is heard: sudo ip link set %s up",
                 name, name);
    else if (has_answered)
        snprintf(
            error, error_size,
            "no lease on %s: the DHCP server refused %llu times, and %llu addresses were in use; "
            "say --ip instead of --dhcp, or look at the server's log",
            name, (unsigned long long)l->naks, (unsigned long long)l->declines);
    else
        snprintf(error, error_size,
                 "no DHCP server answers on %s: is one there, and is %s joined to its network? "
                 "--ip ADDR/BITS does without",
                 name, name);
    return -ETIMEDOUT;
}

int lease_wait(struct daemon *d, char *error, size_t error_size)
{
    int64_t now = weir_clock_ns(), end = now + PATIENCE_NS;
    struct weir_dhcp_lease l;
    int v = weir_dhcp_start(d->stack, d->ifindex, NULL);

    if (v < 0) {
        snprintf(error, error_size, "no DHCP on %s: %s", d->link->iface.name, strerror(-v));
        return v;
    }
    while ((v = weir_dhcp_lease(d->stack, d->ifindex, &l)) == -EAGAIN && now < end) {
        if ((v = weir_link_pump(d->link, d->stack, d->ifindex, now, 8)) < 0) {
            snprintf(error, error_size, "%s is gone", d->link->iface.name);
            return v;
        }
        now = weir_clock_ns();
        wait_for_frames(d, now);
        now = weir_clock_ns();
    }
    if (v < 0)
        return complain(d, &l, error, error_size);
    d->ends.ip = l.addr;
    d->ends.prefix = l.prefix;
    d->ends.gateway = l.router;
    d->ends.has_gateway = l.has_router;
    say(d, &l);
    return 0;
}

void lease_give_back(struct daemon *d)
{
    if (d->options->link.is_dhcp && weir_dhcp_stop(d->stack, d->ifindex) == 0)
        weir_link_pump(d->link, d->stack, d->ifindex, weir_clock_ns(), 2);
}

bool lease_nameserver(const struct daemon *d, struct weir_addr *server)
{
    struct weir_nameserver_info named;
    struct weir_dhcp_lease l;
    uint32_t cursor = 0;

    if (d->options->link.is_dhcp && weir_dhcp_lease(d->stack, d->ifindex, &l) == 0 && l.dnss) {
        *server = l.dns[0];
        return true;
    }
    if (!weir_nameserver_next(d->stack, &cursor, &named))
        return false;
    *server = named.addr;
    return true;
}
