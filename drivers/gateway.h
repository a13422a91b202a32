/* What the parts of the gateway share: the object, and who calls whom.
 *
 * Knows: the public interface. Shape: gateway.c owns descriptors' events and the order of work;
 * gateway_tcp.c the relay of streams; gateway_udp.c the relay of datagrams. Each object that epoll
 * watches begins with a struct watch and is freed only between rounds, so that no event is stale.
 * Units: ns, bytes. Errors: a connection that fails ends, the gateway goes on.
 * Cost: O(1) an event. */
#ifndef DRIVERS_GATEWAY_H
#define DRIVERS_GATEWAY_H

#include <sys/epoll.h>
#include <sys/queue.h>

#include <weir/gateway.h>
#include <weir/socket.h>

#include "host.h"

enum {
    GATEWAY_EVENTS = 64,      /* taken from epoll and from the stack at once */
    GATEWAY_BATCH = 64,       /* SYNs, connections, pairs or datagrams in one round */
    GATEWAY_TURNS = 4,        /* reads and writes of one pair in one round */
    GATEWAY_FLOWS_MAX = 1024, /* UDP pairs of addresses */
    GATEWAY_FLOW_BUCKETS = 1024,
    GATEWAY_WAITING_BUCKETS = 1024,
    GATEWAY_DATAGRAM_MAX = 65536,
    GATEWAY_WANT_MIN = 4096, /* bytes of send ring asked for at once: from, to */
    GATEWAY_WANT_MAX = 262144,
};
#define GATEWAY_FLOW_IDLE_NS (60 * INT64_C(1000000000))
/* A SYN/ACK that nobody acknowledges is given up by then (63 s at Linux's five retries). */
#define GATEWAY_HANDSHAKE_NS (130 * INT64_C(1000000000))
/* How long the bytes before a RST may take to cross the link. */
#define GATEWAY_FAILING_NS (10 * INT64_C(1000000000))
/* How long a caller may wait for the end of the connection before it. */
#define GATEWAY_QUEUED_NS (10 * INT64_C(1000000000))
/* Without descriptors, accepting rests this long: the kernel keeps the callers in its queue. */
#define GATEWAY_SHORTAGE_NS (100 * INT64_C(1000000))

enum watch_kind { WATCH_PAIR, WATCH_FLOW, WATCH_STREAMS, WATCH_DATAGRAMS };

struct watch {
    enum watch_kind kind;
    int fd; /* -1 once it is closed */
};

struct pair;
struct flow;

struct publish {
    struct watch watch; /* WATCH_STREAMS or WATCH_DATAGRAMS */
    int handle;
    bool is_paused; /* out of descriptors: not watched until gateway.resume_at */
    struct weir_sockaddr stack_side;
    struct weir_sockaddr sender; /* of datagrams, the last; an ICMP error goes there */
    TAILQ_ENTRY(publish) link;
};

TAILQ_HEAD(pair_list, pair);
TAILQ_HEAD(flow_list, flow);
TAILQ_HEAD(publish_list, publish);
LIST_HEAD(pair_bucket, pair);
LIST_HEAD(flow_bucket, flow);

struct gateway {
    struct weir_link link;
    char name[16];
    struct weir_stack *stack;
    int ifindex;
    int epoll;
    int listener, datagrams; /* sockets of the stack */
    int64_t now;
    bool is_behind; /* a round ended with work left */
    struct weir_gateway_stats stats;

    struct pair_list pairs, active, handshakes, queued, failing, dead_pairs;
    struct pair_bucket waiting[GATEWAY_WAITING_BUCKETS]; /* handshakes by their four numbers */
    struct flow_list flows, dead_flows;                  /* least recently used first */
    struct flow_bucket flow_of[GATEWAY_FLOW_BUCKETS];
    int flow_count;
    struct publish_list publishes, dead_publishes;
    int next_handle;
    int64_t resume_at; /* WEIR_NEVER, or when paused publishes are watched again */
    uint8_t datagram[GATEWAY_DATAGRAM_MAX];
};

/* gateway.c */
int gateway_watch(struct gateway *g, struct watch *w, uint32_t events);
int gateway_unwatch(struct gateway *g, struct watch *w); /* the descriptor, to be closed */
void gateway_shortage(struct gateway *g, struct publish *p);
/* A socket of the stack, and in *any the address that means all of its families. -errno. */
int gateway_socket(struct gateway *g, int type, struct weir_sockaddr *any);
uint32_t gateway_hash(const struct weir_sockaddr *a, const struct weir_sockaddr *b);

/* gateway_tcp.c */
int gateway_tcp_open(struct gateway *g);
void gateway_tcp_round(struct gateway *g); /* held SYNs, new connections, pairs with work left */
void gateway_tcp_on_host(struct gateway *g, struct pair *p, uint32_t events);
void gateway_tcp_on_stack(struct gateway *g, struct pair *p, uint32_t ready);
void gateway_tcp_on_caller(struct gateway *g,
                           struct publish *p); /* someone knocks at a published port */
uint64_t gateway_tcp_unsent(struct gateway *g);
int64_t gateway_tcp_deadline(const struct gateway *g);
void gateway_tcp_bury(struct gateway *g); /* frees what ended in the last round */
void gateway_tcp_close(struct gateway *g);

/* gateway_udp.c */
int gateway_udp_open(struct gateway *g);
void gateway_udp_round(struct gateway *g); /* datagrams from the stack, idle flows */
void gateway_udp_on_flow(struct gateway *g, struct flow *f, uint32_t events);
void gateway_udp_on_publish(struct gateway *g, struct publish *p, uint32_t events);
int64_t gateway_udp_deadline(const struct gateway *g);
void gateway_udp_bury(struct gateway *g);
void gateway_udp_close(struct gateway *g);

#endif
