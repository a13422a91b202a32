/* The preload door: source filters of groups by their names in RFC 3678. libc makes socket options
 * of them within itself, where setsockopt is not the door's.
 *
 * Knows: the layouts of both options. Shape: the arguments become the option's struct and back.
 * Units: none. Errors: errno; ENOBUFS for more sources than the option carries.
 * Cost: a question to the daemon. 3678#4.1.3 4.2.2 5.1.3 5.2.2 */
#include "run/door.h"

#define SOURCES_MAX 10 /* net.ipv4.igmp_max_msf */

static int level_of(const struct sockaddr *group)
{
    return group->sa_family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
}

static int put_group(struct group_filter *f, uint32_t interface, const struct sockaddr *group,
                     socklen_t len)
{
    if (len > sizeof f->gf_group)
        return -EINVAL;
    f->gf_interface = interface;
    memcpy(&f->gf_group, group, len);
    return 0;
}

EXPORT int setsourcefilter(int fd, uint32_t interface, const struct sockaddr *group,
                           socklen_t group_len, uint32_t mode, uint32_t n,
                           const struct sockaddr_storage *list)
{
    union {
        struct group_filter f;
        uint8_t room[GROUP_FILTER_SIZE(SOURCES_MAX)];
    } u = {.room = {0}};
    int v = put_group(&u.f, interface, group, group_len);

    if (n > SOURCES_MAX)
        v = -ENOBUFS;
    if (v < 0)
        return door_result(v);
    u.f.gf_fmode = mode;
    u.f.gf_numsrc = n;
    if (n)
        memcpy(u.room + GROUP_FILTER_SIZE(0), list, n * sizeof *list);
    return setsockopt(fd, level_of(group), MCAST_MSFILTER, &u, (socklen_t)GROUP_FILTER_SIZE(n));
}

EXPORT int getsourcefilter(int fd, uint32_t interface, const struct sockaddr *group,
                           socklen_t group_len, uint32_t *mode, uint32_t *n,
                           struct sockaddr_storage *list)
{
    union {
        struct group_filter f;
        uint8_t room[GROUP_FILTER_SIZE(SOURCES_MAX)];
    } u = {.room = {0}};
    uint32_t room = *n < SOURCES_MAX ? *n : SOURCES_MAX;
    socklen_t len = (socklen_t)GROUP_FILTER_SIZE(room);
    int v = put_group(&u.f, interface, group, group_len);

    if (v < 0)
        return door_result(v);
    u.f.gf_numsrc = room;
    if (getsockopt(fd, level_of(group), MCAST_MSFILTER, &u, &len) < 0)
        return -1;
    *mode = u.f.gf_fmode;
    *n = u.f.gf_numsrc;
    if (room)
        memcpy(list, u.room + GROUP_FILTER_SIZE(0), len - GROUP_FILTER_SIZE(0));
    return 0;
}

EXPORT int setipv4sourcefilter(int fd, struct in_addr interface, struct in_addr group,
                               uint32_t mode, uint32_t n, const struct in_addr *list)
{
    union {
        struct ip_msfilter f;
        uint8_t room[IP_MSFILTER_SIZE(SOURCES_MAX)];
    } u = {.f = {.imsf_multiaddr = group, .imsf_interface = interface}};

    if (n > SOURCES_MAX)
        return door_result(-ENOBUFS);
    u.f.imsf_fmode = mode;
    u.f.imsf_numsrc = n;
    if (n)
        memcpy(u.room + IP_MSFILTER_SIZE(0), list, n * sizeof *list);
    return setsockopt(fd, IPPROTO_IP, IP_MSFILTER, &u, (socklen_t)IP_MSFILTER_SIZE(n));
}

EXPORT int getipv4sourcefilter(int fd, struct in_addr interface, struct in_addr group,
                               uint32_t *mode, uint32_t *n, struct in_addr *list)
{
    union {
        struct ip_msfilter f;
        uint8_t room[IP_MSFILTER_SIZE(SOURCES_MAX)];
    } u = {.f = {.imsf_multiaddr = group, .imsf_interface = interface}};
    uint32_t room = *n < SOURCES_MAX ? *n : SOURCES_MAX;
    socklen_t len = (socklen_t)IP_MSFILTER_SIZE(room);

    u.f.imsf_numsrc = room;
    if (getsockopt(fd, IPPROTO_IP, IP_MSFILTER, &u, &len) < 0)
        return -1;
    *mode = u.f.imsf_fmode;
    *n = u.f.imsf_numsrc;
    if (room)
        memcpy(list, u.room + IP_MSFILTER_SIZE(0), len - IP_MSFILTER_SIZE(0));
    return 0;
}
