/* The packet-test language: the stack, the clock, and what is compared. See peer.h.
 *
 * Knows: the public interface; the stack's insides only to run its own checks after each verb.
 * Shape: one net (stack, clock, queue of what was sent) for each test; several peers may share it.
 * Units: ns inside, ms outside. Errors: a failure ends the test. Cost: none that matters. */
#include "peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "stack/stack.h"
#include "tcp/tcb.h"

#define HOST 0x0a000001u
#define PEER 0x0a000002u
#define STACK_PORT 80
#define PEER_PORT 4000
#define MS 1000000ll
#define QUEUE_MAX 256
#define NAMED_MAX 16
#define STEPS_MAX 100000

struct peer_net {
    struct weir_stack *stack;
    int ifindex;
    int64_t now_ns, began_ns;
    struct got queue[QUEUE_MAX];
    int queued;
    const char *named[NAMED_MAX]; /* counters that the test compared */
    int named_count;
    size_t bytes; /* held by the stack */
};

static struct peer_net *net_in_use; /* of the test that runs */

/* What does not happen unless a test says so. */
static const char *const anomalies[] = {
    "TcpAttemptFails",
    "TcpEstabResets",
    "TcpRetransSegs",
    "TcpInErrs",
    "TcpOutRsts",
    "TcpExtTCPTimeouts",
    "TcpExtTCPFastRetrans",
    "TcpExtTCPSlowStartRetrans",
    "TcpExtTCPRenoRecovery",
    "TcpExtTCPSackRecovery",
    "TcpExtTCPOFOQueue",
    "TcpExtTCPKeepAlive",
    "TcpExtTCPAbortOnTimeout",
    "TcpExtTCPAbortOnData",
    "TcpExtTCPAbortOnClose",
    "TcpExtTCPAbortOnLinger",
    "TcpExtTCPAbortOnMemory",
    "TcpExtTCPChallengeACK",
    "TcpExtListenOverflows",
    "TcpExtListenDrops",
    "TcpExtTCPTimeWaitOverflow",
    "TcpExtTWRecycled",
    "TcpExtPAWSEstab",
    "TcpExtTCPZeroWindowProbe",
    "TcpExtTCPReqQFullDrop",
    "TcpExtDelayedACKLost",
    "TcpExtTCPToZeroWindowAdv",
    "TcpExtTCPFromZeroWindowAdv",
};

/* -- the net ----------------------------------------------------------------------------------- */

static void *net_alloc(void *ctx, size_t bytes)
{
    ((struct peer_net *)ctx)->bytes += bytes;
    return malloc(bytes);
}

static void net_free(void *ctx, void *p, size_t bytes)
{
    ((struct peer_net *)ctx)->bytes -= bytes;
    free(p);
}

static void take_frame(struct peer_net *net, const struct weir_frame *f)
{
    uint8_t bytes[PEER_FRAME_MAX];
    uint32_t len = 0;
    struct got *g = &net->queue[net->queued];
    const char *wrong;

    assert_true(net->queued < QUEUE_MAX && weir_frame_len(f) <= sizeof bytes);
    for (int k = 0; k < f->parts; len += f->part[k++].len)
        memcpy(bytes + len, f->part[k].data, f->part[k].len);
    if ((wrong = peer_parse(bytes, len, g)))
        fail_msg("the stack sent %s", wrong);
    g->at_ns = net->now_ns;
    g->why = f->why;
    net->queued++;
}

/* Time is now; takes what the stack has to send, and lets it check itself. */
static void collect(struct peer_net *net)
{
    struct tcp *t = &net->stack->tcp;
    struct weir_frame burst[WEIR_BURST_MAX];
    int n;

    weir_advance(net->stack, net->now_ns);
    do {
        n = weir_output(net->stack, net->ifindex, burst, WEIR_BURST_MAX, net->now_ns);
        for (int i = 0; i < n; i++)
            take_frame(net, &burst[i]);
    } while (n == WEIR_BURST_MAX);
    for (uint32_t i = pool_next(&t->tcbs, 1); i; i = pool_next(&t->tcbs, i + 1))
        tcb_check(t, tcb_at(t, i));
}

