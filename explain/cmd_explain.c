/* weir explain: reads a capture once, and says what became of its connections.
 *
 * Knows: the options; file, frame, table, report. Shape: packet, segment, connection, report; a
 * connection is reported when it is over. Units: none. Errors: exit 1 where something is wrong in
 * the capture or with the file, 2 for bad usage or no capture. Cost: O(packets). */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "explain/tell.h"

#define TOP 20

static const char help[] =
    "Usage: weir explain FILE [host ADDRESS] [port PORT]\n\n"
    "Says of each TCP connection of a capture (pcap or pcapng; - is standard input) what became "
    "of\n"
    "it and why: who opened, who closed, what was sent again and why, closed windows, resets.\n\n"
    "  -n, --top N       the N worst connections (20); 0: all\n"
    "  -l, --ladder N    connection N, segment by segment\n"
    "  -j, --json        one JSON object; seconds, bytes\n"
    "  -H, --html PAGE   also a page with the connections of --top: ladder, states, curves, in "
    "one\n"
    "                    file\n"
    "  host, port        only connections of which one end has this address, this port\n\n"
    "Exit status: 0 all is fine or only slow, 1 a connection failed or the file is damaged, 2 bad\n"
    "usage or no capture.\n\n"
    "  weir explain trace.pcap host 10.0.0.7 port 443\n"
    "  tcpdump -w - tcp | weir explain -\n";

static const struct option options[] = {
    {"top", required_argument, NULL, 'n'}, {"ladder", required_argument, NULL, 'l'},
    {"json", no_argument, NULL, 'j'},      {"html", required_argument, NULL, 'H'},
    {"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0},
};

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "weir: %s '%s': see weir explain --help\n", what, word);
    return 2;
}

static bool number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 10);
    return end != text && !*end && *text != '-' && *out <= most;
}

static int parse_filter(struct ask *ask, char **word, int n)
{
    uint64_t port;

    for (int i = 0; i < n; i += 2) {
        if (strcmp(word[i], "and") == 0 && i + 1 < n) {
            i--;
            continue;
        }
        if (i + 1 == n)
            return usage("a filter is 'host ADDRESS' or 'port PORT', not", word[i]);
        if (strcmp(word[i], "host") == 0) {
            ask->has_host = weir_addr_parse(&ask->host, word[i + 1]) == 0;
            if (!ask->has_host)
                return usage("no address:", word[i + 1]);
        } else if (strcmp(word[i], "port") == 0) {
            if (!number(word[i + 1], 65535, &port) || !port)
                return usage("no port:", word[i + 1]);
            ask->port = (int)port;
        } else {
            return usage("a filter is 'host ADDRESS' or 'port PORT', not", word[i]);
        }
    }
    return 0;
}

/* 0 go on; -1: help was given; else the exit status. */
static int parse(struct ask *ask, int argc, char **argv)
{
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "n:l:jH:h", options, NULL)) != -1) {
        switch (c) {
        case 'n':
            if (!number(optarg, UINT64_MAX, &ask->top))
                return usage("no number:", optarg);
            break;
        case 'l':
            if (!number(optarg, UINT64_MAX, &ask->ladder) || !ask->ladder)
                return usage("no connection's number:", optarg);
            break;
        case 'j':
            ask->is_json = true;
            break;
        case 'H':
            ask->html = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            return -1;
        default:
            return usage("unknown option, or one without its number:", argv[optind - 1]);
        }
    }
    if (optind == argc) {
        fputs(help, stderr);
        return 2;
    }
    ask->path = argv[optind];
    if (ask->html && strcmp(ask->path, "-") == 0)
        return usage("--html reads the capture twice: write it to a file first, not", ask->path);
    return parse_filter(ask, argv + optind + 1, argc - optind - 1);
}

/* -- reading ----------------------------------------------------------------------------------- */

static bool is_wanted(const struct ask *a, const struct segment *s)
{
    if (a->port && s->h.sport != a->port && s->h.dport != a->port)
        return false;
    return !a->has_host || weir_addr_equal(&a->host, &s->src) || weir_addr_equal(&a->host, &s->dst);
}

