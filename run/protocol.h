/* What the front doors and the daemon say to each other: names and control messages.
 *
 * Knows: the layout on both sides. Shape: one SOCK_SEQPACKET connection for each control call: a
 * struct ask goes out, a struct answer comes back (a blocking connect's when the handshake is
 * over). Names are abstract AF_UNIX names that begin with "weir/DAEMON/", where DAEMON is the
 * environment's WEIR_DAEMON:
 *
 *   ctl            control (SOCK_SEQPACKET, listening)
 *   data           stream carriers connect here (SOCK_STREAM, listening)
 *   dgram          datagram carriers are connected to it (SOCK_DGRAM)
 *   s/ID           a stream carrier of the program (family 4 or 6 is the ID's first digit)
 *   d/ID           a datagram carrier of the program
 *   b/ID           the same through the seccomp door: without struct run_dgram, which read() and
 *                  write() would meet. Connected to `bare` when the program connects; what comes
 *                  before has its sender's name; what goes with an address goes to dgram
 *   bare           connected b/ carriers send here (SOCK_DGRAM)
 *   f/0/PEER/PORT/ANY/0   the daemon's, as p/ below: a datagram that came from there
 *   p/NUMBER/PEER/PORT/LOCAL/PORT   the daemon's end of an accepted connection: addresses as 32 hex
 *                  digits, ports in decimal. What accept() returns has this name for its peer.
 *
 * ID is "4-" or "6-", then 16 hex digits that the door draws at random: a socket needs no call to
 * the daemon until it is used. Units: host order but for addresses. Errors: negative errno in
 * answers. */
#ifndef RUN_PROTOCOL_H
#define RUN_PROTOCOL_H

#include <stdint.h>

#include <weir/addr.h>
#include <weir/net.h>

#define RUN_ENV "WEIR_DAEMON"
#define RUN_PREFIX "weir/"
#define RUN_VALUE_MAX 1424 /* GROUP_FILTER_SIZE(10), the longest option */
#define RUN_ANSWER_MAX 2112
#define RUN_IFINDEX 1 /* of the one interface that a stack of `weir run` has */
/* Bytes that the door writes before a connect that must not block: until the daemon has drained
 * them the carrier does not poll writable. More than a quarter of SO_SNDBUF. */
#define RUN_FILLER 65536

/* RUN_CONNECT's number. */
enum run_wait {
    RUN_NO_WAIT,      /* the carrier holds RUN_FILLER */
    RUN_WAIT,         /* the answer comes when the handshake is over */
    RUN_WAIT_NO_MORE, /* a signal or SO_SNDTIMEO ended the wait; RUN_FILLER follows if it goes on */
};

enum run_op {
    RUN_BIND = 1,    /* addr */
    RUN_LISTEN,      /* number: backlog; comes before the door's own listen() on the carrier */
    RUN_CONNECT,     /* addr; number: enum run_wait */
    RUN_GETSOCKNAME, /* -> addr */
    RUN_GETPEERNAME, /* -> addr */
    RUN_SETSOCKOPT,  /* level, name, value */
    RUN_GETSOCKOPT,  /* level, name, value_len: room, value: what stands there already -> value */
    RUN_SHUTDOWN,    /* number: how; before the door's own shutdown() of the carrier -> -ENOTCONN,
                        or RUN_RENEW: it is no connection yet, and is ended by that */
    RUN_REASON,      /* why a stream ended: -errno, or 0 for an orderly end */
    RUN_OUTQ,        /* number: 0 not acknowledged, 1 not sent -> result: bytes */
    RUN_RENEW, /* value: the ID of a new carrier, which takes the place of this one and is connected
                  to nothing; options and port stay */
    RUN_CLOSED,  /* a descriptor of a listener or datagram carrier is closed: was it the last? */
    RUN_RECVERR, /* the oldest of the error queue -> value: struct run_error, and what came back */
    /* from the tools */
    RUN_SS,   /* -> several answers, value holds endpoint.h's text; the last has result 0 and
                 value_len 0 */
    RUN_PING, /* addr; number: sequence; value_len: bytes of payload; level: TTL, 0: the preset. The
                 connection stays, for more of them and for an answer to each reply that comes:
                 result: RTT in us, addr: who replied, its port: the sequence, value_len: bytes of
                 the message, value[0]: its TTL. result < 0: those under way are lost. */
    RUN_LINK, /* -> result: enum run_link */
    RUN_KNOB_GET, /* value: name -> value: text */
    RUN_KNOB_SET, /* value: "name=value" */
    RUN_STATS,    /* -> several answers, value "name value", as RUN_SS */
    RUN_WHY,   /* number: a port, 0: all -> as RUN_SS, with facts; then the past: "past", lines of
                  past.h; the last has result 0 and value_len 0 */
    RUN_TRACE, /* addr: the target; number: the probe's; name: enum probe_kind; level: TTL;
                  value_len: bytes of data. The connection stays, for more of them and for an answer
                  to each that ends: result: us, or -errno: it could not be sent; addr: who ended
                  it, its port: the probe's number; value: ICMP type, code, whether it was the
                  target, errno. Probes that nothing ends have no answer. */
    RUN_DUMP,  /* The connection stays, for a struct run_frame and its bytes for each frame that the
                  stack sends or gets from now on; the first is empty and says that it begins. */
    RUN_NET_SHOW, /* number: enum run_net -> as RUN_SS; value: a struct run_iface, weir_addr_info,
                     weir_route_info or run_neigh; the last has result 0 and value_len 0 */
    RUN_NET_SET,  /* value: struct run_net_change */
};

