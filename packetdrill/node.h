/* A node: one stack in virtual time: its clock, its wire, and the socket calls of a program on it.
 *
 * Knows: libweir's public interface. Not scripts: the shared library uses it too.
 * Shape: the clock moves only where the caller moves it. A call that would wait says NODE_BLOCKS
 * and is made again, with the same struct node_wait, when something happened. Units: microseconds
 * from the node's birth; bytes. Errors: -errno, Linux's for the same call. Cost: O(1) and the
 * stack's. */
#ifndef PACKETDRILL_NODE_H
#define PACKETDRILL_NODE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <weir/weir.h>

#define NODE_FILES 4096
#define NODE_BLOCKS INT64_MIN

struct node;

struct node_config {
    struct weir_addr local;
    int prefix;
    uint32_t mtu;
    uint64_t seed;
    /* A number for a new descriptor, and the end of its use; NULL: the lowest free one from 3. */
    int (*take_number)(void *ctx);
    void (*drop_number)(void *ctx, int fd);
    void *ctx;
};

struct node *node_new(const struct node_config *config);
void node_free(struct node *h);
struct weir_stack *node_stack(struct node *h);

/* -- time and the wire ------------------------------------------------------------------------- */

int64_t node_now(const struct node *h);
int64_t node_deadline(const struct node *h); /* of the stack's first timer; INT64_MAX: none */
/* Moves the clock to `us` and runs what is due there. Timers due before are due late: go from
 * deadline to deadline. */
void node_move(struct node *h, int64_t us);
void node_inject(struct node *h, const uint8_t *packet, size_t len);

struct node_sent {
    struct node_sent *next;
    int64_t at_us;
    struct weir_why why;
    size_t len;
    uint8_t bytes[]; /* a bare IP packet */
};
/* The oldest packet that the stack sent and nobody took; NULL: none. */
const struct node_sent *node_sent_first(const struct node *h);
void node_sent_drop(struct node *h);

/* -- socket calls ------------------------------------------------------------------------------ */

struct node_wait { /* one call that may wait; zero at first */
    bool has_begun;
    int64_t until_us; /* INT64_MAX: for ever */
    size_t done;
    struct weir_sock_info closing;
};

struct node_io { /* what sendmsg and recvmsg carry */
    const struct iovec *iov;
    int iovs;
    int flags, out_flags;
    struct sockaddr_storage addr; /* to, or from */
    socklen_t addr_len;           /* 0: none */
};

int64_t node_socket(struct node *h, int family, int type, int protocol);
int64_t node_bind(struct node *h, int fd, const struct sockaddr *a, socklen_t len);
int64_t node_listen(struct node *h, int fd, int backlog);
int64_t node_accept(struct node *h, int fd, int flags, struct node_io *peer, struct node_wait *w);
int64_t node_connect(struct node *h, int fd, const struct node_io *peer, struct node_wait *w);
int64_t node_send(struct node *h, int fd, struct node_io *io, struct node_wait *w);
int64_t node_receive(struct node *h, int fd, struct node_io *io, struct node_wait *w);
int64_t node_shutdown(struct node *h, int fd, int how);
int64_t node_close(struct node *h, int fd, struct node_wait *w);
int64_t node_setsockopt(struct node *h, int fd, int level, int name, const struct iovec *value);
int64_t node_getsockopt(struct node *h, int fd, int level, int name, struct iovec *value);
int64_t node_name(struct node *h, int fd, bool is_peer, struct node_io *out);
int64_t node_fcntl(struct node *h, int fd, int cmd, int arg);
int64_t node_ioctl(struct node *h, int fd, unsigned long request, int *value);
int node_socket_of(struct node *h, int fd); /* the stack's number, or -1 */

int64_t node_poll(struct node *h, struct pollfd *fds, int n, int ms, struct node_wait *w);
int64_t node_epoll_create(struct node *h);
int64_t node_epoll_ctl(struct node *h, int ep, int op, int fd, const struct epoll_event *e);
int64_t node_epoll_wait(struct node *h, int ep, struct iovec *events, int ms, struct node_wait *w);

#endif
