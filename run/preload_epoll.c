/* epoll for programs that read the error queue: an error that waits in a datagram carrier is
 * EPOLLERR there, as of a UDP socket.
 *
 * Knows: that a message which only tells an error has an errno in its header; what Linux says of an
 * epoll in /proc/self/fdinfo. Shape: an event says what the program wanted to be told, not which
 * descriptor it is of, so the kernel is asked, and only once IP_RECVERR was set and something is
 * readable. There is no table here that could be wrong. Units: as libc. Errors: errno; without
 * /proc events stay as they are. Cost: one test of a flag, else O(descriptors watched). */
#include "run/door.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define CHUNK 4096

struct watched {
    int fd;
    uint32_t events;
    uint64_t data;
};

/* "tfd:        5 events:       1d data: 5000000000000007  pos:0 ino:..." */
static bool read_line(const char *line, struct watched *w)
{
    return sscanf(line, "tfd: %d events: %x data: %lx", &w->fd, &w->events, &w->data) == 3;
}

/* Who waits for an edge will not be told again of what lies behind the error: it keeps both. */
static void mark(const struct watched *w, struct epoll_event *e, int n)
{
    struct fd_id id;

    for (int i = 0; i < n; i++) {
        if (e[i].data.u64 != w->data || !(e[i].events & EPOLLIN))
            continue;
        if (!door_is_dgram(w->fd, &id) || !dgram_has_error(w->fd))
            return;
        e[i].events |= EPOLLERR;
        if (!(w->events & EPOLLET))
            e[i].events &= ~(uint32_t)(EPOLLIN | EPOLLRDNORM);
    }
}

/* Marks what the whole lines of `text` are about; the bytes that they are. */
static size_t take_lines(char *text, struct epoll_event *e, int n)
{
    char *line = text, *end;
    struct watched w;

    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (read_line(line, &w))
            mark(&w, e, n);
    }
    return (size_t)(line - text);
}

static void mark_errors(int epoll, struct epoll_event *e, int n)
{
    char path[64], text[CHUNK + 1];
    size_t have = 0, taken;
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", epoll);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    while ((got = REAL(read)(fd, text + have, CHUNK - have)) > 0) {
        have += (size_t)got;
        text[have] = '\0';
        taken = take_lines(text, e, n);
        have -= taken;
        memmove(text, text + taken, have);
    }
    REAL(close)(fd);
}

static int with_errors(int epoll, struct epoll_event *e, int n)
{
    int saved = errno;

    for (int i = 0; door_reads_errors && i < n; i++) {
        if (!(e[i].events & EPOLLIN))
            continue;
        mark_errors(epoll, e, n);
        break;
    }
    errno = saved;
    return n;
}

EXPORT int epoll_wait(int epoll, struct epoll_event *e, int max, int timeout)
{
    return with_errors(epoll, e, REAL(epoll_wait)(epoll, e, max, timeout));
}

EXPORT int epoll_pwait(int epoll, struct epoll_event *e, int max, int timeout, const sigset_t *mask)
{
    return with_errors(epoll, e, REAL(epoll_pwait)(epoll, e, max, timeout, mask));
}

EXPORT int epoll_pwait2(int epoll, struct epoll_event *e, int max, const struct timespec *timeout,
                        const sigset_t *mask)
{
    return with_errors(epoll, e, REAL(epoll_pwait2)(epoll, e, max, timeout, mask));
}
