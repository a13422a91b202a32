/* weir ping: echo requests from a running stack, in the manner of ping(8).
 *
 * Knows: RUN_PING. Shape: one question a request. Units: ms. Errors: exit 1 no reply, 2 otherwise.
 * Cost: one exchange a request. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/addr.h>

#include "cli/cli.h"

struct ping_options {
    long count, size, wait_ms;
    double interval;
    bool is_quiet;
    const char *daemon;
};

static int take_options(struct ping_options *o, int argc, char **argv)
{
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt(argc, argv, "c:i:W:s:d:qnh46t:")) != -1) {
        switch (c) {
        case 'c':
            o->count = atol(optarg);
            break;
        case 'i':
            o->interval = atof(optarg);
            break;
        case 'W':
            o->wait_ms = (long)(atof(optarg) * 1000);
            break;
        case 's':
            o->size = atol(optarg);
            break;
        case 'd':
            o->daemon = optarg;
            break;
        case 'q':
            o->is_quiet = true;
            break;
        case 'h':
            puts("usage: weir ping [-c COUNT] [-i SECONDS] [-W SECONDS] [-s BYTES] [-q] ADDRESS\n"
                 "Sends echo requests from the stack of a running `weir run`.");
            exit(0);
        case '?':
            fprintf(stderr, "weir: ping knows no option '%s' (weir ping -h)\n", argv[optind - 1]);
            return 2;
        default:
            break;
        }
    }
    return 0;
}

static int ping_all(const struct ping_options *o, struct run_ask *ask, const char *target)
{
    long got = 0, sent = 0;
    double least = 1e9, most = 0, sum = 0;

    for (; sent < o->count; sent++) {
        double ms;
        int v;
        ask->number = (int32_t)sent + 1;
        if (sent)
            poll(NULL, 0, (int)(o->interval * 1000));
        v = daemon_ask(o->daemon, ask, NULL, NULL);
        if (v < 0) {
            if (v != -ETIMEDOUT)
                printf("From %s: icmp_seq=%ld %s\n", target, sent + 1, strerror(-v));
            continue;
        }
        got++;
        ms = v / 1e3;
        sum += ms;
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
        if (!o->is_quiet)
            printf("%ld bytes from %s: icmp_seq=%ld time=%.3f ms\n", o->size + 8, target, sent + 1,
                   ms);
        fflush(stdout);
    }
    printf(
        "\n--- %s ping statistics ---\n%ld packets transmitted, %ld received, %.0f%% packet loss\n",
        target, sent, got, sent ? 100.0 * (double)(sent - got) / (double)sent : 0);
    if (got)
        printf("rtt min/avg/max = %.3f/%.3f/%.3f ms\n", least, sum / (double)got, most);
    return got ? 0 : 1;
}

int cmd_ping(int argc, char **argv)
{
    static char names[64][12];
    struct ping_options o = {.count = 4, .size = 56, .wait_ms = 1000, .interval = 1};
    struct run_ask ask = {.op = RUN_PING};
    int v = take_options(&o, argc, argv);

    if (v)
        return v;
    if (optind >= argc || weir_addr_parse(&ask.addr.addr, argv[optind]) < 0) {
        fprintf(stderr, "weir: ping wants an address, as in weir ping -c 3 10.77.0.1\n");
        return 2;
    }
    if (!o.daemon && daemons_find(names, 64) < 1) {
        fprintf(stderr,
                "weir: no stack is running; start one: weir run --link tap:weir0 -- PROGRAM\n");
        return 2;
    }
    o.daemon = o.daemon ? o.daemon : names[0];
    ask.addr.family = 4;
    ask.level = (int32_t)o.wait_ms;
    ask.value_len = (uint32_t)o.size;
    printf("PING %s: %ld data bytes\n", argv[optind], o.size);
    return ping_all(&o, &ask, argv[optind]);
}
