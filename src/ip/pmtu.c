/* The path MTU of destinations for which ICMP said one. 1191.
 *
 * Knows: destinations and what they were told. Not whether a message is to be believed: a transport
 * confirmed its quote. Shape: estimates are only lowered, never below min_pmtu, and forgotten after
 * mtu_expires_s, so an increase is found by trying. Entries are in the order of their expiry; if
 * the knob changed meanwhile a few live a little longer. Units: bytes. Errors: 0 where there is no
 * room. Cost: one keyed hash; the table is bounded, the first to expire is evicted. */
#include "ip/inner.h"

#define PMTUS_MAX 1048576 /* above what pmtu_max may be set to */

struct pmtu {
    struct list_node order;
    struct weir_addr dst;
    int64_t expires_us;
    uint32_t mtu;
    uint32_t hash;
    bool is_narrow; /* less than min_pmtu was asked for */
};

void pmtu_init(struct ip *ip)
{
    pool_init(&ip->pmtus, ip->mem, sizeof(struct pmtu), PMTUS_MAX);
    table_init(&ip->pmtu_table, ip->mem);
    list_init(&ip->pmtu_order, &ip->pmtus, offsetof(struct pmtu, order));
}

void pmtu_fini(struct ip *ip)
{
    table_fini(&ip->pmtu_table);
    pool_fini(&ip->pmtus);
}

static struct pmtu *pmtu_at(const struct ip *ip, uint32_t index)
{
    return pool_at(&ip->pmtus, index);
}

static uint32_t find(const struct ip *ip, uint32_t hash, const struct weir_addr *dst)
{
    uint32_t pos = 0, index;

    while ((index = table_find(&ip->pmtu_table, hash, &pos)))
        if (weir_addr_equal(&pmtu_at(ip, index)->dst, dst))
            return index;
    return 0;
}

static void forget(struct ip *ip, uint32_t index)
{
    list_unlink(&ip->pmtu_order, index);
    table_remove(&ip->pmtu_table, pmtu_at(ip, index)->hash, index);
    pool_free(&ip->pmtus, index);
}

static void forget_expired(struct ip *ip, int64_t now_us)
{
    while (ip->pmtu_order.first && pmtu_at(ip, ip->pmtu_order.first)->expires_us <= now_us)
        forget(ip, ip->pmtu_order.first);
}

uint32_t pmtu_of(struct ip *ip, const struct weir_addr *dst, uint32_t link_mtu, int64_t now_us)
{
    uint32_t index;

    if (LIKELY(!ip->pmtus.used))
        return link_mtu;
    forget_expired(ip, now_us);
    index = find(ip, dst_hash(ip, dst), dst);
    if (!index || pmtu_at(ip, index)->mtu > link_mtu)
        return link_mtu;
    return pmtu_at(ip, index)->mtu;
}

bool pmtu_is_narrow(struct ip *ip, const struct weir_addr *dst, int64_t now_us)
{
    uint32_t index;

    if (LIKELY(!ip->pmtus.used))
        return false;
    forget_expired(ip, now_us);
    index = find(ip, dst_hash(ip, dst), dst);
    return index && pmtu_at(ip, index)->is_narrow;
}

static uint32_t pmtu_new(struct ip *ip, uint32_t hash, const struct weir_addr *dst)
{
    uint32_t index;

    if (!ip->config.pmtu_max)
        return 0;
    while (ip->pmtus.used >= ip->config.pmtu_max)
        forget(ip, ip->pmtu_order.first);
    index = pool_new(&ip->pmtus);
    if (!index)
        return 0;
    if (!table_add(&ip->pmtu_table, hash, index)) {
        pool_free(&ip->pmtus, index);
        return 0;
    }
    *pmtu_at(ip, index) = (struct pmtu){.dst = *dst, .hash = hash, .mtu = UINT32_MAX};
    list_append(&ip->pmtu_order, index);
    return index;
}

uint32_t pmtu_update(struct ip *ip, const struct weir_addr *dst, uint32_t mtu, int64_t now_us)
{
    uint32_t hash = dst_hash(ip, dst), index;
    bool is_narrow = mtu < ip->config.min_pmtu;
    struct pmtu *p;

    forget_expired(ip, now_us);
    if (is_narrow)
        mtu = ip->config.min_pmtu;
    index = find(ip, hash, dst);
    if (!index)
        index = pmtu_new(ip, hash, dst);
    if (!index)
        return 0;
    p = pmtu_at(ip, index);
    if (mtu > p->mtu)
        return p->mtu; /* 1191#3: never raised by a message */
    p->mtu = mtu;
    p->is_narrow |= is_narrow;
    p->expires_us = now_us + (int64_t)ip->config.mtu_expires_s * 1000000;
    list_unlink(&ip->pmtu_order, index);
    list_append(&ip->pmtu_order, index);
    return mtu;
}
