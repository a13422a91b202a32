/* RUN_WHY: each socket with what holds it, then what happened lately.
 *
 * Knows: the stack's facts and its trace, the program's ends. Not words. Shape: one answer for each
 * socket; the past in as few answers as hold its lines. Units: as endpoint.h and past.h.
 * Errors: who asks and goes away hears no more. Cost: O(endpoints + events + sockets). */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "run/daemon.h"
#include "run/endpoint.h"
#include "run/past.h"

static bool send_value(int fd, struct run_answer *a)
{
    return send(fd, a, offsetof(struct run_answer, value) + a->value_len, MSG_NOSIGNAL) >= 0;
}

static bool is_about(const struct run_ask *ask, const struct weir_sockaddr *local,
                     const struct weir_sockaddr *peer)
{
    return !ask->number || local->port == ask->number || peer->port == ask->number;
}

static uint32_t ms_since(const struct daemon *d, int64_t at)
{
    return at ? (uint32_t)((d->now - at) / 1000000) + 1 : 0;
}

static void add_program(const struct daemon *d, const struct carrier *c, const struct end *end,
                        struct endpoint *e)
{
    e->pid = c->pid;
    snprintf(e->carrier, sizeof e->carrier, "%s", c->id);
    e->ended_ago_ms = ms_since(d, c->ended_at);
    if (!end)
        return;
    e->inode = end->inode;
    if (c->is_listening) {
        e->accept_waiting = end->waiting;
        e->accept_most = end->most;
    } else {
        e->unread = end->waiting;
    }
}

static bool answer_sockets(struct daemon *d, const struct run_ask *ask, int fd)
{
    struct run_answer a = {.result = 1};
    struct weir_sock_info info;
    struct end *ends;
    uint64_t cursor = 0;
    int n = ends_read(d, &ends);
    bool is_heard = true;

    while (is_heard && weir_info_next(d->stack, &cursor, &info)) {
        const struct carrier *c = info.user;
        struct endpoint e = endpoint_of(&info);
        if (info.local.port == 0 || !is_about(ask, &info.local, &info.peer))
            continue;
        weir_facts(d->stack, cursor, &e.facts);
        snprintf(e.knob, sizeof e.knob, "%s", e.facts.knob ? e.facts.knob : "");
        e.facts.knob = NULL;
        if (c)
            add_program(d, c, end_of(ends, n, c), &e);
        a.value_len = (uint32_t)endpoint_write(&e, (char *)a.value, sizeof a.value);
        is_heard = send_value(fd, &a);
    }
    free(ends);
    return is_heard;
}

static void answer_past(struct daemon *d, const struct run_ask *ask, int fd)
{
    struct run_answer a = {.result = 1};
    struct weir_event e;
    uint64_t cursor = 0;
    char line[PAST_LINE];

    a.value_len = (uint32_t)snprintf((char *)a.value, sizeof a.value, "past\n");
    while (weir_trace_next(d->stack, &cursor, &e)) {
        struct past p = {(d->now - e.at_ns) / 1000, e.local, e.peer, e.why};
        size_t len;
        if (!is_about(ask, &e.local, &e.peer))
            continue;
        len = past_write(&p, line);
        if (a.value_len + len >= sizeof a.value) {
            if (!send_value(fd, &a))
                return;
            a.value_len = 5;
        }
        memcpy(a.value + a.value_len, line, len);
        a.value_len += (uint32_t)len;
    }
    if (a.value_len > 5)
        send_value(fd, &a);
}

void answer_why(struct daemon *d, const struct run_ask *ask, int fd)
{
    if (answer_sockets(d, ask, fd))
        answer_past(d, ask, fd);
}
