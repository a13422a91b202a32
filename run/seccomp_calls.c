/* The seccomp door: one function for each call that is told of.
 *
 * Knows: the order of arguments. Shape: what is no carrier, and what a carrier answers itself, goes
 * on in the kernel; the rest is door*.c's. accept is answered here alone, never by the kernel, so
 * that one which is there is nobody else's. Units: as the system call. Errors: -errno. Cost: some
 * ten system calls and one exchange with the daemon. */
#include "run/seccomp.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

static const void *at(uint64_t pointer)
{
    return (const void *)(uintptr_t)pointer;
}

static void *to(uint64_t pointer)
{
    return (void *)(uintptr_t)pointer;
}

/* As libc has it: -1 and errno. */
static long from_libc(long v)
{
    return v < 0 ? -errno : v;
}

static long on_socket(const struct call *c)
{
    int domain = (int)c->args[0], type = (int)c->args[1], protocol = (int)c->args[2], fd;
    int is_ours = door_takes(domain, type, protocol);
    long v;

    if (is_ours <= 0)
        return is_ours < 0 ? is_ours : CALL_CONTINUE;
    fd = door_socket(domain, type | SOCK_CLOEXEC, protocol);
    if (fd < 0)
        return -errno;
    v = target_give(c, fd, type);
    if (v < 0 && v != CALL_ANSWERED)
        close(fd);
    return v;
}

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

/* What can be done once only. */
static bool is_single(const struct call *c)
{
    return c->number == SYS_bind || c->number == SYS_connect;
}

void call_unheard(const struct call *c, long result)
{
    struct fd_id id;

    if (is_single(c) && result != -EFAULT && door_id(c->fd, &id) != FD_FOREIGN)
        lost_keep(&id, c->number, result, -1);
}

/* The peer's address, into the caller's memory. */
static int tell_peer(const struct call *c, int fd)
{
    struct fd_id id;
    struct run_addr peer;

    if (!c->args[1] || door_id(fd, &id) != FD_ACCEPTED)
        return 0;
    peer = (struct run_addr){.port = id.ends.peer.port, .addr = id.ends.peer.addr};
    return addr_to_user(&peer, id.family, to(c->args[1]), to(c->args[2]));
}

/* A connection that its caller does not get, for a signal or for want of descriptors, is the next
 * one's. */
static long take_connection(const struct call *c)
{
    int flags = c->number == SYS_accept4 ? (int)c->args[3] : 0, fd;
    struct fd_id id;
    long v;

    door_id(c->fd, &id);
    if (!lost_find(&id, SYS_accept, &v, &fd))
        fd = door_accept4(c->fd, NULL, NULL, flags | SOCK_CLOEXEC);
    if (fd < 0)
        return -errno;
    v = tell_peer(c, fd);
    if (v == 0)
        v = target_give(c, fd, flags);
    if (v == -EFAULT && target_waits(c->id))
        close(fd);
    else if (v != CALL_ANSWERED)
        lost_keep(&id, SYS_accept, 0, fd);
    return v;
}

static long on_accept(const struct call *c, const struct fd_id *id)
{
    if (!door_is_listening(c->fd))
        return CALL_CONTINUE; /* to its error */
    if (is_readable(c->fd) || lost_waits(id))
        return take_connection(c);
    return fcntl(c->fd, F_GETFL) & O_NONBLOCK ? -EAGAIN : wait_readable(c);
}

static long on_getsockopt(const struct call *c)
{
    int level = (int)c->args[1], name = (int)c->args[2];

    if (opts_is_native(level, name))
        return CALL_CONTINUE;
    return from_libc(door_getsockopt(c->fd, level, name, to(c->args[3]), to(c->args[4])));
}

static long on_setsockopt(const struct call *c)
{
    int level = (int)c->args[1], name = (int)c->args[2];

    if (opts_is_native(level, name))
        return CALL_CONTINUE;
    return from_libc(door_setsockopt(c->fd, level, name, at(c->args[3]), (socklen_t)c->args[4]));
}

static long on_carrier(const struct call *c, const struct fd_id *id)
{
    long v;
    int none;

    if (is_single(c) && lost_find(id, c->number, &v, &none))
        return v;
    switch (c->number) {
    case SYS_bind:
        return from_libc(door_bind(c->fd, at(c->args[1]), (socklen_t)c->args[2]));
    case SYS_listen:
        return from_libc(door_listen(c->fd, (int)c->args[1]));
    case SYS_connect:
        return from_libc(door_connect(c->fd, at(c->args[1]), (socklen_t)c->args[2]));
    case SYS_accept:
    case SYS_accept4:
        return on_accept(c, id);
    case SYS_getsockname:
        return from_libc(door_getsockname(c->fd, to(c->args[1]), to(c->args[2])));
    case SYS_getpeername:
        return from_libc(door_getpeername(c->fd, to(c->args[1]), to(c->args[2])));
    case SYS_getsockopt:
        return on_getsockopt(c);
    case SYS_setsockopt:
        return on_setsockopt(c);
    case SYS_shutdown:
        return from_libc(door_shutdown(c->fd, (int)c->args[1]));
    case SYS_sendto:
        return id->kind == FD_DGRAM ? call_sendto(c, id) : CALL_CONTINUE;
    case SYS_recvfrom:
        v = id->kind == FD_DGRAM ? call_recvfrom(c, id) : CALL_CONTINUE;
        return v == DOOR_LATER ? wait_readable(c) : v;
    default:
        return CALL_CONTINUE;
    }
}

long call_take(const struct call *c)
{
    struct fd_id id;

    if (c->number == SYS_socket)
        return on_socket(c);
    if (c->fd < 0)
        return c->fd;
    return door_id(c->fd, &id) == FD_FOREIGN ? CALL_CONTINUE : on_carrier(c, &id);
}

long call_ready(const struct call *c)
{
    struct fd_id id;

    if (c->number == SYS_recvfrom && door_id(c->fd, &id) == FD_DGRAM)
        return call_recvfrom(c, &id);
    return is_readable(c->fd) ? take_connection(c) : DOOR_LATER; /* another call was first */
}
