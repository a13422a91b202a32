/* The daemon's loop: wait, let each descriptor have its turn, move frames, tell carriers.
 *
 * Knows: the order of a round. Shape: one pump of the link for each round, not for each event.
 * Units: ns. Errors: a link that is gone for good ends the daemon, and carriers with it.
 * Cost: one epoll_pwait2 a round. */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define SWEEP_NS 200000000    /* how long a listener outlives its program */
#define RETRY_NS 2000000      /* a program whose backlog is full is asked again */
#define LINGER_NS 10000000000 /* after the last program: without progress of what it sent */
#define GOODBYE_NS 500000000  /* for the peer's FIN, when all was delivered */

int watch(struct daemon *d, int fd, struct source *s, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = s};

    return epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

void unwatch(struct daemon *d, int fd)
{
    epoll_ctl(d->epoll, EPOLL_CTL_DEL, fd, NULL);
    close(fd);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_instant(struct daemon *d)
{
    int64_t at = earlier(weir_deadline(d->stack), d->link->driver->deadline(d->link));

    if (d->is_behind || weir_has_output(d->stack))
        return d->now;
    if (d->unwatched > 0)
        at = earlier(at, d->next_sweep);
    at = earlier(at, carriers_deadline(d));
    if (d->retry)
        at = earlier(at, d->now + RETRY_NS);
    if (d->is_ending)
        at = earlier(at, d->now + SWEEP_NS / 4);
    return at;
}

static void wait_for_events(struct daemon *d)
{
    struct epoll_event e[EVENTS];
    int64_t at = next_instant(d), left = at - d->now;
    struct timespec t = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    int n;

    if (left < 0)
        t.tv_sec = t.tv_nsec = 0;
    n = epoll_pwait2(d->epoll, e, EVENTS, at == WEIR_NEVER ? NULL : &t, NULL);
    d->now = weir_clock_ns();
    for (int i = 0; i < n; i++) {
        struct source *s = e[i].data.ptr;
        s->on(d, s, e[i].events);
    }
}

static void tell_carrier(struct daemon *d, const struct weir_ready_event *e)
{
    struct carrier *c = e->user;

    if (!c || c->is_dead || c->is_retired)
        return;
    if (c->kind == CARRIER_DGRAM)
        dgram_on_stack(d, c);
    else if (c->kind == CARRIER_QUERY)
        dns_on_stack(d, c);
    else if (c->is_listening)
        listener_on_stack(d, c);
    else
        stream_on_stack(d, c, e->ready);
}

/* Frames and what they bring, until nothing moves or others have waited long enough. */
static int move_frames(struct daemon *d)
{
    struct weir_ready_event e[EVENTS];
    int moved = 1, n;

    for (int round = 0; round < 8 && moved > 0; round++) {
        moved = weir_link_pump(d->link, d->stack, d->ifindex, d->now, 1);
        if (moved < 0)
            return moved;
        if (d->shown)
            watch_round(d);
        n = weir_ready(d->stack, e, EVENTS);
        for (int i = 0; i < n; i++)
            tell_carrier(d, &e[i]);
        moved += n;
        d->now = weir_clock_ns();
    }
    d->is_behind = moved > 0;
    return 0;
}

/* What must still reach the peers: bytes, and a FIN as one more. */
static uint64_t undelivered(struct daemon *d, bool *is_peer_open)
{
    struct weir_sock_info info;
    uint64_t cursor = 0, left = d->gateway ? weir_gateway_unsent(d->gateway) : 0;

    *is_peer_open = false;
    while (weir_info_next(d->stack, &cursor, &info)) {
        if (info.protocol != IPPROTO_TCP)
            continue;
        if (info.state == WEIR_FIN_WAIT_1 || info.state == WEIR_CLOSING ||
            info.state == WEIR_LAST_ACK)
            left += info.send_queue + 1;
        *is_peer_open |= info.state == WEIR_FIN_WAIT_2;
    }
    return left;
}

/* Programs are gone. What they sent is delivered first, as long as that makes progress; then a peer
 * has a moment to close as well. */
static bool is_over(struct daemon *d)
{
    bool is_peer_open;
    uint64_t left;

    if (!d->is_ending || d->carriers > 0)
        return false;
    left = undelivered(d, &is_peer_open);
    if (!left && !is_peer_open)
        return true;
    if (!d->end_at || left != d->left)
        d->end_at = d->now + (left ? LINGER_NS : GOODBYE_NS);
    d->left = left;
    return d->now >= d->end_at;
}

void daemon_loop(struct daemon *d)
{
    d->now = weir_clock_ns();
    while (!is_over(d)) {
        wait_for_events(d);
        if (d->retry)
            listeners_retry(d);
        if (move_frames(d) < 0) {
            fprintf(stderr, "weir: %s is gone; connections end here\n", d->link->iface.name);
            return;
        }
        ping_round(d);
        traces_round(d);
        if (d->now >= d->next_sweep || d->now >= carriers_deadline(d)) {
            carriers_sweep(d);
            d->next_sweep = d->now + SWEEP_NS;
        }
        carriers_bury(d);
    }
}
