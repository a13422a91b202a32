/* TIME-WAIT as a mini: it remembers two numbers and only answers.
 *
 * Knows: RFC 9293 3.10.7.4 for TIME-WAIT, 6191, 1337. Shape: minis are ordered by when they end,
 * which is mostly the order in which they began or were begun again; at most tcp_max_tw_buckets,
 * the oldest goes. Units: milliseconds for its end. Errors: verdicts; none for lack of room, which
 * only counts. Cost: O(1), 64 bytes. */
#include "tcp/memory.h"
#include "tcp/more.h"

static uint32_t tw_length_ms(const struct tcp *p)
{
    return (uint32_t)p->knobs->tcp_time_wait_s * 1000;
}

/* With tcp_tw_recycle three and a half times the RTO, 0: not known any more. */
static uint32_t tw_length_of(const struct tcp *p, const struct tw_mini *w, uint32_t rto_us)
{
    uint32_t us = rto_us ? rto_us : (uint32_t)p->knobs->tcp_rto_init_us, ms = us / 2000 * 7;

    return p->knobs->tcp_tw_recycle && w->has_ts && ms < tw_length_ms(p) ? ms : tw_length_ms(p);
}

/* In the order in which they end; all of one length end as they begin. */
static void tw_place(struct tcp *p, uint32_t index)
{
    int32_t left_ms = tw_left_ms(p, tw_at(p, index));
    uint32_t before = 0, i = p->tw_order.last;

    while (i && tw_left_ms(p, tw_at(p, i)) > left_ms) {
        before = i;
        i = tw_at(p, i)->order.prev;
    }
    if (before)
        list_insert(&p->tw_order, index, before);
    else
        list_append(&p->tw_order, index);
}

void tw_free(struct tcp *p, uint32_t index, enum state to)
{
    struct tw_mini *w = tw_at(p, index);

    trace_state(p, &w->flow, (struct weir_why){.from = TIME_WAIT, .to = (uint8_t)to});
    demux_remove(p, flow_hash(p, &w->flow), KIND_TW, index);
    list_unlink(&p->tw_order, index);
    pool_free(&p->tws, index);
}

void tw_give_way(struct tcp *p)
{
    p->stats->TcpExtTCPTimeWaitOverflow++;
    tw_free(p, p->tw_order.first, CLOSED);
}

static uint32_t tw_new(struct tcp *p)
{
    uint32_t index;

    if (!p->knobs->tcp_max_tw_buckets || !p->knobs->tcp_time_wait_s) {
        p->stats->TcpExtTCPTimeWaitOverflow++;
        return 0;
    }
    if (p->tws.used >= p->knobs->tcp_max_tw_buckets || (p->tws.used && press_is_high(p)))
        tw_give_way(p);
    index = pool_new(&p->tws);
    if (!index)
        p->stats->TcpExtTCPTimeWaitOverflow++;
    return index;
}

/* The connection entered TIME-WAIT: a mini takes its place in the table. What the program has not
 * read yet stays with the tcb, which is CLOSED from here on. */
