/* Streams: bytes between a carrier and a connection, both ways, with the pressure passed on.
 *
 * Knows: which end may still give or take. Shape: the program's bytes are read straight into the
 * send ring, the peer's are written straight out of the receive ring. Epoll is edge triggered:
 * is_readable and is_writable hold what it told. Units: bytes. Errors: what ended the connection is
 * remembered for the door, which turns the end of the stream into it. Cost: one system call for
 * each ring slice pair. */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHUNK (256 * 1024)

static bool is_over(const struct carrier *c)
{
    return c->is_dead || c->is_retired;
}

/* The program closed its end. It also hangs up where each side said to the other that it sends, or
 * reads, no more. */
static bool is_closed(const struct carrier *c)
{
    return c->has_hung_up_both && !(c->has_shut_wr && (c->has_shut_rd || c->stack_ended));
}

/* The connection ended otherwise than by FIN. */
static void fail(struct daemon *d, struct carrier *c, int error)
{
    bool is_waited_for = c->waiter >= 0; /* each error is told once */

    if (is_waited_for)
        control_answer(c->waiter, -error);
    c->waiter = -1;
    if (is_closed(c))
        carrier_end(d, c);
    else
        carrier_retire(d, c, is_waited_for ? 0 : error);
}

/* The program's end is gone. What it wrote is in the stack; what it did not read makes a RST. */
static void program_closed(struct daemon *d, struct carrier *c, bool is_abort)
{
    if (is_abort && c->sock >= 0) {
        weir_set_user(d->stack, c->sock, NULL);
        weir_abort(d->stack, c->sock);
        c->sock = -1;
    }
    carrier_end(d, c);
}

static void program_says_no_more(struct daemon *d, struct carrier *c)
{
    if (c->program_ended)
        return;
    c->program_ended = true;
    if (is_closed(c)) {
        program_closed(d, c, false);
        return;
    }
    weir_shutdown(d->stack, c->sock, c->has_shut_rd ? SHUT_RDWR : SHUT_WR);
    if (c->has_shut_rd)
        carrier_retire(d, c, 0);
}

/* A short read has emptied the carrier, and epoll tells of more, unless the end or an urgent byte
 * stands behind the data. A read that only finds out that nothing is there may meet an urgent byte
 * which comes at this moment, and take it for any other. */
static bool may_hold_more(const struct carrier *c, const struct weir_space *space, int n,
                          ssize_t got)
{
    size_t offered = space[0].len + (n == 2 ? space[1].len : 0);

    return (size_t)got == offered || c->has_hung_up || c->is_urgent;
}

/* Reads into the room of the send ring. False: no more now. */
static bool read_once(struct daemon *d, struct carrier *c)
{
    struct weir_space space[2];
    bool is_urgent = weir_urgent_at_fd(c->fd);
    int n = weir_send_space(d->stack, c->sock, is_urgent ? 1 : CHUNK, space);
    ssize_t got;

    if (n < 0) {
        fail(d, c, -n);
        return false;
    }
    if (n == 0)
        return false; /* no room: the stack will tell */
    got = readv(c->fd,
                (struct iovec[2]){{space[0].data, space[0].len},
                                  {space[1].data, n == 2 ? space[1].len : 0}},
                n);
    weir_send_commit(d->stack, c->sock, got > 0 ? (uint32_t)got : 0, is_urgent ? MSG_OOB : 0);
    if (got > 0) {
        c->is_readable = may_hold_more(c, space, n, got);
        c->is_urgent &= !is_urgent;
        d->bytes_out += (uint64_t)got;
        return true;
    }
    if (got < 0 && errno == EAGAIN)
        c->is_readable = false;
    else if (got < 0)
        program_closed(d, c, true); /* ECONNRESET: closed with our bytes unread */
    else
        program_says_no_more(d, c);
    return false;
}

/* Ends when the send ring is full or the carrier empty, for frames move between rounds only. */
static void from_program(struct daemon *d, struct carrier *c)
{
    while (!is_over(c) && c->is_readable && !c->program_ended)
        if (!read_once(d, c))
            break;
}

/* EPIPE without a hang-up: the program said SHUT_RD, and may still write; or SHUT_RDWR, and what it
 * wrote before is still to be read. */
static bool write_failed(struct daemon *d, struct carrier *c, int error)
{
    struct pollfd p = {.fd = c->fd};

    if (error == EAGAIN) {
        c->is_writable = false;
        return false;
    }
    if (error == EPIPE && (c->has_shut_rd || (poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP)))) {
        c->is_deaf = true;
        return true;
    }
    c->is_writable = false;
    program_closed(d, c, true);
    return false;
}

