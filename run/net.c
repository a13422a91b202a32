/* What `weir ip` asks for: interfaces, addresses, routes, neighbours, and changes of them.
 *
 * Knows: weir/net.h, protocol.h. Shape: one answer for each row; a change is one call on the stack.
 * Units: as there. Errors: -errno in the answer. Cost: O(rows). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "run/daemon.h"

static void put(int fd, const void *row, size_t len)
{
    struct run_answer a = {.result = 1, .value_len = (uint32_t)len};

    memcpy(a.value, row, len);
    (void)!send(fd, &a, offsetof(struct run_answer, value) + len, MSG_NOSIGNAL);
}

static void show_links(struct daemon *d, int fd)
{
    struct weir_account a;

    weir_account(d->stack, &a);
    for (int i = 1;; i++) {
        struct run_iface row = {.ifindex = i,
                                .frames_in = a.frames_in,
                                .bytes_in = a.bytes_in,
                                .dropped = a.dropped,
                                .frames_out = a.frames_out,
                                .bytes_out = a.bytes_out};
        if (weir_iface_info(d->stack, i, &row.info) < 0)
            return;
        put(fd, &row, sizeof row);
    }
}

void net_show(struct daemon *d, const struct run_ask *ask, int fd)
{
    struct weir_addr_info addr;
    struct weir_route_info route;
    struct run_neigh neigh = {.state = ""};
    uint32_t cursor = 0;

    switch (ask->number) {
    case RUN_NET_LINK:
        show_links(d, fd);
        break;
    case RUN_NET_ADDR:
        while (weir_addr_next(d->stack, &cursor, &addr))
            put(fd, &addr, sizeof addr);
        break;
    case RUN_NET_ROUTE:
        while (weir_route_next(d->stack, &cursor, &route))
            put(fd, &route, sizeof route);
        break;
    case RUN_NET_NEIGH:
        while (weir_neigh_next(d->stack, &cursor, &neigh.info)) {
            snprintf(neigh.state, sizeof neigh.state, "%s", neigh.info.state);
            neigh.info.state = NULL;
            put(fd, &neigh, sizeof neigh);
        }
        break;
    default:
        break;
    }
}

static int set_route(struct daemon *d, const struct run_net_change *c)
{
    const struct weir_addr *gateway = c->has_gateway ? &c->gateway : NULL;

    if (!c->is_there)
        return weir_route_remove(d->stack, &c->addr, c->prefix, gateway, c->ifindex);
    return weir_route_add(d->stack, &c->addr, c->prefix, gateway, c->ifindex ? c->ifindex : 1,
                          c->metric);
}

int net_set(struct daemon *d, const struct run_ask *ask)
{
    struct run_net_change c;

    if (ask->value_len != sizeof c)
        return -EINVAL;
    memcpy(&c, ask->value, sizeof c);
    switch (c.what) {
    case RUN_NET_LINK:
        return weir_iface_set_up(d->stack, c.ifindex, c.is_there);
    case RUN_NET_ADDR:
        return c.is_there ? weir_addr_add(d->stack, c.ifindex, &c.addr, c.prefix)
                          : weir_addr_remove(d->stack, c.ifindex, &c.addr);
    case RUN_NET_ROUTE:
        return set_route(d, &c);
    case RUN_NET_NEIGH:
        return weir_neigh_set(d->stack, c.ifindex, &c.addr, c.has_mac ? c.mac : NULL);
    default:
        return -EINVAL;
    }
}