static void count_packet(struct summary *sum, const struct packet *p, enum frame_kind kind)
{
    if (!sum->packets++)
        sum->first_at = sum->last_at = p->at_ns;
    if (p->at_ns > sum->last_at)
        sum->last_at = p->at_ns;
    sum->others += kind == FRAME_OTHER;
    sum->fragments += kind == FRAME_FRAGMENT;
    sum->shorts += kind == FRAME_SHORT;
    sum->unknown_link += kind == FRAME_UNKNOWN_LINK;
}

/* tell: what the page is made of; NULL in the first reading. */
static bool take(struct report *r, struct conns *t, const struct segment *s, struct tell *tell)
{
    int from;
    struct conn *c = conns_find(t, s, &from);
    bool is_first;
    unsigned remarks;

    if (!c)
        return false;
    if (s->iface != c->iface) { /* the same ones at another place, mostly */
        c->elsewhere++;
        r->sum.elsewhere++;
        return true;
    }
    r->sum.segments++;
    is_first = !c->end[0].segments && !c->end[1].segments;
    remarks = conn_take(c, from, s);
    if (tell && !tell_take(tell, c, s, remarks))
        return false;
    if (c->number == r->ask->ladder && !tell) {
        if (is_first)
            rungs_head(r->to, c);
        rungs_line(r->to, c, s, remarks);
    }
    conns_touch(t, c);
    return true;
}

static void on_end(void *arg, struct conn *c)
{
    page_add(arg, c);
}

static void on_end_again(void *arg, struct conn *c)
{
    (void)arg;
    free(c);
}

static bool read_all(struct report *r, struct file *f, struct tell *tell)
{
    struct conns t = {.on_end = tell ? on_end_again : on_end, .arg = r};
    struct segment s;
    struct packet p;
    bool is_good = conns_begin(&t);

    while (is_good && cap_next(f, &p)) {
        enum frame_kind kind = frame_read(&s, &p);
        count_packet(&r->sum, &p, kind);
        if (kind == FRAME_TCP && is_wanted(r->ask, &s))
            is_good = take(r, &t, &s, tell);
    }
    if (!is_good)
        fputs("weir: no memory for another connection\n", stderr);
    conns_finish(&t);
    return is_good;
}

/* Only the first reading knows which connections are worth telling of; the second tells. */
static bool write_page(const struct report *r, const struct file *first)
{
    struct report again = {.ask = r->ask, .to = r->to};
    struct tell t;
    struct file f;
    char error[160];
    bool is_good;

    if (!cap_open(&f, r->ask->path, error, sizeof error)) {
        fprintf(stderr, "weir explain: %s: %s\n", r->ask->path, error);
        return false;
    }
    is_good = tell_begin(&t, r) && read_all(&again, &f, &t) && tell_end(&t) &&
              tell_page(&t, r, first) == 0;
    tell_free(&t);
    cap_close(&f);
    return is_good;
}

static int explain(struct report *r, struct file *f)
{
    bool is_good;

    if (r->ask->is_json)
        page_json_begin(r, f);
    is_good = read_all(r, f, NULL);
    if (r->ask->is_json)
        page_json_end(r, f);
    else if (!r->ask->ladder)
        page_print(r, f);
    else if (r->ask->ladder > r->sum.connections)
        fprintf(stderr, "weir: no connection %llu: the last one is %llu\n",
                (unsigned long long)r->ask->ladder, (unsigned long long)r->sum.connections);
    if (r->ask->ladder && f->trouble[0])
        fprintf(stderr, "weir: the file could be read in part only: %s\n", f->trouble);
    if (is_good && r->ask->html && !write_page(r, f))
        return 2;
    return !is_good || r->sum.by_severity[FAILED] || f->trouble[0] ? 1 : 0;
}

int cmd_explain(int argc, char **argv)
{
    struct ask ask = {.top = TOP};
    struct report r = {.ask = &ask, .to = stdout};
    struct file f;
    char error[160];
    int status = parse(&ask, argc, argv);

    if (status)
        return status < 0 ? 0 : status;
    if (!cap_open(&f, ask.path, error, sizeof error)) {
        fprintf(stderr, "weir: %s: %s\n", ask.path, error);
        return 2;
    }
    status = explain(&r, &f);
    page_free(&r);
    cap_close(&f);
    return status;
}
