/* weir netstat: sockets in the columns of netstat(8) of net-tools, and with -s all that is counted,
 * each frame that was dropped under its reason.
 *
 * Knows: the options and the columns. Shape: sockets as `weir ss` gathers them. Units: bytes,
 * frames. Errors: exit 2 for bad usage. Cost: one question for each daemon. */
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "cli/cli.h"
#include "cli/ss.h"

struct netstat_ask {
    bool tcp, udp, listening, all, process, statistics;
};

static const char usage[] =
    "usage: weir netstat [OPTIONS]\n"
    "\n"
    "  -t, --tcp         TCP only              -u, --udp       UDP only\n"
    "  -l, --listening   listeners only        -a, --all       listeners too\n"
    "  -n, --numeric     (always so)           -p, --programs  whose they are\n"
    "  -s, --statistics  what was counted, and why frames were dropped; zeros are left out\n";

static const struct option options[] = {
    {"tcp", no_argument, NULL, 't'},
    {"udp", no_argument, NULL, 'u'},
    {"listening", no_argument, NULL, 'l'},
    {"all", no_argument, NULL, 'a'},
    {"numeric", no_argument, NULL, 'n'},
    {"programs", no_argument, NULL, 'p'},
    {"statistics", no_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};
static const char *const option_words[] = {"--tcp",        "--udp",     "--listening",
                                           "--all",        "--numeric", "--programs",
                                           "--statistics", "--help",    NULL};

/* -- sockets ----------------------------------------------------------------------------------- */

static const char *state_name(const struct ss_sock *s)
{
    static const char *const names[] = {
        [WEIR_ESTABLISHED] = "ESTABLISHED",
        [WEIR_SYN_SENT] = "SYN_SENT",
        [WEIR_SYN_RECV] = "SYN_RECV",
        [WEIR_FIN_WAIT_1] = "FIN_WAIT1",
        [WEIR_FIN_WAIT_2] = "FIN_WAIT2",
        [WEIR_TIME_WAIT] = "TIME_WAIT",
        [WEIR_CLOSED] = "CLOSE",
        [WEIR_CLOSE_WAIT] = "CLOSE_WAIT",
        [WEIR_LAST_ACK] = "LAST_ACK",
        [WEIR_LISTEN] = "LISTEN",
        [WEIR_CLOSING] = "CLOSING",
    };

    if (s->e.info.protocol != IPPROTO_TCP && s->e.info.state == WEIR_CLOSED)
        return "";
    return s->e.info.state >= WEIR_ESTABLISHED && s->e.info.state <= WEIR_CLOSING
               ? names[s->e.info.state]
               : "UNKNOWN";
}

/* IPv6 without ss's brackets and star. */
static void text_of_end(char text[SS_TEXT + 10], const char *addr, const char *port)
{
    int len = (int)strlen(addr);

    if (strcmp(addr, "*") == 0)
        snprintf(text, SS_TEXT + 10, ":::%s", port);
    else if (addr[0] == '[')
        snprintf(text, SS_TEXT + 10, "%.*s:%s", len - 2, addr + 1, port);
    else
        snprintf(text, SS_TEXT + 10, "%s:%s", addr, port);
}

static void print_sock(const struct netstat_ask *ask, const struct ss_sock *s)
{
    char local[SS_TEXT + 10], peer[SS_TEXT + 10], program[64] = "-";
    bool is_listening = s->e.info.state == WEIR_LISTEN; /* its queues count connections */
    bool is_four = s->local[0] != '[' && s->local[0] != '*';

    text_of_end(local, s->local, s->local_port);
    text_of_end(peer, s->peer, s->peer_port);
    printf(
        "%-5s %6u %6u %-23s %-23s %-12s",
        s->e.info.protocol == IPPROTO_TCP ? (is_four ? "tcp" : "tcp6") : (is_four ? "udp" : "udp6"),
        s->e.info.recv_queue, is_listening ? 0 : s->e.info.send_queue, local, peer, state_name(s));
    if (s->e.pid)
        snprintf(program, sizeof program, "%d/%s", s->e.pid, s->process);
    printf(ask->process ? "%-20s\n" : "\n", program);
}

static void print_socks(const struct netstat_ask *ask)
{
    struct ss_ask what = {.tcp = ask->tcp, .udp = ask->udp, .all = true};
    struct ss_sock *sock;
    int n;

    if (!what.tcp && !what.udp)
        what.tcp = what.udp = true;
    n = ss_gather(&what, &sock);
    printf("Active Internet connections %s\n", ask->all         ? "(servers and established)"
                                               : ask->listening ? "(only servers)"
                                                                : "(w/o servers)");
    printf("Proto Recv-Q Send-Q Local Address           Foreign Address         State       %s\n",
           ask->process ? "PID/Program name    " : "");
    for (int i = 0; i < n; i++) {
        bool is_server = sock[i].e.info.state == WEIR_LISTEN || sock[i].e.info.state == WEIR_CLOSED;
        if (ask->all || is_server == ask->listening)
            print_sock(ask, &sock[i]);
    }
    free(sock);
}

/* -- counters ---------------------------------------------------------------------------------- */

struct section {
    const char *name; /* of the one that is open */
};

static const struct {
    const char *prefix, *name;
} sections[] = {
    {"drop.", "Dropped"}, {"TcpExt", "TcpExt"}, {"Tcp", "Tcp"},
    {"Udp", "Udp"},       {"Icmp", "Icmp"},     {"Ip", "Ip"},
};

static const char *doc_of(const char *name, bool is_drop)
{
    int n = is_drop ? weir_drop_count() : weir_stat_count();

    for (int i = 0; i < n; i++)
        if (strcmp(is_drop ? weir_drop_name(i) : weir_stat_name(i), name) == 0)
            return is_drop ? weir_drop_doc(i) : weir_stat_doc(i);
    return "";
}

/* "name<tab>value" */
static void print_counter(const struct run_answer *a, void *arg)
{
    struct section *open = arg;
    char line[128], *value;
    unsigned i = 0, last = sizeof sections / sizeof sections[0] - 1;

    snprintf(line, sizeof line, "%.127s", (const char *)a->value);
    value = strchr(line, '\t');
    if (!a->value_len || !value || strcmp(value, "\t0") == 0)
        return;
    *value++ = '\0';
    while (i < last && strncmp(line, sections[i].prefix, strlen(sections[i].prefix)) != 0)
        i++;
    if (open->name != sections[i].name)
        printf("%s:\n", sections[i].name);
    open->name = sections[i].name;
    bool is_drop = i == 0;
    const char *name = is_drop ? line + strlen(sections[0].prefix) : line;
    printf("    %-24s %12s  %s\n", name, value, doc_of(name, is_drop));
}

static void print_statistics(void)
{
    static char names[64][12];
    struct run_ask ask = {.op = RUN_STATS};
    int n = daemons_find(names, 64);

    if (n == 0)
        fputs("weir: no stack is running; start one: weir run -- curl http://example.com/\n",
              stderr);
    for (int i = 0; i < n; i++) {
        struct section open = {NULL};
        if (n > 1)
            printf("-- run %s\n", names[i]);
        daemon_ask(names[i], &ask, print_counter, &open);
    }
}

/* -- words ------------------------------------------------------------------------------------- */

static int mistake(const char *word)
{
    fprintf(stderr, "weir: unknown option '%s': did you mean '%s'? (weir netstat --help)\n", word,
            nearest_word(word, option_words));
    return 2;
}

static int parse(struct netstat_ask *ask, int argc, char **argv)
{
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "tulanpsh", options, NULL)) != -1) {
        bool *flag = c == 't'   ? &ask->tcp
                     : c == 'u' ? &ask->udp
                     : c == 'l' ? &ask->listening
                     : c == 'a' ? &ask->all
                     : c == 'p' ? &ask->process
                     : c == 's' ? &ask->statistics
                                : NULL;
        if (c == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (c == '?' && optopt) {
            fprintf(stderr, "weir: unknown option '-%c': see weir netstat --help\n", optopt);
            return 2;
        }
        if (c == '?')
            return mistake(argv[optind - 1]);
        if (flag)
            *flag = true;
    }
    if (optind < argc) {
        fprintf(stderr, "weir: netstat takes no '%s': see weir netstat --help\n", argv[optind]);
        return 2;
    }
    return 0;
}

int cmd_netstat(int argc, char **argv)
{
    struct netstat_ask ask = {.tcp = false};
    int v = parse(&ask, argc, argv);

    if (v)
        return v;
    if (ask.statistics)
        print_statistics();
    else
        print_socks(&ask);
    return 0;
}
