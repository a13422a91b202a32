/* Answers that no connection gives, and what limits them: RSTs, initial sequence numbers, challenge
 * ACKs.
 *
 * Knows: the reply queue and the keys. Shape: the queue is a ring of TCP_REPLIES; a full one drops.
 * Units: bytes of sequence space, milliseconds. Errors: DROP_reply_queue.
 * Cost: O(1). 9293#3.4.1, 9293#3.10.7.1, 5961#7 */
#include "tcp/more.h"

/* 9293#3.4.1 SHLD-1: a clock and a keyed hash of the flow. The clock is Linux's, of 1/16 us, so
 * that a connection of the same ports begins beyond the last one's numbers even when that was fast.
 */
struct seq isn_new(const struct tcp *p, uint64_t secret)
{
    return seq_of((uint32_t)(p->now_us * 16) + (uint32_t)secret);
}

/* 75: each flow has a clock of its own, so that none tells how long we are up. */
uint32_t ts_offset(uint64_t secret)
{
    return (uint32_t)(secret >> 32);
}

bool reply_push(struct tcp *p, const struct reply *r)
{
    if (p->reply_count == TCP_REPLIES)
        return false;
    p->replies[(p->reply_first + p->reply_count++) % TCP_REPLIES] = *r;
    return true;
}

void reply_pull(struct tcp *p, struct seg_out *out)
{
    const struct reply *r = &p->replies[p->reply_first];

    p->reply_first = (p->reply_first + 1) % TCP_REPLIES;
    p->reply_count--;
    *out = (struct seg_out){.flow = r->flow, .why = r->why};
    out->hdr = (struct tcp_hdr){.sport = r->flow.lport,
                                .dport = r->flow.rport,
                                .seq = r->seq,
                                .ack = r->ack,
                                .flags = r->flags,
                                .wnd = r->wnd};
    out->hdr.opt.has = r->opts;
    out->hdr.opt.mss = r->mss;
    out->hdr.opt.wscale = window_scale_for((uint32_t)p->knobs->tcp_rmem[2]);
    out->hdr.opt.tsval = r->tsval;
    out->hdr.opt.tsecr = r->tsecr;
    if (r->ace) {
        accecn_put(&out->hdr, r->ace);
        if (r->flags & TCP_SYN)
            accecn_put_first(p, &out->hdr.opt);
    }
    if (r->flags & TCP_RST)
        p->stats->TcpOutRsts++;
    p->stats->TcpOutSegs++;
}

/* The RST that 9293#3.10.7.1 asks for, with the timestamp that it answers (7323#5.2). A RST is
 * never answered. */
enum drop reply_reset(struct tcp *p, const struct seg *s, enum drop reason, enum event why)
{
    struct reply r = {.flow = s->flow, .ifindex = s->ifindex, .flags = TCP_RST};

    if (s->flags & TCP_RST)
        return reason;
    r.why.event = (uint16_t)why;
    if (s->opt->has & TCP_OPT_TS) {
        r.opts = TCP_OPT_TS;
        r.tsecr = s->opt->tsval;
    }
    if (s->flags & TCP_ACK) {
        r.seq = s->ack;
    } else {
        uint32_t len = s->len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
        r.ack = seq_add(s->seq, len);
        r.flags = TCP_RST | TCP_ACK;
    }
    return reply_push(p, &r) ? reason : DROP_reply_queue;
}

/* 5961#7 asks for a limit; one for each connection, so that it tells nothing of others (33). */
void challenge_ack(struct tcp *p, struct tcb *t)
{
    uint32_t since = now_ms(p) - t->challenge_at_ms;

    p->stats->TcpExtTCPChallengeACK++;
    if (t->challenge_at_ms && since < (uint32_t)p->knobs->tcp_challenge_ack_ms)
        return;
    t->challenge_at_ms = now_ms_not_0(p);
    t->flags |= T_ACK_NOW;
    t->why_event = EVENT_challenge_ack;
    tcb_wants_output(p, t);
}
