/* weir ss: the sockets of all programs that run on weir, as ss(8) shows those of the kernel.
 *
 * Knows: the options. Not columns, not daemons. Shape: what was asked for is gathered, then one
 * printer runs. Units: none. Errors: exit 2 for bad usage, with the nearest word; 1 where the run
 * that was named is not there. Cost: one question for each daemon. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/ss.h"

enum { OPTION_RUN = 256 };

static const char help[] =
    "Usage: weir ss [OPTION]... [state STATE] [FILTER]\n\n"
    "  -t, --tcp         TCP only             -u, --udp       UDP only\n"
    "  -w, --raw         ICMP sockets         -4, -6          one family\n"
    "  -l, --listening   listeners only       -a, --all       listeners and TIME-WAIT too\n"
    "  -p, --processes   whose they are       -e, --extended  uid, socket, run, open halves\n"
    "  -o, --options     timers               -m, --memory    buffers\n"
    "  -i, --info        cwnd, rtt, ...       -n, --numeric   exact rates (names: never)\n"
    "  -s, --summary     counts               -H, --no-header\n"
    "  -O, --oneline     all on one line      -j, --json      one JSON object; seconds, bytes\n"
    "      --run RUN     this run only: its name (-e) or the number of its process\n\n"
    "Recv-Q and Send-Q of a listener: connections that wait for accept(), and the most that "
    "may.\n\n"
    "STATE: established, syn-sent, ..., or all, connected, synchronized, bucket, big; also\n"
    "\"exclude STATE\". FILTER: sport, dport with = != < > <= >= (eq ne lt gt le ge) and :PORT;\n"
    "src, dst with ADDRESS[/BITS][:PORT]; joined by and, or, not, ( ).\n"
    "  weir ss -ti state established '( sport = :80 or dport = :80 )'\n"
    "  weir ss -tan dst 10.0.0.0/8 exclude time-wait\n";

static const struct option options[] = {
    {"tcp", no_argument, NULL, 't'},       {"udp", no_argument, NULL, 'u'},
    {"raw", no_argument, NULL, 'w'},       {"listening", no_argument, NULL, 'l'},
    {"all", no_argument, NULL, 'a'},       {"numeric", no_argument, NULL, 'n'},
    {"processes", no_argument, NULL, 'p'}, {"info", no_argument, NULL, 'i'},
    {"options", no_argument, NULL, 'o'},   {"extended", no_argument, NULL, 'e'},
    {"memory", no_argument, NULL, 'm'},    {"summary", no_argument, NULL, 's'},
    {"no-header", no_argument, NULL, 'H'}, {"oneline", no_argument, NULL, 'O'},
    {"ipv4", no_argument, NULL, '4'},      {"ipv6", no_argument, NULL, '6'},
    {"json", no_argument, NULL, 'j'},      {"run", required_argument, NULL, OPTION_RUN},
    {"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0},
};
static const char *const option_words[] = {
    "--tcp",     "--udp",      "--raw",    "--listening", "--all",       "--numeric", "--info",
    "--options", "--extended", "--memory", "--summary",   "--processes", "--oneline", "--ipv4",
    "--ipv6",    "--json",     "--run",    "--no-header", "--help",      NULL,
};

static bool *flag_of(struct ss_ask *ask, int c)
{
    const struct {
        char letter;
        bool *flag;
    } flags[] = {
        {'t', &ask->tcp},       {'u', &ask->udp},      {'w', &ask->raw},
        {'l', &ask->listening}, {'a', &ask->all},      {'p', &ask->process},
        {'i', &ask->info},      {'o', &ask->timers},   {'e', &ask->details},
        {'m', &ask->memory},    {'s', &ask->summary},  {'j', &ask->json},
        {'H', &ask->no_header}, {'n', &ask->is_exact}, {'O', &ask->one_line},
    };

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (flags[i].letter == c)
            return flags[i].flag;
    return NULL;
}

/* The order of a filter does not matter to people: an option may stand behind it. */
static int parse(struct ss_ask *ask, int argc, char **argv)
{
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "tuwlanpioemsHO46jh", options, NULL)) != -1) {
        bool *flag = flag_of(ask, c);
        if (c == 'h') {
            fputs(help, stdout);
            exit(0);
        }
        if (c == '?')
            return option_mistake("ss", argv[optind - 1], option_words);
        if (c == OPTION_RUN)
            ask->run = optarg;
        if (c == '4' || c == '6')
            ask->family = c - '0';
        if (flag)
            *flag = true;
    }
    if (!ask->tcp && !ask->udp && !ask->raw)
        ask->tcp = ask->udp = ask->raw = true;
    return ss_filter_parse(ask, argv + optind, argc - optind);
}

int cmd_ss(int argc, char **argv)
{
    struct ss_ask ask = {.tcp = false};
    struct ss_sock *sock = NULL;
    int status = parse(&ask, argc, argv), n;

    if (status)
        return status;
    n = ss_gather(&ask, &sock);
    if (n < 0)
        return 1;
    if (ask.json)
        ss_print_json(sock, n);
    else if (ask.summary)
        ss_print_summary(sock, n);
    else
        ss_print(&ask, sock, n);
    free(sock);
    return 0;
}
