/* UDP sockets, RFC 768, and the ping sockets that work alike: what the other folders may know.
 *
 * Knows: base, def, wire. Not routes, interfaces or file descriptors. Shape: one struct udp_socks
 * for each stack; a socket is a pool index from 1 and holds two rings of records, a datagram each,
 * that own no memory while empty. A ping socket (PROTO_ICMP, PROTO_ICMP6) has the ICMP identifier
 * for its port, and 0 for all of them; its datagrams are whole ICMP messages. Units: bytes. Errors:
 * -errno, or a verdict. Cost: O(1) for each datagram and the copy. */
#ifndef UDP_UDP_H
#define UDP_UDP_H

#include "base/filter.h"
#include "base/list.h"
#include "base/ring.h"
#include "base/rng.h"
#include "base/table.h"
#include "weir/frame.h"
#include "wire/wire.h"

#define UDP_IFACES 17         /* ifindex 1 to 16 */
#define UDP_PAYLOAD_MAX 65507 /* bytes: 65,535 less both headers; of ping: its data */
#define UDP_HDR_LEN 8         /* of UDP and of ICMP */

/* What happened to a socket; the values are those of enum tcp_mark. */
enum udp_mark { UDP_MARK_IN = 1, UDP_MARK_OUT = 2, UDP_MARK_ERROR = 4 };

enum udp_option {
    UDP_REUSEPORT = 1,    /* datagrams are spread over the sockets of a port by flow */
    UDP_BROADCAST = 2,    /* for the socket layer: SO_BROADCAST */
    UDP_RECVERR = 4,      /* soft errors are reported too (IP_RECVERR) */
    UDP_V6ONLY = 8,       /* bound to :: it leaves IPv4 alone */
    UDP_NO_LOOP = 16,     /* what it sends to a group is not for this host (IP_MULTICAST_LOOP 0) */
    UDP_JOINED_ONLY = 32, /* of groups only what it joined itself (IP_MULTICAST_ALL 0) */
};

#define UDP_GROUPS_MAX 20 /* of a socket: igmp_max_memberships */

#define UDP_IP_OPTIONS_MAX 40
struct udp_options {
    uint8_t len, bytes[UDP_IP_OPTIONS_MAX];
};

/* Fields are for udp/ to write, except where it says otherwise. */
struct udp_sock {
    struct list_node out, marked, emptied;
    struct ring rx, tx;
    struct ring errors;             /* with UDP_RECVERR: what became of its datagrams */
    struct udp_options *ip_options; /* NULL: none */
    struct weir_addr local, peer;   /* peer: where is_connected */
    struct weir_addr bound;         /* what `local` was before connect */
    uint16_t lport, pport;
    uint16_t ifindex;           /* bound to this interface, 0: any; the socket layer writes it */
    uint8_t proto;              /* PROTO_UDP, PROTO_ICMP or PROTO_ICMP6 */
    uint8_t tos, ttl;           /* ttl 0: the default; the socket layer writes them */
    uint8_t options;            /* enum udp_option; the socket layer writes it */
    uint8_t mc_ttl, mc_ifindex; /* of what it sends to groups; the socket layer writes them */
    uint32_t groups;            /* first membership, 0: none */
    uint8_t pmtudisc;           /* IP_MTU_DISCOVER; the socket layer writes it */
    uint8_t marks;              /* enum udp_mark */
    uint8_t out_ifindex;        /* on whose list it is */
    bool is_bound, is_connected, is_any_port;
    bool is_closed;          /* only its tx ring still matters */
    bool wants_out;          /* a send was refused */
    int error;               /* pending, errno */
    uint32_t sock;           /* of the socket layer */
    uint32_t serial;         /* of binding: the newest of equals wins */
    uint32_t hash;           /* where it is filed */
    uint32_t rcvbuf, sndbuf; /* the socket layer writes them */
    uint64_t dropped;        /* datagrams that found rcvbuf full */
};

struct udp_socks {
    struct mem *mem;
    struct sipkey key;
    struct pool socks;
    struct pool memberships;
    struct table demux; /* connected ones by both ends, bound ones by the local end */
    uint32_t any_port;  /* takes what nobody is bound to, 0: none */
    uint32_t serial;
    struct list out[UDP_IFACES];
    struct list marked;
    struct list emptied; /* with a ring pulled or read dry, or closed: for udp_settle */
};

