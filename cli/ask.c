/* Asking running daemons.
 *
 * Knows: protocol.h. Shape: a daemon is found by its abstract control name. Units: none.
 * Errors: -errno. Cost: one connection for each question. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
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

/* -- which one -----------------------------------------------------------------------------------
 */

/* WEIR_DAEMON in the environment of a process. */
static bool daemon_of_process(long pid, char name[12])
{
    char path[64], word[4096];
    FILE *f;
    bool is_found = false;
    size_t n = 0;
    int c;

    snprintf(path, sizeof path, "/proc/%ld/environ", pid);
    f = fopen(path, "re");
    while (f && !is_found && (c = fgetc(f)) != EOF) {
        if (c && n < sizeof word - 1) {
            word[n++] = (char)c;
            continue;
        }
        word[n] = '\0';
        n = 0;
        is_found = sscanf(word, RUN_ENV "=%8[0-9a-f]", name) == 1;
    }
    if (f)
        fclose(f);
    return is_found;
}

/* The process, or for `weir run` itself (and what runs it) the program that it started. */
static bool daemon_of(long pid, int depth, char name[12])
{
    char path[64];
    long child;
    FILE *f;
    bool is_found = daemon_of_process(pid, name);

    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", pid, pid);
    f = is_found || !depth ? NULL : fopen(path, "re");
    while (f && !is_found && fscanf(f, "%ld", &child) == 1)
        is_found = daemon_of(child, depth - 1, name);
    if (f)
        fclose(f);
    return is_found;
}

int daemons_chosen(char (*names)[12], int max, const char *run)
{
    char name[12] = "", *end;
    long pid = run ? strtol(run, &end, 10) : 0;
    int n = daemons_find(names, max);

    if (n == 0)
        fputs("weir: no stack is running; start one: weir run -- curl http://example.com/\n",
              stderr);
    if (n == 0 || !run)
        return n;
    if (pid > 0 && !*end)
        (void)daemon_of(pid, 4, name);
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], run) == 0 || strcmp(names[i], name) == 0) {
            memmove(names[0], names[i], sizeof names[0]);
            return 1;
        }
    fprintf(stderr, "weir: no stack runs under '%s'; there are:", run);
    for (int i = 0; i < n; i++)
        fprintf(stderr, " %s", names[i]);
    fputs(" (or say the process: --run PID)\n", stderr);
    return -1;
}

/* -- options ----------------------------------------------------------------------------------- */

int option_mistake(const char *verb, const char *word, const char *const *words)
{
    if (optopt && optopt <= UCHAR_MAX)
        fprintf(stderr, "weir: unknown option '-%c': see weir %s --help\n", optopt, verb);
    else if (optopt)
        fprintf(stderr, "weir: option '%s' wants a run: its name or a process (weir %s --help)\n",
                word, verb);
    else
        fprintf(stderr, "weir: unknown option '%s': did you mean '%s'? (weir %s --help)\n", word,
                nearest_word(word, words), verb);
    return 2;
}

/* -- a question ----------------------------------------------------------------------------------
 */

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
    if (a.result == -EPERM)
        fprintf(stderr, "weir: the stack %s is another user's; ask with sudo\n", daemon);
    return a.result;
}
