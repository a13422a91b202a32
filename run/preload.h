/* The preload door's parts: whose descriptor is this, and how the daemon is asked.
 *
 * Knows: protocol.h. Shape: no table of descriptors; a carrier is known by its name. Units: none.
 * Errors: errno as the wrapped call sets it. */
#ifndef RUN_PRELOAD_H
#define RUN_PRELOAD_H

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "run/names.h"
#include "run/protocol.h"

#define EXPORT __attribute__((visibility("default")))
/* The next definition of a wrapped function: libc's. */
#define REAL(name)                                             \
    ({                                                         \
        static __typeof__(&name) real;                         \
        if (!real)                                             \
            real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        real;                                                  \
    })

enum fd_kind { FD_FOREIGN, FD_STREAM, FD_ACCEPTED, FD_DGRAM };
struct fd_id {
    enum fd_kind kind;
    int family;
    char id[48];
    struct name_accepted ends; /* FD_ACCEPTED */
};

extern const char *preload_daemon; /* NULL: inert */
extern bool preload_has_dgram;     /* a datagram carrier was seen in this process */

/* Leaves errno alone. */
enum fd_kind preload_id(int fd, struct fd_id *out);
bool preload_is_dgram(int fd, struct fd_id *out);
/* One question; the answer's result, or -ENETDOWN. */
int preload_ask(const struct run_ask *ask, struct run_answer *answer);
/* With `wait` (0: for ever) a signal or the time's end gives -EINTR or -EAGAIN. */
int preload_ask_wait(const struct run_ask *ask, struct run_answer *answer,
                     const struct timeval *wait);
/* The same, about this carrier. */
int preload_ask_about(const struct fd_id *id, struct run_ask *ask, struct run_answer *answer);
/* A new carrier: its descriptor, or -1 with errno. */
int preload_carrier(int family, int type, int flags);
int preload_result(int result); /* negative: sets errno, gives -1 */

/* preload_memory.c: 0, or an error as the kernel gives it. */
enum addr_use { ADDR_BIND, ADDR_CONNECT, ADDR_SEND };
int user_read(void *to, const void *from, size_t len);
int user_write(void *to, const void *from, size_t len);
/* family 0: AF_UNSPEC, for connect. */
int addr_from_user(const struct fd_id *id, enum addr_use use, const struct sockaddr *sa,
                   socklen_t len, struct run_addr *out);
int addr_to_user(const struct run_addr *a, int family, struct sockaddr *sa, socklen_t *len);
int bytes_to_user(const void *from, size_t size, void *to, socklen_t *len);

/* preload_connect.c: a new carrier at the same descriptor, connected to nothing. */
int preload_renew(int fd, struct fd_id *id);
bool preload_is_listening(int fd);
/* preload_dgram.c */
void dgram_mark(int fd, bool is_connected);
bool dgram_is_marked(int fd);
ssize_t dgram_send(int fd, const struct fd_id *id, const struct msghdr *m, int flags);
ssize_t dgram_receive(int fd, const struct fd_id *id, struct msghdr *m, int flags);
/* preload_poll.c */
extern bool preload_reads_errors; /* IP_RECVERR was set in this process */
bool dgram_has_error(int fd);     /* first in the carrier is no datagram but the socket's error */
/* preload_cmsg.c: control messages; 0 or -errno. Behind `used` bytes that the kernel wrote. */
int cmsg_received(const struct run_dgram *h, struct msghdr *m, size_t used);
int cmsg_to_send(const struct fd_id *id, const struct msghdr *m, struct run_dgram *out);
/* recvmsg with MSG_ERRQUEUE: as the call. */
ssize_t cmsg_error(int fd, const struct fd_id *id, struct msghdr *m);
/* preload_io.c: end of stream, or what ended it? */
ssize_t stream_end(int fd);
/* What a call on a stream gave, with the errno of TCP. A signal that was kept away is raised. */
ssize_t stream_received(int fd, ssize_t n, size_t len, int flags);
ssize_t stream_sent(int fd, ssize_t n, int flags);

#endif
