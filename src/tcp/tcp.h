/* TCP, RFC 9293: what the other folders may know of it.
 *
 * Knows: base, def, wire. Shape: one struct tcp for each stack holds all connections (struct tcb),
 * half-open ones (struct syn_mini) and finished ones (struct tw_mini). A segment comes in through
 * tcp_input, segments leave through tcp_pull, time passes through tcp_fire; nothing calls back:
 * what sockets must hear of is marked (tcp_next_marked). Units: bytes, microseconds (`now_us`).
 * Errors: user calls return >= 0 or -errno. Cost: O(1) for each segment, whatever the number of
 * connections. */
#ifndef TCP_TCP_H
#define TCP_TCP_H

#include "base/list.h"
#include "base/ring.h"
#include "base/rng.h"
#include "base/table.h"
#include "base/trace.h"
#include "base/wheel.h"
#include "def/knob.h"
#include "def/stat.h"
#include "def/state.h"
#include "weir/frame.h"
#include "wire/wire.h"

#define TCP_IFACES 17      /* ifindex 1 to 16 */
#define TCP_MSS_PRESET 536 /* of a peer that states none, 9293 MUST-15 */
#define TCP_MSS_PRESET6 1220
#define TCP_REPLIES 128 /* answers without a connection that wait for output: two bursts */

struct tcb;
struct host_stamp;
struct early;

/* The two ends of a connection, seen from here. */
struct flow {
    struct weir_addr local, remote;
    uint16_t lport, rport;
};

/* Kinds in the demultiplexing table and on the wheel (upper two bits of a reference). */
enum { KIND_TCB = 1, KIND_SYN = 2, KIND_TW = 3 };

/* A segment that came in. */
struct seg {
    struct flow flow; /* local: its destination */
    uint32_t hash;    /* flow_hash, once it was looked up */
    struct seq seq, ack;
    uint32_t wnd; /* as on the wire */
    uint32_t len; /* bytes of text */
    uint16_t urg;
    uint8_t flags;
    uint8_t ifindex;
    uint16_t mtu;    /* of the way back, in a SYN; 0: unknown */
    uint16_t pieces; /* segments of the wire that the link joined to this one */
    uint8_t ip_ecn;  /* of the IP header: 0 not ECT, 1 ECT(1), 2 ECT(0), 3 CE */
    bool ae;         /* accurate ECN's bit */
    bool is_late;    /* an ACK that one of its sender's later ACKs overtook: arrive.c */
    uint8_t texts;
    struct weir_slice text[WEIR_FRAME_PARTS];
    const struct tcp_opts *opt;
    struct weir_why *why;
};

/* A segment that goes out. `mss` below `len`: a superframe, to be cut in pieces of mss bytes. */
struct seg_out {
    struct flow flow;
    struct tcp_hdr hdr;
    struct ring_slice text[2];
    uint8_t texts;
    uint8_t tos, ttl;          /* ttl 0: the preset of its family */
    bool is_first_hop_doubted; /* 9293#3.8.3 R1: repeated often; is the neighbour still there? */
    uint32_t len;
    uint16_t mss;
    struct weir_why why;
};

/* Why the sender stops: what one call of tcp_pull may emit. */
struct pull_limit {
    uint32_t segs; /* frames left in the burst; a superframe may count as one */
    uint32_t
        gso_max; /* largest IP packet of a superframe; 0: the caller cuts, `segs` pieces at most */
};

