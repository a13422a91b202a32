/* The host's sockets: addresses there and back, and descriptors that never block.
 *
 * Knows: struct sockaddr and weir's. Not who uses the sockets.
 * Shape: an IPv4 address is an AF_INET one on the host, v4-mapped here.
 * Units: none. Errors: -errno. Cost: system calls. */
#ifndef DRIVERS_HOST_H
#define DRIVERS_HOST_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <weir/addr.h>

union host_addr {
    struct sockaddr any;
    struct sockaddr_storage room;
};

socklen_t host_addr_from(union host_addr *out, const struct weir_sockaddr *in);
void host_addr_to(struct weir_sockaddr *out, const union host_addr *in);

/* A socket of the address's family; or -errno. */
int host_socket(const struct weir_addr *addr, int type);
/* A socket that is connected, or connecting, to `to`. It leaves from `from` if the host has that
 * address and the port is free, so that both ends of a connection show the same four numbers. */
int host_connect(const struct weir_sockaddr *from, const struct weir_sockaddr *to, int type);
/* A socket bound to *at; the port that was chosen is written back. Listens if it is a stream. */
int host_listen(struct weir_sockaddr *at, int type, bool is_v6only);

void host_set(int fd, int level, int option, int value);
int host_error(int fd);           /* takes SO_ERROR */
void host_reset(int fd);          /* closes a stream with RST */
bool host_is_shortage(int error); /* of descriptors or memory: may pass */

/* host_dgram.c: what is said of a datagram. Received: -1, the host did not tell. To be sent: 0 and
 * -1 are the host's choice, as an unspecified address is. */
struct host_about {
    struct weir_addr ours; /* that it was sent to, or is to be sent from */
    int ttl, tos;          /* TTL or hop limit, TOS or traffic class */
};
/* Both are told from now on: what datagrams bear, and which errors came of them. */
void host_tell_about(int fd);
void host_tell_errors(int fd);
ssize_t host_recv_datagram(int fd, void *data, size_t size, struct weir_sockaddr *peer,
                           struct host_about *about);
ssize_t host_send_datagram(int fd, const struct iovec *data, const struct weir_sockaddr *peer,
                           const struct host_about *about);
ssize_t host_send_connected(int fd, const struct iovec *data, const struct host_about *about,
                            bool is_v4);

/* An ICMP error, or the host's own word that a datagram is too big, as the ICMP error for it. */
struct host_icmp {
    int error;
    uint8_t type, code;
    uint32_t mtu;            /* 0: it is not about that */
    struct weir_addr by;     /* who says so; unspecified: the host */
    struct weir_sockaddr to; /* where the datagram went */
};
/* The oldest, and what came back of the datagram's payload: bytes, or -EAGAIN. */
ssize_t host_recv_error(int fd, void *data, size_t size, struct host_icmp *out);

#endif
