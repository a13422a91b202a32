/* Socket calls as a program makes them: blocking, with timeouts, by descriptor.
 *
 * Knows: which calls wait for what. The stack's calls never wait. Shape: try, and if the socket
 * blocks and there is time left say NODE_BLOCKS. Units: bytes, microseconds. Errors: -errno.
 * Cost: O(1) and the copy. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>

#include "packetdrill/file.h"

static int64_t settled(struct node *h, int64_t v)
{
    node_settle(h);
    return v;
}

/* -EAGAIN of a socket that blocks: wait, but not longer than its timeout. */
static int64_t would_block(struct node *h, struct file *f, int flags, struct node_wait *w,
                           int64_t timeout_us)
{
    if (f->is_nonblocking || flags & MSG_DONTWAIT || !wait_on(h, w, timeout_us))
        return -EAGAIN;
    return NODE_BLOCKS;
}

/* -- addresses --------------------------------------------------------------------------------- */

static int address_in(struct weir_sockaddr *out, const struct sockaddr *a, socklen_t len)
{
    *out = (struct weir_sockaddr){.port = 0};
    if (len >= sizeof(struct sockaddr_in) && a->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)a;
        out->addr = weir_addr_v4(ntohl(in->sin_addr.s_addr));
        out->port = ntohs(in->sin_port);
        return 0;
    }
    if (len >= sizeof(struct sockaddr_in6) && a->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)a;
        memcpy(&out->addr, &in->sin6_addr, sizeof out->addr);
        out->port = ntohs(in->sin6_port);
        return 0;
    }
    return len < sizeof(struct sockaddr_in) ? -EINVAL : -EAFNOSUPPORT;
}

static void address_out(struct node_io *out, const struct weir_sockaddr *a, int family)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};

    if (family == AF_INET) {
        v4.sin_addr.s_addr = htonl(weir_addr_to_v4(&a->addr));
        memcpy(&out->addr, &v4, sizeof v4);
        out->addr_len = sizeof v4;
    } else {
        memcpy(&v6.sin6_addr, &a->addr, sizeof v6.sin6_addr);
        memcpy(&out->addr, &v6, sizeof v6);
        out->addr_len = sizeof v6;
    }
}

/* -- life -------------------------------------------------------------------------------------- */

static int64_t open_file(struct node *h, int sock, int family, int type)
{
    int fd = file_new(h, FILE_SOCKET);

    if (fd < 0) {
        weir_close(h->stack, sock);
        return fd;
    }
    h->files[fd]->sock = sock;
    h->files[fd]->family = family;
    h->files[fd]->type = type & 0xf;
    h->files[fd]->is_nonblocking = type & SOCK_NONBLOCK;
    return fd;
}

int64_t node_socket(struct node *h, int family, int type, int protocol)
{
    int sock = weir_socket(h->stack, family, type, protocol);

    return sock < 0 ? sock : open_file(h, sock, family, type);
}

int64_t node_bind(struct node *h, int fd, const struct sockaddr *a, socklen_t len)
{
    struct file *f = socket_at(h, fd);
    struct weir_sockaddr local;
    int v;

    if (!f)
        return file_error(h, fd);
    if ((v = address_in(&local, a, len)) < 0)
        return v;
    return settled(h, weir_bind(h->stack, f->sock, &local));
}

int64_t node_listen(struct node *h, int fd, int backlog)
{
    struct file *f = socket_at(h, fd);

    return f ? settled(h, weir_listen(h->stack, f->sock, backlog)) : file_error(h, fd);
}

int64_t node_accept(struct node *h, int fd, int flags, struct node_io *peer, struct node_wait *w)
{
    struct file *f = socket_at(h, fd);
    struct weir_sockaddr from;
    int sock;

    if (!f)
        return file_error(h, fd);
    sock = weir_accept(h->stack, f->sock, &from);
    if (sock == -EAGAIN)
        return would_block(h, f, 0, w, f->receive_timeout_us);
    if (sock < 0)
        return sock;
    address_out(peer, &from, f->family);
    return settled(h, open_file(h, sock, f->family, f->type | (flags & SOCK_NONBLOCK)));
}