bool tw_begin(struct tcp *p, struct tcb *t)
{
    uint32_t index = tw_new(p);
    struct tw_mini *w;
    struct reply ack;

    if (index) {
        w = tw_at(p, index);
        w->flow = t->flow;
        list_node_init(&w->order);
        w->snd_nxt = t->snd.nxt;
        w->rcv_nxt = t->rcv.nxt;
        w->ts_recent = t->ts.recent;
        w->has_ts = !!(t->flags & T_TS);
        w->reuse = (unsigned)(t->opt.on / OPT_REUSEADDR) & 3u;
        w->wscale = t->rcv.wscale & 15u;
        w->ifindex = t->ifindex & 31u;
        w->wnd = (uint16_t)((uint32_t)seq_diff(t->rcv.edge, t->rcv.nxt) >> t->rcv.wscale);
        w->ace = accecn_count_now(p, t) & 7u;
        w->ends_ms = (now_ms(p) + tw_length_of(p, w, t->rtt.rto_us)) & TW_ENDS_MASK;
        tw_place(p, index);
        if (p->knobs->tcp_tw_recycle && w->has_ts)
            recycle_remember(p, &w->flow.remote, w->ts_recent);
        p->stats->TcpExtTW++;
        if (!(t->flags & T_DETACHED))
            table_replace(&p->demux, t->hash, wheel_ref_of(KIND_TCB, t->self),
                          wheel_ref_of(KIND_TW, index));
        t->flags |= T_DETACHED | T_MINI_WAITS;
        if (p->last_tcb == t->self)
            p->last_tcb = 0;
    }
    if (t->flags & T_ACK_NOW) {
        ack = (struct reply){.flow = t->flow,
                             .ifindex = t->ifindex,
                             .flags = TCP_ACK,
                             .ace = accecn_count_now(p, t),
                             .seq = t->snd.nxt,
                             .ack = t->rcv.nxt,
                             .opts = t->flags & T_TS ? TCP_OPT_TS : 0,
                             .tsval = ts_now(p, t),
                             .tsecr = t->ts.recent};
        ack.wnd = (uint16_t)((uint32_t)seq_diff(t->rcv.edge, t->rcv.nxt) >> t->rcv.wscale);
        ack.why = (struct weir_why){.event = EVENT_state, .from = FIN_WAIT_2, .to = TIME_WAIT};
        reply_push(p, &ack);
    }
    tcb_end(p, t, 0);
    return index != 0;
}

static void tw_restart(struct tcp *p, uint32_t index)
{
    list_unlink(&p->tw_order, index);
    tw_at(p, index)->ends_ms = (now_ms(p) + tw_length_of(p, tw_at(p, index), 0)) & TW_ENDS_MASK;
    tw_place(p, index);
}

/* 5961#7: whoever repeats an old segment does not make us talk faster than that. */
static bool tw_may_answer(struct tcp *p, struct tw_mini *w)
{
    uint32_t tick = now_ms(p) / TW_TICK_MS, since = (tick - (uint32_t)w->answered) & 0xfffu;

    if (w->answered && (since + 1) * TW_TICK_MS <= (uint32_t)p->knobs->tcp_challenge_ack_ms) {
        p->stats->TcpExtTCPACKSkippedTimeWait++;
        return false;
    }
    w->answered = (tick & 0xfffu) ? (tick & 0xfffu) : 0xfffu; /* never after now */
    return true;
}

static enum drop tw_answer(struct tcp *p, struct tw_mini *w, enum drop reason)
{
    struct reply r = {.flow = w->flow,
                      .ifindex = w->ifindex,
                      .flags = TCP_ACK,
                      .ace = w->ace,
                      .seq = w->snd_nxt,
                      .ack = w->rcv_nxt,
                      .wnd = w->wnd,
                      .opts = w->has_ts ? TCP_OPT_TS : 0,
                      .why.event = EVENT_time_wait_ack};

    if (!tw_may_answer(p, w))
        return reason;
    r.tsval = now_ms(p) + ts_offset(flow_secret(&p->secret_key, &w->flow));
    r.tsecr = w->ts_recent;
    return reply_push(p, &r) ? reason : DROP_reply_queue;
}

/* MAY-2 and 6191#2: a SYN that can be told from an old one begins the next incarnation. */
static bool is_newer_syn(const struct tcp *p, const struct tw_mini *w, const struct seg *s)
{
    bool will_have_ts = s->opt->has & TCP_OPT_TS && p->knobs->tcp_timestamps;

    if (will_have_ts && !w->has_ts)
        return true;
    if (will_have_ts && s->opt->tsval != w->ts_recent)
        return (int32_t)(s->opt->tsval - w->ts_recent) > 0;
    return seq_ge(s->seq, w->rcv_nxt); /* beyond the last number, which was the FIN's */
}

