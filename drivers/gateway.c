/* gateway: the `host` link, a second stack whose sockets are paired with the kernel's.
 *
 * Knows: epoll, the far stack's verbs, the order of work in a round. Not how bytes are relayed.
 * Shape: recv is: bury the dead, kernel events, timers, stack events, frames out. send is: frames
 * in, stack events. All loops are bounded; what is left over makes the deadline 0.
 * Units: ns. Errors: one line from open; -errno from publish. Cost: one epoll_wait a recv. */
#include "gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MTU_DEFAULT 1500
#define GSO_MAX 65535
#define READY_ROUNDS 16

/* -- a round ----------------------------------------------------------------------------------- */

static void resume(struct gateway *g)
{
    struct publish *p;

    if (g->now < g->resume_at)
        return;
    g->resume_at = WEIR_NEVER;
    TAILQ_FOREACH (p, &g->publishes, link) {
        if (!p->is_paused)
            continue;
        p->is_paused = gateway_watch(g, &p->watch, EPOLLIN) < 0;
        if (p->is_paused)
            gateway_shortage(g, p);
    }
}

static void on_event(struct gateway *g, struct watch *w, uint32_t events)
{
    if (w->fd < 0) /* closed by an event of the same batch */
        return;
    switch (w->kind) {
    case WATCH_PAIR:
        gateway_tcp_on_host(g, (struct pair *)w, events);
        break;
    case WATCH_FLOW:
        gateway_udp_on_flow(g, (struct flow *)w, events);
        break;
    case WATCH_STREAMS:
        gateway_tcp_on_caller(g, (struct publish *)w);
        break;
    case WATCH_DATAGRAMS:
        gateway_udp_on_publish(g, (struct publish *)w, events);
        break;
    }
}

static void serve_kernel(struct gateway *g)
{
    struct epoll_event events[GATEWAY_EVENTS];
    int n = epoll_wait(g->epoll, events, GATEWAY_EVENTS, 0);

    for (int i = 0; i < n; i++)
        on_event(g, events[i].data.ptr, events[i].events);
    if (n == GATEWAY_EVENTS)
        g->is_behind = true;
}

static void serve_stack(struct gateway *g)
{
    struct weir_ready_event events[GATEWAY_EVENTS];
    int n = GATEWAY_EVENTS;

    for (int round = 0; round < READY_ROUNDS && n == GATEWAY_EVENTS; round++) {
        n = weir_ready(g->stack, events, GATEWAY_EVENTS);
        for (int i = 0; i < n; i++)
            if (events[i].user)
                gateway_tcp_on_stack(g, events[i].user, events[i].ready);
    }
    if (n == GATEWAY_EVENTS)
        g->is_behind = true;
    gateway_tcp_round(g);
    gateway_udp_round(g);
}

static void bury(struct gateway *g)
{
    struct publish *p;

    gateway_tcp_bury(g);
    gateway_udp_bury(g);
    while ((p = TAILQ_FIRST(&g->dead_publishes))) {
        TAILQ_REMOVE(&g->dead_publishes, p, link);
        free(p);
    }
}

static int gateway_recv(struct weir_link *link, struct weir_frame *burst, int max, int64_t now_ns)
{
    struct gateway *g = (struct gateway *)link;

    g->now = now_ns;
    g->is_behind = false;
    bury(g);
    resume(g);
    serve_kernel(g);
    weir_advance(g->stack, now_ns);
    serve_stack(g);
    return weir_output(g->stack, g->ifindex, burst, max, now_ns);
}

