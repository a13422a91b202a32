/* Reading and writing: streams pass straight through, datagrams get their header.
 *
 * Knows: that a stream's end may have a reason which only the daemon knows, and that a datagram
 * carrier's messages begin with struct run_dgram. Shape: one test of a flag before the kernel's
 * call, one of its result after it. Units: bytes. Errors: errno. Cost: nothing for streams but at
 * their end; one refused call more for a write to a file. */
#include "run/door.h"

#include <netinet/tcp.h>
#include <signal.h>
#include <sys/uio.h>
#include <unistd.h>

/* A read gave 0: is that the end of the stream, or was the connection ended? */
ssize_t stream_end(int fd)
{
    struct run_ask ask = {.op = RUN_REASON};
    struct run_answer answer;
    struct fd_id id;
    int v;

    if (!door_daemon)
        return 0;
    if (door_id(fd, &id) != FD_STREAM && id.kind != FD_ACCEPTED)
        return 0;
    memcpy(ask.id, id.id, sizeof ask.id);
    v = door_ask(&ask, &answer);
    if (v >= 0)
        return 0;
    errno = -v;
    return -1;
}

/* What a carrier says otherwise than a TCP socket: how a connection ended, and that there never was
 * one. */
ssize_t stream_received(int fd, ssize_t n, size_t len, int flags)
{
    struct fd_id id;

    if (n == 0 && len)
        return stream_end(fd);
    if (n >= 0 || (errno != ECONNRESET && errno != EINVAL) || door_id(fd, &id) == FD_FOREIGN)
        return n;
    if (errno == ECONNRESET) /* the carrier's end came before it was empty */
        return stream_end(fd);
    if (id.kind == FD_STREAM && (!(flags & MSG_OOB) || door_is_listening(fd)) &&
        stream_end(fd) == 0)
        errno = ENOTCONN;
    return n;
}

/* A write that nobody reads: the connection's own error is told first, and once, without a signal.
 * So the kernel was asked for none, and what it would have raised is raised here. A write that
 * waits for room while the daemon lets go of bytes that it never took gets ECONNRESET. */
ssize_t stream_sent(int fd, ssize_t n, int flags)
{
    struct fd_id id;

    if (n >= 0 || (errno != EPIPE && errno != ENOTCONN && errno != ECONNRESET))
        return n;
    if (errno == ECONNRESET && door_id(fd, &id) == FD_FOREIGN) {
        errno = ECONNRESET;
        return -1;
    }
    if (errno == ECONNRESET)
        errno = EPIPE;
    if (errno == EPIPE && stream_end(fd) < 0 && errno != EPIPE)
        return -1;
    if (errno == ENOTCONN && door_id(fd, &id) != FD_STREAM)
        return -1;
    if (!(flags & MSG_NOSIGNAL))
        raise(SIGPIPE);
    errno = EPIPE;
    return -1;
}

