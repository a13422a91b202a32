/* The neighbour cache: which MAC a next hop has, and whether it is still there. 826, 1122#2.3.2.1,
 * 4861#7.3.
 *
 * Knows: states, timers, who is evicted. Not what ARP packets say (arp.c). Shape: an entry has a
 * MAC in REACHABLE, STALE, DELAY and PROBE only. REACHABLE runs out when it is looked at;
 * INCOMPLETE, DELAY, PROBE and FAILED have a timer. Units: microseconds. Errors: verdicts. Cost: a
 * lookup is one hash, none when it is the neighbour of the time before. */
#include "link/neigh.h"

#include <errno.h>
#include <string.h>

#define NEIGHS_MAX 1048576      /* above what gc_thresh3 may be set to, the pool ends */
#define DRAW_EVERY_US 300000000 /* 4861#6.3.4: a new random reachable time now and then */

static void neigh_remove(struct link *l, uint32_t index);
static void fire(struct link *l, uint32_t index, int64_t now_us);

void link_config_default(struct link_config *config)
{
    *config = (struct link_config){
        .gc_thresh3 = 1024,
        .unres_qlen_bytes = 212992,
        .base_reachable_time_ms = 30000,
        .retrans_time_ms = 1000,
        .delay_first_probe_time = 5,
        .gc_stale_time = 60,
        .mcast_solicit = 3,
        .ucast_solicit = 3,
        .acd_defend = ACD_FOR_EVER,
        .ip6 = {.router_solicitation_interval = 4,
                .router_solicitation_max_interval = 3600,
                .router_solicitations = -1,
                .temp_valid_lft = 604800,
                .temp_prefered_lft = 86400,
                .max_addresses = IFACE_ADDRS_MAX,
                .dad_transmits = 1,
                .addr_gen_mode = ADDR_GEN_STABLE,
                .accept_ra = 1,
                .autoconf = 1,
                .accept_ra_defrtr = 1,
                .accept_ra_pinfo = 1,
                .accept_ra_mtu = 1,
                .accept_ra_rt_info_max_plen = 128},
    };
}

void link_init(struct link *l, struct mem *mem, struct rng *seed, int64_t now_us)
{
    uint64_t seed0 = rng_u64(seed), seed1 = rng_u64(seed);

    *l = (struct link){.mem = mem, .key = rng_key(seed)};
    l->reachable_drawn_us = now_us - DRAW_EVERY_US;
    l->claims_step_us = l->life_step_us = INT64_MAX;
    link_config_default(&l->config);
    rng_init(&l->rng, seed0, seed1);
    l->secret = rng_key(&l->rng);
    pool_init(&l->neighs, mem, sizeof(struct neigh), NEIGHS_MAX);
    pool_init(&l->answers, mem, sizeof(struct neigh_answer), LINK_ANSWERS_MAX);
    table_init(&l->by_addr, mem);
    wheel_init(&l->wheel, now_us);
    wheel_add_pool(&l->wheel, 0, &l->neighs, offsetof(struct neigh, timer));
    for (int i = 0; i < 2; i++)
        list_init(&l->lru[i], &l->neighs, offsetof(struct neigh, lru));
    list_init(&l->failed, &l->neighs, offsetof(struct neigh, failed));
    for (int i = 0; i <= IFACE_MAX; i++) {
        list_init(&l->out[i], &l->neighs, offsetof(struct neigh, out));
        list_init(&l->answer_out[i], &l->answers, offsetof(struct neigh_answer, out));
    }
}

void link_fini(struct link *l)
{
    link_settle(l);
    while (l->lru[0].first)
        neigh_remove(l, l->lru[0].first);
    while (l->lru[1].first)
        neigh_remove(l, l->lru[1].first);
    table_fini(&l->by_addr);
    pool_fini(&l->neighs);
    pool_fini(&l->answers);
}

static void touch(struct link *l, uint32_t index)
{
    struct list *lru = &l->lru[neigh_at(l, index)->was_confirmed];

    if (lru->last == index)
        return;
    list_unlink(lru, index);
    list_append(lru, index);
}

bool neigh_lookup(struct link *l, int ifindex, const struct weir_addr *next_hop, int64_t now_us,
                  uint8_t mac[6])
{
    uint32_t index = neigh_find(l, ifindex, next_hop);
    struct neigh *n;

    if (!index) {
        if (iface_is_multicast(next_hop))
            iface_group_mac(next_hop, mac);
        else if (iface_is_broadcast(l, ifindex, next_hop))
            memset(mac, 0xff, 6);
        else
            return false;
        return true;
    }
    n = neigh_at(l, index);
    touch(l, index);
    if (!n->has_mac)
        return false;
    memcpy(mac, n->mac, 6);
    if (neigh_state_at(l, n, now_us) == NEIGH_STALE)
        neigh_enter(l, index, NEIGH_DELAY, now_us);
    return true;
}

