/* Which multicast groups a datagram socket asked for, and from which sources. 1112#7.1, 3376#3.1.
 *
 * Knows: sockets, groups, filters. Not what an interface listens to: that is decided above. Shape:
 * a list of memberships for each socket, of one pool. Units: none. Errors: -EADDRINUSE, -ENOBUFS,
 * -EADDRNOTAVAIL, as Linux. Cost: O(memberships of the socket). */
#include "udp/inner.h"

#include <errno.h>

struct membership {
    _Alignas(8) uint32_t next; /* a pool's objects are multiples of 8 bytes */
    uint8_t ifindex;
    struct weir_addr group;
    struct filter filter;
};

#define MEMBERSHIPS_MAX 1048576

void groups_init(struct udp_socks *u)
{
    pool_init(&u->memberships, u->mem, sizeof(struct membership), MEMBERSHIPS_MAX);
}

static struct membership *membership_at(const struct udp_socks *u, uint32_t index)
{
    return pool_at(&u->memberships, index);
}

static bool is_it(const struct membership *m, const struct weir_addr *group, int ifindex)
{
    return (!ifindex || m->ifindex == ifindex) && weir_addr_equal(&m->group, group);
}

struct filter *udp_filter_of(const struct udp_socks *u, uint32_t index,
                             const struct weir_addr *group, int *ifindex)
{
    for (uint32_t i = udp_at(u, index)->groups; i; i = membership_at(u, i)->next)
        if (is_it(membership_at(u, i), group, *ifindex)) {
            *ifindex = membership_at(u, i)->ifindex;
            return &membership_at(u, i)->filter;
        }
    return NULL;
}

/* 3376#3.2, and of who joined nothing: what other sockets joined, unless it wants no such thing. */
bool udp_may_hear(const struct udp_socks *u, uint32_t index, const struct udp_view *in)
{
    int ifindex = in->ifindex;
    const struct filter *f = udp_filter_of(u, index, &in->dst, &ifindex);

    return f ? filter_passes(f, &in->src) : !(udp_at(u, index)->options & UDP_JOINED_ONLY);
}

struct filter udp_wanted(const struct udp_socks *u, const struct weir_addr *group, int ifindex)
{
    struct filter_sum sum = {.is_full = false};

    for (uint32_t i = pool_next(&u->memberships, 1); i; i = pool_next(&u->memberships, i + 1))
        if (is_it(membership_at(u, i), group, ifindex))
            filter_sum_add(&sum, &membership_at(u, i)->filter);
    return filter_sum_result(&sum);
}

int udp_join(struct udp_socks *u, uint32_t index, const struct weir_addr *group, int ifindex,
             const struct filter *from)
{
    struct udp_sock *s = udp_at(u, index);
    uint32_t count = 0, fresh;

    if (udp_filter_of(u, index, group, &ifindex))
        return -EADDRINUSE;
    for (uint32_t i = s->groups; i; i = membership_at(u, i)->next)
        count++;
    fresh = count < UDP_GROUPS_MAX ? pool_new(&u->memberships) : 0;
    if (!fresh)
        return -ENOBUFS;
    *membership_at(u, fresh) = (struct membership){s->groups, (uint8_t)ifindex, *group, *from};
    s->groups = fresh;
    return 0;
}

int udp_leave(struct udp_socks *u, uint32_t index, const struct weir_addr *group, int ifindex)
{
    uint32_t *at = &udp_at(u, index)->groups;

    for (; *at; at = &membership_at(u, *at)->next) {
        uint32_t gone = *at;
        struct membership *m = membership_at(u, gone);

        if (!is_it(m, group, ifindex))
            continue;
        ifindex = m->ifindex;
        *at = m->next;
        pool_free(&u->memberships, gone);
        return ifindex;
    }
    return -EADDRNOTAVAIL;
}

bool udp_first_group(const struct udp_socks *u, uint32_t index, struct weir_addr *group)
{
    uint32_t first = udp_at(u, index)->groups;

    if (first)
        *group = membership_at(u, first)->group;
    return first;
}