void udp_init(struct udp_socks *u, struct mem *mem, struct rng *seed, uint32_t sockets_max);
void udp_fini(struct udp_socks *u);
/* Gives back the buffers of rings that are empty, and closed sockets that have sent everything. At
 * the beginning of each call on the stack: what was pulled before dies here. */
void udp_settle(struct udp_socks *u);

/* -- the user ---------------------------------------------------------------------------------- */

/* proto: PROTO_UDP, PROTO_ICMP or PROTO_ICMP6; sock: the socket layer's. Buffers are 212,992 bytes.
 * 0: no room. */
uint32_t udp_open(struct udp_socks *u, uint8_t proto, uint32_t sock);
struct udp_sock *udp_at(const struct udp_socks *u, uint32_t index);
/* Next socket at or behind `from` (from 1) that is not closed; 0: none. */
uint32_t udp_next(const struct udp_socks *u, uint32_t from);
/* Whether two sockets may share a port is decided above; sockets for all ICMP messages must bind
 * (to port 0) to get any. -EINVAL: bound or connected, or port 0 of UDP; -ENOMEM. */
int udp_bind(struct udp_socks *u, uint32_t index, const struct weir_addr *local, uint16_t port);
/* Becomes the socket for all ports that nobody is bound to. -EADDRINUSE: there is one. */
int udp_bind_any_port(struct udp_socks *u, uint32_t index);
/* Both ends complete; may be called again for another peer. -EINVAL: an end is missing; -ENOMEM. */
int udp_connect(struct udp_socks *u, uint32_t index, const struct weir_sockaddr *local,
                const struct weir_sockaddr *peer);
/* Back to what it was bound to. -ENOTCONN, -ENOMEM. */
int udp_disconnect(struct udp_socks *u, uint32_t index);
/* What was sent still goes out; the index is dead for the caller. */
void udp_close(struct udp_socks *u, uint32_t index);

/* groups.c: ifindex 0 for udp_leave and udp_filter_of: any. -EADDRINUSE, -ENOBUFS. */
int udp_join(struct udp_socks *u, uint32_t index, const struct weir_addr *group, int ifindex,
             const struct filter *from);
/* The interface that it was joined on, or -EADDRNOTAVAIL. */
int udp_leave(struct udp_socks *u, uint32_t index, const struct weir_addr *group, int ifindex);
/* From whom the socket wants the group, to be changed in place, and where; NULL: not joined. */
struct filter *udp_filter_of(const struct udp_socks *u, uint32_t index,
                             const struct weir_addr *group, int *ifindex);
/* From whom any socket wants it. */
struct filter udp_wanted(const struct udp_socks *u, const struct weir_addr *group, int ifindex);
bool udp_first_group(const struct udp_socks *u, uint32_t index, struct weir_addr *group);

/* options.c: IP options of all that is sent from now on, at most 40 bytes; 0: none. -EINVAL,
 * -ENOMEM. */
int udp_options_set(struct udp_socks *u, uint32_t index, const void *bytes, size_t len);
size_t udp_options_of(const struct udp_socks *u, uint32_t index, const uint8_t **bytes);

struct udp_dest {
    struct weir_addr local, peer; /* complete */
    uint16_t lport, pport;
    uint8_t ifindex; /* where the route leads */
    uint8_t tos, ttl;
    bool is_df;       /* never fragmented */
    bool is_link_mtu; /* what is known of the path does not count */
    uint8_t options_len;
    const uint8_t *options; /* of IP, padded */
};
/* Bytes taken (all), or -EMSGSIZE, -EAGAIN, -ENOMEM, -EINVAL, or the pending error. ICMP: `data` is
 * a message whose identifier is set to the socket's port, unless that is 0. */
int64_t udp_send(struct udp_socks *u, uint32_t index, const struct udp_dest *to, const void *data,
                 size_t len);

