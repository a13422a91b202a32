/* Groups from some senders only: the options of 3678, and those of IPv4 before it.
 *
 * Knows: sockets, filters. Not what routers hear of it (groups.c). Shape: a request is read from
 * whichever struct its option has; then there are four things to do with a source. Units: none.
 * Errors: -errno, Linux's for the same call. Cost: O(memberships of the socket). */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "sock/groups.h"

enum wish { JOIN, LEAVE, JOIN_SOURCE, LEAVE_SOURCE, BLOCK, UNBLOCK };
struct request {
    enum wish wish;
    int ifindex; /* 0: any */
    struct weir_addr group, source;
};

bool sources_is_opt(int name)
{
    return name >= MCAST_JOIN_GROUP && name <= MCAST_LEAVE_SOURCE_GROUP;
}

static enum wish wish_of(int name)
{
    switch (name) {
    case MCAST_JOIN_GROUP:
        return JOIN;
    case MCAST_LEAVE_GROUP:
        return LEAVE;
    case MCAST_JOIN_SOURCE_GROUP:
    case IP_ADD_SOURCE_MEMBERSHIP:
        return JOIN_SOURCE;
    case MCAST_LEAVE_SOURCE_GROUP:
    case IP_DROP_SOURCE_MEMBERSHIP:
        return LEAVE_SOURCE;
    case MCAST_BLOCK_SOURCE:
    case IP_BLOCK_SOURCE:
        return BLOCK;
    default:
        return UNBLOCK;
    }
}

/* -- what is asked for ------------------------------------------------------------------------- */

static int read_group_request(const struct sock_opt *o, struct request *r)
{
    struct group_source_req q = {.gsr_interface = 0};
    bool has_source = r->wish != JOIN && r->wish != LEAVE;
    struct group_req g;

    if (o->len < (has_source ? sizeof q : sizeof g))
        return -EINVAL;
    if (has_source) {
        memcpy(&q, o->value, sizeof q);
    } else {
        memcpy(&g, o->value, sizeof g);
        q.gsr_interface = g.gr_interface;
        q.gsr_group = g.gr_group;
    }
    r->ifindex = (int)q.gsr_interface;
    if (!groups_read_addr(&q.gsr_group, o->level, &r->group) ||
        (has_source && !groups_read_addr(&q.gsr_source, o->level, &r->source)))
        return -EADDRNOTAVAIL;
    return 0;
}

/* A struct ip_mreq_source, whose interface is named by an address. */
static int read_ip4_request(struct socks *k, const struct sock_opt *o, struct request *r)
{
    struct ip_mreq_source q;

    if (o->len < sizeof q)
        return -EINVAL;
    memcpy(&q, o->value, sizeof q);
    r->group = weir_addr_v4(ntohl(q.imr_multiaddr.s_addr));
    r->source = weir_addr_v4(ntohl(q.imr_sourceaddr.s_addr));
    r->ifindex = groups_ifindex_at(k, q.imr_interface);
    return r->ifindex < 0 ? r->ifindex : 0;
}

/* -- what is done ------------------------------------------------------------------------------ */

/* A list may change its sense while it is empty, as Linux has it: who joined a group for all may
 * then name those it wants. */
static int change(struct filter *f, const struct request *r)
{
    bool is_exclude = r->wish == BLOCK || r->wish == UNBLOCK;
    bool is_added = r->wish == BLOCK || r->wish == JOIN_SOURCE;

    if (f->is_exclude != is_exclude && f->sources)
        return -EINVAL;
    if (filter_has(f, &r->source) == is_added)
        return -EADDRNOTAVAIL;
    f->is_exclude = is_exclude;
    if (!is_added)
        filter_remove(f, &r->source);
    else if (!filter_add(f, &r->source))
        return -ENOBUFS;
    return 0;
}

static int set_source(struct socks *k, struct sock *s, const struct request *r)
{
    int ifindex = r->ifindex, v;
    struct filter *f = udp_filter_of(k->udp, s->endpoint, &r->group, &ifindex), one = {0};

    if (!f && r->wish == JOIN_SOURCE) {
        filter_add(&one, &r->source);
        ifindex = groups_ifindex(k, &r->group, ifindex);
        return ifindex < 0 ? ifindex : groups_join(k, s, &r->group, ifindex, &one);
    }
    if (!f)
        return r->wish == LEAVE_SOURCE ? -EADDRNOTAVAIL : -EINVAL;
    v = change(f, r);
    if (v < 0)
        return v;
    if (filter_is_none(f)) /* the last source: Linux leaves the group */
        return groups_leave(k, s, &r->group, ifindex);
    groups_tell(k, ifindex, &r->group, k->now_us);
    return 0;
}

int sources_set(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    struct request r = {.wish = wish_of(o->name)};
    struct filter all = filter_all();
    int v = sources_is_opt(o->name) ? read_group_request(o, &r) : read_ip4_request(k, o, &r);

    if (v < 0)
        return v;
    if (!iface_is_multicast(&r.group))
        return -EINVAL;
    if (r.ifindex && !iface_at(k->link, r.ifindex))
        return -ENODEV;
    if (r.wish == LEAVE)
        return groups_leave(k, s, &r.group, r.ifindex);
    if (r.wish != JOIN)
        return set_source(k, s, &r);
    r.ifindex = groups_ifindex(k, &r.group, r.ifindex);
    return r.ifindex < 0 ? r.ifindex : groups_join(k, s, &r.group, r.ifindex, &all);
}