/* Differs: 6191#2 is silent where it refuses; we answer, as to any segment that is out of place. */
static enum drop tw_syn(struct tcp *p, uint32_t index, struct seg *s)
{
    struct tw_mini *w = tw_at(p, index);
    struct seq old_nxt = w->snd_nxt;
    enum drop v;
    uint32_t listener = listen_find(p, &s->flow, s->hash);

    if (!listener || !is_newer_syn(p, w, s))
        return tw_answer(p, w, DROP_tcp_time_wait);
    if ((v = listen_judge(p, tcb_at(p, listener), s)) != PASS)
        return v; /* no room now: the old connection still waits */
    tw_free(p, index, SYN_RECEIVED);
    p->stats->TcpExtTWRecycled++;
    return listen_take(p, tcb_at(p, listener), s, &old_nxt);
}

static enum drop tw_reset(struct tcp *p, uint32_t index, const struct seg *s)
{
    struct tw_mini *w = tw_at(p, index);
    struct seq edge = seq_add(w->rcv_nxt, (uint32_t)w->wnd << w->wscale);

    if (p->knobs->tcp_rfc1337 || !is_reset_in_window(w->rcv_nxt, edge, s))
        return DROP_tcp_rst_time_wait;
    if (!seq_eq(s->seq, w->rcv_nxt)) /* 5961#3.2 */
        return tw_answer(p, w, DROP_tcp_rst_time_wait);
    tw_free(p, index, CLOSED);
    return PASS;
}

enum drop tw_arrive(struct tcp *p, uint32_t index, struct seg *s)
{
    struct tw_mini *w = tw_at(p, index);
    bool is_old = w->has_ts && (s->opt->has & TCP_OPT_TS) &&
                  (int32_t)(s->opt->tsval - w->ts_recent) < 0;
    struct seq end = seq_add(s->seq, s->len + !!(s->flags & TCP_FIN));
    struct seq edge = seq_add(w->rcv_nxt, (uint32_t)w->wnd << w->wscale);
    uint8_t control = s->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN);

    if (control == TCP_SYN)
        return tw_syn(p, index, s);
    if (control & TCP_RST)
        return tw_reset(p, index, s);
    if (is_old || control & TCP_SYN)
        return tw_answer(p, w, DROP_tcp_time_wait);
    if (control == (TCP_FIN | TCP_ACK) && seq_eq(end, w->rcv_nxt)) { /* its ACK was lost: row 23 */
        tw_restart(p, index);
        return tw_answer(p, w, PASS);
    }
    if (!is_acceptable(w->rcv_nxt, edge, s))
        return tw_answer(p, w, DROP_tcp_time_wait);
    if (!(control & TCP_ACK))
        return DROP_tcp_no_ack;
    if (s->len == 0 && !(control & TCP_FIN))
        return PASS; /* nothing to say: an ACK would begin a war (52) */
    return tw_answer(p, w, DROP_tcp_time_wait);
}

/* tcp_tw_reuse: 6191, only where timestamps tell the incarnations apart, and after a second. */
bool tw_may_reuse(const struct tcp *p, const struct tw_mini *w, bool is_loopback)
{
    uint32_t age_ms = tw_length_ms(p) - (uint32_t)tw_left_ms(p, w);
    int64_t mode = p->knobs->tcp_tw_reuse;

    return w->has_ts && age_ms > 1000 && (mode == 1 || (mode == 2 && is_loopback));
}

int64_t tcp_time_wait_deadline(const struct tcp *p)
{
    int32_t left;

    if (!p->tw_order.first)
        return INT64_MAX;
    left = tw_left_ms(p, tw_at(p, p->tw_order.first));
    return (p->now_us / 1000 + (left > 0 ? left : 0)) * 1000;
}

void tcp_time_wait_advance(struct tcp *p)
{
    while (p->tw_order.first && tw_left_ms(p, tw_at(p, p->tw_order.first)) <= 0)
        tw_free(p, p->tw_order.first, CLOSED);
}
