/* Ports: who is bound where, and which one a connection gets that names none.
 *
 * Knows: the table of bound sockets, by port. Shape: a socket is in it while SOCK_BOUND.
 * Units: none. Errors: EADDRINUSE, EADDRNOTAVAIL, EINVAL as Linux. Cost: O(sockets on that port);
 * choosing O(1) expected, O(range) when nearly all are taken. 6056 algorithm 3, 9293#3.9.1 */
#include <errno.h>
#include <sys/socket.h>

#include "base/must.h"
#include "sock/sock.h"

static uint32_t port_hash(int kind, uint16_t port)
{
    return ((uint32_t)port << 2 | (uint32_t)kind) * 2654435761u;
}

bool port_take(struct socks *k, int sock, uint16_t port)
{
    struct sock *s = sock_at(k, sock);

    if (!table_add(&k->bound, port_hash(s->kind, port), (uint32_t)sock + 1))
        return false;
    s->port = port;
    s->flags |= SOCK_BOUND;
    return true;
}

void port_release(struct socks *k, int sock)
{
    struct sock *s = sock_at(k, sock);

    if (s->flags & SOCK_BOUND)
        table_remove(&k->bound, port_hash(s->kind, s->port), (uint32_t)sock + 1);
    s->flags &= (uint16_t) ~(SOCK_BOUND | SOCK_ANY_FREE);
    s->port = 0;
}

static struct weir_addr address_of(const struct socks *k, const struct sock *s)
{
    if (s->kind == SOCK_KIND_TCP)
        return tcp_flow(k->tcp, s->endpoint)->local;
    return udp_at(k->udp, s->endpoint)->bound;
}

/* Both may stand, though at one address: both asked to share. Who listens already shares by
 * SO_REUSEPORT only. */
static bool may_share(const struct sock *s, const struct sock *other)
{
    bool is_listening = other->kind == SOCK_KIND_TCP && other->flags & SOCK_LISTENING;

    if (s->flags & other->flags & SOCK_REUSEPORT)
        return true;
    return s->flags & other->flags & SOCK_REUSEADDR && !is_listening;
}

/* IPV6_V6ONLY leaves the IPv4 half of a port to others. */
static bool is_other_half(const struct sock *six, const struct weir_addr *four)
{
    return six->flags & SOCK_V6ONLY && weir_addr_is_v4(four);
}

static bool is_any_of_both(const struct weir_addr *a)
{
    return weir_addr_is_any(a) && !weir_addr_is_v4(a);
}

/* 0.0.0.0 leaves the addresses of IPv6 to others; :: leaves none. */
static bool overlap(const struct weir_addr *a, const struct weir_addr *b)
{
    if (is_any_of_both(a) || is_any_of_both(b))
        return true;
    if (weir_addr_is_v4(a) != weir_addr_is_v4(b))
        return false;
    return weir_addr_is_any(a) || weir_addr_is_any(b) || weir_addr_equal(a, b);
}

static bool is_taken(struct socks *k, const struct sock *s, const struct weir_sockaddr *local)
{
    uint32_t pos = 0, ref;

    while ((ref = table_find(&k->bound, port_hash(s->kind, local->port), &pos))) {
        const struct sock *other = pool_at(&k->pool, ref);
        struct weir_addr addr;
        if (other == s || other->kind != s->kind || other->port != local->port)
            continue;
        addr = address_of(k, other);
        if (is_other_half(s, &addr) || is_other_half(other, &local->addr))
            continue;
        if (overlap(&addr, &local->addr) && !may_share(s, other))
            return true;
    }
    return false;
}

/* Connections and TIME-WAITs that outlived the socket which was bound here: SO_REUSEADDR binds over
 * them, where both have it. */
static bool outlived(const struct socks *k, const struct sock *s, const struct weir_sockaddr *local)
{
    uint16_t both = OPT_REUSEADDR | OPT_REUSEPORT;

    return s->kind == SOCK_KIND_TCP &&
           tcp_port_in_use(k->tcp, local, tcp_opt(k->tcp, s->endpoint)->on & both);
}

bool port_may_listen(struct socks *k, int sock)
{
    struct sock *s = sock_at(k, sock);
    struct weir_sockaddr at = {.addr = address_of(k, s), .port = s->port};

    return s->flags & SOCK_LISTENING || !(s->flags & SOCK_BOUND) || !is_taken(k, s, &at);
}

static bool is_bound_by_any(struct socks *k, int kind, uint16_t port)
{
    uint32_t pos = 0, ref;

    while ((ref = table_find(&k->bound, port_hash(kind, port), &pos))) {
        const struct sock *other = pool_at(&k->pool, ref);
        if (other->kind == kind && other->port == port)
            return true;
    }
    return false;
}

