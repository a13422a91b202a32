/* SEGMENT ARRIVES, RFC 9293 section 3.10.7: the steps in the RFC's order, once each.
 *
 * Knows: which step comes after which. The work of steps five to eight is in ack.c, urgent.c
 * and text.c, that of minis in syn.c and tw.c. Shape: a step says PASS to go on, or the verdict at
 * which the segment ends. Nothing is sent here. Units: bytes of sequence space. Errors: verdicts.
 * Cost: O(1). Later RFCs inside their step: PAWS (7323) in first, 5961 in second, fourth and fifth.
 */
#include <string.h>

#include "tcp/more.h"
#include "tcp/pace.h"

#define PAWS_IDLE_MS (24u * 24 * 3600 * 1000) /* 7323#5.5: then TS.Recent is not to be believed */

static enum drop arrive_flow(struct tcp *p, struct seg *s)
{
    uint32_t ref, listener;

    s->hash = flow_hash(p, &s->flow);
    ref = demux_find(p, &s->flow, s->hash);
    switch (wheel_ref_kind(ref)) {
    case KIND_TCB:
        p->last_flow = s->flow;
        p->last_tcb = wheel_ref_index(ref);
        return arrive(p, tcb_at(p, p->last_tcb), s);
    case KIND_SYN:
        return syn_arrive(p, wheel_ref_index(ref), s);
    case KIND_TW:
        return tw_arrive(p, wheel_ref_index(ref), s);
    default:
        listener = listen_find(p, &s->flow, s->hash);
        if (listener)
            return arrive_listen(p, tcb_at(p, listener), s);
        return reply_reset(p, s, DROP_tcp_no_socket, EVENT_reset_no_socket); /* 3.10.7.1 CLOSED */
    }
}

enum drop tcp_input(struct tcp *p, struct seg *s)
{
    p->stats->TcpInSegs += s->pieces;
    if (s->flow.lport == 0 || s->flow.rport == 0)
        return DROP_tcp_port_zero;
    if (p->last_tcb && memcmp(&p->last_flow, &s->flow, sizeof s->flow) == 0)
        return arrive(p, tcb_at(p, p->last_tcb), s);
    return arrive_flow(p, s);
}

/* -- first: sequence number -------------------------------------------------------------------- */

static bool is_recent_outdated(const struct tcp *p, const struct tcb *t)
{
    return now_ms(p) - t->ts.recent_at_ms >= PAWS_IDLE_MS;
}

static bool is_old_timestamp(const struct tcp *p, const struct tcb *t, const struct seg *s)
{
    return (t->flags & T_TS) && (s->opt->has & TCP_OPT_TS) &&
           (int32_t)(s->opt->tsval - t->ts.recent) < 0 && !is_recent_outdated(p, t);
}

/* Differs from 7323#5.3 R1, as Linux: an ACK without text, of nothing new, where the peer stands,
 * whose stamp is a timeout old at most, was overtaken on its way by a later one. It is acceptable,
 * and answered by nothing; fifth hears what is no matter of order in it. */
static bool is_overtaken_ack(const struct tcb *t, const struct seg *s)
{
    uint32_t age_ms = t->ts.recent - s->opt->tsval;

    return t->state != SYN_RECEIVED && s->len == 0 &&
           (s->flags & (TCP_ACK | TCP_SYN | TCP_FIN | TCP_URG)) == TCP_ACK &&
           seq_eq(s->seq, t->rcv.nxt) && seq_le(s->ack, t->snd.una) &&
           age_ms <= t->rtt.rto_us / 1000;
}

/* 9293#3.4 table 6. Differs: a segment without text may stand at the right edge itself, for that is
 * where the ACKs of a sender stand that filled our window. */
bool is_acceptable(struct seq nxt, struct seq edge, const struct seg *s)
{
    uint32_t len = s->len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
    struct seq last = seq_add(s->seq, len - 1);

    if (len == 0)
        return seq_in_cc(nxt, s->seq, edge);
    if (seq_eq(nxt, edge)) /* MUST-66: URG and ACK of a probe still count */
        return seq_eq(s->seq, nxt);
    return seq_in_co(nxt, s->seq, edge) || seq_in_co(nxt, last, edge) ||
           (seq_lt(s->seq, nxt) && seq_ge(last, edge));
}

