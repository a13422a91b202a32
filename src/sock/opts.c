/* Setting socket options: Linux's levels, names and values. opts_get.c reads them.
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

#define LEAST_RCVBUF 2304 /* Linux's, on 64-bit machines */
#define LEAST_SNDBUF 4608

static int as_int(const struct sock_opt *o, int *value)
{
    if (o->len < sizeof *value)
        return -EINVAL;
    memcpy(value, o->value, sizeof *value);
    return 0;
}

static void switch_flag(uint16_t *flags, uint16_t bit, bool on)
{
    *flags = (uint16_t)(on ? *flags | bit : *flags & ~bit);
}

/* For UDP sockets; the others have no such option and take it without effect. */
static void switch_udp(struct socks *k, const struct sock *s, unsigned bit, bool on)
{
    struct udp_sock *u;

    if (s->kind == SOCK_KIND_TCP)
        return;
    u = udp_at(k->udp, s->endpoint);
    u->options = (uint8_t)(on ? u->options | bit : u->options & ~bit);
}

static uint32_t clamp_buffer(int64_t want, int64_t least, int64_t most)
{
    if (want > most)
        want = most;
    want *= 2; /* Linux doubles it for its own overhead, and reports it doubled */
    return (uint32_t)(want < least ? least : want);
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
    uint32_t bytes = is_rcv ? clamp_buffer(value, LEAST_RCVBUF, k->knobs->rmem_max)
                            : clamp_buffer(value, LEAST_SNDBUF, k->knobs->wmem_max);

    if (s->kind == SOCK_KIND_TCP) {
        struct tcp_options *t = tcp_opt(k->tcp, s->endpoint);
        *(is_rcv ? &t->rcvbuf : &t->sndbuf) = bytes;
        t->on |= is_rcv ? OPT_RCVBUF_SET : OPT_SNDBUF_SET;
    } else if (is_rcv)
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

/* The endpoints must know: a connection outlives its socket, and datagrams are spread. */
static void set_reuse(struct socks *k, struct sock *s, bool is_addr, bool is_on)
{
    switch_flag(&s->flags, is_addr ? SOCK_REUSEADDR : SOCK_REUSEPORT, is_on);
    if (!is_addr)
        switch_udp(k, s, UDP_REUSEPORT, is_on);
    if (s->kind == SOCK_KIND_TCP)
        switch_flag(&tcp_opt(k->tcp, s->endpoint)->on, is_addr ? OPT_REUSEADDR : OPT_REUSEPORT,
                    is_on);
}

/* Bytes a second, 32 or 64 bits of them; all ones, or what no one reaches: no limit. */
static int set_pacing(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    uint64_t rate = 0;
    uint32_t low;

    memcpy(&low, o->value, sizeof low);
    rate = low == UINT32_MAX ? UINT64_MAX : low;
    if (o->len >= sizeof rate)
        memcpy(&rate, o->value, sizeof rate);
    tcp_opt(k->tcp, s->endpoint)->max_pacing = rate < UINT32_MAX ? (uint32_t)rate : 0;
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
    case SO_REUSEPORT:
        set_reuse(k, s, o->name == SO_REUSEADDR, value);
        return 0;
    case SO_SNDBUF:
    case SO_RCVBUF:
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE:
        set_buffer(k, s, o->name, value);
        return 0;
    case SO_MAX_PACING_RATE:
        return is_tcp ? set_pacing(k, s, o) : 0;
    case SO_BROADCAST:
        switch_flag(&s->flags, SOCK_BROADCAST, value);
        switch_udp(k, s, UDP_BROADCAST, value);
        return 0;
    case SO_KEEPALIVE:
    case SO_OOBINLINE:
    case SO_LINGER:
        return is_tcp ? set_stream_flag(k, s, o->name, o) : 0;
    case SO_PRIORITY:
        s->priority = value;
        return 0;
    case SO_MARK:
    case SO_RCVLOWAT:
    case SO_INCOMING_CPU:
        return 0; /* nothing here depends on them */
    default:
        return -ENOPROTOOPT;
    }
}

enum { OPT_END = 0, OPT_NOP = 1, OPT_STREAM = 136 };

/* 1122#3.2.1.8 (b): the stream identifier is obsolete. */
static bool has_stream_id(const uint8_t *o, size_t n)
{
    for (size_t at = 0; at < n && o[at] != OPT_END; at += o[at] == OPT_NOP ? 1 : o[at + 1])
        if (o[at] == OPT_STREAM)
            return true;
    return false;
}

/* What would be refused as it comes in is not sent either: source routes, what is malformed. */
static int set_ip_options(struct socks *k, const struct sock *s, const struct sock_opt *o)
{
    size_t fault;

    if (s->kind == SOCK_KIND_TCP)
        return o->len ? -ENOPROTOOPT : 0;
    if (ip_judge_options(o->value, o->len, &fault) != PASS || has_stream_id(o->value, o->len))
        return -EINVAL;
    return udp_options_set(k->udp, s->endpoint, o->value, o->len);
}

