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

/* What the kernel keeps for a carrier, and the program set. */
static void copy_options(int from, int to)
{
    static const int names[] = {SO_RCVTIMEO, SO_SNDTIMEO, SO_OOBINLINE, SO_RCVLOWAT};
    struct timeval value;
    socklen_t len;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        len = sizeof value;
        if (REAL(getsockopt)(from, SOL_SOCKET, names[i], &value, &len) == 0)
            REAL(setsockopt)(to, SOL_SOCKET, names[i], &value, len);
    }
}

/* What watched the old carrier (epoll, a dup, another process) does not see the new one. */
int preload_renew(int fd, struct fd_id *id)
{
    int flags = fcntl(fd, F_GETFL) & O_NONBLOCK ? SOCK_NONBLOCK : 0;
    int on_exec = fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0;
    int made = preload_carrier(id->family, SOCK_STREAM, flags), v;
    struct run_ask ask = {.op = RUN_RENEW};
    struct run_answer answer;
    struct fd_id new;

    if (made < 0)
        return -errno;
    preload_id(made, &new);
    ask.value_len = (uint32_t)strlen(new.id);
    memcpy(ask.value, new.id, ask.value_len);
    copy_options(fd, made);
    if ((v = preload_ask_about(id, &ask, &answer)) == 0)
        dup3(made, fd, on_exec);
    REAL(close)(made);
    *id = new;
    return v;
}

/* A signal or SO_SNDTIMEO ends the wait, not the handshake: from here on the carrier must look like
 * one whose connect never waited. */
static int wait_no_more(int fd, const struct fd_id *id, struct run_ask *ask, int why)
{
    struct run_answer answer;
    int v;

    ask->number = RUN_WAIT_NO_MORE;
    v = preload_ask_about(id, ask, &answer);
    if (v == -EALREADY) /* the filler of an earlier connect is still there */
        return why == -EINTR ? -EINTR : v;
    if (v != -EINPROGRESS)
        return v;
    fill_carrier(fd);
    return why == -EINTR ? -EINTR : -EINPROGRESS;
}

/* Waits for the outcome as a blocking connect does. */
static int ask_and_wait(int fd, const struct fd_id *id, struct run_ask *ask)
{
    struct timeval wait = {.tv_sec = 0};
    struct run_answer answer;
    socklen_t len = sizeof wait;
    int v;

    ask->number = RUN_WAIT;
    REAL(getsockopt)(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, &len);
    v = preload_ask_wait(ask, &answer, &wait);
    return v == -EINTR || v == -EAGAIN ? wait_no_more(fd, id, ask, v) : v;
}

static bool is_blocking(int fd)
{
    return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static int connect_first(int fd, const struct fd_id *id, struct run_ask *ask)
{
    struct run_answer answer;
    int v;

    if ((v = connect_carrier(fd)) < 0)
        return v;
    if (is_blocking(fd))
        return ask_and_wait(fd, id, ask);
    ask->number = RUN_NO_WAIT;
    fill_carrier(fd);
    return preload_ask(ask, &answer);
}

/* The carrier is connected: the daemon knows how it went. */
static int connect_more(int fd, const struct fd_id *id, struct run_ask *ask)
{
    struct run_answer answer;

    if (is_blocking(fd))
        return ask_and_wait(fd, id, ask);
    ask->number = RUN_NO_WAIT;
    return preload_ask(ask, &answer);
}

/* What came of it leaves the socket as if it never tried. */
static bool is_failure(int v)
{
    return v < 0 && v != -EINPROGRESS && v != -EALREADY && v != -EISCONN && v != -EINTR &&
           v != -ENETDOWN;
}

static int connect_stream(int fd, struct fd_id *id, struct run_ask *ask)
{
    struct sockaddr_un un;
    socklen_t len = sizeof un;
    bool is_connected = REAL(getpeername)(fd, (struct sockaddr *)&un, &len) == 0;
    int v;

    if (!ask->addr.family)
        return is_connected || preload_is_listening(fd) ? preload_renew(fd, id) : 0;
    memcpy(ask->id, id->id, sizeof ask->id);
    v = is_connected ? connect_more(fd, id, ask) : connect_first(fd, id, ask);
    if (is_failure(v))
        preload_renew(fd, id);
    return v;
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
    int v;

    if (preload_id(fd, &id) == FD_FOREIGN)
        return REAL(connect)(fd, sa, len);
    if ((v = addr_from_user(&id, ADDR_CONNECT, sa, len, &ask.addr)) < 0)
        return preload_result(v);
    if (id.kind == FD_ACCEPTED && ask.addr.family)
        return preload_result(-EISCONN);
    return preload_result(id.kind == FD_DGRAM ? connect_dgram(fd, &id, &ask)
                                              : connect_stream(fd, &id, &ask));
}
