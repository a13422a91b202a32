/* IPv6 addresses that make themselves: link-local, from routers' prefixes, temporary. 4862, 7217,
 * 8981, 5453.
 *
 * Knows: prefixes, lifetimes, identifiers. Not what routers say otherwise (router.c), nor how
 * others are asked (acd.c). Shape: an address made here is ADDR_AUTO; when its identifier is
 * somebody else's another one is tried. Units: microseconds; seconds in lifetimes. Errors: -errno;
 * an address that finds no room is left out. Cost: O(addresses) for a prefix or a step. */
#include "link/neigh.h"

#include <errno.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define NEVER INT64_MAX
#define TRIES_MAX 3 /* 7217#6: IDGEN_RETRIES */
#define TWO_HOURS_US (7200 * SECOND)
#define REGEN_ADVANCE_US (5 * SECOND) /* 8981#3.8, and some for what is asked before */
#define FOR_EVER UINT32_MAX
#define ID_BITS 64

static const struct weir_addr link_prefix = {.b = {0xfe, 0x80}};

/* -- identifiers ------------------------------------------------------------------------------- */

/* 5453: subnet-router anycast, reserved subnet anycast, and those of Ethernet blocks. */
static bool is_reserved(const uint8_t id[8])
{
    static const uint8_t zero[8], iana[5] = {0x02, 0, 0x5e, 0xff, 0xfe};
    static const uint8_t anycast[7] = {0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return memcmp(id, zero, 8) == 0 || memcmp(id, iana, sizeof iana) == 0 ||
           (memcmp(id, anycast, sizeof anycast) == 0 && id[7] >= 0x80);
}

/* 7217#5: the same each time on this network, another one on each, and nobody's to foresee. */
static void put_stable(const struct link *l, int ifindex, struct weir_addr *a, uint32_t tries)
{
    uint64_t word[4], mac = 0, id;

    memcpy(&mac, l->iface[ifindex].mac, 6);
    memcpy(&word[0], a->b, 8);
    word[1] = mac;
    word[2] = (uint64_t)ifindex;
    for (word[3] = tries; word[3] < tries + 256; word[3] += 16) {
        id = siphash13_words(&l->secret, word, 4);
        memcpy(a->b + 8, &id, 8);
        if (!is_reserved(a->b + 8))
            return;
    }
}

/* 2464#4 */
static void put_eui64(const struct link *l, int ifindex, struct weir_addr *a)
{
    const uint8_t *mac = l->iface[ifindex].mac;
    const uint8_t id[8] = {mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

    memcpy(a->b + 8, id, 8);
}

static void put_random(struct link *l, struct weir_addr *a)
{
    do {
        uint64_t id = rng_u64(&l->rng);
        memcpy(a->b + 8, &id, 8);
    } while (is_reserved(a->b + 8));
}

/* -- addresses --------------------------------------------------------------------------------- */

static int64_t after_s(int64_t now_us, uint32_t s)
{
    return s == FOR_EVER ? NEVER : now_us + (int64_t)s * SECOND;
}

void autoconf_step_at(struct link *l, int64_t at_us)
{
    if (at_us < l->life_step_us)
        l->life_step_us = at_us;
}

static bool is_of_prefix(const struct iface_addr *a, const struct weir_addr *prefix)
{
    return !weir_addr_is_v4(&a->addr) && memcmp(a->addr.b, prefix->b, 8) == 0;
}

static int made(const struct iface *f)
{
    int n = 0;

    for (int i = 0; i < f->addrs; i++)
        n += f->addr[i].flags & ADDR_AUTO && f->addr[i].addr.b[0] != 0xfe;
    return n;
}

/* The address, which then is asked for; NULL: it is there, or there is no room. */
static struct iface_addr *make(struct link *l, int ifindex, const struct weir_addr *addr,
                               int64_t now_us)
{
    struct iface *f = &l->iface[ifindex];
    struct iface_addr *a;

    if (addr->b[0] != 0xfe && made(f) >= l->config.ip6.max_addresses)
        return NULL;
    if (iface_add_addr(l, ifindex, addr, ID_BITS) < 0)
        return NULL;
    a = iface_find_addr(f, addr);
    a->flags = ADDR_AUTO;
    acd_begin(l, ifindex, a, now_us);
    return a;
}

static struct iface_addr *make_stable(struct link *l, int ifindex, const struct weir_addr *prefix,
                                      uint8_t tries, int64_t now_us)
{
    struct weir_addr addr = *prefix;
    struct iface_addr *a;

    if (l->config.ip6.addr_gen_mode == ADDR_GEN_EUI64)
        put_eui64(l, ifindex, &addr);
    else
        put_stable(l, ifindex, &addr, tries);
    a = make(l, ifindex, &addr, now_us);
    if (a)
        a->tries = tries;
    return a;
}

static void settle(struct link *l, int ifindex, const struct iface_addr *a, int64_t now_us)
{
    struct weir_addr addr = a->addr;

    if (a->state == ADDR_USABLE)
        autoconf_on_usable(l, ifindex, &addr, now_us);
}

int autoconf_start(struct link *l, int ifindex, int64_t now_us)
{
    struct iface *f = iface_at(l, ifindex);
    struct iface_addr *a;

    if (!f || f->type != WEIR_LINK_ETHER)
        return f ? -EOPNOTSUPP : -ENODEV;
    if (f->ip6.is_on)
        return 0;
    f->ip6.is_on = true;
    router_on_link(l, ifindex, &link_prefix, ID_BITS, NEVER);
    a = make_stable(l, ifindex, &link_prefix, 0, now_us);
    if (a)
        settle(l, ifindex, a, now_us);
    return 0;
}

void autoconf_on_usable(struct link *l, int ifindex, const struct weir_addr *addr, int64_t now_us)
{
    if (l->iface[ifindex].ip6.is_on && addr->b[0] == 0xfe && l->config.ip6.accept_ra)
        router_ask(l, ifindex, now_us);
}

/* 4862#5.4.5: an identifier that comes from the MAC has no second one. */
void autoconf_on_duplicate(struct link *l, int ifindex, const struct weir_addr *addr,
                           int64_t now_us)
{
    struct iface_addr *old = iface_find_addr(&l->iface[ifindex], addr), was = *old, *a;
    struct weir_addr prefix = *addr;
    bool is_random = was.flags & ADDR_TEMPORARY;

    memset(prefix.b + 8, 0, 8);
    if (!(was.flags & ADDR_AUTO) || was.tries + 1 >= TRIES_MAX)
        return;
    if (!is_random && l->config.ip6.addr_gen_mode == ADDR_GEN_EUI64) {
        if (addr->b[0] == 0xfe) /* two of one MAC: nothing here would work */
            l->iface[ifindex].ip6.is_on = false;
        return;
    }
    iface_remove_addr(l, ifindex, addr);
    if (is_random) {
        put_random(l, &prefix);
        a = make(l, ifindex, &prefix, now_us);
    } else {
        a = make_stable(l, ifindex, &prefix, (uint8_t)(was.tries + 1), now_us);
    }
    if (!a)
        return;
    a->tries = (uint8_t)(was.tries + 1);
    a->flags = was.flags;
    a->made_at_us = was.made_at_us;
    a->preferred_until_us = was.preferred_until_us;
    a->valid_until_us = was.valid_until_us;
}

/* -- prefixes ---------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A temporary one lives no longer than its prefix, nor than is set: 8981#3.4. Each begins its own
 * time a little earlier than it could, so that they do not change in step. */
static void make_temporary(struct link *l, int ifindex, const struct ra_prefix *p, int64_t now_us)
{
    const struct autoconf_config *c = &l->config.ip6;
    uint32_t spread_s = c->temp_prefered_lft * 2 / 5;
    uint32_t desync_s = spread_s ? rng_below(&l->rng, spread_s) : 0;
    struct weir_addr addr = p->prefix;
    struct iface_addr *a;

    if (p->preferred_s * SECOND <= REGEN_ADVANCE_US) /* 8981#3.4 (5) */
        return;
    put_random(l, &addr);
    a = make(l, ifindex, &addr, now_us);
    if (!a)
        return;
    a->flags |= ADDR_TEMPORARY;
    a->made_at_us = now_us;
    a->valid_until_us = earlier(after_s(now_us, p->valid_s), after_s(now_us, c->temp_valid_lft));
    a->preferred_until_us = earlier(after_s(now_us, p->preferred_s),
                                    after_s(now_us, c->temp_prefered_lft - desync_s));
}

static void set_preferred(struct link *l, struct iface_addr *a, int64_t until_us, int64_t now_us)
{
    bool was = a->flags & ADDR_DEPRECATED, is = until_us <= now_us;

    a->preferred_until_us = until_us;
    a->flags = (uint8_t)(is ? a->flags | ADDR_DEPRECATED : a->flags & ~ADDR_DEPRECATED);
    if (was != is)
        l->epoch++;
}

/* 4862#5.5.3 (e): a router may shorten what is left to two hours, and not below; 8981#3.5. */
static void refresh(struct link *l, struct iface_addr *a, const struct ra_prefix *p, int64_t now_us)
{
    const struct autoconf_config *c = &l->config.ip6;
    int64_t valid_us = after_s(now_us, p->valid_s), left_us = a->valid_until_us - now_us;
    int64_t preferred_us = after_s(now_us, p->preferred_s);

    if (p->valid_s * SECOND <= TWO_HOURS_US && valid_us <= a->valid_until_us) {
        valid_us = a->valid_until_us;
        if (left_us > TWO_HOURS_US)
            valid_us = now_us + TWO_HOURS_US;
    }
    if (a->flags & ADDR_TEMPORARY) {
        valid_us = earlier(valid_us, after_s(a->made_at_us, c->temp_valid_lft));
        preferred_us = earlier(preferred_us, after_s(a->made_at_us, c->temp_prefered_lft));
    }
    a->valid_until_us = valid_us;
    set_preferred(l, a, preferred_us, now_us);
}

void autoconf_on_prefix(struct link *l, int ifindex, const struct ra_prefix *p, int64_t now_us)
{
    struct iface *f = &l->iface[ifindex];
    bool has_stable = false, has_temporary = false;
    struct iface_addr *a;

    for (int i = 0; i < f->addrs; i++) {
        a = &f->addr[i];
        if (!(a->flags & ADDR_AUTO) || !is_of_prefix(a, &p->prefix))
            continue;
        refresh(l, a, p, now_us);
        if (!(a->flags & ADDR_TEMPORARY))
            has_stable = true;
        else if (!(a->flags & (ADDR_DEPRECATED | ADDR_FOLLOWED)))
            has_temporary = true;
    }
    if (p->valid_s && !has_stable && (a = make_stable(l, ifindex, &p->prefix, 0, now_us))) {
        a->valid_until_us = after_s(now_us, p->valid_s);
        set_preferred(l, a, after_s(now_us, p->preferred_s), now_us);
    }
    if (p->valid_s && !has_temporary && l->config.ip6.use_tempaddr)
        make_temporary(l, ifindex, p, now_us);
    autoconf_step_at(l, now_us); /* what is due when is found there */
}

/* -- time -------------------------------------------------------------------------------------- */

/* The stable address of the prefix says how long its lifetimes are now. */
static void follow(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us)
{
    struct iface *f = &l->iface[ifindex];
    struct ra_prefix p = {.prefix = a->addr};

    a->flags |= ADDR_FOLLOWED;
    memset(p.prefix.b + 8, 0, 8);
    for (int i = 0; i < f->addrs; i++) {
        const struct iface_addr *s = &f->addr[i];
        if (!(s->flags & ADDR_AUTO) || s->flags & (ADDR_TEMPORARY | ADDR_DEPRECATED) ||
            !is_of_prefix(s, &p.prefix))
            continue;
        p.valid_s = FOR_EVER;
        p.preferred_s = FOR_EVER;
        if (s->valid_until_us != NEVER)
            p.valid_s = (uint32_t)((s->valid_until_us - now_us) / SECOND);
        if (s->preferred_until_us != NEVER)
            p.preferred_s = (uint32_t)((s->preferred_until_us - now_us) / SECOND);
    }
    if (p.valid_s)
        make_temporary(l, ifindex, &p, now_us);
}

/* The next instant at which something about the address changes. */
static int64_t next_of(const struct iface_addr *a)
{
    if (a->flags & ADDR_TEMPORARY && !(a->flags & (ADDR_FOLLOWED | ADDR_DEPRECATED)) &&
        a->preferred_until_us != NEVER)
        return a->preferred_until_us - REGEN_ADVANCE_US;
    return a->flags & ADDR_DEPRECATED ? a->valid_until_us
                                      : earlier(a->preferred_until_us, a->valid_until_us);
}

/* True: the address is gone. */
static bool age(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us)
{
    struct weir_addr addr = a->addr;

    if (next_of(a) > now_us)
        return false;
    if (now_us >= a->valid_until_us) {
        iface_remove_addr(l, ifindex, &addr);
        l->gone[l->gones++ % LINK_GONE_MAX] = addr;
        l->has_changes = true;
        return true;
    }
    if (now_us >= a->preferred_until_us)
        set_preferred(l, a, a->preferred_until_us, now_us);
    else
        follow(l, ifindex, a, now_us);
    return false;
}

int autoconf_advance(struct link *l, int64_t now_us)
{
    int n = 0;

    if (l->life_step_us > now_us)
        return 0;
    l->life_step_us = NEVER;
    for (int i = 1; i <= l->ifaces; i++) {
        struct iface *f = &l->iface[i];
        for (int j = 0; j < f->addrs;) {
            if (next_of(&f->addr[j]) <= now_us)
                n++;
            if (age(l, i, &f->addr[j], now_us))
                continue;
            autoconf_step_at(l, next_of(&f->addr[j]) > now_us ? next_of(&f->addr[j]) : NEVER);
            j++;
        }
    }
    return n + router_advance(l, now_us);
}

int64_t autoconf_deadline(const struct link *l)
{
    return l->life_step_us;
}
