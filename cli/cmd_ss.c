/* weir ss: the sockets of all programs that run on weir, as ss(8) shows those of the kernel.
 *
 * Knows: the options. Not columns, not daemons. Shape: what was asked for is gathered, then one
 * printer runs. Units: none. Errors: exit 2 for bad usage, with the nearest word.
 * Cost: one question for each daemon. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/socket.h>

#include "cli/cli.h"
#include "cli/ss.h"
#include "run/run.h"

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

int cmd_ss(int argc, char **argv)
{
    struct ss_ask ask = {.tcp = false};
    struct ss_sock *sock;
    int status = parse(&ask, argc, argv), n;

    if (status)
        return status;
    n = ss_gather(&ask, &sock);
    if (ask.json)
        ss_print_json(sock, n);
    else if (ask.summary)
        ss_print_summary(sock, n);
    else
        ss_print(&ask, sock, n);
    free(sock);
    return 0;
}
