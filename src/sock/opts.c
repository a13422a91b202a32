/* Socket options: Linux's levels, names and values.
 *
 * Knows: where an option lives below. Shape: one function for each level and direction.
 * Units: those of the option. Errors: ENOPROTOOPT for what is not there, EINVAL for a bad value.
 * Cost: O(1). */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "sock/sock.h"

static int as_int(const struct sock_opt *o, int *value)
{
    if (o->len < sizeof *value)
        return -EINVAL;
    memcpy(value, o->value, sizeof *value);
    return 0;
}

static int give(struct sock_opt *o, const void *from, size_t len)
{
    if (o->len > len)
        o->len = len;
    memcpy(o->value, from, o->len);
    return 0;
}

static int give_int(struct sock_opt *o, int value)
{
    return give(o, &value, sizeof value);
}

static void switch_flag(uint16_t *flags, uint16_t bit, bool on)
{
    *flags = (uint16_t)(on ? *flags | bit : *flags & ~bit);
}

/* -- set --------------------------------------------------------------------------------------- */

static uint32_t clamp_buffer(int64_t want, int64_t most)
{
    if (want > most)
        want = most;
    want *= 2; /* Linux doubles it for its own overhead, and reports it doubled */
    return (uint32_t)(want < 4096 ? 4096 : want);
}

static int set_linger(struct tcp_options *t, const struct sock_opt *o)
{
    struct linger l;

    if (o->len < sizeof l)
        return -EINVAL;
    memcpy(&l, o->value, sizeof l);
    switch_flag(&t->on, OPT_LINGER, l.l_onoff);
    t->linger_s = (uint16_t)(l.l_linger < 0 || l.l_linger > 65535 ? 65535 : l.l_linger);
    return 0;
}

static void set_buffer(struct socks *k, struct sock *s, int name, int value)
{
    bool is_rcv = name == SO_RCVBUF || name == SO_RCVBUFFORCE;
    uint32_t bytes = clamp_buffer(value, is_rcv ? k->knobs->rmem_max : k->knobs->wmem_max);

    if (s->kind == SOCK_KIND_TCP && is_rcv)
        tcp_opt(k->tcp, s->endpoint)->rcvbuf = bytes;
    else if (s->kind == SOCK_KIND_TCP)
        tcp_opt(k->tcp, s->endpoint)->sndbuf = bytes;
    else if (is_rcv)
        udp_at(k->udp, s->endpoint)->rcvbuf = bytes;
    else
        udp_at(k->udp, s->endpoint)->sndbuf = bytes;
}

static int set_stream_flag(struct socks *k, struct sock *s, int name, const struct sock_opt *o)
{
    struct tcp_options *t = tcp_opt(k->tcp, s->endpoint);
    int value, v;

    if (name == SO_LINGER)
        return set_linger(t, o);
    if ((v = as_int(o, &value)) < 0)
        return v;
    switch_flag(&t->on, name == SO_KEEPALIVE ? OPT_KEEPALIVE : OPT_OOBINLINE, value);
    tcp_options_changed(k->tcp, s->endpoint);
    return 0;
}

static int set_socket(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    int value = 0, v = as_int(o, &value);
    bool is_tcp = s->kind == SOCK_KIND_TCP;

    if (v < 0)
        return v;
    switch (o->name) {
    case SO_REUSEADDR:
        switch_flag(&s->flags, SOCK_REUSEADDR, value);
        return 0;
    case SO_REUSEPORT:
        switch_flag(&s->flags, SOCK_REUSEPORT, value);
        if (!is_tcp)
            udp_at(k->udp, s->endpoint)->options |= value ? UDP_REUSEPORT : 0;
        return 0;
    case SO_SNDBUF:
    case SO_RCVBUF:
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
        set_buffer(k, s, o->name, value);
        return 0;
    case SO_BROADCAST:
        if (!is_tcp)
            udp_at(k->udp, s->endpoint)->options |= value ? UDP_BROADCAST : 0;
        return 0;
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_LINGER:
        return is_tcp ? set_stream_flag(k, s, o->name, o) : 0;
    case SO_PRIORITY:
    case SO_MARK:
    case SO_RCVLOWAT:
    case SO_INCOMING_CPU:
        return 0; /* nothing here depends on them */
    default:
        return -ENOPROTOOPT;
    }
}

