/* The daemon: it owns the stack, so that FIN, TIME-WAIT and LAST-ACK outlive the program.
 *
 * Knows: the public headers of libweir, protocol.h. Shape: one thread, one epoll; every descriptor
 * in it has a struct source. Units: ns. Errors: -errno in answers. */
#ifndef RUN_DAEMON_H
#define RUN_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <weir/gateway.h>
#include <weir/weir.h>

#include "run/echo.h"
#include "run/link.h"
#include "run/netns.h"
#include "run/protocol.h"
#include "run/probe.h"
#include "run/run.h"

struct daemon;

/* What epoll hands back. */
struct source {
    void (*on)(struct daemon *d, struct source *s, uint32_t events);
};

enum carrier_kind { CARRIER_STREAM = 1, CARRIER_ACCEPTED, CARRIER_DGRAM, CARRIER_QUERY };

struct carrier {
    struct source source; /* first: epoll gives us this */
    struct carrier *next_hash, *next_retry, *next_dead;
    struct carrier *older, *newer; /* is_retired and CARRIER_ACCEPTED: daemon.oldest ... newest */
    char id[48];
    enum carrier_kind kind;
    int family;   /* AF_INET, AF_INET6 */
    int fd;       /* the daemon's end, -1: none yet */
    int sock;     /* of the stack, -1: none */
    int waiter;   /* control connection of a blocking connect, -1 */
    int publish;  /* index of daemon.published, -1 */
    int held;     /* an accepted socket that its program has no room for, -1 */
    int reserved; /* a socket of the host that keeps its port until it listens, -1 */
    int error;    /* errno that ended the connection and was not told yet, 0 */
    int64_t retired_at;
    pid_t pid;       /* who opened it, 0: unknown */
    uint32_t filler; /* bytes to drain before the program's own */
    bool is_listening, is_connecting, is_established, is_bound;
    bool is_readable, is_writable; /* as far as epoll told */
    bool program_ended;            /* no more bytes from the program */
    bool has_hung_up;              /* the end stands behind what is still to be read */
    bool has_hung_up_both;         /* and nothing can be written: closed, or shut both ways */
    bool stack_ended;              /* no more bytes for the program */
    bool is_told;                  /* the program knows that it is connected */
    bool has_shut_rd, has_shut_wr; /* it called shutdown(): a hang-up may be no close */
    bool is_retired;               /* the connection is over, its name and options are not */
    bool is_urgent;                /* the program sent an urgent byte, not read yet */
    bool is_deaf;                  /* shutdown(SHUT_RD): what comes is thrown away */
    bool wants_soft_errors;        /* IP_RECVERR, as the program set it */
    bool is_bound_late;            /* datagrams: bound by connect, not by the program */
    uint16_t wants;                /* enum run_wants */
    bool is_dead;                  /* to be freed at the end of the round */
    int64_t ended_at; /* the program was given the end of the stream; listener: has no room since */
};

#define CARRIER_BUCKETS 65536
#define PINGS 16

/* A `weir ping` that is connected. */
struct ping {
    struct source source; /* first: epoll gives us this */
    int fd;               /* who asks, -1: free */
    struct echo echo;
};

#define TRACES 4
#define PROBES 16

/* A `weir traceroute` that is connected. */
struct trace {
    struct source source; /* first */
    int fd;               /* who asks, -1: free */
    unsigned next;        /* probe's slot */
    struct probe probe[PROBES];
    uint16_t number[PROBES];
};

#define WATCHERS 8

/* A `weir dump` that is connected. */
struct watcher {
    struct source source; /* first */
    int fd;               /* who is shown each frame, -1: free */
    uint64_t dropped;     /* frames that it was too slow for */
};

#define QUERIES 256

/* A question of libc's resolver on its way to the nameserver. Network order. */
struct query {
    struct carrier carrier; /* first: what the stack gives us back */
    uint32_t client, server;
    uint16_t port;
    size_t len;         /* 0: this place was never used */
    uint8_t text[1232]; /* the question: a repeat is known by it, and a refusal sends it back */
};

#define PUBLISHED 1024

/* A port of the host that leads to one of the stack. */
struct published {
    int handle; /* the gateway's */
    int type, users;
    struct weir_sockaddr local;
};

enum run_via {
    RUN_VIA_FILE,
    RUN_VIA_PRELOAD,
    RUN_VIA_SECCOMP
}; /* FILE: what its ELF header says */

#define BARE_SENDERS 64

/* A socket of the daemon whose name is a sender of datagrams: dgram_bare.c. */
struct bare_sender {
    bool is_there;
    int fd;
    struct weir_sockaddr peer;
};

struct run_options {
    struct link_options link;
    const char *net, *pcapng;
    const char *set[64];
    int sets;
    struct {
        struct weir_sockaddr host;
        uint16_t port; /* the program's */
    } publish[32];
    int publishes;
    uint64_t seed;
    bool has_seed, is_verbose, is_open; /* is_open: no network namespace */
    enum run_via via;
    char **program;
};

