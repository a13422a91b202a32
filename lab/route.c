/* Routes of a node to all subnets of the lab, by the fewest hops.
 *
 * Knows: nodes and links. Shape: breadth first from the node, through routers only; what is found
 * first is nearest, and among equals what was made first. Units: none. Errors: a subnet that
 * nothing leads to has no route. Cost: O(links) a node. */
#include <string.h>

#include "lab/net.h"

#define SUBNET_BITS 24

struct search {
    struct lab_node *from;
    struct {
        struct lab_node *node;
        uint32_t gateway; /* the first hop; 0: the node itself */
        int ifindex;
    } queue[LAB_NODES_MAX];
    int first, count;
    bool is_known[LAB_NODES_MAX];
    bool has_route[LAB_LINKS_MAX + LAB_NODES_MAX + 1]; /* by subnet */
};

static uint32_t subnet_of(uint32_t addr)
{
    return addr >> 8 & 0xffff;
}

/* The node at the far end of a port, with the address that it has there. */
static void reach(struct search *s, int at, struct lab_node *n, const struct lab_port *there)
{
    bool is_first = s->queue[at].node == s->from;

    if (s->is_known[n->index] || n->kind == LAB_SWITCH)
        return;
    s->is_known[n->index] = true;
    s->queue[s->count].node = n;
    s->queue[s->count].gateway = is_first ? there->addr : s->queue[at].gateway;
    s->queue[s->count].ifindex = s->queue[at].ifindex;
    s->count++;
}

static void through_port(struct search *s, int at, const struct lab_port *p)
{
    struct lab_link *l = p->link;
    struct lab_node *far = l->end[1 - p->end].node;

    if (s->queue[at].node == s->from)
        s->queue[at].ifindex = p->ifindex;
    if (far->kind != LAB_SWITCH) {
        reach(s, at, far, &far->port[l->end[1 - p->end].port]);
        return;
    }
    for (int i = 0; i < far->ports; i++) {
        const struct lab_link *spoke = far->port[i].link;
        int end = 1 - far->port[i].end;
        reach(s, at, spoke->end[end].node, &spoke->end[end].node->port[spoke->end[end].port]);
    }
}

static void add_route(const struct search *s, int at, uint32_t subnet)
{
    struct weir_stack *stack = s->from->stack;
    struct weir_addr dst = weir_addr_v4(subnet), gateway = weir_addr_v4(s->queue[at].gateway);

    weir_route_add(stack, &dst, SUBNET_BITS, &gateway, s->queue[at].ifindex, 0);
    if (!s->from->lab->has_ip6)
        return;
    dst = lab_addr6(subnet);
    gateway = lab_addr6(s->queue[at].gateway);
    weir_route_add(stack, &dst, 96 + SUBNET_BITS, &gateway, s->queue[at].ifindex, 0);
}

static void add_routes(struct search *s, int at)
{
    const struct lab_node *n = s->queue[at].node;
    for (int i = 0; i < n->ports; i++) {
        uint32_t subnet = subnet_of(n->port[i].addr);
        if (!s->has_route[subnet] && n != s->from)
            add_route(s, at, n->port[i].addr & ~255u);
        s->has_route[subnet] = true;
    }
}

void lab_routes(struct lab_node *n)
{
    struct search s = {.from = n, .count = 1};

    if (!n->stack)
        return;
    s.is_known[n->index] = true;
    s.queue[0].node = n;
    for (; s.first < s.count; s.first++) {
        const struct lab_node *here = s.queue[s.first].node;
        add_routes(&s, s.first);
        if (here != n && here->kind != LAB_ROUTER)
            continue;
        for (int i = 0; i < here->ports; i++)
            through_port(&s, s.first, &here->port[i]);
    }
}
