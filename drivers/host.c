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
        host_tell_about(fd);
        host_tell_errors(fd);
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
    if (type == SOCK_DGRAM) {
        host_tell_about(fd);
        host_tell_errors(fd);
    }
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
