/* Destinations for which a router named a better next hop than itself. 1122#3.2.2.2, 4861#8.3.
 *
 * Knows: destinations and next hops. Not whether a message is to be believed, nor whether a next
 * hop still answers: who calls does. Shape: of one host each, also where a router spoke of a
 * network (1122#3.3.1.2); in the order in which they came, the oldest is evicted. Units: none.
 * Errors: none: without room the router goes on forwarding. Cost: one keyed hash; nothing while
 * there is none. */
#include "ip/inner.h"

#define REDIRECTS_MAX 1048576 /* above what redirects_max may be set to */

struct redirect {
    struct list_node order;
    struct weir_addr dst, next_hop;
    uint32_t hash;
    int ifindex;
};

void redirect_init(struct ip *ip)
{
    pool_init(&ip->redirects, ip->mem, sizeof(struct redirect), REDIRECTS_MAX);
    table_init(&ip->redirect_table, ip->mem);
    list_init(&ip->redirect_order, &ip->redirects, offsetof(struct redirect, order));
}

void redirect_fini(struct ip *ip)
{
    table_fini(&ip->redirect_table);
    pool_fini(&ip->redirects);
}

static struct redirect *redirect_at(const struct ip *ip, uint32_t index)
{
    return pool_at(&ip->redirects, index);
}

static uint32_t find(const struct ip *ip, const struct weir_addr *dst, int ifindex)
{
    uint32_t pos = 0, index, hash = dst_hash(ip, dst);

    while ((index = table_find(&ip->redirect_table, hash, &pos)))
        if (redirect_at(ip, index)->ifindex == ifindex &&
            weir_addr_equal(&redirect_at(ip, index)->dst, dst))
            return index;
    return 0;
}

static void forget(struct ip *ip, uint32_t index)
{
    list_unlink(&ip->redirect_order, index);
    table_remove(&ip->redirect_table, redirect_at(ip, index)->hash, index);
    pool_free(&ip->redirects, index);
    ip->epoch++;
}

bool redirect_of(const struct ip *ip, const struct weir_addr *dst, int ifindex,
                 struct weir_addr *next_hop)
{
    uint32_t index = LIKELY(!ip->redirects.used) ? 0 : find(ip, dst, ifindex);

    if (!index)
        return false;
    *next_hop = redirect_at(ip, index)->next_hop;
    return true;
}

static uint32_t redirect_new(struct ip *ip, const struct weir_addr *dst, int ifindex)
{
    uint32_t hash = dst_hash(ip, dst), index;

    if (!ip->config.redirects_max)
        return 0;
    while (ip->redirects.used >= ip->config.redirects_max)
        forget(ip, ip->redirect_order.first);
    index = pool_new(&ip->redirects);
    if (!index)
        return 0;
    if (!table_add(&ip->redirect_table, hash, index)) {
        pool_free(&ip->redirects, index);
        return 0;
    }
    *redirect_at(ip, index) = (struct redirect){.dst = *dst, .hash = hash, .ifindex = ifindex};
    list_append(&ip->redirect_order, index);
    return index;
}

void redirect_set(struct ip *ip, const struct weir_addr *dst, int ifindex,
                  const struct weir_addr *next_hop)
{
    uint32_t index = find(ip, dst, ifindex);

    if (!index)
        index = redirect_new(ip, dst, ifindex);
    if (!index)
        return;
    redirect_at(ip, index)->next_hop = *next_hop;
    ip->epoch++;
}

void redirect_forget(struct ip *ip, const struct weir_addr *dst, int ifindex)
{
    uint32_t index = ip->redirects.used ? find(ip, dst, ifindex) : 0;

    if (index)
        forget(ip, index);
}

void redirect_forget_via(struct ip *ip, int ifindex, const struct weir_addr *next_hop)
{
    for (uint32_t i = pool_next(&ip->redirects, 1); i; i = pool_next(&ip->redirects, i + 1))
        if (redirect_at(ip, i)->ifindex == ifindex &&
            weir_addr_equal(&redirect_at(ip, i)->next_hop, next_hop))
            forget(ip, i);
}

void redirect_forget_all(struct ip *ip)
{
    while (ip->redirect_order.first)
        forget(ip, ip->redirect_order.first);
}
