/* The packet-test language, see peer.h. */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sum.h"

#define HOST 0x0a000001u
#define PEER 0x0a000002u
#define STACK_PORT 80
#define PEER_PORT 4000

struct peer peer_begin(const struct peer_config *c)
{
    struct weir_config config = {.seed = {1, 2}, .now_ns = 1000000000};
    struct weir_iface_config i = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};
    struct weir_addr host = weir_addr_v4(HOST);
    struct peer p = {.now_ns = config.now_ns,
                     .isn = 1000000,
                     .port = PEER_PORT,
                     .stack_port = STACK_PORT,
                     .sock = -1,
                     .listener = -1};

    p.stack = weir_new(&config);
    assert_non_null(p.stack);
    p.ifindex = weir_iface_add(p.stack, &i);
    assert_int_equal(weir_addr_add(p.stack, p.ifindex, &host, 24), 0);
    if (c->knob)
        assert_int_equal(weir_knob_set(p.stack, c->knob, c->value), 0);
    return p;
}

void peer_end(struct peer *p)
{
    weir_free(p->stack);
}

void inject_segment(struct peer *p, const struct segment *s)
{
    uint8_t frame[2048] = {0};
    struct weir_addr src = weir_addr_v4(PEER), dst = weir_addr_v4(HOST);
    struct tcp_hdr h = {.sport = p->port, .dport = p->stack_port, .flags = s->flags};
    struct weir_frame f = {.parts = 1};
    uint32_t head, acc;
    uint16_t sum;

    h.seq = seq_of(p->isn + s->seq);
    h.ack = seq_of(s->flags & TCP_ACK ? p->stack_isn + s->ack : 0);
    h.wnd = (uint16_t)(s->wnd == CLOSED_WINDOW ? 0 : s->wnd ? s->wnd : 65535);
    h.opt.mss = s->mss;
    h.opt.wscale = (uint8_t)(s->wscale - 1);
    h.opt.has = (uint8_t)((s->mss ? TCP_OPT_MSS : 0) | (s->wscale ? TCP_OPT_WSCALE : 0) |
                          (s->sack_ok ? TCP_OPT_SACK_OK : 0) | (s->has_ts ? TCP_OPT_TS : 0));
    h.opt.tsval = s->tsval;
    h.opt.tsecr = s->tsecr;
    head = (uint32_t)tcp_emit(frame + IP4_LEN, &h);
    struct ip4 ip = {.hdr_len = IP4_LEN,
                     .ttl = 64,
                     .proto = PROTO_TCP,
                     .src = PEER,
                     .dst = HOST,
                     .total_len = (uint16_t)(IP4_LEN + head + s->len)};
    ip4_emit(frame, &ip);
    for (uint32_t i = 0; i < s->len; i++)
        frame[IP4_LEN + head + i] = (uint8_t)(s->seq + i);
    acc = pseudo_sum(&src, &dst, PROTO_TCP, head + s->len);
    sum = sum_finish(sum_add(acc, frame + IP4_LEN, head + s->len));
    memcpy(frame + IP4_LEN + 16, &sum, sizeof sum);
    f.part[0] = (struct weir_slice){frame, ip.total_len};
    weir_input(p->stack, p->ifindex, &f, 1, p->now_ns);
}

/* The next TCP segment of the stack. False: none. */
static bool take(struct peer *p, struct tcp_hdr *h, uint32_t *len)
{
    struct weir_frame f;
    uint8_t *at;
    int n;

    weir_advance(p->stack, p->now_ns);
    if (weir_output(p->stack, p->ifindex, &f, 1, p->now_ns) != 1)
        return false;
    at = (uint8_t *)(uintptr_t)f.part[0].data + IP4_LEN;
    n = tcp_parse(h, at, f.part[0].len - IP4_LEN);
    assert_true(n > 0);
    *len = (uint32_t)weir_frame_len(&f) - IP4_LEN - (uint32_t)n;
    if (h->flags & TCP_SYN && !p->has_isn) {
        p->stack_isn = h->seq.v;
        p->has_isn = true;
        p->stack_port = h->sport;
    }
    return true;
}

static void show(const struct peer *p, const struct tcp_hdr *h, uint32_t len, char *text,
                 size_t size)
{
    snprintf(text, size, "flags %02x seq %u ack %u len %u wnd %u", h->flags,
             h->seq.v - p->stack_isn, h->flags & TCP_ACK ? h->ack.v - p->isn : 0, len, h->wnd);
}