static void step_to(struct peer_net *net, int64_t at_ns)
{
    int64_t due;

    for (int i = 0; (due = weir_deadline(net->stack)) <= at_ns; i++) {
        assert_true(i < STEPS_MAX); /* a deadline that nothing moves */
        if (due > net->now_ns)
            net->now_ns = due;
        collect(net);
    }
    net->now_ns = at_ns;
    collect(net);
}

void advance_ms(struct peer *p, int64_t ms)
{
    collect(p->net);
    step_to(p->net, p->net->now_ns + ms * MS);
}

int64_t peer_now_ms(const struct peer *p)
{
    return (p->net->now_ns - p->net->began_ns) / MS;
}

/* -- beginning and end --------------------------------------------------------------------------
 */

static void set_knob(struct peer_net *net, const char *name, const char *value)
{
    if (name && weir_knob_set(net->stack, name, value) != 0)
        fail_msg("knob %s = %s is refused", name, value);
}

struct peer peer_begin(const struct peer_config *c)
{
    struct peer_net *net = calloc(1, sizeof *net);
    struct weir_config config = {
        .seed = {1, 2}, .now_ns = 1000 * MS, .alloc = net_alloc, .free = net_free, .mem_ctx = net};
    struct weir_iface_config i = {
        .name = "peer", .type = WEIR_LINK_IP, .mtu = c->mtu ? c->mtu : 1500};
    struct weir_addr host = weir_addr_v4(HOST);
    struct peer p = {.net = net,
                     .isn = (uint32_t)-60,
                     .port = PEER_PORT,
                     .stack_port = STACK_PORT,
                     .sock = -1,
                     .listener = -1};

    assert_non_null(net);
    net_in_use = net;
    net->now_ns = net->began_ns = config.now_ns;
    p.stack = net->stack = weir_new(&config);
    assert_non_null(p.stack);
    net->ifindex = weir_iface_add(p.stack, &i);
    assert_int_equal(weir_addr_add(p.stack, net->ifindex, &host, 24), 0);
    set_knob(net, c->knob, c->value);
    set_knob(net, c->knob2, c->value2);
    return p;
}

struct peer peer_other(const struct peer *p, uint16_t port)
{
    struct peer q = {.net = p->net,
                     .stack = p->stack,
                     .isn = p->isn,
                     .port = port,
                     .stack_port = p->stack_port,
                     .sock = -1,
                     .listener = p->listener};

    return q;
}

static bool is_named(const struct peer_net *net, const char *name)
{
    for (int i = 0; i < net->named_count; i++)
        if (strcmp(net->named[i], name) == 0)
            return true;
    return false;
}

static void check_anomalies(const struct peer_net *net)
{
    bool is_one = false;

    for (size_t i = 0; i < sizeof anomalies / sizeof anomalies[0]; i++) {
        uint64_t n = weir_stat_by_name(net->stack, anomalies[i]);
        if (n && !is_named(net, anomalies[i])) {
            print_error("    expect_stat(&p, \"%s\", %llu);\n", anomalies[i],
                        (unsigned long long)n);
            is_one = true;
        }
    }
    if (is_one)
        fail_msg("the counters above moved and the test does not name them");
}

void peer_end(struct peer *p)
{
    struct peer_net *net = p->net;
    struct weir_account a;
    size_t left;

    expect_quiet_at(p, "at the end", 0);
    check_anomalies(net);
    weir_account(net->stack, &a);
    assert_int_equal(a.frames_in, a.delivered + a.answered + a.forwarded + a.parked + a.dropped);
    weir_free(net->stack);
    left = net->bytes;
    free(net);
    net_in_use = NULL;
    assert_int_equal(left, 0);
}