/* 5961#3.2: a RST is judged by where it begins, whatever text it carries. */
bool is_reset_in_window(struct seq nxt, struct seq edge, const struct seg *s)
{
    return seq_eq(s->seq, nxt) || seq_in_co(nxt, s->seq, edge);
}

/* An unacceptable segment draws an ACK. At once where it is our ACK that was lost, or a probe;
 * otherwise at the pace of challenge ACKs, so that nobody makes us talk (5961#7). */
static void answer_unacceptable(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct seq end = seq_add(s->seq, s->len + !!(s->flags & TCP_FIN));
    bool is_repeat = s->len > 0 && seq_le(end, t->rcv.nxt) && seq_diff(t->rcv.nxt, end) < 1 << 24;
    bool is_probe = s->len <= 1 && seq_eq(seq_add(s->seq, 1), t->rcv.nxt);
    bool is_fin_again = (s->flags & TCP_FIN) && seq_eq(end, t->rcv.nxt);
    bool is_syn_ack = (s->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);

    if (is_syn_ack && accecn_on_syn_ack_again(p, t, s)) {
        t->flags |= T_ACK_NOW;
        return;
    }
    if (!is_repeat && !is_probe && !is_fin_again) {
        challenge_ack(p, t);
        return;
    }
    if (is_repeat) {
        p->stats->TcpExtDelayedACKLost++;
        text_repeated(p, t, s->seq, seq_add(s->seq, s->len));
        if (t->ecn & ECN_ACC)
            accecn_on_repeat(p, t);
    }
    t->flags |= T_ACK_NOW;
    t->why_event = EVENT_repeated_ack;
}

static enum drop first_check_seq(struct tcp *p, struct tcb *t, struct seg *s)
{
    if (s->flags & TCP_RST)
        return is_reset_in_window(t->rcv.nxt, t->rcv.edge, s) ? PASS : DROP_tcp_rst_window;
    if ((t->flags & T_TS) && !(s->opt->has & TCP_OPT_TS))
        return DROP_tcp_no_timestamp; /* 7323#3.2 */
    if (is_old_timestamp(p, t, s)) {
        s->is_late = is_overtaken_ack(t, s);
        if (s->is_late)
            return PASS;
        p->stats->TcpExtPAWSEstab++;
        answer_unacceptable(p, t, s);
        return DROP_tcp_paws;
    }
    if (!is_acceptable(t->rcv.nxt, t->rcv.edge, s)) {
        answer_unacceptable(p, t, s);
        if (seq_lt(s->seq, t->rcv.nxt) && s->len > 0)
            return DROP_tcp_duplicate;
        return DROP_tcp_window;
    }
    /* 7323#4.3 (2): only what begins at or before the last ACK that we sent */
    if ((t->flags & T_TS) && (s->opt->has & TCP_OPT_TS) &&
        seq_le(s->seq, seq_sub(t->rcv.nxt, t->rcv.waiting)) &&
        ((int32_t)(s->opt->tsval - t->ts.recent) >= 0 || is_recent_outdated(p, t))) {
        t->ts.recent = s->opt->tsval;
        t->ts.recent_at_ms = now_ms(p);
    }
    return PASS;
}

/* -- second: RST, with 5961#3 ------------------------------------------------------------------ */

static int error_of_reset(const struct tcb *t)
{
    switch (t->state) {
    case SYN_RECEIVED:
        return t->flags & T_PASSIVE ? ECONNRESET : ECONNREFUSED;
    case CLOSE_WAIT:
        return EPIPE; /* Linux: the peer had closed, so a write is what fails */
    case CLOSING:
    case LAST_ACK:
        return 0;
    default:
        return ECONNRESET;
    }
}

