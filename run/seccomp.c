/* The seccomp door's process, the doorman: hears of each call, answers it, and is with the program
 * to its end.
 *
 * Knows: the order of a round. Shape: one thread beside the program, in its network namespace; what
 * would block waits in seccomp_wait.c. It holds nothing that a socket needs to live on: identity is
 * the carrier's name, as with the other door. Units: none. Errors: an exit status; a program whose
 * doorman is gone gets ENOSYS. Cost: two switches of process for each call, and what door.h says.
 */
#include "run/seccomp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, uint64_t)
#endif

/* What the kernel writes may be longer than this header knows. */
static struct seccomp_notif *make_room(size_t *size)
{
    struct seccomp_notif_sizes sizes;

    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        return NULL;
    *size = sizes.seccomp_notif > sizeof(struct seccomp_notif) ? sizes.seccomp_notif
                                                               : sizeof(struct seccomp_notif);
    return malloc(*size);
}

static void take(int listener, struct seccomp_notif *n, size_t size)
{
    struct call c;
    long v;

    memset(n, 0, size);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, n) < 0)
        return; /* ENOENT: a signal was quicker */
    c = (struct call){.id = n->id, .thread = (pid_t)n->pid, .number = n->data.nr, .fd = -EBADF};
    memcpy(c.args, n->data.args, sizeof c.args);
    waits_forget(c.thread);
    if (c.number != SYS_socket)
        c.fd = target_fd(c.thread, (int)c.args[0]);
    if (target_waits(c.id)) {
        target_is(&c);
        door_asker = c.thread;
        v = call_take(&c);
        if (v == DOOR_LATER)
            return;
        if (v != CALL_ANSWERED && !target_answer(&c, v))
            call_unheard(&c, v);
    }
    if (c.fd >= 0)
        close(c.fd);
}

static int serve(int listener)
{
    static struct pollfd p[1 + WAITS_MAX];
    size_t size;
    struct seccomp_notif *n = make_room(&size);
    nfds_t waiting;

    if (!n)
        return 1;
    for (;;) {
        p[0] = (struct pollfd){.fd = listener, .events = POLLIN};
        waiting = waits_poll(p + 1);
        if (poll(p, 1 + waiting, lost_timeout(waits_timeout())) < 0 && errno != EINTR)
            break;
        waits_round(p + 1, waiting);
        if (p[0].revents & POLLIN)
            take(listener, n, size);
        else if (p[0].revents & (POLLHUP | POLLERR))
            break;
    }
    free(n);
    return 0;
}

/* The listener is taken out of the program's process, where its number says it is. */
static int fetch(int program, pid_t pid)
{
    int number, listener;
    char ok = 1;

    if (read(program, &number, sizeof number) != (ssize_t)sizeof number || number < 0)
        return -1;
    listener = target_fd(pid, number);
    if (listener < 0)
        fprintf(stderr,
                "weir: no seccomp door: the program's descriptors can not be reached (%s); a "
                "container needs CAP_SYS_PTRACE for it\n",
                strerror(-listener));
    else if (write(program, &ok, 1) != 1)
        return -1;
    close(program);
    return listener;
}

static void stand_apart(void)
{
    struct rlimit files;

    signal(SIGINT, SIG_IGN); /* they are for the program; we end after it */
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_NAME, "weir-door");
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int seccomp_main(const char *daemon, const struct netns *n, int program, pid_t pid)
{
    uint64_t flags = SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP;
    int listener;

    stand_apart();
    if (netns_join(n) < 0 || (listener = fetch(program, pid)) < 0)
        return 1;
    close(n->maker); /* it ends when nobody could ask any more */
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, &flags); /* Linux 6.6: quicker */
    door_daemon = daemon;
    door_dgram_kind = 'b';
    target_open(listener);
    return serve(listener);
}
