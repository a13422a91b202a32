/* The half-open: SYN minis.
 *
 * Knows: that it only answers; on a good ACK it becomes a tcb, and the same segment runs the normal
 * machine. Shape: a mini is in the demux table, on the wheel, and on syn_out while a SYN/ACK is
 * due; at most tcp_max_syn_backlog of them for each listener. Units: bytes, microseconds. Errors:
 * verdicts. Cost: O(1), 96 bytes a mini. 9293#3.10.7.4 SYN-RECEIVED, 4987 */
#include "tcp/more.h"
#include "tcp/pace.h"

#define HELD_US 130000000 /* a held SYN is forgotten when its sender has given up */

static struct listener *listener_of(const struct tcp *p, const struct syn_mini *m)
{
    return tcb_at(p, m->listener)->listen;
}

void syn_free(struct tcp *p, uint32_t index)
{
    struct syn_mini *m = syn_at(p, index);
    struct listener *l = listener_of(p, m);

    if ((m->flags & (SYN_MINI_HELD | SYN_MINI_TOLD)) == SYN_MINI_HELD)
        l->held_new--;
    l->syn_count--;
    if (list_is_on(&m->out))
        list_unlink(&p->syn_out[m->ifindex], index);
    wheel_disarm(p->wheel, wheel_ref_of(KIND_SYN, index));
    demux_remove(p, m->hash, KIND_SYN, index);
    pool_free(&p->syns, index);
}

void syn_wants_output(struct tcp *p, struct syn_mini *m, uint32_t index)
{
    if (!list_is_on(&m->out))
        list_append(&p->syn_out[m->ifindex], index);
}

/* -- a SYN for a listener ---------------------------------------------------------------------- */

uint16_t tcp_mss_of(const struct seg *s)
{
    if (s->opt->has & TCP_OPT_MSS)
        return s->opt->mss;
    return weir_addr_is_v4(&s->flow.remote) ? TCP_MSS_PRESET : TCP_MSS_PRESET6;
}

uint16_t listener_mss(const struct tcb *listener, const struct flow *f)
{
    return weir_addr_is_v4(&f->remote) ? listener->rcv.mss : listener->listen->mss6;
}

void syn_take_options(const struct tcp *p, struct syn_mini *m, const struct seg *s)
{
    const struct tcp_opts *o = s->opt;
    uint32_t headers = weir_addr_is_v4(&s->flow.remote) ? 40 : 60;

    m->peer_mss = tcp_mss_of(s);
    if (s->mtu > headers && m->peer_mss > s->mtu - headers)
        m->peer_mss = (uint16_t)(s->mtu - headers);
    if (m->peer_mss < p->knobs->tcp_min_snd_mss)
        m->peer_mss = (uint16_t)p->knobs->tcp_min_snd_mss;
    if (o->has & TCP_OPT_WSCALE && p->knobs->tcp_window_scaling) {
        m->agreed |= TCP_OPT_WSCALE;
        m->peer_wscale = o->wscale > 14 ? 14 : o->wscale;
    }
    if (o->has & TCP_OPT_SACK_OK && p->knobs->tcp_sack)
        m->agreed |= TCP_OPT_SACK_OK;
    if (o->has & TCP_OPT_TS && p->knobs->tcp_timestamps) {
        m->agreed |= TCP_OPT_TS;
        m->ts_recent = o->tsval;
    }
}

enum drop syn_mini_new(struct tcp *p, struct tcb *t, const struct seg *s, uint32_t *out)
{
    uint32_t index = *out = pool_new(&p->syns);
    uint64_t secret = flow_secret(&p->secret_key, &s->flow);
    struct syn_mini *m;

    if (!index)
        return DROP_tcp_syn_queue;
    m = syn_at(p, index);
    m->flow = s->flow;
    m->hash = s->hash;
    wheel_node_init(&m->node);
    list_node_init(&m->out);
    if (!demux_add(p, m->hash, KIND_SYN, index)) {
        pool_free(&p->syns, index);
        return DROP_tcp_no_memory;
    }
    m->listener = t->self;
    m->iss = isn_new(p, secret);
    m->ts_offset = ts_offset(secret);
    m->wnd = (uint16_t)s->wnd;
    m->ifindex = s->ifindex;
    t->listen->syn_count++;
    return PASS;
}

