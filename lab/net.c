/* Making a network: hosts, routers, switches, links, addresses; crash and reboot.
 *
 * Knows: libweir. Not time (step.c) nor what a link does to a frame (link.c).
 * Shape: nodes and links are kept in the order of making, which is the order of everything. The
 * n-th subnet is 10.0.n.0/24; a link of two hosts is one, a switch with all on it is another.
 * Units: bytes. Errors: NULL with lab->error filled. Cost: O(1), but for routes. */
#include "lab/net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/log.h"

#define SUBNET_BITS 24
#define CLOCK_BASE_NS 1000000000
#define MTU_PRESET 1500
#define BULK_MAX 65535
#define PPB 1000000000u

static bool is_starved(struct lab *lab)
{
    if (!lab->starve_ppb || !lab->is_started || lab->is_booting)
        return false;
    lab->starve_random = lab->starve_random * 6364136223846793005u + 1442695040888963407u;
    return (lab->starve_random >> 33) * PPB >> 31 < lab->starve_ppb;
}

static void *counted_alloc(void *ctx, size_t bytes)
{
    struct lab *lab = ctx;
    void *p = is_starved(lab) ? NULL : malloc(bytes);

    lab->mem_bytes += p ? (int64_t)bytes : 0;
    return p;
}

static void counted_free(void *ctx, void *p, size_t bytes)
{
    struct lab *lab = ctx;

    lab->mem_bytes -= p ? (int64_t)bytes : 0;
    free(p);
}

