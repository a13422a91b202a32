/* Sockets: numbers, ports and options over TCP and UDP endpoints.
 *
 * Knows: link, ip, udp, tcp. Shape: a socket is a pool index less one; it names one endpoint below.
 * All state of a connection is the endpoint's: a socket is 32 bytes. Units: bytes. Errors: -errno,
 * Linux's for the same call. Cost: O(1). */
#ifndef SOCK_SOCK_H
#define SOCK_SOCK_H

#include "ip/ip.h"
#include "link/link.h"
#include "tcp/tcp.h"
#include "udp/udp.h"
#include "weir/socket.h"

enum sock_kind { SOCK_KIND_TCP = 1, SOCK_KIND_UDP, SOCK_KIND_PING };
enum sock_flag {
    SOCK_REUSEADDR = 1,
    SOCK_REUSEPORT = 2,
    SOCK_TRANSPARENT = 4,
    SOCK_ANY_PORT = 8,
    SOCK_BOUND = 16, /* it is in the table of bound ports */
    SOCK_LISTENING = 32,
    SOCK_V6ONLY = 64,
    SOCK_LATE_PORT = 128,  /* IP_BIND_ADDRESS_NO_PORT: bind chooses no port, connect does */
    SOCK_ADDRESS = 256,    /* bound to an address only */
    SOCK_BROADCAST = 1024, /* SO_BROADCAST, which a stream keeps and has no use for */
    SOCK_ANY_FREE = 512,   /* bound to port 0: which one it became is nobody's wish */
};

struct sock {
    void *user;
    uint32_t endpoint; /* tcb or udp_sock */
    uint16_t port;     /* bound */
    uint8_t kind;      /* enum sock_kind */
    uint8_t family;    /* AF_INET, AF_INET6 */
    uint16_t flags;    /* enum sock_flag */
    uint16_t ifindex;
    int32_t priority; /* SO_PRIORITY: kept, and used by nobody here */
};

struct socks {
    struct mem *mem;
    struct knobs *knobs;
    struct link *link;
    struct ip *ip;
    struct udp_socks *udp;
    struct tcp *tcp;
    struct pool pool;
    struct table bound; /* by port: sockets that were bound or chose a port */
    struct rng rng;
    uint32_t port_turn; /* 6056 algorithm 3: advances with each choice */
    uint64_t *reserved; /* ip_local_reserved_ports as bits, PORT_SET_BYTES; NULL: none */
    int64_t now_us;
};

#define PORT_SET_BYTES ((size_t)8192)
bool port_is_reserved(const struct socks *k, uint16_t port);
void socks_init(struct socks *k, struct rng *seed);
void socks_fini(struct socks *k);
struct sock *sock_at(const struct socks *k, int sock); /* NULL: no such socket */

/* sock.c */
int sock_open(struct socks *k, int family, int type, int protocol);
int sock_close(struct socks *k, int sock, bool is_abort);
int sock_listen(struct socks *k, int sock, int backlog);
int sock_accept(struct socks *k, int sock, struct weir_sockaddr *peer);
int sock_connect(struct socks *k, int sock, const struct weir_sockaddr *peer);
int sock_name(struct socks *k, int sock, struct weir_sockaddr *out, bool is_peer);
int sock_shutdown(struct socks *k, int sock, int how);
int sock_disconnect(struct socks *k, int sock);
/* Route, source address and interface towards peer; *local is kept where it is given. */
struct sock_path {
    int ifindex;            /* in: what the peer's address named, 0: nothing */
    int through;            /* in: by this interface only, 0: the socket's, or any */
    uint32_t mtu, link_mtu; /* of the path, of its first link */
};
int sock_route(struct socks *k, const struct sock *s, const struct weir_addr *peer,
               struct weir_addr *local, struct sock_path *out);

/* way.c: the route to dst through ifindex (0: any) that works, as far as is known. 0 or
 * -ENETUNREACH. way_find_own is for what this host sends itself: routers told it better ways. */
