/* The packet-test language: the stack, the clock, and what is compared. See peer.h.
 *
 * Knows: the public interface; the stack's insides only to run its own checks after each verb.
 * Shape: one net (stack, clock, queue of what was sent) for each test; several peers may share it.
 * Units: ns inside, ms outside. Errors: a failure ends the test. Cost: none that matters. */
#include "peer_net.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "stack/stack.h"
#include "tcp/tcb.h"

#define STACK_PORT 80
#define PEER_PORT 4000

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
    "TcpExtTCPWinProbe",
    "TcpExtTCPReqQFullDrop",
    "TcpExtDelayedACKLost",
    "TcpExtTCPToZeroWindowAdv",
    "TcpExtTCPFromZeroWindowAdv",
    "TcpExtTCPMemoryPressures",
    "TcpExtPruneCalled",
    "TcpExtOfoPruned",
    "TcpExtTCPRcvCollapsed",
    "TcpExtTCPOFODrop",
    "TcpExtRcvPruned",
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

static unsigned edges[WEIR_CLOSING + 1][WEIR_CLOSING + 1];

unsigned peer_edge_count(int from, int to)
{
    return edges[from][to];
}

static void collect_changes(struct peer_net *net)
{
    struct weir_event e;

    while (weir_trace_read(net->stack, &e, 1)) {
        if (e.why.event != EVENT_state)
            continue;
        edges[e.why.from][e.why.to]++;
        if (net->changes_count < EVENTS_MAX)
            net->changes[net->changes_count++] = e;
    }
}

void peer_collect(struct peer_net *net)
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
    collect_changes(net);
    for (uint32_t i = pool_next(&t->tcbs, 1); i; i = pool_next(&t->tcbs, i + 1))
        tcb_check(t, tcb_at(t, i));
}

void peer_step_to(struct peer_net *net, int64_t at_ns)
{
    int64_t due;

    for (int i = 0; (due = weir_deadline(net->stack)) <= at_ns; i++) {
        assert_true(i < STEPS_MAX); /* a deadline that nothing moves */
        if (due > net->now_ns)
            net->now_ns = due;
        peer_collect(net);
    }
    net->now_ns = at_ns;
    peer_collect(net);
}

void advance_ms(struct peer *p, int64_t ms)
{
    peer_collect(p->net);
    peer_step_to(p->net, p->net->now_ns + ms * MS);
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
    struct weir_addr host = peer_addr(true);
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
    assert_int_equal(weir_trace_start(p.stack, EVENTS_MAX), 0);
    i.mtu += peer_ip_len() - IP4_LEN;
    net->ifindex = weir_iface_add(p.stack, &i);
    assert_int_equal(weir_addr_add(p.stack, net->ifindex, &host, peer_is_v6() ? 64 : 24), 0);
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

bool peer_is_named(const struct peer_net *net, const char *name)
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
        if (n && !peer_is_named(net, anomalies[i])) {
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

/* -- in ---------------------------------------------------------------------------------------- */

static uint16_t input(struct peer *p, uint8_t *bytes, uint32_t len)
{
    struct weir_frame f = {.parts = 1, .part = {{bytes, len}}};

    weir_input(p->stack, p->net->ifindex, &f, 1, p->net->now_ns);
    peer_collect(p->net);
    return f.why.verdict;
}

uint16_t inject_and_judge(struct peer *p, const struct segment *s)
{
    uint8_t frame[PEER_FRAME_MAX];

    peer_collect(p->net);
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

/* The same in ICMPv6. */
static void translate(struct icmp4 *h)
{
    static const uint8_t unreach[] = {UNREACH6_ROUTE, UNREACH6_ADDR, UNREACH6_REJECT,
                                      UNREACH6_PORT};

    if (h->type == ICMP4_UNREACH && h->code == UNREACH_FRAG)
        *h = (struct icmp4){.type = ICMP6_TOO_BIG, .rest = h->rest + IP6_LEN - IP4_LEN};
    else if (h->type == ICMP4_UNREACH)
        *h = (struct icmp4){.type = ICMP6_UNREACH,
                            .code = h->code < sizeof unreach ? unreach[h->code] : UNREACH6_ADMIN};
    else
        h->type = h->type == ICMP4_TIME ? ICMP6_TIME : ICMP6_PARAM;
}

uint16_t inject_icmp(struct peer *p, uint8_t type, uint8_t code, uint32_t rest, uint32_t seq)
{
    uint32_t at = peer_ip_len(), len = ICMP_LEN + at + 8, raw = p->stack_isn + seq;
    uint8_t b[2 * IP6_LEN + ICMP_LEN + 8] = {0}, *quote = b + at + ICMP_LEN;
    struct icmp4 icmp = {.type = type, .code = code, .rest = rest};
    struct weir_addr host = peer_addr(true), peer = peer_addr(false);
    struct peer_packet ip = {.proto = PROTO_ICMP, .len = len};
    struct peer_packet ours = {.is_from_host = true, .proto = PROTO_TCP, .len = 1500 - IP4_LEN};

    peer_collect(p->net);
    if (peer_is_v6()) {
        ip.proto = PROTO_ICMP6;
        translate(&icmp);
    }
    peer_put_ip(b, &ip);
    icmp4_emit(b + at, &icmp);
    peer_put_ip(quote, &ours);
    for (int i = 0; i < 4; i++)
        quote[at + 4 + i] = (uint8_t)(raw >> 8 * (3 - i));
    quote[at] = (uint8_t)(p->stack_port >> 8);
    quote[at + 1] = (uint8_t)p->stack_port;
    quote[at + 2] = (uint8_t)(p->port >> 8);
    quote[at + 3] = (uint8_t)p->port;
    if (peer_is_v6())
        icmp6_seal(b + at, len, &peer, &host);
    else
        icmp4_seal(b + at, len);
    return input(p, b, at + len);
}
