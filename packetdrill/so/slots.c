/* The slots of a socket's life, its options and readiness.
 *
 * Knows: how each system call hands over its arguments. Shape: those that may wait are an attempt
 * and a slot. Units: as the system calls. Errors: errno. Cost: a lock. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "packetdrill/so/so.h"

/* Around a call that never waits: leave(s, call(enter(s), ...)). */
static struct node *enter(struct so *s)
{
    pthread_mutex_lock(&s->lock);
    return s->node;
}

static int leave(struct so *s, int64_t v)
{
    so_moved(s);
    pthread_mutex_unlock(&s->lock);
    return (int)so_result(v);
}

static int slot_socket(void *self, int family, int type, int protocol)
{
    struct so *s = self;

    return leave(s, node_socket(enter(s), family, type, protocol));
}

static int slot_bind(void *self, int fd, const struct sockaddr *a, socklen_t len)
{
    struct so *s = self;

    return leave(s, node_bind(enter(s), fd, a, len));
}

static int slot_listen(void *self, int fd, int backlog)
{
    struct so *s = self;

    return leave(s, node_listen(enter(s), fd, backlog));
}

static int slot_shutdown(void *self, int fd, int how)
{
    struct so *s = self;

    return leave(s, node_shutdown(enter(s), fd, how));
}

static int64_t attempt_accept(struct so *s, struct so_call *c)
{
    return node_accept(s->node, c->fd, 0, &c->io, &c->wait);
}

static int slot_accept(void *self, int fd, struct sockaddr *a, socklen_t *len)
{
    struct so_call c = {.attempt = attempt_accept, .fd = fd};
    int v = (int)so_call(self, &c);

    if (v >= 0 && a && len) {
        memcpy(a, &c.io.addr, *len < c.io.addr_len ? *len : c.io.addr_len);
        *len = c.io.addr_len;
    }
    return v;
}

static int64_t attempt_connect(struct so *s, struct so_call *c)
{
    return node_connect(s->node, c->fd, &c->io, &c->wait);
}

static int slot_connect(void *self, int fd, const struct sockaddr *a, socklen_t len)
{
    struct so_call c = {.attempt = attempt_connect, .fd = fd};

    if (len > sizeof c.io.addr)
        return (int)so_result(-EINVAL);
    memcpy(&c.io.addr, a, len);
    c.io.addr_len = len;
    return (int)so_call(self, &c);
}

static int64_t attempt_close(struct so *s, struct so_call *c)
{
    return node_close(s->node, c->fd, &c->wait);
}

static int slot_close(void *self, int fd)
{
    struct so_call c = {.attempt = attempt_close, .fd = fd};
    int v = (int)so_call(self, &c);

    return v < 0 && errno == EBADF ? close(fd) : v; /* a pipe's end, perhaps */
}

/* -- options ----------------------------------------------------------------------------------- */

static int weir_so_getsockopt(void *self, int fd, int level, int name, void *value, socklen_t *len)
{
    struct so *s = self;
    struct iovec v = {.iov_base = value, .iov_len = *len};
    int result = leave(s, node_getsockopt(enter(s), fd, level, name, &v));

    *len = (socklen_t)v.iov_len;
    return result;
}

static int weir_so_setsockopt(void *self, int fd, int level, int name, const void *value,
                              socklen_t len)
{
    struct so *s = self;
    struct iovec v = {.iov_base = (void *)value, .iov_len = len};

    return leave(s, node_setsockopt(enter(s), fd, level, name, &v));
}

static int slot_fcntl(void *self, int fd, int cmd, ...)
{
    struct so *s = self;
    va_list args;
    int arg;

    va_start(args, cmd);
    arg = va_arg(args, int);
    va_end(args);
    return leave(s, node_fcntl(enter(s), fd, cmd, arg));
}

static int slot_ioctl(void *self, int fd, unsigned long request, ...)
{
    struct so *s = self;
    va_list args;
    int *value;

    va_start(args, request);
    value = va_arg(args, int *);
    va_end(args);
    return leave(s, node_ioctl(enter(s), fd, request, value));
}

/* -- readiness --------------------------------------------------------------------------------- */

static int64_t attempt_poll(struct so *s, struct so_call *c)
{
    return node_poll(s->node, c->set, c->fd, c->number, &c->wait);
}

static int slot_poll(void *self, struct pollfd *fds, nfds_t n, int ms)
{
    struct so_call c = {.attempt = attempt_poll, .set = fds, .fd = (int)n, .number = ms};

    return (int)so_call(self, &c);
}

static int slot_epoll_create(void *self, int size)
{
    struct so *s = self;

    return size > 0 ? leave(s, node_epoll_create(enter(s))) : (int)so_result(-EINVAL);
}

static int slot_epoll_ctl(void *self, int ep, int op, int fd, struct epoll_event *e)
{
    struct so *s = self;

    return leave(s, node_epoll_ctl(enter(s), ep, op, fd, e));
}

static int64_t attempt_epoll_wait(struct so *s, struct so_call *c)
{
    return node_epoll_wait(s->node, c->fd, &c->iov, c->number, &c->wait);
}

static int slot_epoll_wait(void *self, int ep, struct epoll_event *e, int max, int ms)
{
    struct so_call c = {.attempt = attempt_epoll_wait, .fd = ep, .number = ms};

    if (max <= 0)
        return (int)so_result(-EINVAL);
    c.iov = (struct iovec){.iov_base = e, .iov_len = (size_t)max * sizeof *e};
    return (int)so_call(self, &c);
}

void so_fill_calls(struct so_table *table)
{
    table->socket = slot_socket;
    table->bind = slot_bind;
    table->listen = slot_listen;
    table->accept = slot_accept;
    table->connect = slot_connect;
    table->close = slot_close;
    table->shutdown = slot_shutdown;
    table->getsockopt = weir_so_getsockopt;
    table->setsockopt = weir_so_setsockopt;
    table->fcntl = slot_fcntl;
    table->ioctl = slot_ioctl;
    table->poll = slot_poll;
    table->epoll_create = slot_epoll_create;
    table->epoll_ctl = slot_epoll_ctl;
    table->epoll_wait = slot_epoll_wait;
}
