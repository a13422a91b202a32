/* Bytes and datagrams between the caller and the endpoints.
 *
 * Knows: which endpoint; for datagrams where they are to go. Shape: never blocks.
 * Units: bytes. Errors: -errno. Cost: O(1) and the copy. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "sock/sock.h"

static int auto_bind(struct socks *k, int sock, const struct weir_addr *local)
{
    struct sock *s = sock_at(k, sock);
    struct weir_sockaddr at = {.addr = *local};
    uint16_t port;
    int v;

    if (s->kind == SOCK_KIND_PING && udp_at(k->udp, s->endpoint)->is_bound)
        return 0;
    if ((v = port_choose(k, sock, local, &port)) < 0)
        return v;
    at.addr = s->family == AF_INET ? weir_addr_v4(0) : (struct weir_addr){.w = {0}};
    if ((v = udp_bind(k->udp, s->endpoint, &at.addr, port)) < 0)
        return v;
    return port_take(k, sock, port) ? 0 : -ENOMEM;
}

static uint8_t preset_ttl(const struct socks *k, const struct weir_addr *peer)
{
    return (uint8_t)(weir_addr_is_v4(peer) ? k->knobs->ip_default_ttl : k->knobs->hop_limit);
}

/* Both ends of a datagram: what the call says, else what the socket is connected or bound to. */
static int dgram_dest(struct socks *k, int sock, const struct sock_message *m, struct udp_dest *d,
                      struct sock_path *path)
{
    static const struct weir_datagram plain = {.ttl = -1, .tos = -1};
    const struct weir_datagram *about = m->about ? m->about : &plain;
    struct sock *s = sock_at(k, sock);
    struct udp_sock *u = udp_at(k->udp, s->endpoint);
    bool has_source = !weir_addr_is_any(&about->local.addr);
    bool has_port = about->local.port;
    bool has_name = u->is_bound || u->is_connected;
    int v;

    if (!m->to && !u->is_connected)
        return -EDESTADDRREQ;
    d->peer = m->to ? m->to->addr : u->peer;
    d->pport = m->to ? m->to->port : u->pport;
    d->local = has_source ? about->local.addr : u->local;
    if ((!has_source && !has_name) || sock_is_nobody(k, &d->local))
        d->local = weir_addr_v4(0);
    if ((v = sock_route(k, s, &d->peer, &d->local, path)) < 0)
        return v;
    if (!has_port && !has_name && (v = auto_bind(k, sock, &d->local)) < 0)
        return v;
    if (iface_is_broadcast(k->link, path->ifindex, &d->peer) && !(u->options & UDP_BROADCAST))
        return -EACCES;
    d->lport = has_port ? about->local.port : u->lport;
    d->ifindex = (uint8_t)path->ifindex;
    d->tos = about->tos >= 0 ? (uint8_t)about->tos : u->tos;
    if (about->ttl == 0 && weir_addr_is_v4(&d->peer) && !iface_is_multicast(&d->peer))
        return -EINVAL; /* 1122#3.2.1.7 */
    if (about->ttl >= 0)
        d->ttl = (uint8_t)about->ttl;
    else if (iface_is_multicast(&d->peer))
        d->ttl = u->mc_ttl;
    else
        d->ttl = u->ttl ? u->ttl : preset_ttl(k, &d->peer);
    if (weir_addr_is_v4(&d->peer))
        d->options_len = (uint8_t)udp_options_of(k->udp, s->endpoint, &d->options);
    return 0;
}

/* IP_MTU_DISCOVER, as Linux: whether a datagram of `bytes` in all may be cut, and by which MTU.
 * -EMSGSIZE: it may not, and does not fit. */
static int judge_size(const struct udp_sock *u, const struct sock_path *path, size_t bytes,
                      struct udp_dest *d)
{
    bool may_cut = u->pmtudisc < IP_PMTUDISC_DO || u->pmtudisc == IP_PMTUDISC_OMIT;
    bool fits;

    d->is_link_mtu = u->pmtudisc >= IP_PMTUDISC_PROBE;
    fits = bytes <= (d->is_link_mtu ? path->link_mtu : path->mtu);
    d->is_df = u->pmtudisc == IP_PMTUDISC_DO || u->pmtudisc == IP_PMTUDISC_PROBE ||
               (u->pmtudisc == IP_PMTUDISC_WANT && fits);
    return fits || may_cut ? 0 : -EMSGSIZE;
}

/* Linux: with IP_RECVERR the MTU that it did not fit can be read from the error queue. */
static void note_too_big(struct socks *k, const struct sock *s, const struct udp_dest *d,
                         const struct sock_path *path)
{
    struct udp_fault f = {.remote = d->peer,
                          .rport = d->pport,
                          .error = EMSGSIZE,
                          .origin = 1,
                          .info = d->is_link_mtu ? path->link_mtu : path->mtu};

    if (udp_at(k->udp, s->endpoint)->options & UDP_RECVERR)
        udp_error_add(k->udp, s->endpoint, &f);
}

static bool is_group(const struct socks *k, const struct udp_dest *d)
{
    return iface_is_multicast(&d->peer) || iface_is_broadcast(k->link, d->ifindex, &d->peer);
}

/* Sockets of this host that want it get it as if it had come back from the link: 1112#6.1. */
static void loop_back(struct socks *k, const struct udp_dest *d, const void *data, size_t len)
{
    struct udp h = {.sport = d->lport, .dport = d->pport, .len = (uint16_t)(UDP_LEN + len)};
    uint8_t hdr[UDP_LEN];
    struct udp_view v = {.src = d->local,
                         .dst = d->peer,
                         .ifindex = d->ifindex,
                         .ttl = d->ttl,
                         .tos = d->tos,
                         .flags = WEIR_CSUM_VALID,
                         .is_group = true,
                         .parts = 2};

    udp_emit(hdr, &h);
    v.part[0] = (struct weir_slice){hdr, UDP_LEN};
    v.part[1] = (struct weir_slice){data, (uint32_t)len};
    udp_input(k->udp, &v);
}

