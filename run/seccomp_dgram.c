/* The seccomp door: datagrams with an address. Those of a connected socket, which need none, are
 * not told of.
 *
 * Knows: that a bare carrier's sender is in the name it comes from. Shape: out through the daemon's
 * socket for datagrams with a header, as the preload door's; in from the carrier's queue. Units:
 * bytes. Errors: -errno. Cost: two copies of the datagram. */
#include "run/seccomp.h"

#include <fcntl.h>

#define DATAGRAM_MAX 65536

static char data[DATAGRAM_MAX];

long call_sendto(const struct call *c, const struct fd_id *id)
{
    struct iovec iov = {data, c->args[2]};
    struct msghdr m = {.msg_name = (void *)(uintptr_t)c->args[4],
                       .msg_namelen = (socklen_t)c->args[5],
                       .msg_iov = &iov,
                       .msg_iovlen = 1};
    int v;

    if (iov.iov_len > sizeof data)
        return -EMSGSIZE;
    if ((v = user_read(data, (void *)(uintptr_t)c->args[1], iov.iov_len)) < 0)
        return v;
    v = (int)dgram_send(c->fd, id, &m, (int)c->args[3]);
    return v < 0 ? -errno : v;
}

/* Whose name is on it: a sender's, or the peer's. */
static int sender_of(const struct fd_id *id, const struct sockaddr_un *un, socklen_t len,
                     struct run_addr *from)
{
    struct run_ask ask = {.op = RUN_GETPEERNAME};
    struct run_answer answer;
    char rest[sizeof un->sun_path];
    struct name_accepted ends;
    int v;

    if (name_rest(un, len, door_daemon, rest) && rest[0] == 'f') {
        rest[0] = 'p';
        if (!name_accepted_parse(rest, &ends))
            return -ENETDOWN;
        *from = (struct run_addr){.port = ends.peer.port, .addr = ends.peer.addr};
        return 0;
    }
    if ((v = door_ask_about(id, &ask, &answer)) == 0)
        *from = answer.addr;
    return v;
}

long call_recvfrom(const struct call *c, const struct fd_id *id)
{
    int flags = (int)c->args[3], v;
    size_t len = c->args[2] < sizeof data ? c->args[2] : sizeof data, put;
    struct sockaddr_un un;
    socklen_t un_len = sizeof un;
    struct run_addr from;
    ssize_t n = recvfrom(c->fd, data, len, flags | MSG_DONTWAIT, (struct sockaddr *)&un, &un_len);

    if (n < 0 && errno == EAGAIN && !(flags & MSG_DONTWAIT) &&
        !(fcntl(c->fd, F_GETFL) & O_NONBLOCK))
        return DOOR_LATER;
    if (n < 0)
        return -errno;
    put = (size_t)n < len ? (size_t)n : len;
    if ((v = sender_of(id, &un, un_len, &from)) < 0 ||
        (v = user_write((void *)(uintptr_t)c->args[1], data, put)) < 0 ||
        (v = addr_to_user(&from, id->family, (void *)(uintptr_t)c->args[4],
                          (void *)(uintptr_t)c->args[5])) < 0)
        return v;
    return n;
}
