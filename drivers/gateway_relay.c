/* The relay of one pair: bytes go from ring to kernel and back without a copy in between.
 *
 * Knows: the zero-copy calls of the stack, readv and sendmsg. Not why a pair exists.
 * Shape: a side is read only when the other has room, so each side's flow control is the other's.
 * Half-close is passed on as it comes: FIN here is shutdown(SHUT_WR) there.
 * Units: bytes. Errors: which side broke; by then all that the host sent before is in the ring.
 * Cost: one system call for up to 256 KiB. */
#include "gateway_pair.h"

#include <errno.h>
#include <sys/uio.h>

enum move { MOVED, STUCK, HOST_BROKE, STACK_BROKE };

/* A full read wants more room next time; the ring grows with the flow and not with the hope. */
static void adapt_want(struct pair *p, uint32_t offered, uint32_t got)
{
    if (got == offered && p->want < GATEWAY_WANT_MAX)
        p->want *= 2;
    else if (got < p->want / 4 && p->want > GATEWAY_WANT_MIN)
        p->want /= 2;
}

static enum move read_failed(struct pair *p)
{
    if (errno == EINTR)
        return MOVED;
    p->may_read = false;
    return errno == EAGAIN ? STUCK : HOST_BROKE;
}

/* After an error the kernel reports the end of the stream; that is no FIN to be passed on. */
static enum move read_end(struct gateway *g, struct pair *p)
{
    if (p->host_failed)
        return HOST_BROKE;
    p->host_ended = true;
    return weir_shutdown(g->stack, p->sock, SHUT_WR) < 0 ? STACK_BROKE : MOVED;
}

static enum move host_to_stack(struct gateway *g, struct pair *p)
{
    struct weir_space space[2];
    struct iovec iov[2];
    uint32_t offered = 0;
    bool is_urgent;
    ssize_t got;
    int n;

    if (!p->may_read || p->host_ended)
        return STUCK;
    is_urgent = p->has_urgent && weir_urgent_at_fd(p->watch.fd);
    n = weir_send_space(g->stack, p->sock, is_urgent ? 1 : p->want, space);
    if (n <= 0)
        return n == 0 || n == -EAGAIN ? STUCK : STACK_BROKE;
    for (int i = 0; i < n; i++) {
        iov[i] = (struct iovec){space[i].data, space[i].len};
        offered += space[i].len;
    }
    got = readv(p->watch.fd, iov, n);
    if (got < 0)
        return read_failed(p);
    if (got == 0)
        return read_end(g, p);
    /* A short read has emptied the socket, unless a FIN or an urgent byte stands behind the data:
     * no event will come for that one again. */
    p->may_read = (uint32_t)got == offered || p->has_hung_up || p->has_urgent;
    p->has_urgent &= !is_urgent;
    if (!is_urgent)
        adapt_want(p, offered, (uint32_t)got);
    n = weir_send_commit(g->stack, p->sock, (uint32_t)got, is_urgent ? MSG_OOB : 0);
    return n < 0 ? STACK_BROKE : MOVED;
}

/* The host may have sent something before it broke (a server's last word): reading goes on. */
static enum move write_failed(struct pair *p)
{
    if (errno == EINTR)
        return MOVED;
    p->may_write = false;
    if (errno == EAGAIN)
        return STUCK;
    p->host_failed = p->may_read = true;
    return p->host_ended ? HOST_BROKE : MOVED;
}

static enum move stack_to_host(struct gateway *g, struct pair *p)
{
    struct weir_slice slice[2];
    struct iovec iov[2];
    struct msghdr m = {.msg_iov = iov};
    bool ended = false;
    uint32_t offered = 0;
    ssize_t put;
    int n;

    if (!p->may_write || p->stack_ended || p->host_failed)
        return STUCK;
    if (!weir_urgent_to_fd(g->stack, p->sock, p->watch.fd)) {
        p->may_write = false;
        return STUCK;
    }
    n = weir_recv_slices(g->stack, p->sock, slice, &ended);
    if (n < 0)
        return n == -EAGAIN ? STUCK : STACK_BROKE;
    if (n == 0 && !ended)
        return STUCK;
    if (n == 0) {
        p->stack_ended = true;
        return shutdown(p->watch.fd, SHUT_WR) < 0 ? write_failed(p) : MOVED;
    }
    for (int i = 0; i < n; i++) {
        iov[i] = (struct iovec){(void *)(uintptr_t)slice[i].data, slice[i].len};
        offered += slice[i].len;
    }
    m.msg_iovlen = (size_t)n;
    put = sendmsg(p->watch.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0)
        return write_failed(p);
    p->may_write = put == (ssize_t)offered;
    return weir_recv_consume(g->stack, p->sock, (uint32_t)put) < 0 ? STACK_BROKE : MOVED;
}

enum relay_outcome relay_pair(struct gateway *g, struct pair *p)
{
    for (int turn = 0; turn < GATEWAY_TURNS; turn++) {
        enum move in = host_to_stack(g, p);
        enum move out = in == MOVED || in == STUCK ? stack_to_host(g, p) : in;

        if (out == STACK_BROKE)
            return RELAY_STACK_BROKE;
        if (out == HOST_BROKE)
            return RELAY_HOST_BROKE;
        if (p->host_ended && p->stack_ended)
            return RELAY_DONE;
        if (in == STUCK && out == STUCK)
            return RELAY_IDLE;
    }
    return RELAY_MORE;
}
