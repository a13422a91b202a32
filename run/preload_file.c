/* Calls that take a socket for a file: sendfile, splice, ioctl.
 *
 * Knows: what they say of a carrier otherwise than of a TCP socket. Shape: the kernel does them;
 * only an error is looked at, and the question how much was not acknowledged yet. Units: bytes.
 * Errors: errno; where the kernel raised SIGPIPE for them it stays raised. Cost: nothing but
 * there. */
#undef _FILE_OFFSET_BITS /* sendfile and sendfile64 are two names here */
#include "run/door.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>

#include <linux/sockios.h>

/* The kernel has raised SIGPIPE for EPIPE, and for ENOTCONN it has not. */
static ssize_t file_sent(int fd, ssize_t n)
{
    if (n >= 0 || (errno != EPIPE && errno != ENOTCONN))
        return n;
    return stream_sent(fd, n, errno == EPIPE ? MSG_NOSIGNAL : 0);
}

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    return file_sent(out, REAL(sendfile)(out, in, offset, count));
}

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
    return file_sent(out, REAL(sendfile64)(out, in, offset, count));
}

EXPORT ssize_t splice(int in, off64_t *in_at, int out, off64_t *out_at, size_t len, unsigned flags)
{
    struct fd_id id;
    ssize_t n = REAL(splice)(in, in_at, out, out_at, len, flags);

    if (n > 0 || !door_daemon || !len)
        return n;
    if (door_id(in, &id) == FD_STREAM || id.kind == FD_ACCEPTED)
        return stream_received(in, n, len, 0);
    return file_sent(out, n);
}

/* What the peer has not acknowledged: in the carrier, which the daemon empties first, and in the
 * stack. */
static int unacknowledged(const struct fd_id *id, unsigned long request, int *answer_to)
{
    struct run_ask ask = {.op = RUN_OUTQ, .number = request == SIOCOUTQNSD};
    struct run_answer answer;
    int v = door_ask_about(id, &ask, &answer);

    if (v >= 0)
        *answer_to = v;
    return door_result(v < 0 ? v : 0);
}

EXPORT int ioctl(int fd, unsigned long request, ...)
{
    struct fd_id id;
    va_list list;
    void *argument;

    va_start(list, request);
    argument = va_arg(list, void *);
    va_end(list);
    if ((request != SIOCOUTQ && request != SIOCOUTQNSD) || door_id(fd, &id) == FD_FOREIGN ||
        id.kind == FD_DGRAM)
        return REAL(ioctl)(fd, request, argument);
    return unacknowledged(&id, request, argument);
}
