/* close(): a listener or a datagram socket that is gone is told of, for its carrier tells nobody.
 *
 * Knows: which carriers are connected to nothing. Shape: the daemon looks whether that was the last
 * descriptor; other ways to close (exit, dup2, close_range) it finds out by itself a little later.
 * Units: none. Errors: the kernel's. Cost: one system call more; an exchange for those two. */
#include "run/door.h"

#include <unistd.h>

static int (*real_close)(int fd);

/* Before it is needed: after vfork() and in signal handlers the linker may not be asked. */
__attribute__((constructor)) static void begin(void)
{
    real_close = REAL(close);
}

static bool is_untold(int fd, struct fd_id *id)
{
    int is_listening = 0, saved = errno;
    socklen_t len = sizeof is_listening;
    bool is_asked = REAL(getsockopt)(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) == 0;

    errno = saved;
    if (!is_asked)
        return false; /* no socket */
    if (is_listening)
        return door_id(fd, id) == FD_STREAM;
    return door_is_dgram(fd, id);
}

EXPORT int close(int fd)
{
    struct run_ask ask = {.op = RUN_CLOSED};
    struct run_answer answer;
    struct fd_id id;
    bool tells;
    int v;

    if (!real_close)
        begin();
    tells = door_daemon && is_untold(fd, &id);
    v = real_close(fd);
    if (tells && v == 0) {
        memcpy(ask.id, id.id, sizeof ask.id);
        (void)door_ask(&ask, &answer);
    }
    return v;
}