static enum drop second_check_rst(struct tcp *p, struct tcb *t, struct seg *s)
{
    if (!(s->flags & TCP_RST))
        return PASS;
    if (!seq_eq(s->seq, t->rcv.nxt)) {
        if (t->more && t->state == ESTABLISHED)
            fastopen_on_odd_end(p, t);
        challenge_ack(p, t);
        return DROP_tcp_rst_window;
    }
    tcb_end(p, t, error_of_reset(t));
    return PASS;
}

/* -- fourth: SYN, with 5961#4 (the third, security, is not used) ------------------------------- */

static enum drop fourth_check_syn(struct tcp *p, struct tcb *t, struct seg *s)
{
    if (!(s->flags & TCP_SYN))
        return PASS;
    p->stats->TcpExtTCPSYNChallenge++;
    challenge_ack(p, t);
    return DROP_tcp_syn_in_window;
}

/* -- 3.10.7.4: all other states ---------------------------------------------------------------- */

/* Simultaneous open: the SYN that we know comes again. A SYN/ACK (9293 figure 8, line 6) goes on
 * without it; a bare one means that ours was lost. */
static enum drop arrive_known_syn(struct tcp *p, struct tcb *t, struct seg *s)
{
    if (!(s->flags & TCP_ACK) && !ecn_on_syn_again(p, t, s)) {
        t->flags |= T_RST_DUE;
        t->why_event = EVENT_reset_refused;
        tcb_end(p, t, ECONNRESET);
        return DROP_tcp_syn_dup;
    }
    if (s->flags & TCP_ACK) {
        s->flags &= (uint8_t)~TCP_SYN;
        s->seq = seq_add(s->seq, 1);
        return PASS;
    }
    t->flags |= T_SYN_DUE | T_SYN_AGAIN;
    t->why_event = EVENT_synack_asked;
    tcb_wants_output(p, t);
    return DROP_tcp_syn_dup;
}

static enum drop arrive_other(struct tcp *p, struct tcb *t, struct seg *s)
{
    enum drop v;

    if (t->state == SYN_RECEIVED && (s->flags & (TCP_SYN | TCP_RST)) == TCP_SYN &&
        seq_eq(s->seq, t->rcv.irs) && (v = arrive_known_syn(p, t, s)) != PASS)
        return v;
    if ((v = first_check_seq(p, t, s)) != PASS)
        return v;
    if ((v = second_check_rst(p, t, s)) != PASS || t->state == CLOSED)
        return v;
    if ((v = fourth_check_syn(p, t, s)) != PASS)
        return v;
    if ((v = fifth_check_ack(p, t, s)) != PASS || t->state == CLOSED)
        return v;
    ecn_on_segment(p, t, s); /* 9768#3.2: of what is acceptable by 9293 and by 5961 */
    sixth_check_urg(p, t, s);
    if ((v = seventh_process_text(p, t, s)) != PASS || t->state == CLOSED)
        return v;
    eighth_check_fin(p, t, s);
    return PASS;
}

/* -- 3.10.7.3: SYN-SENT ------------------------------------------------------------------------ */

static void take_syn_options(struct tcp *p, struct tcb *t, const struct seg *s)
{
    const struct tcp_opts *o = s->opt;
    uint16_t mss = tcp_mss_of(s);

    if (mss < p->knobs->tcp_min_snd_mss)
        mss = (uint16_t)p->knobs->tcp_min_snd_mss; /* 24: an amplifier otherwise */
    if (mss < t->snd.mss)
        t->snd.mss = mss;
    if (!(o->has & TCP_OPT_WSCALE)) {
        t->flags &= ~(uint32_t)T_WSCALE;
        t->rcv.wscale = 0;
    }
    if (t->flags & T_WSCALE)
        t->snd.wscale = o->wscale > 14 ? 14 : o->wscale; /* 7323#2.3 */
    if (!(o->has & TCP_OPT_SACK_OK))
        t->flags &= ~(uint32_t)T_SACK;
    if (!(o->has & TCP_OPT_TS))
        t->flags &= ~(uint32_t)T_TS;
    if (t->flags & T_TS) {
        t->ts.recent = o->tsval;
        t->ts.recent_at_ms = now_ms(p);
        t->snd.mss = (uint16_t)(t->snd.mss - 12); /* 6691: MSS counts no options */
    }
    mtu_begin(p, t);
    cc_begin(p, t, (uint32_t)p->knobs->tcp_initial_cwnd);
}