bool port_is_reserved(const struct socks *k, uint16_t port)
{
    return k->reserved && k->reserved[port / 64] >> port % 64 & 1;
}

static uint32_t range_of(const struct socks *k, uint16_t *first)
{
    const int64_t *range = k->knobs->port_range;

    *first = (uint16_t)range[0];
    return (uint32_t)(range[1] - range[0]) + 1;
}

/* 6056#3.3.3: an offset that only we know for each destination, and a turn that moves on. */
int port_choose_tcp(struct socks *k, struct flow *flow)
{
    uint16_t first;
    uint32_t range = range_of(k, &first);
    uint32_t offset;

    flow->lport = 0;
    offset = (uint32_t)flow_secret(&k->tcp->port_key, flow);
    for (uint32_t i = 0; i < range; i++) {
        flow->lport = (uint16_t)(first + (offset + k->port_turn++) % range);
        if (port_is_reserved(k, flow->lport))
            continue;
        if (!tcp_flow_in_use(k->tcp, flow) && !is_bound_by_any(k, SOCK_KIND_TCP, flow->lport))
            return 0;
    }
    return -EADDRNOTAVAIL;
}

int port_choose(struct socks *k, int sock, const struct weir_addr *local, uint16_t *port)
{
    struct sock *s = sock_at(k, sock);
    uint16_t first;
    uint32_t range = range_of(k, &first), start = rng_below(&k->rng, range);

    for (uint32_t i = 0; i < range; i++) {
        struct weir_sockaddr at = {.addr = *local, .port = (uint16_t)(first + (start + i) % range)};
        if (port_is_reserved(k, at.port) || is_taken(k, s, &at))
            continue;
        *port = at.port;
        return 0;
    }
    return -EADDRINUSE;
}

static bool is_ours(struct socks *k, const struct sock *s, const struct weir_addr *a)
{
    if (weir_addr_is_any(a) || s->flags & SOCK_TRANSPARENT)
        return true;
    if (iface_is_multicast(a))
        return true; /* to hear that group, joined now or later */
    for (int i = 1; i <= k->link->ifaces; i++)
        if (iface_is_own(k->link, i, a) || iface_is_broadcast(k->link, i, a))
            return true;
    return false;
}

static int bind_any_port(struct socks *k, struct sock *s)
{
    if (s->kind == SOCK_KIND_TCP)
        return k->tcp->any_port ? -EADDRINUSE : 0;
    return udp_bind_any_port(k->udp, s->endpoint);
}

/* A socket of IPv6 may be bound to an IPv4 address in its mapped form. */
static bool is_of_family(const struct sock *s, const struct weir_addr *a)
{
    if (s->family == AF_INET)
        return weir_addr_is_v4(a) || weir_addr_is_any(a);
    return !weir_addr_is_v4(a) || !(s->flags & SOCK_V6ONLY);
}

int sock_bind(struct socks *k, int sock, const struct weir_sockaddr *local)
{
    struct sock *s = sock_at(k, sock);
    struct weir_sockaddr at = *local;
    int v = 0;

    if (!s)
        return -EBADF;
    if (s->flags & SOCK_BOUND ||
        (s->kind == SOCK_KIND_TCP && tcp_state(k->tcp, s->endpoint) != CLOSED))
        return -EINVAL;
    if (!is_of_family(s, &at.addr))
        return -EAFNOSUPPORT;
    if (!is_ours(k, s, &at.addr))
        return -EADDRNOTAVAIL;
    if (s->kind == SOCK_KIND_TCP)
        tcp_flow(k->tcp, s->endpoint)->local = at.addr;
    if (s->flags & SOCK_ANY_PORT && at.port == 0)
        return bind_any_port(k, s);
    if (at.port == 0 && s->flags & SOCK_LATE_PORT && s->kind == SOCK_KIND_TCP) {
        s->flags |= SOCK_ADDRESS;
        return 0;
    }
    if (at.port == 0)
        s->flags |= SOCK_ANY_FREE;
    if (at.port == 0)
        v = port_choose(k, sock, &at.addr, &at.port);
    else if (is_taken(k, s, &at) || outlived(k, s, &at))
        v = -EADDRINUSE;
    if (v < 0)
        return v;
    if (s->kind != SOCK_KIND_TCP && (v = udp_bind(k->udp, s->endpoint, &at.addr, at.port)) < 0)
        return v;
    return port_take(k, sock, at.port) ? 0 : -ENOMEM;
}
