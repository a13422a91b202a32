/* By which way the echo requests of weir ping go: a running stack's, or a stack of its own on a TAP
 * device.
 *
 * Knows: RUN_PING, links. Shape: one wait for whatever comes; SIGINT is let in there only, so that
 * none is lost. Units: ns. Errors: a line on stderr and exit status 2, or -errno.
 * Cost: one wait a reply. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/ping.h"

#define RUNS_MAX 64

static struct timespec left_until(int64_t at, int64_t now)
{
    int64_t left = at > now ? at - now : 0;

    return (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
}

/* Whether the descriptor has something; false also for a signal. */
static bool wait_for(struct ping_way *w, int64_t until, int64_t now)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    struct timespec t = left_until(until, now);

    return ppoll(&p, 1, until == WEIR_NEVER ? NULL : &t, &w->while_waiting) > 0;
}

/* -- a running stack --------------------------------------------------------------------------- */

static int ask_daemon(struct ping_way *w, const struct ping_options *o, uint16_t seq)
{
    struct run_ask ask = {.op = RUN_PING, .number = seq, .level = (int32_t)o->ttl};

    ask.addr = (struct run_addr){.family = weir_addr_is_v4(&o->addr) ? 4 : 6, .addr = o->addr};
    ask.value_len = (uint32_t)o->size;
    return send(w->fd, &ask, sizeof ask, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static bool connect_to(struct ping_way *w, const char *daemon)
{
    struct sockaddr_un un;
    socklen_t len = name_set(&un, daemon, "ctl");

    w->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (w->fd >= 0 && connect(w->fd, (struct sockaddr *)&un, len) == 0)
        return true;
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
    return false;
}

static int next_of_daemon(struct ping_way *w, int64_t until, struct echo_reply *r)
{
    struct run_answer a;
    ssize_t n;

    if (!wait_for(w, until, weir_clock_ns()))
        return 0;
    n = recv(w->fd, &a, sizeof a, 0);
    if (n < (ssize_t)offsetof(struct run_answer, value))
        return -1;
    *r = (struct echo_reply){.result = a.result, .bytes = a.value_len, .from = a.addr.addr};
    r->seq = a.addr.port;
    r->ttl = n > (ssize_t)offsetof(struct run_answer, value) ? a.value[0] : 0;
    return 1;
}

/* The first running stack on a link that carries what is sent; it sends no request to say so. */
static int find_daemon(struct ping_way *w, const struct ping_options *o)
{
    static char names[RUNS_MAX][12];
    struct run_ask ask = {.op = RUN_LINK};
    int n = o->daemon ? 1 : daemons_find(names, RUNS_MAX);

    for (int i = 0; i < n; i++) {
        const char *name = o->daemon ? o->daemon : names[i];
        int v = daemon_ask(name, &ask, NULL, NULL);
        if ((v == RUN_LINK_TAP || (v == RUN_LINK_HOST && !o->lacks)) && connect_to(w, name))
            return 0;
        if (o->daemon && v < 0) {
            fprintf(stderr, "weir: %s: no stack '%s' is running: `weir ss --json` tells\n", o->verb,
                    name);
            return 2;
        }
    }
    if (n > 0 && o->lacks)
        fprintf(stderr,
                "weir: %s: the running stack is on the host link, which carries no %s: "
                "weir %s --link tap:weir0 %s\n",
                o->verb, o->lacks, o->verb, o->target);
    else
        fprintf(stderr,
                "weir: %s: no stack is running; with one of its own: weir %s --link "
                "tap:weir0 %s\n",
                o->verb, o->verb, o->target);
    return 2;
}

/* -- a stack of its own ------------------------------------------------------------------------ */

static int fail(const char *text)
{
    fprintf(stderr, "weir: %s\n", text);
    return 2;
}

static int open_own(struct ping_way *w, const struct ping_options *o)
{
    struct weir_config config = {.now_ns = weir_clock_ns()};
    struct link_ends ends;
    char error[512] = "no memory";
    int v;

    if (getrandom(config.seed, sizeof config.seed, 0) != sizeof config.seed)
        config.seed[0] = (uint64_t)config.now_ns;
    w->stack = weir_new(&config);
    w->link = w->stack ? link_open(&o->link, &ends, error, sizeof error) : NULL;
    if (!w->link)
        return fail(error);
    w->ifindex = weir_iface_add(w->stack, &w->link->iface);
    if ((v = w->ifindex) < 0 || (v = link_configure(w->stack, w->ifindex, &ends)) < 0 ||
        (v = echo_open(&w->echo, w->stack, &o->addr, (int)o->ttl)) < 0)
        return fail(strerror(-v));
    w->fd = w->link->driver->fd(w->link);
    link_say(w->link->iface.name, &ends);
    return 0;
}

static int next_of_own(struct ping_way *w, int64_t until, struct echo_reply *r)
{
    for (;;) {
        int64_t now = weir_clock_ns(), at;
        int moved = weir_link_pump(w->link, w->stack, w->ifindex, now, 8);

        if (moved < 0)
            return -1;
        if (echo_take(&w->echo, now, r))
            return 1;
        if (moved > 0)
            continue;
        at = weir_deadline(w->stack);
        if (!wait_for(w, at < until ? at : until, now) && (errno == EINTR || now >= until))
            return 0;
        errno = 0;
    }
}

/* -- either ------------------------------------------------------------------------------------ */

int ping_way_open(struct ping_way *w, const struct ping_options *o)
{
    sigset_t sigint;
    int v;

    *w = (struct ping_way){.fd = -1};
    w->echo.sock = -1;
    v = o->link.link ? open_own(w, o) : find_daemon(w, o);
    sigemptyset(&sigint);
    sigaddset(&sigint, SIGINT);
    sigprocmask(SIG_BLOCK, &sigint, &w->while_waiting);
    sigdelset(&w->while_waiting, SIGINT);
    return v;
}

void ping_way_close(struct ping_way *w)
{
    if (!w->link && w->fd >= 0)
        close(w->fd);
    weir_link_close(w->link);
    weir_free(w->stack);
}

int ping_way_send(struct ping_way *w, const struct ping_options *o, uint16_t seq)
{
    return w->stack ? echo_send(&w->echo, seq, (uint32_t)o->size, weir_clock_ns())
                    : ask_daemon(w, o, seq);
}

int ping_way_next(struct ping_way *w, int64_t until_ns, struct echo_reply *reply)
{
    return w->stack ? next_of_own(w, until_ns, reply) : next_of_daemon(w, until_ns, reply);
}