struct way {
    struct ip *ip;
    struct link *link;
};
int way_find(const struct way *w, const struct weir_addr *dst, int ifindex,
             struct route_result *out);
int way_find_own(const struct way *w, const struct weir_addr *dst, int ifindex,
                 struct route_result *out);

/* A group or a broadcast address: who is bound to it hears what goes there, and sends from another
 * one. */
bool sock_is_nobody(const struct socks *k, const struct weir_addr *a);

/* ports.c */
int sock_bind(struct socks *k, int sock, const struct weir_sockaddr *local);
int port_choose_tcp(struct socks *k, struct flow *flow); /* fills in lport */
int port_choose(struct socks *k, int sock, const struct weir_addr *local, uint16_t *port);
bool port_may_listen(struct socks *k, int sock); /* nobody else does there */
bool port_take(struct socks *k, int sock, uint16_t port);
void port_release(struct socks *k, int sock);

/* data.c */
ssize_t sock_fastopen(struct socks *k, int sock, const void *data, size_t len,
                      const struct weir_sockaddr *to);
ssize_t sock_send(struct socks *k, int sock, const void *data, size_t len, int flags);
int sock_at_mark(const struct socks *k, int sock);
ssize_t sock_recv(struct socks *k, int sock, void *data, size_t len, int flags);
struct sock_message { /* either may be NULL */
    const struct weir_sockaddr *to;
    const struct weir_datagram *about;
};
ssize_t sock_sendmsg(struct socks *k, int sock, const void *data, size_t len,
                     const struct sock_message *m);
ssize_t sock_recverr(struct socks *k, int sock, struct udp_error *out, void *data, size_t len);
ssize_t sock_recvmsg(struct socks *k, int sock, struct udp_message *m, int flags);

/* groups.c */
struct sock_opt;
bool sock_is_multicast_opt(int name);  /* of IPPROTO_IP */
bool sock_is_multicast6_opt(int name); /* of IPPROTO_IPV6 */
/* What all sockets together want of a group is what routers hear, from at_us on. */
void groups_tell(struct socks *k, int ifindex, const struct weir_addr *group, int64_t at_us);
int sock_set_multicast6(struct socks *k, struct sock *s, const struct sock_opt *o);
int sock_set_multicast(struct socks *k, struct sock *s, const struct sock_opt *o);
int sock_get_multicast(struct socks *k, const struct sock *s, int name, int *value);
/* msfilter.c: MCAST_MSFILTER and IP_MSFILTER, whose value says which group is meant. */
bool sock_is_filter_opt(int level, int name);
int sock_get_filter(struct socks *k, const struct sock *s, struct sock_opt *o);
void sock_leave_all(struct socks *k, struct sock *s); /* at its end */

/* opts.c, opts_get.c */
struct sock_opt {
    int level, name;
    void *value;
    size_t len; /* get: room, then what was written */
};
int sock_setopt(struct socks *k, int sock, const struct sock_opt *o);
int sock_getopt(struct socks *k, int sock, struct sock_opt *o);

int sock_set_ip(struct socks *k, struct sock *s, const struct sock_opt *o);
int sock_get_ip(struct socks *k, struct sock *s, struct sock_opt *o);
int sock_give_int(struct sock_opt *o, int value);
int sock_path_mtu(struct socks *k, const struct sock *s);
/* opts6.c */
int sock_set_ip6(struct socks *k, struct sock *s, const struct sock_opt *o);
int sock_get_ip6(struct socks *k, struct sock *s, struct sock_opt *o);

/* info.c */
void sock_tcp_info(struct socks *k, uint32_t endpoint, struct weir_sock_info *info);
size_t sock_get_tcp_info(struct socks *k, uint32_t endpoint, void *out, size_t room); /* TCP_INFO */

/* poll.c */
int sock_readiness(struct socks *k, int sock);
int sock_ready(struct socks *k, struct weir_ready_event *events, int max);

#endif
