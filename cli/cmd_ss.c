/* weir ss: the sockets of all programs that run on weir, as ss(8) shows those of the kernel.
 *
 * Knows: the options, the line of a socket that a daemon answers with. Not columns.
 * Shape: all daemons are asked, what was not wanted is left out, then one printer runs.
 * Units: as the daemon gives them. Errors: exit 2 for bad usage; a daemon that ends meanwhile is
 * left out. Cost: one question for each daemon. */
#include <errno.h>
#include <getopt.h>
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

static const char help[] =
    "Usage: weir ss [OPTION]... [state STATE] [sport = :PORT] [dport = :PORT]\n\n"
    "  -t, --tcp         TCP only             -u, --udp       UDP only\n"
    "  -l, --listening   listeners only       -a, --all       listeners too\n"
    "  -n, --numeric     (always so)          -p, --processes whose they are\n"
    "  -i, --info        cwnd, rtt, ...       -o, --options   timers\n"
    "  -s, --summary     counts               -H, --no-header\n"
    "  -O, --oneline     info on the line     -4, -6          one family\n"
    "      --json        one JSON object; times in seconds\n";

static const struct option options[] = {
    {"tcp", no_argument, NULL, 't'},       {"udp", no_argument, NULL, 'u'},
    {"listening", no_argument, NULL, 'l'}, {"all", no_argument, NULL, 'a'},
    {"numeric", no_argument, NULL, 'n'},   {"processes", no_argument, NULL, 'p'},
    {"info", no_argument, NULL, 'i'},      {"options", no_argument, NULL, 'o'},
    {"summary", no_argument, NULL, 's'},   {"no-header", no_argument, NULL, 'H'},
    {"oneline", no_argument, NULL, 'O'},   {"ipv4", no_argument, NULL, '4'},
    {"ipv6", no_argument, NULL, '6'},      {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0},
};
static const char *const option_words[] = {
    "--tcp",  "--udp",     "--listening", "--all",       "--numeric", "--processes",
    "--info", "--options", "--summary",   "--no-header", "--oneline", "--ipv4",
    "--ipv6", "--json",    "--help",      NULL,
};

/* -- options ----------------------------------------------------------------------------------- */

static int usage_error(const char *what, const char *word, const char *hint)
{
    fprintf(stderr, "weir: %s '%s': %s\n", what, word, hint);
    return 2;
}

static int did_you_mean(const char *what, const char *word, const char *near)
{
    fprintf(stderr, "weir: %s '%s': did you mean '%s'? (weir ss --help)\n", what, word, near);
    return 2;
}

/* ":80" */
static int parse_port(const char *text)
{
    char *end;
    long port = *text == ':' ? strtol(text + 1, &end, 10) : 0;

    return port < 1 || port > 65535 || *end ? 0 : (int)port;
}

static bool set_option(struct ss_ask *ask, int c)
{
    switch (c) {
    case '4':
    case '6':
        ask->family = c - '0';
        return true;
    case 'n': /* there are no names to look up */
        return true;
    default:
        break;
    }
    bool *flag = c == 't'   ? &ask->tcp
                 : c == 'u' ? &ask->udp
                 : c == 'l' ? &ask->listening
                 : c == 'a' ? &ask->all
                 : c == 'p' ? &ask->process
                 : c == 'i' ? &ask->info
                 : c == 'o' ? &ask->timers
                 : c == 's' ? &ask->summary
                 : c == 'H' ? &ask->no_header
                 : c == 'O' ? &ask->one_line
                 : c == 'j' ? &ask->json
                            : NULL;
    if (flag)
        *flag = true;
    return flag != NULL;
}

/* "state STATE", "sport = :PORT", "dport = :PORT". How many words were used, or 0. */
static int filter(struct ss_ask *ask, char **word, int words)
{
    bool is_sport = !strcmp(word[0], "sport");
    int port;

    if (words >= 2 && !strcmp(word[0], "state"))
        return (ask->state = ss_state_of(word[1])) ? 2 : 0;
    if (words < 3 || (!is_sport && strcmp(word[0], "dport") != 0))
        return 0;
    if ((strcmp(word[1], "=") && strcmp(word[1], "==") && strcmp(word[1], "eq")) ||
        !(port = parse_port(word[2])))
        return 0;
    *(is_sport ? &ask->sport : &ask->dport) = port;
    return 3;
}

static int bad_filter(char **word, int words)
{
    static const char *const begins[] = {"state", "sport", "dport", NULL};

    if (words >= 2 && !strcmp(word[0], "state"))
        return did_you_mean("unknown state", word[1], nearest_word(word[1], ss_state_words));
    for (int i = 0; begins[i]; i++)
        if (!strcmp(word[0], begins[i]))
            return usage_error("bad filter at", word[0], "say: state time-wait, or sport = :80");
    return did_you_mean("unknown filter", word[0], nearest_word(word[0], begins));
}

static int parse(struct ss_ask *ask, int argc, char **argv)
{
    int c, used;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "tulanpiosHO46h", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(help, stdout);
            exit(0);
        }
        if (c == '?' && optopt) {
            const char letter[] = {'-', (char)optopt, '\0'};
            return usage_error("unknown option", letter, "see weir ss --help");
        }
        if (c == '?')
            return did_you_mean("unknown option", argv[optind - 1],
                                nearest_word(argv[optind - 1], option_words));
        set_option(ask, c);
    }
    for (int i = optind; i < argc; i += used)
        if (!(used = filter(ask, argv + i, argc - i)))
            return bad_filter(argv + i, argc - i);
    if (!ask->tcp && !ask->udp)
        ask->tcp = ask->udp = true;
    return 0;
}

/* -- what daemons answer ----------------------------------------------------------------------- */

static void split(const char *text, char addr[SS_TEXT], char port[8])
{
    const char *colon = strrchr(text, ':');

    snprintf(addr, SS_TEXT, "%.*s", colon ? (int)(colon - text) : SS_TEXT - 1, text);
    snprintf(port, 8, "%s", colon && strcmp(colon, ":0") != 0 ? colon + 1 : "*");
}

/* The fields of control.c's put_info, in its order. */
static bool read_line(char *line, struct ss_sock *s)
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

static bool is_wanted(const struct ss_ask *ask, const struct ss_sock *s)
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
    if (!read_line(line, &s) || !is_wanted(g->ask, &s))
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

int cmd_ss(int argc, char **argv)
{
    static char daemons[64][12];
    struct ss_ask ask = {.tcp = false};
    struct gathering g = {.ask = &ask};
    struct run_ask question = {.op = RUN_SS};
    int status = parse(&ask, argc, argv), n;

    if (status)
        return status;
    n = daemons_find(daemons, 64);
    if (n == 0)
        fputs("weir: no stack is running; start one: weir run -- curl http://example.com/\n",
              stderr);
    for (int i = 0; i < n; i++) {
        g.daemon = daemons[i];
        daemon_ask(daemons[i], &question, gather, &g);
    }
    if (ask.json)
        ss_print_json(g.sock, g.count);
    else if (ask.summary)
        ss_print_summary(g.sock, g.count);
    else
        ss_print(&ask, g.sock, g.count);
    free(g.sock);
    return 0;
}
