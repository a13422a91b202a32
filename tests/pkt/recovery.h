/* A path with a round trip of 100 ms, for tests of loss recovery. */
#ifndef PKT_RECOVERY_H
#define PKT_RECOVERY_H

#include <netinet/in.h>
#include <linux/tcp.h>

#include "support/peer.h"

#define PATH_MSS 1000

/* The handshake takes 100 ms: RTO 300 ms, the reordering window 25 ms. Numbers are Reno's. */
static inline struct peer path_of(const struct peer_config *c)
{
    struct peer p = peer_listening(c);

    inject(&p, .flags = SYN, .seq = 0, .mss = c->has_ts ? PATH_MSS + 12 : PATH_MSS,
           .sack_ok = c->sack_ok, .tsval = c->has_ts ? 1000 : 0);
    expect(&p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    advance_ms(&p, 100);
    inject(&p, .flags = ACK, .seq = 1, .ack = 1, .tsval = c->has_ts ? 1100 : 0,
           .tsecr = c->has_ts ? 1 : 0);
    app_accept(&p);
    app_option(&p, IPPROTO_TCP, TCP_NODELAY, 1);
    weir_setsockopt(p.stack, p.sock, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    return p;
}
#define path(...) path_of(&(struct peer_config){__VA_ARGS__})

/* n segments of 1000 bytes leave; the first begins at `from`. */
static inline void expect_burst(struct peer *p, uint32_t from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        expect(p, .flags = ACK, .seq = from + PATH_MSS * i, .len = PATH_MSS);
}

static inline void ack(struct peer *p, uint32_t to)
{
    inject(p, .flags = ACK, .seq = 1, .ack = to);
}

#define sack(p, to, ...) inject(p, .flags = ACK, .seq = 1, .ack = to, .sack = {__VA_ARGS__})

static inline struct tcp_info info_of(struct peer *p)
{
    struct tcp_info i;
    size_t n = sizeof i;

    assert_int_equal(weir_getsockopt(p->stack, p->sock, IPPROTO_TCP, TCP_INFO, &i, &n), 0);
    return i;
}

/* Bytes, as the stack counts them. */
static inline struct weir_sock_info sock_info_of(struct peer *p)
{
    struct weir_sock_info i = {0};
    uint64_t cursor = 0;

    while (weir_info_next(p->stack, &cursor, &i))
        if (i.sock == p->sock)
            break;
    return i;
}
static inline uint32_t cwnd_of(struct peer *p)
{
    return sock_info_of(p).cwnd;
}
static inline uint32_t ssthresh_of(struct peer *p)
{
    return sock_info_of(p).ssthresh;
}

#endif
