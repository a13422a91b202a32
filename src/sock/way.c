/* The way to a destination: its route, past a gateway that does not answer where another may.
 * 1122#3.3.1.4 3.3.1.5, 4861#6.3.6.
 *
 * Knows: routes, redirects, and what became of neighbours. Shape: of routes that are equally long
 * the first is taken whose gateway did not fail; if all did, the one that was asked longest ago is
 * tried again, so that they take turns. What TCP
 * says of its first hop and the link's own questions make a gateway fail (neigh.c): nobody is asked
 * without traffic. Units: none. Errors: -ENETUNREACH. Cost: a lookup; O(gateways) while one is
 * dead. */
#include "sock/sock.h"

static bool is_dead(struct link *l, const struct route_result *r)
{
    return r->has_gateway && neigh_has_failed(l, r->ifindex, &r->next_hop);
}

static int64_t asked_at(struct link *l, const struct route_result *r)
{
    return neigh_asked_at(l, r->ifindex, &r->next_hop);
}

int way_find(const struct way *w, const struct weir_addr *dst, int ifindex,
             struct route_result *out)
{
    struct route_result next;
    int v = route_lookup(w->ip, dst, ifindex, out);

    if (v < 0 || !is_dead(w->link, out))
        return v;
    for (next = *out; route_next(w->ip, dst, ifindex, &next) == 0;) {
        if (!is_dead(w->link, &next)) {
            *out = next;
            break;
        }
        if (asked_at(w->link, &next) < asked_at(w->link, out))
            *out = next;
    }
    return 0;
}

int way_find_own(const struct way *w, const struct weir_addr *dst, int ifindex,
                 struct route_result *out)
{
    struct weir_addr next_hop;
    int v = way_find(w, dst, ifindex, out);

    if (v < 0 || !redirect_of(w->ip, dst, out->ifindex, &next_hop))
        return v;
    if (neigh_has_failed(w->link, out->ifindex, &next_hop) ||
        (!weir_addr_equal(&next_hop, dst) &&
         neigh_is_host(w->link, out->ifindex, &next_hop))) { /* 4861#7.2.5 */
        redirect_forget(w->ip, dst, out->ifindex);
        return 0;
    }
    out->next_hop = next_hop;
    out->has_gateway = !weir_addr_equal(&next_hop, dst);
    return 0;
}