static bool is_equal(const struct peer *p, const struct segment *s, const struct tcp_hdr *h,
                     uint32_t len)
{
    if ((h->flags & ~TCP_PSH) != (s->flags & ~TCP_PSH))
        return false;
    if ((s->seq != ANY && h->seq.v - p->stack_isn != s->seq) || (s->len != ANY && len != s->len))
        return false;
    if (s->ack != ANY && h->ack.v - p->isn != s->ack)
        return false;
    if (s->wnd && h->wnd != (s->wnd == CLOSED_WINDOW ? 0 : s->wnd))
        return false;
    if (s->mss && (!(h->opt.has & TCP_OPT_MSS) || h->opt.mss != s->mss))
        return false;
    if (s->sack_end &&
        (!(h->opt.has & TCP_OPT_SACK) || h->opt.sack[0].start.v - p->isn != s->sack_start ||
         h->opt.sack[0].end.v - p->isn != s->sack_end))
        return false;
    return true;
}

void expect_segment(struct peer *p, const struct segment *s, const char *where, int line)
{
    struct tcp_hdr h;
    uint32_t len;
    char text[128];

    if (!take(p, &h, &len))
        fail_msg("%s:%d: the stack sends nothing; wanted flags %02x seq %d ack %d", where, line,
                 s->flags, (int)s->seq, (int)s->ack);
    show(p, &h, len, text, sizeof text);
    if (!is_equal(p, s, &h, len))
        fail_msg("%s:%d: got %s; wanted flags %02x seq %d ack %d len %d wnd %u", where, line, text,
                 s->flags, (int)s->seq, (int)s->ack, (int)s->len, s->wnd);
}

void expect_quiet_at(struct peer *p, const char *where, int line)
{
    struct tcp_hdr h;
    uint32_t len;
    char text[128];

    if (!take(p, &h, &len))
        return;
    show(p, &h, len, text, sizeof text);
    fail_msg("%s:%d: wanted silence, got %s", where, line, text);
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

void advance_ms(struct peer *p, int64_t ms)
{
    p->now_ns += ms * 1000000;
    weir_advance(p->stack, p->now_ns);
}

static void open_active(struct peer *p, const struct peer_config *c)
{
    struct weir_sockaddr to = {.addr = weir_addr_v4(PEER), .port = PEER_PORT};

    p->sock = weir_socket(p->stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_connect(p->stack, p->sock, &to), -EINPROGRESS);
    expect(p, .flags = TCP_SYN, .seq = 0, .len = 0);
    inject(p, .flags = TCP_SYN | TCP_ACK, .seq = 0, .ack = 1, .mss = c->mss ? c->mss : 1460,
           .sack_ok = c->sack_ok, .has_ts = c->has_ts, .tsval = 1000);
    expect(p, .flags = TCP_ACK, .seq = 1, .ack = 1, .len = 0);
}

static void open_passive(struct peer *p, const struct peer_config *c)
{
    struct weir_sockaddr at = {.addr = weir_addr_v4(HOST), .port = STACK_PORT};

    p->listener = weir_socket(p->stack, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(weir_bind(p->stack, p->listener, &at), 0);
    assert_int_equal(weir_listen(p->stack, p->listener, 8), 0);
    inject(p, .flags = TCP_SYN, .seq = 0, .mss = c->mss ? c->mss : 1460, .sack_ok = c->sack_ok,
           .has_ts = c->has_ts, .tsval = 1000);
    expect(p, .flags = TCP_SYN | TCP_ACK, .seq = 0, .ack = 1, .len = 0);
    inject(p, .flags = TCP_ACK, .seq = 1, .ack = 1, .has_ts = c->has_ts, .tsval = 1001);
    p->sock = weir_accept(p->stack, p->listener, NULL);
    assert_true(p->sock >= 0);
}

struct peer peer_established(const struct peer_config *c)
{
    struct peer p = peer_begin(c);

    p.has_ts = c->has_ts;
    if (c->is_active)
        open_active(&p, c);
    else
        open_passive(&p, c);
    while (weir_has_output(p.stack)) { /* a window update after the handshake is no subject here */
        struct tcp_hdr h;
        uint32_t len;
        if (!take(&p, &h, &len))
            break;
    }
    expect_state(&p, WEIR_ESTABLISHED);
    return p;
}
