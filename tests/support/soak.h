/* Random worlds: a seed draws hosts, links, faults and programs, and what must hold in the end.
 *
 * Knows: the lab's engine, libweir's sockets. Shape: a world is drawn and built (soak_draw.c), its
 * programs run on what weir_ready tells and on their own clocks (soak_app.c, soak_udp.c), it is
 * judged when it is over (soak.c). Units: ns, bytes. Errors: the first thing that does not hold is
 * written to `wrong`. Cost: some milliseconds a world. */
#ifndef SUPPORT_SOAK_H
#define SUPPORT_SOAK_H

#include "unit.h"

#include "lab/log.h"
#include "lab/net.h"

#define SOAK_HOSTS 4
#define SOAK_CONNS 8
#define SOAK_FLOWS 3
#define SOAK_EVENTS 8
#define MS 1000000ll
#define S 1000000000ll

struct soak;
struct soak_conn;

/* How an end ends, when all is sent that it wanted to send. */
enum soak_finish {
    FINISH_POLITE, /* shutdown; close at the end of what the peer sends */
    FINISH_AFTER,  /* close, once the peer's end was read */
    FINISH_CLOSE,  /* close at once: what is unread then makes it a RST */
    FINISH_ABORT,
    FINISH_LINGER, /* SO_LINGER 0 and close */
};

enum soak_state { SOAK_IDLE, SOAK_CONNECTING, SOAK_UP, SOAK_DONE };

struct soak_end {
    struct soak *w;
    struct soak_conn *conn;
    int side; /* 0 connects, 1 listens */
    struct lab_node *node;
    /* what it wants */
    uint32_t bytes, write_chunk, read_chunk;
    int64_t begin_at, write_pause, read_pause;
    enum soak_finish finish;
    bool answers; /* sends when it has read the peer's end */
    bool uses_slices;
    /* what it did */
    enum soak_state state;
    int sock, listener;
    uint32_t sent, got;
    bool has_ended; /* the end of the stream was read */
    bool is_shut;
    bool is_dead; /* its host crashed */
    int error;
    int64_t read_at, write_at, done_at;
};

struct soak_conn {
    int id;
    uint16_t port;
    struct soak_end end[2];
};

/* Datagrams of one program to another. */
struct soak_flow {
    int id;
    struct lab_node *from, *to;
    int from_sock, to_sock;
    uint32_t size, count, sent, got;
    int64_t next_at, pause;
    uint8_t seen[64];
};

enum soak_event_kind { EV_DOWN, EV_UP, EV_SET, EV_CRASH, EV_BOOT, EV_REBIND };
struct soak_event {
    int64_t at;
    enum soak_event_kind kind;
    int which; /* link or host */
    struct weir_impair set;
};

struct soak {
    struct dice d;
    struct lab *lab;
    struct lab_node *host[SOAK_HOSTS], *nat;
    int hosts;
    struct soak_conn conn[SOAK_CONNS];
    int conns;
    struct soak_flow flow[SOAK_FLOWS];
    int flows;
    struct soak_event event[SOAK_EVENTS + SOAK_EVENTS];
    int events;
    uint32_t happened; /* of the events */
    /* what may be blamed */
    bool is_harsh;                            /* anything may end a connection */
    bool has_loss;                            /* frames may be lost: ARP may fail */
    bool has_dup;                             /* datagrams may come twice */
    bool has_cookies;                         /* what overtakes the first ACK is refused */
    uint64_t datagrams, bytes, whole, errors; /* ends: to the last byte, or not */
    char story[2400];                         /* the world in words */
    char wrong[300];
};

/* soak_draw.c */
void soak_draw(struct soak *w, uint64_t seed);
void soak_happen(struct soak *w); /* the events that are due */
void soak_tell(struct soak *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void soak_wrong(struct soak *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* soak_app.c */
void soak_listen(struct soak *w);
bool soak_apps(struct soak *w); /* true: something was done */
int64_t soak_apps_deadline(const struct soak *w);
void soak_host_died(struct soak *w, const struct lab_node *n);
void soak_close_all(struct soak *w);
/* The bytes of a stream from `at` on: a stretch of at most *len of them. */
const uint8_t *soak_pattern(uint32_t key, uint32_t at, uint32_t *len);

/* soak_udp.c */
void soak_flows_begin(struct soak *w);
bool soak_flows(struct soak *w);
int64_t soak_flows_deadline(const struct soak *w);

/* soak.c: runs the world of a seed. False: w->wrong says what does not hold. */
bool soak_run(struct soak *w, uint64_t seed, const char *pcapng);

#endif