enum drop neigh_park(struct link *l, int ifindex, const struct weir_addr *next_hop,
                     const struct link_packet *packet, int64_t now_us)
{
    uint32_t index = neigh_find(l, ifindex, next_hop);
    struct neigh *n;

    if (!index) {
        index = neigh_new(l, ifindex, next_hop, NEIGH_FAILED);
        if (!index)
            return DROP_neigh_table_full;
    }
    n = neigh_at(l, index);
    touch(l, index);
    if (n->state == NEIGH_FAILED)
        neigh_enter(l, index, NEIGH_INCOMPLETE, now_us);
    if (!park_push(l, index, packet))
        return DROP_neigh_queue_full;
    if (n->has_mac)
        neigh_mark_out(l, index);
    return KEPT;
}

/* IPv6: what routers say goes before what is set. */
static int64_t retrans_us(const struct link *l, const struct neigh *n)
{
    uint32_t told_ms = weir_addr_is_v4(&n->addr) ? 0 : l->iface[n->ifindex].ip6.retrans_ms;

    return (int64_t)(told_ms ? told_ms : l->config.retrans_time_ms) * 1000;
}

/* Between requests of one state. Who is claimed by another is asked three times within the interval
 * in which the claim is decided. */
static int64_t pause_us(const struct link *l, const struct neigh *n)
{
    return n->is_claimed ? retrans_us(l, n) / l->config.ucast_solicit : retrans_us(l, n);
}

static void request_out(struct link *l, uint32_t index, int64_t now_us, struct neigh_out *out)
{
    struct neigh *n = neigh_at(l, index);
    struct weir_addr src;

    n->is_solicit_due = false;
    n->asked_us = now_us;
    wheel_arm(&l->wheel, wheel_ref_of(0, index), now_us + pause_us(l, n));
    if (!weir_addr_is_v4(&n->addr)) {
        nd_put_solicitation(l, n, out);
        return;
    }
    *out = (struct neigh_out){.kind = NEIGH_ARP, .arp = {.op = ARP_REQUEST}};
    memcpy(out->arp.sha, l->iface[n->ifindex].mac, 6);
    if (iface_source_for(l, n->ifindex, &n->addr, &src))
        out->arp.spa = weir_addr_to_v4(&src);
    out->arp.tpa = weir_addr_to_v4(&n->addr);
    if (n->state == NEIGH_PROBE)
        memcpy(out->dst, n->mac, 6);
    else
        memset(out->dst, 0xff, 6);
}

bool neigh_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out)
{
    struct list *list = &l->out[ifindex];

    if (arp_pull(l, ifindex, now_us, out) || rarp_pull(l, ifindex, now_us, out) ||
        router_pull(l, ifindex, now_us, out))
        return true;
    while (list->first) {
        uint32_t index = list->first;
        struct neigh *n = neigh_at(l, index);

        if (n->is_solicit_due) {
            request_out(l, index, now_us, out);
            return true;
        }
        if (n->has_mac && n->first) {
            *out = (struct neigh_out){.kind = NEIGH_IP, .packet = *park_pull(l, n)};
            memcpy(out->dst, n->mac, 6);
            if (neigh_state_at(l, n, now_us) == NEIGH_STALE)
                neigh_enter(l, index, NEIGH_DELAY, now_us);
            return true;
        }
        list_unlink(list, index);
    }
    return false;
}

bool neigh_has_output(const struct link *l, int ifindex)
{
    return l->out[ifindex].first || arp_has_output(l, ifindex) || l->nd_due >> ifindex & 1;
}

int neigh_advance(struct link *l, int64_t now_us)
{
    wheel_ref ref;
    int n = 0;

    while ((ref = wheel_step(&l->wheel, now_us))) {
        fire(l, wheel_ref_index(ref), now_us);
        n++;
    }
    return n;
}

int64_t neigh_deadline(const struct link *l)
{
    return wheel_next(&l->wheel);
}

bool link_next_failure(struct link *l, struct link_failure *out)
{
    while (l->failed.first) {
        uint32_t index = l->failed.first;
        struct neigh *n = neigh_at(l, index);
        const struct link_packet *packet = park_pull(l, n);

        if (packet) {
            *out = (struct link_failure){n->ifindex, n->addr, *packet};
            return true;
        }
        list_unlink(&l->failed, index);
    }
    return false;
}

