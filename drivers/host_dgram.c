/* The host's sockets: one datagram with what is said of it, and the ICMP errors that came of some.
 *
 * Knows: control messages of ip(7) and ipv6(7). Not who uses the sockets. Shape: what is not to be
 * said is left out, and the host chooses. Units: bytes. Errors: -errno. Cost: one system call. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* struct in6_pktinfo */
#endif
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>

#define NUMBER CMSG_SPACE(sizeof(int))

union control {
    struct cmsghdr align;
    uint8_t room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo)) +
                 4 * NUMBER];
};

enum { V4_TOO_BIG = 4, V4_UNREACH = 3, V6_TOO_BIG = 2 }; /* 792, 4443 */

void host_tell_about(int fd)
{
    host_set(fd, IPPROTO_IP, IP_RECVTTL, 1);
    host_set(fd, IPPROTO_IP, IP_RECVTOS, 1);
    host_set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
    host_set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
}

void host_tell_errors(int fd)
{
    host_set(fd, IPPROTO_IP, IP_RECVERR, 1);
    host_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

/* -- received ---------------------------------------------------------------------------------- */

/* IPv4's TOS comes in one byte, all else in an int. */
static int number_of(struct cmsghdr *c)
{
    int value = 0;

    if (c->cmsg_len < CMSG_LEN(sizeof value))
        return *(const uint8_t *)CMSG_DATA(c);
    memcpy(&value, CMSG_DATA(c), sizeof value);
    return value;
}

static void take_ip4(struct cmsghdr *c, struct host_about *about)
{
    struct in_pktinfo info;

    switch (c->cmsg_type) {
    case IP_PKTINFO:
        memcpy(&info, CMSG_DATA(c), sizeof info);
        about->ours = weir_addr_v4(ntohl(info.ipi_addr.s_addr));
        break;
    case IP_TTL:
        about->ttl = number_of(c);
        break;
    case IP_TOS:
        about->tos = number_of(c);
        break;
    default:
        break;
    }
}

static void take_ip6(struct cmsghdr *c, struct host_about *about)
{
    struct in6_pktinfo info;

    switch (c->cmsg_type) {
    case IPV6_PKTINFO:
        memcpy(&info, CMSG_DATA(c), sizeof info);
        memcpy(about->ours.b, &info.ipi6_addr, sizeof info.ipi6_addr);
        break;
    case IPV6_HOPLIMIT:
        about->ttl = number_of(c);
        break;
    case IPV6_TCLASS:
        about->tos = number_of(c);
        break;
    default:
        break;
    }
}

ssize_t host_recv_datagram(int fd, void *data, size_t size, struct weir_sockaddr *peer,
                           struct host_about *about)
{
    union host_addr address;
    union control control;
    struct iovec iov = {data, size};
    struct msghdr m = {.msg_name = &address,
                       .msg_namelen = sizeof address,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

    if (n < 0)
        return -errno;
    host_addr_to(peer, &address);
    *about = (struct host_about){.ttl = -1, .tos = -1};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == IPPROTO_IP)
            take_ip4(c, about);
        else if (c->cmsg_level == IPPROTO_IPV6)
            take_ip6(c, about);
    }
    return n;
}

/* -- sent -------------------------------------------------------------------------------------- */

/* `what` has the bytes of data for its length. */
static void add(struct msghdr *m, union control *control, const struct cmsghdr *what,
                const void *data)
{
    uint8_t *at = control->room + m->msg_controllen;
    size_t len = what->cmsg_len;
    struct cmsghdr head = {CMSG_LEN(len), what->cmsg_level, what->cmsg_type};

    memcpy(at, &head, sizeof head);
    memcpy(at + CMSG_LEN(0), data, len);
    m->msg_control = control;
    m->msg_controllen += CMSG_SPACE(len);
}

static void add_hops(struct msghdr *m, union control *control, const struct host_about *about,
                     bool is_v4)
{
    int level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
    struct cmsghdr ttl = {sizeof about->ttl, level, is_v4 ? IP_TTL : IPV6_HOPLIMIT};
    struct cmsghdr tos = {sizeof about->tos, level, is_v4 ? IP_TOS : IPV6_TCLASS};

    if (about->ttl > 0)
        add(m, control, &ttl, &about->ttl);
    if (about->tos > 0)
        add(m, control, &tos, &about->tos);
}