/* Options of a connection; a listener's are inherited. */
struct tcp_options {
    uint32_t rcvbuf, sndbuf;  /* bytes */
    uint32_t user_timeout_ms; /* 0: tcp_retries2 decides */
    uint32_t window_clamp;    /* bytes, 0: none */
    uint32_t max_pacing;      /* bytes a second, 0: no limit */
    uint32_t notsent_lowat;   /* bytes not yet sent that a program may queue; 0: the knob */
    uint16_t keep_idle_s, keep_intvl_s;
    uint16_t linger_s, fin_timeout_s; /* fin_timeout_s: TCP_LINGER2 */
    uint16_t maxseg;                  /* TCP_MAXSEG, 0: none */
    uint8_t keep_count, syn_count;    /* 0: the knob */
    uint8_t tos, ttl;
    uint8_t defer; /* TCP_DEFER_ACCEPT as SYN/ACKs to repeat, 0: none */
    uint16_t on;   /* enum tcp_option_flag */
};
enum tcp_option_flag {
    OPT_NODELAY = 1,
    OPT_CORK = 2,
    OPT_KEEPALIVE = 4,
    OPT_LINGER = 8,
    OPT_QUICKACK = 16,
    OPT_HOLD = 32,
    OPT_OOBINLINE = 64,
    OPT_NO_FIN_WAIT_2 = 128, /* TCP_LINGER2 below zero */
    OPT_V6ONLY = 256,        /* a listener at :: that leaves IPv4 alone */
    OPT_RECVERR = 512,       /* IP_RECVERR: errors that end nothing are told too */
    OPT_REUSEADDR = 1024,    /* what the socket wished for its port: its connections outlive it */
    OPT_REUSEPORT = 2048,
    OPT_RCVBUF_SET = 4096, /* by the program: the stack leaves them as they are */
    OPT_SNDBUF_SET = 8192,
    OPT_OPEN_CONNECT = 16384, /* TCP_FASTOPEN_CONNECT */
    OPT_OPEN_BARE = 32768,    /* TCP_FASTOPEN_NO_COOKIE */
};

/* What happened to a connection that its socket must hear of. */
enum tcp_mark {
    MARK_IN = 1,     /* more to read, or the end of the stream */
    MARK_OUT = 2,    /* room to write, or connected */
    MARK_ERROR = 4,  /* error is set */
    MARK_ACCEPT = 8, /* a connection, or a held SYN, waits */
    MARK_GONE = 16,  /* both directions are over */
    MARK_URGENT = 32
};

struct reply {
    struct flow flow;
    struct seq seq, ack;
    uint32_t tsval, tsecr;
    uint16_t wnd;
    uint8_t flags;
    uint8_t ifindex;
    uint8_t opts; /* enum tcp_opt_flag: what it carries */
    uint8_t ace;  /* accurate ECN's three bits */
    uint16_t mss;
    struct weir_why why;
};

/* press.c: memory that the whole stack may hold. */
struct press {
    size_t low, some, high; /* SIZE_MAX: none */
    uint32_t swept;         /* the tcb that was looked at last */
    bool is_on;
};

struct tcp {
    struct mem *mem;
    const struct knobs *knobs;
    struct stats *stats;
    struct wheel *wheel;
    struct trace *trace;    /* where changes of state are told */
    int64_t now_us;         /* the latest instant that the stack told */
    int64_t quiet_until_us; /* 9293#3.4.3: nothing is sent before */
    bool has_progress;      /* new text was acknowledged; the stack takes it back */
    struct sipkey flow_key, secret_key, cookie_key, port_key;
    struct rng rng;
    struct sipkey open_key[2]; /* Fast Open: of the cookies that we give, and the one before */
    int open_keys;
    uint32_t open_off_times; /* it is paused since open_off_at_us, so often in a row */
    int64_t open_off_at_us;
    uint64_t open_serial;
    struct open_host *open_hosts; /* fastopen_cookie.c; NULL: none yet */
    struct host_stamp *hosts;     /* recycle.c; NULL: none yet */

    struct pool tcbs, syns, tws, tunes;
    struct pool mores;               /* struct more: what few connections need */
    struct table demux;              /* flows: tcb, syn_mini, tw_mini */
    struct table listens;            /* local ends: tcb in LISTEN */
    uint32_t any_port;               /* the listener for all other ports, 0: none */
    struct list out[TCP_IFACES];     /* connections that may have something to send */
    struct list syn_out[TCP_IFACES]; /* half-open ones with a SYN/ACK due */
    struct list marked;              /* connections with marks */
    struct list tw_order;            /* TIME-WAITs, the first to end first */
    struct press press;
    struct early *early_first, *early_last; /* press.c: what came beyond holes, oldest first */
    struct list tune_order;                 /* tune.c: the oldest first */
    struct flow last_flow;                  /* of the segment before: a burst rarely changes it */
    uint32_t last_tcb;

    struct reply replies[TCP_REPLIES];
    uint32_t reply_first, reply_count;
    uint32_t orphans;
    uint8_t congestion; /* algorithm of new sockets, by number */
};

int tcp_init(struct tcp *p, struct mem *mem, struct wheel *wheel, const struct knobs *knobs,
             struct stats *stats);
void tcp_seed(struct tcp *p, struct rng *rng); /* keys; before anything else */
void tcp_fini(struct tcp *p);