static int set_ip(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    int value = 0, v = as_int(o, &value);
    bool is_tcp = s->kind == SOCK_KIND_TCP;

    if (v < 0)
        return v;
    switch (o->name) {
    case IP_TOS:
        *(is_tcp ? &tcp_opt(k->tcp, s->endpoint)->tos
                 : &udp_at(k->udp, s->endpoint)->tos) = (uint8_t)value;
        return 0;
    case IP_TTL:
        if (value < 1 || value > 255)
            return -EINVAL;
        *(is_tcp ? &tcp_opt(k->tcp, s->endpoint)->ttl
                 : &udp_at(k->udp, s->endpoint)->ttl) = (uint8_t)value;
        return 0;
    case IP_TRANSPARENT:
    case IP_FREEBIND:
        switch_flag(&s->flags, SOCK_TRANSPARENT, value);
        return 0;
    case IP_RECVERR:
        if (!is_tcp)
            udp_at(k->udp, s->endpoint)->options |= value ? UDP_RECVERR : 0;
        return 0;
    case IP_BIND_ADDRESS_NO_PORT:
        switch_flag(&s->flags, SOCK_LATE_PORT, value);
        return 0;
    case IP_MTU_DISCOVER:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

/* The endpoints must know, since they choose who an arrival is for. */
static int set_v6only(struct socks *k, struct sock *s, bool is_on)
{
    if (s->family != AF_INET6)
        return -ENOPROTOOPT;
    if (s->flags & SOCK_BOUND)
        return -EINVAL; /* Linux: too late */
    switch_flag(&s->flags, SOCK_V6ONLY, is_on);
    if (s->kind == SOCK_KIND_TCP)
        switch_flag(&tcp_opt(k->tcp, s->endpoint)->on, OPT_V6ONLY, is_on);
    else if (is_on)
        udp_at(k->udp, s->endpoint)->options |= UDP_V6ONLY;
    else
        udp_at(k->udp, s->endpoint)->options &= (uint8_t)~UDP_V6ONLY;
    return 0;
}

static int set_ip6(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    int value = 0, v = as_int(o, &value);

    if (v < 0)
        return v;
    switch (o->name) {
    case IPV6_V6ONLY:
        return set_v6only(k, s, value);
    case IPV6_TRANSPARENT:
    case IPV6_FREEBIND:
        switch_flag(&s->flags, SOCK_TRANSPARENT, value);
        return 0;
    case IPV6_RECVERR:
    case IPV6_MTU_DISCOVER:
    case IPV6_UNICAST_HOPS:
    case IPV6_TCLASS:
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int in_range(int value, int least, int most)
{
    return value >= least && value <= most ? 0 : -EINVAL;
}

/* Options that are one number of struct tcp_options. */
static int set_tcp_number(struct tcp_options *t, int name, int value)
{
    switch (name) {
    case TCP_KEEPIDLE:
        t->keep_idle_s = (uint16_t)value;
        return in_range(value, 1, 32767);
    case TCP_KEEPINTVL:
        t->keep_intvl_s = (uint16_t)value;
        return in_range(value, 1, 32767);
    case TCP_KEEPCNT:
        t->keep_count = (uint8_t)value;
        return in_range(value, 1, 127);
    case TCP_SYNCNT:
        t->syn_count = (uint8_t)value;
        return in_range(value, 1, 127);
    case TCP_MAXSEG:
        t->maxseg = (uint16_t)value;
        return in_range(value, 0, 65535);
    case TCP_USER_TIMEOUT:
        t->user_timeout_ms = (uint32_t)value;
        return value < 0 ? -EINVAL : 0;
    case TCP_WINDOW_CLAMP:
        t->window_clamp_kib = (uint16_t)((value + 1023) / 1024);
        return in_range(value, 0, 65535 * 1024);
    case TCP_LINGER2:
        switch_flag(&t->on, OPT_NO_FIN_WAIT_2, value < 0);
        t->fin_timeout_s = (uint16_t)(value < 0 || value > 65535 ? 0 : value);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_congestion(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    char name[16] = "";

    memcpy(name, o->value, o->len < sizeof name - 1 ? o->len : sizeof name - 1);
    return tcp_set_congestion(k->tcp, s->endpoint, name);
}

static int set_tcp(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    struct tcp_options *t = tcp_opt(k->tcp, s->endpoint), before = *t;
    int value = 0, v;

    if (o->name == TCP_CONGESTION)
        return set_congestion(k, s, o);
    if ((v = as_int(o, &value)) < 0)
        return v;
    switch (o->name) {
    case TCP_NODELAY:
        switch_flag(&t->on, OPT_NODELAY, value);
        break;
    case TCP_CORK:
        switch_flag(&t->on, OPT_CORK, value);
        break;
    case TCP_QUICKACK:
        switch_flag(&t->on, OPT_QUICKACK, value);
        break;
    case TCP_DEFER_ACCEPT:
    case TCP_NOTSENT_LOWAT:
    case TCP_FASTOPEN:
    case TCP_FASTOPEN_CONNECT:
        return -ENOPROTOOPT;
    default:
        v = set_tcp_number(t, o->name, value);
    }
    if (v < 0)
        *t = before;
    else
        tcp_options_changed(k->tcp, s->endpoint);
    return v;
}

static int set_weir(struct sock *s, struct tcp_options *t, const struct sock_opt *o)
{
    int value = 0, v = as_int(o, &value);

    if (v < 0)
        return v;
    if (o->name == WEIR_ANY_PORT) {
        switch_flag(&s->flags, SOCK_ANY_PORT | SOCK_TRANSPARENT, value);
        return 0;
    }
    if (o->name == WEIR_HOLD && t) {
        switch_flag(&t->on, OPT_HOLD, value);
        return 0;
    }
    return -ENOPROTOOPT;
}

int sock_setopt(struct socks *k, int sock, const struct sock_opt *o)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    switch (o->level) {
    case SOL_SOCKET:
        return set_socket(k, s, o);
    case IPPROTO_IP:
        return set_ip(k, s, o);
    case IPPROTO_IPV6:
        return set_ip6(k, s, o);
    case IPPROTO_TCP:
        return s->kind == SOCK_KIND_TCP ? set_tcp(k, s, o) : -ENOPROTOOPT;
    case SOL_WEIR:
        return set_weir(s, s->kind == SOCK_KIND_TCP ? tcp_opt(k->tcp, s->endpoint) : NULL, o);
    default:
        return -ENOPROTOOPT;
    }
}

/* -- get --------------------------------------------------------------------------------------- */

static int get_buffer(struct socks *k, const struct sock *s, struct sock_opt *o)
{
    bool is_rcv = o->name == SO_RCVBUF;

    if (s->kind == SOCK_KIND_TCP) {
        const struct tcp_options *t = tcp_opt(k->tcp, s->endpoint);
        return give_int(o, (int)(is_rcv ? t->rcvbuf : t->sndbuf));
    }
    const struct udp_sock *u = udp_at(k->udp, s->endpoint);
    return give_int(o, (int)(is_rcv ? u->rcvbuf : u->sndbuf));
}

static int get_stream_flag(struct socks *k, const struct sock *s, struct sock_opt *o)
{
    static const struct tcp_options none;
    bool is_tcp = s->kind == SOCK_KIND_TCP;
    const struct tcp_options *t = is_tcp ? tcp_opt(k->tcp, s->endpoint) : &none;
    struct linger l = {.l_onoff = !!(t->on & OPT_LINGER), .l_linger = t->linger_s};

    if (o->name == SO_LINGER)
        return give(o, &l, sizeof l);
    return give_int(o, !!(t->on & (o->name == SO_KEEPALIVE ? OPT_KEEPALIVE : OPT_OOBINLINE)));
}

static int get_socket(struct socks *k, struct sock *s, struct sock_opt *o)
{
    bool is_tcp = s->kind == SOCK_KIND_TCP;

    switch (o->name) {
    case SO_ERROR:
        return give_int(o, is_tcp ? tcp_take_error(k->tcp, s->endpoint)
                                  : udp_take_error(k->udp, s->endpoint));
    case SO_TYPE:
        return give_int(o, is_tcp ? SOCK_STREAM : SOCK_DGRAM);
    case SO_DOMAIN:
        return give_int(o, s->family);
    case SO_PROTOCOL:
        return give_int(o, is_tcp                     ? IPPROTO_TCP
                           : s->kind == SOCK_KIND_UDP ? IPPROTO_UDP
                                                      : IPPROTO_ICMP);
    case SO_ACCEPTCONN:
        return give_int(o, !!(s->flags & SOCK_LISTENING));
    case SO_REUSEADDR:
        return give_int(o, !!(s->flags & SOCK_REUSEADDR));
    case SO_REUSEPORT:
        return give_int(o, !!(s->flags & SOCK_REUSEPORT));
    case SO_SNDBUF:
    case SO_RCVBUF:
        return get_buffer(k, s, o);
    case SO_BROADCAST:
        return give_int(o, !is_tcp && udp_at(k->udp, s->endpoint)->options & UDP_BROADCAST);
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_LINGER:
        return get_stream_flag(k, s, o);
    default:
        return -ENOPROTOOPT;
    }
}

/* The fields that weir knows of Linux's tcp_info; the rest is zero. */
static int get_tcp_info(struct socks *k, const struct sock *s, struct sock_opt *o)
{
    struct weir_sock_info w = {.sock = 0};
    struct tcp_info i = {.tcpi_state = 0};

    tcp_info(k->tcp, s->endpoint, &w);
    i.tcpi_state = (uint8_t)w.state;
    i.tcpi_options = (uint8_t)((w.has_ts ? TCPI_OPT_TIMESTAMPS : 0) |
                               (w.has_sack ? TCPI_OPT_SACK : 0) |
                               (w.rcv_wscale ? TCPI_OPT_WSCALE : 0));
    i.tcpi_snd_wscale = (uint8_t)(w.snd_wscale & 15) & 15u;
    i.tcpi_rcv_wscale = (uint8_t)(w.rcv_wscale & 15) & 15u;
    i.tcpi_rto = w.rto_us;
    i.tcpi_rtt = w.srtt_us;
    i.tcpi_rttvar = w.rttvar_us;
    i.tcpi_snd_mss = i.tcpi_rcv_mss = i.tcpi_advmss = w.mss;
    i.tcpi_snd_cwnd = w.mss ? w.cwnd / w.mss : 0;
    i.tcpi_snd_ssthresh = w.ssthresh == UINT32_MAX || !w.mss ? 0x7fffffff : w.ssthresh / w.mss;
    i.tcpi_unacked = w.mss ? (w.in_flight + w.mss - 1) / w.mss : 0;
    i.tcpi_lost = w.mss ? (w.lost + w.mss - 1) / w.mss : 0;
    i.tcpi_total_retrans = w.retrans;
    i.tcpi_rcv_space = w.rcv_wnd;
    return give(o, &i, sizeof i);
}

static int get_tcp(struct socks *k, struct sock *s, struct sock_opt *o)
{
    const struct tcp_options *t = tcp_opt(k->tcp, s->endpoint);
    const struct knobs *n = k->knobs;
    const char *name = tcp_congestion(k->tcp, s->endpoint);
    struct weir_sock_info w = {.sock = 0};

    switch (o->name) {
    case TCP_INFO:
        return get_tcp_info(k, s, o);
    case TCP_CONGESTION:
        return give(o, name, strlen(name) + 1);
    case TCP_NODELAY:
        return give_int(o, !!(t->on & OPT_NODELAY));
    case TCP_CORK:
        return give_int(o, !!(t->on & OPT_CORK));
    case TCP_QUICKACK:
        return give_int(o, !!(t->on & OPT_QUICKACK));
    case TCP_KEEPIDLE:
        return give_int(o, t->keep_idle_s ? t->keep_idle_s : (int)n->tcp_keepalive_time);
    case TCP_KEEPINTVL:
        return give_int(o, t->keep_intvl_s ? t->keep_intvl_s : (int)n->tcp_keepalive_intvl);
    case TCP_KEEPCNT:
        return give_int(o, t->keep_count ? t->keep_count : (int)n->tcp_keepalive_probes);
    case TCP_SYNCNT:
        return give_int(o, t->syn_count ? t->syn_count : (int)n->tcp_syn_retries);
    case TCP_USER_TIMEOUT:
        return give_int(o, (int)t->user_timeout_ms);
    case TCP_WINDOW_CLAMP:
        return give_int(o, t->window_clamp_kib * 1024);
    case TCP_LINGER2:
        return give_int(o, t->on & OPT_NO_FIN_WAIT_2 ? -1
                           : t->fin_timeout_s        ? t->fin_timeout_s
                                                     : (int)n->tcp_fin_timeout);
    case TCP_MAXSEG:
        tcp_info(k->tcp, s->endpoint, &w);
        return give_int(o, w.mss ? (int)w.mss : t->maxseg ? t->maxseg : (int)n->tcp_base_mss);
    default:
        return -ENOPROTOOPT;
    }
}

static int get_ip(struct socks *k, struct sock *s, struct sock_opt *o)
{
    bool is_tcp = s->kind == SOCK_KIND_TCP;
    uint8_t ttl = is_tcp ? tcp_opt(k->tcp, s->endpoint)->ttl : udp_at(k->udp, s->endpoint)->ttl;

    switch (o->name) {
    case IP_TOS:
        return give_int(o, is_tcp ? tcp_opt(k->tcp, s->endpoint)->tos
                                  : udp_at(k->udp, s->endpoint)->tos);
    case IP_TTL:
        return give_int(o, ttl ? ttl : (int)k->knobs->ip_default_ttl);
    case IP_OPTIONS: /* none: sshd asks, and closes if there are any */
        o->len = 0;
        return 0;
    case IP_TRANSPARENT:
    case IP_FREEBIND:
        return give_int(o, !!(s->flags & SOCK_TRANSPARENT));
    case IP_MTU_DISCOVER:
        return give_int(o, IP_PMTUDISC_DO);
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
        return get_ip(k, s, o);
    case IPPROTO_IPV6:
        return o->name == IPV6_V6ONLY ? give_int(o, !!(s->flags & SOCK_V6ONLY)) : -ENOPROTOOPT;
    case IPPROTO_TCP:
        return s->kind == SOCK_KIND_TCP ? get_tcp(k, s, o) : -ENOPROTOOPT;
    case SOL_WEIR:
        if (o->name == WEIR_CLOSE_REASON && s->kind == SOCK_KIND_TCP)
            return give_int(o, tcp_end_reason(k->tcp, s->endpoint));
        if (o->name == WEIR_RECV_TTL && s->kind != SOCK_KIND_TCP)
            return give_int(o, udp_at(k->udp, s->endpoint)->ttl_received);
        return -ENOPROTOOPT;
    default:
        return -ENOPROTOOPT;
    }
}