static int gateway_send(struct weir_link *link, struct weir_frame *burst, int n, int64_t now_ns)
{
    struct gateway *g = (struct gateway *)link;

    g->now = now_ns;
    if (n)
        weir_input(g->stack, g->ifindex, burst, n, now_ns);
    serve_stack(g);
    return n;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t gateway_deadline(struct weir_link *link)
{
    struct gateway *g = (struct gateway *)link;
    int64_t at = earlier(weir_deadline(g->stack), g->resume_at);

    if (g->is_behind || weir_has_output(g->stack))
        return 0;
    return earlier(at, earlier(gateway_tcp_deadline(g), gateway_udp_deadline(g)));
}

static int gateway_fd(struct weir_link *link)
{
    return ((struct gateway *)link)->epoll;
}

static void gateway_close(struct weir_link *link)
{
    struct gateway *g = (struct gateway *)link;
    struct publish *p;

    while ((p = TAILQ_FIRST(&g->publishes)))
        weir_gateway_unpublish(link, p->handle);
    gateway_tcp_close(g);
    gateway_udp_close(g);
    bury(g);
    if (g->stack)
        weir_free(g->stack);
    if (g->epoll >= 0)
        close(g->epoll);
    free(g);
}

static const struct weir_driver gateway_driver = {
    .name = "host",
    .recv = gateway_recv,
    .send = gateway_send,
    .deadline = gateway_deadline,
    .fd = gateway_fd,
    .close = gateway_close,
};

/* -- opening ----------------------------------------------------------------------------------- */

static struct gateway *gateway_new(void)
{
    struct gateway *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->link.driver = &gateway_driver;
    g->epoll = g->listener = g->datagrams = -1;
    g->resume_at = WEIR_NEVER;
    TAILQ_INIT(&g->pairs);
    TAILQ_INIT(&g->active);
    TAILQ_INIT(&g->handshakes);
    TAILQ_INIT(&g->queued);
    TAILQ_INIT(&g->failing);
    TAILQ_INIT(&g->dead_pairs);
    TAILQ_INIT(&g->flows);
    TAILQ_INIT(&g->dead_flows);
    TAILQ_INIT(&g->publishes);
    TAILQ_INIT(&g->dead_publishes);
    return g;
}

/* Every destination is the gateway's own, and every peer is on the link. */
static int add_far_end(struct gateway *g)
{
    struct weir_iface_config far = g->link.iface;
    struct weir_addr any4 = weir_addr_v4(0);
    struct weir_addr any6 = {{{0}}};

    far.name = "gateway";
    g->ifindex = weir_iface_add(g->stack, &far);
    if (g->ifindex < 0)
        return g->ifindex;
    int r = weir_route_add(g->stack, &any4, 0, NULL, g->ifindex, 0);
    if (r == 0)
        (void)weir_route_add(g->stack, &any6, 0, NULL, g->ifindex, 0); /* IPv6 may be absent */
    return r;
}

static int open_all(struct gateway *g, const struct weir_gateway_config *config)
{
    struct weir_config c = {.seed = {config->seed[0], config->seed[1]}, .now_ns = config->now_ns};
    int r;

    strncpy(g->name, config->name ? config->name : "host", sizeof g->name - 1);
    g->link.iface = (struct weir_iface_config){
        .name = g->name,
        .type = WEIR_LINK_IP,
        .mtu = config->mtu ? config->mtu : MTU_DEFAULT,
        .gso_max = GSO_MAX,
        .flags = WEIR_IF_CSUM_TX | WEIR_IF_ANY_ADDR | WEIR_IF_LOOPBACK_OK,
    };
    g->now = config->now_ns;
    g->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (g->epoll < 0)
        return -errno;
    g->stack = weir_new(&c);
    if (!g->stack)
        return -ENOMEM;
    if ((r = add_far_end(g)) < 0 || (r = gateway_tcp_open(g)) < 0)
        return r;
    return gateway_udp_open(g);
}

struct weir_link *weir_gateway_open(const struct weir_gateway_config *config, char *error,
                                    size_t error_size)
{
    struct gateway *g = gateway_new();
    int r = g ? open_all(g, config) : -ENOMEM;

    if (r == 0)
        return &g->link;
    if (r == -EMFILE || r == -ENFILE)
        snprintf(error, error_size, "the host link has no descriptor left: try `ulimit -n 65536`");
    else
        snprintf(error, error_size, "the host link does not open: %s", strerror(-r));
    if (g)
        gateway_close(&g->link);
    return NULL;
}

/* -- what the parts use ------------------------------------------------------------------------ */

int gateway_watch(struct gateway *g, struct watch *w, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = w};

    return epoll_ctl(g->epoll, EPOLL_CTL_ADD, w->fd, &e) < 0 ? -errno : 0;
}

/* Closing alone is not enough: until a forked child has called exec it shares the description, and
 * epoll would go on to report it, with a pointer to what is freed by then. */