/* -- the wire ---------------------------------------------------------------------------------- */

/* Takes a segment whose checksum is good. */
enum drop tcp_input(struct tcp *p, struct seg *s);
/* Fills in the next segment for this interface. False: nothing now. The text points into the send
 * ring and is good until the next call. */
bool tcp_pull(struct tcp *p, int ifindex, const struct pull_limit *limit, struct seg_out *out);
bool tcp_has_output(const struct tcp *p, int ifindex);
/* A timer of wheel reference `ref` (KIND_TCB or KIND_SYN) is due. */
void tcp_fire(struct tcp *p, wheel_ref ref);
int64_t tcp_time_wait_deadline(const struct tcp *p); /* us, INT64_MAX: none */
void tcp_time_wait_advance(struct tcp *p);
void tcp_memory_limits(struct tcp *p); /* net.ipv4.tcp_mem or net.weir.mem_max changed */
void tcp_memory_advance(struct tcp *p);

/* An ICMP error quotes a segment that we sent. */
struct tcp_told {
    int error; /* errno */
    uint8_t type, code;
    struct weir_addr offender; /* who says so */
};
struct tcp_icmp {
    struct flow flow;
    struct seq seq;
    struct tcp_told told;
    uint32_t mtu;     /* a packet was too big; else 0 */
    bool is_hard;     /* 9293#3.9.2.2: it will not pass by itself */
    bool is_question; /* nothing happened: did we send it, and is it in flight? */
};
enum drop tcp_icmp(struct tcp *p, const struct tcp_icmp *e);
/* IP_RECVERR: the last error that was not read yet. False: none. */
bool tcp_recv_error(struct tcp *p, uint32_t index, struct tcp_told *out);
/* A segment of this flow could not be delivered on our own link (ARP failed). */
void tcp_unreachable(struct tcp *p, const struct flow *flow, int error);
/* The SYN that was pulled waits for its neighbour's address. */
void tcp_syn_parked(struct tcp *p, const struct flow *flow);

/* -- the user: 9293 section 3.9.1 and 3.10.1 to 3.10.6 ----------------------------------------- */

/* A connection in CLOSED, owned by socket `sock`. 0: no room. */
uint32_t tcp_new(struct tcp *p, uint32_t sock);
struct tcb *tcp_at(const struct tcp *p, uint32_t index);

struct tcp_open {
    struct flow flow;
    uint32_t mtu; /* of the route */
    int ifindex;
};
int tcp_open_active(struct tcp *p, uint32_t index, const struct tcp_open *open);
int tcp_open_passive(struct tcp *p, uint32_t index, const struct weir_sockaddr *local,
                     uint32_t backlog);
void tcp_listen_mtu(struct tcp *p, uint32_t index, uint32_t mtu); /* what SYN/ACKs offer as MSS */
/* The oldest established connection of a listener, which now belongs to `sock`; 0: none. */
uint32_t tcp_accept(struct tcp *p, uint32_t listener, uint32_t sock);
uint32_t tcp_accept_waiting(const struct tcp *p, uint32_t listener, uint32_t *max);

int64_t tcp_send(struct tcp *p, uint32_t index, const void *data, size_t len, int flags);
int tcp_send_space(struct tcp *p, uint32_t index, uint32_t want, struct ring_slice out[2]);
void tcp_send_commit(struct tcp *p, uint32_t index, uint32_t len, int flags);
int64_t tcp_receive(struct tcp *p, uint32_t index, void *data, size_t len, int flags);
/* recv(MSG_OOB): 1 and the byte, 0 at the end, -EINVAL: there is none, -EAGAIN: not here yet. */
int64_t tcp_receive_urgent(struct tcp *p, uint32_t index, uint8_t *byte, int flags);
bool tcp_at_mark(const struct tcp *p, uint32_t index); /* the next byte is the urgent one */
/* Ends before the urgent byte, as a read does. */
int tcp_receive_slices(struct tcp *p, uint32_t index, struct ring_slice out[2], bool *ended);
void tcp_receive_consume(struct tcp *p, uint32_t index, uint32_t len);
int tcp_shutdown(struct tcp *p, uint32_t index, bool rd, bool wr);
void tcp_close(struct tcp *p, uint32_t index); /* the socket lets go of it */
void tcp_abort(struct tcp *p, uint32_t index);
/* The address is ours no more: its connections are reset, and fail with `error`. */
void tcp_lose_addr(struct tcp *p, const struct weir_addr *local, int error);
uint32_t tcp_readiness(const struct tcp *p, uint32_t index); /* enum weir_ready */