/* The control message that names the source address, for a destination of the same family. */
static void add_source(struct msghdr *m, union control *control, const struct weir_addr *ours)
{
    struct cmsghdr six = {sizeof(struct in6_pktinfo), IPPROTO_IPV6, IPV6_PKTINFO};
    struct cmsghdr four = {sizeof(struct in_pktinfo), IPPROTO_IP, IP_PKTINFO};
    struct in6_pktinfo v6 = {0};
    struct in_pktinfo v4 = {0};

    memcpy(&v4.ipi_spec_dst, ours->b + 12, 4);
    memcpy(&v6.ipi6_addr, ours->b, 16);
    if (weir_addr_is_v4(ours))
        add(m, control, &four, &v4);
    else
        add(m, control, &six, &v6);
}

/* A socket of both families wants even an IPv4 destination in the IPv6 form. */
static socklen_t destination(int fd, union host_addr *out, const struct weir_sockaddr *peer)
{
    int family = 0;
    socklen_t len = sizeof family;

    (void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
    if (family != AF_INET6)
        return host_addr_from(out, peer);
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(peer->port)};
    memcpy(&v6.sin6_addr, peer->addr.b, 16);
    memset(out, 0, sizeof *out);
    memcpy(out, &v6, sizeof v6);
    return sizeof v6;
}

static ssize_t send_about(int fd, struct msghdr *m, const struct host_about *about, bool is_v4)
{
    union control control = {.room = {0}};
    ssize_t n;

    m->msg_control = NULL;
    m->msg_controllen = 0;
    if (!weir_addr_is_any(&about->ours))
        add_source(m, &control, &about->ours);
    add_hops(m, &control, about, is_v4);
    n = sendmsg(fd, m, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? -errno : n;
}

ssize_t host_send_datagram(int fd, const struct iovec *data, const struct weir_sockaddr *peer,
                           const struct host_about *about)
{
    struct host_about other = *about;
    union host_addr address;
    struct iovec iov = *data;
    struct msghdr m = {.msg_name = &address, .msg_iov = &iov, .msg_iovlen = 1};
    bool is_v4 = weir_addr_is_v4(&peer->addr);
    ssize_t n;

    m.msg_namelen = destination(fd, &address, peer);
    n = send_about(fd, &m, about, is_v4);
    if (n >= 0 || weir_addr_is_any(&about->ours))
        return n;
    /* The host may not have that address: then it chooses one. */
    other.ours = (struct weir_addr){{{0}}};
    return send_about(fd, &m, &other, is_v4);
}

ssize_t host_send_connected(int fd, const struct iovec *data, const struct host_about *about,
                            bool is_v4)
{
    struct iovec iov = *data;
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    return send_about(fd, &m, about, is_v4);
}

/* -- what came of it --------------------------------------------------------------------------- */

static bool is_error(const struct cmsghdr *c)
{
    return (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR) ||
           (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR);
}

static void take_error(struct cmsghdr *c, struct host_icmp *out)
{
    bool is_v6 = c->cmsg_level == IPPROTO_IPV6, is_v4 = weir_addr_is_v4(&out->to.addr);
    struct sock_extended_err e;
    struct weir_sockaddr by;
    union host_addr name;

    memcpy(&e, CMSG_DATA(c), sizeof e);
    out->error = (int)e.ee_errno;
    out->type = e.ee_type;
    out->code = e.ee_code;
    if (e.ee_origin == SO_EE_ORIGIN_LOCAL) {
        out->type = is_v4 ? V4_UNREACH : V6_TOO_BIG;
        out->code = is_v4 ? V4_TOO_BIG : 0;
    }
    if (e.ee_errno == EMSGSIZE)
        out->mtu = e.ee_info;
    memset(&name, 0, sizeof name);
    memcpy(&name, CMSG_DATA(c) + sizeof e,
           is_v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
    if (name.any.sa_family == AF_UNSPEC)
        return;
    host_addr_to(&by, &name);
    out->by = by.addr;
}

ssize_t host_recv_error(int fd, void *data, size_t size, struct host_icmp *out)
{
    _Alignas(struct cmsghdr) uint8_t control[512];
    union host_addr to = {.room = {.ss_family = AF_UNSPEC}};
    struct iovec iov = {data, size};
    struct msghdr m = {.msg_name = &to,
                       .msg_namelen = sizeof to,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_ERRQUEUE);

    if (n < 0)
        return -errno;
    *out = (struct host_icmp){.error = 0};
    host_addr_to(&out->to, &to);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
        if (is_error(c))
            take_error(c, out);
    return n;
}
