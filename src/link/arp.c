/* ARP: what packets say about neighbours, and our answers. 826, 5227.
 *
 * Knows: ARP packets and the cache's states. Not how requests are repeated (neigh.c). Shape: a
 * claim changes a neighbour that is confirmed, or being confirmed, only if that does not answer for
 * a second in which it is asked. Replies nobody asked for create nothing. Our own addresses are
 * never learned from others (acd.c defends them). Units: microseconds. Errors: verdicts. Cost: O(1)
 * for each packet. */
#include "link/neigh.h"

#include <string.h>

static bool merge(struct link *l, uint32_t index, const struct arp *a, bool is_answer,
                  int64_t now_us);
static enum drop answer(struct link *l, int ifindex, const struct arp *a);

static bool is_mac_possible(const uint8_t *sha, const uint8_t *own)
{
    static const uint8_t zero[6];

    return !(sha[0] & 1) && memcmp(sha, zero, 6) != 0 && memcmp(sha, own, 6) != 0;
}

/* Not 127/8, not a group, not 0/8 but for 0.0.0.0, which is a probe (5227#2.1.1). */
static bool is_sender_possible(const struct link *l, int ifindex, const struct weir_addr *sender)
{
    uint8_t first = sender->b[12];

    if (weir_addr_is_any(sender))
        return true;
    return first != 0 && first != 127 && first < 224 && !iface_is_broadcast(l, ifindex, sender);
}

/* Whether we answer for the target: an address of ours (any interface's, as Linux), never 127/8; a
 * gateway for all addresses still leaves a host its own. */
static bool is_target_ours(const struct link *l, int ifindex, const struct arp *a)
{
    struct weir_addr target = weir_addr_v4(a->tpa);

    if (target.b[12] == 127 || a->tpa == a->spa)
        return false;
    if (a->spa == 0)
        return iface_has_addr(l, &target); /* a probe would find all addresses taken */
    return iface_is_own(l, ifindex, &target);
}

enum drop neigh_input_arp(struct link *l, int ifindex, const struct arp *a, int64_t now_us)
{
    struct iface *f = &l->iface[ifindex];
    struct weir_addr sender = weir_addr_v4(a->spa);
    bool is_ours = is_target_ours(l, ifindex, a), is_merged = false;
    uint32_t index = 0;
    enum drop v;

    if (a->op != ARP_REQUEST && a->op != ARP_REPLY)
        return DROP_arp_invalid;
    if (!is_mac_possible(a->sha, f->mac) || !is_sender_possible(l, ifindex, &sender))
        return DROP_arp_invalid;
    if ((v = acd_judge(l, ifindex, a, now_us)) != PASS)
        return v;
    if (iface_has_addr(l, &sender))
        return DROP_arp_invalid;
    if (a->spa) {
        index = neigh_find(l, ifindex, &sender);
        is_merged = index && merge(l, index, a, is_ours && a->op == ARP_REPLY, now_us);
    }
    if (a->op == ARP_REPLY)
        return is_merged ? PASS : DROP_arp_not_for_us;
    if (!is_ours)
        return is_merged ? PASS : DROP_arp_not_for_us;
    if (!index && a->spa) { /* 826: who asks for us will hear from us */
        index = neigh_new(l, ifindex, &sender, NEIGH_FAILED);
        if (index)
            merge(l, index, a, false, now_us);
    }
    return answer(l, ifindex, a);
}

static void learn(struct link *l, uint32_t index, const struct arp *a, enum neigh_state state,
                  int64_t now_us)
{
    memcpy(neigh_at(l, index)->mac, a->sha, 6);
    neigh_enter(l, index, state, now_us);
}

/* The one that we know is asked; what the first says who claims to be it stands until it answers.
 * The first of three leaves as always, so that claims without end draw one request a second. */
static void note_claim(struct link *l, uint32_t index, const uint8_t mac[6], int64_t now_us)
{
    struct neigh *n = neigh_at(l, index);

    if (n->is_claimed)
        return;
    if (n->state != NEIGH_PROBE)
        neigh_enter(l, index, NEIGH_PROBE, now_us);
    n->is_claimed = true;
    memcpy(n->claim, mac, 6);
}

/* is_answer: a reply to an address of ours. True: the entry took note. */
static bool merge(struct link *l, uint32_t index, const struct arp *a, bool is_answer,
                  int64_t now_us)
{
    struct neigh *n = neigh_at(l, index);
    bool is_same = memcmp(n->mac, a->sha, 6) == 0;

    if (n->is_permanent)
        return is_same;
    switch (neigh_state_at(l, n, now_us)) {
    case NEIGH_INCOMPLETE:
        learn(l, index, a, is_answer ? NEIGH_REACHABLE : NEIGH_STALE, now_us);
        return true;
    case NEIGH_FAILED:
        learn(l, index, a, NEIGH_STALE, now_us);
        return true;
    case NEIGH_STALE:
        if (!is_same)
            learn(l, index, a, NEIGH_STALE, now_us);
        return true;
    case NEIGH_REACHABLE:
    case NEIGH_DELAY:
        if (!is_same) /* somebody else claims it: let the one we know speak */
            note_claim(l, index, a->sha, now_us);
        return is_same;
    case NEIGH_PROBE:
        if (!is_same)
            note_claim(l, index, a->sha, now_us);
        else if (is_answer)
            neigh_enter(l, index, NEIGH_REACHABLE, now_us);
        return is_same;
    }
    return false;
}

enum drop neigh_queue_answer(struct link *l, int ifindex, const struct neigh_answer *a)
{
    uint32_t index = pool_new(&l->answers);
    struct neigh_answer *r;

    if (!index)
        return DROP_reply_queue;
    r = pool_at(&l->answers, index);
    *r = *a;
    list_node_init(&r->out);
    list_append(&l->answer_out[ifindex], index);
    return PASS;
}

static enum drop answer(struct link *l, int ifindex, const struct arp *a)
{
    struct neigh_answer reply = {.arp = {.op = ARP_REPLY, .spa = a->tpa, .tpa = a->spa}};

    memcpy(reply.arp.sha, l->iface[ifindex].mac, 6);
    memcpy(reply.arp.tha, a->sha, 6);
    return neigh_queue_answer(l, ifindex, &reply);
}

bool arp_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out)
{
    uint32_t index = l->answer_out[ifindex].first;
    struct neigh_answer *r;

    if (!index)
        return acd_pull(l, ifindex, now_us, out);
    r = pool_at(&l->answers, index);
    if (r->is_nd) {
        nd_put_advertisement(l, ifindex, r, out);
    } else {
        *out = (struct neigh_out){.kind = NEIGH_ARP, .arp = r->arp};
        memcpy(out->dst, r->arp.tha, 6);
    }
    list_unlink(&l->answer_out[ifindex], index);
    pool_free(&l->answers, index);
    return true;
}

bool arp_has_output(const struct link *l, int ifindex)
{
    return l->answer_out[ifindex].first || l->rarp[ifindex].is_due || l->claims_due >> ifindex & 1;
}