struct tcp_marked {
    uint32_t index, sock, marks;
};
/* A connection whose marks are set; they are cleared. False: none. */
bool tcp_next_marked(struct tcp *p, struct tcp_marked *out);

/* -- Fast Open, 7413 --------------------------------------------------------------------------- */

int tcp_fastopen_ask(struct tcp *p, uint32_t index); /* before tcp_open_active. -EOPNOTSUPP */
/* After it: may text be written now that goes with the SYN? And: the SYN waits for it. */
bool tcp_fastopen_has_room(const struct tcp *p, uint32_t index);
bool tcp_fastopen_defer(struct tcp *p, uint32_t index);
int tcp_fastopen_listen(struct tcp *p, uint32_t index, int most); /* TCP_FASTOPEN */
int tcp_fastopen_most(const struct tcp *p, uint32_t index);
void tcp_fastopen_set_keys(struct tcp *p, const struct sipkey *key, int n);
/* TCP_FASTOPEN_KEY: of one listener; at most two. How many there are, be they the stack's. */
int tcp_fastopen_set_own_keys(struct tcp *p, uint32_t index, const struct sipkey *key, int n);
int tcp_fastopen_get_keys(const struct tcp *p, uint32_t index, const struct sipkey **key);
void tcp_fastopen_fini(struct tcp *p);

/* Fields of a connection that options and `ss` need, without the tcb. */
/* TCP_DEFER_ACCEPT: how many SYN/ACKs leave within `seconds`, and in which time so many do. */
uint8_t tcp_synacks_in(int seconds);
int tcp_seconds_of(uint8_t synacks);
struct tcp_options *tcp_opt(struct tcp *p, uint32_t index);
void tcp_options_changed(struct tcp *p, uint32_t index);
int tcp_set_congestion(struct tcp *p, uint32_t index, const char *name); /* -ENOENT */
const char *tcp_congestion(const struct tcp *p, uint32_t index);
/* The algorithms by number, from 0; NULL: there are no more. And the number of a name, or -1. */
const char *tcp_congestion_name(int i);
int tcp_congestion_find(const char *name);
int tcp_take_error(struct tcp *p, uint32_t index); /* SO_ERROR: read and cleared */
int tcp_end_reason(const struct tcp *p, uint32_t index);
enum state tcp_state(const struct tcp *p, uint32_t index);
struct flow *tcp_flow(struct tcp *p, uint32_t index);
/* Whether some connection (or TIME-WAIT) may still use this 4-tuple; a TIME-WAIT that may be reused
 * is no obstacle. */
bool tcp_flow_in_use(struct tcp *p, const struct flow *flow);
/* A connection or a TIME-WAIT is at this local end. O(connections). */
/* Is there a connection or a TIME-WAIT that would not share the port with a socket of these
 * options? */
bool tcp_port_in_use(const struct tcp *p, const struct weir_sockaddr *local, uint16_t reuse);
/* A number that nobody without the key can tell, for each flow another. */
uint64_t flow_secret(const struct sipkey *key, const struct flow *flow);

/* -- held SYNs --------------------------------------------------------------------------------- */

bool tcp_held_next(struct tcp *p, uint32_t listener, uint64_t *id, struct flow *flow);
int tcp_held_accept(struct tcp *p, uint64_t id);
/* refuse: true answers RST. *flow and *isn give what an ICMP error must quote. */
int tcp_held_refuse(struct tcp *p, uint64_t id, bool reset, struct flow *flow, struct seq *isn);

/* -- for `ss` ---------------------------------------------------------------------------------- */

struct weir_sock_info;
void tcp_info(const struct tcp *p, uint32_t index, struct weir_sock_info *info);
void tcp_syn_info(const struct tcp *p, uint32_t index, struct weir_sock_info *info);
void tcp_tw_info(const struct tcp *p, uint32_t index, struct weir_sock_info *info);
/* facts.c: of the same, what holds it and what will end it. */
struct weir_facts;
void tcp_facts(const struct tcp *p, uint32_t index, struct weir_facts *f);
void tcp_syn_facts(const struct tcp *p, uint32_t index, struct weir_facts *f);
void tcp_tw_facts(const struct tcp *p, uint32_t index, struct weir_facts *f);

#endif
