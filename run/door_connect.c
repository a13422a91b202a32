/* Both doors: connect and shutdown.
 *
 * Knows: when a carrier is connected to the daemon, and what it holds meanwhile. Shape: the carrier
 * first, then the question, which a blocking connect waits for. AF_UNIX has no way back from
 * connected, so a second try takes a new carrier at the same descriptor. Units: none. Errors: errno
 * as Linux's TCP and UDP give it. Cost: one exchange with the daemon. */
#include "run/door.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

/* The carrier's own connection; a full backlog of the daemon's means wait a little. */
static int connect_carrier(int fd)
{
    struct sockaddr_un un;
    socklen_t len = name_set(&un, door_daemon, "data");

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
int door_renew(int fd, struct fd_id *id)
{
    int flags = fcntl(fd, F_GETFL) & O_NONBLOCK ? SOCK_NONBLOCK : 0;
    int made = door_carrier(id->family, SOCK_STREAM, flags), v;
    struct run_ask ask = {.op = RUN_RENEW};
    struct run_answer answer;
    struct fd_id new;

    if (made < 0)
        return -errno;
    door_id(made, &new);
    ask.value_len = (uint32_t)strlen(new.id);
    memcpy(ask.value, new.id, ask.value_len);
    copy_options(fd, made);
    if ((v = door_ask_about(id, &ask, &answer)) == 0)
        door_replace(fd, made);
    REAL(close)(made);
    *id = new;
    return v;
}

/* A signal or SO_SNDTIMEO ends the wait, not the handshake: from here on the carrier must look like
 * one whose connect never waited. */
int connect_wait_no_more(int fd, const struct fd_id *id, struct run_ask *ask, int why)
{
    struct run_answer answer;
    int v;

    ask->number = RUN_WAIT_NO_MORE;
    v = door_ask_about(id, ask, &answer);
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
    socklen_t len = sizeof wait;

    ask->number = RUN_WAIT;
    REAL(getsockopt)(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, &len);
    return door_wait(fd, id, ask, &wait);
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
    return door_ask(ask, &answer);
}

/* The carrier is connected: the daemon knows how it went. */
static int connect_more(int fd, const struct fd_id *id, struct run_ask *ask)
{
    struct run_answer answer;

    if (is_blocking(fd))
        return ask_and_wait(fd, id, ask);
    ask->number = RUN_NO_WAIT;
    return door_ask(ask, &answer);
}

/* What came of it leaves the socket as if it never tried. */
static bool is_failure(int v)
{
    return v < 0 && v != -EINPROGRESS && v != -EALREADY && v != -EISCONN && v != -EINTR &&
           v != -ENETDOWN && v != DOOR_LATER;
}

int connect_over(int fd, struct fd_id *id, int v)
{
    if (is_failure(v))
        door_renew(fd, id);
    return v;
}

static int connect_stream(int fd, struct fd_id *id, struct run_ask *ask)
{
    struct sockaddr_un un;
    socklen_t len = sizeof un;
    bool is_connected = REAL(getpeername)(fd, (struct sockaddr *)&un, &len) == 0;
    int v;

    if (!ask->addr.family)
        return is_connected || door_is_listening(fd) ? door_renew(fd, id) : 0;
    memcpy(ask->id, id->id, sizeof ask->id);
    v = is_connected ? connect_more(fd, id, ask) : connect_first(fd, id, ask);
    return connect_over(fd, id, v);
}

static int connect_dgram(int fd, const struct fd_id *id, struct run_ask *ask)
{
    struct run_answer answer;
    bool is_bare = id->id[0] == 'b', connects = ask->addr.family != 0;
    struct sockaddr_un un = {.sun_family = AF_UNSPEC};
    socklen_t len = sizeof un.sun_family;
    int v;

    if (is_bare && !connects)
        REAL(connect)(fd, (struct sockaddr *)&un, len);
    v = door_ask_about(id, ask, &answer);
    len = name_set(&un, door_daemon, "bare");
    if (v >= 0 && is_bare && connects && REAL(connect)(fd, (struct sockaddr *)&un, len) < 0)
        return -ENETDOWN;
    if (v >= 0)
        dgram_mark(fd, connects);
    return v;
}

EXPORT int DOOR(connect)(int fd, const struct sockaddr *sa, socklen_t len)
{
    struct run_ask ask = {.op = RUN_CONNECT};
    struct fd_id id;
    int v;

    if (door_id(fd, &id) == FD_FOREIGN)
        return REAL(connect)(fd, sa, len);
    if ((v = addr_from_user(&id, ADDR_CONNECT, sa, len, &ask.addr)) < 0)
        return door_result(v);
    if (id.kind == FD_ACCEPTED && ask.addr.family)
        return door_result(-EISCONN);
    return door_result(id.kind == FD_DGRAM ? connect_dgram(fd, &id, &ask)
                                           : connect_stream(fd, &id, &ask));
}

/* The daemon hears of it first: a carrier that is not connected would be shut and say nothing, and
 * one that is shut both ways looks closed. */
EXPORT int DOOR(shutdown)(int fd, int how)
{
    struct run_ask ask = {.op = RUN_SHUTDOWN, .number = how};
    struct run_answer answer;
    struct fd_id id;
    int v;

    door_id(fd, &id);
    if (id.kind == FD_DGRAM && !dgram_is_marked(fd) && how >= SHUT_RD && how <= SHUT_RDWR)
        return door_result(-ENOTCONN);
    if (id.kind == FD_FOREIGN || id.kind == FD_DGRAM || how < SHUT_RD || how > SHUT_RDWR)
        return REAL(shutdown)(fd, how);
    v = door_ask_about(&id, &ask, &answer);
    if (v < 0)
        return door_result(v);
    if (v != RUN_RENEW)
        return door_is_listening(fd) ? 0 : REAL(shutdown)(fd, how);
    REAL(shutdown)(fd, SHUT_RDWR); /* who waits in accept or read is woken */
    return door_result(door_renew(fd, &id));
}
