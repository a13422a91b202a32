/* Packets that wait until a neighbour's MAC is known. 1122#2.3.2.2.
 *
 * Knows: neighbours as owners of packets. Not their states. Shape: each neighbour has its packets
 * in order, and all of them are in one order of arrival. Pulled packets are lent until link_settle.
 * Units: bytes of memory held. Errors: false when one packet finds no room; older ones are pushed
 * out first: those of a neighbour that holds half of the room are its own, else the oldest of all,
 * so that a dead neighbour can not starve the living ones. Cost: one allocation and one copy;
 * parking is where this memory is admitted. */
#include "link/neigh.h"

#include <string.h>

static void unlink_oldest(struct link *l, struct neigh *n)
{
    struct parked *p = n->first;

    n->first = p->next;
    if (!n->first)
        n->last = NULL;
    n->parked_bytes -= p->bytes;
    if (p->older)
        p->older->newer = p->newer;
    else
        l->oldest = p->newer;
    if (p->newer)
        p->newer->older = p->older;
    else
        l->newest = p->older;
}

static void parked_free(struct link *l, struct parked *p)
{
    l->parked_bytes -= p->bytes;
    mem_free(l->mem, p, p->bytes);
}

void park_drop_oldest(struct link *l, struct neigh *n)
{
    struct parked *p = n->first;

    unlink_oldest(l, n);
    parked_free(l, p);
}

/* The latest packet is kept even if it is larger than all the room: 1122#2.3.2.2. */
static void make_room(struct link *l, struct neigh *n, uint32_t bytes)
{
    uint32_t room = l->config.unres_qlen_bytes;

    while (l->oldest && l->parked_bytes + bytes > room) {
        bool is_greedy = n->first && n->parked_bytes + bytes > room / 2;

        park_drop_oldest(l, is_greedy ? n : neigh_at(l, l->oldest->neigh));
        l->dropped_queue_full++;
    }
}

static uint32_t gather(uint8_t *dst, const struct link_packet *packet)
{
    uint32_t n = 0;

    for (int i = 0; i < packet->parts; i++) {
        memcpy(dst + n, packet->part[i].data, packet->part[i].len);
        n += packet->part[i].len;
    }
    return n;
}

bool park_push(struct link *l, uint32_t index, const struct link_packet *packet)
{
    struct neigh *n = neigh_at(l, index);
    uint32_t bytes = sizeof(struct parked);
    struct parked *p;

    for (int i = 0; i < packet->parts; i++)
        bytes += packet->part[i].len;
    make_room(l, n, bytes);
    if (l->parked_bytes && l->parked_bytes + bytes > l->config.unres_qlen_bytes)
        return false; /* the room is lent */
    p = mem_alloc(l->mem, bytes);
    if (!p)
        return false;
    *p = (struct parked){.packet = *packet, .bytes = bytes, .neigh = index, .older = l->newest};
    p->packet.part[0] = (struct weir_slice){p->data, gather(p->data, packet)};
    p->packet.parts = 1;
    if (l->newest)
        l->newest->newer = p;
    else
        l->oldest = p;
    l->newest = p;
    if (n->last)
        n->last->next = p;
    else
        n->first = p;
    n->last = p;
    n->parked_bytes += bytes;
    l->parked_bytes += bytes;
    return true;
}

const struct link_packet *park_pull(struct link *l, struct neigh *n)
{
    struct parked *p = n->first;

    if (!p)
        return NULL;
    unlink_oldest(l, n);
    p->next = l->lent;
    l->lent = p;
    return &p->packet;
}

void link_settle(struct link *l)
{
    while (l->lent) {
        struct parked *p = l->lent;

        l->lent = p->next;
        parked_free(l, p);
    }
}
