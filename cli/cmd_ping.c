/* weir ping: echo requests from a running stack or one of its own, in the manner of ping(8).
 *
 * Knows: when to send and when to stop. Shape: one request an interval, whatever is replied; with
 * -c it ends when each has a reply or an error, or when the last was waited for. Units: ns.
 * Errors: exit 0 replies, 1 none, 2 anything else. Cost: one wait a reply. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/ping.h"

#define LINGER_NS 10000000000 /* for the last reply, where there was none before */

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal)
{
    (void)signal;
    is_interrupted = 1;
}

/* What is not answered yet will never be. */
static void fail_all(const struct ping_options *o, struct ping_stats *s, int error)
{
    if (s->judged < s->sent - ECHO_SENT)
        s->judged = s->sent - ECHO_SENT; /* those before are forgotten */
    while (s->judged < s->sent) {
        uint16_t seq = (uint16_t)++s->judged;
        if (!(s->seen[seq / 8] & 1u << seq % 8))
            ping_print_error(o, s, s->judged, error);
    }
}

static void send_next(const struct ping_options *o, struct ping_way *w, struct ping_stats *s,
                      int64_t now)
{
    uint16_t seq = (uint16_t)(s->sent + 1);
    int v;

    s->seen[seq / 8] &= (uint8_t) ~(1u << seq % 8);
    s->sent++;
    v = ping_way_send(w, o, seq);
    s->sent_ns = s->last_ns = now;
    if (v < 0)
        fail_all(o, s, -v);
}

static bool is_complete(const struct ping_options *o, const struct ping_stats *s)
{
    return o->count && s->received + s->errors >= o->count;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When there is something to do, if no reply comes before: send, or give up. */
static int64_t next_turn(const struct ping_options *o, const struct ping_stats *s, int64_t next,
                         int64_t end)
{
    int64_t wait_ns = o->wait_ns ? o->wait_ns : LINGER_NS;

    if (!o->count || s->sent < o->count)
        return earlier(next, end);
    if (end != WEIR_NEVER)
        return end;
    if (s->received) /* as ping(8): two round trips */
        wait_ns = 2 * (s->most_us > 500000 ? s->most_us : 500000) * 1000;
    return s->sent_ns + wait_ns;
}

static void take_reply(const struct ping_options *o, struct ping_stats *s,
                       const struct echo_reply *r)
{
    s->last_ns = weir_clock_ns();
    if (r->result < 0)
        fail_all(o, s, -r->result);
    else
        ping_print_reply(o, s, r);
}

/* 0, or -1: the way is gone. */
static int ping_all(const struct ping_options *o, struct ping_way *w, struct ping_stats *s)
{
    int64_t now = weir_clock_ns(), next = now;
    int64_t end = o->deadline_ns ? now + o->deadline_ns : WEIR_NEVER;
    struct echo_reply r;
    int v;

    s->begin_ns = s->last_ns = now;
    while (!is_interrupted && !is_complete(o, s)) {
        int64_t turn = next_turn(o, s, next, end);

        now = weir_clock_ns();
        if (now >= turn && (turn != next || now >= end))
            return 0;
        if (now >= turn) {
            send_next(o, w, s, now);
            next += o->interval_ns;
            continue;
        }
        v = ping_way_next(w, turn, &r);
        if (v < 0)
            return -1;
        if (v > 0)
            take_reply(o, s, &r);
    }
    return 0;
}

int cmd_ping(int argc, char **argv)
{
    static struct ping_options o = {.size = 56, .interval_ns = 1000000000};
    static struct ping_stats s;
    static struct ping_way w;
    struct sigaction on_sigint = {.sa_handler = interrupt};
    int v = ping_take_options(&o, argc, argv);

    if (v)
        return v;
    sigaction(SIGINT, &on_sigint, NULL);
    if ((v = ping_way_open(&w, &o)) == 0) {
        ping_print_head(&o);
        if (ping_all(&o, &w, &s) < 0) {
            fflush(stdout);
            fprintf(stderr, "weir: ping: the stack has ended\n");
            v = 2;
        }
        ping_print_summary(&o, &s);
        v = v ? v : s.received ? 0 : 1;
    }
    ping_way_close(&w);
    return v;
}
