/* The life of sockets: socket, listen, accept, connect, shutdown, close, and their names.
 *
 * Knows: which endpoint a socket has. Ports are ports.c's, options opts.c's, bytes data.c's.
 * Shape: a stream socket has a tcb from the start (in CLOSED), a datagram socket a udp_sock.
 * Units: none. Errors: -errno, Linux's for the same call. Cost: O(1). */
#include "sock/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/must.h"

_Static_assert(sizeof(struct sock) <= 32, "an idle connection, socket and all, is 512 bytes");

void socks_init(struct socks *k, struct rng *seed)
{
    uint64_t seed1;

    pool_init(&k->pool, k->mem, sizeof(struct sock), 1u << 24); /* the knob says when to stop */
    table_init(&k->bound, k->mem);
    seed1 = rng_u64(seed); /* in an order of ours: C has none for arguments */
    rng_init(&k->rng, rng_u64(seed), seed1);
}

void socks_fini(struct socks *k)
{
    mem_free(k->mem, k->reserved, PORT_SET_BYTES);
    pool_fini(&k->pool);
    table_fini(&k->bound);
}

struct sock *sock_at(const struct socks *k, int sock)
{
    if (sock < 0 || !pool_is_live(&k->pool, (uint32_t)sock + 1))
        return NULL;
    return pool_at(&k->pool, (uint32_t)sock + 1);
}

static int kind_of(int family, int type, int protocol)
{
    int icmp = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;

    type &= 0xff; /* SOCK_NONBLOCK and SOCK_CLOEXEC mean nothing here */
    if (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP))
        return SOCK_KIND_TCP;
    if (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP))
        return SOCK_KIND_UDP;
    if ((type == SOCK_DGRAM || type == SOCK_RAW) && protocol == icmp)
        return SOCK_KIND_PING;
    return -EPROTONOSUPPORT;
}

static uint32_t open_endpoint(struct socks *k, int family, int kind, uint32_t index)
{
    uint8_t icmp = family == AF_INET ? PROTO_ICMP : PROTO_ICMP6;
    uint32_t endpoint;

    if (kind == SOCK_KIND_TCP)
        return tcp_new(k->tcp, index);
    endpoint = udp_open(k->udp, kind == SOCK_KIND_UDP ? PROTO_UDP : icmp, index);
    if (endpoint) {
        udp_at(k->udp, endpoint)->rcvbuf = (uint32_t)k->knobs->udp_rmem;
        udp_at(k->udp, endpoint)->sndbuf = (uint32_t)k->knobs->udp_wmem;
        udp_at(k->udp, endpoint)->pmtudisc = IP_PMTUDISC_WANT;
    }
    return endpoint;
}

int sock_open(struct socks *k, int family, int type, int protocol)
{
    int kind = kind_of(family, type, protocol);
    uint32_t index;
    struct sock *s;

    if (family != AF_INET && family != AF_INET6)
        return -EAFNOSUPPORT;
    if (kind < 0)
        return kind;
    if (k->pool.used >= k->knobs->max_sockets)
        return -EMFILE;
    index = pool_new(&k->pool);
    if (!index)
        return -ENOMEM;
    s = pool_at(&k->pool, index);
    s->kind = (uint8_t)kind;
    s->family = (uint8_t)family;
    s->endpoint = open_endpoint(k, family, kind, index);
    if (!s->endpoint) {
        pool_free(&k->pool, index);
        return -ENOMEM;
    }
    return (int)index - 1;
}

int sock_close(struct socks *k, int sock, bool is_abort)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    port_release(k, sock);
    if (s->kind != SOCK_KIND_TCP)
        sock_leave_all(k, s);
    if (s->kind != SOCK_KIND_TCP)
        udp_close(k->udp, s->endpoint);
    else if (is_abort)
        tcp_abort(k->tcp, s->endpoint);
    else
        tcp_close(k->tcp, s->endpoint);
    pool_free(&k->pool, (uint32_t)sock + 1);
    return 0;
}

/* The largest MTU of our interfaces: what a listener offers before it knows where a SYN comes from.
 */
static uint32_t widest_mtu(struct socks *k)
{
    uint32_t mtu = 68;

    for (int i = 1; i <= k->link->ifaces; i++)
        if (iface_at(k->link, i)->mtu > mtu)
            mtu = iface_at(k->link, i)->mtu;
    return mtu;
}