enum udp_recv_flag { UDP_RECV_PEEK = 1 };
struct udp_message {
    void *data; /* in: room */
    size_t room;
    size_t len;                       /* out: of the whole datagram; above `room`: it was cut */
    struct weir_sockaddr from, local; /* local.ifindex: where it came in */
    uint8_t tos, ttl;
    uint8_t options_len, options[UDP_IP_OPTIONS_MAX]; /* of IP */
};
/* Bytes copied, or -EAGAIN, or the pending error (which is then cleared). */
int64_t udp_recv(struct udp_socks *u, uint32_t index, struct udp_message *m, int flags);
uint32_t udp_readiness(const struct udp_socks *u, uint32_t index); /* enum weir_ready: IN OUT ERR */
int udp_take_error(struct udp_socks *u, uint32_t index);           /* SO_ERROR: read and cleared */

struct udp_marked {
    uint32_t index, sock, marks;
};
bool udp_next_marked(struct udp_socks *u, struct udp_marked *out);

/* -- the wire ---------------------------------------------------------------------------------- */

struct udp_view {
    struct weir_addr src, dst;
    uint8_t ifindex;
    uint8_t ttl, tos;
    uint8_t flags; /* enum weir_frame_flag: with either the checksum is taken for good */
    bool is_group; /* dst is a broadcast or multicast address: all that match get a copy */
    uint8_t options_len;
    const uint8_t *options; /* of IP */
    uint8_t parts;
    struct weir_slice part[WEIR_FRAME_PARTS]; /* from the UDP (ICMP) header on */
};
enum drop udp_input(struct udp_socks *u, const struct udp_view *in);
/* An ICMP message that is good and has this identifier: PASS or udp_no_listener. */
enum drop udp_input_icmp(struct udp_socks *u, const struct udp_view *in, uint16_t id);

struct udp_fault {
    struct weir_addr local, remote; /* ends of the datagram that came to grief */
    uint16_t lport, rport;
    uint8_t proto;
    bool is_hard;    /* soft ones are for UDP_RECVERR only, as on Linux */
    bool is_foreign; /* `local` is no address of ours: who is bound to all sent no such datagram */
    int error;
    uint8_t origin, type, code; /* origin: SO_EE_ORIGIN_LOCAL 1, _ICMP 2 */
    uint32_t info;              /* MTU where it was too big */
    struct weir_addr from;      /* who says so */
    uint8_t ttl, tos;           /* of the message, 0: there was none */
    uint8_t parts;
    struct weir_slice part[WEIR_FRAME_PARTS]; /* what came back of its payload */
};
/* PASS, or icmp_unmatched. */
enum drop udp_on_icmp_error(struct udp_socks *u, const struct udp_fault *f);
/* Some socket could have sent such a datagram. */
bool udp_is_sender(const struct udp_socks *u, const struct udp_fault *f);

/* errors.c */
struct udp_error {
    int error;
    uint8_t origin, type, code;
    uint32_t info;
    struct weir_sockaddr to;
    struct weir_addr offender;
    uint8_t ttl, tos; /* of the message that said so */
};
void udp_error_add(struct udp_socks *u, uint32_t index, const struct udp_fault *f);
/* The oldest; bytes copied of what came back of its datagram, or -EAGAIN. */
int64_t udp_recv_error(struct udp_socks *u, uint32_t index, struct udp_error *out, void *data,
                       size_t room);
void udp_forget_errors(struct udp_socks *u, uint32_t index);

struct udp_out {
    struct weir_addr local, peer;
    uint16_t lport, pport;
    uint8_t proto, tos, ttl;
    bool is_df, is_link_mtu;
    uint8_t texts;
    struct ring_slice text[2]; /* payload; good until udp_settle */
    uint32_t len;              /* bytes of header and payload */
    uint8_t options_len, options[UDP_IP_OPTIONS_MAX];
    uint8_t icmp[UDP_HDR_LEN]; /* not UDP: the message's first bytes; text is the rest */
};
/* The next datagram for this interface, which stays the next one until udp_sent; sockets take
 * turns. False: nothing now. */
bool udp_first(struct udp_socks *u, int ifindex, struct udp_out *out);
void udp_sent(struct udp_socks *u, int ifindex);
bool udp_has_output(const struct udp_socks *u, int ifindex);
/* Writes the 8 bytes of header with its checksum; is_partial (UDP only): WEIR_CSUM_PARTIAL's sum,
 * at offset 6. */
void udp_out_header(uint8_t hdr[UDP_HDR_LEN], const struct udp_out *out, bool is_partial);

#endif
