/* What the program's namespace shows: lo up, with the addresses that the program has through weir.
 *
 * Knows: rtnetlink. Shape: getifaddrs(), AI_ADDRCONFIG and libc's order of addresses ask the
 * kernel, so it has to agree with the stack. There is no way out: what is not named here is
 * unreachable. A nameserver is local (netns_dns.c answers for it) but not shown. ::1 goes where it
 * leads nowhere. Units: addresses in network order. Errors: -errno of the kernel. Cost: a
 * message for each. */
#include "run/netns.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LO 1 /* the first interface of every namespace */

struct request {
    struct nlmsghdr head;
    char room[128];
};

static void *begin(struct request *r, int type, int flags, size_t body)
{
    *r = (struct request){.head.nlmsg_len = NLMSG_LENGTH(0)};
    r->head.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
    r->head.nlmsg_type = (uint16_t)type;
    r->head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    return NLMSG_DATA(&r->head);
}

static void add(struct request *r, int type, const void *value, size_t len)
{
    struct rtattr *a = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));

    a->rta_type = (uint16_t)type;
    a->rta_len = (uint16_t)RTA_LENGTH(len);
    memcpy(RTA_DATA(a), value, len);
    r->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + RTA_LENGTH(len));
}

static int ask(int fd, const struct request *r)
{
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char more[256];
    } answer;

    if (send(fd, r, r->head.nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof answer, 0) < 0)
        return -errno;
    return answer.head.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
}

static int lo_up(int fd)
{
    struct request r;
    struct ifinfomsg *link = begin(&r, RTM_NEWLINK, 0, sizeof *link);

    link->ifi_index = LO;
    link->ifi_flags = link->ifi_change = IFF_UP;
    return ask(fd, &r);
}

static int drop_ip6_loopback(int fd)
{
    static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
    struct request r;
    struct ifaddrmsg *addr = begin(&r, RTM_DELADDR, 0, sizeof *addr);

    addr->ifa_family = AF_INET6;
    addr->ifa_prefixlen = 128;
    addr->ifa_index = LO;
    add(&r, IFA_LOCAL, &loopback, sizeof loopback);
    return ask(fd, &r);
}

static int add_address(int fd, const struct weir_addr *address)
{
    bool is_v4 = weir_addr_is_v4(address);
    size_t len = is_v4 ? 4 : sizeof address->b;
    struct request r;
    struct ifaddrmsg *addr = begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof *addr);

    addr->ifa_family = is_v4 ? AF_INET : AF_INET6;
    addr->ifa_prefixlen = (uint8_t)(8 * len);
    addr->ifa_index = LO;
    if (!is_v4)
        addr->ifa_flags = IFA_F_NODAD; /* nobody else is there */
    add(&r, IFA_LOCAL, address->b + sizeof address->b - len, len);
    return ask(fd, &r);
}

static int add_local_route(int fd, uint32_t address)
{
    int out = LO;
    struct request r;
    struct rtmsg *route = begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof *route);

    route->rtm_family = AF_INET;
    route->rtm_dst_len = 32;
    route->rtm_table = RT_TABLE_LOCAL;
    route->rtm_protocol = RTPROT_STATIC;
    route->rtm_scope = RT_SCOPE_HOST;
    route->rtm_type = RTN_LOCAL;
    add(&r, RTA_DST, &address, sizeof address);
    add(&r, RTA_OIF, &out, sizeof out);
    return ask(fd, &r);
}

int netns_face(struct netns *n, const struct netns_face *face)
{
    int fd, v;

    if (n->maker < 0)
        return 0;
    fd = netns_socket(n, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (fd < 0)
        return fd;
    v = lo_up(fd);
    if (!face->has_ip6_loopback)
        (void)drop_ip6_loopback(fd); /* a kernel without IPv6 has none */
    for (int i = 0; v == 0 && i < face->addresses; i++)
        if ((v = add_address(fd, &face->address[i])) == -EEXIST ||
            (v < 0 && !weir_addr_is_v4(&face->address[i])))
            v = 0; /* the same kernel: programs do without */
    for (int i = 0; v == 0 && i < face->servers; i++)
        if ((v = add_local_route(fd, face->server[i])) == -EEXIST)
            v = 0;
    close(fd);
    return v;
}
