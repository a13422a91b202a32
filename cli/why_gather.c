/* What `weir why` was asked about: daemons are asked, descriptors looked up in /proc.
 *
 * Knows: daemons, /proc. Not words. Shape: all daemons are asked, or the one that was named; what
 * was not asked for is left out. Units: as the daemon gives them. Errors: exit statuses.
 * Cost: one question for each daemon, one look at the descriptors of each process. */
#include <dirent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/why.h"

struct gathering {
    const struct why_ask *ask;
    struct why_view *v;
    const char *daemon;
    uint32_t inode; /* of the descriptor that was asked for, 0: none */
};

/* Room for one more of `size` bytes; NULL: no memory. */
static void *more(void **array, int *count, int *room, size_t size)
{
    if (*count == *room) {
        int wanted = *room ? 2 * *room : 64;
        void *moved = realloc(*array, (size_t)wanted * size);
        if (!moved)
            return NULL;
        *array = moved;
        *room = wanted;
    }
    return (char *)*array + (size_t)(*count)++ * size;
}

static bool is_asked(const struct gathering *g, const struct ss_sock *s)
{
    const struct weir_sock_info *i = &s->e.info;
    const struct why_ask *a = g->ask;

    if (a->fd >= 0)
        return g->inode && s->e.inode == g->inode;
    if (a->has_addr && !weir_addr_equal(&a->addr, &i->local.addr) &&
        !weir_addr_equal(&a->addr, &i->peer.addr))
        return false;
    return !a->port || i->local.port == a->port || i->peer.port == a->port;
}

static void add_past(struct gathering *g, const char *lines)
{
    for (const char *at = lines; at && *at; at = strchr(at, '\n'), at += at != NULL) {
        struct past p;
        struct why_past *place;
        if (!past_read(&p, at))
            continue;
        place = more((void **)&g->v->past, &g->v->pasts, &g->v->past_room, sizeof *place);
        if (place)
            *place = (struct why_past){p, g->daemon};
    }
}

static void gather(const struct run_answer *a, void *arg)
{
    struct gathering *g = arg;
    struct ss_sock s = {.daemon = g->daemon};
    struct why_sock *place;
    char text[sizeof a->value];

    if (a->value_len == 0 || a->value_len >= sizeof text)
        return;
    memcpy(text, a->value, a->value_len);
    text[a->value_len] = '\0';
    if (strncmp(text, "past\n", 5) == 0) {
        add_past(g, text + 5);
        return;
    }
    if (!ss_read_line(text, &s) || !is_asked(g, &s))
        return;
    place = more((void **)&g->v->sock, &g->v->socks, &g->v->sock_room, sizeof *place);
    if (place)
        *place = (struct why_sock){.s = s, .fd = -1};
}

/* -- descriptors ------------------------------------------------------------------------------- */

static uint32_t inode_of(int pid, const char *fd)
{
    char path[300], link[64];
    unsigned inode = 0;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/%d/fd/%s", pid, fd);
    n = readlink(path, link, sizeof link - 1);
    if (n <= 0)
        return 0;
    link[n] = '\0';
    return sscanf(link, "socket:[%u]", &inode) == 1 ? inode : 0;
}

/* The descriptors of one process, given to the sockets whose ends they are. */
static void look_at_process(struct why_view *v, int pid)
{
    char path[32];
    struct dirent *e;
    DIR *dir;

    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    dir = opendir(path);
    while (dir && (e = readdir(dir))) {
        uint32_t inode = inode_of(pid, e->d_name);
        for (int i = 0; inode && i < v->socks; i++) {
            struct why_sock *w = &v->sock[i];
            if (w->s.e.inode != inode)
                continue;
            w->holders++;
            if (w->fd < 0 || w->s.e.pid != pid) {
                w->fd = atoi(e->d_name);
                w->s.e.pid = pid;
            }
        }
    }
    if (dir)
        closedir(dir);
}

static bool was_seen(const struct why_view *v, int i)
{
    for (int k = 0; k < i; k++)
        if (v->sock[k].s.e.pid == v->sock[i].s.e.pid)
            return true;
    return false;
}

/* Who opened it has it mostly; else one of its children, so all processes are looked at. */
static void find_descriptors(struct why_view *v)
{
    bool is_missing = false;
    struct dirent *e;
    DIR *proc;

    for (int i = 0; i < v->socks; i++)
        if (v->sock[i].s.e.pid && !was_seen(v, i))
            look_at_process(v, v->sock[i].s.e.pid);
    for (int i = 0; i < v->socks; i++)
        is_missing |= v->sock[i].s.e.inode && v->sock[i].fd < 0;
    proc = is_missing ? opendir("/proc") : NULL;
    while (proc && (e = readdir(proc)))
        if (atoi(e->d_name) > 0)
            look_at_process(v, atoi(e->d_name));
    if (proc)
        closedir(proc);
}

static void name_processes(struct why_view *v)
{
    for (int i = 0; i < v->socks; i++)
        ss_look_up_process(&v->sock[i].s);
}

/* -- the ports --------------------------------------------------------------------------------- */

static void take_range(const struct run_answer *a, void *arg)
{
    struct why_view *v = arg;

    if (a->result >= 0)
        (void)!sscanf((const char *)a->value, "%d %d", &v->port_first, &v->port_last);
}

static void ask_range(const char *daemon, struct why_view *v)
{
    struct run_ask ask = {.op = RUN_KNOB_GET};

    snprintf((char *)ask.value, sizeof ask.value, "net.ipv4.ip_local_port_range");
    daemon_ask(daemon, &ask, take_range, v);
}

/* Does the kernel's own TCP listen there? */
static bool host_listens(int port)
{
    static const char *const files[] = {"/proc/net/tcp", "/proc/net/tcp6"};
    char line[256];
    bool is_there = false;

    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(files[i], "re");
        while (f && fgets(line, sizeof line, f)) {
            unsigned at, state;
            if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%*x %x", &at, &state) == 2)
                is_there |= (int)at == port && state == 10;
        }
        if (f)
            fclose(f);
    }
    return is_there;
}

int why_gather(const struct why_ask *ask, struct why_view *v)
{
    static char daemons[64][12];
    struct run_ask question = {.op = RUN_WHY, .number = ask->port};
    struct gathering g = {.ask = ask, .v = v};
    int n = daemons_chosen(daemons, 64, ask->run);
    char fd[16];

    if (n <= 0)
        return 1;
    snprintf(fd, sizeof fd, "%d", ask->fd);
    if (ask->fd >= 0 && !(g.inode = inode_of(ask->pid, fd))) {
        fprintf(stderr, "weir: fd %d of process %d is no socket, or not yours to see\n", ask->fd,
                ask->pid);
        return 1;
    }
    for (int i = 0; i < n; i++) {
        g.daemon = daemons[i];
        daemon_ask(daemons[i], &question, gather, &g);
        ask_range(daemons[i], v);
    }
    find_descriptors(v);
    name_processes(v);
    v->host_listener = ask->port && host_listens(ask->port);
    return 0;
}