enum drop syn_begin(struct tcp *p, struct tcb *t, const struct seg *s, const struct seq *above,
                    bool gives_cookie)
{
    uint32_t index;
    enum drop v = syn_mini_new(p, t, s, &index);
    struct syn_mini *m;

    if (v != PASS)
        return v;
    m = syn_at(p, index);
    if (above && seq_le(m->iss, *above))
        m->iss = seq_add(*above, 65537);
    m->irs = s->seq;
    syn_take_options(p, m, s);
    m->flags = ecn_is_setup(p, s) ? SYN_MINI_ECN : 0;
    if (accecn_is_setup(p, s))
        m->flags = SYN_MINI_ACC | SYN_MINI_ECN;
    m->ip_ecn = s->ip_ecn;
    m->agreed |= gives_cookie ? TCP_OPT_FASTOPEN : 0;
    m->flags |= gives_cookie && s->opt->is_old_cookie ? SYN_MINI_OLD : 0;
    if (t->opt.on & OPT_HOLD) {
        m->flags |= SYN_MINI_HELD;
        t->listen->held_new++;
        wheel_arm(p->wheel, wheel_ref_of(KIND_SYN, index), p->now_us + HELD_US);
        tcb_mark(p, t, MARK_ACCEPT | MARK_IN);
    } else {
        syn_wants_output(p, m, index);
    }
    return PASS;
}

/* -- a segment for a mini ---------------------------------------------------------------------- */

static void options_from_mini(struct tcp *p, struct tcb *t, const struct syn_mini *m)
{
    uint32_t biggest = (uint32_t)p->knobs->tcp_rmem[2];

    t->snd.mss = m->peer_mss < t->rcv.mss ? m->peer_mss : t->rcv.mss;
    if (m->agreed & TCP_OPT_WSCALE) {
        t->flags |= T_WSCALE;
        t->snd.wscale = m->peer_wscale;
        t->rcv.wscale = window_scale_for(biggest);
    }
    if (m->agreed & TCP_OPT_SACK_OK)
        t->flags |= T_SACK;
    if (m->agreed & TCP_OPT_TS) {
        t->flags |= T_TS;
        t->ts.recent = m->ts_recent;
        t->ts.recent_at_ms = now_ms(p);
        t->snd.mss = (uint16_t)(t->snd.mss - 12);
    }
}

/* The window that a SYN/ACK offers: never scaled. */
static uint32_t first_window(const struct tcb *t)
{
    uint32_t room = window_room(t);

    return room < 65535 ? room : 65535;
}

/* The tcb that the mini stands for, in SYN-RECEIVED and in the mini's place; NULL: no room. */
static struct tcb *promote(struct tcp *p, uint32_t index)
{
    struct syn_mini *m = syn_at(p, index);
    struct tcb *listener = tcb_at(p, m->listener), *t = tcb_new(p);

    if (t && m->flags & SYN_MINI_ACC && !accecn_begin(p, t, m->ip_ecn)) {
        tcb_free(p, t);
        t = NULL;
    }
    if (!t)
        return NULL;
    t->flow = m->flow;
    t->hash = m->hash;
    t->ifindex = m->ifindex;
    t->opt = listener->opt;
    t->cc.algo = listener->cc.algo;
    t->rcv.mss = listener_mss(listener, &m->flow);
    t->flags = T_PASSIVE;
    t->ecn |= m->flags & SYN_MINI_ECN ? ECN_ON : 0;
    if (m->flags & SYN_MINI_ACC)
        more_of(p, t)->ecn.is_lost = m->flags & SYN_MINI_AGAIN;
    t->ts.offset = m->ts_offset;
    options_from_mini(p, t, m);
    mtu_begin(p, t);
    t->snd.iss = t->snd.una = t->snd.up = t->snd.small_end = m->iss;
    t->snd.nxt = seq_add(m->iss, 1);
    t->snd.wnd = t->snd.wnd_max = m->wnd;
    t->rcv.irs = m->irs;
    t->rcv.nxt = seq_add(m->irs, 1);
    t->rcv.edge = seq_add(t->rcv.nxt, first_window(t));
    t->rcv.quick = 8;
    t->syn_at_us = m->sent_at_us;
    t->flags |= m->flags & (SYN_MINI_AGAIN | SYN_MINI_UNTIMED) ? T_SYN_AGAIN : 0;
    cc_begin(p, t,
             m->flags & SYN_MINI_AGAIN ? 1 : (uint32_t)p->knobs->tcp_initial_cwnd); /* 5681#3.1 */
    table_replace(&p->demux, m->hash, wheel_ref_of(KIND_SYN, index),
                  wheel_ref_of(KIND_TCB, t->self));
    m = syn_at(p, index);
    enter(p, t, SYN_RECEIVED);
    return t;
}