static bool write_once(struct daemon *d, struct carrier *c)
{
    struct weir_slice slice[2];
    struct iovec iov[2];
    struct msghdr m = {.msg_iov = iov};
    bool ended;
    ssize_t put;
    int n;

    if (!weir_urgent_to_fd(d->stack, c->sock, c->fd)) {
        c->is_writable = false;
        return false;
    }
    n = weir_recv_slices(d->stack, c->sock, slice, &ended);

    if (n == -EAGAIN)
        return false;
    if (n < 0) {
        fail(d, c, -n);
        return false;
    }
    if (n == 0) {
        c->stack_ended = true;
        c->ended_at = d->now;
        shutdown(c->fd, SHUT_WR);
        return false;
    }
    for (int i = 0; i < n; i++)
        iov[i] = (struct iovec){(void *)(uintptr_t)slice[i].data, slice[i].len};
    m.msg_iovlen = (size_t)n;
    put = c->is_deaf ? (ssize_t)(iov[0].iov_len + (n == 2 ? iov[1].iov_len : 0))
                     : sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0)
        return write_failed(d, c, errno);
    weir_recv_consume(d->stack, c->sock, (uint32_t)put);
    d->bytes_in += (uint64_t)put;
    return true;
}

static void to_program(struct daemon *d, struct carrier *c)
{
    while (!is_over(c) && c->is_writable && !c->stack_ended)
        if (!write_once(d, c))
            break;
}

/* -- connect ----------------------------------------------------------------------------------- */

static void drain_filler(struct carrier *c)
{
    static char sink[RUN_FILLER];

    while (c->filler) {
        ssize_t n = read(c->fd, sink, c->filler);
        if (n < 0)
            return; /* the rest is on its way */
        c->filler = n ? c->filler - (uint32_t)n : 0;
    }
}

static void established(struct daemon *d, struct carrier *c)
{
    int wants = c->wants_soft_errors;

    if (d->gateway)
        weir_setsockopt(d->stack, c->sock, IPPROTO_IP, IP_RECVERR, &wants, sizeof wants);
    c->is_connecting = false;
    c->is_established = true;
    c->is_told = c->waiter >= 0;
    if (c->waiter >= 0)
        control_answer(c->waiter, 0);
    c->waiter = -1;
}

int stream_wait_no_more(struct carrier *c)
{
    if (c->is_established)
        return 0;
    if (c->waiter >= 0)
        close(c->waiter); /* nobody listens there */
    c->waiter = -1;
    if (c->filler) /* an earlier connect did not wait */
        return -EALREADY;
    c->filler = RUN_FILLER;
    return -EINPROGRESS;
}

int stream_connect(struct daemon *d, struct carrier *c, const struct weir_sockaddr *peer)
{
    struct weir_sockaddr local = {.port = 0};
    int late = 1, before = 0, v;
    size_t len = sizeof before;

    if ((v = carrier_socket(d, c)) < 0)
        return v;
    if (d->gateway && !c->is_connecting && !c->is_established) {
        if ((v = carrier_source(d, c, peer, &local)) < 0)
            return v;
        c->wants_soft_errors = carrier_has(d, c, IP_RECVERR);
        weir_setsockopt(d->stack, c->sock, IPPROTO_IP, IP_RECVERR, &late, sizeof late);
    }
    if (d->gateway && !c->is_bound && !weir_addr_is_any(&local.addr)) {
        local.port = 0;
        weir_getsockopt(d->stack, c->sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &before, &len);
        weir_setsockopt(d->stack, c->sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
        if (weir_bind(d->stack, c->sock, &local) == 0)
            c->is_bound = c->is_bound_late = true;
        weir_setsockopt(d->stack, c->sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &before, len);
    }
    v = weir_connect(d->stack, c->sock, peer);
    if (v == -EINPROGRESS)
        c->is_connecting = true;
    if (v == 0) { /* TCP_FASTOPEN_CONNECT: the SYN takes the first write along */
        established(d, c);
        stream_drain(d, c);
    }
    return v;
}

/* What the program wrote before is read first; where there is no room for it, its end follows when
 * it is met. */
static void shut_write(struct daemon *d, struct carrier *c)
{
    stream_drain(d, c);
    if (!is_over(c) && !c->is_readable && !c->filler)
        program_says_no_more(d, c);
}

int stream_shutdown(struct daemon *d, struct carrier *c, int how)
{
    struct weir_sockaddr peer;

    if (!c->is_retired && (c->is_connecting || (c->is_listening && how != SHUT_WR)))
        return RUN_RENEW;
    if (c->is_listening)
        return 0;
    if (c->sock < 0 || weir_getpeername(d->stack, c->sock, &peer) < 0)
        return -ENOTCONN;
    c->is_told = true;
    c->has_shut_rd |= how != SHUT_WR;
    c->has_shut_wr |= how != SHUT_RD;
    if (how != SHUT_RD)
        shut_write(d, c);
    return 0;
}

int stream_outq(struct daemon *d, struct carrier *c, bool is_unsent)
{
    struct weir_sock_info info = {.state = WEIR_CLOSED};
    bool is_fin_open;

    if (c->is_listening)
        return -EINVAL;
    if (c->sock < 0 || c->is_connecting)
        return 0;
    stream_drain(d, c);
    if (c->sock < 0 || weir_info(d->stack, c->sock, &info) < 0)
        return 0;
    is_fin_open = info.state == WEIR_FIN_WAIT_1 || info.state == WEIR_CLOSING ||
                  info.state == WEIR_LAST_ACK;
    return (int)(is_unsent ? info.unsent : info.send_queue + is_fin_open);
}

/* -- events ------------------------------------------------------------------------------------ */

static void move(struct daemon *d, struct carrier *c)
{
    if (is_over(c) || c->fd < 0 || c->sock < 0 || !c->is_established)
        return;
    if (c->filler)
        drain_filler(c);
    if (!c->filler)
        from_program(d, c);
    to_program(d, c);
    if (!is_over(c) && c->stack_ended && c->program_ended)
        carrier_retire(d, c, 0);
}

void stream_drain(struct daemon *d, struct carrier *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLPRI};

    if (c->kind == CARRIER_DGRAM || c->fd < 0 || c->sock < 0 || !c->is_established || is_over(c))
        return;
    c->is_readable = true;
    c->is_urgent |= poll(&p, 1, 0) == 1 && p.revents & POLLPRI; /* before epoll tells */
    move(d, c);
}