void peer_forget(void)
{
    if (!net_in_use)
        return;
    weir_free(net_in_use->stack);
    free(net_in_use);
    net_in_use = NULL;
}

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

/* -- in ---------------------------------------------------------------------------------------- */

static uint16_t input(struct peer *p, uint8_t *bytes, uint32_t len)
{
    struct weir_frame f = {.parts = 1, .part = {{bytes, len}}};

    weir_input(p->stack, p->net->ifindex, &f, 1, p->net->now_ns);
    collect(p->net);
    return f.why.verdict;
}

uint16_t inject_and_judge(struct peer *p, const struct segment *s)
{
    uint8_t frame[PEER_FRAME_MAX];

    collect(p->net);
    return input(p, frame, peer_build(p, s, frame));
}

void inject_segment(struct peer *p, const struct segment *s, const char *where, int line)
{
    uint16_t v = inject_and_judge(p, s);
    const char *got = v == PASS ? NULL : weir_drop_name(v - DROP_FIRST);

    if (!got != !s->drop || (got && strcmp(got, s->drop) != 0))
        fail_msg("%s:%d: the segment %s, wanted: %s", where, line, got ? got : "passes",
                 s->drop ? s->drop : "it passes");
}

void inject_icmp(struct peer *p, uint8_t type, uint8_t code, uint32_t rest, uint32_t seq)
{
    uint8_t b[IP4_LEN + ICMP_LEN + IP4_LEN + 8] = {0}, *quote = b + IP4_LEN + ICMP_LEN;
    uint32_t raw = p->stack_isn + seq;
    struct ip4 ip = {.hdr_len = IP4_LEN,
                     .ttl = 64,
                     .proto = PROTO_ICMP,
                     .src = PEER,
                     .dst = HOST,
                     .total_len = sizeof b};
    struct icmp4 icmp = {.type = type, .code = code, .rest = rest};

    collect(p->net);
    ip4_emit(b, &ip);
    icmp4_emit(b + IP4_LEN, &icmp);
    ip.proto = PROTO_TCP;
    ip.src = HOST;
    ip.dst = PEER;
    ip.total_len = 1500;
    ip4_emit(quote, &ip);
    for (int i = 0; i < 4; i++)
        quote[IP4_LEN + 4 + i] = (uint8_t)(raw >> 8 * (3 - i));
    quote[IP4_LEN] = (uint8_t)(p->stack_port >> 8);
    quote[IP4_LEN + 1] = (uint8_t)p->stack_port;
    quote[IP4_LEN + 2] = (uint8_t)(p->port >> 8);
    quote[IP4_LEN + 3] = (uint8_t)p->port;
    icmp4_seal(b + IP4_LEN, sizeof b - IP4_LEN);
    assert_int_equal(input(p, b, sizeof b), PASS);
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

    collect(net);
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
        step_to(net, due > net->now_ns ? due : net->now_ns);
    }
    if (!net->queued)
        step_to(net, end);
    if (net->queued && net->now_ns != end)
        print_error("%.3f ms too early:\n", (double)(end - net->now_ns) / (double)MS);
    if (!net->queued || net->now_ns != end)
        fail_segment(p, want, net->queued ? &net->queue[0] : NULL, where, line);
    expect_segment(p, want, where, line);
}

void expect_quiet_at(struct peer *p, const char *where, int line)
{
    struct peer_net *net = p->net;

    collect(net);
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

void expect_stat_at(struct peer *p, const char *name, uint64_t n, const char *where, int line)
{
    uint64_t got = weir_stat_by_name(p->stack, name);

    if (!is_named(p->net, name)) {
        assert_true(p->net->named_count < NAMED_MAX);
        p->net->named[p->net->named_count++] = name;
    }
    if (got != n)
        fail_msg("%s:%d: %s is %llu, wanted %llu", where, line, name, (unsigned long long)got,
                 (unsigned long long)n);
}
