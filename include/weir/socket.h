/* Sockets: the BSD calls, never blocking. A socket is a small integer of its stack, from 0.
 *
 * Option levels, names and values are those of the host's <sys/socket.h>, <netinet/in.h> and
 * <netinet/tcp.h>; errors are the negative errno constants that Linux gives for the same call. Each
 * call that takes a socket returns -EBADF for one that is not open, and -EOPNOTSUPP where only a
 * stream makes sense. Nothing is sent by any of them: weir_output does that (stack.h).
 * The calls themselves stand in src/stack/api.c, their work in src/sock/. */
#ifndef WEIR_SOCKET_H
#define WEIR_SOCKET_H

#include <sys/types.h>

#include <weir/addr.h>
#include <weir/frame.h>
#include <weir/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/* family: AF_INET, or AF_INET6, which speaks IPv4 too unless IPV6_V6ONLY is set; type: SOCK_STREAM,
 * SOCK_DGRAM, or either of SOCK_DGRAM and SOCK_RAW with IPPROTO_ICMP (echo). Returns the socket, or
 * -EAFNOSUPPORT, -EPROTONOSUPPORT, -EMFILE (net.weir.max_sockets), -ENOMEM. */
int weir_socket(struct weir_stack *stack, int family, int type, int protocol);
/* Port 0: the stack chooses one (net.ipv4.ip_local_port_range). 0, or -EINVAL (bound already),
 * -EADDRINUSE (SO_REUSEADDR and SO_REUSEPORT as on Linux), -EADDRNOTAVAIL (no address of ours, and
 * no IP_FREEBIND), -ENOMEM. */
int weir_bind(struct weir_stack *stack, int sock, const struct weir_sockaddr *local);
/* backlog: connections that may wait for accept, up to net.core.somaxconn; negative means that.
 * Listening again changes it. 0, or -EOPNOTSUPP, -EINVAL (connected), -EADDRINUSE, -ENOMEM. */
int weir_listen(struct weir_stack *stack, int sock, int backlog);
/* The next established connection, which is ready at once, or -EAGAIN, -EINVAL (not listening),
 * -EMFILE, -ENOMEM. Options are those of the listener. peer may be NULL. */
int weir_accept(struct weir_stack *stack, int sock, struct weir_sockaddr *peer);
/* TCP: -EINPROGRESS; the outcome is readiness (WEIR_READY_OUT, or WEIR_READY_ERR and SO_ERROR). At
 * once: -ENETUNREACH (no route), -EADDRNOTAVAIL (no source address, no free port), -EALREADY,
 * -EISCONN, -ENOBUFS. UDP: 0; sets the peer, and filters by it. RFC 9293 section 3.10.1. */
int weir_connect(struct weir_stack *stack, int sock, const struct weir_sockaddr *peer);
/* connect() to AF_UNSPEC: a connection is aborted (RST), a listener or an attempt ended, a datagram
 * socket has no peer any more. The socket is as before, with its options and the address and port
 * that bind was given. 0, or -ENOMEM. */
int weir_disconnect(struct weir_stack *stack, int sock);

/* Bytes into the send buffer, and out of the receive buffer; RFC 9293 sections 3.10.2 and 3.10.3.
 * Returns how many, which for a stream may be fewer than asked. flags: MSG_MORE and MSG_OOB for
 * send, MSG_PEEK, MSG_TRUNC and MSG_OOB for recv; the rest is ignored. -EAGAIN instead of
 * blocking: then weir_ready tells when to try again. recv of a stream returns 0 at its end. An
 * error that ended the connection (-ECONNRESET, -ETIMEDOUT, -ECONNREFUSED, -EHOSTUNREACH ...) comes
 * once, from whichever call is first. send: also -EPIPE (over, or never begun; no signal), recv:
 * -ENOTCONN, -ENOBUFS (no memory). A datagram is sent whole or not: -EMSGSIZE above the MTU,
 * -EDESTADDRREQ, -EACCES (broadcast without SO_BROADCAST), -ENETUNREACH, -EINVAL (port 0). */
ssize_t weir_send(struct weir_stack *stack, int sock, const void *data, size_t len, int flags);
ssize_t weir_recv(struct weir_stack *stack, int sock, void *data, size_t len, int flags);
/* Urgent data (RFC 6093): a read ends before the urgent byte and the next one leaves it out, unless
 * SO_OOBINLINE is on; recv with MSG_OOB reads it: 1, -EINVAL (there is none, or it was read),
 * -EAGAIN (announced, not here yet). weir_at_mark: 1 where the reader stands before it
 * (SIOCATMARK), else 0; -EBADF, -EOPNOTSUPP. */
