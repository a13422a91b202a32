/* The daemon's side of `weir ping`: echo requests from its stack, and their replies.
 *
 * Knows: RUN_PING, echo.h. Shape: each `weir ping` keeps its connection; what it asks for on it is
 * sent at once, what is replied is told at once. Waiting and counting are its own business.
 * Units: ns within, microseconds in the answer. Errors: -errno in answers. Cost: O(PINGS) a round.
 */
#include "run/daemon.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void tell(const struct ping *p, const struct echo_reply *r)
{
    struct run_answer a = {.result = r->result, .value_len = r->bytes};
    size_t len = offsetof(struct run_answer, value) + 1;

    a.addr = (struct run_addr){
        .family = weir_addr_is_v4(&r->from) ? 4 : 6, .port = r->seq, .addr = r->from};
    a.value[0] = r->ttl;
    (void)!send(p->fd, &a, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void request(struct daemon *d, struct ping *p, const struct run_ask *ask)
{
    int v = echo_send(&p->echo, (uint16_t)ask->number, ask->value_len, d->now);

    if (v < 0)
        tell(p, &(struct echo_reply){.result = v});
}

static void ping_end(struct daemon *d, struct ping *p)
{
    echo_close(&p->echo);
    unwatch(d, p->fd);
    p->fd = -1;
}

static void on_ping(struct daemon *d, struct source *s, uint32_t events)
{
    struct ping *p = (struct ping *)s;
    struct run_ask ask;
    ssize_t n;

    (void)events;
    while (p->fd >= 0) {
        n = recv(p->fd, &ask, sizeof ask, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n == (ssize_t)sizeof ask && ask.op == RUN_PING)
            request(d, p, &ask);
        else
            ping_end(d, p);
    }
}

int ping_begin(struct daemon *d, const struct run_ask *ask, int fd)
{
    struct ping *p = NULL;
    int v;

    for (int i = 0; i < PINGS && !p; i++)
        if (d->ping[i].fd < 0)
            p = &d->ping[i];
    if (!p)
        return -ENOBUFS;
    if (d->gateway) /* it ends transports, and ICMP is none */
        return -EOPNOTSUPP;
    if ((v = echo_open(&p->echo, d->stack, &ask->addr.addr, ask->level)) < 0)
        return v;
    p->source.on = on_ping;
    if ((v = watch(d, fd, &p->source, EPOLLIN)) < 0) {
        echo_close(&p->echo);
        return v;
    }
    p->fd = fd;
    request(d, p, ask);
    return 0;
}

void ping_round(struct daemon *d)
{
    struct echo_reply r;

    for (int i = 0; i < PINGS; i++)
        while (d->ping[i].fd >= 0 && echo_take(&d->ping[i].echo, d->now, &r))
            tell(&d->ping[i], &r);
}