static struct weir_addr any_of(const struct sock *s)
{
    return s->family == AF_INET ? weir_addr_v4(0) : (struct weir_addr){.w = {0}};
}

int sock_listen(struct socks *k, int sock, int backlog)
{
    struct sock *s = sock_at(k, sock);
    struct weir_sockaddr local = {.port = 0};
    int64_t most = k->knobs->somaxconn;
    int v;

    if (!s)
        return -EBADF;
    if (s->kind != SOCK_KIND_TCP)
        return -EOPNOTSUPP;
    if (!(s->flags & (SOCK_BOUND | SOCK_ANY_PORT))) { /* listen without bind: any port */
        local.addr = s->flags & SOCK_ADDRESS ? tcp_flow(k->tcp, s->endpoint)->local : any_of(s);
        if ((v = sock_bind(k, sock, &local)) < 0)
            return v;
    }
    local.addr = tcp_flow(k->tcp, s->endpoint)->local;
    local.port = s->flags & SOCK_ANY_PORT ? 0 : s->port;
    if (!port_may_listen(k, sock))
        return -EADDRINUSE;
    if (backlog < 0 || backlog > most)
        backlog = (int)most;
    v = tcp_open_passive(k->tcp, s->endpoint, &local, (uint32_t)backlog);
    if (v < 0)
        return v;
    tcp_listen_mtu(k->tcp, s->endpoint, widest_mtu(k));
    s->flags |= SOCK_LISTENING;
    return 0;
}

int sock_accept(struct socks *k, int sock, struct weir_sockaddr *peer)
{
    struct sock *s = sock_at(k, sock), *fresh;
    struct flow *f;
    uint32_t index, waiting, most;

    if (!s)
        return -EBADF;
    if (s->kind != SOCK_KIND_TCP)
        return -EOPNOTSUPP;
    if (tcp_state(k->tcp, s->endpoint) != LISTEN)
        return -EINVAL;
    waiting = tcp_accept_waiting(k->tcp, s->endpoint, &most);
    if (!waiting)
        return -EAGAIN;
    if (k->pool.used >= k->knobs->max_sockets)
        return -EMFILE;
    index = pool_new(&k->pool);
    if (!index)
        return -ENOMEM;
    s = sock_at(k, sock);
    fresh = pool_at(&k->pool, index);
    *fresh = (struct sock){.kind = SOCK_KIND_TCP, .family = s->family};
    fresh->endpoint = tcp_accept(k->tcp, s->endpoint, index);
    if (!fresh->endpoint) {
        pool_free(&k->pool, index);
        return -EAGAIN;
    }
    fresh->flags = s->flags & (SOCK_REUSEADDR | SOCK_REUSEPORT);
    f = tcp_flow(k->tcp, fresh->endpoint);
    if (peer)
        *peer = (struct weir_sockaddr){.addr = f->remote, .port = f->rport};
    return (int)index - 1;
}

/* -- connect ----------------------------------------------------------------------------------- */

/* 3493#3.7: sockets of IPv6 speak IPv4 too, but not from an address of IPv6. */
static bool may_speak_to(const struct sock *s, const struct weir_addr *peer,
                         const struct weir_addr *local)
{
    bool is_v4 = weir_addr_is_v4(peer);

    if (s->family == AF_INET)
        return is_v4;
    if (is_v4 && (s->flags & SOCK_V6ONLY || s->kind == SOCK_KIND_PING))
        return false;
    return weir_addr_is_any(local) || weir_addr_is_v4(local) == is_v4;
}

static bool is_loopback(const struct weir_addr *a)
{
    return weir_addr_is_v4(a) && a->b[12] == 127;
}

/* 1122#3.2.1.3: 127/8 is never seen outside. The errors are Linux's. */
static int judge_loopback(const struct iface *i, const struct weir_addr *peer,
                          const struct weir_addr *local)
{
    if (i->flags & WEIR_IF_LOOPBACK_OK)
        return 0;
    if (is_loopback(peer))
        return -ENETUNREACH;
    return is_loopback(local) ? -EINVAL : 0;
}

int sock_route(struct socks *k, const struct sock *s, const struct weir_addr *peer,
               struct weir_addr *local, struct sock_path *out)
{
    struct route_result r;
    struct iface *i;
    int through = out->through ? out->through : s->ifindex, v;