/* The mini's place in the table is taken already: free the rest of it. */
static void mini_forget(struct tcp *p, uint32_t index)
{
    struct syn_mini *m = syn_at(p, index);

    listener_of(p, m)->syn_count--;
    if (list_is_on(&m->out))
        list_unlink(&p->syn_out[m->ifindex], index);
    wheel_disarm(p->wheel, wheel_ref_of(KIND_SYN, index));
    pool_free(&p->syns, index);
}

struct tcb *syn_promote(struct tcp *p, uint32_t index)
{
    struct tcb *t = promote(p, index);

    if (t)
        mini_forget(p, index);
    return t;
}

enum drop syn_complete(struct tcp *p, uint32_t index, struct seg *s)
{
    struct syn_mini *m = syn_at(p, index);
    struct tcb *listener = tcb_at(p, m->listener), *t;
    struct listener *l = listener->listen;
    enum drop v;

    if (l->accept_count > l->backlog) { /* Linux: one more than the backlog fits */
        l->refused++;
        p->stats->TcpExtListenOverflows++;
        p->stats->TcpExtListenDrops++;
        m->flags |= SYN_MINI_ACKED;
        if (!p->knobs->tcp_abort_on_overflow)
            return DROP_tcp_accept_queue;
        syn_free(p, index);
        return reply_reset(p, s, DROP_tcp_accept_queue, EVENT_reset_refused);
    }
    t = syn_promote(p, index);
    if (!t) {
        p->stats->TcpExtListenDrops++;
        return DROP_tcp_limit;
    }
    p->stats->TcpPassiveOpens++;
    listen_queue(p, listener, t);
    p->last_flow = s->flow; /* text follows */
    p->last_tcb = t->self;
    v = arrive(p, t, s);
    must(t->state != SYN_RECEIVED); /* syn_arrive let nothing else through: no timer runs for it */
    *s->why = (struct weir_why){.event = EVENT_state, .from = SYN_RECEIVED, .to = t->state};
    return v;
}

/* At the pace of challenge ACKs, 5961#7. */
/* What a cookie stood for found no room: nothing is kept of it. */
void syn_forget(struct tcp *p, const struct flow *f, uint32_t hash)
{
    uint32_t ref = demux_find(p, f, hash);

    if (wheel_ref_kind(ref) == KIND_SYN)
        syn_free(p, wheel_ref_index(ref));
}

static enum drop answer_mini(struct tcp *p, struct syn_mini *m, enum drop reason)
{
    uint16_t now = (uint16_t)now_ms(p), since = (uint16_t)(now - m->answered_ms);
    struct reply r = {.flow = m->flow,
                      .ifindex = m->ifindex,
                      .flags = TCP_ACK,
                      .seq = seq_add(m->iss, 1),
                      .ack = seq_add(m->irs, 1),
                      .wnd = (uint16_t)first_window(tcb_at(p, m->listener))};

    if (m->flags & SYN_MINI_ACC)
        r.ace = accecn_count_now(p, NULL);
    p->stats->TcpExtTCPChallengeACK++;
    if (m->answered_ms && since < p->knobs->tcp_challenge_ack_ms)
        return reason;
    m->answered_ms = now ? now : UINT16_MAX;
    r.why.event = EVENT_challenge_ack;
    if (m->agreed & TCP_OPT_TS) {
        r.opts = TCP_OPT_TS;
        r.tsval = now_ms(p) + m->ts_offset;
        r.tsecr = m->ts_recent;
    }
    return reply_push(p, &r) ? reason : DROP_reply_queue;
}

/* Step one, as arrive.c does it for a tcb. */
static enum drop mini_check_seq(struct tcp *p, struct syn_mini *m, const struct seg *s)
{
    struct seq next = seq_add(m->irs, 1);
    struct seq edge = seq_add(next, first_window(tcb_at(p, m->listener)));
    bool has_ts = s->opt->has & TCP_OPT_TS;

