/* Neighbour discovery: messages that come in, and those that leave. 4861#4, #7; 4862#5.4; 6980;
 * 7527.
 *
 * Knows: messages, the cache's states. Not how solicitations are repeated (neigh.c), nor what
 * routers say (router.c). Shape: judged before anything is believed; a message without a link-layer
 * address teaches none; advertisements nobody asked for make no entry. Units: bytes, microseconds.
 * Errors: verdicts. Cost: O(options). */
#include "link/neigh.h"

#include <string.h>

#include "base/bytes.h"

#define HOP_LIMIT 255 /* none but a neighbour can send it: a router takes one off */
#define OPTION_LEN 8  /* of one that holds a MAC, or a nonce */

static const struct weir_addr all_nodes = {.b = {0xff, 2, [15] = 1}};

void nd_solicited_group(const struct weir_addr *addr, struct weir_addr *group)
{
    *group = (struct weir_addr){.b = {0xff, 2, [11] = 1, [12] = 0xff}};
    memcpy(group->b + 13, addr->b + 13, 3);
}

bool nd_is_solicited_group(const struct weir_addr *group)
{
    struct weir_addr same;

    nd_solicited_group(group, &same);
    return weir_addr_equal(group, &same);
}

/* -- what leaves ------------------------------------------------------------------------------- */

static void begin(struct neigh_out *out, uint8_t type, uint32_t fixed)
{
    *out = (struct neigh_out){.kind = NEIGH_ND};
    out->nd.message[0] = type;
    out->nd.len = (uint16_t)fixed;
}

static void put_option(struct neigh_out *out, uint8_t type, const uint8_t value[6])
{
    uint8_t *p = out->nd.message + out->nd.len;

    p[0] = type;
    p[1] = 1;
    memcpy(p + 2, value, 6);
    out->nd.len = (uint16_t)(out->nd.len + OPTION_LEN);
}

static void send_to(struct neigh_out *out, const struct weir_addr *dst, const uint8_t *mac)
{
    out->nd.dst = *dst;
    if (mac)
        memcpy(out->dst, mac, 6);
    else
        iface_group_mac(dst, out->dst);
}

/* The source of the first packet that waits, if it is an address of this interface. */
static bool source_of_waiting(struct link *l, const struct neigh *n, struct weir_addr *src)
{
    const struct iface_addr *a;

    if (!n->first || n->first->packet.part[0].len < IP6_LEN)
        return false;
    memcpy(src, n->first->packet.part[0].data + 8, sizeof *src);
    a = iface_find_addr(&l->iface[n->ifindex], src);
    return a && a->state == ADDR_USABLE;
}

/* 4861#7.2.2: from the address that what waits comes from, so that the neighbour learns whom to
 * answer. */
void nd_put_solicitation(struct link *l, const struct neigh *n, struct neigh_out *out)
{
    const uint8_t *mac = n->state == NEIGH_PROBE ? n->mac : NULL;
    struct weir_addr group;

    begin(out, ND_NS, ND_NS_LEN);
    memcpy(out->nd.message + 8, &n->addr, sizeof n->addr);
    nd_solicited_group(&n->addr, &group);
    send_to(out, mac ? &n->addr : &group, mac);
    if (source_of_waiting(l, n, &out->nd.src) ||
        iface_source_for(l, n->ifindex, &n->addr, &out->nd.src))
        put_option(out, ND_OPT_SOURCE, l->iface[n->ifindex].mac);
}

void nd_put_advertisement(struct link *l, int ifindex, const struct neigh_answer *a,
                          struct neigh_out *out)
{
    begin(out, ND_NA, ND_NA_LEN);
    out->nd.message[4] = ND_NA_OVERRIDE | (a->is_solicited ? ND_NA_SOLICITED : 0);
    memcpy(out->nd.message + 8, &a->target, sizeof a->target);
    out->nd.src = a->target;
    send_to(out, &a->dst, a->is_solicited ? a->mac : NULL);
    put_option(out, ND_OPT_TARGET, l->iface[ifindex].mac);
}

/* 4862#5.4.2: from nobody, with a number by which it is known again. */
void nd_put_probe(const struct iface_addr *a, struct neigh_out *out)
{
    struct weir_addr group;

    begin(out, ND_NS, ND_NS_LEN);
    memcpy(out->nd.message + 8, &a->addr, sizeof a->addr);
    nd_solicited_group(&a->addr, &group);
    send_to(out, &group, NULL);
    put_option(out, ND_OPT_NONCE, a->nonce);
}

/* -- solicitations ----------------------------------------------------------------------------- */

static bool is_mac_possible(const uint8_t *mac, const uint8_t *own)
{
    static const uint8_t zero[6];

    return !(mac[0] & 1) && memcmp(mac, zero, 6) != 0 && memcmp(mac, own, 6) != 0;
}

