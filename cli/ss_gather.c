/* The sockets of all running stacks, for `weir ss` and `weir netstat`.
 *
 * Knows: the line of a socket that a daemon answers with. Not columns. Shape: all daemons are
 * asked; what was not wanted is left out. Units: as the daemon gives them. Errors: a daemon that
 * ends meanwhile is left out. Cost: one question for each daemon. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/socket.h>

#include "cli/cli.h"
#include "cli/ss.h"
#include "run/run.h"

#define FIELDS 22

struct gathering {
    const struct ss_ask *ask;
    const char *daemon;
    struct ss_sock *sock;
    int count, room;
};

static void split(const char *text, char addr[SS_TEXT], char port[8])
{
    const char *colon = strrchr(text, ':');

    snprintf(addr, SS_TEXT, "%.*s", colon ? (int)(colon - text) : SS_TEXT - 1, text);
    snprintf(port, 8, "%s", colon && strcmp(colon, ":0") != 0 ? colon + 1 : "*");
}

/* The fields of control.c's put_info, in its order. */
bool ss_read_line(char *line, struct ss_sock *s)
{
    char *f[FIELDS];
    int n = 0;

    for (char *at = line; at && n < FIELDS; n++)
        f[n] = strsep(&at, "\t");
    if (n < FIELDS)
        return false;
    s->protocol = atoi(f[0]);
    s->state = atoi(f[1]);
    s->recv_queue = (unsigned)strtoul(f[2], NULL, 10);
    s->send_queue = (unsigned)strtoul(f[3], NULL, 10);
    split(f[4], s->local, s->local_port);
    split(f[5], s->peer, s->peer_port);
    snprintf(s->process, sizeof s->process, "%s", f[6]);
    s->pid = atoi(f[7]);
    snprintf(s->timer, sizeof s->timer, "%s", f[8]);
    s->timer_left_us = atoll(f[9]);
    s->timer_n = atoi(f[10]);
    unsigned *number[] = {&s->cwnd,   &s->ssthresh, &s->srtt_us,  &s->rttvar_us,
                          &s->rto_us, &s->mss,      &s->in_flight};
    for (int i = 0; i < 7; i++)
        *number[i] = (unsigned)strtoul(f[11 + i], NULL, 10);
    s->bytes_acked = strtoull(f[18], NULL, 10);
    s->bytes_received = strtoull(f[19], NULL, 10);
    s->retrans = (unsigned)strtoul(f[20], NULL, 10);
    s->segs_out = (unsigned)strtoul(f[21], NULL, 10);
    return true;
}

bool ss_is_wanted(const struct ss_ask *ask, const struct ss_sock *s)
{
    bool is_tcp = s->protocol == IPPROTO_TCP;
    bool is_waiting = s->state == WEIR_LISTEN || s->state == WEIR_CLOSED;

    if (!is_tcp && s->protocol != IPPROTO_UDP)
        return false;
    if (is_tcp ? !ask->tcp : !ask->udp)
        return false;
    if (ask->family && (s->local[0] == '[') != (ask->family == 6))
        return false;
    if (ask->sport && atoi(s->local_port) != ask->sport)
        return false;
    if (ask->dport && atoi(s->peer_port) != ask->dport)
        return false;
    if (ask->state)
        return s->state == ask->state;
    if (ask->all || ask->summary)
        return true;
    if (ask->listening)
        return is_waiting;
    return !is_waiting && s->state != WEIR_TIME_WAIT && s->state != WEIR_SYN_RECV;
}

static void gather(const struct run_answer *a, void *arg)
{
    struct gathering *g = arg;
    struct ss_sock s = {.protocol = 0};
    char line[sizeof a->value];

    if (a->value_len == 0 || a->value_len >= sizeof line)
        return; /* the last answer */
    memcpy(line, a->value, a->value_len);
    line[a->value_len] = '\0';
    if (!ss_read_line(line, &s) || !ss_is_wanted(g->ask, &s))
        return;
    snprintf(s.daemon, sizeof s.daemon, "%s", g->daemon);
    if (g->count == g->room) {
        int room = g->room ? 2 * g->room : 256;
        struct ss_sock *more = realloc(g->sock, (size_t)room * sizeof *more);
        if (!more)
            return;
        g->sock = more;
        g->room = room;
    }
    g->sock[g->count++] = s;
}

int ss_gather(const struct ss_ask *ask, struct ss_sock **sock)
{
    static char daemons[64][12];
    struct gathering g = {.ask = ask};
    struct run_ask question = {.op = RUN_SS};
    int n = daemons_find(daemons, 64);

    if (n == 0)
        fputs("weir: no stack is running; start one: weir run -- curl http://example.com/\n",
              stderr);
    for (int i = 0; i < n; i++) {
        g.daemon = daemons[i];
        daemon_ask(daemons[i], &question, gather, &g);
    }
    *sock = g.sock;
    return g.count;
}