    if (s->flags & TCP_RST)
        return is_reset_in_window(next, edge, s) ? PASS : DROP_tcp_rst_window;
    if ((m->agreed & TCP_OPT_TS) && !has_ts)
        return DROP_tcp_no_timestamp; /* 7323#3.2 */
    if ((m->agreed & TCP_OPT_TS) && (int32_t)(s->opt->tsval - m->ts_recent) < 0) {
        p->stats->TcpExtPAWSEstab++;
        return answer_mini(p, m, DROP_tcp_paws);
    }
    return is_acceptable(next, edge, s) ? PASS : answer_mini(p, m, DROP_tcp_window);
}

uint8_t tcp_synacks_in(int seconds)
{
    uint8_t n = 0;

    while (n < UINT8_MAX && tcp_seconds_of(n) < seconds)
        n++;
    return n;
}

/* 1, 2, 4 ... 64, then 120 between two of them: Linux counts so too. */
int tcp_seconds_of(uint8_t synacks)
{
    int seconds = 0;

    for (int i = 0; i < synacks; i++)
        seconds += i < 7 ? 1 << i : 120;
    return seconds;
}

/* TCP_DEFER_ACCEPT: the program wants to hear of a connection when its first text is there. A bare
 * ACK only stops our SYN/ACKs, until the time that the program allowed is nearly over; the ACK that
 * the last ones draw is taken as it is. */
static bool is_deferred(const struct tcp *p, const struct syn_mini *m, const struct seg *s)
{
    return s->len == 0 && !(s->flags & TCP_FIN) &&
           m->retries - 1 < tcb_at(p, m->listener)->opt.defer;
}

/* The SYN came again. 3168#6.1.1.1: it may have given up asking; 9768#3.1.5: what it bore is told
 * anew. False: it asks for the other kind now, so no end knows what the other believes. */
static bool syn_takes_ecn(const struct tcp *p, struct syn_mini *m, const struct seg *s)
{
    bool is_acc = m->flags & SYN_MINI_ACC;

    if (m->flags & (SYN_MINI_ECN | SYN_MINI_ACC) && accecn_is_conflict(p, is_acc, s))
        return false;
    if (is_acc ? accecn_of(s) == 0 : !ecn_is_setup(p, s))
        m->flags &= (uint8_t)~SYN_MINI_ECN;
    m->ip_ecn = s->ip_ecn;
    return true;
}

enum drop syn_arrive(struct tcp *p, uint32_t index, struct seg *s)
{
    struct syn_mini *m = syn_at(p, index);
    enum drop v;

    if ((s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && seq_eq(s->seq, m->irs)) {
        if (!syn_takes_ecn(p, m, s)) {
            p->stats->TcpAttemptFails++;
            syn_free(p, index);
            return reply_reset(p, s, DROP_tcp_syn_dup, EVENT_reset_refused);
        }
        if (!(m->flags & SYN_MINI_HELD))
            syn_wants_output(p, m, index);
        return DROP_tcp_syn_dup;
    }
    if (m->flags & SYN_MINI_HELD && !(s->flags & TCP_RST))
        return DROP_tcp_ack_invalid; /* nothing was said yet that could be acknowledged */
    if ((v = mini_check_seq(p, m, s)) != PASS)
        return v;
    if (s->flags & TCP_RST) {
        if (!seq_eq(s->seq, seq_add(m->irs, 1)))
            return answer_mini(p, m, DROP_tcp_rst_window); /* 5961#3.2 */
        p->stats->TcpAttemptFails++;
        syn_free(p, index);
        return PASS;
    }
    if (s->flags & TCP_SYN) {        /* 9293#3.10.7.4 fourth: back to LISTEN */
        if (!seq_gt(s->seq, m->irs)) /* old, with new text: 5961#4.2 */
            return answer_mini(p, m, DROP_tcp_syn_in_window);
        syn_free(p, index);
        return DROP_tcp_syn_in_window;
    }
    if (!(s->flags & TCP_ACK))
        return DROP_tcp_no_ack;
    if (!seq_eq(s->ack, seq_add(m->iss, 1)))
        return reply_reset(p, s, DROP_tcp_ack_invalid, EVENT_reset_bad_ack);
    if (is_deferred(p, m, s)) {
        m->flags |= SYN_MINI_ACKED;
        p->stats->TcpExtTCPDeferAcceptDrop++;
        return PASS;
    }
    return syn_complete(p, index, s);
}

/* -- SYN/ACK ----------------------------------------------------------------------------------- */

static int64_t synack_wait_us(const struct tcp *p, const struct syn_mini *m)
{
    int64_t us = p->knobs->tcp_rto_init_us, most = p->knobs->tcp_rto_max_ms * 1000;

    for (int i = 1; i < m->retries && us < most; i++)
        us *= 2;
    return us < most ? us : most;
}

/* 9768#3.2.3.2.2: repeated without the option, for that may be why it was lost; then without the
 * flags, and who does so marks nothing (#3.1.5). */
static void syn_ack_says_ecn(const struct tcp *p, struct syn_mini *m, struct tcp_hdr *h)
{
    if (m->flags & SYN_MINI_ACC && m->retries > 2) {
        m->flags &= (uint8_t)~SYN_MINI_ECN;
    } else if (m->flags & SYN_MINI_ACC) {
        accecn_put(h, accecn_told(m->ip_ecn));
        if (m->retries == 0)
            accecn_put_first(p, &h->opt);
    } else if (m->flags & SYN_MINI_ECN) {
        h->flags |= TCP_ECE;
    }
}

/* The timer began anew since the last one left, so it was the timer; else the peer asked. */
static struct weir_why why_again(const struct tcp *p, const struct syn_mini *m)
{
    uint32_t armed_at_us = m->node.at - (uint32_t)synack_wait_us(p, m);

