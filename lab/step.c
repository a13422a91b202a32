/* One instant of the lab: all that is due moves, until nothing does.
 *
 * Knows: nodes, links, the three verbs. Not apps. Shape: links first, then stacks, each in the
 * order of making, round after round. Each node has a clock of its own, skewed against the lab's.
 * Units: ns. Errors: none; what can not go on is lost and said to be. Cost: O(nodes + links) a
 * round, and what the stacks cost. */
#include <stdlib.h>
#include <string.h>

#include "drivers/linear.h"
#include "lab/log.h"
#include "lab/net.h"
#include "wire/wire.h"

#define PPM 1000000

/* -- clocks ------------------------------------------------------------------------------------ */

static int64_t clock_at(const struct lab_node *n, int64_t now)
{
    int64_t ahead = n->skew_ppm ? (int64_t)((__int128)now * n->skew_ppm / PPM) : 0;

    return n->offset_ns + now + ahead;
}

int64_t lab_clock(const struct lab_node *n)
{
    return clock_at(n, n->lab->now);
}

/* The first instant of the lab at which the node's clock shows `at`. */
static int64_t when(const struct lab_node *n, int64_t at)
{
    int64_t t = at - n->offset_ns;

    if (n->skew_ppm)
        t = (int64_t)((__int128)t * PPM / (PPM + n->skew_ppm)) - 1;
    while (clock_at(n, t) < at)
        t++;
    return t;
}

/* -- frames that come in ----------------------------------------------------------------------- */

static void learn(struct lab_node *sw, const uint8_t *mac, int port)
{
    int i = 0;

    while (i < sw->seens && memcmp(sw->seen[i].mac, mac, 6) != 0)
        i++;
    if (i == LAB_NODES_MAX)
        return;
    memcpy(sw->seen[i].mac, mac, 6);
    sw->seen[i].port = port;
    sw->seens += i == sw->seens;
}

/* A switch sends a frame where its station was seen, or to all other ports. */
static void switch_frame(struct lab_node *sw, int port, struct weir_frame *f)
{
    const uint8_t *mac = f->part[0].data;
    int to = -1;

    if (f->part[0].len < ETH_LEN)
        return;
    learn(sw, mac + 6, port);
    for (int i = 0; i < sw->seens && !(mac[0] & 1); i++)
        if (memcmp(sw->seen[i].mac, mac, 6) == 0)
            to = sw->seen[i].port;
    for (int i = 0; i < sw->ports; i++)
        if (i != port && (to < 0 || to == i))
            lab_link_send(sw->port[i].link, sw->port[i].end, f);
}

/* The frame in `bytes`, its addresses translated. False: it goes on as it is. */
static bool translate(struct lab_port *p, const struct weir_frame *f, uint8_t *bytes, bool is_out)
{
    size_t head = p->link->type == WEIR_LINK_ETHER ? ETH_LEN : 0;
    size_t len = linear_gather(f, bytes, LINEAR_MAX);
    int64_t now = p->link->lab->now;

    if (len <= head || (head && (bytes[12] != 8 || bytes[13])))
        return false;
    linear_complete(bytes, len, f);
    return is_out ? lab_nat_out(p->nat, p->addr, bytes + head, len - head, now)
                  : lab_nat_in(p->nat, p->addr, bytes + head, len - head, now);
}

static void send_out(struct lab_port *p, struct weir_frame *f)
{
    static uint8_t bytes[LINEAR_MAX]; /* one frame at a time, one thread */
    struct lab_seg was, is;

    if (!p->nat || !translate(p, f, bytes, true)) {
        lab_link_send(p->link, p->end, f);
        return;
    }
    if (p->link->lab->log)
        lab_seg_read(&was, f, p->link->type);
    f->part[0] = (struct weir_slice){bytes, (uint32_t)weir_frame_len(f)};
    f->parts = 1;
    f->flags = 0;
    if (p->link->lab->log) {
        lab_seg_read(&is, f, p->link->type);
        lab_log_changed(p->link->lab->log, &was, &is, true);
    }
    lab_link_send(p->link, p->end, f);
}

static void note_arrival(struct lab_link *l, struct lab_node *n, struct weir_frame *f,
                         const struct lab_seg *s)
{
    lab_log_events(l->lab->log, n, false);
    lab_log_arrived(l->lab->log, n, s, &f->why);
}

static void arrive_one(struct lab_link *l, int end, struct weir_frame *f)
{
    static uint8_t bytes[LINEAR_MAX];
    struct lab_node *n = l->end[end].node;
    struct lab_port *p = &n->port[l->end[end].port];
    struct lab *lab = l->lab;
    struct lab_seg s, is;

    if (lab->log)
        lab_seg_read(&s, f, l->type);
    if (p->nat && translate(p, f, bytes, false)) {
        f->part[0] = (struct weir_slice){bytes, (uint32_t)weir_frame_len(f)};
        f->parts = 1;
        f->flags = 0;
        if (lab->log) {
            lab_seg_read(&is, f, l->type);
            lab_log_changed(lab->log, &s, &is, false);
            s = is;
        }
    }
    weir_input(n->stack, p->ifindex, f, 1, lab_clock(n));
    if (lab->log)
        note_arrival(l, n, f, &s);
    if (lab->pcapng)
        lab_capture(l, end, f, LAB_ARRIVED);
}