int gateway_unwatch(struct gateway *g, struct watch *w)
{
    int fd = w->fd;

    (void)epoll_ctl(g->epoll, EPOLL_CTL_DEL, fd, NULL);
    w->fd = -1;
    return fd;
}

/* A listener that can not accept stays readable: not watching it is what keeps us from spinning. */
void gateway_shortage(struct gateway *g, struct publish *p)
{
    if (!p->is_paused)
        (void)epoll_ctl(g->epoll, EPOLL_CTL_DEL, p->watch.fd, NULL);
    p->is_paused = true;
    g->resume_at = earlier(g->resume_at, g->now + GATEWAY_SHORTAGE_NS);
}

int gateway_socket(struct gateway *g, int type, struct weir_sockaddr *any)
{
    int s = weir_socket(g->stack, AF_INET6, type, 0);

    if (s >= 0)
        return s;
    any->addr = weir_addr_v4(0); /* a stack without IPv6 */
    return weir_socket(g->stack, AF_INET, type, 0);
}

/* Not keyed: one end of each pair of addresses is a program that this process runs. */
uint32_t gateway_hash(const struct weir_sockaddr *a, const struct weir_sockaddr *b)
{
    uint64_t h = (uint64_t)a->port << 16 | b->port;

    for (int i = 0; i < 4; i++)
        h = (h ^ a->addr.w[i] ^ (uint64_t)b->addr.w[i] << 32) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32);
}

/* -- publishing -------------------------------------------------------------------------------- */

int weir_gateway_publish(struct weir_link *link, int type, struct weir_sockaddr *host_side,
                         const struct weir_sockaddr *stack_side)
{
    struct gateway *g = (struct gateway *)link;
    bool is_v6only = type & WEIR_GATEWAY_V6ONLY;
    struct publish *p;
    int fd;
    int r;

    type &= ~WEIR_GATEWAY_V6ONLY;
    if (type != SOCK_STREAM && type != SOCK_DGRAM)
        return -EINVAL;
    p = calloc(1, sizeof *p);
    if (!p)
        return -ENOMEM;
    fd = host_listen(host_side, type, is_v6only);
    if (fd < 0) {
        free(p);
        return fd;
    }
    p->watch.kind = type == SOCK_STREAM ? WATCH_STREAMS : WATCH_DATAGRAMS;
    p->watch.fd = fd;
    p->stack_side = *stack_side;
    if (!p->stack_side.port)
        p->stack_side.port = host_side->port;
    r = gateway_watch(g, &p->watch, EPOLLIN);
    if (r < 0) {
        close(fd);
        free(p);
        return r;
    }
    p->handle = g->next_handle++;
    TAILQ_INSERT_TAIL(&g->publishes, p, link);
    return p->handle;
}

int weir_gateway_unpublish(struct weir_link *link, int handle)
{
    struct gateway *g = (struct gateway *)link;
    struct publish *p;

    TAILQ_FOREACH (p, &g->publishes, link)
        if (p->handle == handle)
            break;
    if (!p)
        return -ENOENT;
    TAILQ_REMOVE(&g->publishes, p, link);
    close(gateway_unwatch(g, &p->watch));
    TAILQ_INSERT_TAIL(&g->dead_publishes, p, link);
    return 0;
}

int weir_gateway_source(const struct weir_sockaddr *dst, struct weir_sockaddr *src)
{
    struct weir_sockaddr to = *dst;
    struct weir_sockaddr got;
    union host_addr address;
    socklen_t len = sizeof address;
    int fd;
    int r;

    if (!to.port)
        to.port = 9; /* nothing is sent: connecting a UDP socket only looks up the route */
    fd = host_connect(NULL, &to, SOCK_DGRAM);
    if (fd < 0)
        return fd;
    r = getsockname(fd, &address.any, &len) < 0 ? -errno : 0;
    close(fd);
    if (r < 0)
        return r;
    host_addr_to(&got, &address);
    src->addr = got.addr;
    return 0;
}

uint64_t weir_gateway_unsent(struct weir_link *link)
{
    return gateway_tcp_unsent((struct gateway *)link);
}

void weir_gateway_stats(struct weir_link *link, struct weir_gateway_stats *out)
{
    *out = ((struct gateway *)link)->stats;
}

struct weir_stack *weir_gateway_stack(struct weir_link *link)
{
    return ((struct gateway *)link)->stack;
}
