/* Asking a daemon from outside: which ones live, one question, its answers.
 *
 * Knows: abstract names, the control connection. Shape: blocking, with patience of some seconds.
 * Units: none. Errors: -ENETDOWN where there is no daemon, -ETIMEDOUT, the daemon's own.
 * Cost: O(AF_UNIX sockets of the host) to find daemons. */
#include "run/run.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "run/names.h"

#define PATIENCE_S 20

/* The daemon of a line of /proc/net/unix, if it names a control socket. */
static bool daemon_of(char *line, char name[RUN_DAEMON_NAME])
{
    char *at = strstr(line, "@" RUN_PREFIX), *end;

    if (!at)
        return false;
    at += 1 + strlen(RUN_PREFIX);
    end = strchr(at, '/');
    if (!end || strncmp(end, "/ctl", 4) != 0 || (end[4] && end[4] != '\n'))
        return false;
    if (end == at || end - at >= RUN_DAEMON_NAME)
        return false;
    memcpy(name, at, (size_t)(end - at));
    name[end - at] = '\0';
    return true;
}

int run_daemons(char name[][RUN_DAEMON_NAME], int max)
{
    FILE *f = fopen("/proc/net/unix", "re");
    char line[512], one[RUN_DAEMON_NAME];
    int n = 0, i;

    while (f && n < max && fgets(line, sizeof line, f)) {
        if (!daemon_of(line, one))
            continue;
        for (i = 0; i < n && strcmp(name[i], one) != 0; i++)
            ;
        if (i == n)
            memcpy(name[n++], one, sizeof one);
    }
    if (f)
        fclose(f);
    return n;
}

static int hear(int fd, const struct run_ask *ask, const struct run_listener *listener,
                struct run_answer *a)
{
    bool is_list = ask->op == RUN_SS || ask->op == RUN_STATS;
    ssize_t n;

    for (;;) {
        memset(a, 0, sizeof *a);
        n = recv(fd, a, sizeof *a - 1, 0); /* the text in it stays terminated */
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -ENETDOWN;
        if (n < (ssize_t)offsetof(struct run_answer, value))
            return -ENETDOWN;
        if (is_list && a->value_len == 0)
            return a->result;
        if (listener && listener->each)
            listener->each(listener->ctx, a);
        if (!is_list)
            return a->result;
    }
}

int run_question(const char *daemon, const struct run_ask *ask, const struct run_listener *listener,
                 struct run_answer *answer)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_un un;
    socklen_t len = name_set(&un, daemon, "ctl");
    struct run_answer own;
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), v = -ENETDOWN;

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(fd, (struct sockaddr *)&un, len) == 0 &&
        send(fd, ask, sizeof *ask, MSG_NOSIGNAL) == (ssize_t)sizeof *ask)
        v = hear(fd, ask, listener, answer ? answer : &own);
    close(fd);
    return v;
}