/* What `weir ip` speaks of. */
enum run_net { RUN_NET_LINK = 1, RUN_NET_ADDR, RUN_NET_ROUTE, RUN_NET_NEIGH };
struct run_iface {
    int32_t ifindex;
    struct weir_iface_info info;
    uint64_t frames_in, bytes_in, dropped, frames_out, bytes_out; /* of the whole stack */
};
struct run_neigh {
    struct weir_neigh_info info; /* but for its `state`, which is a pointer */
    char state[16];
};
struct run_net_change {
    uint32_t what; /* enum run_net */
    bool is_there; /* add, up; else del, down */
    bool has_gateway, has_mac;
    uint8_t mac[6];
    int32_t ifindex; /* 0: any */
    int32_t prefix;
    uint32_t metric;
    struct weir_addr addr, gateway;
};

enum run_link { RUN_LINK_HOST = 1, RUN_LINK_TAP };

struct run_addr {
    uint8_t family; /* 4, 6; 0: unspecified (AF_UNSPEC) */
    uint8_t spare;
    uint16_t port; /* host order */
    struct weir_addr addr;
};

struct run_ask {
    uint32_t op;
    int32_t number, level, name;
    int32_t pid; /* whose socket it is, where a door asks for another process; else 0 */
    char id[48]; /* "s/4-0123456789abcdef", "d/...", or "p/NUMBER" for an accepted stream */
    struct run_addr addr;
    uint32_t value_len;
    uint8_t value[RUN_VALUE_MAX];
};

struct run_answer {
    int32_t result; /* >= 0, or -errno */
    struct run_addr addr;
    uint32_t value_len;
    uint8_t value[RUN_ANSWER_MAX];
};

/* Control messages that the program asked for with its datagrams. */
enum run_wants {
    RUN_WANTS_PKTINFO = 1, /* IP_PKTINFO */
    RUN_WANTS_TTL = 2,     /* IP_RECVTTL */
    RUN_WANTS_TOS = 4,     /* IP_RECVTOS */
    RUN_WANTS_DST = 8,     /* IP_RECVORIGDSTADDR */
    RUN_WANTS_PKTINFO6 = 16,
    RUN_WANTS_HOPLIMIT = 32,
    RUN_WANTS_TCLASS = 64,
    RUN_WANTS_DST6 = 128,
    RUN_WANTS_OPTIONS = 256, /* IP_RECVOPTS */
};

/* Each datagram on a datagram carrier begins with this: where to, or where from. family 0 on the
 * way out: the connected peer. `addr.spare`, where it is an errno: no datagram but the socket's
 * error. */
struct run_dgram {
    struct run_addr addr;
    struct run_addr local;            /* where it was sent to; out: family 0, or its source */
    struct weir_addr own;             /* in: our unicast address there, where `local` is a group */
    int32_t ifindex;                  /* in by, out through; 0: any */
    int16_t ttl, tos;                 /* out: -1, the socket's */
    uint16_t wants;                   /* in: enum run_wants */
    uint8_t options_len, options[40]; /* in: of IP, RUN_WANTS_OPTIONS */
};

/* In RUN_RECVERR's answer. */
struct run_error {
    int32_t error;
    uint32_t info;
    uint8_t origin, type, code;
    uint8_t has_offender;
    uint8_t ttl, tos; /* of the ICMP message, 0: there was none */
    uint16_t wants;   /* enum run_wants */
    struct run_addr to, offender;
};

#define RUN_TRACE_LEN 4 /* bytes of value in RUN_TRACE's answer */
#define RUN_FRAME_MAX (14 + 65535)
/* A frame that the stack sent or got; behind it the reason, then the frame's bytes. */
struct run_frame {
    int64_t at_ns;    /* since 1970 */
    uint64_t dropped; /* frames before it that this reader was too slow for */
    uint32_t len;
    uint16_t type;   /* enum weir_link_type */
    uint8_t dir;     /* enum weir_pcapng_dir */
    uint8_t why_len; /* bytes of the reason, in words */
};

#endif
