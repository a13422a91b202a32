/* Reading socket options: Linux's levels, names and values. opts.c sets them.
 *
 * Knows: where an option lives below. Shape: one function for each level.
 * Units: those of the option. Errors: ENOPROTOOPT for what is not there, EOPNOTSUPP for a level
 * that is not, as Linux tells them apart. Cost: O(1). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "sock/sock.h"

static int give(struct sock_opt *o, const void *from, size_t len)
{
    if (o->len > len)
        o->len = len;
    memcpy(o->value, from, o->len);
    return 0;
}

static int give_bytes(struct sock_opt *o, const void *from, size_t len)
{
    if (len)
        return give(o, from, len);
    o->len = 0;
    return 0;
}

int sock_give_int(struct sock_opt *o, int value)
{
    return give(o, &value, sizeof value);
}

static int give_pacing(struct sock_opt *o, uint32_t rate)
{
    uint64_t all = rate ? rate : UINT64_MAX;
    uint32_t low = rate ? rate : UINT32_MAX;

    return o->len >= sizeof all ? give(o, &all, sizeof all) : give(o, &low, sizeof low);
}

static int get_buffer(struct socks *k, const struct sock *s, struct sock_opt *o)
{
    bool is_rcv = o->name == SO_RCVBUF;

    if (s->kind == SOCK_KIND_TCP) {
        const struct tcp_options *t = tcp_opt(k->tcp, s->endpoint);
        return sock_give_int(o, (int)(is_rcv ? t->rcvbuf : t->sndbuf));
    }
    const struct udp_sock *u = udp_at(k->udp, s->endpoint);
    return sock_give_int(o, (int)(is_rcv ? u->rcvbuf : u->sndbuf));
}

static int get_stream_flag(struct socks *k, const struct sock *s, struct sock_opt *o)
{
    static const struct tcp_options none;
    bool is_tcp = s->kind == SOCK_KIND_TCP;
    const struct tcp_options *t = is_tcp ? tcp_opt(k->tcp, s->endpoint) : &none;
    struct linger l = {.l_onoff = !!(t->on & OPT_LINGER), .l_linger = t->linger_s};

    if (o->name == SO_LINGER)
        return give(o, &l, sizeof l);
    return sock_give_int(o, !!(t->on & (o->name == SO_KEEPALIVE ? OPT_KEEPALIVE : OPT_OOBINLINE)));
}

static int get_socket(struct socks *k, struct sock *s, struct sock_opt *o)
{
    bool is_tcp = s->kind == SOCK_KIND_TCP;

    switch (o->name) {
    case SO_ERROR:
        return sock_give_int(o, is_tcp ? tcp_take_error(k->tcp, s->endpoint)
                                       : udp_take_error(k->udp, s->endpoint));
    case SO_TYPE:
        return sock_give_int(o, is_tcp ? SOCK_STREAM : SOCK_DGRAM);
    case SO_DOMAIN:
        return sock_give_int(o, s->family);
    case SO_PROTOCOL:
        return sock_give_int(o, is_tcp                     ? IPPROTO_TCP
                                : s->kind == SOCK_KIND_UDP ? IPPROTO_UDP
                                : s->family == AF_INET     ? IPPROTO_ICMP
                                                           : IPPROTO_ICMPV6);
    case SO_ACCEPTCONN:
        return sock_give_int(o, !!(s->flags & SOCK_LISTENING));
    case SO_REUSEADDR:
        return sock_give_int(o, !!(s->flags & SOCK_REUSEADDR));
    case SO_REUSEPORT:
        return sock_give_int(o, !!(s->flags & SOCK_REUSEPORT));
    case SO_SNDBUF:
    case SO_RCVBUF:
        return get_buffer(k, s, o);
    case SO_MAX_PACING_RATE:
        return give_pacing(o, is_tcp ? tcp_opt(k->tcp, s->endpoint)->max_pacing : 0);
    case SO_BROADCAST:
        return sock_give_int(o, !!(s->flags & SOCK_BROADCAST));
    case SO_PRIORITY:
        return sock_give_int(o, s->priority);
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_LINGER:
        return get_stream_flag(k, s, o);
    default:
        return -ENOPROTOOPT;
    }
}

static int get_fastopen_keys(const struct socks *k, const struct sock *s, struct sock_opt *o)
{
    const struct sipkey *key;
    int n = tcp_fastopen_get_keys(k->tcp, s->endpoint, &key);
    uint8_t bytes[2 * sizeof *key];

    for (int i = 0; i < 16 * n; i++) /* the low end first, as Linux */
        bytes[i] = (uint8_t)((i / 8 % 2 ? key[i / 16].k1 : key[i / 16].k0) >> i % 8 * 8);
    return give(o, bytes, (size_t)n * sizeof *key);
}

