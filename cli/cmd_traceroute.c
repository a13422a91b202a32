/* weir traceroute: who stands on the way, after traceroute(8).
 *
 * Knows: hops and their lines. Shape: up to UNDER_WAY probes are out at a time; a hop's line is
 * printed when all of its probes are over, in order. Units: ns. Errors: exit 0 done, 1 the target
 * did not answer, 2 anything else. Cost: O(probes). 792, 1393 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/trace.h"

#define UNDER_WAY 16
#define ECHO_HEAD 8
#define UDP_HEAD 8

struct tracing {
    const struct trace_options *o;
    struct trace_way way;
    struct trace_fate fate[TRACE_HOPS_MAX * TRACE_QUERIES_MAX];
    int all;  /* probes that there may be */
    int sent; /* so many went out */
    int under_way;
    int hop_shown; /* hops printed */
    bool is_reached, is_stopped;
};

/* -- lines ------------------------------------------------------------------------------------- */

/* What the ICMP error says beyond "its time was over". */
static void print_note(const struct trace_options *o, const struct probe_answer *a)
{
    static const char *const v4[] = {"!N", "!H", "!P", "", "!F", "!S"};
    static const char *const v6[] = {"!N", "!X", "!S", "!H", ""};
    bool is_v4 = weir_addr_is_v4(&o->way.addr);

    if (a->type != (is_v4 ? 3 : 1))
        return;
    if (is_v4 && (a->code == 9 || a->code == 10 || a->code == 13))
        fputs(" !X", stdout);
    else if (a->code >= (is_v4 ? 6 : 5))
        printf(" !<%u>", a->code);
    else if (*(is_v4 ? v4 : v6)[a->code])
        printf(" %s", (is_v4 ? v4 : v6)[a->code]);
}

static void print_hop(const struct tracing *t, int hop)
{
    struct weir_addr last = {.w = {0}};
    char text[WEIR_ADDR_TEXT];
    bool has_last = false;

    printf("%2ld ", hop + t->o->first);
    for (int i = 0; i < t->o->queries; i++) {
        const struct trace_fate *f = &t->fate[hop * t->o->queries + i];
        if (f->failure) {
            printf(" !%s", strerror(-f->failure));
        } else if (!f->is_answered) {
            fputs(" *", stdout);
        } else {
            if (!has_last || !weir_addr_equal(&last, &f->answer.from))
                printf(" %s ", weir_addr_text(&f->answer.from, text));
            last = f->answer.from;
            has_last = true;
            printf(" %.3f ms", f->answer.rtt_us / 1000.0);
            print_note(t->o, &f->answer);
        }
    }
    putchar('\n');
    fflush(stdout);
}

/* An error that ends the way, though the target did not answer. */
static bool ends_here(const struct probe_answer *a, bool is_v4)
{
    return a->is_reached || a->type == (is_v4 ? 3 : 1);
}

/* Prints the hops whose probes are all over; true: it was the last one. */
static bool print_ready(struct tracing *t)
{
    int q = (int)t->o->queries;

    while (t->hop_shown < t->all / q) {
        bool is_last = false;
        for (int i = 0; i < q; i++) {
            const struct trace_fate *f = &t->fate[t->hop_shown * q + i];
            if (!f->is_over)
                return false;
            if (f->is_answered && ends_here(&f->answer, weir_addr_is_v4(&t->o->way.addr)))
                is_last = true;
            t->is_reached |= f->is_answered && f->answer.is_reached;
        }
        print_hop(t, t->hop_shown++);
        if (is_last)
            return true;
    }
    return true;
}

/* -- probes ------------------------------------------------------------------------------------ */

static uint16_t data_bytes(const struct trace_options *o)
{
    long head = weir_addr_is_v4(&o->way.addr) ? 20 : 40;

    head += o->kind == PROBE_UDP ? UDP_HEAD : ECHO_HEAD;
    return o->kind == PROBE_TCP || o->size < head ? 0 : (uint16_t)(o->size - head);
}

static void send_next(struct tracing *t)
{
    const struct trace_options *o = t->o;
    int n = t->sent++;
    struct trace_fate *f = &t->fate[n];
    struct probe_wish w = {.to = o->way.addr,
                           .kind = o->kind,
                           .port = (uint16_t)o->port,
                           .ttl = (uint8_t)(o->first + n / o->queries),
                           .bytes = data_bytes(o)};

    if (o->kind == PROBE_UDP)
        w.port = (uint16_t)(o->port + n);
    if (o->kind == PROBE_ICMP)
        w.port = (uint16_t)(n + 1);
    f->sent_at = weir_clock_ns();
    f->failure = trace_way_send(&t->way, n, &w);
    f->is_over = f->failure < 0;
    t->under_way += !f->is_over;
}

/* Probes that waited long enough are over. When the next one will have. */
static int64_t expire(struct tracing *t, int64_t now)
{
    int64_t next = now + t->o->wait_ns;

    for (int i = 0; i < t->sent; i++) {
        struct trace_fate *f = &t->fate[i];
        if (f->is_over)
            continue;
        if (now - f->sent_at >= t->o->wait_ns) {
            f->is_over = true;
            t->under_way--;
        } else if (f->sent_at + t->o->wait_ns < next) {
            next = f->sent_at + t->o->wait_ns;
        }
    }
    return next;
}

/* 1 an answer or a timeout, 0 a signal, -1 the way is gone. */
static int take_next(struct tracing *t, int64_t until)
{
    struct trace_fate fate = {.is_answered = false};
    int number = 0, v = trace_way_next(&t->way, until, &number, &fate);
    struct trace_fate *f;

    if (v <= 0)
        return v < 0 ? -1 : weir_clock_ns() >= until;
    if (number >= t->sent || t->fate[number].is_over)
        return 1;
    f = &t->fate[number];
    f->is_over = true;
    f->is_answered = fate.is_answered;
    f->failure = fate.failure;
    f->answer = fate.answer;
    if (f->answer.is_reached && weir_addr_is_any(&f->answer.from))
        f->answer.from = t->o->way.addr;
    t->under_way--;
    return 1;
}

static int run(struct tracing *t)
{
    int v = 1;

    while (v > 0) {
        while (t->sent < t->all && t->under_way < UNDER_WAY)
            send_next(t);
        v = take_next(t, expire(t, weir_clock_ns()));
        expire(t, weir_clock_ns());
        if (v > 0 && print_ready(t))
            break;
    }
    if (v < 0)
        fputs("weir: traceroute: the stack went away\n", stderr);
    return v < 0 ? 2 : t->is_reached ? 0 : 1;
}

int cmd_traceroute(int argc, char **argv)
{
    struct trace_options o = {.first = 1, .most = 30, .queries = 3, .size = 60};
    struct tracing *t = calloc(1, sizeof *t);
    int v = t ? trace_take_options(&o, argc, argv) : 2;

    if (v) {
        free(t);
        return v;
    }
    t->o = &o;
    t->all = (int)((o.most - o.first + 1) * o.queries);
    v = ping_way_open(&t->way.way, &o.way);
    if (v == 0) {
        printf("traceroute to %s (%s), %ld hops max, %ld byte packets\n", o.way.target,
               o.way.target, o.most, o.size);
        v = run(t);
    }
    ping_way_close(&t->way.way);
    free(t);
    return v;
}
