/* What each segment of a connection says besides its text: flags, window, options.
 *
 * Knows: which option gives way where room is short. Not what goes next (pull.c). Shape: options of
 * every segment are in snd.mss already (6691); what only some carry makes these shorter. Units:
 * bytes; timestamps in milliseconds. Errors: none. Cost: O(SACK blocks). 9293#3.1, 7323#3.2,
 * 2018#4, 9768#3.2.3.3 */
#include "tcp/memory.h"
#include "tcp/more.h"

#define TS_ROOM 12 /* with its two NOPs */
#define SACK_ROOM(n) ((n) ? 4 + 8 * (n) : 0)
#define SACKS_FIRST 2u /* so many blocks go before the counters of accurate ECN */

uint32_t ts_now(const struct tcp *p, const struct tcb *t)
{
    return now_ms(p) + t->ts.offset;
}

/* SACK blocks that there are to tell: the repeated text first, then the newest ranges. */
static uint32_t sacks_of(const struct tcb *t)
{
    uint32_t n = t->rcv.early ? t->rcv.early->set.n : 0;

    if (!(t->flags & T_SACK) || t->ecn & (ECN_TELL | ECN_BARE))
        return 0;
    return n + !!(t->flags & T_DSACK);
}

/* The options that only some segments carry. */
struct extras {
    uint32_t sacks, bytes;
    struct acc_plan acc;
};

static struct extras extras_of(const struct tcp *p, const struct tcb *t, bool is_new)
{
    uint32_t room = TCP_HDR_MAX - TCP_LEN - (t->flags & T_TS ? TS_ROOM : 0), n = sacks_of(t);
    struct extras x = {0};

    if (is_new && t->ecn & ECN_ACC) {
        uint32_t first = n < SACKS_FIRST ? n : SACKS_FIRST;
        x.acc = accecn_plan(p, t, room - SACK_ROOM(first));
        room -= x.acc.bytes;
    }
    x.sacks = n && n > (room - 4) / 8 ? (room - 4) / 8 : n;
    x.bytes = x.acc.bytes + SACK_ROOM(x.sacks);
    return x;
}

static uint32_t mss_beside(const struct tcb *t, const struct extras *x)
{
    return t->snd.mss > x->bytes + 1 ? t->snd.mss - x->bytes : 1;
}

/* Mostly none. */
static bool may_have_extras(const struct tcb *t)
{
    return t->rcv.early || t->flags & T_DSACK || t->ecn & ECN_ACC;
}

uint32_t header_mss(const struct tcp *p, const struct tcb *t, bool is_new)
{
    struct extras x;

    if (!may_have_extras(t))
        return t->snd.mss;
    x = extras_of(p, t, is_new);
    return mss_beside(t, &x);
}

static void add_sack(struct tcb *t, struct tcp_opts *o, uint32_t n)
{
    struct range block[TCP_SACK_MAX];
    uint32_t told = 0;

    if (n == 0)
        return;
    if (t->flags & T_DSACK)
        block[told++] = t->rcv.dup;
    if (t->rcv.early)
        told += ranges_recent(&t->rcv.early->set, block + told, n - told);
    t->flags &= ~(uint32_t)T_DSACK;
    o->has |= TCP_OPT_SACK;
    for (uint32_t i = 0; i < told; i++)
        o->sack[o->sacks++] = (struct tcp_sack){block[i].start, block[i].end};
}

/* Those of every segment but a SYN. */
static void add_options(struct tcp *p, struct tcb *t, struct seg_out *out, bool is_new)
{
    struct tcp_opts *o = &out->hdr.opt;
    struct extras x;

    if (t->flags & T_TS) {
        o->has = TCP_OPT_TS;
        o->tsval = ts_now(p, t);
        o->tsecr = t->ts.recent;
    }
    if (!may_have_extras(t))
        return;
    x = extras_of(p, t, is_new);
    out->mss = (uint16_t)mss_beside(t, &x);
    add_sack(t, o, x.sacks);
    if (t->ecn & ECN_ACC)
        accecn_on_out(p, t, &out->hdr, &x.acc);
}

void header_begin(struct tcp *p, struct tcb *t, struct seg_out *out, uint8_t flags, struct seq seq)
{
    uint32_t wnd = flags & TCP_SYN ? 0 : window_to_offer(p, t);

    out->flow = t->flow;
    out->texts = 0;
    out->len = 0;
    out->mss = t->snd.mss;
    out->tos = t->opt.tos;
    out->ttl = t->opt.ttl;
    out->is_first_hop_doubted = t->loss.backoff >= p->knobs->tcp_retries1; /* MUST-20 */
    out->why = (struct weir_why){.event = t->why_event};
    t->why_event = EVENT_none;
    out->hdr.sport = t->flow.lport;
    out->hdr.dport = t->flow.rport;
    out->hdr.seq = seq;
    out->hdr.ack = flags & TCP_ACK ? t->rcv.nxt : seq_of(0);
    out->hdr.flags = flags;
    if (t->ecn & ECN_ECHO && (flags & (TCP_ACK | TCP_SYN | TCP_RST)) == TCP_ACK)
        out->hdr.flags |= TCP_ECE;
    out->hdr.ae = false;
    out->hdr.wnd = (uint16_t)(wnd >> t->rcv.wscale);
    out->hdr.urg = 0;
    out->hdr.opt.has = 0;
    out->hdr.opt.sacks = 0;
    if (!(flags & TCP_SYN))
        add_options(p, t, out, seq_eq(seq, t->snd.nxt) && !(flags & TCP_RST));
}