int weir_at_mark(const struct weir_stack *stack, int sock);
ssize_t weir_sendto(struct weir_stack *stack, int sock, const void *data, size_t len, int flags,
                    const struct weir_sockaddr *to); /* to NULL: the connected peer; streams
                                                      * ignore it, but for MSG_FASTOPEN: */
/* RFC 7413, where net.ipv4.tcp_fastopen allows it: MSG_FASTOPEN connects and sends in the SYN what
 * fits, if the peer's cookie is known: so many bytes were taken. -EINPROGRESS: none, the handshake
 * goes on without and asks for a cookie. -EOPNOTSUPP, and as weir_connect. TCP_FASTOPEN_CONNECT
 * does it with the first weir_send after weir_connect, which then returns 0; TCP_FASTOPEN is how
 * many such connections a listener takes whose handshake is not over. */
ssize_t weir_recvfrom(struct weir_stack *stack, int sock, void *data, size_t len, int flags,
                      struct weir_sockaddr *from); /* from may be NULL */
/* What a datagram says beside its data: what BSD has control messages for (IP_PKTINFO, IP_RECVTTL,
 * IP_TOS and IPv6's; RFC 3542). */
struct weir_datagram {
    /* Received: the address and port that it was sent to, and the interface that it came in by. To
     * be sent: its source, believed as it is, so a gateway may use any. An unspecified address is
     * chosen as without; port 0 is the socket's; ifindex 0 is where the route leads. */
    struct weir_sockaddr local;
    int ttl, tos; /* TTL or hop limit, TOS or traffic class; to be sent: -1 is the socket's */
    /* Received: the options of its IPv4 header, padding and all. What is sent has those that were
     * set by IP_OPTIONS, on datagram sockets alone; source routes are refused both ways. */
    uint8_t options_len, options[40];
};
/* from, to and about may be NULL. Of a stream: its two ends, ttl and tos 0; nothing to send. */
ssize_t weir_recvmsg(struct weir_stack *stack, int sock, void *data, size_t len, int flags,
                     struct weir_sockaddr *from, struct weir_datagram *about);
ssize_t weir_sendmsg(struct weir_stack *stack, int sock, const void *data, size_t len, int flags,
                     const struct weir_sockaddr *to, const struct weir_datagram *about);

/* The error queue of a socket with IP_RECVERR, oldest first (of a stream the last one only): what
 * Linux gives by recvmsg with MSG_ERRQUEUE. Returns the bytes copied of what came back of the
 * datagram, or -EAGAIN. While there are errors the socket is ready (WEIR_READY_ERR), and calls
 * return the oldest one's. */
struct weir_sock_error {
    int error;                  /* errno */
    uint8_t origin, type, code; /* SO_EE_ORIGIN_LOCAL (1) or SO_EE_ORIGIN_ICMP (2), ICMP's fields */
    uint32_t info;              /* EMSGSIZE: the MTU */
    struct weir_sockaddr to;    /* where the datagram went */
    struct weir_addr offender;  /* who says so; unspecified where nobody did */
    uint8_t ttl, tos;           /* of the ICMP message when it came; 0: there was none */
};
ssize_t weir_recverr(struct weir_stack *stack, int sock, void *data, size_t len,
                     struct weir_sock_error *error);

/* how: SHUT_RD, SHUT_WR (a FIN behind what was sent), SHUT_RDWR. -ENOTCONN, -EINVAL. */
int weir_shutdown(struct weir_stack *stack, int sock, int how);
/* The number is free again at once. A connection goes on until its data and FIN are acknowledged
 * and TIME-WAIT is over; unread data makes it a RST (RFC 2525 section 2.17), so does SO_LINGER 0.
 */
int weir_close(struct weir_stack *stack, int sock);
/* RST, and close. RFC 9293 section 3.10.5. */
int weir_abort(struct weir_stack *stack, int sock);

/* getpeername: -ENOTCONN. */
int weir_getsockname(struct weir_stack *stack, int sock, struct weir_sockaddr *local);
int weir_getpeername(struct weir_stack *stack, int sock, struct weir_sockaddr *peer);
/* len is sizeof(int) for most; getsockopt writes back what it used. -ENOPROTOOPT: not known here;
 * -EINVAL: a bad value. What there is stands in src/sock/opts.c. */
int weir_setsockopt(struct weir_stack *stack, int sock, int level, int name, const void *value,
                    size_t len);
int weir_getsockopt(struct weir_stack *stack, int sock, int level, int name, void *value,
                    size_t *len);

/* -- without a copy ---------------------------------------------------------------------------- */