static void establish_from_syn_sent(struct tcp *p, struct tcb *t, const struct seg *s)
{
    ecn_on_syn_ack(p, t, s);
    if (t->more)
        fastopen_on_syn_acked(p, t, s);
    if (t->snd.ring.len) /* what our SYN brought across */
        ring_consume(&t->snd.ring, (uint32_t)seq_diff(s->ack, seq_add(t->snd.iss, 1)));
    if (t->snd.ring.len == 0)
        ring_release(&t->snd.ring, p->mem);
    t->snd.una = s->ack;
    t->snd.wnd = t->snd.wnd_max = s->wnd; /* a SYN's window is never scaled */
    t->snd.wl1 = s->seq;
    t->snd.wl2 = s->ack;
    ack_measures_syn(p, t, s);
    t->sent_at_ms = now_ms(p);
    enter(p, t, ESTABLISHED);
    timers_on_all_acked(p, t);
    timers_on_state(p, t);
    t->flags |= T_ACK_NOW;
    t->flags &= ~(uint32_t)T_OUT_FULL;
    tcb_mark(p, t, MARK_OUT);
}

static enum drop arrive_syn_sent(struct tcp *p, struct tcb *t, struct seg *s)
{
    bool is_ack_good = (s->flags & TCP_ACK) && seq_in_oc(t->snd.iss, s->ack, t->snd.nxt);

    if ((s->flags & TCP_ACK) && !is_ack_good)
        return reply_reset(p, s, DROP_tcp_syn_sent, EVENT_reset_bad_ack);
    if (s->flags & TCP_RST) {
        if (!is_ack_good)
            return DROP_tcp_syn_sent;
        tcb_end(p, t, ECONNREFUSED);
        return PASS;
    }
    if (!(s->flags & TCP_SYN))
        return DROP_tcp_syn_sent;

    t->rcv.irs = s->seq;
    t->rcv.nxt = t->rcv.edge = seq_add(s->seq, 1);
    t->rcv.edge = seq_add(t->rcv.nxt, window_room(t) < 65535 ? window_room(t) : 65535);
    take_syn_options(p, t, s);
    t->flags &= ~(uint32_t)T_SYN_DUE;
    if (!is_ack_good) {
        enter(p, t, SYN_RECEIVED); /* MUST-10: simultaneous open */
        t->snd.wnd = t->snd.wnd_max = s->wnd;
        t->snd.wl1 = s->seq;
        t->snd.wl2 = t->snd.una;
        t->flags |= T_SYN_DUE;
        ecn_on_syn(p, t, s);
        return PASS;
    }
    establish_from_syn_sent(p, t, s);
    s->seq = seq_add(s->seq, 1); /* text and FIN after the SYN */
    s->flags &= (uint8_t)~TCP_SYN;
    enum drop v = seventh_process_text(p, t, s);
    if (v == PASS && t->state != CLOSED)
        eighth_check_fin(p, t, s);
    return v;
}

enum drop arrive(struct tcp *p, struct tcb *t, struct seg *s)
{
    enum state before = t->state;
    bool has_text = s->len > 0;
    enum drop v = before == SYN_SENT ? arrive_syn_sent(p, t, s) : arrive_other(p, t, s);

    if (t->state != before)
        *s->why = (struct weir_why){.event = EVENT_state, .from = (uint8_t)before, .to = t->state};
    t->segs_in += s->pieces;
    t->data_segs_in += has_text ? s->pieces : 0;
    if (v == PASS)
        timers_on_heard(p, t);
    if (t->state != CLOSED)
        tcb_wants_output(p, t);
    tcb_settle(p, t);
    return v;
}
