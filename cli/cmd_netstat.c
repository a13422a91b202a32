/* weir netstat: sockets in the columns of netstat(8) of net-tools, and with -s all that is counted,
 * each frame that was dropped under its reason.
 *
 * Knows: the options and the columns. Shape: sockets as `weir ss` gathers them. Units: bytes,
 * frames. Errors: exit 2 for bad usage, 1 where the run that was named is not there.
 * Cost: one question for each daemon. */
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/counters.h"
#include "cli/ss.h"

struct netstat_ask {
    bool tcp, udp, raw, listening, all, process, timers, extended, statistics;
    int family;
    const char *run;
};

enum { OPTION_RUN = 256 };

static const char usage[] =
    "usage: weir netstat [OPTIONS]\n"
    "\n"
    "  -t, --tcp         TCP only              -u, --udp       UDP only\n"
    "  -w, --raw         ICMP sockets          -4, -6          one family\n"
    "  -l, --listening   listeners only        -a, --all       listeners too\n"
    "  -n, --numeric     (always so)           -p, --programs  whose they are\n"
    "  -o, --timers      what runs             -e, --extend    the user\n"
    "  -s, --statistics  what was counted, and why frames were dropped; by name: weir nstat\n"
    "      --run RUN     this run only: its name (weir ss -e) or the number of its process\n";

static const struct option options[] = {
    {"tcp", no_argument, NULL, 't'},        {"udp", no_argument, NULL, 'u'},
    {"raw", no_argument, NULL, 'w'},        {"inet", no_argument, NULL, '4'},
    {"inet6", no_argument, NULL, '6'},      {"listening", no_argument, NULL, 'l'},
    {"all", no_argument, NULL, 'a'},        {"numeric", no_argument, NULL, 'n'},
    {"programs", no_argument, NULL, 'p'},   {"timers", no_argument, NULL, 'o'},
    {"extend", no_argument, NULL, 'e'},     {"wide", no_argument, NULL, 'W'},
    {"statistics", no_argument, NULL, 's'}, {"run", required_argument, NULL, OPTION_RUN},
    {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};
static const char *const option_words[] = {
    "--tcp",        "--udp",     "--raw",      "--inet",   "--inet6",  "--listening",
    "--all",        "--numeric", "--programs", "--timers", "--extend", "--wide",
    "--statistics", "--run",     "--help",     NULL,
};

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

/* "0.0.0.0:80", ":::80", "10.0.0.1:*": without brackets, as netstat writes them. */
static void put_end(const struct weir_sockaddr *a)
{
    char addr[WEIR_ADDR_TEXT], text[WEIR_ADDR_TEXT + 8];

    snprintf(text, sizeof text, a->port ? "%s:%u" : "%s:*", weir_addr_text(&a->addr, addr),
             (unsigned)a->port);
    printf("%-23s ", text);
}

/* "on (0.20/1/0)": seconds left, how often it ran. */
static void put_timer(const struct ss_sock *s)
{
    const char *name = !*s->e.timer                                 ? "off"
                       : strcmp(s->e.timer, "retransmit") == 0      ? "on"
                       : strcmp(s->e.timer, "tail loss probe") == 0 ? "on"
                       : strcmp(s->e.timer, "reordering") == 0      ? "on"
                       : strcmp(s->e.timer, "2MSL") == 0            ? "timewait"
                       : strcmp(s->e.timer, "persist") == 0         ? "probe"
                       : strcmp(s->e.timer, "close") == 0           ? "keepalive"
                                                                    : s->e.timer;
    double left = *s->e.timer ? (double)s->e.info.timer_left_us / 1e6 : 0;

    printf(" %s (%.2f/%u/%u)", name, left, s->e.info.backoff, s->e.info.probes);
}

static void print_sock(const struct netstat_ask *ask, const struct ss_sock *s)
{
    const struct weir_sock_info *i = &s->e.info;
    char proto[8], program[64] = "-";

    snprintf(proto, sizeof proto, "%s%s", ss_netid(s), weir_addr_is_v4(&i->local.addr) ? "" : "6");
    printf("%-5s %6u %6u ", proto, i->recv_queue,
           i->state == WEIR_LISTEN ? 0 : i->send_queue); /* net-tools shows no backlog */
    put_end(&i->local);
    put_end(&i->peer);
    printf("%-12s", state_name(s));
    if (ask->extended)
        printf("%-10u %-10s", s->uid, "0");
    if (s->e.pid)
        snprintf(program, sizeof program, "%d/%s", (int)s->e.pid, s->process);
    if (ask->process)
        printf("%-20s", program);
    if (ask->timers)
        put_timer(s);
    putchar('\n');
}

static void print_heading(const struct netstat_ask *ask)
{
    printf("Active Internet connections %s\n", ask->all         ? "(servers and established)"
                                               : ask->listening ? "(only servers)"
                                                                : "(w/o servers)");
    printf(
        "Proto Recv-Q Send-Q Local Address           Foreign Address         State       %s%s%s\n",
        ask->extended ? "User       Inode     " : "", ask->process ? "PID/Program name    " : "",
        ask->timers ? " Timer" : "");
}

static int print_socks(const struct netstat_ask *ask)
{
    struct ss_ask what = {.tcp = ask->tcp,
                          .udp = ask->udp,
                          .raw = ask->raw,
                          .family = ask->family,
                          .run = ask->run,
                          .all = true};
    struct ss_sock *sock = NULL;
    int n;

    if (!what.tcp && !what.udp && !what.raw)
        what.tcp = what.udp = what.raw = true;
    n = ss_gather(&what, &sock);
    if (n < 0)
        return 1;
    print_heading(ask);
    for (int i = 0; i < n; i++) {
        bool is_server = sock[i].e.info.state == WEIR_LISTEN || sock[i].e.info.state == WEIR_CLOSED;
        if (ask->all || is_server == ask->listening)
            print_sock(ask, &sock[i]);
    }
    free(sock);
    return 0;
}

/* -- counters ---------------------------------------------------------------------------------- */

static int print_statistics(const char *run)
{
    static char names[64][12];
    static struct counters c;
    int n = daemons_chosen(names, 64, run);

    for (int i = 0; i < n; i++) {
        if (counters_ask(names[i], &c) < 0)
            continue;
        if (n > 1)
            printf("-- run %s\n", names[i]);
        counters_print_sentences(&c);
    }
    return n < 0;
}

/* -- words ------------------------------------------------------------------------------------- */

static bool *flag_of(struct netstat_ask *ask, int c)
{
    switch (c) {
    case 't':
        return &ask->tcp;
    case 'u':
        return &ask->udp;
    case 'w':
        return &ask->raw;
    case 'l':
        return &ask->listening;
    case 'a':
        return &ask->all;
    case 'p':
        return &ask->process;
    case 'o':
        return &ask->timers;
    case 'e':
        return &ask->extended;
    case 's':
        return &ask->statistics;
    default:
        return NULL;
    }
}

static int parse(struct netstat_ask *ask, int argc, char **argv)
{
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "tuwlanpoeWs46h", options, NULL)) != -1) {
        bool *flag = flag_of(ask, c);
        if (c == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (c == '?')
            return option_mistake("netstat", argv[optind - 1], option_words);
        if (c == OPTION_RUN)
            ask->run = optarg;
        if (c == '4' || c == '6')
            ask->family = c - '0';
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
    return ask.statistics ? print_statistics(ask.run) : print_socks(&ask);
}