uint32_t nd_learn(struct link *l, int ifindex, const struct weir_addr *addr, const uint8_t *mac,
                  int64_t now_us)
{
    uint32_t index = neigh_find(l, ifindex, addr);
    struct neigh *n;

    if (!mac || !is_mac_possible(mac, l->iface[ifindex].mac))
        return index;
    if (!index && !(index = neigh_new(l, ifindex, addr, NEIGH_FAILED)))
        return 0;
    n = neigh_at(l, index);
    if (n->is_permanent || (n->has_mac && memcmp(n->mac, mac, 6) == 0))
        return index;
    memcpy(n->mac, mac, 6);
    neigh_enter(l, index, NEIGH_STALE, now_us);
    return index;
}

/* Two ask for the same address at once, or our own question came back. 4862#5.4.3 */
static enum drop judge_rival(struct link *l, const struct nd_in *in, struct iface_addr *a,
                             int64_t now_us)
{
    const uint8_t *nonce = nd_mac_option(in->message, in->len, ND_NS_LEN, ND_OPT_NONCE);

    if (!weir_addr_is_any(&in->src))
        return DROP_nd_not_for_us; /* who has it: not we, yet */
    if (nonce && memcmp(nonce, a->nonce, sizeof a->nonce) == 0)
        return DROP_nd_not_for_us;
    acd_lose(l, in->ifindex, a, now_us);
    return DROP_nd_conflict;
}

static enum drop answer(struct link *l, const struct nd_in *in, const struct weir_addr *target,
                        int64_t now_us)
{
    const uint8_t *mac = nd_mac_option(in->message, in->len, ND_NS_LEN, ND_OPT_SOURCE);
    struct neigh_answer a = {.is_nd = true, .target = *target, .dst = all_nodes};
    uint32_t index;

    if (weir_addr_is_any(&in->src))
        return neigh_queue_answer(l, in->ifindex, &a);
    index = nd_learn(l, in->ifindex, &in->src, mac, now_us);
    if (!index || !neigh_at(l, index)->has_mac)
        return DROP_nd_invalid; /* where it is was not said, and is not known */
    memcpy(a.mac, neigh_at(l, index)->mac, sizeof a.mac);
    a.dst = in->src;
    a.is_solicited = true;
    return neigh_queue_answer(l, in->ifindex, &a);
}

/* Whether we answer for the target; a gateway for all addresses leaves those of a link alone, and a
 * host its own. */
static bool is_ours(const struct link *l, const struct nd_in *in, const struct weir_addr *target)
{
    if (weir_addr_is_any(&in->src) || target->b[0] == 0xfe)
        return iface_has_addr(l, target);
    return iface_is_own(l, in->ifindex, target) && !weir_addr_equal(target, &in->src);
}

static enum drop input_solicitation(struct link *l, const struct nd_in *in, int64_t now_us)
{
    struct iface_addr *a;
    struct weir_addr target, group;

    if (in->len < ND_NS_LEN)
        return DROP_nd_invalid;
    memcpy(&target, in->message + 8, sizeof target);
    nd_solicited_group(&target, &group);
    if (iface_is_multicast(&target) || !nd_options_are_good(in->message, in->len, ND_NS_LEN))
        return DROP_nd_invalid;
    if (weir_addr_is_any(&in->src) &&
        (!weir_addr_equal(&in->dst, &group) ||
         nd_mac_option(in->message, in->len, ND_NS_LEN, ND_OPT_SOURCE)))
        return DROP_nd_invalid;
    a = iface_find_addr(&l->iface[in->ifindex], &target);
    if (a && acd_is_asked(a))
        return judge_rival(l, in, a, now_us);
    if (!is_ours(l, in, &target))
        return DROP_nd_not_for_us;
    if (iface_has_addr(l, &in->src))
        return DROP_nd_conflict;
    return answer(l, in, &target, now_us);
}

/* -- advertisements ---------------------------------------------------------------------------- */

/* 4861#7.2.5, an entry that has an address. */
static void update(struct link *l, uint32_t index, const struct nd_in *in, const uint8_t *mac,
                   int64_t now_us)
{
    struct neigh *n = neigh_at(l, index);
    bool is_solicited = in->message[4] & ND_NA_SOLICITED;
    bool is_other = mac && memcmp(n->mac, mac, 6) != 0;

    if (is_other && !(in->message[4] & ND_NA_OVERRIDE)) {
        if (neigh_state_at(l, n, now_us) == NEIGH_REACHABLE)
            neigh_enter(l, index, NEIGH_STALE, now_us);
        return;
    }
    if (is_other)
        memcpy(n->mac, mac, 6);
    if (is_solicited)
        neigh_enter(l, index, NEIGH_REACHABLE, now_us);
    else if (is_other)
        neigh_enter(l, index, NEIGH_STALE, now_us);
}

