/* The host's sockets: addresses there and back, and descriptors that never block.
 *
 * Knows: struct sockaddr and weir's. Not who uses the sockets.
 * Shape: every descriptor is non-blocking and closed on exec.
 * Units: none. Errors: -errno. Cost: system calls. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* struct in6_pktinfo */
#endif
#include "host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 4096 /* the kernel cuts it to net.core.somaxconn */

socklen_t host_addr_from(union host_addr *out, const struct weir_sockaddr *in)
{
    memset(out, 0, sizeof *out);
    if (weir_addr_is_v4(&in->addr)) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(in->port)};
        memcpy(&v4.sin_addr, in->addr.b + 12, 4);
        memcpy(out, &v4, sizeof v4);
        return sizeof v4;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(in->port)};
    memcpy(&v6.sin6_addr, in->addr.b, 16);
    memcpy(out, &v6, sizeof v6);
    return sizeof v6;
}

void host_addr_to(struct weir_sockaddr *out, const union host_addr *in)
{
    *out = (struct weir_sockaddr){0};
    if (in->any.sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)in;
        out->addr = weir_addr_v4(ntohl(v4->sin_addr.s_addr));
        out->port = ntohs(v4->sin_port);
        return;
    }
    const struct sockaddr_in6 *v6 = (const void *)in;
    memcpy(out->addr.b, &v6->sin6_addr, 16);
    out->port = ntohs(v6->sin6_port);
}

void host_set(int fd, int level, int option, int value)
{
    /* Each of them only makes things better; a kernel without one is no reason to stop. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

int host_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

void host_reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

bool host_is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

int host_socket(const struct weir_addr *addr, int type)
{
    int family = weir_addr_is_v4(addr) ? AF_INET : AF_INET6;
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    return fd < 0 ? -errno : fd;
}

static int connect_from(const struct weir_sockaddr *from, const struct weir_sockaddr *to, int type)
{
    union host_addr address;
    socklen_t len;
    int fd = host_socket(&to->addr, type);

    if (fd < 0)
        return fd;
    if (type == SOCK_STREAM) {
        host_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        host_set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    } else {
        host_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
    }
    if (from) {
        host_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        len = host_addr_from(&address, from);
        if (bind(fd, &address.any, len) < 0)
            goto fail;
    }
    len = host_addr_from(&address, to);
    if (connect(fd, &address.any, len) == 0 || errno == EINPROGRESS)
        return fd;
fail:;
    int error = errno;
    close(fd);
    return -error;
}

int host_connect(const struct weir_sockaddr *from, const struct weir_sockaddr *to, int type)
{
    int fd = connect_from(from, to, type);

    /* What the source can cause: not ours, taken, privileged, of no use for this destination. */
    if (fd == -EADDRNOTAVAIL || fd == -EADDRINUSE || fd == -EACCES || fd == -EINVAL ||
        fd == -ENETUNREACH || fd == -EPERM)
        fd = connect_from(NULL, to, type);
    return fd;
}

static int bind_and_listen(int fd, struct weir_sockaddr *at, int type)
{
    union host_addr address;
    socklen_t len = host_addr_from(&address, at);
    struct weir_sockaddr bound;

    if (bind(fd, &address.any, len) < 0)
        return -errno;
    if (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
        return -errno;
    len = sizeof address;
    if (getsockname(fd, &address.any, &len) < 0)
        return -errno;
    host_addr_to(&bound, &address);
    at->port = bound.port;
    return fd;
}

int host_listen(struct weir_sockaddr *at, int type, bool is_v6only)
{
    struct weir_sockaddr where = *at;
    int fd = host_socket(&where.addr, type);
    int r;

    /* A host without IPv6: "any, both families" is any IPv4 address. */
    if (fd == -EAFNOSUPPORT && weir_addr_is_any(&where.addr) && !is_v6only) {
        where.addr = weir_addr_v4(0);
        fd = host_socket(&where.addr, type);
    }
    if (fd < 0)
        return fd;
    if (!weir_addr_is_v4(&where.addr)) {
        host_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_v6only || !weir_addr_is_any(&where.addr));
        host_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    }
    host_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    /* A stream only disregards TIME-WAIT by it; datagrams would share the port in silence. */
    if (type == SOCK_STREAM)
        host_set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    r = bind_and_listen(fd, &where, type);
    if (r < 0)
        close(fd);
    else
        at->port = where.port;
    return r;
}

/* -- datagrams with both addresses ------------------------------------------------------------- */

union control {
    struct cmsghdr align;
    uint8_t room[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
};

ssize_t host_recv_datagram(int fd, void *data, size_t size, struct weir_sockaddr *peer,
                           struct weir_addr *ours)
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
    *ours = (struct weir_addr){{{0}}};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            *ours = weir_addr_v4(ntohl(info.ipi_addr.s_addr));
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            memcpy(ours->b, &info.ipi6_addr, 16);
        }
    }
    return n;
}

/* The control message that names the source address, for a destination of the same family. */
static void name_source(struct msghdr *m, union control *control, const struct weir_addr *ours)
{
    bool is_v4 = weir_addr_is_v4(ours);
    struct in_pktinfo v4 = {0};
    struct in6_pktinfo v6 = {0};
    struct cmsghdr *c = &control->align;
    size_t n = is_v4 ? sizeof v4 : sizeof v6;

    memcpy(&v4.ipi_spec_dst, ours->b + 12, 4);
    memcpy(&v6.ipi6_addr, ours->b, 16);
    m->msg_control = control;
    m->msg_controllen = CMSG_SPACE(n);
    c->cmsg_len = CMSG_LEN(n);
    c->cmsg_level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
    c->cmsg_type = is_v4 ? IP_PKTINFO : IPV6_PKTINFO;
    memcpy(CMSG_DATA(c), is_v4 ? (void *)&v4 : (void *)&v6, n);
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

ssize_t host_send_datagram(int fd, const void *data, size_t len, const struct weir_sockaddr *peer,
                           const struct weir_addr *ours)
{
    union host_addr address;
    union control control = {{0}};
    struct iovec iov = {(void *)(uintptr_t)data, len};
    struct msghdr m = {.msg_name = &address, .msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    m.msg_namelen = destination(fd, &address, peer);
    if (!weir_addr_is_any(ours)) {
        name_source(&m, &control, ours);
        n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0)
            return n;
        /* The host may not have that address: then it chooses one. */
        m.msg_control = NULL;
        m.msg_controllen = 0;
    }
    n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    return n < 0 ? -errno : n;
}