struct daemon {
    char name[12];
    const struct run_options *options;
    struct weir_stack *stack;
    struct weir_link *link;    /* the outermost wrapper */
    struct weir_link *gateway; /* the host link within, or NULL */
    struct weir_link *impair, *capture;
    struct link_ends ends; /* unless it is the host link */
    int ifindex;
    struct netns netns;                /* the program's */
    int epoll, ctl, data, dgram, life; /* life: readable at its end: the launcher is done */
    int host_ctl;                      /* for the tools, where they are; -1: ctl is there too */
    int bare;                          /* datagrams without a header, once has_bare */
    int dns, dns_streams;              /* port 53 of the program's namespace */
    int probe[2];                      /* streams, datagrams: to ask whether a name is in use */
    struct source ctl_source, data_source, dgram_source, link_source, life_source;
    struct source host_ctl_source, dns_source, dns_streams_source;
    struct carrier *bucket[CARRIER_BUCKETS];
    struct carrier *retry; /* listeners whose program has no room now */
    struct carrier *dead;
    int carriers;
    int unwatched; /* carriers whose end epoll does not tell: unconnected, listening, datagram */
    unsigned next_number;
    struct published published[PUBLISHED];
    struct carrier *oldest, *newest; /* accepted ones that are retired, */
    int retired;                     /* and how many they are */
    int64_t now, next_sweep;
    bool is_ending;
    bool is_behind; /* the last round left something undone */
    int64_t end_at;
    uint64_t left;                /* undelivered when end_at was set */
    uint64_t bytes_in, bytes_out; /* to and from programs */
    uint64_t dgrams_dropped;
    bool has_bare;
    struct source bare_source;
    struct bare_sender sender[BARE_SENDERS];
    unsigned next_sender;
    struct query query[QUERIES];
    unsigned queries;
    int diag;    /* NETLINK_SOCK_DIAG in the program's namespace, -1: not yet */
    pid_t asker; /* the process whose question is being answered */
    struct ping ping[PINGS];
    struct trace trace[TRACES];
    struct watcher watcher[WATCHERS];
    struct weir_link *shown; /* the wrapper around the link while somebody watches, else NULL */
};

/* launch.c */
void daemon_seed(const struct run_options *o, uint64_t seed[2]);
/* memory.c: the ceiling of the stack's memory, where nobody says another; and its parts. */
uint64_t memory_preset(void);
uint64_t memory_share(uint64_t bytes);
uint64_t memory_of_group(const char *root, const char *proc);
int daemon_open(struct daemon *d, const struct run_options *o, char *error, size_t error_size);
int run_main(const struct run_options *o);
/* options.c: 0 go on, else the exit status */
int options_parse(struct run_options *o, int argc, char **argv);

/* loop.c */
void daemon_loop(struct daemon *d);
int watch(struct daemon *d, int fd, struct source *s, uint32_t events);
/* Closes it too. close() alone does not end a watch: where another process has a copy (the maker,
 * between sending and closing its own), events would go on to come for a source that is gone. */
void unwatch(struct daemon *d, int fd);

/* carrier.c */
struct carrier *carrier_find(struct daemon *d, const char *id);
struct carrier *carrier_get(struct daemon *d, const char *id); /* found or made; NULL: no memory */
void carrier_end(struct daemon *d, struct carrier *c);
void carriers_bury(struct daemon *d);
void carriers_sweep(struct daemon *d);
void carrier_look(struct daemon *d, const char *id);     /* ends it if nobody holds it any more */
int carrier_socket(struct daemon *d, struct carrier *c); /* makes its socket of the stack */
/* The connection is over, but the program still holds its end, and may ask. */
void carrier_retire(struct daemon *d, struct carrier *c, int error);
int carrier_take_error(struct carrier *c);         /* each is told once */
int64_t carriers_deadline(const struct daemon *d); /* when the oldest retired one goes */
/* connect() to AF_UNSPEC: the program has a new carrier, and what it wished for of the old one. */
int carrier_renew(struct daemon *d, const char *old, const char *new);
/* Host link: the address from which the host would speak to peer, or its error. */
int carrier_source(struct daemon *d, const struct carrier *c, const struct weir_sockaddr *peer,
                   struct weir_sockaddr *source);
bool carrier_has(struct daemon *d, const struct carrier *c, int ip_option); /* of IPPROTO_IP */
/* Whom a program means: to Linux the unspecified address is the loopback one. */
struct weir_sockaddr carrier_peer(const struct run_addr *a);

/* face.c: what the program's namespace shows of the network */
int face_show(struct daemon *d);

/* netns_dns.c */
int dns_open(struct daemon *d);
void dns_on_stack(struct daemon *d, struct carrier *c);

/* stream.c */
void streams_take(struct daemon *d, struct source *s, uint32_t events);
void stream_attach(struct daemon *d, struct carrier *c, int fd);
void stream_on_stack(struct daemon *d, struct carrier *c, uint32_t ready);
/* Takes what the program wrote so far. */
void stream_drain(struct daemon *d, struct carrier *c);
/* The door gave up waiting: 0 if it stands, else -EINPROGRESS, and RUN_FILLER bytes will come. */
int stream_wait_no_more(struct carrier *c);
/* shutdown() of a connection: 0; -ENOTCONN; RUN_RENEW: it was none yet, and the carrier is to be
 * renewed. */
