/* Both doors: the socket calls of a program, led to the daemon.
 *
 * Knows: which calls concern names, connections and options; bytes of streams flow through the
 * kernel. Shape: a socket is an AF_UNIX carrier whose abstract name is its identity, so it survives
 * fork, exec, dup and descriptor passing; nothing is remembered here. door.h says how two doors are
 * made of it. Units: as libc. Errors: errno as Linux's TCP and UDP give it; ENETDOWN without a
 * daemon. Cost: one exchange with the daemon for each call that it must hear of; none for accept.
 */
#include "run/door.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

const char *door_daemon;
bool door_has_dgram;
int32_t door_asker;
char door_dgram_kind = 'd';

/* -- whose descriptor -------------------------------------------------------------------------- */

static enum fd_kind classify(int fd, struct fd_id *out)
{
    struct sockaddr_un un;
    socklen_t len = sizeof un;
    char rest[sizeof un.sun_path];

    if (REAL(getsockname)(fd, (struct sockaddr *)&un, &len) < 0 ||
        !name_rest(&un, len, door_daemon, rest))
        return FD_FOREIGN;
    snprintf(out->id, sizeof out->id, "%.40s", rest);
    out->family = rest[2] == '6' ? AF_INET6 : AF_INET;
    if (rest[0] == 'd' || rest[0] == 'b')
        return FD_DGRAM;
    len = sizeof un;
    if (REAL(getpeername)(fd, (struct sockaddr *)&un, &len) < 0 ||
        !name_rest(&un, len, door_daemon, rest) || rest[0] != 'p' ||
        !name_accepted_parse(rest, &out->ends))
        return FD_STREAM;
    snprintf(out->id, sizeof out->id, "p/%u", out->ends.number);
    return FD_ACCEPTED;
}

enum fd_kind door_id(int fd, struct fd_id *out)
{
    int saved = errno;

    out->kind = door_daemon ? classify(fd, out) : FD_FOREIGN;
    errno = saved;
    return out->kind;
}

bool door_is_dgram(int fd, struct fd_id *out)
{
    return door_has_dgram && door_id(fd, out) == FD_DGRAM;
}

bool door_is_listening(int fd)
{
    int is_listening = 0;
    socklen_t len = sizeof is_listening;

    return REAL(getsockopt)(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) == 0 &&
           is_listening;
}

/* -- asking ------------------------------------------------------------------------------------ */

int door_ask_begin(const struct run_ask *ask)
{
    struct sockaddr_un un;
    socklen_t len = name_set(&un, door_daemon, "ctl");
    struct run_ask said = *ask;
    int fd = REAL(socket)(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), v;

    if (fd < 0)
        return -errno;
    do
        v = REAL(connect)(fd, (struct sockaddr *)&un, len);
    while (v < 0 && errno == EINTR);
    said.pid = door_asker;
    if (v == 0 && REAL(send)(fd, &said, sizeof said, MSG_NOSIGNAL) == (ssize_t)sizeof said)
        return fd;
    REAL(close)(fd);
    return -ENETDOWN;
}

/* With `wait`, a signal or its end is told as -EINTR or -EAGAIN, unless the answer is there by
 * then; else nothing interrupts. */
int door_hear(int fd, struct run_answer *answer, const struct timeval *wait)
{
    ssize_t n;

    if (wait && (wait->tv_sec || wait->tv_usec))
        REAL(setsockopt)(fd, SOL_SOCKET, SO_RCVTIMEO, wait, sizeof *wait);
    do
        n = REAL(recv)(fd, answer, sizeof *answer, 0);
    while (n < 0 && errno == EINTR && !wait);
    if (n < 0 && wait && (errno == EINTR || errno == EAGAIN)) {
        int why = -errno;
        n = REAL(recv)(fd, answer, sizeof *answer, MSG_DONTWAIT);
        if (n < 0)
            return why;
    }
    if (n < (ssize_t)offsetof(struct run_answer, value))
        return -ENETDOWN;
    return answer->result;
}

int door_ask_wait(const struct run_ask *ask, struct run_answer *answer, const struct timeval *wait)
{
    int saved = errno, fd = door_ask_begin(ask), v;

    if (fd < 0)
        return fd;
    v = door_hear(fd, answer, wait);
    REAL(close)(fd);
    errno = saved;
    return v;
}

int door_ask(const struct run_ask *ask, struct run_answer *answer)
{
    return door_ask_wait(ask, answer, NULL);
}

