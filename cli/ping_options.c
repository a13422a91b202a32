/* The words of weir ping, after ping(8).
 *
 * Knows: options. Shape: each mistake is one line on stderr that says what to type instead.
 * Units: seconds as typed, ns after. Errors: exit status 2. Cost: none. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ping.h"

#define SECOND_NS 1000000000.0
#define INTERVAL_MIN 0.002

static const char usage[] =
    "usage: weir ping [OPTIONS] ADDRESS\n"
    "\n"
    "Sends ICMP echo requests from the stack of a running `weir run --link tap:NAME`, or, with\n"
    "--link, from a stack of its own.\n"
    "\n"
    "  -c COUNT        stop after COUNT replies\n"
    "  -i SECONDS      between requests (1; at least 0.002)\n"
    "  -W SECONDS      how long to wait for the last reply (10 where none came yet)\n"
    "  -w SECONDS      stop after that time\n"
    "  -s BYTES        of payload (56)\n"
    "  -t TTL          1 to 255\n"
    "  -q              the summary only\n"
    "  -n, -4, -6      accepted: addresses are numbers, and tell their family\n"
    "  -d RUN          which running stack (`weir ss --json` tells)\n"
    "  --link LINK     a stack of its own on this link: tap:NAME, packet:IF, xdp:IF, wire:NAME\n"
    "  --ip ADDR/BITS, --gw ADDR, --no-offload   see weir run --help\n"
    "  -h, --help      this text\n"
    "\n"
    "Exit status: 0 there were replies, 1 there were none, 2 anything else. Ctrl-C ends it with "
    "the\n"
    "summary.\n";

static const struct option long_options[] = {
    {"link", required_argument, NULL, LINK_OPTION},
    {"ip", required_argument, NULL, LINK_OPTION_IP},
    {"gw", required_argument, NULL, LINK_OPTION_GW},
    {"no-offload", no_argument, NULL, LINK_OPTION_NO_OFFLOAD},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};
static const char *const option_words[] = {"--link",       "--ip",   "--gw",
                                           "--no-offload", "--help", NULL};

int ping_mistake(const char *verb, const char *what, const char *text, const char *hint)
{
    fprintf(stderr, "weir: %s: %s '%s': %s\n", verb, what, text, hint);
    return 2;
}

/* What getopt_long did not take. */
static int refuse(const struct ping_options *o, int c, const char *word)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    char hint[64];

    snprintf(hint, sizeof hint, "see weir %s --help", o->verb);
    if (c == ':')
        return ping_mistake(o->verb, "no value for", word, hint);
    if (optopt > 0 && optopt < 256)
        return ping_mistake(o->verb, "unknown option", letter, hint);
    fprintf(stderr, "weir: %s: unknown option '%s': did you mean '%s'? (weir %s --help)\n", o->verb,
            word, nearest_word(word, option_words), o->verb);
    return 2;
}

int ping_take_shared(struct ping_options *o, int c)
{
    switch (c) {
    case 'd':
        o->daemon = optarg;
        return 0;
    case 'n':
    case '4':
    case '6':
        return 0;
    case 'h':
        fputs(o->usage, stdout);
        exit(0);
    default:
        return link_take(&o->link, c, optarg);
    }
}

int ping_read(struct ping_options *o, const char *letters,
              int (*take)(struct ping_options *o, int c), int argc, char **argv)
{
    int c, v;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        if (c == ':' || c == '?')
            return refuse(o, c, argv[optind - 1]);
        if ((v = take(o, c)) != 0)
            return v;
    }
    return 0;
}

static int mistake(const char *what, const char *text, const char *hint)
{
    return ping_mistake("ping", what, text, hint);
}

static int take_number(int c, long least, long most, long *out)
{
    char what[64], hint[64], *end;
    long n = strtol(optarg, &end, 10);

    *out = n;
    if (end != optarg && !*end && n >= least && n <= most)
        return 0;
    snprintf(what, sizeof what, "not a number for -%c", c);
    snprintf(hint, sizeof hint, "%ld to %ld", least, most);
    return mistake(what, optarg, hint);
}

static int take_seconds(int c, double least, int64_t *out)
{
    char what[64], hint[64], *end;
    double s = strtod(optarg, &end);

    if (end != optarg && !*end && s >= least && s <= 1e6) {
        *out = (int64_t)(s * SECOND_NS);
        return 0;
    }
    snprintf(what, sizeof what, "not seconds for -%c", c);
    snprintf(hint, sizeof hint, "%g to 1000000", least);
    return mistake(what, optarg, hint);
}

static int take(struct ping_options *o, int c)
{
    switch (c) {
    case 'c':
        return take_number(c, 1, 1000000000, &o->count);
    case 's':
        return take_number(c, 0, ECHO_DATA_MAX, &o->size);
    case 't':
        return take_number(c, 1, 255, &o->ttl);
    case 'i':
        return take_seconds(c, INTERVAL_MIN, &o->interval_ns);
    case 'W':
        return take_seconds(c, 0, &o->wait_ns);
    case 'w':
        return take_seconds(c, INTERVAL_MIN, &o->deadline_ns);
    case 'q':
        o->is_quiet = true;
        return 0;
    default:
        return ping_take_shared(o, c);
    }
}

static int check_link(const struct ping_options *o)
{
    if (o->link.link && !link_is_own(&o->link))
        return mistake("no ICMP on link", o->link.link, "as in --link tap:weir0");
    return o->link.link || o->link.prefix || o->link.has_gateway || o->link.no_offload
               ? link_check(&o->link)
               : 0;
}

int ping_take_options(struct ping_options *o, int argc, char **argv)
{
    int v;

    o->verb = "ping";
    o->lacks = "ICMP";
    o->usage = usage;
    if ((v = ping_read(o, ":c:i:W:w:s:t:d:qnh46", take, argc, argv)) != 0)
        return v;
    if (optind != argc - 1) {
        fprintf(stderr, "weir: ping wants one address, as in weir ping -c 3 10.77.0.1\n");
        return 2;
    }
    o->target = argv[optind];
    if (weir_addr_parse(&o->addr, o->target) < 0)
        return mistake("not an address", o->target, "as in weir ping -c 3 10.77.0.1");
    return check_link(o);
}
