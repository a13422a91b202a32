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
#define TTL_PRESET 64 /* of a program that said nothing: then the host's own is as good */
#define QUOTE_MAX 1280

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

/* The host's ICMP errors go on to the sender, `near`. True: there were any. */
static bool pass_errors(struct gateway *g, int fd, const struct weir_sockaddr *near)
{
    uint8_t back[QUOTE_MAX];
    struct host_icmp e;
    bool any = false;
    ssize_t n;

    for (int i = 0; i < FLOW_BATCH; i++, any = true) {
        n = host_recv_error(fd, back, sizeof back, &e);
        if (n < 0)
            break;
        struct weir_icmp_error about = {.by = weir_addr_is_any(&e.by) ? near->addr : e.by,
                                        .type = e.type,
                                        .code = e.code,
                                        .rest = e.mtu,
                                        .data = back,
                                        .len = (size_t)n};
        weir_datagram_error(g->stack, near, &e.to, &about);
    }
    return any;
}

/* What the host would choose by itself is not asked for. */
static struct host_about about_of(const struct weir_datagram *d)
{
    return (struct host_about){.ttl = d->ttl == TTL_PRESET ? -1 : d->ttl, .tos = d->tos};
}

/* A call may tell of an error that came of an earlier datagram: then this one was not sent. */
static void send_by_flow(struct gateway *g, struct flow *f, const struct iovec *data,
                         const struct host_about *about)
{
    bool is_v4 = weir_addr_is_v4(&f->remote.addr);
    ssize_t n = host_send_connected(f->watch.fd, data, about, is_v4);
    bool is_told = n < 0 && pass_errors(g, f->watch.fd, &f->near);

    if (n < 0 && n != -EMSGSIZE && (is_told || n == -ECONNREFUSED)) {
        if (!is_told)
            weir_datagram_refuse(g->stack, &f->near, &f->remote, (int)-n);
        n = host_send_connected(f->watch.fd, data, about, is_v4);
        is_told = false;
    }
    if (n < 0 && !is_told)
        weir_datagram_refuse(g->stack, &f->near, &f->remote, (int)-n);
    g->stats.datagrams_dropped += n < 0;
}

static void send_published(struct gateway *g, struct publish *p, const struct weir_sockaddr *remote,
                           const struct iovec *data, const struct host_about *about)
{
    ssize_t n = host_send_datagram(p->watch.fd, data, remote, about);

    if (n < 0 && pass_errors(g, p->watch.fd, &p->sender) && n != -EMSGSIZE)
        n = host_send_datagram(p->watch.fd, data, remote, about); /* that was of an earlier one */
    g->stats.datagrams_dropped += n < 0;
}

static void send_to_host(struct gateway *g, size_t len, const struct weir_sockaddr *near,
                         const struct weir_datagram *d)
{
    const struct weir_sockaddr *remote = &d->local;
    struct publish *p = publish_of(g, near);
    struct host_about about = about_of(d);
    struct iovec data = {g->datagram, len};
    struct flow *f;
    int error = 0;

    if (p) {
        about.ours = near->addr;
        p->sender = *near;
        send_published(g, p, remote, &data, &about);
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
    send_by_flow(g, f, &data, &about);
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
        send_to_host(g, (size_t)n, &near, &about);
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
                          const struct weir_datagram *about)
{
    if (weir_sendmsg(g->stack, g->datagrams, g->datagram, len, 0, near, about) < 0)
        g->stats.datagrams_dropped++;
}

static struct weir_datagram datagram_of(const struct weir_sockaddr *remote,
                                        const struct host_about *about)
{
    return (struct weir_datagram){
        .local = *remote, .ttl = about->ttl > 0 ? about->ttl : -1, .tos = about->tos};
}

void gateway_udp_on_flow(struct gateway *g, struct flow *f, uint32_t events)
{
    struct weir_sockaddr remote;
    struct host_about about;

    if (events & EPOLLERR)
        pass_errors(g, f->watch.fd, &f->near);
    for (int i = 0; i < FLOW_BATCH && has_room(g); i++) {
        ssize_t n = host_recv_datagram(f->watch.fd, g->datagram, sizeof g->datagram, &remote,
                                       &about);

        if (n < 0 && n != -EAGAIN && n != -EINTR && !pass_errors(g, f->watch.fd, &f->near)) {
            weir_datagram_refuse(g->stack, &f->near, &f->remote, (int)-n);
            flow_end(g, f); /* a new datagram may try again */
        }
        if (n < 0)
            return;
        flow_used(g, f);
        struct weir_datagram d = datagram_of(&f->remote, &about);
        send_to_stack(g, (size_t)n, &f->near, &d);
    }
}

void gateway_udp_on_publish(struct gateway *g, struct publish *p, uint32_t events)
{
    if (events & EPOLLERR)
        pass_errors(g, p->watch.fd, &p->sender);
    for (int i = 0; i < FLOW_BATCH && has_room(g); i++) {
        struct weir_sockaddr near = p->stack_side;
        struct weir_sockaddr remote;
        struct host_about about;
        ssize_t n = host_recv_datagram(p->watch.fd, g->datagram, sizeof g->datagram, &remote,
                                       &about);

        if (n < 0)
            return;
        if (weir_addr_is_any(&near.addr))
            near.addr = about.ours;
        struct weir_datagram d = datagram_of(&remote, &about);
        send_to_stack(g, (size_t)n, &near, &d);
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
    int s = gateway_socket(g, SOCK_DGRAM, &any);
    int on = 1, r;

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
