/* The words of weir traceroute, after traceroute(8).
 *
 * Knows: options. Shape: each mistake is one line on stderr that says what to type instead.
 * Units: seconds as typed, ns after. Errors: exit status 2. Cost: none. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trace.h"

#define UDP_PORT 33434
#define TCP_PORT 80

static const char usage[] =
    "usage: weir traceroute [OPTIONS] ADDRESS\n"
    "\n"
    "Shows the routers on the way to ADDRESS, from the stack of a running `weir run --link\n"
    "tap:NAME`, or, with --link, from a stack of its own.\n"
    "\n"
    "  -U, -I, -T      by UDP to ports where nobody listens (as it is), ICMP echo, TCP's SYN\n"
    "  -f FIRST        TTL to begin with (1);  -m MOST  to end with (30)\n"
    "  -q N            probes of each TTL (3)\n"
    "  -w SECONDS      to wait for an answer (5)\n"
    "  -p PORT         UDP: of the first probe (33434); TCP: of all (80)\n"
    "  -n, -4, -6      accepted: addresses are numbers, and tell their family\n"
    "  -d RUN          which running stack (`weir ss --json` tells)\n"
    "  --link LINK     a stack of its own on this link: tap:NAME, packet:IF, xdp:IF, wire:NAME\n"
    "  --ip ADDR/BITS, --gw ADDR, --no-offload   see weir run --help\n"
    "  -h, --help      this text\n"
    "\n"
    "A packet's size may follow the address (60). Notes behind a time: !N !H !P network, host,\n"
    "protocol unreachable, !F needs fragmentation, !X prohibited, !<N> another code.\n"
    "Exit status: 0 ADDRESS answered, 1 it did not, 2 anything else.\n";

static int mistake(const char *what, const char *text, const char *hint)
{
    return ping_mistake("traceroute", what, text, hint);
}

static int take_number(const char *what, const char *text, long least, long most, long *out)
{
    char hint[64], *end;

    *out = strtol(text, &end, 10);
    if (end != text && !*end && *out >= least && *out <= most)
        return 0;
    snprintf(hint, sizeof hint, "%ld to %ld", least, most);
    return mistake(what, text, hint);
}

static int take(struct ping_options *way, int c)
{
    struct trace_options *o = (struct trace_options *)way;
    long seconds;
    int v;

    switch (c) {
    case 'U':
    case 'I':
    case 'T':
        o->kind = c == 'U' ? PROBE_UDP : c == 'I' ? PROBE_ICMP : PROBE_TCP;
        return 0;
    case 'f':
        return take_number("no TTL for -f", optarg, 1, TRACE_HOPS_MAX, &o->first);
    case 'm':
        return take_number("no TTL for -m", optarg, 1, TRACE_HOPS_MAX, &o->most);
    case 'q':
        return take_number("no number for -q", optarg, 1, TRACE_QUERIES_MAX, &o->queries);
    case 'p':
        return take_number("no port for -p", optarg, 1, 65535, &o->port);
    case 'w':
        v = take_number("no seconds for -w", optarg, 1, 3600, &seconds);
        o->wait_ns = seconds * 1000000000;
        return v;
    default:
        return ping_take_shared(way, c);
    }
}

static int take_target(struct trace_options *o, int n, char **words)
{
    if (n < 1 || n > 2) {
        fputs("weir: traceroute wants an address, as in weir traceroute 10.0.4.2\n", stderr);
        return 2;
    }
    o->way.target = words[0];
    o->way.lacks = o->kind == PROBE_UDP ? NULL : o->kind == PROBE_ICMP ? "ICMP" : "TTL of TCP";
    if (weir_addr_parse(&o->way.addr, words[0]) < 0)
        return mistake("not an address", words[0], "as in weir traceroute 10.0.4.2");
    if (n == 2 && take_number("no packet size", words[1], 28, PROBE_DATA_MAX, &o->size))
        return 2;
    if (o->first > o->most)
        return mistake("-f is above -m:", words[0], "no TTL is left to try");
    if (!o->port)
        o->port = o->kind == PROBE_TCP ? TCP_PORT : UDP_PORT;
    if (o->way.link.link && !link_is_own(&o->way.link))
        return mistake("no routers on link", o->way.link.link, "as in --link tap:weir0");
    return o->way.link.link ? link_check(&o->way.link) : 0;
}

int trace_take_options(struct trace_options *o, int argc, char **argv)
{
    int v;

    o->wait_ns = 5000000000;
    o->way.verb = "traceroute";
    o->way.usage = usage;
    if ((v = ping_read(&o->way, ":UITf:m:q:w:p:d:n46h", take, argc, argv)) != 0)
        return v;
    return take_target(o, argc - optind, argv + optind);
}