    if (s->ifindex && through != s->ifindex) /* bound to another */
        return -EINVAL;
    if (through < 0 || (out->through && !iface_at(k->link, through)))
        return -ENODEV;
    if (!may_speak_to(s, peer, local))
        return weir_addr_is_v4(peer) ? -ENETUNREACH : -EAFNOSUPPORT;
    if (!through && ip6_is_link_local(peer)) { /* 4007#6: it means nothing without its link */
        through = out->ifindex ? out->ifindex : k->link->ifaces == 1;
        if (!through)
            return -EINVAL;
    }
    if (!through && s->kind != SOCK_KIND_TCP && iface_is_multicast(peer))
        through = udp_at(k->udp, s->endpoint)->mc_ifindex;
    v = way_find_own(&(struct way){k->ip, k->link}, peer, through, &r);
    if (v < 0 && through && iface_is_multicast(peer)) { /* an interface that is named is enough */
        r = (struct route_result){.ifindex = through, .next_hop = *peer};
        v = 0;
    }
    if (v < 0)
        return v;
    if (weir_addr_is_any(local) &&
        !iface_source_for(k->link, r.ifindex, weir_addr_is_v4(peer) ? &r.next_hop : peer, local))
        return -EADDRNOTAVAIL;
    i = iface_at(k->link, r.ifindex);
    if ((v = judge_loopback(i, peer, local)) < 0)
        return v;
    out->ifindex = r.ifindex;
    out->link_mtu = i->mtu;
    out->mtu = pmtu_of(k->ip, peer, i->mtu, k->now_us);
    return 0;
}

bool sock_is_nobody(const struct socks *k, const struct weir_addr *a)
{
    if (iface_is_multicast(a))
        return true;
    for (int i = 1; i <= k->link->ifaces; i++)
        if (iface_is_broadcast(k->link, i, a))
            return true;
    return false;
}

static int connect_tcp(struct socks *k, int sock, const struct weir_sockaddr *peer)
{
    struct sock *s = sock_at(k, sock);
    struct flow *bound = tcp_flow(k->tcp, s->endpoint);
    struct tcp_open o = {
        .flow = {
            .local = bound->local, .remote = peer->addr, .lport = s->port, .rport = peer->port}};
    struct sock_path path = {.ifindex = peer->ifindex};
    enum state state = tcp_state(k->tcp, s->endpoint);
    int v;

    if (state == LISTEN)
        return -EISCONN;
    if (state != CLOSED)
        return state == SYN_SENT || state == SYN_RECEIVED ? -EALREADY : -EISCONN;
    if (peer->port == 0 || iface_is_multicast(&peer->addr))
        return peer->port ? -ENETUNREACH : -ECONNREFUSED;
    if (!(s->flags & (SOCK_BOUND | SOCK_ADDRESS)) || sock_is_nobody(k, &o.flow.local))
        o.flow.local = any_of(s);
    if ((v = sock_route(k, s, &peer->addr, &o.flow.local, &path)) < 0)
        return v;
    if (iface_is_broadcast(k->link, path.ifindex, &peer->addr))
        return -ENETUNREACH;
    if (!s->port && (v = port_choose_tcp(k, &o.flow)) < 0)
        return v;
    o.ifindex = path.ifindex;
    o.mtu = path.mtu;
    if (tcp_opt(k->tcp, s->endpoint)->on & OPT_OPEN_CONNECT)
        (void)tcp_fastopen_ask(k->tcp, s->endpoint); /* else as usual */
    v = tcp_open_active(k->tcp, s->endpoint, &o);
    if (v == 0 && tcp_opt(k->tcp, s->endpoint)->on & OPT_OPEN_CONNECT &&
        tcp_fastopen_defer(k->tcp, s->endpoint))
        return 0;
    return v < 0 ? v : -EINPROGRESS;
}

static int connect_dgram(struct socks *k, int sock, const struct weir_sockaddr *peer)
{
    struct sock *s = sock_at(k, sock);
    struct udp_sock *u = udp_at(k->udp, s->endpoint);
    struct weir_sockaddr local = {.addr = u->is_bound ? u->local : any_of(s), .port = u->lport};
    struct sock_path path = {.ifindex = peer->ifindex};
    int v;

    if ((v = sock_route(k, s, &peer->addr, &local.addr, &path)) < 0)
        return v;
    if (!local.port) {
        if ((v = port_choose(k, sock, &local.addr, &local.port)) < 0)
            return v;
        if (!port_take(k, sock, local.port))
            return -ENOMEM;
    }
    return udp_connect(k->udp, s->endpoint, &local, peer);
}

