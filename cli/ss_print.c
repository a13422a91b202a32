/* The printers of `weir ss`: columns, counts, JSON.
 *
 * Knows: how ss(8) lays out a line. Not where sockets come from. Shape: widths are measured first;
 * an address ends and a port begins at the colon, which is in one column.
 * Units: ms in the text of -i as ss has it, seconds in JSON. Errors: none. Cost: O(sockets). */
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <weir/socket.h>

#include "cli/ss.h"

struct widths {
    int state, local, local_port, peer, peer_port;
};

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

const char *const ss_state_words[] = {
    "established", "syn-sent",   "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait",
    "closed",      "close-wait", "last-ack", "listening",  "closing",    NULL,
};

const char *ss_state_name(int state)
{
    for (int i = 0; i < STATES; i++)
        if (states[i].state == state)
            return states[i].name;
    return "UNKNOWN";
}

int ss_state_of(const char *name)
{
    for (int i = 0; i < STATES; i++)
        if (!strcmp(states[i].word, name) || !strcasecmp(states[i].name, name))
            return states[i].state;
    return 0;
}

static const char *netid(const struct ss_sock *s)
{
    return s->protocol == IPPROTO_TCP ? "tcp" : "udp";
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
        widen(&w.state, ss_state_name(s[i].state));
        widen(&w.local, s[i].local);
        widen(&w.local_port, s[i].local_port);
        widen(&w.peer, s[i].peer);
        widen(&w.peer_port, s[i].peer_port);
    }
    return w;
}

static void put_timer(const struct ss_sock *s)
{
    const char *name = !strcmp(s->timer, "retransmit") ? "on"
                       : !strcmp(s->timer, "2MSL")     ? "timewait"
                                                       : s->timer;
    long long ms = s->timer_left_us / 1000;

    if (!strcmp(name, "-"))
        return;
    printf(" timer:(%s,", name);
    if (ms >= 60000)
        printf("%lldmin%lldsec", ms / 60000, ms / 1000 % 60);
    else if (ms >= 1000)
        printf("%lld.%03lldsec", ms / 1000, ms % 1000);
    else
        printf("%lldms", ms < 0 ? 0 : ms);
    printf(",%d)", s->timer_n);
}

static void put_info(const struct ss_sock *s)
{
    if (s->protocol != IPPROTO_TCP || !s->mss)
        return;
    printf(" rto:%u", s->rto_us / 1000);
    if (s->srtt_us)
        printf(" rtt:%g/%g", s->srtt_us / 1000.0, s->rttvar_us / 1000.0);
    printf(" mss:%u cwnd:%u", s->mss, s->cwnd / s->mss);
    if (s->ssthresh != UINT32_MAX)
        printf(" ssthresh:%u", s->ssthresh / s->mss);
    if (s->bytes_acked)
        printf(" bytes_acked:%llu", s->bytes_acked);
    if (s->bytes_received)
        printf(" bytes_received:%llu", s->bytes_received);
    printf(" segs_out:%u", s->segs_out);
    if (s->in_flight)
        printf(" unacked:%u", (s->in_flight + s->mss - 1) / s->mss);
    if (s->retrans)
        printf(" retrans:0/%u", s->retrans);
}

static void put_line(const struct ss_ask *ask, const struct widths *w, const struct ss_sock *s)
{
    if (ask->tcp && ask->udp)
        printf("%-5s ", netid(s));
    printf("%-*s %-6u %-6u %*s:%-*s %*s:%-*s", w->state, ss_state_name(s->state), s->recv_queue,
           s->send_queue, w->local, s->local, w->local_port, s->local_port, w->peer, s->peer,
           w->peer_port, s->peer_port);
    if (ask->process && s->pid)
        printf(" users:((\"%s\",pid=%d))", s->process, s->pid);
    if (ask->timers)
        put_timer(s);
    if (ask->info && s->protocol == IPPROTO_TCP && s->mss) {
        if (!ask->one_line)
            printf("\n\t");
        put_info(s);
    }
    putchar('\n');
}

