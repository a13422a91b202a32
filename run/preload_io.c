/* Reading and writing: streams pass straight through, datagrams get their header.
 *
 * Knows: that a stream's end may have a reason which only the daemon knows, and that a datagram
 * carrier's messages begin with struct run_dgram. Shape: one test of a flag before the kernel's
 * call, one of its result after it. Units: bytes. Errors: errno. Cost: nothing for streams but at
 * their end. */
#include "run/preload.h"

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

    if (!preload_daemon)
        return 0;
    if (preload_id(fd, &id) != FD_STREAM && id.kind != FD_ACCEPTED)
        return 0;
    memcpy(ask.id, id.id, sizeof ask.id);
    v = preload_ask(&ask, &answer);
    if (v >= 0)
        return 0;
    errno = -v;
    return -1;
}

/* What a carrier says otherwise than a TCP socket that was never connected. */
static ssize_t received(int fd, ssize_t n, size_t len)
{
    struct fd_id id;

    if (n == 0 && len)
        return stream_end(fd);
    if (n < 0 && errno == EINVAL && preload_id(fd, &id) == FD_STREAM)
        errno = ENOTCONN;
    return n;
}

/* A write that nobody reads: the connection's own error is told first, and once. */
static ssize_t sent(int fd, ssize_t n, int flags)
{
    struct fd_id id;
    int error = errno;

    if (n >= 0)
        return n;
    if (error == EPIPE && stream_end(fd) < 0)
        return -1;
    errno = error;
    if (error != ENOTCONN || preload_id(fd, &id) != FD_STREAM)
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

static ssize_t send_plain(int fd, const void *data, size_t len, int flags)
{
    struct iovec iov = {(void *)data, len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    return dgram_send(fd, &m, flags);
}

EXPORT ssize_t read(int fd, void *data, size_t len)
{
    struct fd_id id;

    if (preload_is_dgram(fd, &id))
        return receive_plain(fd, &id, data, len, 0);
    return received(fd, REAL(read)(fd, data, len), len);
}

EXPORT ssize_t recv(int fd, void *data, size_t len, int flags)
{
    struct fd_id id;

    if (preload_is_dgram(fd, &id))
        return receive_plain(fd, &id, data, len, flags);
    return received(fd, REAL(recv)(fd, data, len, flags), len);
}

EXPORT ssize_t readv(int fd, const struct iovec *iov, int count)
{
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    struct fd_id id;

    if (preload_is_dgram(fd, &id))
        return dgram_receive(fd, &id, &m, 0);
    return received(fd, REAL(readv)(fd, iov, count), 1);
}

EXPORT ssize_t recvfrom(int fd, void *data, size_t len, int flags, struct sockaddr *sa,
                        socklen_t *sa_len)
{
    struct iovec iov = {data, len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    struct fd_id id;
    ssize_t n;

    if (preload_is_dgram(fd, &id)) {
        m.msg_name = sa;
        m.msg_namelen = sa && sa_len ? *sa_len : 0;
        n = dgram_receive(fd, &id, &m, flags);
        if (n >= 0 && sa && sa_len)
            *sa_len = m.msg_namelen;
        return n;
    }
    if (sa && preload_id(fd, &id) != FD_FOREIGN) { /* a stream names nobody */
        n = REAL(recv)(fd, data, len, flags);
        if (sa_len)
            *sa_len = 0;
    } else {
        n = REAL(recvfrom)(fd, data, len, flags, sa, sa_len);
    }
    return received(fd, n, len);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    struct fd_id id;

    if (preload_is_dgram(fd, &id))
        return dgram_receive(fd, &id, m, flags);
    return received(fd, REAL(recvmsg)(fd, m, flags), m->msg_iovlen);
}

EXPORT int recvmmsg(int fd, struct mmsghdr *v, unsigned count, int flags, struct timespec *timeout)
{
    struct fd_id id;
    unsigned done = 0;

    if (!preload_is_dgram(fd, &id))
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

    if (preload_is_dgram(fd, &id))
        return send_plain(fd, data, len, 0);
    return sent(fd, REAL(write)(fd, data, len), 0);
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)count};
    struct fd_id id;

    if (preload_is_dgram(fd, &id))
        return dgram_send(fd, &m, 0);
    return sent(fd, REAL(writev)(fd, iov, count), 0);
}

EXPORT ssize_t send(int fd, const void *data, size_t len, int flags)
{
    struct fd_id id;

    if (preload_is_dgram(fd, &id))
        return send_plain(fd, data, len, flags);
    return sent(fd, REAL(send)(fd, data, len, flags), flags);
}

EXPORT ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *sa,
                      socklen_t sa_len)
{
    struct iovec iov = {(void *)data, len};
    struct msghdr m = {
        .msg_name = (void *)sa, .msg_namelen = sa_len, .msg_iov = &iov, .msg_iovlen = 1};
    struct fd_id id;

    if (preload_is_dgram(fd, &id))
        return dgram_send(fd, &m, flags);
    if (sa && preload_id(fd, &id) != FD_FOREIGN)
        return send(fd, data, len, flags); /* a connected stream ignores the address */
    return sent(fd, REAL(sendto)(fd, data, len, flags, sa, sa_len), flags);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct fd_id id;

    if (preload_is_dgram(fd, &id))
        return dgram_send(fd, m, flags);
    return sent(fd, REAL(sendmsg)(fd, m, flags), flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *v, unsigned count, int flags)
{
    struct fd_id id;
    unsigned done = 0;

    if (!preload_is_dgram(fd, &id))
        return REAL(sendmmsg)(fd, v, count, flags);
    for (; done < count; done++) {
        ssize_t n = dgram_send(fd, &v[done].msg_hdr, flags);
        if (n < 0)
            break;
        v[done].msg_len = (unsigned)n;
    }
    return done ? (int)done : -1;
}

/* A carrier that is not connected would be shut and say nothing. */
EXPORT int shutdown(int fd, int how)
{
    struct sockaddr_un un;
    socklen_t len = sizeof un, is_listening_len = sizeof(int);
    int is_listening = 0;
    struct fd_id id;

    if (preload_id(fd, &id) == FD_STREAM &&
        REAL(getpeername)(fd, (struct sockaddr *)&un, &len) < 0) {
        REAL(getsockopt)(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &is_listening_len);
        if (!is_listening)
            return preload_result(-ENOTCONN);
    }
    return REAL(shutdown)(fd, how);
}
