/* The slots that move bytes: read, write and their kin, pipes and splice.
 *
 * Knows: how each system call hands over its buffers. Shape: all of them are one send or one
 * receive. What is no socket of ours (a pipe's end) goes to the host. Units: bytes. Errors: errno.
 * Cost: a lock and the copy. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "packetdrill/so/so.h"

#define SPLICE_MAX 65536

static int64_t attempt_send(struct so *s, struct so_call *c)
{
    return node_send(s->node, c->fd, &c->io, &c->wait);
}

static int64_t attempt_receive(struct so *s, struct so_call *c)
{
    return node_receive(s->node, c->fd, &c->io, &c->wait);
}

static bool is_ours(struct so *s, int fd)
{
    bool is_socket;

    pthread_mutex_lock(&s->lock);
    is_socket = node_socket_of(s->node, fd) >= 0;
    pthread_mutex_unlock(&s->lock);
    return is_socket;
}

static ssize_t transfer(struct so *s, int fd, bool is_send, const struct iovec *iov, int flags)
{
    struct so_call c = {.attempt = is_send ? attempt_send : attempt_receive, .fd = fd};

    c.io = (struct node_io){.iov = iov, .iovs = 1, .flags = flags};
    return so_call(s, &c);
}

/* -- receiving --------------------------------------------------------------------------------- */

static ssize_t slot_recv(void *self, int fd, void *data, size_t n, int flags)
{
    struct iovec iov = {.iov_base = data, .iov_len = n};

    return transfer(self, fd, false, &iov, flags);
}

static ssize_t slot_read(void *self, int fd, void *data, size_t n)
{
    return is_ours(self, fd) ? slot_recv(self, fd, data, n, 0) : read(fd, data, n);
}

static ssize_t slot_readv(void *self, int fd, const struct iovec *iov, int count)
{
    struct so_call c = {.attempt = attempt_receive, .fd = fd};

    c.io = (struct node_io){.iov = iov, .iovs = count};
    return so_call(self, &c);
}

static ssize_t weir_so_recvfrom(void *self, int fd, void *data, size_t n, int flags,
                                struct sockaddr *a, socklen_t *len)
{
    struct so_call c = {.attempt = attempt_receive, .fd = fd};
    struct iovec iov = {.iov_base = data, .iov_len = n};
    ssize_t v;

    c.io = (struct node_io){.iov = &iov, .iovs = 1, .flags = flags};
    v = so_call(self, &c);
    if (v >= 0 && a && len) {
        memcpy(a, &c.io.addr, *len < c.io.addr_len ? *len : c.io.addr_len);
        *len = c.io.addr_len;
    }
    return v;
}

static ssize_t slot_recvmsg(void *self, int fd, struct msghdr *m, int flags)
{
    struct so_call c = {.attempt = attempt_receive, .fd = fd};
    ssize_t v;

    c.io = (struct node_io){.iov = m->msg_iov, .iovs = (int)m->msg_iovlen, .flags = flags};
    v = so_call(self, &c);
    m->msg_flags = c.io.out_flags;
    m->msg_controllen = 0;
    if (v >= 0 && m->msg_name)
        memcpy(m->msg_name, &c.io.addr,
               m->msg_namelen < c.io.addr_len ? m->msg_namelen : c.io.addr_len);
    m->msg_namelen = c.io.addr_len;
    return v;
}

/* -- sending ----------------------------------------------------------------------------------- */

static ssize_t slot_send(void *self, int fd, const void *data, size_t n, int flags)
{
    struct iovec iov = {.iov_base = (void *)data, .iov_len = n};

    return transfer(self, fd, true, &iov, flags);
}

static ssize_t slot_write(void *self, int fd, const void *data, size_t n)
{
    return is_ours(self, fd) ? slot_send(self, fd, data, n, 0) : write(fd, data, n);
}

static ssize_t send_to(struct so *s, int fd, struct node_io *io, const struct msghdr *to)
{
    struct so_call c = {.attempt = attempt_send, .fd = fd, .io = *io};

    if (to->msg_namelen > sizeof c.io.addr)
        return so_result(-EINVAL);
    if (to->msg_name) {
        memcpy(&c.io.addr, to->msg_name, to->msg_namelen);
        c.io.addr_len = to->msg_namelen;
    }
    return so_call(s, &c);
}

static ssize_t slot_writev(void *self, int fd, const struct iovec *iov, int count)
{
    struct node_io io = {.iov = iov, .iovs = count};

    return send_to(self, fd, &io, &(struct msghdr){.msg_name = NULL});
}

static ssize_t weir_so_sendto(void *self, int fd, const void *data, size_t n, int flags,
                              const struct sockaddr *a, socklen_t len)
{
    struct iovec iov = {.iov_base = (void *)data, .iov_len = n};
    struct node_io io = {.iov = &iov, .iovs = 1, .flags = flags};

    return send_to(self, fd, &io, &(struct msghdr){.msg_name = (void *)a, .msg_namelen = len});
}

static ssize_t slot_sendmsg(void *self, int fd, const struct msghdr *m, int flags)
{
    struct node_io io = {.iov = m->msg_iov, .iovs = (int)m->msg_iovlen, .flags = flags};

    return send_to(self, fd, &io, m);
}

/* -- pipes ------------------------------------------------------------------------------------- */

static int slot_pipe(void *self, int fds[2])
{
    (void)self;
    return pipe(fds);
}

/* Between a socket and a pipe, by way of a buffer. */
static int weir_so_splice(void *self, int in, loff_t *in_at, int out, loff_t *out_at, size_t n,
                          unsigned flags)
{
    char bytes[SPLICE_MAX];
    int dont = flags & SPLICE_F_NONBLOCK ? MSG_DONTWAIT : 0;
    ssize_t got;

    if (in_at || out_at || is_ours(self, in) == is_ours(self, out))
        return (int)so_result(-EINVAL);
    if (n > sizeof bytes)
        n = sizeof bytes;
    got = is_ours(self, in) ? slot_recv(self, in, bytes, n, dont) : read(in, bytes, n);
    if (got <= 0)
        return (int)got;
    return (int)(is_ours(self, in) ? write(out, bytes, (size_t)got)
                                   : slot_send(self, out, bytes, (size_t)got, dont));
}

void so_fill_data(struct so_table *table)
{
    table->read = slot_read;
    table->readv = slot_readv;
    table->recv = slot_recv;
    table->recvfrom = weir_so_recvfrom;
    table->recvmsg = slot_recvmsg;
    table->write = slot_write;
    table->writev = slot_writev;
    table->send = slot_send;
    table->sendto = weir_so_sendto;
    table->sendmsg = slot_sendmsg;
    table->pipe = slot_pipe;
    table->splice = weir_so_splice;
}