int sock_connect(struct socks *k, int sock, const struct weir_sockaddr *peer)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    if (s->flags & SOCK_V6ONLY && weir_addr_is_v4(&peer->addr))
        return -ENETUNREACH;
    return s->kind == SOCK_KIND_TCP ? connect_tcp(k, sock, peer) : connect_dgram(k, sock, peer);
}

/* -- disconnect: connect() to AF_UNSPEC ---------------------------------------------------------
 */

/* What the user wished for stays: options, and the address and port that he named. */
static void forget_port(struct socks *k, int sock)
{
    struct sock *s = sock_at(k, sock);

    if (s->flags & SOCK_BOUND && !(s->flags & SOCK_ANY_FREE))
        return;
    port_release(k, sock);
    if (!weir_addr_is_any(&tcp_flow(k->tcp, s->endpoint)->local))
        s->flags |= SOCK_ADDRESS;
}

static int disconnect_tcp(struct socks *k, int sock)
{
    struct sock *s = sock_at(k, sock);
    uint32_t old = s->endpoint, fresh = tcp_new(k->tcp, (uint32_t)sock + 1);

    if (!fresh)
        return -ENOMEM;
    *tcp_opt(k->tcp, fresh) = *tcp_opt(k->tcp, old);
    (void)tcp_set_congestion(k->tcp, fresh, tcp_congestion(k->tcp, old));
    if (s->flags & (SOCK_BOUND | SOCK_ADDRESS))
        tcp_flow(k->tcp, fresh)->local = tcp_flow(k->tcp, old)->local;
    s->endpoint = fresh;
    s->flags &= (uint16_t)~SOCK_LISTENING;
    forget_port(k, sock);
    tcp_abort(k->tcp, old);
    return 0;
}

int sock_disconnect(struct socks *k, int sock)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    if (s->kind == SOCK_KIND_TCP)
        return disconnect_tcp(k, sock);
    if (!udp_at(k->udp, s->endpoint)->is_connected)
        return 0;
    if (!udp_at(k->udp, s->endpoint)->is_bound)
        port_release(k, sock);
    return udp_disconnect(k->udp, s->endpoint);
}

/* -- names and shutdown ------------------------------------------------------------------------ */

static int name_tcp(struct socks *k, const struct sock *s, struct weir_sockaddr *out, bool is_peer)
{
    const struct flow *f = tcp_flow(k->tcp, s->endpoint);
    enum state state = tcp_state(k->tcp, s->endpoint);

    if (!is_peer) {
        out->addr = f->local;
        out->port = f->lport ? f->lport : s->port;
        if (state == CLOSED && !f->lport && !(s->flags & (SOCK_BOUND | SOCK_ADDRESS)))
            out->addr = any_of(s);
        return 0;
    }
    if (state == CLOSED || state == LISTEN || state == SYN_SENT)
        return -ENOTCONN;
    out->addr = f->remote;
    out->port = f->rport;
    return 0;
}

int sock_name(struct socks *k, int sock, struct weir_sockaddr *out, bool is_peer)
{
    struct sock *s = sock_at(k, sock);
    struct udp_sock *u;

    if (!s)
        return -EBADF;
    *out = (struct weir_sockaddr){.ifindex = s->ifindex};
    if (s->kind == SOCK_KIND_TCP)
        return name_tcp(k, s, out, is_peer);
    u = udp_at(k->udp, s->endpoint);
    if (is_peer && !u->is_connected)
        return -ENOTCONN;
    out->addr = is_peer ? u->peer : u->is_bound || u->is_connected ? u->local : any_of(s);
    out->port = is_peer ? u->pport : u->lport;
    return 0;
}

int sock_shutdown(struct socks *k, int sock, int how)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
        return -EINVAL;
    if (s->kind != SOCK_KIND_TCP)
        return udp_at(k->udp, s->endpoint)->is_connected ? 0 : -ENOTCONN;
    if (tcp_state(k->tcp, s->endpoint) == LISTEN)
        s->flags &= (uint16_t)~SOCK_LISTENING;
    return tcp_shutdown(k->tcp, s->endpoint, how != SHUT_WR, how != SHUT_RD);
}
