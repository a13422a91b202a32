/* Which multicast groups a datagram socket asked for. 1112#7.1.
 *
 * Knows: sockets and groups. Not what an interface listens to: that is decided above. Shape: a list
 * of memberships for each socket, of one pool. Units: none. Errors: -EADDRINUSE, -ENOBUFS,
 * -EADDRNOTAVAIL, as Linux. Cost: O(memberships of the socket). */
#include "udp/inner.h"

#include <errno.h>

struct membership {
    uint32_t next;
    uint8_t ifindex;
    struct weir_addr group;
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

bool udp_is_joined(const struct udp_socks *u, uint32_t index, const struct weir_addr *group,
                   int ifindex)
{
    for (uint32_t i = udp_at(u, index)->groups; i; i = membership_at(u, i)->next)
        if (is_it(membership_at(u, i), group, ifindex))
            return true;
    return false;
}

bool udp_is_wanted(const struct udp_socks *u, const struct weir_addr *group, int ifindex)
{
    for (uint32_t i = pool_next(&u->memberships, 1); i; i = pool_next(&u->memberships, i + 1))
        if (is_it(membership_at(u, i), group, ifindex))
            return true;
    return false;
}

int udp_join(struct udp_socks *u, uint32_t index, const struct weir_addr *group, int ifindex)
{
    struct udp_sock *s = udp_at(u, index);
    uint32_t count = 0, fresh;

    if (udp_is_joined(u, index, group, ifindex))
        return -EADDRINUSE;
    for (uint32_t i = s->groups; i; i = membership_at(u, i)->next)
        count++;
    fresh = count < UDP_GROUPS_MAX ? pool_new(&u->memberships) : 0;
    if (!fresh)
        return -ENOBUFS;
    *membership_at(u, fresh) = (struct membership){s->groups, (uint8_t)ifindex, *group};
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
