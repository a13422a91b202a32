/* Streams: how pairs begin and end, on the program's side and on the host's.
 *
 * Knows: connecting and accepting on both sides. Not how bytes move.
 * Shape: DIALING -> HANDSHAKE -> RELAYING when the program connects: the host is asked first, so
 * that a refusal is a refusal. CALLING -> RELAYING when someone connects to a published port.
 * Units: ns. Errors: RST on one side becomes RST on the other; a failed dial answers the held SYN.
 * Cost: O(1) an event. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include "gateway_pair.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

static struct pair *pair_new(struct gateway *g, int fd, enum pair_state state)
{
    struct pair *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->watch = (struct watch){WATCH_PAIR, fd};
    p->sock = -1;
    p->state = state;
    p->want = GATEWAY_WANT_MIN;
    if (gateway_watch(g, &p->watch, EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0) {
        free(p);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&g->pairs, p, all);
    return p;
}

static void stop_waiting(struct gateway *g, struct pair *p)
{
    if (!p->is_waiting)
        return;
    p->is_waiting = false;
    LIST_REMOVE(p, bucket);
    TAILQ_REMOVE(&g->handshakes, p, handshake);
}

/* Both ends are the caller's to close; this ends the pair. */
static void pair_end(struct gateway *g, struct pair *p)
{
    stop_waiting(g, p);
    if (p->is_active)
        TAILQ_REMOVE(&g->active, p, active);
    if (p->state == FAILING)
        TAILQ_REMOVE(&g->failing, p, failing);
    if (p->state == QUEUED)
        TAILQ_REMOVE(&g->queued, p, failing);
    p->is_active = false;
    p->state = DEAD;
    TAILQ_REMOVE(&g->pairs, p, all);
    TAILQ_INSERT_TAIL(&g->dead_pairs, p, all);
}

/* An error on either side: the other side learns it as RST. */
static void pair_reset(struct gateway *g, struct pair *p)
{
    if (p->sock >= 0)
        weir_abort(g->stack, p->sock);
    if (p->watch.fd >= 0)
        host_reset(gateway_unwatch(g, &p->watch));
    g->stats.reset += p->state == RELAYING || p->state == FAILING;
    pair_end(g, p);
}

static void activate(struct gateway *g, struct pair *p)
{
    if (p->is_active || p->state != RELAYING)
        return;
    p->is_active = true;
    TAILQ_INSERT_TAIL(&g->active, p, active);
}

/* -- relaying ---------------------------------------------------------------------------------- */

/* The kernel's end broke. Its RST must not overtake the bytes that came before it, as it would if
 * the ring were thrown away now. */
static void pair_fail(struct gateway *g, struct pair *p)
{
    if (p->is_active)
        TAILQ_REMOVE(&g->active, p, active);
    p->is_active = false;
    host_reset(gateway_unwatch(g, &p->watch));
    p->state = FAILING;
    p->give_up_at = g->now + GATEWAY_FAILING_NS;
    TAILQ_INSERT_TAIL(&g->failing, p, failing);
}

static void relay(struct gateway *g, struct pair *p)
{
    switch (relay_pair(g, p)) {
    case RELAY_IDLE:
        break;
    case RELAY_MORE:
        activate(g, p);
        break;
    case RELAY_DONE:
        weir_close(g->stack, p->sock);
        close(gateway_unwatch(g, &p->watch));
        pair_end(g, p);
        break;
    case RELAY_HOST_BROKE:
        pair_fail(g, p);
        break;
    case RELAY_STACK_BROKE:
        pair_reset(g, p);
        break;
    }
}

