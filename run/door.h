/* What both doors share: whose descriptor is this, what each socket call means, how the daemon is
 * asked.
 *
 * Knows: protocol.h. Shape: door*.c are built twice. In the preload library DOOR(bind) is bind, and
 * works on the program's own memory and descriptors; in the seccomp door it is door_bind, works on
 * a copy of the program's descriptor (the same open file), and on the program's memory from
 * outside. What differs is behind the hooks at the end. No table of descriptors: a carrier is known
 * by its name. Units: none. Errors: errno as the call sets it. */
#ifndef RUN_DOOR_H
#define RUN_DOOR_H

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

#ifdef DOOR_IN_PROGRAM
#define EXPORT __attribute__((visibility("default")))
#define DOOR(name) name
/* The next definition of a wrapped function: libc's. */
#define REAL(name)                                             \
    ({                                                         \
        static __typeof__(&name) real;                         \
        if (!real)                                             \
            real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
        real;                                                  \
    })
#else
#define EXPORT
#define DOOR(name) door_##name
#define REAL(name) name
int door_socket(int domain, int type, int protocol);
int door_bind(int fd, const struct sockaddr *sa, socklen_t len);
int door_listen(int fd, int backlog);
int door_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
int door_connect(int fd, const struct sockaddr *sa, socklen_t len);
int door_shutdown(int fd, int how);
int door_getsockname(int fd, struct sockaddr *sa, socklen_t *len);
int door_getpeername(int fd, struct sockaddr *sa, socklen_t *len);
int door_setsockopt(int fd, int level, int name, const void *value, socklen_t len);
int door_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
#endif

enum fd_kind { FD_FOREIGN, FD_STREAM, FD_ACCEPTED, FD_DGRAM };
struct fd_id {
    enum fd_kind kind;
    int family;
    char id[48];
    struct name_accepted ends; /* FD_ACCEPTED */
};

extern const char *door_daemon; /* NULL: inert */
extern bool door_has_dgram;     /* a datagram carrier was seen in this process */
extern char door_dgram_kind;    /* 'd', or 'b': see protocol.h */

/* Whose call it is, where that is not who asks the daemon. */
extern int32_t door_asker;

/* A socket of this kind is carried; -errno: it is refused. */
int door_takes(int domain, int type, int protocol);
/* Leaves errno alone. */
enum fd_kind door_id(int fd, struct fd_id *out);
bool door_is_dgram(int fd, struct fd_id *out);
/* One question; the answer's result, or -ENETDOWN. In two steps: the descriptor at which the answer
 * will be, or -errno; then the answer. */
int door_ask_begin(const struct run_ask *ask);
int door_hear(int fd, struct run_answer *answer, const struct timeval *wait);
int door_ask(const struct run_ask *ask, struct run_answer *answer);
/* With `wait` (0: for ever) a signal or the time's end gives -EINTR or -EAGAIN. */
int door_ask_wait(const struct run_ask *ask, struct run_answer *answer, const struct timeval *wait);
/* The same, about this carrier. */
int door_ask_about(const struct fd_id *id, struct run_ask *ask, struct run_answer *answer);
/* A new carrier: its descriptor, or -1 with errno. */
int door_carrier(int family, int type, int flags);
int door_result(int result); /* negative: sets errno, gives -1 */

/* door_memory.c: 0, or an error as the kernel gives it. */
enum addr_use { ADDR_BIND, ADDR_CONNECT, ADDR_SEND };
/* family 0: AF_UNSPEC, for connect. */
int addr_from_user(const struct fd_id *id, enum addr_use use, const struct sockaddr *sa,
                   socklen_t len, struct run_addr *out);
int addr_to_user(const struct run_addr *a, int family, struct sockaddr *sa, socklen_t *len);
int bytes_to_user(const void *from, size_t size, void *to, socklen_t *len);

/* door_connect.c: a new carrier at the same descriptor, connected to nothing. */
int door_renew(int fd, struct fd_id *id);
bool door_is_listening(int fd);
/* What a connect came to: one that failed leaves the socket as if it never tried. */
int connect_over(int fd, struct fd_id *id, int v);
/* -EINTR or -EAGAIN ended the wait: what connect gives. */
int connect_wait_no_more(int fd, const struct fd_id *id, struct run_ask *ask, int why);
/* door_opts.c: an option of the carrier itself, which the kernel answers */
bool opts_is_native(int level, int name);
/* door_dgram.c */
extern bool door_reads_errors; /* IP_RECVERR was set in this process */
bool dgram_has_error(int fd);  /* first in the carrier is no datagram but the socket's error */
void dgram_mark(int fd, bool is_connected);
bool dgram_is_marked(int fd);
ssize_t dgram_send(int fd, const struct fd_id *id, const struct msghdr *m, int flags);
ssize_t dgram_receive(int fd, const struct fd_id *id, struct msghdr *m, int flags);
/* door_cmsg.c: control messages; 0 or -errno. Behind `used` bytes that the kernel wrote. */
int cmsg_received(const struct run_dgram *h, struct msghdr *m, size_t used);
int cmsg_to_send(const struct fd_id *id, const struct msghdr *m, struct run_dgram *out);
/* recvmsg with MSG_ERRQUEUE: as the call. */
ssize_t cmsg_error(int fd, const struct fd_id *id, struct msghdr *m);
/* preload_io.c: end of stream, or what ended it? */
ssize_t stream_end(int fd);
/* What a call on a stream gave, with the errno of TCP. A signal that was kept away is raised. */
ssize_t stream_received(int fd, ssize_t n, size_t len, int flags);
ssize_t stream_sent(int fd, ssize_t n, int flags);

/* -- hooks: each door has its own. preload_memory.c, seccomp_target.c -------------------------- */

int user_read(void *to, const void *from, size_t len);
int user_write(void *to, const void *from, size_t len);
/* Another open file at the program's descriptor `fd`. */
void door_replace(int fd, int with);
/* RUN_CONNECT that waits: what connect gives, or DOOR_LATER, and connect_over is called then. */
#define DOOR_LATER (-4095)
int door_wait(int fd, const struct fd_id *id, struct run_ask *ask, const struct timeval *wait);

#endif