/* Room in the send ring of a stream: up to two slices that the caller fills, then commits. Returns
 * how many slices (0: no room now), or -EPIPE, -ENOTCONN and so on as send would.
 * `want` bounds the bytes offered. Slices die with the next call on the stack. `len` of the commit:
 * at most what was offered, from the front; flags as for send. 0. */
struct weir_space {
    uint8_t *data;
    uint32_t len;
};
int weir_send_space(struct weir_stack *stack, int sock, uint32_t want, struct weir_space space[2]);
int weir_send_commit(struct weir_stack *stack, int sock, uint32_t len, int flags);
/* What recv would deliver, in place: up to two slices, and how many. 0 with *ended set: end of
 * stream. -EAGAIN: nothing yet; errors as recv. The slices live until the next call that drives the
 * stack (stack.h) or takes from this socket; sending leaves them alone. Then weir_recv_consume says
 * how much was used, at most what the slices hold. 0. */
int weir_recv_slices(struct weir_stack *stack, int sock, struct weir_slice slice[2], bool *ended);
int weir_recv_consume(struct weir_stack *stack, int sock, uint32_t len);

/* -- readiness --------------------------------------------------------------------------------- */

enum weir_ready {
    WEIR_READY_IN = 1,    /* data, a connection to accept, the end of the stream, or an error */
    WEIR_READY_OUT = 4,   /* room to send (a third of the send buffer, as Linux), or an error */
    WEIR_READY_PRI = 2,   /* urgent data */
    WEIR_READY_ERR = 8,   /* SO_ERROR is set */
    WEIR_READY_HUP = 16,  /* both directions are over */
    WEIR_READY_RDHUP = 32 /* the peer's FIN was reached, or shutdown(SHUT_RD) */
};

int weir_readiness(struct weir_stack *stack, int sock); /* enum weir_ready, or -EBADF */

/* An event of weir_ready. */
struct weir_ready_event {
    int sock;
    uint32_t ready; /* enum weir_ready, as of this call */
    void *user;
};
/* Sockets on which something happened since they were last reported, oldest first: streams before
 * datagram sockets. Edge triggered: read until -EAGAIN, write until -EAGAIN, accept until -EAGAIN,
 * or ask weir_readiness. Returns how many were written, at most `max`. O(1) for each. */
int weir_ready(struct weir_stack *stack, struct weir_ready_event *events, int max);
/* A word of the caller's that comes back in each event; NULL at first. */
int weir_set_user(struct weir_stack *stack, int sock, void *user);

/* -- for gateways: connections that are decided elsewhere ----------------------------------------
 */

/* On a listener, before listen: with WEIR_HOLD each SYN is held (no answer is sent, repeats are
 * absorbed) until the caller accepts or refuses it. WEIR_ANY_PORT, bound to the unspecified address
 * and port 0, takes the SYNs (datagrams) of all ports on which nobody else is bound; accepted
 * sockets then carry the destination of the SYN as their local address. */
#define SOL_WEIR 0x7765
#define WEIR_HOLD 1         /* int */
#define WEIR_ANY_PORT 2     /* int */
#define WEIR_CLOSE_REASON 3 /* get: int, errno that ended the connection, 0 for an orderly end */
/* set: int, the port of bind was not the user's wish: weir_disconnect forgets it */
#define WEIR_PORT_CHOSEN 4

struct weir_held {
    uint64_t id;
    struct weir_sockaddr peer;  /* who connects */
    struct weir_sockaddr local; /* where to */
};
/* The next SYN that was not told yet: 1, or -EAGAIN. The listener is ready (IN) while there is one.
 */
int weir_held_next(struct weir_stack *stack, int sock, struct weir_held *held);
/* The SYN/ACK goes out. 0, or -ENOENT: the SYN is gone. */
int weir_held_accept(struct weir_stack *stack, uint64_t id);
/* error: ECONNREFUSED answers RST; EHOSTUNREACH, ENETUNREACH, EACCES the ICMP error; ETIMEDOUT and
 * 0 stay silent and forget the SYN. -ENOENT: the SYN is gone. */
int weir_held_refuse(struct weir_stack *stack, uint64_t id, int error);
/* A datagram that came `from` there `to` here was taken, and is refused after all: the sender gets
 * the ICMP error for ECONNREFUSED (port), EHOSTUNREACH, ENETUNREACH or EACCES; any other -EINVAL.
 */
int weir_datagram_refuse(struct weir_stack *stack, const struct weir_sockaddr *from,
                         const struct weir_sockaddr *to, int error);