static ssize_t receive_plain(int fd, const struct fd_id *id, void *data, size_t len, int flags)
{
    struct iovec iov = {data, len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    return dgram_receive(fd, id, &m, flags);
}

static ssize_t send_plain(int fd, const struct fd_id *id, const void *data, size_t len, int flags)
{
    struct iovec iov = {(void *)data, len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    return dgram_send(fd, id, &m, flags);
}

EXPORT ssize_t read(int fd, void *data, size_t len)
{
    struct fd_id id;

    if (door_is_dgram(fd, &id))
        return receive_plain(fd, &id, data, len, 0);
    return stream_received(fd, REAL(read)(fd, data, len), len, 0);
}

EXPORT ssize_t recv(int fd, void *data, size_t len, int flags)
{
    struct fd_id id;

    if (door_is_dgram(fd, &id))
        return receive_plain(fd, &id, data, len, flags);
    return stream_received(fd, REAL(recv)(fd, data, len, flags), len, flags);
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count)
{
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    struct fd_id id;

    if (door_is_dgram(fd, &id))
        return dgram_receive(fd, &id, &m, 0);
    return stream_received(fd, REAL(readv)(fd, iov, count), 1, 0);
}

EXPORT ssize_t recvfrom(int fd, void *data, size_t len, int flags, struct sockaddr *sa,
                        socklen_t *sa_len)
{
    struct iovec iov = {data, len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    struct fd_id id;
    ssize_t n;

    if (door_is_dgram(fd, &id)) {
        m.msg_name = sa;
        m.msg_namelen = sa && sa_len ? *sa_len : 0;
        n = dgram_receive(fd, &id, &m, flags);
        if (n >= 0 && sa && sa_len)
            *sa_len = m.msg_namelen;
        return n;
    }
    if (sa && door_id(fd, &id) != FD_FOREIGN) { /* a stream names nobody */
        n = REAL(recv)(fd, data, len, flags);
        if (sa_len)
            *sa_len = 0;
    } else {
        n = REAL(recvfrom)(fd, data, len, flags, sa, sa_len);
    }
    return stream_received(fd, n, len, flags);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    struct fd_id id;
    ssize_t n;

    if (door_is_dgram(fd, &id))
        return dgram_receive(fd, &id, m, flags);
    if (flags & MSG_ERRQUEUE && door_id(fd, &id) != FD_FOREIGN)
        return cmsg_error(fd, &id, m);
    n = stream_received(fd, REAL(recvmsg)(fd, m, flags), m->msg_iovlen, flags);
    if (n >= 0 && m->msg_name && m->msg_namelen && door_id(fd, &id) != FD_FOREIGN)
        m->msg_namelen = 0; /* a stream names nobody */
    return n;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *v, unsigned count, int flags, struct timespec *timeout)
{
    struct fd_id id;
    unsigned done = 0;

    if (!door_is_dgram(fd, &id))
        return REAL(recvmmsg)(fd, v, count, flags, timeout);
    for (; done < count; done++) {
        int more = done ? MSG_DONTWAIT : 0;
        ssize_t n = dgram_receive(fd, &id, &v[done].msg_hdr, (flags & ~MSG_WAITFORONE) | more);
        if (n < 0)
            break;
        v[done].msg_len = (unsigned)n;
    }
    return done ? (int)done : -1;
}

EXPORT ssize_t write(int fd, const void *data, size_t len)
{
    struct fd_id id;
    ssize_t n;

    if (door_is_dgram(fd, &id))
        return send_plain(fd, &id, data, len, 0);
    if (!door_daemon)
        return REAL(write)(fd, data, len);
    n = REAL(send)(fd, data, len, MSG_NOSIGNAL);
    if (n < 0 && errno == ENOTSOCK)
        return REAL(write)(fd, data, len);
    return stream_sent(fd, n, 0);
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    struct fd_id id;
    ssize_t n;

    if (door_is_dgram(fd, &id))
        return dgram_send(fd, &id, &m, 0);
    if (!door_daemon || count < 0)
        return REAL(writev)(fd, iov, count);
    n = REAL(sendmsg)(fd, &m, MSG_NOSIGNAL);
    if (n < 0 && (errno == ENOTSOCK || errno == EMSGSIZE))
        return REAL(writev)(fd, iov, count);
    return stream_sent(fd, n, 0);
}

EXPORT ssize_t send(int fd, const void *data, size_t len, int flags)
{
    struct fd_id id;

    if (door_is_dgram(fd, &id))
        return send_plain(fd, &id, data, len, flags);
    return stream_sent(fd, REAL(send)(fd, data, len, flags | MSG_NOSIGNAL), flags);
}

/* MSG_FASTOPEN: connect, and the SYN takes along what is written then, if a cookie is known. */
static int open_fast(int fd, const struct sockaddr *sa, socklen_t len)
{
    int on = 1;

    if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof on) < 0) {
        errno = errno == EINVAL ? EISCONN : errno;
        return -1;
    }
    return connect(fd, sa, len);
}

EXPORT ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *sa,
                      socklen_t sa_len)
{
    struct iovec iov = {(void *)data, len};
    struct msghdr m = {
        .msg_name = (void *)sa, .msg_namelen = sa_len, .msg_iov = &iov, .msg_iovlen = 1};
    struct fd_id id;

    if (door_is_dgram(fd, &id))
        return dgram_send(fd, &id, &m, flags);
    if (sa && flags & MSG_FASTOPEN && door_id(fd, &id) != FD_FOREIGN &&
        open_fast(fd, sa, sa_len) < 0)
        return -1;
    if (sa && door_id(fd, &id) != FD_FOREIGN)
        return send(fd, data, len,
                    flags & ~MSG_FASTOPEN); /* a connected stream ignores the address */
    return stream_sent(fd, REAL(sendto)(fd, data, len, flags | MSG_NOSIGNAL, sa, sa_len), flags);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct msghdr plain;
    struct fd_id id;

    if (door_is_dgram(fd, &id))
        return dgram_send(fd, &id, m, flags);
    if (m && m->msg_name && flags & MSG_FASTOPEN && door_id(fd, &id) != FD_FOREIGN &&
        open_fast(fd, m->msg_name, m->msg_namelen) < 0)
        return -1;
    if (m && (m->msg_name || m->msg_control) && door_id(fd, &id) != FD_FOREIGN) {
        plain = *m; /* a connected stream ignores the address, and carries no descriptors */
        plain.msg_name = plain.msg_control = NULL;
        plain.msg_namelen = 0;
        plain.msg_controllen = 0;
        m = &plain;
    }
    return stream_sent(fd, REAL(sendmsg)(fd, m, flags | MSG_NOSIGNAL), flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *v, unsigned count, int flags)
{
    struct fd_id id;
    unsigned done = 0;

    if (!door_is_dgram(fd, &id))
        return REAL(sendmmsg)(fd, v, count, flags);
    for (; done < count; done++) {
        ssize_t n = dgram_send(fd, &id, &v[done].msg_hdr, flags);
        if (n < 0)
            break;
        v[done].msg_len = (unsigned)n;
    }
    return done ? (int)done : -1;
}