uint64_t lab_random(struct lab *lab)
{
    uint64_t z = lab->seed * 0xd1342543de82ef95u + ++lab->salt * 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

struct lab *lab_new(uint64_t seed)
{
    struct lab *lab = calloc(1, sizeof *lab);

    if (lab)
        lab->seed = lab->starve_random = seed;
    return lab;
}

int64_t lab_halt(struct lab *lab)
{
    for (int i = 0; i < lab->nodes; i++) {
        weir_free(lab->node[i]->stack);
        lab->node[i]->stack = NULL;
    }
    return lab->mem_bytes;
}

void lab_free(struct lab *lab)
{
    if (!lab)
        return;
    lab_halt(lab);
    for (int i = 0; i < lab->nodes; i++) {
        for (int j = 0; j < lab->node[i]->ports; j++)
            lab_nat_free(lab->node[i]->port[j].nat);
        free(lab->node[i]);
    }
    for (int i = 0; i < lab->links; i++)
        lab_link_close(lab->link[i]);
    free(lab);
}

/* -- nodes ------------------------------------------------------------------------------------- */

static void add_port(struct lab_node *n, int i)
{
    struct lab_port *p = &n->port[i];
    struct weir_iface_config c = {.name = "net0", .type = p->link->type, .mtu = p->link->mtu};
    struct weir_addr addr = weir_addr_v4(p->addr);
    char name[16];

    snprintf(name, sizeof name, "net%d", i);
    c.name = name;
    c.gso_max = p->link->is_bulk ? BULK_MAX : 0;
    c.flags = p->link->is_bulk ? WEIR_IF_CSUM_TX : 0;
    memcpy(c.mac, p->mac, sizeof c.mac);
    p->ifindex = weir_iface_add(n->stack, &c);
    weir_addr_add(n->stack, p->ifindex, &addr, SUBNET_BITS);
    if (!n->lab->has_ip6)
        return;
    addr = lab_addr6(p->addr);
    weir_addr_add(n->stack, p->ifindex, &addr, 96 + SUBNET_BITS);
}

static void boot(struct lab_node *n)
{
    struct weir_config c = {.alloc = counted_alloc, .free = counted_free, .mem_ctx = n->lab};

    c.seed[0] = n->seed[0];
    c.seed[1] = n->seed[1];
    c.now_ns = lab_clock(n);
    n->lab->is_booting = true; /* no memory at the start is no start at all */
    n->stack = weir_new(&c);
    if (!n->stack)
        abort(); /* the machine has no memory left for a few kilobytes */
    n->boots++;
    for (int i = 0; i < n->knobs; i++)
        weir_knob_set(n->stack, n->knob[i].name, n->knob[i].value);
    for (int i = 0; i < n->ports; i++)
        add_port(n, i);
    if (n->lab->is_started)
        lab_routes(n);
    n->lab->is_booting = false;
    if (n->lab->log)
        lab_log_boot(n->lab->log, n);
}

void lab_boot(struct lab_node *n)
{
    if (n->kind == LAB_SWITCH || n->stack)
        return;
    n->seed[0] = lab_random(n->lab);
    n->seed[1] = lab_random(n->lab);
    boot(n);
}

void lab_boot_again(struct lab_node *n)
{
    if (n->kind == LAB_SWITCH || n->stack)
        return;
    n->offset_ns += CLOCK_BASE_NS - lab_clock(n);
    n->heard_at = 0;
    boot(n);
}

void lab_crash(struct lab_node *n)
{
    if (n->lab->log)
        lab_log_crash(n->lab->log, n);
    weir_free(n->stack);
    n->stack = NULL;
}

struct lab_node *lab_node_add(struct lab *lab, enum lab_kind kind, const char *name)
{
    struct lab_node *n;

    for (int i = 0; i < lab->nodes; i++)
        if (!strcmp(lab->node[i]->name, name)) {
            snprintf(lab->error, sizeof lab->error, "there is a node '%s' already", name);
            return NULL;
        }
    if (lab->nodes == LAB_NODES_MAX || strlen(name) >= LAB_NAME_MAX) {
        snprintf(lab->error, sizeof lab->error, "at most %d nodes, names below %d letters",
                 LAB_NODES_MAX, LAB_NAME_MAX);
        return NULL;
    }
    n = calloc(1, sizeof *n);
    if (!n)
        abort();
    n->lab = lab;
    n->kind = kind;
    n->index = lab->nodes;
    n->offset_ns = CLOCK_BASE_NS;
    snprintf(n->name, sizeof n->name, "%s", name);
    if (kind == LAB_SWITCH)
        n->subnet = ++lab->subnets;
    lab->node[lab->nodes++] = n;
    if (kind == LAB_ROUTER) {
        lab_knob(n, "net.ipv4.ip_forward", "1");
        lab_knob(n, "net.ipv6.conf.all.forwarding", "1");
    }
    if (lab->has_ip6) { /* addresses are known, and at once */
        lab_knob(n, "net.ipv6.conf.all.dad_transmits", "0");
        lab_knob(n, "net.ipv6.conf.all.router_solicitations", "0");
    }
    lab_boot(n);
    return n;
}

int lab_knob(struct lab_node *n, const char *name, const char *value)
{
    int r = n->stack ? weir_knob_set(n->stack, name, value) : 0;

    if (r < 0)
        return r;
    if (n->knobs == LAB_KNOBS_MAX)
        return -ENOSPC;
    snprintf(n->knob[n->knobs].name, sizeof n->knob->name, "%s", name);
    snprintf(n->knob[n->knobs++].value, sizeof n->knob->value, "%s", value);
    return 0;
}

/* -- links ------------------------------------------------------------------------------------- */

static void attach(struct lab_link *l, int end, uint32_t subnet, uint32_t member)
{
    struct lab_node *n = l->end[end].node;
    struct lab_port *p = &n->port[n->ports];

    l->end[end].port = n->ports;
    p->link = l;
    p->end = end;
    p->mac[0] = 2;
    p->mac[4] = (uint8_t)(n->index + 1);
    p->mac[5] = (uint8_t)(n->ports + 1);
    n->ports++;
    if (n->kind == LAB_SWITCH)
        return;
    p->addr = 0x0a000000u | subnet << 8 | member;
    add_port(n, n->ports - 1);
}

static bool may_link(struct lab *lab, const struct lab_node *a, const struct lab_node *b)
{
    const char *why = NULL;

    if (a == b)
        why = "a link needs two nodes";
    else if (lab->is_started)
        why = "links are made before the run begins";
    else if (lab->links == LAB_LINKS_MAX)
        why = "too many links";
    else if (a->ports == LAB_PORTS_MAX || b->ports == LAB_PORTS_MAX)
        why = "too many links at one node";
    else if (a->kind == LAB_SWITCH && b->kind == LAB_SWITCH)
        why = "two switches are one: put the hosts on the same";
    if (why)
        snprintf(lab->error, sizeof lab->error, "%s", why);
    return !why;
}

struct lab_link *lab_link_add(struct lab *lab, struct lab_node *a, struct lab_node *b,
                              const struct weir_impair *impair, enum lab_link_kind kind)
{
    struct lab_node *sw = a->kind == LAB_SWITCH ? a : b->kind == LAB_SWITCH ? b : NULL;
    bool is_ether = sw || kind == LAB_LINK_ETHER || kind == LAB_LINK_FCS;
    struct lab_link *l;
    uint32_t subnet;

    if (!may_link(lab, a, b) || !(l = calloc(1, sizeof *l)))
        return NULL;
    *l = (struct lab_link){.lab = lab,
                           .index = lab->links,
                           .type = is_ether ? WEIR_LINK_ETHER : WEIR_LINK_IP,
                           .is_bulk = kind == LAB_LINK_BULK,
                           .has_fcs = kind == LAB_LINK_FCS,
                           .mtu = impair->mtu ? impair->mtu : MTU_PRESET,
                           .end = {{a, 0}, {b, 0}}};
    snprintf(l->name, sizeof l->name, "%s-%s", a->name, b->name);
    if (!line_init(&l->dir[0].line, &impair->up, lab_random(lab)) ||
        !line_init(&l->dir[1].line, &impair->down, lab_random(lab)))
        abort();
    for (int d = 0; d < 2; d++) {
        l->dir[d].random = lab_random(lab);
        l->dir[d].line.link_len = is_ether && !l->has_fcs ? 14 : 0;
        l->dir[d].line.extra_len = l->has_fcs ? LAB_PREAMBLE_LEN : 0;
    }
    lab->link[lab->links++] = l;
    subnet = sw ? sw->subnet : ++lab->subnets;
    attach(l, 0, subnet, sw ? ++sw->members : 1);
    attach(l, 1, subnet, sw ? (b == sw ? 0 : sw->members) : 2);
    return l;
}

void lab_link_set(struct lab_link *l, const struct weir_impair *impair)
{
    const struct weir_impair_dir *set[2] = {&impair->up, &impair->down};

    for (int d = 0; d < 2; d++) {
        uint32_t queue = l->dir[d].line.set.queue_frames;
        l->dir[d].line.set = *set[d];
        l->dir[d].line.set.queue_frames = queue;
    }
    if (!impair->mtu)
        return;
    l->mtu = impair->mtu;
    for (int e = 0; e < 2; e++) {
        struct lab_node *n = l->end[e].node;
        if (n->stack)
            weir_iface_set_mtu(n->stack, n->port[l->end[e].port].ifindex, l->mtu);
    }
}

struct lab_fault *lab_fault_add(struct lab_link *l)
{
    return l->faults < LAB_FAULTS_MAX ? &l->fault[l->faults++] : NULL;
}

/* -- addresses --------------------------------------------------------------------------------- */

struct weir_addr lab_addr6(uint32_t addr)
{
    struct weir_addr a = weir_addr_v4(addr);

    memset(a.b, 0, 12);
    a.b[0] = 0xfd;
    return a;
}

uint32_t lab_addr(const struct lab_node *to, const struct lab_node *from)
{
    for (int i = 0; from && i < to->ports; i++)
        for (int j = 0; j < from->ports; j++)
            if (to->port[i].addr && (to->port[i].addr ^ from->port[j].addr) < 256)
                return to->port[i].addr;
    return to->ports ? to->port[0].addr : 0;
}

struct lab_node *lab_owner(const struct lab *lab, uint32_t addr)
{
    for (int i = 0; i < lab->nodes; i++)
        for (int j = 0; j < lab->node[i]->ports; j++)
            if (lab->node[i]->port[j].addr == addr)
                return lab->node[i];
    return NULL;
}
