/* The whole source filter of a group at once, asked for and set: MCAST_MSFILTER of both families
 * and IP_MSFILTER before it. 3678#4.1.3 4.2.2 5.1.3 5.2.2.
 *
 * Knows: sockets, filters. Not what routers hear of it (groups.c). Shape: either struct is read
 * into a struct wanted, and written from one; its head says of which group the question is, also
 * where the option is only read. Units: none. Errors: -errno, Linux's for the same call.
 * Cost: O(memberships of the socket + sources^2). */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "sock/groups.h"

#define OLD_HEAD IP_MSFILTER_SIZE(0)
#define HEAD GROUP_FILTER_SIZE(0)

struct wanted {
    int ifindex; /* 0: any */
    struct weir_addr group;
    uint32_t mode, sources; /* as it stands there */
};

bool sock_is_filter_opt(int level, int name)
{
    return name == MCAST_MSFILTER || (level == IPPROTO_IP && name == IP_MSFILTER);
}

/* -- what is asked for ------------------------------------------------------------------------- */

static int read_old_head(struct socks *k, const struct sock_opt *o, struct wanted *w)
{
    struct ip_msfilter h;

    if (o->len < OLD_HEAD)
        return -EINVAL;
    memcpy(&h, o->value, OLD_HEAD);
    w->group = weir_addr_v4(ntohl(h.imsf_multiaddr.s_addr));
    w->mode = h.imsf_fmode;
    w->sources = h.imsf_numsrc;
    w->ifindex = groups_ifindex_at(k, h.imsf_interface);
    return w->ifindex < 0 ? w->ifindex : 0;
}

static int read_head(struct socks *k, const struct sock_opt *o, struct wanted *w)
{
    struct group_filter h;

    if (o->name == IP_MSFILTER)
        return read_old_head(k, o, w);
    if (o->len < HEAD)
        return -EINVAL;
    memcpy(&h, o->value, HEAD);
    w->ifindex = (int)h.gf_interface;
    w->mode = h.gf_fmode;
    w->sources = h.gf_numsrc;
    return groups_read_addr(&h.gf_group, o->level, &w->group) ? 0 : -EADDRNOTAVAIL;
}

static bool read_source(const struct sock_opt *o, uint32_t i, struct weir_addr *out)
{
    struct sockaddr_storage a;
    struct in_addr four;

    if (o->name == MCAST_MSFILTER) {
        memcpy(&a, (const uint8_t *)o->value + HEAD + i * sizeof a, sizeof a);
        return groups_read_addr(&a, o->level, out);
    }
    memcpy(&four, (const uint8_t *)o->value + OLD_HEAD + i * sizeof four, sizeof four);
    *out = weir_addr_v4(ntohl(four.s_addr));
    return true;
}

static int read_filter(const struct sock_opt *o, const struct wanted *w, struct filter *out)
{
    size_t size = o->name == MCAST_MSFILTER ? GROUP_FILTER_SIZE((size_t)w->sources)
                                            : IP_MSFILTER_SIZE((size_t)w->sources);
    struct weir_addr source;

    *out = (struct filter){.is_exclude = w->mode == MCAST_EXCLUDE};
    if (w->sources > FILTER_MAX)
        return -ENOBUFS;
    if (o->len < size)
        return -EINVAL;
    for (uint32_t i = 0; i < w->sources; i++) {
        if (!read_source(o, i, &source))
            return -EADDRNOTAVAIL;
        filter_add(out, &source);
    }
    return 0;
}

int msfilter_set(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    struct filter filter, *f;
    struct wanted w;
    int v = read_head(k, o, &w);

    if (v < 0 || (v = read_filter(o, &w, &filter)) < 0)
        return v;
    if (!iface_is_multicast(&w.group) || (w.mode != MCAST_INCLUDE && w.mode != MCAST_EXCLUDE))
        return -EINVAL;
    if (w.ifindex && !iface_at(k->link, w.ifindex))
        return -ENODEV;
    if (filter_is_none(&filter)) /* from nobody: that is to leave */
        return groups_leave(k, s, &w.group, w.ifindex);
    f = udp_filter_of(k->udp, s->endpoint, &w.group, &w.ifindex);
    if (!f)
        return -EINVAL;
    *f = filter;
    groups_tell(k, w.ifindex, &w.group, k->now_us);
    return 0;
}

/* -- what there is ----------------------------------------------------------------------------- */

static void write_source(const struct sock_opt *o, uint32_t i, const struct weir_addr *a)
{
    struct sockaddr_storage out = {.ss_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct sockaddr_in four = {.sin_family = AF_INET};

    four.sin_addr.s_addr = htonl(weir_addr_to_v4(a));
    if (o->name == IP_MSFILTER) {
        memcpy((uint8_t *)o->value + OLD_HEAD + i * sizeof four.sin_addr, &four.sin_addr,
               sizeof four.sin_addr);
        return;
    }
    memcpy(&six.sin6_addr, a, sizeof six.sin6_addr);
    if (o->level == IPPROTO_IPV6)
        memcpy(&out, &six, sizeof six);
    else
        memcpy(&out, &four, sizeof four);
    memcpy((uint8_t *)o->value + HEAD + i * sizeof out, &out, sizeof out);
}

/* The mode, and how many sources there are: not how many of them had room. */
static void write_head(const struct sock_opt *o, const struct filter *f)
{
    uint32_t mode = f->is_exclude ? MCAST_EXCLUDE : MCAST_INCLUDE, sources = f->sources;
    bool is_old = o->name == IP_MSFILTER;
    uint8_t *at = o->value;

    memcpy(at + (is_old ? offsetof(struct ip_msfilter, imsf_fmode)
                        : offsetof(struct group_filter, gf_fmode)),
           &mode, sizeof mode);
    memcpy(at + (is_old ? offsetof(struct ip_msfilter, imsf_numsrc)
                        : offsetof(struct group_filter, gf_numsrc)),
           &sources, sizeof sources);
}

int sock_get_filter(struct socks *k, const struct sock *s, struct sock_opt *o)
{
    size_t head = o->name == IP_MSFILTER ? OLD_HEAD : HEAD;
    size_t each = o->name == IP_MSFILTER ? sizeof(struct in_addr) : sizeof(struct sockaddr_storage);
    const struct filter *f = NULL;
    struct wanted w;
    uint32_t n;
    int v = read_head(k, o, &w);

    if (v < 0)
        return v;
    if (!iface_is_multicast(&w.group))
        return -EINVAL;
    if (s->kind != SOCK_KIND_TCP)
        f = udp_filter_of(k->udp, s->endpoint, &w.group, &w.ifindex);
    if (!f)
        return -EADDRNOTAVAIL;
    n = w.sources < f->sources ? w.sources : f->sources;
    if (n > (o->len - head) / each)
        n = (uint32_t)((o->len - head) / each);
    write_head(o, f);
    for (uint32_t i = 0; i < n; i++)
        write_source(o, i, &f->source[i]);
    o->len = head + n * each;
    return 0;
}
