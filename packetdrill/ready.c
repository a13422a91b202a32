/* poll and epoll over descriptors of a node.
 *
 * Knows: readiness, level and edge. Shape: edges come from the stack's own list of what happened.
 * Units: milliseconds as the calls have them. Errors: -errno. Cost: O(descriptors). */
#include <errno.h>
#include <stdlib.h>

#include "packetdrill/file.h"

static uint32_t ready_of(struct node *h, int fd)
{
    int sock = node_socket_of(h, fd);
    int ready = sock < 0 ? 0 : weir_readiness(h->stack, sock);
    uint32_t out = 0;

    if (ready < 0)
        return POLLNVAL;
    out |= ready & WEIR_READY_IN ? EPOLLIN | EPOLLRDNORM : 0u;
    out |= ready & WEIR_READY_OUT ? EPOLLOUT | EPOLLWRNORM : 0u;
    out |= ready & WEIR_READY_PRI ? EPOLLPRI : 0u;
    out |= ready & WEIR_READY_ERR ? EPOLLERR : 0u;
    out |= ready & WEIR_READY_HUP ? EPOLLHUP : 0u;
    out |= ready & WEIR_READY_RDHUP ? EPOLLRDHUP : 0u;
    return out;
}

/* Nothing is ready: wait as long as `ms` says, or give 0. */
static int64_t wait_ms(struct node *h, struct node_wait *w, int ms)
{
    if (ms == 0 || !wait_on(h, w, ms < 0 ? 0 : (int64_t)ms * 1000))
        return 0;
    return NODE_BLOCKS;
}

int64_t node_poll(struct node *h, struct pollfd *fds, int n, int ms, struct node_wait *w)
{
    int count = 0;

    for (int i = 0; i < n; i++) {
        fds[i].revents = 0;
        if (fds[i].fd < 0)
            continue;
        if (!file_at(h, fds[i].fd))
            fds[i].revents = POLLNVAL;
        else
            fds[i].revents = (short)(ready_of(h, fds[i].fd) &
                                     ((uint32_t)(uint16_t)fds[i].events | POLLERR | POLLHUP));
        count += fds[i].revents != 0;
    }
    return count ? count : wait_ms(h, w, ms);
}

/* -- epoll ------------------------------------------------------------------------------------- */

static struct file *epoll_at(struct node *h, int ep)
{
    struct file *f = file_at(h, ep);

    return f && f->kind == FILE_EPOLL ? f : NULL;
}

int64_t node_epoll_create(struct node *h)
{
    return file_new(h, FILE_EPOLL);
}

static struct interest **find(struct file *f, int fd)
{
    struct interest **x = &f->interests;

    while (*x && (*x)->fd != fd)
        x = &(*x)->next;
    return x;
}

static int64_t add(struct interest **at, int fd)
{
    *at = calloc(1, sizeof **at);
    if (!*at)
        return -ENOMEM;
    (*at)->fd = fd;
    return 0;
}

int64_t node_epoll_ctl(struct node *h, int ep, int op, int fd, const struct epoll_event *e)
{
    struct file *f = epoll_at(h, ep);
    struct interest **x, *gone;
    int64_t v = 0;

    if (!f || !file_at(h, fd))
        return file_at(h, ep) && file_at(h, fd) ? -EINVAL : -EBADF;
    x = find(f, fd);
    if ((op == EPOLL_CTL_ADD) == (*x != NULL))
        return *x ? -EEXIST : -ENOENT;
    if (op == EPOLL_CTL_DEL) {
        gone = *x;
        *x = gone->next;
        free(gone);
        return 0;
    }
    if (op == EPOLL_CTL_ADD)
        v = add(x, fd);
    if (v == 0) {
        (*x)->event = *e;
        (*x)->is_new = true;
        (*x)->is_spent = false;
    }
    return v;
}

int64_t node_epoll_wait(struct node *h, int ep, struct iovec *events, int ms, struct node_wait *w)
{
    struct file *f = epoll_at(h, ep);
    struct epoll_event *out = events->iov_base;
    size_t most = events->iov_len / sizeof *out, n = 0;

    if (!f)
        return file_at(h, ep) ? -EINVAL : -EBADF;
    if (most == 0)
        return -EINVAL;
    for (struct interest *x = f->interests; x && n < most; x = x->next) {
        uint32_t ready = ready_of(h, x->fd) & (x->event.events | EPOLLERR | EPOLLHUP);
        if (!ready || x->is_spent || (x->event.events & EPOLLET && !x->is_new))
            continue;
        x->is_new = false;
        x->is_spent = x->event.events & EPOLLONESHOT;
        out[n] = x->event;
        out[n++].events = ready;
    }
    return n ? (int64_t)n : wait_ms(h, w, ms);
}