int sock_set_ip(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    int value = 0, v = as_int(o, &value);
    bool is_tcp = s->kind == SOCK_KIND_TCP;

    if (sock_is_multicast_opt(o->name))
        return sock_set_multicast(k, s, o);
    if (o->name == IP_OPTIONS)
        return set_ip_options(k, s, o);
    if (v < 0)
        return v;
    switch (o->name) {
    case IP_TOS:
        if (is_tcp) /* 3168: the two low bits are TCP's own */
            tcp_opt(k->tcp, s->endpoint)->tos = (uint8_t)(value & ~3);
        else
            udp_at(k->udp, s->endpoint)->tos = (uint8_t)value;
        return 0;
    case IP_TTL:
        if (value == -1)
            value = 0; /* the preset again */
        else if (value < 1 || value > 255)
            return -EINVAL;
        *(is_tcp ? &tcp_opt(k->tcp, s->endpoint)->ttl
                 : &udp_at(k->udp, s->endpoint)->ttl) = (uint8_t)value;
        return 0;
    case IP_TRANSPARENT:
    case IP_FREEBIND:
        switch_flag(&s->flags, SOCK_TRANSPARENT, value);
        return 0;
    case IP_RECVERR:
        switch_udp(k, s, UDP_RECVERR, value);
        if (!is_tcp && !value)
            udp_forget_errors(k->udp, s->endpoint);
        if (is_tcp)
            switch_flag(&tcp_opt(k->tcp, s->endpoint)->on, OPT_RECVERR, value);
        return 0;
    case IP_BIND_ADDRESS_NO_PORT:
        switch_flag(&s->flags, SOCK_LATE_PORT, value);
        return 0;
    case IP_MTU_DISCOVER:
        if (value < IP_PMTUDISC_DONT || value > IP_PMTUDISC_OMIT)
            return -EINVAL;
        if (!is_tcp)
            udp_at(k->udp, s->endpoint)->pmtudisc = (uint8_t)value;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int in_range(int value, int least, int most)
{
    return value >= least && value <= most ? 0 : -EINVAL;
}

#define LEAST_CLAMP 1152 /* Linux: half of the least receive buffer */

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
        return value == 0 ? 0 : in_range(value, 88, 32767);
    case TCP_USER_TIMEOUT:
        t->user_timeout_ms = (uint32_t)value;
        return value < 0 ? -EINVAL : 0;
    case TCP_WINDOW_CLAMP:
        t->window_clamp = value == 0 || value > LEAST_CLAMP ? (uint32_t)value : LEAST_CLAMP;
        return value < 0 ? -EINVAL : 0;
    case TCP_NOTSENT_LOWAT:
        t->notsent_lowat = (uint32_t)value;
        return 0;
    case TCP_DEFER_ACCEPT:
        t->defer = tcp_synacks_in(value);
        return 0;
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

/* Linux's checks and their errors. */
static int set_fastopen(struct socks *k, const struct sock *s, int name, int value)
{
    uint16_t *on = &tcp_opt(k->tcp, s->endpoint)->on;
    enum state state = tcp_state(k->tcp, s->endpoint);

    if (name == TCP_FASTOPEN)
        return value < 0 ? -EINVAL : tcp_fastopen_listen(k->tcp, s->endpoint, value);
    if (value < 0 || value > 1 ||
        (state != CLOSED && (state != LISTEN || name == TCP_FASTOPEN_CONNECT)))
        return -EINVAL;
    if (name == TCP_FASTOPEN_CONNECT && !(k->knobs->tcp_fastopen & 1))
        return -EOPNOTSUPP;
    switch_flag(on, name == TCP_FASTOPEN_CONNECT ? OPT_OPEN_CONNECT : OPT_OPEN_BARE, value);
    return 0;
}

static uint64_t low_end_first(const uint8_t *p)
{
    uint64_t word = 0;

    for (int i = 7; i >= 0; i--)
        word = word << 8 | p[i];
    return word;
}

/* 16 bytes, or 32: the key, and the one before. As Linux reads them. */
static int set_fastopen_keys(struct socks *k, const struct sock *s, const struct sock_opt *o)
{
    struct sipkey key[2];
    const uint8_t *at = o->value;

    if (o->len != sizeof key[0] && o->len != sizeof key)
        return -EINVAL;
    for (size_t i = 0; i < o->len / sizeof key[0]; i++, at += sizeof key[0])
        key[i] = (struct sipkey){low_end_first(at), low_end_first(at + 8)};
    return tcp_fastopen_set_own_keys(k->tcp, s->endpoint, key, (int)(o->len / sizeof key[0]));
}

static int set_tcp(struct socks *k, struct sock *s, const struct sock_opt *o)
{
    struct tcp_options *t = tcp_opt(k->tcp, s->endpoint), before = *t;
    int value = 0, v;

    if (o->name == TCP_CONGESTION)
        return set_congestion(k, s, o);
    if (o->name == TCP_FASTOPEN_KEY)
        return set_fastopen_keys(k, s, o);
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
    case TCP_FASTOPEN:
    case TCP_FASTOPEN_CONNECT:
    case TCP_FASTOPEN_NO_COOKIE:
        return set_fastopen(k, s, o->name, value);
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
    if (o->name == WEIR_PORT_CHOSEN) {
        switch_flag(&s->flags, SOCK_ANY_FREE, value);
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
        return sock_set_ip(k, s, o);
    case IPPROTO_IPV6:
        return sock_set_ip6(k, s, o);
    case IPPROTO_TCP:
        return s->kind == SOCK_KIND_TCP ? set_tcp(k, s, o) : -ENOPROTOOPT;
    case SOL_WEIR:
        return set_weir(s, s->kind == SOCK_KIND_TCP ? tcp_opt(k->tcp, s->endpoint) : NULL, o);
    default:
        return -ENOPROTOOPT;
    }
}
