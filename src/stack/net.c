/* How a stack is joined to networks: interfaces, addresses, routes.
 *
 * Knows: link.h, ip.h. Not frames. Shape: each public call enters the stack, then asks link/ or
 * ip/; what an address's change means to others is said here. Units: bits of prefix. Errors:
 * -errno. Cost: O(addresses), O(routes). */
#include <errno.h>
#include <string.h>

#include "stack/stack.h"

/* -- interfaces -------------------------------------------------------------------------------- */

int weir_iface_add(struct weir_stack *k, const struct weir_iface_config *c)
{
    return iface_add(&k->link, c);
}

int weir_iface_set_mtu(struct weir_stack *k, int ifindex, uint32_t mtu)
{
    return iface_set_mtu(&k->link, ifindex, mtu);
}

int weir_addr_add(struct weir_stack *k, int ifindex, const struct weir_addr *addr, int prefix)
{
    struct route_spec r = {.dst = *addr, .prefix = prefix, .ifindex = ifindex};
    int v = iface_add_addr(&k->link, ifindex, addr, prefix);

    if (v < 0)
        return v;
    if (k->knobs.acd)
        acd_begin(&k->link, ifindex, iface_find_addr(iface_at(&k->link, ifindex), addr), k->now_us);
    v = route_add(&k->ip, &r);
    return v == -EEXIST ? 0 : v; /* two addresses of one subnet share its route */
}

int weir_route_add(struct weir_stack *k, const struct weir_addr *dst, int prefix,
                   const struct weir_addr *gateway, int ifindex, uint32_t metric)
{
    struct route_spec r = {
        .dst = *dst, .prefix = prefix, .gateway = gateway, .ifindex = ifindex, .metric = metric};

    if (!iface_at(&k->link, ifindex))
        return -EINVAL;
    return route_add(&k->ip, &r);
}

int weir_rarp_ask(struct weir_stack *k, int ifindex)
{
    return rarp_ask(&k->link, ifindex, k->now_us);
}

int weir_rarp_result(const struct weir_stack *k, int ifindex, struct weir_addr *addr)
{
    return rarp_result(&k->link, ifindex, addr);
}

int weir_rarp_serve(struct weir_stack *k, int ifindex, const uint8_t mac[6],
                    const struct weir_addr *addr)
{
    return rarp_serve(&k->link, ifindex, mac, addr);
}

/* -- what changes by itself -------------------------------------------------------------------- */

/* 5227#2.4: who uses an address that is given up hears of it, and so do the peers. */
void stack_on_changes(struct weir_stack *k)
{
    struct acd_change c;

    while (acd_next_change(&k->link, &c)) {
        struct weir_addr addr = c.addr->addr;
        bool is_ours = c.addr->state == ADDR_USABLE;

        if (!is_ours)
            tcp_lose_addr(&k->tcp, &addr, EADDRNOTAVAIL);
        stack_dhcp_checked(k, c.ifindex, &addr, is_ours);
    }
}
