/* The packet-test language: what is compared, and what a failure says. See peer.h.
 *
 * Knows: the queue of what the stack sent. Shape: an expectation takes the oldest segment.
 * Units: ns inside, ms outside. Errors: a failure ends the test. Cost: none that matters. */
#include <stdio.h>
#include <string.h>

#include "peer_net.h"

/* -- failures ---------------------------------------------------------------------------------- */

/* What was wanted, what came, what else waits. */
static void fail_segment(struct peer *p, const struct segment *want, const struct got *got,
                         const char *where, int line)
{
    char text[256] = "nothing", why[64];
    struct segment s;

    if (want)
        peer_print_segment(want, text, sizeof text);
    print_error("%s:%d at %lld ms in %s\n  wanted: %s\n", where, line, (long long)peer_now_ms(p),
                weir_state_name(peer_state(p)), text);
    if (got) {
        peer_relative(p, got, &s);
        peer_print_segment(&s, text, sizeof text);
        print_error("  got:    %s (%s), sent at %lld ms\n", text,
                    weir_why_text(&got->why, why, sizeof why) ? why : "-",
                    (long long)((got->at_ns - p->net->began_ns) / MS));
    } else {
        print_error("  got:    nothing\n");
    }
    for (int i = 0; i < p->net->queued && i < 8; i++) {
        peer_relative(p, &p->net->queue[i], &s);
        peer_print_segment(&s, text, sizeof text);
        print_error("  then:   %s\n", text);
    }
    fail_msg("%s:%d: not the segment that was wanted", where, line);
}

/* -- out --------------------------------------------------------------------------------------- */

static int find_queued(const struct peer *p)
{
    for (int i = 0; i < p->net->queued; i++)
        if (p->net->queue[i].h.dport == p->port)
            return i;
    return -1;
}

bool peer_next(struct peer *p, struct got *out)
{
    struct peer_net *net = p->net;
    int i;

    peer_collect(net);
    if ((i = find_queued(p)) < 0)
        return false;
    *out = net->queue[i];
    net->queued--;
    memmove(&net->queue[i], &net->queue[i + 1], (size_t)(net->queued - i) * sizeof net->queue[0]);
    if (out->h.flags & SYN && !p->has_isn) {
        p->stack_isn = out->h.seq.v;
        p->ts_first = out->h.opt.tsval - 1;
        p->has_isn = true;
        p->stack_port = out->h.sport;
    }
    return true;
}

static bool are_sacks_equal(const struct segment *got, const struct segment *want)
{
    int n = 0;

    if (want->sacks == NO_SACK)
        return got->sacks == NO_SACK;
    while (n < TCP_SACK_MAX && want->sack[n].end)
        n++;
    return n == 0 || (got->sacks == n && memcmp(got->sack, want->sack, sizeof got->sack) == 0);
}

static bool is_equal(const struct segment *got, const struct segment *want)
{
    uint8_t compared = (uint8_t) ~(want->flags & PSH ? 0 : PSH);
    const uint32_t pairs[][2] = {
        {got->seq, want->seq},
        {got->ack, want->ack},
        {got->len, want->len},
        {got->wnd, want->wnd ? want->wnd : ANY},
        {got->urg, want->flags & URG ? want->urg : ANY},
        {got->ecn, want->ecn ? want->ecn : ANY},
        {got->ae, want->ae},
        {got->accs, want->accs ? want->accs : ANY},
        {got->is_acc_1, want->accs ? want->is_acc_1 : ANY},
        {got->mss, want->mss ? want->mss : ANY},
        {got->wscale, want->wscale ? want->wscale : ANY},
        {got->sack_ok, want->sack_ok ? 1 : ANY},
        {got->has_ts, want->has_ts ? 1 : ANY},
        {got->tsval, want->tsval ? want->tsval : ANY},
        {got->tsecr, want->tsecr ? want->tsecr : ANY},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (pairs[i][1] != ANY && pairs[i][0] != pairs[i][1])
            return false;
    if (want->accs && memcmp(got->acc, want->acc, sizeof got->acc) != 0)
        return false;
    return (got->flags & compared) == (want->flags & compared) && are_sacks_equal(got, want);
}

void expect_segment(struct peer *p, const struct segment *want, const char *where, int line)
{
    struct got g;
    struct segment s;

    if (!peer_next(p, &g))
        fail_segment(p, want, NULL, where, line);
    peer_relative(p, &g, &s);
    if (!is_equal(&s, want))
        fail_segment(p, want, &g, where, line);
    for (uint32_t i = 0; i < g.len; i++)
        if (g.text[i] != peer_byte(true, s.seq + i))
            fail_msg("%s:%d: byte %u of the text is not what was written", where, line, i);
}

void expect_segment_after(struct peer *p, int64_t ms, const struct segment *want, const char *where,
                          int line)
{
    struct peer_net *net = p->net;
    int64_t end = net->now_ns + ms * MS, due;

    expect_quiet_at(p, where, line);
    for (int i = 0; !net->queued && (due = weir_deadline(net->stack)) <= end; i++) {
        assert_true(i < STEPS_MAX);
        peer_step_to(net, due > net->now_ns ? due : net->now_ns);
    }
    if (!net->queued)
        peer_step_to(net, end);
    if (net->queued && net->now_ns != end)
        print_error("%.3f ms too early:\n", (double)(end - net->now_ns) / (double)MS);
    if (!net->queued || net->now_ns != end)
        fail_segment(p, want, net->queued ? &net->queue[0] : NULL, where, line);
    expect_segment(p, want, where, line);
}

void expect_quiet_at(struct peer *p, const char *where, int line)
{
    struct peer_net *net = p->net;

    peer_collect(net);
    if (net->queued)
        fail_segment(p, NULL, &net->queue[0], where, line);
}

int peer_state(struct peer *p)
{
    struct weir_sock_info info;
    uint64_t cursor = 0;
    int state = 0;

    while (weir_info_next(p->stack, &cursor, &info))
        if (info.state != WEIR_LISTEN && info.peer.port == p->port &&
            (state == 0 || info.state != WEIR_CLOSED))
            state = info.state;
    return state;
}

void expect_state_at(struct peer *p, int state, const char *where, int line)
{
    int got = peer_state(p);

    if (got != state)
        fail_msg("%s:%d: state %s, wanted %s", where, line, weir_state_name(got),
                 weir_state_name(state));
}

void expect_path_at(struct peer *p, const char *path, const char *where, int line)
{
    struct peer_net *net = p->net;
    char got[512] = "";
    int kept = 0;

    peer_collect(net);
    for (int i = 0; i < net->changes_count; i++) {
        if (net->changes[i].peer.port != p->port) {
            net->changes[kept++] = net->changes[i];
            continue;
        }
        strcat(got, got[0] ? " " : "");
        strcat(got, weir_state_name(net->changes[i].why.to));
        assert_true(strlen(got) < sizeof got - 32);
    }
    net->changes_count = kept;
    if (strcmp(got, path) != 0)
        fail_msg("%s:%d: the path was %s, wanted %s", where, line, got, path);
}

void expect_stat_at(struct peer *p, const char *name, uint64_t n, const char *where, int line)
{
    uint64_t got = weir_stat_by_name(p->stack, name);

    if (!peer_is_named(p->net, name)) {
        assert_true(p->net->named_count < NAMED_MAX);
        p->net->named[p->net->named_count++] = name;
    }
    if (got != n)
        fail_msg("%s:%d: %s is %llu, wanted %llu", where, line, name, (unsigned long long)got,
                 (unsigned long long)n);
}