static int get_tcp(struct socks *k, struct sock *s, struct sock_opt *o)
{
    const struct tcp_options *t = tcp_opt(k->tcp, s->endpoint);
    const struct knobs *n = k->knobs;
    const char *name = tcp_congestion(k->tcp, s->endpoint);
    char congestion[16] = ""; /* Linux gives all 16 */
    struct weir_sock_info w = {.sock = 0};

    switch (o->name) {
    case TCP_INFO:
        o->len = sock_get_tcp_info(k, s->endpoint, o->value, o->len);
        return 0;
    case TCP_CC_INFO: /* Reno has nothing to tell, here as on Linux */
        o->len = 0;
        return 0;
    case TCP_CONGESTION:
        strncpy(congestion, name, sizeof congestion - 1);
        return give(o, congestion, sizeof congestion);
    case TCP_NODELAY:
        return sock_give_int(o, !!(t->on & OPT_NODELAY));
    case TCP_CORK:
        return sock_give_int(o, !!(t->on & OPT_CORK));
    case TCP_QUICKACK:
        return sock_give_int(o, !!(t->on & OPT_QUICKACK));
    case TCP_KEEPIDLE:
        return sock_give_int(o, t->keep_idle_s ? t->keep_idle_s : (int)n->tcp_keepalive_time);
    case TCP_KEEPINTVL:
        return sock_give_int(o, t->keep_intvl_s ? t->keep_intvl_s : (int)n->tcp_keepalive_intvl);
    case TCP_KEEPCNT:
        return sock_give_int(o, t->keep_count ? t->keep_count : (int)n->tcp_keepalive_probes);
    case TCP_SYNCNT:
        return sock_give_int(o, t->syn_count ? t->syn_count : (int)n->tcp_syn_retries);
    case TCP_USER_TIMEOUT:
        return sock_give_int(o, (int)t->user_timeout_ms);
    case TCP_WINDOW_CLAMP:
        return sock_give_int(o, (int)t->window_clamp);
    case TCP_NOTSENT_LOWAT:
        return sock_give_int(o, (int)t->notsent_lowat);
    case TCP_DEFER_ACCEPT:
        return sock_give_int(o, tcp_seconds_of(t->defer));
    case TCP_FASTOPEN_KEY:
        return get_fastopen_keys(k, s, o);
    case TCP_FASTOPEN:
        return sock_give_int(o, tcp_fastopen_most(k->tcp, s->endpoint));
    case TCP_FASTOPEN_CONNECT:
        return sock_give_int(o, !!(t->on & OPT_OPEN_CONNECT));
    case TCP_FASTOPEN_NO_COOKIE:
        return sock_give_int(o, !!(t->on & OPT_OPEN_BARE));
    case TCP_LINGER2:
        return sock_give_int(o, t->on & OPT_NO_FIN_WAIT_2 ? -1
                                : t->fin_timeout_s        ? t->fin_timeout_s
                                                          : (int)n->tcp_fin_timeout);
    case TCP_MAXSEG:
        tcp_info(k->tcp, s->endpoint, &w);
        return sock_give_int(o, w.mss ? (int)w.mss : t->maxseg ? t->maxseg : TCP_MSS_PRESET);
    default:
        return -ENOPROTOOPT;
    }
}

