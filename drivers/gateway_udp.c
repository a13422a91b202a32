/* Datagrams: one connected kernel socket for each pair of addresses that the near stack uses.
 *
 * Knows: the datagram calls of both sides. Not frames, not streams.
 * Shape: a datagram from a published port leaves through that port's socket; any other has a flow.
 * Flows stand in a list, least recently used first, and in a hash table; the oldest gives way.
 * Units: bytes, ns. Errors: what can not be passed on is dropped and counted, as UDP may.
 * Cost: two copies and a system call a datagram. */
#include "gateway.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

/* Fewer than a batch: every flow shall have its turn before the stack's output is drained. */
#define FLOW_BATCH 16

struct flow {
    struct watch watch;
    struct weir_sockaddr near, remote; /* the program's end; whom it speaks to */
    int64_t used_at;
    TAILQ_ENTRY(flow) order;
    LIST_ENTRY(flow) bucket;
};

static void flow_end(struct gateway *g, struct flow *f)
{
    close(gateway_unwatch(g, &f->watch));
    LIST_REMOVE(f, bucket);
    TAILQ_REMOVE(&g->flows, f, order);
    TAILQ_INSERT_TAIL(&g->dead_flows, f, order);
    g->flow_count--;
}

static void flow_used(struct gateway *g, struct flow *f)
{
    f->used_at = g->now;
    TAILQ_REMOVE(&g->flows, f, order);
    TAILQ_INSERT_TAIL(&g->flows, f, order);
}

static bool evict(struct gateway *g)
{
    struct flow *oldest = TAILQ_FIRST(&g->flows);

    if (!oldest)
        return false;
    flow_end(g, oldest);
    g->stats.flows_evicted++;
    return true;
}

static struct flow_bucket *bucket_of(struct gateway *g, const struct weir_sockaddr *near,
                                     const struct weir_sockaddr *remote)
{
    return &g->flow_of[gateway_hash(near, remote) % GATEWAY_FLOW_BUCKETS];
}

static struct flow *flow_find(struct gateway *g, const struct weir_sockaddr *near,
                              const struct weir_sockaddr *remote)
{
    struct flow *f;

    LIST_FOREACH (f, bucket_of(g, near, remote), bucket)
        if (f->near.port == near->port && f->remote.port == remote->port &&
            weir_addr_equal(&f->near.addr, &near->addr) &&
            weir_addr_equal(&f->remote.addr, &remote->addr))
            return f;
    return NULL;
}

/* NULL with *error set: -errno. */
static struct flow *flow_new(struct gateway *g, const struct weir_sockaddr *near,
                             const struct weir_sockaddr *remote, int *error)
{
    struct flow *f;
    int fd;

    if (g->flow_count == GATEWAY_FLOWS_MAX)
        evict(g);
    fd = host_connect(near, remote, SOCK_DGRAM);
    if (fd < 0 && host_is_shortage(-fd) && evict(g))
        fd = host_connect(near, remote, SOCK_DGRAM);
    *error = fd < 0 ? fd : -ENOMEM;
    if (fd < 0)
        return NULL;
    f = calloc(1, sizeof *f);
    if (f)
        f->watch = (struct watch){WATCH_FLOW, fd};
    if (!f || gateway_watch(g, &f->watch, EPOLLIN) < 0) {
        close(fd);
        free(f);
        return NULL;
    }
    f->near = *near;
    f->remote = *remote;
    LIST_INSERT_HEAD(bucket_of(g, near, remote), f, bucket);
    TAILQ_INSERT_TAIL(&g->flows, f, order);
    g->flow_count++;
    g->stats.flows++;
    return f;
}

/* -- from the stack ---------------------------------------------------------------------------- */

static struct publish *publish_of(struct gateway *g, const struct weir_sockaddr *near)
{
    struct publish *p;

    TAILQ_FOREACH (p, &g->publishes, link)
        if (p->watch.kind == WATCH_DATAGRAMS && p->stack_side.port == near->port)
            return p;
    return NULL;
}