static int take_error(struct node *h, struct file *f)
{
    int error = 0;
    size_t len = sizeof error;

    weir_getsockopt(h->stack, f->sock, SOL_SOCKET, SO_ERROR, &error, &len);
    return error;
}

/* The end of a connect that was begun: 0, its error, or not yet. */
static int64_t connect_end(struct node *h, struct file *f)
{
    int ready = weir_readiness(h->stack, f->sock);

    if (!(ready & (WEIR_READY_OUT | WEIR_READY_ERR | WEIR_READY_HUP)))
        return NODE_BLOCKS;
    f->is_connecting = false;
    return -take_error(h, f);
}

int64_t node_connect(struct node *h, int fd, const struct node_io *peer, struct node_wait *w)
{
    struct file *f = socket_at(h, fd);
    struct weir_sockaddr to;
    int64_t v;

    if (!f)
        return file_error(h, fd);
    if (f->is_connecting) {
        v = connect_end(h, f);
        if (v != NODE_BLOCKS)
            return v;
        if (!w->has_begun && f->is_nonblocking)
            return -EALREADY;
    } else {
        if ((v = address_in(&to, (const void *)&peer->addr, peer->addr_len)) < 0)
            return v;
        v = settled(h, weir_connect(h->stack, f->sock, &to));
        if (v != -EINPROGRESS)
            return v;
        f->is_connecting = true;
    }
    v = would_block(h, f, 0, w, f->send_timeout_us);
    return v == -EAGAIN ? -EINPROGRESS : v;
}

int64_t node_shutdown(struct node *h, int fd, int how)
{
    struct file *f = socket_at(h, fd);

    return f ? settled(h, weir_shutdown(h->stack, f->sock, how)) : file_error(h, fd);
}

/* SO_LINGER with time: close waits until all is acknowledged, or the time is over. */
static int64_t close_lingers(struct node *h, struct node_wait *w)
{
    struct weir_sock_info i;
    uint64_t cursor = 0;

    while (weir_info_next(h->stack, &cursor, &i))
        if (i.local.port == w->closing.local.port && i.peer.port == w->closing.peer.port &&
            (i.state == WEIR_FIN_WAIT_1 || i.state == WEIR_CLOSING || i.state == WEIR_LAST_ACK))
            return h->now_us < w->until_us ? NODE_BLOCKS : 0;
    return 0;
}

int64_t node_close(struct node *h, int fd, struct node_wait *w)
{
    struct file *f = file_at(h, fd);
    struct linger l = {.l_onoff = 0};
    size_t len = sizeof l;

    if (w->has_begun)
        return close_lingers(h, w);
    if (!f)
        return -EBADF;
    if (f->kind == FILE_SOCKET) {
        weir_getsockopt(h->stack, f->sock, SOL_SOCKET, SO_LINGER, &l, &len);
        weir_info(h->stack, f->sock, &w->closing);
        weir_close(h->stack, f->sock);
    }
    bool waits = l.l_onoff && l.l_linger > 0 && !f->is_nonblocking;
    file_close(h, fd);
    node_settle(h);
    if (!waits || !wait_on(h, w, (int64_t)l.l_linger * 1000000))
        return 0;
    return close_lingers(h, w);
}

/* -- bytes ------------------------------------------------------------------------------------- */

/* The pieces of one call are one write. */
static ssize_t send_piece(struct node *h, struct file *f, struct node_io *io, struct iovec piece)
{
    const struct iovec *last = io->iovs ? &io->iov[io->iovs - 1] : &piece;
    bool is_last = (uint8_t *)piece.iov_base + piece.iov_len ==
                   (uint8_t *)last->iov_base + last->iov_len;
    struct weir_sockaddr to;
    int v;

    if (!io->addr_len || (f->type == SOCK_STREAM && !(io->flags & MSG_FASTOPEN)))
        return weir_send(h->stack, f->sock, piece.iov_base, piece.iov_len,
                         io->flags | (is_last ? 0 : MSG_MORE));
    if ((v = address_in(&to, (const void *)&io->addr, io->addr_len)) < 0)
        return v;
    return weir_sendto(h->stack, f->sock, piece.iov_base, piece.iov_len, io->flags, &to);
}

