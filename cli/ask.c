/* Asking running daemons.
 *
 * Knows: protocol.h. Shape: a daemon is found by its abstract control name. Units: none.
 * Errors: -errno. Cost: one connection for each question. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/cli.h"
#include "run/run.h"

int daemons_find(char (*names)[12], int max)
{
    char line[512], *at;
    FILE *f = fopen("/proc/net/unix", "re");
    int n = 0;

    while (f && n < max && fgets(line, sizeof line, f)) {
        unsigned id;
        at = strstr(line, "@" RUN_PREFIX);
        if (!at || sscanf(at, "@" RUN_PREFIX "%8x/ctl", &id) != 1 || !strstr(at, "/ctl"))
            continue;
        snprintf(names[n], sizeof names[n], "%08x", id);
        if (n == 0 || strcmp(names[n], names[n - 1]) != 0)
            n++;
    }
    if (f)
        fclose(f);
    return n;
}

int daemon_ask(const char *daemon, const struct run_ask *ask,
               void (*each)(const struct run_answer *answer, void *arg), void *arg)
{
    struct run_answer a = {.result = -ENETDOWN};
    struct sockaddr_un un;
    socklen_t len = name_set(&un, daemon, "ctl");
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    ssize_t n;

    if (fd < 0 || connect(fd, (struct sockaddr *)&un, len) < 0 ||
        send(fd, ask, sizeof *ask, MSG_NOSIGNAL) < 0)
        goto out;
    while ((n = recv(fd, &a, sizeof a - 1, 0)) >= (ssize_t)offsetof(struct run_answer, value)) {
        a.value[a.value_len < sizeof a.value ? a.value_len : sizeof a.value - 1] = '\0';
        if (each)
            each(&a, arg);
        if (a.result != 1 || a.value_len == 0)
            break;
    }
out:
    if (fd >= 0)
        close(fd);
    return a.result;
}
