/* The daemon's side of `weir dump`: each frame that the stack sends or gets goes to who watches.
 *
 * Knows: RUN_DUMP, weir_capture_to. Shape: the link is wrapped while somebody watches, and bare
 * otherwise, so that who is not watched pays nothing. A watcher that is too slow misses frames, and
 * is told how many; it never holds up the stack. Units: ns. Errors: -errno. Cost: a copy a frame
 * and watcher. */
#include "run/daemon.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <weir/pcapng.h>

#define WHY_MAX 255

static void send_frame(struct watcher *w, struct run_frame *h, const char *why,
                       const uint8_t *bytes)
{
    struct iovec iov[3] = {{h, sizeof *h}, {(char *)why, h->why_len}, {(uint8_t *)bytes, h->len}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 3};

    h->dropped = w->dropped;
    if (sendmsg(w->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        w->dropped++;
}

static void show(void *arg, const struct weir_pcapng_packet *packet, const struct weir_frame *f)
{
    static uint8_t bytes[RUN_FRAME_MAX]; /* the daemon has one thread */
    struct daemon *d = arg;
    struct run_frame h = {.at_ns = packet->at_ns, .dir = (uint8_t)packet->dir};
    const char *why = packet->comment ? packet->comment : "";

    h.type = (uint16_t)d->link->iface.type;
    h.len = (uint32_t)weir_frame_copy(f, bytes, sizeof bytes);
    h.why_len = (uint8_t)(strlen(why) < WHY_MAX ? strlen(why) : WHY_MAX);
    for (int i = 0; i < WATCHERS; i++)
        if (d->watcher[i].fd >= 0)
            send_frame(&d->watcher[i], &h, why, bytes);
}

static void on_watcher(struct daemon *d, struct source *s, uint32_t events)
{
    struct watcher *w = (struct watcher *)s;

    (void)events; /* it has nothing to say: it went */
    unwatch(d, w->fd);
    w->fd = -1;
}

static bool is_watched(const struct daemon *d)
{
    for (int i = 0; i < WATCHERS; i++)
        if (d->watcher[i].fd >= 0)
            return true;
    return false;
}

int watch_begin(struct daemon *d, int fd)
{
    struct watcher *w = NULL;
    int v, room = 4 << 20;

    for (int i = 0; i < WATCHERS && !w; i++)
        if (d->watcher[i].fd < 0)
            w = &d->watcher[i];
    if (!w)
        return -ENOBUFS;
    if (!d->shown) {
        d->shown = weir_capture_to(d->link, show, d);
        if (!d->shown)
            return -ENOMEM;
        weir_capture_epoch(d->shown, weir_clock_epoch_ns());
        d->link = d->shown;
    }
    w->source.on = on_watcher;
    if ((v = watch(d, fd, &w->source, EPOLLIN | EPOLLRDHUP)) < 0)
        return v;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    w->fd = fd;
    w->dropped = 0;
    send_frame(w, &(struct run_frame){.len = 0}, "", NULL); /* from now on */
    return 0;
}

void watch_round(struct daemon *d)
{
    weir_capture_flush(d->shown);
    if (is_watched(d))
        return;
    d->link = weir_capture_end(d->shown);
    d->shown = NULL;
}