void ss_print(const struct ss_ask *ask, const struct ss_sock *s, int n)
{
    struct widths w = measure(s, n);

    if (!ask->no_header) {
        if (ask->tcp && ask->udp)
            printf("%-5s ", "Netid");
        printf("%-*s Recv-Q Send-Q %*s:%-*s %*s:%-*s Process\n", w.state, "State", w.local,
               "Local Address", w.local_port, "Port", w.peer, "Peer Address", w.peer_port, "Port");
    }
    for (int i = 0; i < n; i++)
        put_line(ask, &w, &s[i]);
}

void ss_print_summary(const struct ss_sock *s, int n)
{
    int tcp = 0, estab = 0, closed = 0, orphaned = 0, timewait = 0;

    for (int i = 0; i < n; i++) {
        if (s[i].protocol != IPPROTO_TCP)
            continue;
        tcp++;
        estab += s[i].state == WEIR_ESTABLISHED;
        closed += s[i].state == WEIR_CLOSED;
        timewait += s[i].state == WEIR_TIME_WAIT;
        orphaned += !s[i].pid && s[i].state >= WEIR_FIN_WAIT_1 && s[i].state != WEIR_TIME_WAIT &&
                    s[i].state != WEIR_CLOSED && s[i].state != WEIR_LISTEN;
    }
    printf("Total: %d\nTCP:   %d (estab %d, closed %d, orphaned %d, timewait %d)\n\n", n, tcp,
           estab, closed, orphaned, timewait);
    printf("Transport Total\nUDP\t  %d\nTCP\t  %d\nINET\t  %d\n", n - tcp, tcp, n);
}

/* -- JSON -------------------------------------------------------------------------------------- */

static json_t *json_of_tcp(const struct ss_sock *s)
{
    return json_pack("{s:I, s:o, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I}", "cwnd_bytes",
                     (json_int_t)s->cwnd, "ssthresh_bytes",
                     s->ssthresh == UINT32_MAX ? json_null() : json_integer(s->ssthresh), "srtt",
                     s->srtt_us / 1e6, "rttvar", s->rttvar_us / 1e6, "rto", s->rto_us / 1e6, "mss",
                     (json_int_t)s->mss, "in_flight", (json_int_t)s->in_flight, "bytes_acked",
                     (json_int_t)s->bytes_acked, "bytes_received", (json_int_t)s->bytes_received,
                     "segs_out", (json_int_t)s->segs_out, "retrans", (json_int_t)s->retrans);
}

static json_t *json_of_timer(const struct ss_sock *s)
{
    if (!strcmp(s->timer, "-"))
        return json_null();
    return json_pack("{s:s, s:f, s:i}", "name", s->timer, "left", (double)s->timer_left_us / 1e6,
                     "n", s->timer_n);
}

static json_t *json_of(const struct ss_sock *s)
{
    bool has_tcp = s->protocol == IPPROTO_TCP && s->mss;
    json_t *process = s->pid ? json_pack("{s:s, s:i}", "name", s->process, "pid", s->pid)
                             : json_null();

    return json_pack(
        "{s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s}", "netid", netid(s), "state",
        ss_state_name(s->state), "recv_q", (json_int_t)s->recv_queue, "send_q",
        (json_int_t)s->send_queue, "local_address", s->local, "local_port", s->local_port,
        "peer_address", s->peer, "peer_port", s->peer_port, "process", process, "timer",
        json_of_timer(s), "tcp", has_tcp ? json_of_tcp(s) : json_null(), "run", s->daemon);
}

void ss_print_json(const struct ss_sock *s, int n)
{
    json_t *list = json_array(), *all;

    for (int i = 0; i < n; i++)
        json_array_append_new(list, json_of(&s[i]));
    all = json_pack("{s:o}", "sockets", list);
    json_dumpf(all, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(all);
}