int door_result(int result)
{
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

int door_ask_about(const struct fd_id *id, struct run_ask *ask, struct run_answer *answer)
{
    memcpy(ask->id, id->id, sizeof ask->id);
    return door_ask(ask, answer);
}

/* -- addresses --------------------------------------------------------------------------------- */

static int ends_to_user(const struct weir_sockaddr *a, int family, struct sockaddr *sa,
                        socklen_t *len)
{
    struct run_addr r = {.port = a->port, .addr = a->addr};

    return addr_to_user(&r, family, sa, len);
}

/* -- socket ------------------------------------------------------------------------------------ */

int door_carrier(int family, int type, int flags)
{
    struct sockaddr_un un;
    char rest[32];
    uint64_t number;
    socklen_t len;
    int fd = REAL(socket)(AF_UNIX, type | flags, 0);

    if (fd < 0)
        return -1;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
        number = (uint64_t)getpid() << 32 | (uint32_t)fd;
    snprintf(rest, sizeof rest, "%c/%c-%016llx", type == SOCK_STREAM ? 's' : door_dgram_kind,
             family == AF_INET6 ? '6' : '4', (unsigned long long)number);
    len = name_set(&un, door_daemon, rest);
    if (REAL(bind)(fd, (struct sockaddr *)&un, len) < 0)
        goto fail;
    if (type == SOCK_STREAM)
        return fd;
    door_has_dgram = true;
    if (door_dgram_kind == 'b')
        return fd;
    len = name_set(&un, door_daemon, "dgram");
    if (REAL(connect)(fd, (struct sockaddr *)&un, len) == 0)
        return fd;
    errno = ENETDOWN;
fail:
    REAL(close)(fd);
    return -1;
}

int door_takes(int domain, int type, int protocol)
{
    int kind = type & 0xf;
    bool is_inet = domain == AF_INET || domain == AF_INET6;
    bool is_stream = kind == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP);
    bool is_dgram = kind == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP);

    if (is_inet && kind == SOCK_STREAM && protocol == IPPROTO_MPTCP)
        return -EPROTONOSUPPORT; /* else it would be the kernel's TCP; who asks takes TCP then */
    return is_inet && (is_stream || is_dgram) && !(type & ~(0xf | SOCK_NONBLOCK | SOCK_CLOEXEC));
}

EXPORT int DOOR(socket)(int domain, int type, int protocol)
{
    int is_ours = door_daemon ? door_takes(domain, type, protocol) : 0;

    if (is_ours < 0)
        return door_result(is_ours);
    if (!is_ours)
        return REAL(socket)(domain, type, protocol);
    return door_carrier(domain, type & 0xf, type & (SOCK_NONBLOCK | SOCK_CLOEXEC));
}

EXPORT int DOOR(bind)(int fd, const struct sockaddr *sa, socklen_t len)
{
    struct run_ask ask = {.op = RUN_BIND};
    struct run_answer answer;
    struct fd_id id;
    int v;

    if (door_id(fd, &id) == FD_FOREIGN)
        return REAL(bind)(fd, sa, len);
    if ((v = addr_from_user(&id, ADDR_BIND, sa, len, &ask.addr)) < 0)
        return door_result(v);
    return door_result(door_ask_about(&id, &ask, &answer));
}

EXPORT int DOOR(listen)(int fd, int backlog)
{
    struct run_ask ask = {.op = RUN_LISTEN, .number = backlog};
    struct run_answer answer;
    struct fd_id id;

    if (door_id(fd, &id) != FD_STREAM)
        return REAL(listen)(fd, backlog);
    if (REAL(listen)(fd, backlog) < 0) /* before the daemon may bring connections */
        return -1;
    return door_result(door_ask_about(&id, &ask, &answer));
}

/* -- accept: the kernel's own; the peer's name is its address ---------------------------------- */

EXPORT int DOOR(accept4)(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    struct sockaddr_un un;
    socklen_t un_len = sizeof un;
    char rest[sizeof un.sun_path];
    struct name_accepted ends;
    struct fd_id id;
    int conn, v;

    if (!door_daemon)
        return REAL(accept4)(fd, sa, len, flags);
    conn = REAL(accept4)(fd, (struct sockaddr *)&un, &un_len, flags);
    if (conn < 0 || !sa)
        return conn;
    if (un.sun_family == AF_UNIX && name_rest(&un, un_len, door_daemon, rest) &&
        name_accepted_parse(rest, &ends) && door_id(conn, &id) == FD_ACCEPTED)
        v = ends_to_user(&ends.peer, id.family, sa, len);
    else
        v = bytes_to_user(&un, un_len < sizeof un ? un_len : sizeof un, sa, len);
    if (v == 0)
        return conn;
    REAL(close)(conn);
    return door_result(v);
}

/* -- names ------------------------------------------------------------------------------------- */

static int ask_name(const struct fd_id *id, uint32_t op, struct sockaddr *sa, socklen_t *len)
{
    struct run_ask ask = {.op = op};
    struct run_answer answer;
    int v = door_ask_about(id, &ask, &answer);

    return door_result(v < 0 ? v : addr_to_user(&answer.addr, id->family, sa, len));
}

EXPORT int DOOR(getsockname)(int fd, struct sockaddr *sa, socklen_t *len)
{
    struct fd_id id;

    switch (door_id(fd, &id)) {
    case FD_FOREIGN:
        return REAL(getsockname)(fd, sa, len);
    case FD_ACCEPTED:
        return door_result(ends_to_user(&id.ends.local, id.family, sa, len));
    default:
        return ask_name(&id, RUN_GETSOCKNAME, sa, len);
    }
}

/* Both directions are over: whether the connection is, the daemon knows. */
static bool has_hung_up(int fd)
{
    struct pollfd p = {.fd = fd};

    return poll(&p, 1, 0) == 1 && p.revents & POLLHUP;
}

EXPORT int DOOR(getpeername)(int fd, struct sockaddr *sa, socklen_t *len)
{
    struct fd_id id;

    door_id(fd, &id);
    if (id.kind == FD_FOREIGN)
        return REAL(getpeername)(fd, sa, len);
    if (id.kind != FD_ACCEPTED || has_hung_up(fd))
        return ask_name(&id, RUN_GETPEERNAME, sa, len);
    return door_result(ends_to_user(&id.ends.peer, id.family, sa, len));
}