static void note_router(struct link *l, uint32_t index, bool is_router)
{
    struct neigh *n = neigh_at(l, index);

    if (n->is_router && !is_router)
        router_forget(l, n->ifindex, &n->addr);
    n->is_router = is_router;
}

static enum drop learn_answer(struct link *l, const struct nd_in *in,
                              const struct weir_addr *target, int64_t now_us)
{
    const uint8_t *mac = nd_mac_option(in->message, in->len, ND_NA_LEN, ND_OPT_TARGET);
    bool is_solicited = in->message[4] & ND_NA_SOLICITED;
    uint32_t index = neigh_find(l, in->ifindex, target);
    struct neigh *n = index ? neigh_at(l, index) : NULL;

    if (!index || n->state == NEIGH_FAILED || n->is_permanent)
        return DROP_nd_not_for_us;
    if (mac && !is_mac_possible(mac, l->iface[in->ifindex].mac))
        return DROP_nd_invalid;
    if (n->state != NEIGH_INCOMPLETE) {
        update(l, index, in, mac, now_us);
    } else {
        if (!mac)
            return DROP_nd_invalid;
        memcpy(n->mac, mac, 6);
        neigh_enter(l, index, is_solicited ? NEIGH_REACHABLE : NEIGH_STALE, now_us);
    }
    note_router(l, index, in->message[4] & ND_NA_ROUTER);
    return PASS;
}

static enum drop input_advertisement(struct link *l, const struct nd_in *in, int64_t now_us)
{
    struct weir_addr target;
    struct iface_addr *a;

    if (in->len < ND_NA_LEN || !nd_options_are_good(in->message, in->len, ND_NA_LEN))
        return DROP_nd_invalid;
    memcpy(&target, in->message + 8, sizeof target);
    if (iface_is_multicast(&target) ||
        (iface_is_multicast(&in->dst) && in->message[4] & ND_NA_SOLICITED))
        return DROP_nd_invalid;
    a = iface_find_addr(&l->iface[in->ifindex], &target);
    if (a && a->state != ADDR_DUPLICATE) { /* 4862#5.4.4 */
        if (acd_is_asked(a))
            acd_lose(l, in->ifindex, a, now_us);
        return DROP_nd_conflict;
    }
    return learn_answer(l, in, &target, now_us);
}

/* -- redirects --------------------------------------------------------------------------------- */

static bool is_link_local(const struct weir_addr *a)
{
    return a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

/* 4861#8.1, but for who is the first hop of now. */
enum drop nd_read_redirect(const struct nd_in *in, struct nd_redirect *out)
{
    if (in->hop_limit != HOP_LIMIT || in->was_fragmented || in->message[1] != 0 ||
        !is_link_local(&in->src) || in->len < ND_REDIRECT_LEN ||
        !nd_options_are_good(in->message, in->len, ND_REDIRECT_LEN))
        return DROP_nd_invalid;
    memcpy(&out->next_hop, in->message + 8, sizeof out->next_hop);
    memcpy(&out->dst, in->message + 24, sizeof out->dst);
    if (iface_is_multicast(&out->dst) ||
        !(is_link_local(&out->next_hop) || weir_addr_equal(&out->next_hop, &out->dst)))
        return DROP_nd_invalid;
    return PASS;
}

/* 4861#8.3: a new or another link-layer address is STALE; who is not the destination is a router.
 */
void nd_heed_redirect(struct link *l, const struct nd_in *in, int64_t now_us)
{
    const uint8_t *mac = nd_mac_option(in->message, in->len, ND_REDIRECT_LEN, ND_OPT_TARGET);
    struct nd_redirect r;
    uint32_t index;

    nd_read_redirect(in, &r);
    index = nd_learn(l, in->ifindex, &r.next_hop, mac, now_us);
    if (index && !weir_addr_equal(&r.next_hop, &r.dst))
        neigh_at(l, index)->is_router = true;
}

enum drop nd_input(struct link *l, const struct nd_in *in, int64_t now_us)
{
    if (in->hop_limit != HOP_LIMIT || in->was_fragmented || in->message[1] != 0)
        return DROP_nd_invalid;
    switch (in->message[0]) {
    case ND_NS:
        return input_solicitation(l, in, now_us);
    case ND_NA:
        return input_advertisement(l, in, now_us);
    case ND_RA:
        return router_input_ra(l, in, now_us);
    default: /* RS: 4861#6.1.1 */
        return DROP_nd_ignored;
    }
}
