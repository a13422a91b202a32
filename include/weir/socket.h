/* Sockets: the BSD calls, never blocking. A socket is a small integer of its stack, from 0.
 *
 * Option levels, names and values are those of the host's <sys/socket.h>, <netinet/in.h> and
 * <netinet/tcp.h>; errors are the negative errno constants that Linux gives for the same call. */
#ifndef WEIR_SOCKET_H
#define WEIR_SOCKET_H

#include <sys/types.h>

#include <weir/addr.h>
#include <weir/frame.h>
#include <weir/stack.h>

/* family: AF_INET or AF_INET6; type: SOCK_STREAM, SOCK_DGRAM, or SOCK_RAW with IPPROTO_ICMP (echo).
 * Returns the socket, or -EAFNOSUPPORT, -EPROTONOSUPPORT, -EMFILE, -ENOMEM. */
int weir_socket(struct weir_stack *stack, int family, int type, int protocol);
int weir_bind(struct weir_stack *stack, int sock, const struct weir_sockaddr *local);
int weir_listen(struct weir_stack *stack, int sock, int backlog);
/* The next established connection, or -EAGAIN, -EINVAL (not listening). peer may be NULL. */
int weir_accept(struct weir_stack *stack, int sock, struct weir_sockaddr *peer);
/* -EINPROGRESS for TCP; the outcome is in readiness and SO_ERROR. 0 for UDP. */
int weir_connect(struct weir_stack *stack, int sock, const struct weir_sockaddr *peer);

/* flags: MSG_PEEK, MSG_OOB, MSG_MORE, MSG_EOR, MSG_TRUNC; the rest is ignored. -EAGAIN instead of
 * blocking. recv of a stream returns 0 at its end. -EPIPE never comes with a signal here. */
ssize_t weir_send(struct weir_stack *stack, int sock, const void *data, size_t len, int flags);
ssize_t weir_recv(struct weir_stack *stack, int sock, void *data, size_t len, int flags);
ssize_t weir_sendto(struct weir_stack *stack, int sock, const void *data, size_t len, int flags,
                    const struct weir_sockaddr *to); /* to NULL: the connected peer */
ssize_t weir_recvfrom(struct weir_stack *stack, int sock, void *data, size_t len, int flags,
                      struct weir_sockaddr *from); /* from may be NULL */
/* Datagrams with both ends: `local` is the address and port that the datagram was sent to, or is to
 * be sent from (a WEIR_ANY_PORT or IP_TRANSPARENT socket may use any). Either may be NULL. */
ssize_t weir_recvmsg(struct weir_stack *stack, int sock, void *data, size_t len, int flags,
                     struct weir_sockaddr *from, struct weir_sockaddr *local);
ssize_t weir_sendmsg(struct weir_stack *stack, int sock, const void *data, size_t len, int flags,
                     const struct weir_sockaddr *to, const struct weir_sockaddr *local);

int weir_shutdown(struct weir_stack *stack, int sock, int how); /* SHUT_RD, SHUT_WR, SHUT_RDWR */
int weir_close(struct weir_stack *stack, int sock); /* the number is free again at once */
int weir_abort(struct weir_stack *stack, int sock); /* RFC 9293 ABORT: RST, then close */

int weir_getsockname(struct weir_stack *stack, int sock, struct weir_sockaddr *local);
int weir_getpeername(struct weir_stack *stack, int sock, struct weir_sockaddr *peer);
int weir_setsockopt(struct weir_stack *stack, int sock, int level, int name, const void *value,
                    size_t len);
int weir_getsockopt(struct weir_stack *stack, int sock, int level, int name, void *value,
                    size_t *len);

/* -- without a copy ---------------------------------------------------------------------------- */

/* Room in the send ring of a stream: up to two slices that the caller fills, then commits. Returns
 * how many slices (0: no room now), or -EPIPE, -ENOTCONN and so on as send would.
 * `want` bounds the bytes offered. Slices die with the next call on the stack. */
struct weir_space {
    uint8_t *data;
    uint32_t len;
};
int weir_send_space(struct weir_stack *stack, int sock, uint32_t want, struct weir_space space[2]);
int weir_send_commit(struct weir_stack *stack, int sock, uint32_t len, int flags);
/* What recv would deliver, in place: up to two slices. 0 slices with *ended set: end of stream.
 * -EAGAIN: nothing yet. Then weir_recv_consume says how much was used. */
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

struct weir_ready_event {
    int sock;
    uint32_t ready; /* enum weir_ready, as of this call */
    void *user;
};
/* Sockets on which something happened since they were last reported (edge triggered), oldest first.
 * O(1) for each. Returns how many were written. */
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
#define WEIR_RECV_TTL 4     /* get: int, TTL of the datagram that was read last, 0: none yet */

struct weir_held {
    uint64_t id;
    struct weir_sockaddr peer;  /* who connects */
    struct weir_sockaddr local; /* where to */
};
int weir_held_next(struct weir_stack *stack, int sock, struct weir_held *held); /* 1, or -EAGAIN */
int weir_held_accept(struct weir_stack *stack, uint64_t id); /* the SYN/ACK goes out */
/* error: ECONNREFUSED answers RST; EHOSTUNREACH, ENETUNREACH, EACCES the ICMP error; ETIMEDOUT and
 * 0 stay silent and forget the SYN. -ENOENT: the SYN is gone. */
int weir_held_refuse(struct weir_stack *stack, uint64_t id, int error);

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

struct weir_sock_info {
    int sock;     /* -1: no socket any more (orphan, SYN-RECEIVED, TIME-WAIT) */
    int protocol; /* IPPROTO_TCP, IPPROTO_UDP */
    int state;    /* enum weir_tcp_state; UDP: ESTABLISHED if connected, else CLOSED */
    struct weir_sockaddr local, peer;
    uint32_t recv_queue, send_queue; /* bytes; LISTEN: connections waiting, and the most allowed */
    void *user;
    /* TCP, synchronized states only */
    uint32_t cwnd, ssthresh; /* bytes; ssthresh UINT32_MAX: not yet set */
    uint32_t srtt_us, rttvar_us, rto_us;
    uint32_t mss;              /* bytes of payload we send in a segment */
    uint32_t snd_wnd, rcv_wnd; /* bytes */
    uint32_t in_flight, lost;  /* bytes */
    uint64_t bytes_sent, bytes_acked, bytes_received, bytes_retrans;
    uint32_t segs_out, segs_in, retrans;
    uint8_t snd_wscale, rcv_wscale;
    uint8_t has_ts, has_sack;
    const char *timer; /* name of the timer that is due first, or NULL */
    int64_t timer_left_us;
    uint8_t timer_n; /* how often it ran already */
};
/* Walks all endpoints: start with *cursor 0; returns 1 with *info filled, or 0 at the end. */
int weir_info_next(struct weir_stack *stack, uint64_t *cursor, struct weir_sock_info *info);
int weir_info(struct weir_stack *stack, int sock, struct weir_sock_info *info);

#endif
