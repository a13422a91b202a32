/* Descriptors of a node, between node.c, calls.c and ready.c.
 *
 * Knows: what stands behind a descriptor. Shape: a table by number. Units: microseconds.
 * Errors: NULL for a number that is not open. Cost: O(1). */
#ifndef PACKETDRILL_FILE_H
#define PACKETDRILL_FILE_H

#include "packetdrill/node.h"

enum file_kind { FILE_SOCKET, FILE_EPOLL };

struct interest { /* one row of an epoll set */
    struct interest *next;
    int fd;
    struct epoll_event event;
    bool is_new;   /* something happened since it was reported (EPOLLET) */
    bool is_spent; /* EPOLLONESHOT, reported */
};

struct file {
    enum file_kind kind;
    int sock; /* of the stack */
    int family, type;
    bool is_nonblocking;
    bool is_connecting; /* connect was begun and nobody was told of its end */
    int64_t receive_timeout_us, send_timeout_us; /* 0: none */
    struct interest *interests;
};

struct node {
    struct weir_stack *stack;
    int ifindex;
    int64_t now_us;
    struct node_config config;
    struct node_sent *first, **last;
    struct file *files[NODE_FILES];
};

struct file *file_at(struct node *h, int fd);
struct file *socket_at(struct node *h, int fd); /* NULL: no socket */
int file_error(struct node *h, int fd);         /* why there is no socket: -EBADF or -ENOTSOCK */
int file_new(struct node *h, enum file_kind kind);
void file_close(struct node *h, int fd);
void node_settle(struct node *h); /* after each call on the stack: takes what it wants to send */

/* Begins to wait until `us` from now (0: for ever), or says that the time is up. */
bool wait_on(struct node *h, struct node_wait *w, int64_t us);

#endif