static void on_carrier(struct daemon *d, struct source *s, uint32_t events)
{
    struct carrier *c = (struct carrier *)s;

    if (is_over(c))
        return;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->is_readable = true;
    if (events & EPOLLPRI)
        c->is_urgent = c->is_readable = true;
    if (events & EPOLLOUT)
        c->is_writable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->has_hung_up = true;
    if (events & EPOLLHUP)
        c->has_hung_up_both = true;
    if (is_closed(c) && (!c->is_established || c->program_ended)) {
        program_closed(d, c, false); /* nobody waits for the rest */
        return;
    }
    move(d, c);
}

void stream_attach(struct daemon *d, struct carrier *c, int fd)
{
    int size = 512 * 1024, on = 1;
    struct ucred who;
    socklen_t len = sizeof who;

    if (c->fd >= 0) {
        close(fd);
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && !c->pid)
        c->pid = who.pid;
    c->fd = fd;
    c->is_writable = c->is_readable = true;
    c->source.on = on_carrier;
    if (c->kind != CARRIER_ACCEPTED)
        d->unwatched--;
    if (watch(d, fd, &c->source, EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0)
        carrier_end(d, c);
    else
        move(d, c);
}

/* An error that need not last ends nothing in the stack (9293 MUST-56). On the host link it is what
 * the host's own connect() said, and the host has given up. */
static void connect_failed(struct daemon *d, struct carrier *c)
{
    int error = 0, wants = c->wants_soft_errors;
    size_t len = sizeof error;

    weir_getsockopt(d->stack, c->sock, SOL_WEIR, WEIR_CLOSE_REASON, &error, &len);
    if (!error) {
        weir_getsockopt(d->stack, c->sock, SOL_SOCKET, SO_ERROR, &error, &len);
        weir_disconnect(d->stack, c->sock);
    }
    if (d->gateway)
        weir_setsockopt(d->stack, c->sock, IPPROTO_IP, IP_RECVERR, &wants, sizeof wants);
    fail(d, c, error ? error : ECONNREFUSED);
}

void stream_on_stack(struct daemon *d, struct carrier *c, uint32_t ready)
{
    int error = 0;
    size_t len = sizeof error;

    if (c->is_connecting) {
        if (ready & (WEIR_READY_ERR | WEIR_READY_HUP)) {
            connect_failed(d, c);
            return;
        }
        if (!(ready & WEIR_READY_OUT))
            return;
        established(d, c);
    }
    move(d, c);
    if (!is_over(c) && ready & WEIR_READY_ERR && c->fd >= 0) {
        weir_getsockopt(d->stack, c->sock, SOL_WEIR, WEIR_CLOSE_REASON, &error, &len);
        fail(d, c, error ? error : ECONNRESET);
    }
}

/* Carriers that knock. One whose connection failed before it was let in learns it by being closed.
 */
void streams_take(struct daemon *d, struct source *s, uint32_t events)
{
    struct sockaddr_un un;
    socklen_t len = sizeof un;
    char id[sizeof un.sun_path];
    struct carrier *c;
    int fd;

    (void)s;
    (void)events;
    while ((fd = accept4(d->data, (struct sockaddr *)&un, &len, SOCK_CLOEXEC | SOCK_NONBLOCK)) >=
           0) {
        if (name_rest(&un, len, d->name, id) && id[0] == 's' && (c = carrier_get(d, id)) &&
            !c->is_retired)
            stream_attach(d, c, fd);
        else
            close(fd);
        len = sizeof un;
    }
}