static void start_relay(struct gateway *g, struct pair *p)
{
    int on = 1;

    weir_setsockopt(g->stack, p->sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    p->state = RELAYING;
    activate(g, p);
}

/* -- outbound: a held SYN ---------------------------------------------------------------------- */

/* What the program's SYN is answered with. A shortage has no answer: the next SYN tries again. */
static int answer_of(int error)
{
    if (host_is_shortage(error) || error == EAGAIN)
        return 0;
    if (error == EPERM)
        return EACCES;
    if (error == EAFNOSUPPORT || error == EADDRNOTAVAIL || error == EINVAL)
        return ENETUNREACH;
    return error == ECONNRESET ? ECONNREFUSED : error;
}

static void dial(struct gateway *g, const struct weir_held *held)
{
    int fd = host_connect(&held->peer, &held->local, SOCK_STREAM);
    struct pair *p = fd < 0 ? NULL : pair_new(g, fd, DIALING);

    if (p) {
        p->held = *held;
        return;
    }
    g->stats.refused++;
    weir_held_refuse(g->stack, held->id, answer_of(fd < 0 ? -fd : ENOMEM));
    if (fd >= 0)
        close(fd);
}

static void on_dialed(struct gateway *g, struct pair *p, uint32_t events)
{
    int error = host_error(p->watch.fd);
    uint32_t hash;

    if (!error && !(events & EPOLLOUT))
        return;
    if (error) {
        g->stats.refused++;
        weir_held_refuse(g->stack, p->held.id, answer_of(error));
        close(gateway_unwatch(g, &p->watch));
        pair_end(g, p);
        return;
    }
    if (weir_held_accept(g->stack, p->held.id) < 0) { /* the program gave up meanwhile */
        pair_reset(g, p);
        return;
    }
    g->stats.opened++;
    p->state = HANDSHAKE;
    p->give_up_at = g->now + GATEWAY_HANDSHAKE_NS;
    p->is_waiting = true;
    hash = gateway_hash(&p->held.peer, &p->held.local);
    LIST_INSERT_HEAD(&g->waiting[hash % GATEWAY_WAITING_BUCKETS], p, bucket);
    TAILQ_INSERT_TAIL(&g->handshakes, p, handshake);
}

static bool is_same(const struct weir_sockaddr *a, const struct weir_sockaddr *b)
{
    return a->port == b->port && weir_addr_equal(&a->addr, &b->addr);
}

static void on_accepted(struct gateway *g, int sock, const struct weir_sockaddr *peer)
{
    struct weir_sockaddr local = {0};
    struct pair *p;

    weir_getsockname(g->stack, sock, &local);
    LIST_FOREACH (p, &g->waiting[gateway_hash(peer, &local) % GATEWAY_WAITING_BUCKETS], bucket)
        if (is_same(&p->held.peer, peer) && is_same(&p->held.local, &local))
            break;
    if (!p) { /* its pair was given up */
        weir_abort(g->stack, sock);
        return;
    }
    stop_waiting(g, p);
    p->sock = sock;
    weir_set_user(g->stack, sock, p);
    start_relay(g, p);
}

/* -- inbound: a caller at a published port ----------------------------------------------------- */

/* A socket of the stack that calls `to` from the caller's own address; or -errno. */
static int call_stack(struct gateway *g, const struct weir_sockaddr *from,
                      const struct weir_sockaddr *to)
{
    bool is_v4 = weir_addr_is_v4(&from->addr);
    int s = weir_socket(g->stack, is_v4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
    int on = 1;
    int r;

    if (s < 0)
        return s;
    weir_setsockopt(g->stack, s, is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                    is_v4 ? IP_TRANSPARENT : IPV6_TRANSPARENT, &on, sizeof on);
    weir_setsockopt(g->stack, s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    r = weir_bind(g->stack, s, from);
    if (r == 0)
        r = weir_connect(g->stack, s, to);
    if (r == 0 || r == -EINPROGRESS)
        return s;
    weir_close(g->stack, s);
    return r;
}

/* Where a connection to a published port goes: if no address is set, to the one the caller used. */
static struct weir_sockaddr target_of(const struct publish *p, int fd)
{
    struct weir_sockaddr to = p->stack_side;
    struct weir_sockaddr used;
    union host_addr address;
    socklen_t len = sizeof address;

    if (weir_addr_is_any(&to.addr) && getsockname(fd, &address.any, &len) == 0) {
        host_addr_to(&used, &address);
        to.addr = used.addr;
    }
    return to;
}

/* A caller may come again from the port that it has just closed, before the stack's two ends have
 * closed theirs: then it waits for them, as its SYN would at a host. */
static void call(struct gateway *g, struct pair *p)
{
    p->sock = call_stack(g, &p->held.peer, &p->held.local);
    if (p->sock == -EADDRNOTAVAIL || p->sock == -EADDRINUSE)
        return;
    if (p->state == QUEUED)
        TAILQ_REMOVE(&g->queued, p, failing);
    p->state = CALLING;
    if (p->sock < 0) {
        pair_reset(g, p);
        return;
    }
    g->stats.published++;
    weir_set_user(g->stack, p->sock, p);
}

static void take_call(struct gateway *g, const struct publish *publish, int fd,
                      const struct weir_sockaddr *from)
{
    struct pair *p = pair_new(g, fd, CALLING);

    if (!p) {
        host_reset(fd);
        return;
    }
    host_set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    host_set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    p->held = (struct weir_held){.peer = *from, .local = target_of(publish, fd)};
    call(g, p);
    if (p->state != CALLING || p->sock >= 0)
        return;
    p->state = QUEUED;
    p->give_up_at = g->now + GATEWAY_QUEUED_NS;
    TAILQ_INSERT_TAIL(&g->queued, p, failing);
}

/* What frees an address is a frame, which starts a round: looking here is enough. */
static void take_queued(struct gateway *g)
{
    struct pair *next;

    for (struct pair *p = TAILQ_FIRST(&g->queued); p; p = next) {
        next = TAILQ_NEXT(p, failing);
        call(g, p);
        if (p->state == QUEUED && p->give_up_at <= g->now)
            pair_reset(g, p);
    }
}

void gateway_tcp_on_caller(struct gateway *g, struct publish *p)
{
    for (int i = 0; i < GATEWAY_BATCH; i++) {
        union host_addr address;
        struct weir_sockaddr from;
        socklen_t len = sizeof address;
        int fd = accept4(p->watch.fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            if (host_is_shortage(errno))
                gateway_shortage(g, p);
            return;
        }
        host_addr_to(&from, &address);
        take_call(g, p, fd, &from);
    }
}

static void on_called(struct gateway *g, struct pair *p, uint32_t ready)
{
    int error = 0;
    size_t len = sizeof error;

    if (ready & (WEIR_READY_ERR | WEIR_READY_HUP))
        weir_getsockopt(g->stack, p->sock, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error)
        pair_reset(g, p);
    else if (ready & WEIR_READY_OUT)
        start_relay(g, p);
}

/* -- events ------------------------------------------------------------------------------------ */

void gateway_tcp_on_host(struct gateway *g, struct pair *p, uint32_t events)
{
    uint32_t broken = events & (EPOLLERR | EPOLLHUP);

    p->may_read = p->may_read || broken || (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP));
    p->has_urgent = p->has_urgent || (events & EPOLLPRI);
    p->may_write = p->may_write || broken || (events & EPOLLOUT);
    p->has_hung_up = p->has_hung_up || broken || (events & EPOLLRDHUP);
    if (p->state == DIALING) {
        on_dialed(g, p, events);
    } else if (p->state == RELAYING && (events & EPOLLERR) && host_error(p->watch.fd)) {
        p->host_failed = true;
        if (p->host_ended) /* nothing is left to be read */
            pair_fail(g, p);
    }
    activate(g, p);
}

void gateway_tcp_on_stack(struct gateway *g, struct pair *p, uint32_t ready)
{
    if (p->state == CALLING)
        on_called(g, p, ready);
    else if (p->state != HANDSHAKE && (ready & WEIR_READY_ERR))
        pair_reset(g, p);
    else
        activate(g, p);
}

static void take_held(struct gateway *g)
{
    struct weir_held held;

    for (int i = 0; i < GATEWAY_BATCH; i++) {
        if (weir_held_next(g->stack, g->listener, &held) <= 0)
            return;
        dial(g, &held);
    }
    g->is_behind = true;
}

static void take_accepted(struct gateway *g)
{
    struct weir_sockaddr peer;

    for (int i = 0; i < GATEWAY_BATCH; i++) {
        int sock = weir_accept(g->stack, g->listener, &peer);
        if (sock < 0)
            return;
        on_accepted(g, sock, &peer);
    }
    g->is_behind = true;
}

static void take_active(struct gateway *g)
{
    struct pair *last = TAILQ_LAST(&g->active, pair_list);

    for (int i = 0; i < GATEWAY_BATCH && last; i++) {
        struct pair *p = TAILQ_FIRST(&g->active);
        TAILQ_REMOVE(&g->active, p, active);
        p->is_active = false;
        relay(g, p);
        if (p == last)
            break;
    }
}

/* A frame with the last ACK starts a round, so looking here is enough. There are never many. */
static void take_failing(struct gateway *g)
{
    struct pair *next;

    for (struct pair *p = TAILQ_FIRST(&g->failing); p; p = next) {
        struct weir_sock_info info = {0};
        next = TAILQ_NEXT(p, failing);
        if (weir_info(g->stack, p->sock, &info) < 0 || !info.send_queue || p->give_up_at <= g->now)
            pair_reset(g, p);
    }
}

void gateway_tcp_round(struct gateway *g)
{
    struct pair *p;

    take_held(g);
    take_accepted(g);
    take_active(g);
    take_failing(g);
    take_queued(g);
    while ((p = TAILQ_FIRST(&g->handshakes)) && p->give_up_at <= g->now)
        pair_reset(g, p);
}

int64_t gateway_tcp_deadline(const struct gateway *g)
{
    const struct pair *p = TAILQ_FIRST(&g->handshakes);
    const struct pair *f = TAILQ_FIRST(&g->failing);
    const struct pair *q = TAILQ_FIRST(&g->queued);
    int64_t at = p ? p->give_up_at : WEIR_NEVER;

    if (!TAILQ_EMPTY(&g->active))
        return 0;
    if (q && q->give_up_at < at)
        at = q->give_up_at;
    return f && f->give_up_at < at ? f->give_up_at : at;
}

uint64_t gateway_tcp_unsent(struct gateway *g)
{
    struct weir_sock_info info;
    uint64_t sum = 0;
    struct pair *p;

    TAILQ_FOREACH (p, &g->pairs, all)
        if (p->sock >= 0 && !p->host_failed && weir_info(g->stack, p->sock, &info) == 0)
            sum += info.recv_queue;
    return sum;
}

int gateway_tcp_open(struct gateway *g)
{
    struct weir_sockaddr any = {0};
    int s = gateway_socket(g, SOCK_STREAM, &any);
    int on = 1, r;

    if (s < 0)
        return s;
    g->listener = s;
    if ((r = weir_setsockopt(g->stack, s, SOL_WEIR, WEIR_HOLD, &on, sizeof on)) < 0 ||
        (r = weir_setsockopt(g->stack, s, SOL_WEIR, WEIR_ANY_PORT, &on, sizeof on)) < 0 ||
        (r = weir_setsockopt(g->stack, s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)) < 0 ||
        (r = weir_bind(g->stack, s, &any)) < 0)
        return r;
    return weir_listen(g->stack, s, 4096);
}

void gateway_tcp_bury(struct gateway *g)
{
    struct pair *p;

    while ((p = TAILQ_FIRST(&g->dead_pairs))) {
        TAILQ_REMOVE(&g->dead_pairs, p, all);
        free(p);
    }
}

void gateway_tcp_close(struct gateway *g)
{
    struct pair *p;

    while ((p = TAILQ_FIRST(&g->pairs))) {
        if (p->watch.fd >= 0)
            close(gateway_unwatch(g, &p->watch));
        pair_end(g, p);
    }
}
