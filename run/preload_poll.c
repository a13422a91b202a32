/* poll() for programs that read the error queue: an error that waits in a datagram carrier is
 * POLLERR there, as of a UDP socket, not something to read.
 *
 * Knows: that a message which only tells an error has an errno in its header. Shape: the kernel
 * polls, then what it called readable is looked at. Only once IP_RECVERR was set: others read, and
 * get the error. epoll_wait is the kernel's own (it does not say which descriptor it means).
 * Units: as libc. Errors: errno. Cost: one test of a flag, else a system call for each datagram
 * carrier that is readable. */
#include "run/door.h"

#include <poll.h>
#include <time.h>

static int with_errors(struct pollfd *p, nfds_t n, int found)
{
    struct fd_id id;
    int saved = errno;

    for (nfds_t i = 0; door_reads_errors && found > 0 && i < n; i++) {
        if (!(p[i].revents & POLLIN) || !door_is_dgram(p[i].fd, &id) || !dgram_has_error(p[i].fd))
            continue;
        p[i].revents = (short)((p[i].revents & ~(POLLIN | POLLRDNORM)) | POLLERR);
    }
    errno = saved;
    return found;
}

EXPORT int poll(struct pollfd *p, nfds_t n, int timeout)
{
    return with_errors(p, n, REAL(poll)(p, n, timeout));
}

EXPORT int ppoll(struct pollfd *p, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
    return with_errors(p, n, REAL(ppoll)(p, n, timeout, mask));
}

/* -- _FORTIFY_SOURCE --------------------------------------------------------------------------- */

int __poll_chk(struct pollfd *p, nfds_t n, int timeout, size_t room);
int __ppoll_chk(struct pollfd *p, nfds_t n, const struct timespec *timeout, const sigset_t *mask,
                size_t room);

EXPORT int __poll_chk(struct pollfd *p, nfds_t n, int timeout, size_t room)
{
    return with_errors(p, n, REAL(__poll_chk)(p, n, timeout, room));
}

EXPORT int __ppoll_chk(struct pollfd *p, nfds_t n, const struct timespec *timeout,
                       const sigset_t *mask, size_t room)
{
    return with_errors(p, n, REAL(__ppoll_chk)(p, n, timeout, mask, room));
}
