/* The preload door: connect.
 *
 * Knows: when a carrier is connected to the daemon, and what it holds meanwhile. Shape: the carrier
 * first, then the question, which a blocking connect waits for. AF_UNIX has no way back from
 * connected, so a second try takes a new carrier at the same descriptor. Units: none. Errors: errno
 * as Linux's TCP and UDP give it. Cost: one exchange with the daemon. */
#include "run/preload.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* The carrier's own connection; a full backlog of the daemon's means wait a little. */
static int connect_carrier(int fd)
{
    struct sockaddr_un un;
    socklen_t len = name_set(&un, preload_daemon, "data");

    for (int i = 0; i < 5000; i++) {
        if (REAL(connect)(fd, (struct sockaddr *)&un, len) == 0)
            return 0;
        if (errno == EISCONN)
            return 0;
        if (errno == EINVAL) /* it listens */
            return -EISCONN;
        if (errno != EAGAIN && errno != EINTR)
            return -ENETDOWN;
        poll(NULL, 0, 1);
    }
    return -ENETDOWN;
}

/* Until the daemon has drained this, the carrier does not poll writable. */
static void fill_carrier(int fd)
{
    static const char filler[RUN_FILLER];

    (void)!REAL(send)(fd, filler, sizeof filler, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Its options and port are those of a new socket; what watched the old one (epoll, a dup) does not
 * see it. */
static int renew(int fd, struct fd_id *id)
{
    int flags = fcntl(fd, F_GETFL) & O_NONBLOCK ? SOCK_NONBLOCK : 0;
    int on_exec = fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0;
    int made = preload_carrier(id->family, SOCK_STREAM, flags);

    if (made < 0)
        return -errno;
    dup3(made, fd, on_exec);
    REAL(close)(made);
    preload_id(fd, id);
    return 0;
}

/* A signal or SO_SNDTIMEO ends the wait, not the handshake: from here on the carrier must look like
 * one whose connect never waited. */
static int wait_no_more(int fd, const struct fd_id *id, struct run_ask *ask, int why)
{
    struct run_answer answer;
    int v;

    ask->number = RUN_WAIT_NO_MORE;
    v = preload_ask_about(id, ask, &answer);
    if (v != -EINPROGRESS)
        return v;
    fill_carrier(fd);
    return why == -EINTR ? -EINTR : -EINPROGRESS;
}

static int connect_first(int fd, const struct fd_id *id, struct run_ask *ask)
{
    struct timeval wait = {.tv_sec = 0};
    struct run_answer answer;
    socklen_t len = sizeof wait;
    bool is_blocking = !(fcntl(fd, F_GETFL) & O_NONBLOCK);
    int v;

    if ((v = connect_carrier(fd)) < 0)
        return v;
    memcpy(ask->id, id->id, sizeof ask->id);
    ask->number = is_blocking ? RUN_WAIT : RUN_NO_WAIT;
    if (!is_blocking) {
        fill_carrier(fd);
        return preload_ask(ask, &answer);
    }
    REAL(getsockopt)(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, &len);
    v = preload_ask_wait(ask, &answer, &wait);
    return v == -EINTR || v == -EAGAIN ? wait_no_more(fd, id, ask, v) : v;
}

static int connect_stream(int fd, struct fd_id *id, struct run_ask *ask)
{
    struct run_answer answer;
    struct sockaddr_un un;
    socklen_t len = sizeof un;
    int v;

    if (REAL(getpeername)(fd, (struct sockaddr *)&un, &len) < 0)
        return ask->addr.family ? connect_first(fd, id, ask) : 0;
    ask->number = RUN_NO_WAIT;
    v = preload_ask_about(id, ask, &answer); /* the daemon knows how it went */
    if (!ask->addr.family)
        return v < 0 && v != -ENOTCONN ? v : renew(fd, id);
    if (v != -ENOTCONN || (v = renew(fd, id)) < 0)
        return v;
    return connect_first(fd, id, ask);
}

static int connect_dgram(int fd, const struct fd_id *id, struct run_ask *ask)
{
    struct run_answer answer;
    int v = preload_ask_about(id, ask, &answer);

    if (v >= 0)
        dgram_mark(fd, ask->addr.family != 0);
    return v;
}

EXPORT int connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    struct run_ask ask = {.op = RUN_CONNECT};
    struct fd_id id;

    if (preload_id(fd, &id) == FD_FOREIGN)
        return REAL(connect)(fd, sa, len);
    if (!addr_from_user(sa, len, &ask.addr))
        return preload_result(-EAFNOSUPPORT);
    if (id.kind == FD_ACCEPTED && ask.addr.family)
        return preload_result(-EISCONN);
    return preload_result(id.kind == FD_DGRAM ? connect_dgram(fd, &id, &ask)
                                              : connect_stream(fd, &id, &ask));
}
