/* Conflicts of addresses: whether somebody else has one before we use it, who claims it later.
 * 5227, 4862#5.4.
 *
 * Knows: ARP packets, our addresses; nd.c reads and writes what IPv6 says of them. Not routes, nor
 * what an address is used for: the stack is told of each change (acd_next_change). Shape: an
 * address has at most one step to come, at step_at_us: a probe, the end of probing, an
 * announcement. Probes and announcements are due until they are pulled. Units: microseconds.
 * Errors: verdicts. Cost: O(addresses) for a step, nothing while none is due. */
#include "link/neigh.h"

#include <string.h>

/* 5227#1.1 */
#define PROBE_WAIT_US 1000000
#define PROBE_NUM 3
#define PROBE_MIN_US 1000000
#define PROBE_MAX_US 2000000
#define ANNOUNCE_WAIT_US 2000000
#define ANNOUNCE_NUM 2
#define ANNOUNCE_INTERVAL_US 2000000
#define MAX_CONFLICTS 10
#define RATE_LIMIT_INTERVAL_US 60000000
#define DEFEND_INTERVAL_US 10000000
#define SOLICIT_DELAY_US 1000000 /* 4862#5.4.2, 4861#10: MAX_RTR_SOLICITATION_DELAY */
#define NEVER INT64_MAX

static void step_at(struct link *l, struct iface_addr *a, int64_t at_us)
{
    a->step_at_us = at_us;
    if (at_us < l->claims_step_us)
        l->claims_step_us = at_us;
}

static void change(struct link *l, struct iface_addr *a, enum addr_state state)
{
    a->state = (uint8_t)state;
    a->is_news = l->has_changes = true;
    l->epoch++;
}

static void find_next_step(struct link *l)
{
    l->claims_step_us = NEVER;
    for (int i = 1; i <= l->ifaces; i++)
        for (int j = 0; j < l->iface[i].addrs; j++)
            step_at(l, &l->iface[i].addr[j], l->iface[i].addr[j].step_at_us);
}

static void claim(struct link *l, struct iface_addr *a, uint8_t probes)
{
    change(l, a, ADDR_TENTATIVE);
    a->is_news = false;
    a->is_due = false;
    a->announce = 0;
    a->probes = probes;
}

/* 4862#5.4: with no probes to send it is usable at once. */
static void begin_ip6(struct link *l, struct iface_addr *a, int64_t now_us)
{
    uint64_t nonce = rng_u64(&l->rng);

    memcpy(a->nonce, &nonce, sizeof a->nonce);
    if (!l->config.ip6.dad_transmits)
        return;
    claim(l, a, l->config.ip6.dad_transmits);
    step_at(l, a, now_us + rng_below(&l->rng, SOLICIT_DELAY_US));
}

/* After many conflicts new candidates are tried slowly, so that a mistake of many does not become a
 * storm: 5227#2.1.1. */
void acd_begin(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us)
{
    struct iface *f = &l->iface[ifindex];
    int64_t start_us = now_us;

    if (f->type != WEIR_LINK_ETHER || f->flags & WEIR_IF_ANY_ADDR)
        return;
    if (!weir_addr_is_v4(&a->addr)) {
        begin_ip6(l, a, now_us);
        return;
    }
    if (a->addr.b[12] == 127)
        return;
    if (f->conflicts >= MAX_CONFLICTS && f->claimed_at_us + RATE_LIMIT_INTERVAL_US > now_us)
        start_us = f->claimed_at_us + RATE_LIMIT_INTERVAL_US;
    f->claimed_at_us = start_us;
    claim(l, a, PROBE_NUM);
    step_at(l, a, start_us + rng_below(&l->rng, PROBE_WAIT_US));
}

void acd_announce(struct link *l, int ifindex, struct iface_addr *a, int times)
{
    a->announce = (uint8_t)times;
    a->is_due = true;
    l->claims_due |= 1u << ifindex;
}

/* -- what others say --------------------------------------------------------------------------- */

static void lose(struct link *l, int ifindex, struct iface_addr *a)
{
    a->is_due = false;
    a->probes = a->announce = 0;
    a->step_at_us = NEVER;
    l->iface[ifindex].conflicts++;
    find_next_step(l);
    change(l, a, ADDR_DUPLICATE);
}

bool acd_is_asked(const struct iface_addr *a)
{
    return a->state == ADDR_TENTATIVE;
}

void acd_lose(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us)
{
    struct weir_addr addr = a->addr;

    lose(l, ifindex, a);
    autoconf_on_duplicate(l, ifindex, &addr, now_us);
}

/* Announced again at most once in 10 s, whoever asks for how much. */
static void defend(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us)
{
    bool is_again = now_us - a->defended_at_us < DEFEND_INTERVAL_US;

    if (l->config.acd_defend == ACD_GIVE_UP || (l->config.acd_defend == ACD_ONCE && is_again)) {
        lose(l, ifindex, a);
        return;
    }
    if (is_again)
        return;
    a->defended_at_us = now_us;
    acd_announce(l, ifindex, a, 1);
}

