/* The seccomp door: socket calls of programs that load no library, caught by the kernel and
 * answered from a process beside them.
 *
 * Knows: seccomp user notification. Shape: door*.c say what a call means (door.h: how two doors are
 * made of them); here is how it is heard of, and how its answer gets there. Units: -errno. Errors:
 * exit statuses where the program can not be started. */
#ifndef RUN_SECCOMP_H
#define RUN_SECCOMP_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/seccomp.h>

#include "run/door.h"
#include "run/netns.h"

/* seccomp_filter.c: in the program's process, before exec. `doorman` leads to seccomp_main.
 * 0, or an exit status. */
int seccomp_enter(int doorman);
/* seccomp.c: the doorman's process; ends with the last process behind the filter. */
int seccomp_main(const char *daemon, const struct netns *n, int program, pid_t pid);

/* The call that is being answered. */
struct call {
    uint64_t id; /* of the notification */
    pid_t thread;
    int number;
    uint64_t args[6];
    int fd; /* a copy of the program's descriptor args[0], or -errno */
};

/* What a call comes to beside a result or -errno. */
#define CALL_CONTINUE (-4096L) /* the kernel does it */
#define CALL_ANSWERED (-4097L)

/* seccomp_target.c: what of a call's process is reached from here. One call at a time. */
void target_open(int listener);
void target_is(const struct call *c);
const struct call *target_call(void);
int target_fd(pid_t thread, int fd);                   /* a copy, or -errno */
bool target_waits(uint64_t id);                        /* the call still waits for its answer */
bool target_answer(const struct call *c, long result); /* false: the caller is gone */
/* The program gets `fd` as a new descriptor, and that as its answer; ours is closed. CALL_ANSWERED,
 * or -errno: it did not get it, and ours is open. */
long target_give(const struct call *c, int fd, int flags);

/* seccomp_calls.c: a result, -errno, or one of the above; DOOR_LATER: seccomp_wait.c has it. */
long call_take(const struct call *c);
/* Its answer came too late. */
void call_unheard(const struct call *c, long result);
/* Of what waited: there is something to read. */
long call_ready(const struct call *c);

/* seccomp_dgram.c: the same; DOOR_LATER: nothing is there */
long call_sendto(const struct call *c, const struct fd_id *id);
long call_recvfrom(const struct call *c, const struct fd_id *id);

/* seccomp_lost.c: what a call came to whose caller was gone by then: a result, a descriptor or -1
 */
void lost_keep(const struct fd_id *id, int number, long result, int fd);
bool lost_find(const struct fd_id *id, int number, long *result, int *fd);
bool lost_waits(const struct fd_id *id); /* a descriptor is there */
int lost_timeout(int other);             /* for poll: ms */

/* seccomp_wait.c: calls that wait. Each has a copy of its descriptor. */
#define WAITS_MAX 4096
/* Until something is there, or SO_RCVTIMEO is over; the copy is the list's from now on. */
long wait_readable(const struct call *c);
nfds_t waits_poll(struct pollfd *p);                /* what they wait for */
void waits_round(const struct pollfd *p, nfds_t n); /* what came of it */
int waits_timeout(void);                            /* for poll: ms, -1 */
void waits_forget(pid_t thread);                    /* it is in another call now */

#endif
