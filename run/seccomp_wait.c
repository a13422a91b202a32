/* The seccomp door: calls that wait, for a connection to accept or for their own to stand.
 *
 * Knows: nothing of the rest. Shape: a list; each has a copy of its descriptor, and a connect its
 * question to the daemon. The kernel does not tell that a signal ended a call: each is asked now
 * and then whether it waits still, and a thread that calls again has left its last call. Units: ms.
 * Errors: as the call. Cost: a poll over all of them; 50 system calls a second for each connect
 * that waits, 10 for anything else. */
#include "run/seccomp.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 100
#define LOOK_CONNECT_MS 20 /* what a signal left behind polls writable until it is seen */

struct wait {
    struct wait *next;
    struct call call;
    int64_t until; /* 0: for ever */
    int answer;    /* connect: where it will be, else -1 */
    struct fd_id id;
    struct run_ask ask;
};

static struct wait *first;
static unsigned waits, connects;
static int64_t next_look;

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct wait *add(const struct call *c, int answer, const struct timeval *wait)
{
    struct wait *w = waits < WAITS_MAX ? calloc(1, sizeof *w) : NULL;

    if (!w)
        return NULL;
    w->call = *c;
    w->answer = answer;
    if (wait->tv_sec || wait->tv_usec)
        w->until = now_ms() + wait->tv_sec * 1000 + (wait->tv_usec + 999) / 1000;
    w->next = first;
    first = w;
    waits++;
    connects += answer >= 0;
    return w;
}

long wait_readable(const struct call *c)
{
    struct timeval wait = {.tv_sec = 0};
    socklen_t len = sizeof wait;

    getsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, &len);
    return add(c, -1, &wait) ? DOOR_LATER : -ENOBUFS;
}

int door_wait(int fd, const struct fd_id *id, struct run_ask *ask, const struct timeval *wait)
{
    int answer = door_ask_begin(ask);
    struct wait *w;

    (void)fd; /* the call's */
    if (answer < 0)
        return answer;
    w = add(target_call(), answer, wait);
    if (!w) {
        close(answer);
        return -ENOBUFS;
    }
    w->id = *id;
    w->ask = *ask;
    return DOOR_LATER;
}

/* -- the end of a wait ------------------------------------------------------------------------- */

static void drop(struct wait **at)
{
    struct wait *w = *at;

    *at = w->next;
    waits--;
    connects -= w->answer >= 0;
    if (w->answer >= 0)
        close(w->answer);
    close(w->call.fd);
    free(w);
}

/* What the call comes to; DOOR_LATER: it goes on. */
static long outcome(struct wait *w, bool is_ready, bool is_late)
{
    struct run_answer answer;

    if (w->answer < 0)
        return is_ready ? call_ready(&w->call) : is_late ? -EAGAIN : DOOR_LATER;
    if (is_ready)
        return connect_over(w->call.fd, &w->id, door_hear(w->answer, &answer, NULL));
    return is_late ? connect_wait_no_more(w->call.fd, &w->id, &w->ask, -EAGAIN) : DOOR_LATER;
}

/* A signal took the caller away: its connect goes on without it, or is over and it does not know.
 */
static void leave(struct wait **at)
{
    struct wait *w = *at;
    struct pollfd p = {.fd = w->answer, .events = POLLIN};
    struct run_answer answer;
    int v = -EINTR;

    if (w->answer >= 0 && poll(&p, 1, 0) == 1)
        v = door_hear(w->answer, &answer, NULL);
    else if (w->answer >= 0)
        v = connect_wait_no_more(w->call.fd, &w->id, &w->ask, -EINTR);
    if (v != -EINTR)
        lost_keep(&w->id, SYS_connect, v, -1);
    drop(at);
}

void waits_forget(pid_t thread)
{
    for (struct wait **at = &first; *at;)
        if ((*at)->call.thread == thread)
            leave(at);
        else
            at = &(*at)->next;
}

/* -- the loop's part --------------------------------------------------------------------------- */

nfds_t waits_poll(struct pollfd *p)
{
    nfds_t n = 0;

    for (struct wait *w = first; w; w = w->next)
        p[n++] = (struct pollfd){.fd = w->answer >= 0 ? w->answer : w->call.fd, .events = POLLIN};
    return n;
}

int waits_timeout(void)
{
    int64_t now = now_ms(), at = now + (connects ? LOOK_CONNECT_MS : LOOK_MS);

    for (struct wait *w = first; w; w = w->next)
        if (w->until && w->until < at)
            at = w->until;
    return !waits ? -1 : at > now ? (int)(at - now) : 0;
}

/* True: it is over. */
static bool look(struct wait *w, bool is_ready, int64_t at)
{
    long v;

    target_is(&w->call);
    v = outcome(w, is_ready, w->until && at >= w->until);
    if (v == DOOR_LATER)
        return false;
    if (v != CALL_ANSWERED)
        target_answer(&w->call, v);
    return true;
}

void waits_round(const struct pollfd *p, nfds_t n)
{
    struct wait **at = &first;
    int64_t now = now_ms();
    bool is_time = now >= next_look;

    for (nfds_t i = 0; i < n && *at; i++) {
        bool is_ready = p[i].revents != 0;
        if ((is_ready || is_time) && !target_waits((*at)->call.id))
            leave(at);
        else if (look(*at, is_ready, now))
            drop(at);
        else
            at = &(*at)->next;
    }
    if (is_time)
        next_look = now + (connects ? LOOK_CONNECT_MS : LOOK_MS);
}