    if ((int32_t)(armed_at_us - m->sent_at_us) <= 0)
        return (struct weir_why){.event = EVENT_synack_asked};
    return (struct weir_why){.event = EVENT_synack_retry,
                             .n = (uint8_t)(m->retries - 1),
                             .of = (uint8_t)p->knobs->tcp_synack_retries};
}

void syn_pull(struct tcp *p, uint32_t index, struct seg_out *out)
{
    struct syn_mini *m = syn_at(p, index);
    const struct tcb *listener = tcb_at(p, m->listener);
    struct tcp_opts *o = &out->hdr.opt;

    list_unlink(&p->syn_out[m->ifindex], index);
    *out = (struct seg_out){.flow = m->flow, .tos = listener->opt.tos, .ttl = listener->opt.ttl};
    out->hdr = (struct tcp_hdr){.sport = m->flow.lport,
                                .dport = m->flow.rport,
                                .seq = m->iss,
                                .ack = seq_add(m->irs, 1),
                                .flags = TCP_SYN | TCP_ACK,
                                .wnd = (uint16_t)first_window(listener)};
    o->has = (uint8_t)(TCP_OPT_MSS | m->agreed);
    o->mss = listener_mss(listener, &m->flow);
    o->wscale = window_scale_for((uint32_t)p->knobs->tcp_rmem[2]);
    o->tsval = now_ms(p) + m->ts_offset;
    o->tsecr = m->ts_recent;
    o->is_old_cookie = m->flags & SYN_MINI_OLD;
    if (m->retries > 1) /* by the timer: 7413#4.2.2 */
        o->has &= (uint8_t)~TCP_OPT_FASTOPEN;
    if (o->has & TCP_OPT_FASTOPEN)
        fastopen_give(p, listener, &m->flow, o);
    syn_ack_says_ecn(p, m, &out->hdr);
    if (m->retries == 0) {
        m->retries = 1;
        out->why.event = EVENT_syn;
        wheel_arm(p->wheel, wheel_ref_of(KIND_SYN, index), p->now_us + synack_wait_us(p, m));
    } else {
        out->why = why_again(p, m);
        p->stats->TcpRetransSegs++;
        m->flags |= SYN_MINI_AGAIN;
    }
    m->sent_at_us = (uint32_t)p->now_us;
    p->stats->TcpOutSegs++;
}

void syn_fire(struct tcp *p, uint32_t index)
{
    struct syn_mini *m = syn_at(p, index);

    uint8_t defer = tcb_at(p, m->listener)->opt.defer;
    bool is_waiting = defer && m->flags & SYN_MINI_ACKED && m->retries - 1 < defer;

    if (m->flags & SYN_MINI_HELD || (m->retries > p->knobs->tcp_synack_retries && !is_waiting)) {
        p->stats->TcpAttemptFails++;
        syn_free(p, index);
        return;
    }
    is_waiting = is_waiting && m->retries < defer;
    m->retries++;
    wheel_arm(p->wheel, wheel_ref_of(KIND_SYN, index), p->now_us + synack_wait_us(p, m));
    if (!is_waiting)
        syn_wants_output(p, m, index);
}