/* TTL 0 never leaves the host. */
static int64_t send_to_group(struct socks *k, const struct sock *s, const struct udp_dest *d,
                             const void *data, size_t len)
{
    const struct udp_sock *u = udp_at(k->udp, s->endpoint);
    bool is_looped = s->kind == SOCK_KIND_UDP && len <= UDP_PAYLOAD_MAX;
    int64_t n = (int64_t)len;

    if (iface_is_multicast(&d->peer))
        is_looped &= !(u->options & UDP_NO_LOOP) && iface_is_member(k->link, d->ifindex, &d->peer);
    if (d->ttl)
        n = udp_send(k->udp, s->endpoint, d, data, len);
    if (n >= 0 && is_looped)
        loop_back(k, d, data, len);
    return n;
}

ssize_t sock_sendmsg(struct socks *k, int sock, const void *data, size_t len,
                     const struct sock_message *m)
{
    struct sock *s = sock_at(k, sock);
    struct udp_dest d = {.pport = 0};
    struct sock_path path = {.ifindex = m->to ? m->to->ifindex : 0,
                             .through = m->about ? m->about->local.ifindex : 0};
    size_t headers;
    int v;

    if (!s)
        return -EBADF;
    if (s->kind == SOCK_KIND_TCP)
        return sock_send(k, sock, data, len, 0);
    if ((v = dgram_dest(k, sock, m, &d, &path)) < 0)
        return v;
    if (s->kind == SOCK_KIND_UDP && d.pport == 0)
        return -EINVAL;
    headers = (weir_addr_is_v4(&d.peer) ? 20u : 40u) + d.options_len +
              (s->kind == SOCK_KIND_UDP ? UDP_LEN : 0);
    if ((v = judge_size(udp_at(k->udp, s->endpoint), &path, len + headers, &d)) < 0) {
        note_too_big(k, s, &d, &path);
        return v;
    }
    if (is_group(k, &d))
        return send_to_group(k, s, &d, data, len);
    return udp_send(k->udp, s->endpoint, &d, data, len);
}

/* sendto with MSG_FASTOPEN: connect and the first write in one. -EINPROGRESS: nothing was taken,
 * the handshake goes without text and asks for a cookie. */
ssize_t sock_fastopen(struct socks *k, int sock, const void *data, size_t len,
                      const struct weir_sockaddr *to)
{
    struct sock *s = sock_at(k, sock);
    int v = tcp_fastopen_ask(k->tcp, s->endpoint);

    if (v == 0)
        v = sock_connect(k, sock, to);
    if (v < 0 && (v != -EINPROGRESS || !tcp_fastopen_has_room(k->tcp, s->endpoint)))
        return v;
    return tcp_send(k->tcp, s->endpoint, data, len, 0);
}

ssize_t sock_send(struct socks *k, int sock, const void *data, size_t len, int flags)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    if (s->kind == SOCK_KIND_TCP)
        return tcp_send(k->tcp, s->endpoint, data, len, flags);
    return sock_sendmsg(k, sock, data, len, &(struct sock_message){.to = NULL});
}

ssize_t sock_recvmsg(struct socks *k, int sock, struct udp_message *m, int flags)
{
    struct sock *s = sock_at(k, sock);
    int64_t n;

    if (!s)
        return -EBADF;
    if (s->kind == SOCK_KIND_TCP) {
        sock_name(k, sock, &m->from, true);
        sock_name(k, sock, &m->local, false);
        return sock_recv(k, sock, m->data, m->room, flags);
    }
    n = udp_recv(k->udp, s->endpoint, m, flags & MSG_PEEK ? UDP_RECV_PEEK : 0);
    return n >= 0 && flags & MSG_TRUNC ? (ssize_t)m->len : n;
}

/* Of a connection: the last error only, and nothing of the segment. */
static ssize_t recv_told(struct socks *k, const struct sock *s, struct udp_error *out)
{
    const struct flow *f = tcp_flow(k->tcp, s->endpoint);
    struct tcp_told told;

    if (!tcp_recv_error(k->tcp, s->endpoint, &told))
        return -EAGAIN;
    *out = (struct udp_error){
        .error = told.error, .type = told.type, .code = told.code, .offender = told.offender};
    out->origin = weir_addr_is_v4(&told.offender) ? 2 : 3; /* SO_EE_ORIGIN_ICMP, _ICMP6 */
    out->to = (struct weir_sockaddr){.addr = f->remote, .port = f->rport};
    return 0;
}

ssize_t sock_recverr(struct socks *k, int sock, struct udp_error *out, void *data, size_t len)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    if (s->kind == SOCK_KIND_TCP)
        return recv_told(k, s, out);
    return udp_recv_error(k->udp, s->endpoint, out, data, len);
}

int sock_at_mark(const struct socks *k, int sock)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    return s->kind == SOCK_KIND_TCP ? tcp_at_mark(k->tcp, s->endpoint) : -EOPNOTSUPP;
}

ssize_t sock_recv(struct socks *k, int sock, void *data, size_t len, int flags)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    if (s->kind == SOCK_KIND_TCP)
        return tcp_receive(k->tcp, s->endpoint, data, len, flags);
    return sock_recvmsg(k, sock, &(struct udp_message){.data = data, .room = len}, flags);
}
