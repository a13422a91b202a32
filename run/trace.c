/* The daemon's side of `weir traceroute`: probes from its stack, and what became of each.
 *
 * Knows: RUN_TRACE, probe.h. Shape: a connection of the tool's with PROBES probes under way at
 * most; the oldest gives way. Units: ns within, microseconds in the answer. Errors: -errno in
 * answers. Cost: O(TRACES * PROBES) a round while somebody traces, else O(TRACES). */
#include "run/daemon.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void tell(const struct trace *t, uint16_t number, int result, const struct probe_answer *p)
{
    struct run_answer a = {.result = result, .value_len = RUN_TRACE_LEN};

    a.addr = (struct run_addr){.port = number, .addr = p->from};
    a.value[0] = p->type;
    a.value[1] = p->code;
    a.value[2] = p->is_reached;
    a.value[3] = (uint8_t)p->error;
    (void)!send(t->fd, &a, offsetof(struct run_answer, value) + RUN_TRACE_LEN,
                MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void request(struct daemon *d, struct trace *t, const struct run_ask *ask)
{
    struct probe_wish w = {.to = ask->addr.addr,
                           .kind = (enum probe_kind)ask->name,
                           .port = ask->addr.port,
                           .ttl = (uint8_t)ask->level,
                           .bytes = (uint16_t)ask->value_len};
    unsigned slot = t->next++ % PROBES;
    int v;

    if (t->probe[slot].sock >= 0)
        probe_close(&t->probe[slot]);
    t->number[slot] = (uint16_t)ask->number;
    v = ask->value_len > PROBE_DATA_MAX ? -EMSGSIZE
                                        : probe_send(&t->probe[slot], d->stack, &w, d->now);
    if (v < 0)
        tell(t, (uint16_t)ask->number, v, &(struct probe_answer){.rtt_us = 0});
}

static void trace_end(struct daemon *d, struct trace *t)
{
    for (int i = 0; i < PROBES; i++)
        if (t->probe[i].sock >= 0)
            probe_close(&t->probe[i]);
    unwatch(d, t->fd);
    t->fd = -1;
}

static void on_trace(struct daemon *d, struct source *s, uint32_t events)
{
    struct trace *t = (struct trace *)s;
    struct run_ask ask;
    ssize_t n;

    (void)events;
    while (t->fd >= 0) {
        n = recv(t->fd, &ask, sizeof ask, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n == (ssize_t)sizeof ask && ask.op == RUN_TRACE)
            request(d, t, &ask);
        else
            trace_end(d, t);
    }
}

int trace_begin(struct daemon *d, const struct run_ask *ask, int fd)
{
    struct trace *t = NULL;
    int v;

    for (int i = 0; i < TRACES && !t; i++)
        if (d->trace[i].fd < 0)
            t = &d->trace[i];
    if (!t)
        return -ENOBUFS;
    if (d->gateway && ask->name != PROBE_UDP) /* of ICMP and TCP the host sends its own */
        return -EOPNOTSUPP;
    t->source.on = on_trace;
    if ((v = watch(d, fd, &t->source, EPOLLIN)) < 0)
        return v;
    t->fd = fd;
    t->next = 0;
    for (int i = 0; i < PROBES; i++)
        t->probe[i].sock = -1;
    request(d, t, ask);
    return 0;
}

void traces_round(struct daemon *d)
{
    struct probe_answer a;

    for (int i = 0; i < TRACES; i++)
        for (int k = 0; d->trace[i].fd >= 0 && k < PROBES; k++)
            if (d->trace[i].probe[k].sock >= 0 && probe_take(&d->trace[i].probe[k], d->now, &a))
                tell(&d->trace[i], d->trace[i].number[k], a.rtt_us, &a);
}
