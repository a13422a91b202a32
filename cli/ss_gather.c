/* The sockets of all running stacks, for `weir ss` and `weir netstat`.
 *
 * Knows: how a daemon is asked, what is wanted. Not columns. Shape: all daemons are asked; what was
 * not wanted is left out; then the processes are looked up, once each. Units: as the daemon gives
 * them. Errors: a daemon that ends meanwhile is left out. Cost: one question for each daemon. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/ss.h"
#include "run/run.h"

struct gathering {
    const struct ss_ask *ask;
    const char *daemon;
    struct ss_sock *sock;
    int count, room;
};

/* As ss writes it: "*" for any of both families, IPv6 in brackets. */
static void text_of(const struct weir_sockaddr *a, char addr[SS_TEXT], char port[8])
{
    char plain[WEIR_ADDR_TEXT];

    weir_addr_text(&a->addr, plain);
    if (weir_addr_is_v4(&a->addr))
        snprintf(addr, SS_TEXT, "%s", plain);
    else
        snprintf(addr, SS_TEXT, weir_addr_is_any(&a->addr) ? "*" : "[%s]", plain);
    snprintf(port, 8, a->port ? "%u" : "*", a->port);
}

bool ss_read_line(char *line, struct ss_sock *s)
{
    struct weir_sock_info *i = &s->e.info;

    if (!endpoint_read(&s->e, line))
        return false;
    if (weir_addr_is_any(&i->peer.addr)) /* nobody, in the family of this end */
        i->peer.addr = weir_addr_is_v4(&i->local.addr) ? weir_addr_v4(0)
                                                       : (struct weir_addr){.w = {0}};
    text_of(&i->local, s->local, s->local_port);
    text_of(&i->peer, s->peer, s->peer_port);
    snprintf(s->process, sizeof s->process, "-");
    return true;
}

static bool is_wanted_kind(const struct ss_ask *ask, const struct ss_sock *s)
{
    switch (s->e.info.protocol) {
    case IPPROTO_TCP:
        return ask->tcp;
    case IPPROTO_UDP:
        return ask->udp;
    default:
        return ask->raw;
    }
}

static unsigned states_wanted(const struct ss_ask *ask)
{
    const unsigned waiting = 1u << WEIR_LISTEN | 1u << WEIR_CLOSED;

    if (ask->states)
        return ask->states;
    if (ask->all || ask->summary)
        return SS_STATES_ALL;
    if (ask->listening)
        return waiting;
    return SS_STATES_ALL & ~(waiting | 1u << WEIR_TIME_WAIT | 1u << WEIR_SYN_RECV);
}

bool ss_is_wanted(const struct ss_ask *ask, const struct ss_sock *s)
{
    bool is_four = weir_addr_is_v4(&s->e.info.local.addr);

    if (!is_wanted_kind(ask, s))
        return false;
    if (ask->family && is_four != (ask->family == 4))
        return false;
    return (states_wanted(ask) >> s->e.info.state & 1) && ss_filter_matches(ask, s);
}

static void gather(const struct run_answer *a, void *arg)
{
    struct gathering *g = arg;
    struct ss_sock s = {.daemon = g->daemon};
    char line[sizeof a->value];

    if (a->value_len == 0 || a->value_len >= sizeof line)
        return; /* the last answer */
    memcpy(line, a->value, a->value_len);
    line[a->value_len] = '\0';
    if (!ss_read_line(line, &s) || !ss_is_wanted(g->ask, &s))
        return;
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

/* -- whose ------------------------------------------------------------------------------------- */

void ss_look_up_process(struct ss_sock *s)
{
    char path[64];
    struct stat st;
    FILE *f;

    if (!s->e.pid)
        return;
    snprintf(path, sizeof path, "/proc/%d", (int)s->e.pid);
    if (stat(path, &st) == 0)
        s->uid = st.st_uid;
    snprintf(path, sizeof path, "/proc/%d/comm", (int)s->e.pid);
    f = fopen(path, "re");
    if (f && fgets(s->process, (int)sizeof s->process, f))
        s->process[strcspn(s->process, "\n")] = '\0';
    if (f)
        fclose(f);
}

/* Most sockets have the process of the one before. */
static void look_up_processes(struct ss_sock *s, int n)
{
    int known = -1;

    for (int i = 0; i < n; i++) {
        if (!s[i].e.pid)
            continue;
        if (known >= 0 && s[known].e.pid == s[i].e.pid) {
            memcpy(s[i].process, s[known].process, sizeof s[i].process);
            s[i].uid = s[known].uid;
            continue;
        }
        ss_look_up_process(&s[i]);
        known = i;
    }
}

int ss_gather(const struct ss_ask *ask, struct ss_sock **sock)
{
    static char daemons[64][12];
    struct gathering g = {.ask = ask};
    struct run_ask question = {.op = RUN_SS};
    int n = daemons_chosen(daemons, 64, ask->run);

    if (n < 0)
        return -1;
    for (int i = 0; i < n; i++) {
        g.daemon = daemons[i];
        daemon_ask(daemons[i], &question, gather, &g);
    }
    look_up_processes(g.sock, g.count);
    *sock = g.sock;
    return g.count;
}
