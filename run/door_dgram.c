/* Datagrams: each message on a datagram carrier begins with struct run_dgram, where to or where
 * from.
 *
 * Knows: that header; door_cmsg.c what else is in it than an address. Shape: the caller's slices
 * with one more in front. Units: bytes. Errors: errno. Cost: one slice more. */
#include "run/door.h"

#include <sys/uio.h>

#define SLICES_MAX 1023   /* the kernel's 1024 less the header */
#define PAYLOAD_MAX 65507 /* of a datagram over IPv4 */

bool door_reads_errors;

bool dgram_has_error(int fd)
{
    struct run_dgram head;

    return REAL(recv)(fd, &head, sizeof head, MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof head &&
           head.addr.spare;
}

/* Whether it has a peer, where every process that holds the carrier sees it: nobody else has a use
 * for the priority of an AF_UNIX socket. */
void dgram_mark(int fd, bool is_connected)
{
    int mark = is_connected;

    REAL(setsockopt)(fd, SOL_SOCKET, SO_PRIORITY, &mark, sizeof mark);
}

bool dgram_is_marked(int fd)
{
    int mark = 0;
    socklen_t len = sizeof mark;

    return REAL(getsockopt)(fd, SOL_SOCKET, SO_PRIORITY, &mark, &len) == 0 && mark;
}

static size_t payload_len(const struct msghdr *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->msg_iovlen; i++)
        n += m->msg_iov[i].iov_len;
    return n;
}

static size_t with_header(struct iovec out[SLICES_MAX + 1], struct run_dgram *head,
                          const struct msghdr *m)
{
    out[0] = (struct iovec){head, sizeof *head};
    if (m->msg_iovlen)
        memcpy(out + 1, m->msg_iov, m->msg_iovlen * sizeof out[0]);
    return m->msg_iovlen + 1;
}

ssize_t dgram_send(int fd, const struct fd_id *id, const struct msghdr *m, int flags)
{
    struct run_dgram head = {.ttl = -1, .tos = -1};
    struct iovec iov[SLICES_MAX + 1];
    struct sockaddr_un un;
    struct msghdr out = {.msg_iov = iov};
    ssize_t n;

    if (m->msg_iovlen > SLICES_MAX || payload_len(m) > PAYLOAD_MAX)
        return door_result(-EMSGSIZE);
    if (m->msg_name && (n = addr_from_user(id, ADDR_SEND, m->msg_name, m->msg_namelen, &head.addr)))
        return door_result((int)n);
    if (head.addr.family && !head.addr.port)
        return door_result(-EINVAL);
    if (!head.addr.family && !dgram_is_marked(fd))
        return door_result(-EDESTADDRREQ);
    if (m->msg_controllen && (n = cmsg_to_send(id, m, &head)))
        return door_result((int)n);
    out.msg_iovlen = with_header(iov, &head, m);
    if (id->id[0] == 'b') { /* wherever it is connected to */
        out.msg_name = &un;
        out.msg_namelen = name_set(&un, door_daemon, "dgram");
    }
    n = REAL(sendmsg)(fd, &out, flags | MSG_NOSIGNAL);
    if (n < 0 && (errno == ENOTCONN || errno == ECONNREFUSED))
        errno = ENETDOWN; /* the daemon is gone */
    return n < 0 ? n : n - (ssize_t)sizeof head;
}

ssize_t dgram_receive(int fd, const struct fd_id *id, struct msghdr *m, int flags)
{
    struct run_dgram head;
    struct iovec iov[SLICES_MAX + 1];
    struct msghdr in = {
        .msg_iov = iov, .msg_control = m->msg_control, .msg_controllen = m->msg_controllen};
    ssize_t n;
    int v;

    if (m->msg_iovlen > SLICES_MAX)
        return door_result(-EMSGSIZE);
    if (flags & MSG_ERRQUEUE)
        return cmsg_error(fd, id, m);
    in.msg_iovlen = with_header(iov, &head, m);
    n = REAL(recvmsg)(fd, &in, flags);
    if (n < 0)
        return n;
    m->msg_flags = in.msg_flags;
    if (n < (ssize_t)sizeof head)
        return door_result(-EAGAIN);
    if (m->msg_name)
        addr_to_user(&head.addr, id->family, m->msg_name, &m->msg_namelen);
    if (head.addr.spare) /* not a datagram: the socket's error, an errno */
        return door_result(-(int)head.addr.spare);
    v = cmsg_received(&head, m, in.msg_controllen);
    return v < 0 ? door_result(v) : n - (ssize_t)sizeof head;
}
