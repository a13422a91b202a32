/* By which way the probes of weir traceroute go: see ping_way.c, which opens it.
 *
 * Knows: RUN_TRACE, probes. Shape: a running stack is asked, a stack of our own is pumped.
 * Units: ns. Errors: -errno. Cost: O(probes under way) a wait. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "cli/trace.h"

int trace_way_send(struct trace_way *w, int number, const struct probe_wish *wish)
{
    struct run_ask ask = {.op = RUN_TRACE, .number = number, .level = wish->ttl};

    w->probes = number + 1;
    if (w->way.stack)
        return probe_send(&w->probe[number], w->way.stack, wish, weir_clock_ns());
    ask.name = (int32_t)wish->kind;
    ask.value_len = wish->bytes;
    ask.addr = (struct run_addr){
        .family = weir_addr_is_v4(&wish->to) ? 4 : 6, .addr = wish->to, .port = wish->port};
    return send(w->way.fd, &ask, sizeof ask, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static bool wait_for(struct trace_way *w, int64_t until, int64_t now)
{
    struct pollfd p = {.fd = w->way.fd, .events = POLLIN};
    int64_t left = until > now ? until - now : 0;
    struct timespec t = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};

    return ppoll(&p, 1, &t, &w->way.while_waiting) > 0;
}

static int next_of_daemon(struct trace_way *w, int64_t until, int *number, struct trace_fate *f)
{
    struct run_answer a;
    ssize_t n;

    if (!wait_for(w, until, weir_clock_ns()))
        return 0;
    n = recv(w->way.fd, &a, sizeof a, 0);
    if (n < (ssize_t)offsetof(struct run_answer, value))
        return -1;
    *number = a.addr.port;
    f->is_answered = a.result >= 0;
    f->failure = a.result < 0 ? a.result : 0;
    f->answer = (struct probe_answer){.rtt_us = a.result, .from = a.addr.addr};
    if (n >= (ssize_t)offsetof(struct run_answer, value) + RUN_TRACE_LEN) {
        f->answer.type = a.value[0];
        f->answer.code = a.value[1];
        f->answer.is_reached = a.value[2];
        f->answer.error = a.value[3];
    }
    return 1;
}

static bool take_own(struct trace_way *w, int64_t now, int *number, struct trace_fate *f)
{
    for (int i = 0; i < w->probes; i++)
        if (w->probe[i].sock >= 0 && probe_take(&w->probe[i], now, &f->answer)) {
            *number = i;
            f->is_answered = true;
            f->failure = 0;
            return true;
        }
    return false;
}

static int next_of_own(struct trace_way *w, int64_t until, int *number, struct trace_fate *f)
{
    for (;;) {
        int64_t now = weir_clock_ns(), at;
        int moved = weir_link_pump(w->way.link, w->way.stack, w->way.ifindex, now, 8);

        if (moved < 0)
            return -1;
        if (take_own(w, now, number, f))
            return 1;
        if (moved > 0)
            continue;
        at = weir_deadline(w->way.stack);
        errno = 0;
        if (!wait_for(w, at < until ? at : until, now) && (errno == EINTR || now >= until))
            return 0;
    }
}

int trace_way_next(struct trace_way *w, int64_t until_ns, int *number, struct trace_fate *fate)
{
    return w->way.stack ? next_of_own(w, until_ns, number, fate)
                        : next_of_daemon(w, until_ns, number, fate);
}
