/* The preload door: it begins, and what the kernel does otherwise within the program.
 *
 * Knows: the environment. Shape: door.h; inert in set-id programs and without WEIR_DAEMON. Units:
 * as libc. Errors: as door.h. Cost: a look at the descriptors that came over exec, once. */
#include "run/door.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

__attribute__((constructor)) static void begin(void)
{
    static char own[32]; /* programs that set their title write over the environment */
    const char *daemon = getenv(RUN_ENV);
    struct fd_id id;

    if (getauxval(AT_SECURE) || !daemon || strlen(daemon) >= sizeof own)
        return;
    door_daemon = strcpy(own, daemon);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* the daemon may ask for a descriptor */
    for (int fd = 0; fd < 64 && !door_has_dgram; fd++)  /* inherited over exec */
        door_has_dgram = door_id(fd, &id) == FD_DGRAM;
}

EXPORT int accept(int fd, struct sockaddr *sa, socklen_t *len)
{
    return accept4(fd, sa, len, 0);
}

void door_replace(int fd, int with)
{
    dup3(with, fd, fcntl(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0);
}

int door_wait(int fd, const struct fd_id *id, struct run_ask *ask, const struct timeval *wait)
{
    struct run_answer answer;
    int v = door_ask_wait(ask, &answer, wait);

    return v == -EINTR || v == -EAGAIN ? connect_wait_no_more(fd, id, ask, v) : v;
}