/* 1122#3.3.3: what fits into one packet to the peer, headers counted. -ENOTCONN: which peer? */
int sock_path_mtu(struct socks *k, const struct sock *s)
{
    struct weir_sock_info w = {.sock = 0};
    struct sock_path path = {.ifindex = 0};
    const struct udp_sock *u;
    struct weir_addr local;

    if (s->kind == SOCK_KIND_TCP) {
        sock_tcp_info(k, s->endpoint, &w);
        return w.pmtu ? (int)w.pmtu : -ENOTCONN;
    }
    u = udp_at(k->udp, s->endpoint);
    if (!u->is_connected)
        return -ENOTCONN;
    local = u->local;
    return sock_route(k, s, &u->peer, &local, &path) < 0 ? -ENOTCONN : (int)path.mtu;
}

int sock_get_ip(struct socks *k, struct sock *s, struct sock_opt *o)
{
    bool is_tcp = s->kind == SOCK_KIND_TCP;
    const uint8_t *bytes = NULL;
    int value, v;
    uint8_t ttl = is_tcp ? tcp_opt(k->tcp, s->endpoint)->ttl : udp_at(k->udp, s->endpoint)->ttl;

    if (sock_is_filter_opt(o->level, o->name))
        return sock_get_filter(k, s, o);
    if (sock_is_multicast_opt(o->name)) {
        v = sock_get_multicast(k, s, o->name, &value);
        return v < 0 ? v : sock_give_int(o, value);
    }
    switch (o->name) {
    case IP_TOS:
        return sock_give_int(o, is_tcp ? tcp_opt(k->tcp, s->endpoint)->tos
                                       : udp_at(k->udp, s->endpoint)->tos);
    case IP_TTL:
        return sock_give_int(o, ttl ? ttl : (int)k->knobs->ip_default_ttl);
    case IP_OPTIONS: /* a stream has none: sshd asks, and closes if there are any */
        v = is_tcp ? 0 : (int)udp_options_of(k->udp, s->endpoint, &bytes);
        return give_bytes(o, bytes, (size_t)v);
    case IP_MTU:
        v = sock_path_mtu(k, s);
        return v < 0 ? v : sock_give_int(o, v);
    case IP_TRANSPARENT:
    case IP_FREEBIND:
        return sock_give_int(o, !!(s->flags & SOCK_TRANSPARENT));
    case IP_RECVERR:
        return sock_give_int(o, is_tcp ? !!(tcp_opt(k->tcp, s->endpoint)->on & OPT_RECVERR)
                                       : !!(udp_at(k->udp, s->endpoint)->options & UDP_RECVERR));
    case IP_BIND_ADDRESS_NO_PORT:
        return sock_give_int(o, !!(s->flags & SOCK_LATE_PORT));
    case IP_MTU_DISCOVER:
        return sock_give_int(o, is_tcp ? IP_PMTUDISC_WANT : udp_at(k->udp, s->endpoint)->pmtudisc);
    default:
        return -ENOPROTOOPT;
    }
}

int sock_getopt(struct socks *k, int sock, struct sock_opt *o)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    switch (o->level) {
    case SOL_SOCKET:
        return get_socket(k, s, o);
    case IPPROTO_IP:
        return sock_get_ip(k, s, o);
    case IPPROTO_IPV6:
        return sock_get_ip6(k, s, o);
    case IPPROTO_UDP:
        return s->kind == SOCK_KIND_UDP ? -ENOPROTOOPT : -EOPNOTSUPP;
    case IPPROTO_TCP:
        return s->kind == SOCK_KIND_TCP ? get_tcp(k, s, o) : -EOPNOTSUPP; /* as Linux says it */
    case SOL_WEIR:
        if (o->name == WEIR_CLOSE_REASON && s->kind == SOCK_KIND_TCP)
            return sock_give_int(o, tcp_end_reason(k->tcp, s->endpoint));
        return -ENOPROTOOPT;
    default:
        return -EOPNOTSUPP;
    }
}