/* The address of ours that the packet claims. A probe of somebody else claims what we only want. */
static struct iface_addr *claimed(struct iface *f, const struct arp *p)
{
    bool is_probe = p->op == ARP_REQUEST && p->spa == 0;
    struct weir_addr claim = weir_addr_v4(is_probe ? p->tpa : p->spa);
    struct iface_addr *a = iface_find_addr(f, &claim);

    if (!a || a->state == ADDR_DUPLICATE || (is_probe && a->state != ADDR_TENTATIVE))
        return NULL;
    return a;
}

enum drop acd_judge(struct link *l, int ifindex, const struct arp *p, int64_t now_us)
{
    struct iface_addr *a = claimed(&l->iface[ifindex], p);

    if (!a)
        return PASS;
    memcpy(a->rival, p->sha, sizeof a->rival);
    if (a->state == ADDR_TENTATIVE)
        lose(l, ifindex, a);
    else
        defend(l, ifindex, a, now_us);
    return DROP_arp_conflict;
}

/* -- time -------------------------------------------------------------------------------------- */

static void step(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us)
{
    struct weir_addr addr = a->addr;

    a->step_at_us = NEVER;
    a->is_due = true;
    l->claims_due |= 1u << ifindex;
    if (a->state != ADDR_TENTATIVE || a->probes)
        return;
    l->iface[ifindex].conflicts = 0;
    change(l, a, ADDR_USABLE);
    a->is_due = weir_addr_is_v4(&addr);
    a->announce = a->is_due ? ANNOUNCE_NUM : 0;
    if (!a->is_due)
        autoconf_on_usable(l, ifindex, &addr, now_us);
}

int acd_advance(struct link *l, int64_t now_us)
{
    int n = 0;

    if (l->claims_step_us > now_us)
        return 0;
    for (int i = 1; i <= l->ifaces; i++)
        for (int j = 0; j < l->iface[i].addrs; j++)
            if (l->iface[i].addr[j].step_at_us <= now_us) {
                step(l, i, &l->iface[i].addr[j], now_us);
                n++;
            }
    find_next_step(l);
    return n;
}

int64_t acd_deadline(const struct link *l)
{
    return l->claims_step_us;
}

bool acd_next_gone(struct link *l, struct weir_addr *addr)
{
    if (l->gones_told == l->gones)
        return false;
    if (l->gones - l->gones_told > LINK_GONE_MAX)
        l->gones_told = l->gones - LINK_GONE_MAX;
    *addr = l->gone[l->gones_told++ % LINK_GONE_MAX];
    return true;
}

bool acd_next_change(struct link *l, struct acd_change *out)
{
    for (int i = 1; l->has_changes && i <= l->ifaces; i++)
        for (int j = 0; j < l->iface[i].addrs; j++) {
            struct iface_addr *a = &l->iface[i].addr[j];
            if (!a->is_news)
                continue;
            a->is_news = false;
            *out = (struct acd_change){i, a};
            return true;
        }
    l->has_changes = false;
    return false;
}

/* -- what we say ------------------------------------------------------------------------------- */

/* 4862#5.4: RetransTimer between probes, and behind the last. */
static void send_ip6(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us,
                     struct neigh_out *out)
{
    uint32_t told_ms = l->iface[ifindex].ip6.retrans_ms;

    nd_put_probe(a, out);
    a->is_due = false;
    a->probes--;
    step_at(l, a, now_us + (int64_t)(told_ms ? told_ms : l->config.retrans_time_ms) * 1000);
}

/* A probe asks for the address without claiming it (5227#2.1.1); an announcement does both
 * (5227#2.3). When the next one is due follows from when this one really left. */
static void send(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us,
                 struct neigh_out *out)
{
    uint32_t v4 = weir_addr_to_v4(&a->addr);

    if (!weir_addr_is_v4(&a->addr)) {
        send_ip6(l, ifindex, a, now_us, out);
        return;
    }
    *out = (struct neigh_out){.kind = NEIGH_ARP, .arp = {.op = ARP_REQUEST, .tpa = v4}};
    memcpy(out->arp.sha, l->iface[ifindex].mac, 6);
    memset(out->dst, 0xff, 6);
    a->is_due = false;
    if (a->state == ADDR_TENTATIVE) {
        uint32_t pause_us = PROBE_MIN_US + rng_below(&l->rng, PROBE_MAX_US - PROBE_MIN_US + 1);
        step_at(l, a, now_us + (--a->probes ? pause_us : ANNOUNCE_WAIT_US));
        return;
    }
    out->arp.spa = v4;
    if (--a->announce)
        step_at(l, a, now_us + ANNOUNCE_INTERVAL_US);
}

bool acd_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out)
{
    struct iface *f = &l->iface[ifindex];

    int due = 0;

    for (int i = 0; i < f->addrs && l->claims_due >> ifindex & 1; i++)
        if (f->addr[i].is_due && due++ == 0)
            send(l, ifindex, &f->addr[i], now_us, out);
    if (due < 2)
        l->claims_due &= ~(1u << ifindex);
    return due;
}