/* An ICMP error about such a datagram, of whatever type, as somebody on its further way sent it. */
struct weir_icmp_error {
    struct weir_addr by; /* who says so */
    uint8_t type, code;
    uint32_t rest; /* second word of its header: an MTU */
    const void *data;
    size_t len; /* of the datagram's payload, as far as it is known: is quoted */
};
int weir_datagram_error(struct weir_stack *stack, const struct weir_sockaddr *from,
                        const struct weir_sockaddr *to, const struct weir_icmp_error *error);

/* -- what `ss` shows -----------------------------------------------------------------------------
 */

enum weir_tcp_state { /* numbers as in Linux's tcp_states.h */
                      WEIR_ESTABLISHED = 1,
                      WEIR_SYN_SENT,
                      WEIR_SYN_RECV,
                      WEIR_FIN_WAIT_1,
                      WEIR_FIN_WAIT_2,
                      WEIR_TIME_WAIT,
                      WEIR_CLOSED,
                      WEIR_CLOSE_WAIT,
                      WEIR_LAST_ACK,
                      WEIR_LISTEN,
                      WEIR_CLOSING
};
const char *weir_state_name(int state); /* as in RFC 9293: "FIN-WAIT-1" */

/* What is not known is 0. */
struct weir_sock_info {
    int sock;     /* -1: no socket any more (orphan, SYN-RECEIVED, TIME-WAIT) */
    int protocol; /* IPPROTO_TCP, IPPROTO_UDP */
    int state;    /* enum weir_tcp_state; UDP: ESTABLISHED if connected, else CLOSED */
    struct weir_sockaddr local, peer;
    uint32_t recv_queue, send_queue; /* bytes; LISTEN: connections waiting, and the most allowed */
    void *user;
    uint32_t rcvbuf, sndbuf;   /* SO_RCVBUF, SO_SNDBUF */
    uint32_t rcv_mem, snd_mem; /* bytes that the rings hold from the allocator */
    uint64_t drops;            /* UDP: datagrams that found rcvbuf full */
    /* TCP, synchronized states only */
    uint32_t cwnd, ssthresh; /* bytes; ssthresh UINT32_MAX: not yet set */
    uint32_t srtt_us, rttvar_us, rto_us, min_rtt_us;
    uint32_t ato_us;           /* how long an ACK waits, once text has come */
    uint32_t mss;              /* bytes of payload we send in a segment */
    uint32_t rcv_mss, advmss;  /* that we expect of the peer; that we announced, less timestamps */
    uint32_t pmtu;             /* of the path, as far as it is known */
    uint32_t snd_wnd, rcv_wnd; /* bytes */
    uint32_t rcv_wnd_max;      /* the widest window that we would offer */
    uint32_t in_flight, lost;  /* bytes */
    uint32_t unacked_segs, sacked_segs, lost_segs, again_segs; /* in flight: all, and of these */
    uint32_t unsent;                                           /* bytes that wait to be sent */
    uint32_t reordering;                                       /* duplicate ACKs that mean loss */
    uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retrans;
    uint32_t segs_out, segs_in, retrans;
    uint32_t data_segs_out, data_segs_in;
    uint32_t sent_ago_ms, received_ago_ms, heard_ago_ms; /* last text out, text in, any segment */
    uint8_t snd_wscale, rcv_wscale;
    uint8_t has_ts, has_sack, has_wscale, has_ecn;
    uint8_t has_accecn;      /* accurate ECN; then packets that came marked, and ours that did */
    uint32_t ce_in, ce_told; /* (as far as the peer tells), and bytes by codepoint */
    uint64_t ect0_bytes_in, ce_bytes_in, ect1_bytes_in;
    uint64_t ect0_bytes_told, ce_bytes_told, ect1_bytes_told;
    uint8_t shut;            /* 1: nothing more to read (FIN, shutdown), 2: our FIN is queued */
    uint8_t ca_state;        /* Linux's: 0 open, 1 disorder, 3 recovery, 4 loss */
    uint8_t backoff, probes; /* timeouts since progress; unanswered probes */
    const char *congestion;  /* "reno" */
    const char *timer; /* what the connection waits for first, or NULL; a delayed ACK comes last */
    int64_t timer_left_us;
    uint8_t timer_n; /* how often it ran already */
};
/* Walks all endpoints, also those without a socket: start with *cursor 0; returns 1 with *info
 * filled, or 0 at the end. Calls in between may make it miss one, or show one twice. */
int weir_info_next(struct weir_stack *stack, uint64_t *cursor, struct weir_sock_info *info);
int weir_info(struct weir_stack *stack, int sock, struct weir_sock_info *info);

#ifdef __cplusplus
}
#endif

#endif
