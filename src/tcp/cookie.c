/* SYN cookies: a SYN/ACK that costs no memory. Its ISN is a keyed hash of the flow that only we can
 * make, with the time and the peer's MSS in it; who sends it back as an ACK was really there. What
 * else was agreed hides in the low bits of the timestamp that the peer echoes.
 *
 * Knows: how a half-open entry is made of an ACK. Shape: of the ISN 5 bits of time in 64 s, 3 bits
 * of MSS, 24 bits of hash. Units: microseconds. Errors: verdicts. Cost: two SipHash-2-4, no memory.
 * 4987#3.6 */
#include "tcp/more.h"

#define PERIOD_US 64000000
#define PERIODS_OLD 2 /* a cookie lives for two of them at least */
#define TS_BITS 63u   /* of the timestamp: what was agreed */
#define NO_WSCALE 15u /* bits 0 to 3 */
#define SACK_BIT 16u  /* bit 4 */
#define HASH_MASK 0xffffffu

/* Common sizes: none, IPv6's least, tunnels, PPPoE, Ethernet with and without IPv6's larger header.
 */
static const uint16_t sizes[8] = {64, 536, 1220, 1360, 1400, 1440, 1452, 1460};

static uint32_t period_of(const struct tcp *p)
{
    return (uint32_t)(p->now_us / PERIOD_US);
}

static uint32_t size_index(uint16_t mss)
{
    uint32_t i = 7;

    while (i && sizes[i] > mss)
        i--;
    return i;
}

static uint32_t hash_of(const struct tcp *p, const struct flow *f, struct seq irs, uint64_t facts)
{
    uint64_t word[2] = {flow_secret(&p->cookie_key, f), facts << 32 | irs.v};

    return (uint32_t)siphash24_words(&p->cookie_key, word, 2) & HASH_MASK;
}

static struct seq cookie_of(const struct tcp *p, const struct seg *s, uint32_t period,
                            uint32_t size)
{
    uint32_t hash = hash_of(p, &s->flow, s->seq, (uint64_t)period << 3 | size);

    return seq_of((period & 31) << 27 | size << 24 | hash);
}

/* The clock, its low bits replaced, and never ahead of itself. */
static uint32_t timestamp_with(const struct tcp *p, uint32_t bits)
{
    uint32_t ms = (now_ms(p) & ~TS_BITS) | bits;

    return (int32_t)(ms - now_ms(p)) > 0 ? ms - TS_BITS - 1 : ms;
}

static void agree(const struct tcp *p, const struct seg *s, const struct syn_mini *m,
                  struct reply *r)
{
    uint32_t bits = m->agreed & TCP_OPT_WSCALE ? m->peer_wscale : NO_WSCALE;

    r->opts = TCP_OPT_MSS;
    if (!(m->agreed & TCP_OPT_TS)) /* nowhere to keep the rest */
        return;
    if (m->agreed & TCP_OPT_SACK_OK)
        bits |= SACK_BIT;
    r->opts = (uint8_t)(TCP_OPT_MSS | m->agreed);
    r->tsval = timestamp_with(p, bits) + ts_offset(flow_secret(&p->secret_key, &s->flow));
    r->tsecr = m->ts_recent;
}

enum drop cookie_answer(struct tcp *p, struct tcb *listener, const struct seg *s)
{
    struct syn_mini m = {.peer_mss = 0}; /* only for what the options agree */
    uint32_t room = listener->opt.rcvbuf < 65535 ? listener->opt.rcvbuf : 65535;
    struct reply r = {.flow = s->flow,
                      .ifindex = s->ifindex,
                      .flags = TCP_SYN | TCP_ACK,
                      .ack = seq_add(s->seq, 1),
                      .wnd = (uint16_t)room,
                      .mss = listener_mss(listener, &s->flow),
                      .why.event = EVENT_syn_cookie};

    syn_take_options(p, &m, s);
    r.seq = cookie_of(p, s, period_of(p), size_index(m.peer_mss));
    agree(p, s, &m, &r);
    if (accecn_is_setup(p, s))
        r.ace = accecn_told(s->ip_ecn);
    if (!reply_push(p, &r))
        return DROP_reply_queue;
    listener->listen->cookie_at_us = p->now_us;
    p->stats->TcpExtSyncookiesSent++;
    return PASS;
}

/* Whether this listener may have sent a cookie that is still good. */
static bool is_expected(const struct tcp *p, const struct tcb *listener)
{
    int64_t at = listener->listen->cookie_at_us;

    return p->knobs->tcp_syncookies && at && p->now_us - at < (PERIODS_OLD + 1ll) * PERIOD_US;
}

/* The size in a cookie that is ours and young; -1: it is not. */
static int size_of(const struct tcp *p, const struct seg *s)
{
    struct seg syn = {.flow = s->flow, .seq = seq_sub(s->seq, 1)};
    uint32_t cookie = s->ack.v - 1, size = cookie >> 24 & 7;

    for (uint32_t age = 0; age <= PERIODS_OLD; age++)
        if (cookie_of(p, &syn, period_of(p) - age, size).v == cookie)
            return (int)size;
    return -1;
}

static void agreed_before(const struct tcp *p, const struct seg *s, struct syn_mini *m)
{
    uint32_t bits;

    if (!(s->opt->has & TCP_OPT_TS))
        return;
    bits = (s->opt->tsecr - m->ts_offset) & TS_BITS;
    m->agreed = p->knobs->tcp_timestamps ? TCP_OPT_TS : 0;
    m->ts_recent = s->opt->tsval;
    if (bits & SACK_BIT && p->knobs->tcp_sack)
        m->agreed |= TCP_OPT_SACK_OK;
    if ((bits & 15) != NO_WSCALE && p->knobs->tcp_window_scaling) {
        m->agreed |= TCP_OPT_WSCALE;
        m->peer_wscale = bits & 15 ? (uint8_t)(bits & 15) : 0;
    }
}

bool cookie_arrive(struct tcp *p, struct tcb *listener, struct seg *s, enum drop *verdict)
{
    uint32_t index;
    struct syn_mini *m;
    int size;

    if (!is_expected(p, listener))
        return false;
    size = size_of(p, s);
    if (size < 0) {
        p->stats->TcpExtSyncookiesFailed++;
        return false;
    }
    p->stats->TcpExtSyncookiesRecv++;
    *verdict = syn_mini_new(p, listener, s, &index);
    if (*verdict != PASS)
        return true;
    m = syn_at(p, index);
    m->iss = seq_sub(s->ack, 1);
    m->irs = seq_sub(s->seq, 1);
    m->peer_mss = sizes[size];
    m->flags |= SYN_MINI_UNTIMED;
    if (accecn_is_cookie(p, s))
        m->flags |= SYN_MINI_ACC | SYN_MINI_ECN;
    agreed_before(p, s, m);
    *verdict = syn_complete(p, index, s);
    if (*verdict == DROP_tcp_accept_queue || *verdict == DROP_tcp_limit)
        syn_forget(p, &s->flow, s->hash);
    return true;
}
