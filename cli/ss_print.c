/* The columns of `weir ss`, and its summary.
 *
 * Knows: how ss(8) lays out a line. Not where sockets come from. Shape: widths are measured first;
 * an address ends and a port begins at the colon, which is in one column. Units: bytes; LISTEN:
 * connections. Errors: none. Cost: O(sockets). */
#include <netinet/in.h>
#include <string.h>

#include "cli/ss.h"

struct widths {
    int state, local, local_port, peer, peer_port;
};

#define BIT(state) (1u << WEIR_##state)
#define ALL SS_STATES_ALL

static const struct {
    int state;
    const char *name, *word; /* in the column; after "state" */
} states[] = {
    {WEIR_ESTABLISHED, "ESTAB", "established"},
    {WEIR_SYN_SENT, "SYN-SENT", "syn-sent"},
    {WEIR_SYN_RECV, "SYN-RECV", "syn-recv"},
    {WEIR_FIN_WAIT_1, "FIN-WAIT-1", "fin-wait-1"},
    {WEIR_FIN_WAIT_2, "FIN-WAIT-2", "fin-wait-2"},
    {WEIR_TIME_WAIT, "TIME-WAIT", "time-wait"},
    {WEIR_CLOSED, "UNCONN", "closed"},
    {WEIR_CLOSE_WAIT, "CLOSE-WAIT", "close-wait"},
    {WEIR_LAST_ACK, "LAST-ACK", "last-ack"},
    {WEIR_LISTEN, "LISTEN", "listening"},
    {WEIR_CLOSING, "CLOSING", "closing"},
};
#define STATES ((int)(sizeof states / sizeof states[0]))

static const struct {
    const char *word;
    unsigned states;
} groups[] = {
    {"all", ALL},
    {"connected", ALL & ~(BIT(CLOSED) | BIT(LISTEN))},
    {"synchronized", ALL & ~(BIT(CLOSED) | BIT(LISTEN) | BIT(SYN_SENT))},
    {"bucket", BIT(SYN_RECV) | BIT(TIME_WAIT)},
    {"big", ALL & ~(BIT(SYN_RECV) | BIT(TIME_WAIT))},
};
#define GROUPS ((int)(sizeof groups / sizeof groups[0]))

const char *const ss_state_words[] = {
    "established", "syn-sent",     "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait",
    "closed",      "close-wait",   "last-ack", "listening",  "closing",    "all",
    "connected",   "synchronized", "bucket",   "big",        NULL,
};

const char *ss_state_name(int state)
{
    for (int i = 0; i < STATES; i++)
        if (states[i].state == state)
            return states[i].name;
    return "UNKNOWN";
}

unsigned ss_states_of(const char *name)
{
    for (int i = 0; i < STATES; i++)
        if (!strcmp(states[i].word, name) || !strcasecmp(states[i].name, name))
            return 1u << states[i].state;
    for (int i = 0; i < GROUPS; i++)
        if (!strcmp(groups[i].word, name))
            return groups[i].states;
    return !strcmp(name, "listen") ? BIT(LISTEN) : 0;
}

const char *ss_netid(const struct ss_sock *s)
{
    switch (s->e.info.protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    default:
        return "icmp";
    }
}

/* -- columns ----------------------------------------------------------------------------------- */

static void widen(int *width, const char *text)
{
    int n = (int)strlen(text);

    if (n > *width)
        *width = n;
}

static struct widths measure(const struct ss_sock *s, int n)
{
    struct widths w = {6, 13, 4, 12, 4};

    for (int i = 0; i < n; i++) {
        widen(&w.state, ss_state_name(s[i].e.info.state));
        widen(&w.local, s[i].local);
        widen(&w.local_port, s[i].local_port);
        widen(&w.peer, s[i].peer);
        widen(&w.peer_port, s[i].peer_port);
    }
    return w;
}

static bool has_netid(const struct ss_ask *ask)
{
    return ask->tcp + ask->udp + ask->raw > 1;
}

static void put_line(const struct ss_ask *ask, const struct widths *w, const struct ss_sock *s)
{
    bool is_tcp = s->e.info.protocol == IPPROTO_TCP;

    if (has_netid(ask))
        printf("%-5s ", ss_netid(s));
    printf("%-*s %-6u %-6u %*s:%-*s %*s:%-*s", w->state, ss_state_name(s->e.info.state),
           s->e.info.recv_queue, s->e.info.send_queue, w->local, s->local, w->local_port,
           s->local_port, w->peer, s->peer, w->peer_port, s->peer_port);
    if (ask->process && s->e.pid)
        printf(" users:((\"%s\",pid=%d))", s->process, (int)s->e.pid);
    if (ask->timers)
        ss_put_timer(stdout, s);
    if (ask->details)
        ss_put_details(stdout, s);
    if ((ask->info && is_tcp) || ask->memory)
        fputs(ask->one_line ? "" : "\n\t", stdout);
    if (ask->memory)
        ss_put_memory(stdout, s);
    if (ask->info && is_tcp)
        ss_put_info(stdout, ask, s);
    putchar('\n');
}

void ss_print(const struct ss_ask *ask, const struct ss_sock *s, int n)
{
    struct widths w = measure(s, n);

    if (!ask->no_header) {
        if (has_netid(ask))
            printf("%-5s ", "Netid");
        printf("%-*s Recv-Q Send-Q %*s:%-*s %*s:%-*s Process\n", w.state, "State", w.local,
               "Local Address", w.local_port, "Port", w.peer, "Peer Address", w.peer_port, "Port");
    }
    for (int i = 0; i < n; i++)
        put_line(ask, &w, &s[i]);
}

/* -- summary ----------------------------------------------------------------------------------- */

struct tally {
    int all, four;
};

static void put_tally(const char *name, struct tally t)
{
    printf("%-9s %-9d %-9d %-9d\n", name, t.all, t.four, t.all - t.four);
}

static void count(struct tally *t, const struct ss_sock *s)
{
    t->all++;
    t->four += weir_addr_is_v4(&s->e.info.local.addr);
}

void ss_print_summary(const struct ss_sock *s, int n)
{
    struct tally raw = {0, 0}, udp = {0, 0}, tcp = {0, 0}, inet = {0, 0};
    int by[16] = {0}, orphaned = 0;

    for (int i = 0; i < n; i++) {
        const struct weir_sock_info *f = &s[i].e.info;
        count(f->protocol == IPPROTO_TCP ? &tcp : f->protocol == IPPROTO_UDP ? &udp : &raw, &s[i]);
        count(&inet, &s[i]);
        if (f->protocol != IPPROTO_TCP)
            continue;
        by[f->state & 15]++;
        orphaned += f->sock < 0 && f->shut & 2;
    }
    printf("Total: %d\nTCP:   %d (estab %d, closed %d, orphaned %d, timewait %d)\n\n", n, tcp.all,
           by[WEIR_ESTABLISHED], by[WEIR_CLOSED], orphaned, by[WEIR_TIME_WAIT]);
    puts("Transport Total     IP        IPv6");
    put_tally("RAW", raw);
    put_tally("UDP", udp);
    put_tally("TCP", tcp);
    put_tally("INET", inet);
}
