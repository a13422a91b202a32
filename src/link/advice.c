/* What the layers above know of a next hop, and what they ask. 1122#3.3.1.4, 4861#7.3.1.
 *
 * Knows: the states of a neighbour. Not why a layer believes what it says. Shape: advice only moves
 * a neighbour between states that it could have come to by itself (neigh.c). Units: microseconds.
 * Errors: none: advice about who is not known is ignored. Cost: one hash. */
#include "link/neigh.h"

void neigh_confirm(struct link *l, int ifindex, const struct weir_addr *next_hop, int64_t now_us)
{
    uint32_t index = neigh_find(l, ifindex, next_hop);
    struct neigh *n;

    if (!index)
        return;
    n = neigh_at(l, index);
    if (n->state == NEIGH_REACHABLE)
        n->confirmed_us = now_us;
    else if (n->has_mac)
        neigh_enter(l, index, NEIGH_REACHABLE, now_us);
}

void neigh_doubt(struct link *l, int ifindex, const struct weir_addr *next_hop, int64_t now_us)
{
    uint32_t index = neigh_find(l, ifindex, next_hop);

    if (index && neigh_at(l, index)->state == NEIGH_REACHABLE)
        neigh_enter(l, index, NEIGH_STALE, now_us);
}

bool neigh_has_failed(struct link *l, int ifindex, const struct weir_addr *next_hop)
{
    uint32_t index = neigh_find(l, ifindex, next_hop);

    return index && neigh_at(l, index)->state == NEIGH_FAILED;
}

int64_t neigh_asked_at(struct link *l, int ifindex, const struct weir_addr *next_hop)
{
    uint32_t index = neigh_find(l, ifindex, next_hop);

    return index ? neigh_at(l, index)->asked_us : INT64_MIN;
}

bool neigh_is_host(struct link *l, int ifindex, const struct weir_addr *next_hop)
{
    uint32_t index = weir_addr_is_v4(next_hop) ? 0 : neigh_find(l, ifindex, next_hop);

    return index && neigh_at(l, index)->has_mac && !neigh_at(l, index)->is_router;
}