int neigh_set(struct link *l, int ifindex, const struct weir_addr *addr, const uint8_t *mac,
              int64_t now_us)
{
    uint32_t index = neigh_find(l, ifindex, addr);

    if (!mac && !index)
        return -ENOENT;
    if (!mac) {
        neigh_remove(l, index);
        return 0;
    }
    if (!index && !(index = neigh_new(l, ifindex, addr, NEIGH_FAILED)))
        return -ENOMEM;
    neigh_at(l, index)->is_permanent = false;
    memcpy(neigh_at(l, index)->mac, mac, 6);
    neigh_enter(l, index, NEIGH_REACHABLE, now_us);
    neigh_at(l, index)->is_permanent = true;
    return 0;
}

bool neigh_next(const struct link *l, uint32_t *cursor, int64_t now_us, struct neigh_info *out)
{
    uint32_t index = pool_next(&l->neighs, *cursor + 1);
    struct neigh *n;

    if (!index)
        return false;
    *cursor = index;
    n = neigh_at(l, index);
    *out = (struct neigh_info){.ifindex = n->ifindex,
                               .addr = n->addr,
                               .parked = n->parked_bytes,
                               .is_permanent = n->is_permanent,
                               .is_router = n->is_router,
                               .has_mac = n->has_mac,
                               .state = neigh_state_at(l, n, now_us)};
    memcpy(out->mac, n->mac, 6);
    return true;
}

struct neigh *neigh_at(const struct link *l, uint32_t index)
{
    return pool_at(&l->neighs, index);
}

static bool is_at(const struct link *l, uint32_t index, int ifindex, const struct weir_addr *addr)
{
    const struct neigh *n = neigh_at(l, index);

    return n->ifindex == ifindex && weir_addr_equal(&n->addr, addr);
}

static uint32_t hash_of(const struct link *l, int ifindex, const struct weir_addr *a)
{
    uint64_t word[3] = {(uint64_t)a->w[0] << 32 | a->w[1], (uint64_t)a->w[2] << 32 | a->w[3],
                        (uint64_t)ifindex};

    return (uint32_t)siphash13_words(&l->key, word, 3);
}

/* Apart: inside neigh_find it would make that save registers for nothing. */
static __attribute__((noinline)) uint32_t search(struct link *l, int ifindex,
                                                 const struct weir_addr *addr)
{
    uint32_t pos = 0, index, hash = hash_of(l, ifindex, addr);

    while ((index = table_find(&l->by_addr, hash, &pos)))
        if (is_at(l, index, ifindex, addr))
            return l->last = index;
    return 0;
}

uint32_t neigh_find(struct link *l, int ifindex, const struct weir_addr *addr)
{
    if (l->last && is_at(l, l->last, ifindex, addr))
        return l->last;
    return search(l, ifindex, addr);
}

uint32_t neigh_new(struct link *l, int ifindex, const struct weir_addr *addr,
                   enum neigh_state state)
{
    uint32_t index;
    struct neigh *n;

    /* Those that were never confirmed go first, so a sweep can not push out who is in use. */
    while (l->neighs.used && l->neighs.used >= l->config.gc_thresh3)
        neigh_remove(l, l->lru[0].first ? l->lru[0].first : l->lru[1].first);
    index = pool_new(&l->neighs);
    if (!index)
        return 0;
    n = neigh_at(l, index);
    n->hash = hash_of(l, ifindex, addr);
    if (!table_add(&l->by_addr, n->hash, index)) {
        pool_free(&l->neighs, index);
        return 0;
    }
    n->addr = *addr;
    n->ifindex = (uint8_t)ifindex;
    n->asked_us = INT64_MIN / 2;
    n->state = (uint8_t)state;
    wheel_node_init(&n->timer);
    list_node_init(&n->out);
    list_node_init(&n->failed);
    list_append(&l->lru[0], index);
    return index;
}

static void neigh_remove(struct link *l, uint32_t index)
{
    struct neigh *n = neigh_at(l, index);

    while (n->first) {
        park_drop_oldest(l, n);
        l->dropped_evicted++;
    }
    l->epoch += n->state == NEIGH_FAILED;
    wheel_disarm(&l->wheel, wheel_ref_of(0, index));
    list_unlink(&l->lru[n->was_confirmed], index);
    if (list_is_on(&n->out))
        list_unlink(&l->out[n->ifindex], index);
    if (list_is_on(&n->failed))
        list_unlink(&l->failed, index);
    table_remove(&l->by_addr, n->hash, index);
    if (l->last == index)
        l->last = 0;
    pool_free(&l->neighs, index);
}

enum neigh_state neigh_state_at(const struct link *l, struct neigh *n, int64_t now_us)
{
    int64_t base_us = l->reachable_us;
    uint32_t told_ms = weir_addr_is_v4(&n->addr) ? 0 : l->iface[n->ifindex].ip6.reachable_ms;