static void send_to_host(struct gateway *g, size_t len, const struct weir_sockaddr *near,
                         const struct weir_sockaddr *remote)
{
    struct publish *p = publish_of(g, near);
    struct flow *f;
    int error = 0;
    ssize_t n;

    if (p) {
        n = host_send_datagram(p->watch.fd, g->datagram, len, remote, &near->addr);
        g->stats.datagrams_dropped += n < 0;
        return;
    }
    f = flow_find(g, near, remote);
    if (!f)
        f = flow_new(g, near, remote, &error);
    if (!f) {
        weir_datagram_refuse(g->stack, near, remote, -error);
        g->stats.datagrams_dropped++;
        return;
    }
    flow_used(g, f);
    n = send(f->watch.fd, g->datagram, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == ECONNREFUSED) { /* about an earlier one: this one was not sent */
        weir_datagram_refuse(g->stack, near, remote, ECONNREFUSED);
        n = send(f->watch.fd, g->datagram, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (n < 0)
        weir_datagram_refuse(g->stack, near, remote, errno);
    g->stats.datagrams_dropped += n < 0;
}

static void take_datagrams(struct gateway *g)
{
    struct weir_sockaddr near;
    struct weir_datagram about;

    for (int i = 0; i < GATEWAY_BATCH; i++) {
        ssize_t n = weir_recvmsg(g->stack, g->datagrams, g->datagram, sizeof g->datagram, 0, &near,
                                 &about);
        if (n < 0)
            return;
        send_to_host(g, (size_t)n, &near, &about.local);
    }
    g->is_behind = true;
}

void gateway_udp_round(struct gateway *g)
{
    struct flow *f;

    take_datagrams(g);
    while ((f = TAILQ_FIRST(&g->flows)) && g->now - f->used_at >= GATEWAY_FLOW_IDLE_NS)
        flow_end(g, f);
}

/* -- from the host ----------------------------------------------------------------------------- */

/* While the stack has no room, datagrams wait in the kernel and the descriptor stays readable. */
static bool has_room(struct gateway *g)
{
    int ready = weir_readiness(g->stack, g->datagrams);

    return ready >= 0 && (ready & WEIR_READY_OUT);
}

static void send_to_stack(struct gateway *g, size_t len, const struct weir_sockaddr *near,
                          const struct weir_sockaddr *remote)
{
    const struct weir_datagram about = {.local = *remote, .ttl = -1, .tos = -1};

    if (weir_sendmsg(g->stack, g->datagrams, g->datagram, len, 0, near, &about) < 0)
        g->stats.datagrams_dropped++;
}

/* The host's ICMP error goes on to the sender, by an ICMP error; a new datagram may try again. */
static void flow_refused(struct gateway *g, struct flow *f, int error)
{
    weir_datagram_refuse(g->stack, &f->near, &f->remote, error);
    flow_end(g, f);
}

void gateway_udp_on_flow(struct gateway *g, struct flow *f)
{
    for (int i = 0; i < FLOW_BATCH && has_room(g); i++) {
        ssize_t n = recv(f->watch.fd, g->datagram, sizeof g->datagram, MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            flow_refused(g, f, errno);
        if (n < 0)
            return;
        flow_used(g, f);
        send_to_stack(g, (size_t)n, &f->near, &f->remote);
    }
}

void gateway_udp_on_publish(struct gateway *g, struct publish *p)
{
    for (int i = 0; i < FLOW_BATCH && has_room(g); i++) {
        struct weir_sockaddr near = p->stack_side;
        struct weir_sockaddr remote;
        struct weir_addr used;
        ssize_t n = host_recv_datagram(p->watch.fd, g->datagram, sizeof g->datagram, &remote,
                                       &used);

        if (n < 0)
            return;
        if (weir_addr_is_any(&near.addr))
            near.addr = used;
        send_to_stack(g, (size_t)n, &near, &remote);
    }
}

/* -- life -------------------------------------------------------------------------------------- */

int64_t gateway_udp_deadline(const struct gateway *g)
{
    const struct flow *f = TAILQ_FIRST(&g->flows);

    return f ? f->used_at + GATEWAY_FLOW_IDLE_NS : WEIR_NEVER;
}

int gateway_udp_open(struct gateway *g)
{
    struct weir_sockaddr any = {0};
    int on = 1;
    int s = weir_socket(g->stack, AF_INET6, SOCK_DGRAM, 0);
    int r;

    if (s < 0) { /* a stack without IPv6 */
        any.addr = weir_addr_v4(0);
        s = weir_socket(g->stack, AF_INET, SOCK_DGRAM, 0);
    }
    if (s < 0)
        return s;
    g->datagrams = s;
    r = weir_setsockopt(g->stack, s, SOL_WEIR, WEIR_ANY_PORT, &on, sizeof on);
    return r < 0 ? r : weir_bind(g->stack, s, &any);
}

void gateway_udp_bury(struct gateway *g)
{
    struct flow *f;

    while ((f = TAILQ_FIRST(&g->dead_flows))) {
        TAILQ_REMOVE(&g->dead_flows, f, order);
        free(f);
    }
}

void gateway_udp_close(struct gateway *g)
{
    while (!TAILQ_EMPTY(&g->flows))
        flow_end(g, TAILQ_FIRST(&g->flows));
}