/* Nobody looks: the burst goes in as it is. */
static bool is_plain(const struct lab_link *l, const struct lab_port *p)
{
    return !l->lab->log && !l->lab->pcapng && !p->nat;
}

void lab_arrive(struct lab_link *l, int end, struct weir_frame *burst, int n)
{
    struct lab_node *node = l->end[end].node;
    struct lab_port *p = &node->port[l->end[end].port];
    struct lab_seg s;

    node->has_news = true;
    if (node->stack && is_plain(l, p)) {
        weir_input(node->stack, p->ifindex, burst, n, lab_clock(node));
        return;
    }
    for (int i = 0; i < n; i++) {
        if (node->kind == LAB_SWITCH) {
            switch_frame(node, l->end[end].port, &burst[i]);
        } else if (node->stack) {
            arrive_one(l, end, &burst[i]);
        } else if (l->lab->log) {
            lab_seg_read(&s, &burst[i], l->type);
            lab_log_fate(l->lab->log, l, &s, LAB_LOST_DEAD);
        }
    }
}

static bool settle_link(struct lab_link *l)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    bool moved = false;

    for (int d = 0; d < 2; d++) {
        int n = lab_link_take(l, d, burst, WEIR_BURST_MAX);
        if (n)
            lab_arrive(l, 1 - d, burst, n);
        while (lab_link_release(l, d))
            n++;
        moved |= n > 0;
    }
    return moved;
}

/* -- frames that go out ------------------------------------------------------------------------ */

/* A router that is a black hole: it drops what is too big, and says nothing. */
static bool is_silenced(const struct lab_node *n, const struct lab_port *p, struct weir_frame *f)
{
    struct lab_seg s;

    if (!n->is_mute)
        return false;
    lab_seg_read(&s, f, p->link->type);
    return s.proto == LAB_ICMP && s.icmp_type != ICMP4_ECHO && s.icmp_type != ICMP4_ECHO_REPLY;
}

static bool settle_port(struct lab_node *n, struct lab_port *p)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    bool moved = false;
    int got;

    while ((got = weir_output(n->stack, p->ifindex, burst, WEIR_BURST_MAX, lab_clock(n))) > 0) {
        moved = true;
        if (n->lab->log)
            lab_log_events(n->lab->log, n, false);
        for (int i = 0; i < got; i++)
            if (!is_silenced(n, p, &burst[i]))
                send_out(p, &burst[i]);
    }
    return moved;
}

/* Each stack hears of each instant, for calls upon it go by the time that it knows. */
static void pass_time(struct lab_node *n)
{
    int64_t clock = lab_clock(n);

    if (!n->stack || clock == n->heard_at)
        return;
    n->heard_at = clock;
    n->has_news |= weir_deadline(n->stack) <= clock;
    weir_advance(n->stack, clock);
    if (n->lab->log)
        lab_log_events(n->lab->log, n, true);
}

static bool send_all(struct lab_node *n)
{
    bool moved = false;

    if (!n->stack || !weir_has_output(n->stack))
        return false;
    n->has_news = true; /* what was sent may have made room */
    for (int i = 0; i < n->ports; i++)
        moved |= settle_port(n, &n->port[i]);
    return moved;
}

bool lab_input(struct lab *lab)
{
    bool moved = false;

    for (int i = 0; !lab->is_started && i < lab->nodes; i++)
        lab_routes(lab->node[i]);
    lab->is_started = true;
    for (int i = 0; i < lab->links; i++)
        moved |= settle_link(lab->link[i]);
    for (int i = 0; i < lab->nodes; i++)
        pass_time(lab->node[i]);
    return moved;
}

bool lab_output(struct lab *lab)
{
    bool moved = false;

    for (int i = 0; i < lab->nodes; i++)
        moved |= send_all(lab->node[i]);
    return moved;
}

bool lab_is_due(const struct lab *lab)
{
    for (int i = 0; i < lab->links; i++)
        if (lab_link_deadline(lab->link[i]) <= lab->now)
            return true;
    return false;
}

void lab_settle(struct lab *lab)
{
    do {
        lab_input(lab);
        lab_output(lab);
    } while (lab_is_due(lab));
}

int64_t lab_deadline(const struct lab *lab)
{
    int64_t at = WEIR_NEVER;

    for (int i = 0; i < lab->links; i++) {
        int64_t link = lab_link_deadline(lab->link[i]);
        at = link < at ? link : at;
    }
    for (int i = 0; i < lab->nodes; i++) {
        const struct lab_node *n = lab->node[i];
        int64_t host = n->stack ? weir_deadline(n->stack) : WEIR_NEVER;
        host = host == WEIR_NEVER ? host : when(n, host);
        at = host < at ? host : at;
    }
    return at > lab->now || at == WEIR_NEVER ? at : lab->now + 1;
}
