/* gateway: the `host` link. A second stack terminates the far end of the link and speaks ordinary
 * kernel sockets, so that what the kernel reaches is reached through the link, and what listens on
 * the near stack can be reached at the host's own addresses. Needs no privilege. */
#ifndef WEIR_GATEWAY_H
#define WEIR_GATEWAY_H

#include <weir/addr.h>
#include <weir/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_gateway_config {
    uint64_t seed[2]; /* of the far stack */
    int64_t now_ns;
    const char *name; /* of the near interface; NULL: "host" */
    uint32_t mtu;     /* of both ends; 0: 1,500. Superframes of 65,535 bytes cross all the same */
};

struct weir_gateway_stats {
    uint64_t opened;        /* connections of the near stack that reached the host's network */
    uint64_t refused;       /* those that did not: refused, unreachable, timed out, no descriptor */
    uint64_t published;     /* connections that came in through a published port */
    uint64_t reset;         /* connections of either kind that an error ended */
    uint64_t flows;         /* UDP pairs of addresses that were opened */
    uint64_t flows_evicted; /* while in use, because the table or descriptors ran out */
    uint64_t datagrams_dropped; /* no descriptor, no room, or the host's network refused */
};

/* NULL with *error filled (one line that names the next thing to do). */
struct weir_link *weir_gateway_open(const struct weir_gateway_config *config, char *error,
                                    size_t error_size);

#define WEIR_GATEWAY_V6ONLY 0x10000

/* Binds a port of the host; what arrives there enters the link under its real source address.
 * type: SOCK_STREAM or SOCK_DGRAM, with WEIR_GATEWAY_V6ONLY where :: leaves IPv4 alone. host_side:
 * :: is all addresses of both families; port 0 lets the kernel choose and writes the port back.
 * stack_side: an unspecified address stands for the one that the peer used, port 0 for host_side's.
 * Datagrams that leave the near stack from stack_side's port leave the host from host_side's.
 * Returns a handle >= 0, or -EADDRINUSE, -EACCES and so on, as bind and listen do. */
int weir_gateway_publish(struct weir_link *link, int type, struct weir_sockaddr *host_side,
                         const struct weir_sockaddr *stack_side);
/* Connections that came in through it live on. -ENOENT: no such handle. */
int weir_gateway_unpublish(struct weir_link *link, int handle);

/* The address from which the host would speak to dst; its port is left alone. 0 or -errno. */
int weir_gateway_source(const struct weir_sockaddr *dst, struct weir_sockaddr *src);

/* Bytes that the stack sent and the host has not taken yet: closing the link would lose them. */
uint64_t weir_gateway_unsent(struct weir_link *link);

void weir_gateway_stats(struct weir_link *link, struct weir_gateway_stats *out);
/* The far stack, for its knobs, counters and trace. The gateway drives it. */
struct weir_stack *weir_gateway_stack(struct weir_link *link);

/* -- urgent bytes ------------------------------------------------------------------------------
 * For who relays a stream of the stack to a kernel socket, TCP or AF_UNIX, as the gateway does:
 * both carry urgent bytes, and a read of either stops before one. The kernel socket has
 * SO_OOBINLINE on, the stack's has it off. */

/* Passes the stack's urgent byte on, if it is next; a kernel that has none carries it as any other.
 * False: the socket is full (EAGAIN). Before weir_recv_slices. */
bool weir_urgent_to_fd(struct weir_stack *stack, int sock, int fd);
/* The next byte of the kernel socket is urgent: read it alone, and send it with MSG_OOB. To be
 * asked after EPOLLPRI. */
bool weir_urgent_at_fd(int fd);

#ifdef __cplusplus
}
#endif

#endif
