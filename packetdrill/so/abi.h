/* The door through which the original packetdrill drives a stack that lies in a shared object:
 * `packetdrill --so_filename=libweir-packetdrill.so`.
 *
 * Knows: the order of the table's slots, which is the interface. Shape: one exported function fills
 * the table; each slot is called with `self` first, and behaves like the system call: -1 and errno.
 * Units: bare IP packets, microseconds. Errors: errno. Cost: none. */
#ifndef PACKETDRILL_SO_ABI_H
#define PACKETDRILL_SO_ABI_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct so_table {
    void *self;
    void (*destroy)(void *self);
    int (*socket)(void *self, int family, int type, int protocol);
    int (*bind)(void *self, int fd, const struct sockaddr *a, socklen_t len);
    int (*listen)(void *self, int fd, int backlog);
    int (*accept)(void *self, int fd, struct sockaddr *a, socklen_t *len);
    int (*connect)(void *self, int fd, const struct sockaddr *a, socklen_t len);
    ssize_t (*read)(void *self, int fd, void *data, size_t n);
    ssize_t (*readv)(void *self, int fd, const struct iovec *iov, int count);
    ssize_t (*recv)(void *self, int fd, void *data, size_t n, int flags);
    ssize_t (*recvfrom)(void *self, int fd, void *data, size_t n, int flags, struct sockaddr *a,
                        socklen_t *len);
    ssize_t (*recvmsg)(void *self, int fd, struct msghdr *m, int flags);
    ssize_t (*write)(void *self, int fd, const void *data, size_t n);
    ssize_t (*writev)(void *self, int fd, const struct iovec *iov, int count);
    ssize_t (*send)(void *self, int fd, const void *data, size_t n, int flags);
    ssize_t (*sendto)(void *self, int fd, const void *data, size_t n, int flags,
                      const struct sockaddr *a, socklen_t len);
    ssize_t (*sendmsg)(void *self, int fd, const struct msghdr *m, int flags);
    int (*fcntl)(void *self, int fd, int cmd, ...);
    int (*ioctl)(void *self, int fd, unsigned long request, ...);
    int (*close)(void *self, int fd);
    int (*shutdown)(void *self, int fd, int how);
    int (*getsockopt)(void *self, int fd, int level, int name, void *value, socklen_t *len);
    int (*setsockopt)(void *self, int fd, int level, int name, const void *value, socklen_t len);
    int (*poll)(void *self, struct pollfd *fds, nfds_t n, int ms);
    int (*packet_in)(void *self, const void *packet, size_t n);
    /* The oldest packet that was sent; *n is the room, then the length, 0 if there is none. */
    int (*packet_out)(void *self, void *packet, size_t *n, long long *sent_us);
    int (*sleep_us)(void *self, useconds_t us);
    int (*now)(void *self, struct timeval *tv, struct timezone *tz);
    int (*epoll_create)(void *self, int size);
    int (*epoll_ctl)(void *self, int ep, int op, int fd, struct epoll_event *e);
    int (*epoll_wait)(void *self, int ep, struct epoll_event *e, int max, int ms);
    int (*pipe)(void *self, int fds[2]);
    int (*splice)(void *self, int in, loff_t *in_at, int out, loff_t *out_at, size_t n,
                  unsigned flags);
};

/* flags: "local=192.168.0.1 mtu=1500 seed=1 net.ipv4.tcp_sack=0", separated by blanks or commas. */
void packetdrill_interface_init(const char *flags, struct so_table *table);

#endif
