/* weir ss: the sockets of all running stacks, in the manner of ss(8).
 *
 * Knows: the fields of RUN_SS. Shape: one line a socket; --json one object a line.
 * Units: bytes; ms for timers. Errors: 2 for a bad option. Cost: O(sockets). */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "weir/socket.h"

#define FIELDS 22

static struct {
    bool all, listening, tcp, udp, process, info, timers, no_header, json, summary;
    int count[16];
} show;

static const char *const ss_states[] = {
    "",          "ESTAB",  "SYN-SENT",   "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",
    "TIME-WAIT", "UNCONN", "CLOSE-WAIT", "LAST-ACK", "LISTEN",     "CLOSING",
};

static bool is_wanted(int protocol, int state)
{
    bool is_listening = state == WEIR_LISTEN || (protocol == 17 && state == WEIR_CLOSED);

    if ((show.tcp || show.udp) && !(protocol == 6 ? show.tcp : show.udp))
        return false;
    if (show.listening)
        return is_listening;
    return show.all || !is_listening;
}

static void print_json(char **f)
{
    static const char *const keys[FIELDS] = {
        "protocol", "state", "recv_q", "send_q", "local", "peer", "process", "pid", "timer",
        "timer_left_us", "timer_n", "cwnd", "ssthresh", "srtt_us", "rttvar_us", "rto_us", "mss",
        "in_flight", "bytes_acked", "bytes_received", "retrans", "segs_out"};
    json_t *o = json_object();
    char *text;

    for (int i = 0; i < FIELDS; i++) {
        bool is_text = i >= 4 && i <= 8 && i != 7;
        json_object_set_new(o, keys[i], is_text ? json_string(f[i]) : json_integer(atoll(f[i])));
    }
    json_object_set_new(o, "state", json_string(ss_states[atoi(f[1])]));
    json_object_set_new(o, "protocol", json_string(atoi(f[0]) == 6 ? "tcp" : "udp"));
    text = json_dumps(o, JSON_PRESERVE_ORDER);
    puts(text);
    free(text);
    json_decref(o);
}

static void print_line(char **f)
{
    printf("%-10s %-6s %-6s %22s %22s", ss_states[atoi(f[1])], f[2], f[3], f[4], f[5]);
    if (strcmp(f[6], "-") != 0)
        printf(" users:((\"%s\",pid=%s))", f[6], f[7]);
    if (show.timers && strcmp(f[8], "-") != 0)
        printf(" timer:(%s,%.3fs,%s)", f[8], (double)atoll(f[9]) / 1e6, f[10]);
    if (show.info && atoi(f[0]) == 6 && atoi(f[16]) > 0)
        printf("\n\t cwnd:%ld rtt:%.3f/%.3f rto:%.0f mss:%s unacked:%s bytes_acked:%s "
               "bytes_received:%s segs_out:%s retrans:%s",
               atol(f[11]) / atol(f[16]), atof(f[13]) / 1e3, atof(f[14]) / 1e3, atof(f[15]) / 1e3,
               f[16], f[17], f[18], f[19], f[21], f[20]);
    putchar('\n');
}

static void each_socket(const struct run_answer *a, void *arg)
{
    char copy[sizeof a->value], *f[FIELDS], *save = NULL;
    int n = 0, state;

    (void)arg;
    snprintf(copy, sizeof copy, "%s", (const char *)a->value);
    for (char *t = strtok_r(copy, "\t", &save); t && n < FIELDS; t = strtok_r(NULL, "\t", &save))
        f[n++] = t;
    if (n < FIELDS)
        return;
    state = atoi(f[1]);
    if (state < 1 || state > 11)
        return;
    show.count[state]++;
    if (show.summary || !is_wanted(atoi(f[0]), state))
        return;
    if (show.json)
        print_json(f);
    else
        print_line(f);
}

static int take_options(int argc, char **argv)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'J'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"summary", no_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "tualnpieomsHOh", longs, NULL)) != -1) {
        switch (c) {
        case 't': show.tcp = true; break;
        case 'u': show.udp = true; break;
        case 'a': show.all = true; break;
        case 'l': show.listening = true; break;
        case 'i': show.info = true; break;
        case 'o': show.timers = true; break;
        case 's': show.summary = true; break;
        case 'H': show.no_header = true; break;
        case 'J': show.json = true; break;
        case 'h':
            puts("usage: weir ss [-t] [-u] [-a] [-l] [-i] [-o] [-s] [-H] [--json]\n"
                 "Shows the sockets of all running `weir run`s, as ss(8) does.");
            exit(0);
        case '?':
            fprintf(stderr, "weir: ss knows no option '%s' (weir ss --help)\n", argv[optind - 1]);
            return 2;
        default: break; /* -n -p -e -m -O: that is how it is shown anyway */
        }
    }
    return 0;
}

int cmd_ss(int argc, char **argv)
{
    static char names[256][12];
    struct run_ask ask = {.op = RUN_SS};
    int v = take_options(argc, argv), n;

    if (v)
        return v;
    n = daemons_find(names, 256);
    if (!n)
        fprintf(stderr, "weir: no stack is running; start one: weir run -- PROGRAM\n");
    if (!show.no_header && !show.json && !show.summary)
        printf("%-10s %-6s %-6s %22s %22s Process\n", "State", "Recv-Q", "Send-Q",
               "Local Address:Port", "Peer Address:Port");
    for (int i = 0; i < n; i++)
        daemon_ask(names[i], &ask, each_socket, NULL);
    for (int i = 1; show.summary && i <= 11; i++)
        if (show.count[i])
            printf("%-10s %d\n", ss_states[i], show.count[i]);
    return 0;
}