    if (told_ms) /* as far from what is told as the other is from what is set */
        base_us = (int64_t)told_ms * l->reachable_us / l->config.base_reachable_time_ms;
    if (n->state == NEIGH_REACHABLE && !n->is_permanent && now_us - n->confirmed_us >= base_us)
        n->state = NEIGH_STALE;
    return n->state;
}

void neigh_mark_out(struct link *l, uint32_t index)
{
    struct neigh *n = neigh_at(l, index);

    if (!list_is_on(&n->out))
        list_append(&l->out[n->ifindex], index);
}

static void mark_confirmed(struct link *l, uint32_t index, bool is_confirmed)
{
    struct neigh *n = neigh_at(l, index);

    list_unlink(&l->lru[n->was_confirmed], index);
    n->was_confirmed = is_confirmed;
    list_append(&l->lru[is_confirmed], index);
}

/* 4861#6.3.2: half to one and a half of the base, so that hosts do not probe in step. */
static void draw_reachable(struct link *l, int64_t now_us)
{
    int64_t base_us = (int64_t)l->config.base_reachable_time_ms * 1000;

    if (now_us - l->reachable_drawn_us < DRAW_EVERY_US && base_us == l->reachable_base_us)
        return;
    l->reachable_base_us = base_us;
    l->reachable_drawn_us = now_us;
    l->reachable_us = base_us / 2 + (int64_t)(rng_u64(&l->rng) % (uint64_t)(base_us + 1));
}

/* A request is due: now, or a whole interval after the last one really left (1122#2.3.2.1),
 * whatever states came and went. Counted here, so that an interface that is never pulled ends all
 * the same. */
static void solicit(struct link *l, uint32_t index, int64_t now_us)
{
    struct neigh *n = neigh_at(l, index);

    int64_t pause = n->solicits ? pause_us(l, n) : retrans_us(l, n);

    if (now_us - n->asked_us < pause) {
        wheel_arm(&l->wheel, wheel_ref_of(0, index), n->asked_us + pause);
        return;
    }
    n->solicits++;
    n->is_solicit_due = true;
    neigh_mark_out(l, index);
    wheel_arm(&l->wheel, wheel_ref_of(0, index), now_us + pause);
}

static void take_claim(struct link *l, uint32_t index, int64_t now_us)
{
    struct neigh *n = neigh_at(l, index);

    memcpy(n->mac, n->claim, 6);
    mark_confirmed(l, index, false);
    neigh_enter(l, index, NEIGH_STALE, now_us);
}

void neigh_enter(struct link *l, uint32_t index, enum neigh_state state, int64_t now_us)
{
    struct neigh *n = neigh_at(l, index);
    wheel_ref timer = wheel_ref_of(0, index);

    if (n->is_permanent)
        return;
    l->epoch += (n->state == NEIGH_FAILED) != (state == NEIGH_FAILED); /* a way ends, or opens */
    n->state = (uint8_t)state;
    n->solicits = 0;
    n->is_solicit_due = n->is_claimed = false;
    n->has_mac = state != NEIGH_INCOMPLETE && state != NEIGH_FAILED;
    if (list_is_on(&n->failed))
        list_unlink(&l->failed, index);
    wheel_disarm(&l->wheel, timer);
    switch (state) {
    case NEIGH_REACHABLE:
        draw_reachable(l, now_us);
        n->confirmed_us = now_us;
        mark_confirmed(l, index, true);
        break;
    case NEIGH_STALE:
        break;
    case NEIGH_DELAY:
        wheel_arm(&l->wheel, timer, now_us + (int64_t)l->config.delay_first_probe_time * 1000000);
        break;
    case NEIGH_INCOMPLETE:
    case NEIGH_PROBE:
        solicit(l, index, now_us);
        break;
    case NEIGH_FAILED:
        mark_confirmed(l, index, false);
        if (n->first)
            list_append(&l->failed, index);
        wheel_arm(&l->wheel, timer, now_us + (int64_t)l->config.gc_stale_time * 1000000);
        break;
    }
    if (n->has_mac && n->first)
        neigh_mark_out(l, index);
}

static void fire(struct link *l, uint32_t index, int64_t now_us)
{
    struct neigh *n = neigh_at(l, index);
    uint8_t solicits_max = n->has_mac ? l->config.ucast_solicit : l->config.mcast_solicit;

    if (n->state == NEIGH_FAILED)
        neigh_remove(l, index);
    else if (n->state == NEIGH_DELAY)
        neigh_enter(l, index, NEIGH_PROBE, now_us);
    else if (n->solicits < solicits_max)
        solicit(l, index, now_us);
    else if (n->is_claimed)
        take_claim(l, index, now_us);
    else
        neigh_enter(l, index, NEIGH_FAILED, now_us);
}