int stream_shutdown(struct daemon *d, struct carrier *c, int how);
/* SIOCOUTQ, SIOCOUTQNSD: what the peer has not acknowledged, or was not sent; -EINVAL: a listener.
 */
int stream_outq(struct daemon *d, struct carrier *c, bool is_unsent);
int stream_connect(struct daemon *d, struct carrier *c, const struct weir_sockaddr *peer);

/* publish.c: local->port 0: the host chooses, and it is filled in. */
int publish_begin(struct daemon *d, struct carrier *c, int type, struct weir_sockaddr *local);
void publish_end(struct daemon *d, struct carrier *c);
/* local->port 0: a port of the host that nobody else gets, though nobody listens there. */
int publish_reserve(struct daemon *d, struct carrier *c, struct weir_sockaddr *local);
void publish_release(struct carrier *c);
/* Says on a link of its own what -p means there. */
void publish_say(const struct daemon *d);

/* listen.c */
int listener_bind(struct daemon *d, struct carrier *c, struct weir_sockaddr *local);
int listener_listen(struct daemon *d, struct carrier *c, int backlog);
void listener_on_stack(struct daemon *d, struct carrier *c);
void listeners_retry(struct daemon *d);

/* dgram.c */
void dgram_on_socket(struct daemon *d, struct source *s, uint32_t events);
void dgram_drain(struct daemon *d); /* takes all that programs sent so far */
void dgram_on_stack(struct daemon *d, struct carrier *c);
int dgram_disconnect(struct daemon *d, struct carrier *c);
int dgram_connect(struct daemon *d, struct carrier *c, const struct weir_sockaddr *peer);

int dgram_send_to(struct daemon *d, struct carrier *c, const struct run_dgram *head,
                  const struct iovec *payload);

/* dgram_bare.c: datagram carriers without a header, whose id begins with b */
int bare_open(struct daemon *d); /* from now on they may be connected */
void bare_drain(struct daemon *d, int most);
void bare_deliver(struct daemon *d, struct carrier *c, const struct weir_sockaddr *from,
                  const void *data, size_t len);

/* about.c: what datagrams say beside their data. False: it is no such option. */
bool about_set(struct carrier *c, const struct run_ask *ask, int *result);
bool about_get(const struct carrier *c, const struct run_ask *ask, struct run_answer *a);
void about_received(struct daemon *d, const struct carrier *c, const struct weir_sockaddr *from,
                    const struct weir_datagram *about, struct run_dgram *head);
/* -EINVAL: its source is no address of the stack; -ENODEV: there is no such interface. */
int about_to_send(struct daemon *d, const struct run_dgram *head, struct weir_datagram *about);
/* RUN_RECVERR: bytes of what came back, or -EAGAIN. */
int about_error(struct daemon *d, const struct carrier *c, struct run_answer *a);

/* ping.c: the first request of a `weir ping`; 0: its connection is kept, answers will come. */
int ping_begin(struct daemon *d, const struct run_ask *ask, int fd);
void ping_round(struct daemon *d); /* hands out the replies that came */

/* trace.c: the first probe of a `weir traceroute`; 0: its connection is kept, answers will come. */
int trace_begin(struct daemon *d, const struct run_ask *ask, int fd);
void traces_round(struct daemon *d); /* tells what became of probes */

/* watch.c: a `weir dump`; 0: its connection is kept, and shown each frame from now on. */
int watch_begin(struct daemon *d, int fd);
void watch_round(struct daemon *d); /* shows what came in last; lets go whom nobody watches */

/* why.c: RUN_WHY, all answers but the last */
void answer_why(struct daemon *d, const struct run_ask *ask, int fd);

/* ends.c: the program's ends of carriers, as the kernel knows them */
struct end {
    uint32_t inode, peer;
    uint32_t waiting, most; /* a listener: in its accept queue; else waiting: bytes not read */
    bool is_listening;
    char id[48]; /* "": it has no name, or none of ours */
};
int ends_read(struct daemon *d, struct end **ends); /* how many, sorted by inode; free *ends */
const struct end *end_of(const struct end *ends, int n, const struct carrier *c);

/* control.c */
void control_on_socket(struct daemon *d, struct source *s, uint32_t events);
void control_answer(int fd, int result);

/* net.c: what `weir ip` asks for. */
void net_show(struct daemon *d, const struct run_ask *ask, int fd);
int net_set(struct daemon *d, const struct run_ask *ask);

/* lease.c: an address by DHCP, before the program begins; -errno and a line of text. */
int lease_wait(struct daemon *d, char *error, size_t error_size);
void lease_give_back(struct daemon *d);
/* The nameserver that the DHCP server named first, else a router (RFC 8106); false: none. */
bool lease_nameserver(const struct daemon *d, struct weir_addr *server);

#endif