/* The part of the pieces that begins `done` bytes in; false: there is nothing more. */
static bool piece_at(const struct node_io *io, size_t done, struct iovec *out)
{
    for (int i = 0; i < io->iovs; i++) {
        if (done < io->iov[i].iov_len) {
            out->iov_base = (uint8_t *)io->iov[i].iov_base + done;
            out->iov_len = io->iov[i].iov_len - done;
            return true;
        }
        done -= io->iov[i].iov_len;
    }
    return false;
}

int64_t node_send(struct node *h, int fd, struct node_io *io, struct node_wait *w)
{
    struct file *f = socket_at(h, fd);
    struct iovec piece = {.iov_base = "", .iov_len = 0};
    ssize_t n;

    if (!f)
        return file_error(h, fd);
    if (w->has_begun)
        io->flags &= ~MSG_FASTOPEN;
    do {
        if (!piece_at(io, w->done, &piece) && w->done)
            return (int64_t)w->done;
        n = send_piece(h, f, io, piece);
        node_settle(h);
        if (n > 0)
            w->done += (size_t)n;
        if (n == -EINPROGRESS && !f->is_nonblocking) /* Fast Open without a cookie: as connect */
            n = -EAGAIN;
        io->flags &= ~MSG_FASTOPEN;
    } while (n > 0 && f->type == SOCK_STREAM);
    if (n >= 0)
        return (int64_t)w->done;
    if (n == -EAGAIN)
        n = would_block(h, f, io->flags, w, f->send_timeout_us);
    return n != NODE_BLOCKS && w->done ? (int64_t)w->done : n;
}

static ssize_t receive_piece(struct node *h, struct file *f, struct node_io *io, struct iovec piece)
{
    struct weir_sockaddr from = {.port = 0};
    ssize_t n;

    if (f->type == SOCK_STREAM)
        return weir_recv(h->stack, f->sock, piece.iov_base, piece.iov_len, io->flags);
    n = weir_recvmsg(h->stack, f->sock, piece.iov_base, piece.iov_len, io->flags | MSG_TRUNC, &from,
                     NULL);
    if (n < 0)
        return n;
    address_out(io, &from, f->family);
    if ((size_t)n > piece.iov_len) {
        io->out_flags |= MSG_TRUNC;
        return io->flags & MSG_TRUNC ? n : (ssize_t)piece.iov_len;
    }
    return n;
}

int64_t node_receive(struct node *h, int fd, struct node_io *io, struct node_wait *w)
{
    struct file *f = socket_at(h, fd);
    struct iovec piece = {.iov_base = "", .iov_len = 0};
    bool is_all = io->flags & MSG_WAITALL && f && f->type == SOCK_STREAM;
    ssize_t n;

    if (!f)
        return file_error(h, fd);
    do { /* never asked again after less than was wanted: that would take a pending error away */
        if (!piece_at(io, w->done, &piece) && w->done)
            return (int64_t)w->done;
        n = receive_piece(h, f, io, piece);
        node_settle(h);
        if (n > 0)
            w->done += (size_t)n;
    } while (n > 0 && (is_all || ((size_t)n == piece.iov_len && !(io->flags & MSG_PEEK))) &&
             f->type == SOCK_STREAM);
    if (n >= 0)
        return (int64_t)w->done;
    if (n == -EAGAIN && (!w->done || is_all))
        n = would_block(h, f, io->flags, w, f->receive_timeout_us);
    return n != NODE_BLOCKS && w->done ? (int64_t)w->done : n;
}

/* -- names ------------------------------------------------------------------------------------- */

int64_t node_name(struct node *h, int fd, bool is_peer, struct node_io *out)
{
    struct file *f = socket_at(h, fd);
    struct weir_sockaddr a;
    int v;

    if (!f)
        return file_error(h, fd);
    v = is_peer ? weir_getpeername(h->stack, f->sock, &a) : weir_getsockname(h->stack, f->sock, &a);
    if (v == 0)
        address_out(out, &a, f->family);
    return v;
}
