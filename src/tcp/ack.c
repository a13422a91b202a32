/* Step five of SEGMENT ARRIVES: the ACK, and all that it sets going, in one direction:
 * ack -> sent -> rtt -> loss -> cc -> timers.
 *
 * Knows: SND.UNA, SND.WND and whose turn it is. Not how loss is found or a window grows.
 * Shape: one struct ack_event for each ACK. Units: bytes, microseconds. Errors: verdicts.
 * Cost: O(1) and the records that the ACK covers. 9293#3.10.7.4 fifth, 5961#5, 5681#2 */
#include "tcp/memory.h"
#include "tcp/more.h"
#include "tcp/recovery.h"

/* 9293#3.10.7.4: the newest segment by SEG.SEQ, then SEG.ACK, says what the window is. */
void window_from_peer(struct tcb *t, const struct seg *s)
{
    uint32_t wnd = s->wnd << t->snd.wscale;

    if (seq_gt(t->snd.wl1, s->seq) || (seq_eq(t->snd.wl1, s->seq) && seq_gt(t->snd.wl2, s->ack)))
        return;
    t->snd.wnd = wnd;
    t->snd.wl1 = s->seq;
    t->snd.wl2 = s->ack;
    if (wnd > t->snd.wnd_max)
        t->snd.wnd_max = wnd;
}

/* A pure ACK of nothing new that changes no window. */
static bool is_pure(const struct tcb *t, const struct seg *s)
{
    return s->len == 0 && !(s->flags & TCP_FIN) && seq_eq(s->ack, t->snd.una) &&
           s->wnd << t->snd.wscale == t->snd.wnd;
}

/* Moves SND.UNA; what it passed leaves the ring. The FIN has a number but no byte. */
static void advance_una(struct tcp *p, struct tcb *t, struct seq ack, uint32_t acked)
{
    uint32_t bytes = acked < t->snd.ring.len ? acked : t->snd.ring.len;

    if (bytes)
        ring_consume(&t->snd.ring, bytes);
    if (tcb_has_lapped(t->snd.iss, t->snd.una, ack))
        t->una_laps++;
    t->snd.una = ack;
    p->has_progress = true;
    if (t->flags & T_URG_OUT && seq_le(t->snd.up, ack))
        t->flags &= ~(uint32_t)T_URG_OUT;
    if (t->snd.ring.len == 0 && !press_is_high(p)) /* else it might find none again */
        ring_release(&t->snd.ring, p->mem);
}

/* 7323#4: an echoed timestamp measures retransmitted segments too, where Karn's rule has no sample.
 * 0: there is none to be believed. */
static uint32_t echo_us(struct tcp *p, const struct tcb *t, const struct seg *s)
{
    uint32_t ms = ts_now(p, t) - s->opt->tsecr;

    if (!(t->flags & T_TS) || !(s->opt->has & TCP_OPT_TS) || !s->opt->tsecr || ms >= 1u << 20)
        return 0;
    return ms * 1000;
}

static void measure(struct tcp *p, struct tcb *t, const struct seg *s, struct ack_event *e)
{
    uint32_t us;

    if (e->rtt_us && e->rtt_us < 1u << 30)
        rtt_sample(p, &t->rtt, e->rtt_us);
    else if (e->acked && (us = echo_us(p, t, s)))
        rtt_echo(p, &t->rtt, us);
}

/* Our SYN is acknowledged. If it had to be repeated, the path is not to be trusted yet. */
void ack_measures_syn(struct tcp *p, struct tcb *t, const struct seg *s)
{
    uint32_t us = echo_us(p, t, s);

    if (!(t->flags & T_SYN_AGAIN)) {
        rtt_sample(p, &t->rtt, (uint32_t)p->now_us - t->syn_at_us);
        return;
    }
    if (!(t->flags & T_PASSIVE)) /* else the mini knew */
        t->cc.cwnd = t->snd.mss; /* 5681#3.1 */
    if (us)
        rtt_sample(p, &t->rtt, us);
    else
        rtt_fall_back(p, &t->rtt);
}

static struct ack_event event_of(const struct tcp *p, const struct tcb *t, const struct seg *s)
{
    bool is_repeat = is_pure(t, s), has_flight = seq_lt(t->snd.una, t->snd.nxt);
    uint32_t flight = in_flight(t);

    return (struct ack_event){.now_us = p->now_us,
                              .ack = s->ack,
                              .nxt = t->snd.nxt,
                              .acked = (uint32_t)seq_diff(s->ack, t->snd.una),
                              .in_flight = flight,
                              .fack = s->ack,
                              .echo = s->opt->tsecr,
                              .has_echo = t->flags & T_TS && s->opt->has & TCP_OPT_TS,
                              .is_pure = is_repeat,
                              .is_duplicate = is_repeat && has_flight, /* 5681#2 */
                              .is_cwnd_limited = t->cc.cwnd < t->cc.ssthresh
                                                     ? flight * 2 >= t->cc.cwnd
                                                     : flight + t->snd.mss >= t->cc.cwnd};
}

void ack_process(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct ack_event e = event_of(p, t, s);
    struct rate_sample sample;
    bool is_open = t->snd.wnd > 0;

    p->stats->TcpExtTCPPureAcks += s->len == 0;
    window_from_peer(t, s);
    if (is_open != (t->snd.wnd > 0))
        timers_on_window(p, t);
    if (seq_eq(t->snd.una, t->snd.nxt) && !t->sent)
        return;
    if (rate_is_on(t)) {
        sample = (struct rate_sample){0};
        e.rate = &sample;
    }
    if (t->sent && (s->opt->has & TCP_OPT_SACK) && (t->flags & T_SACK))
        sack_on_ack(p, t, s->opt, &e);
    if (e.acked)
        advance_una(p, t, s->ack, e.acked);
    if (t->snd.pace & PACE_VALIDATES)
        validate_on_ack(p, t, &e);
    if (t->sent)
        sent_ack(t, &e);
    measure(p, t, s, &e);
    loss_on_ack(p, t, &e);
    ecn_on_ack(p, t, s, &e);
    if (e.rate)
        rate_finish(t, &e);
    cc_algo(&t->cc)->on_ack(&t->cc, &e, &t->rtt);
    if (t->more && e.acked)
        mtu_on_ack(p, t);
    if (e.acked || e.sacked)
        timers_on_ack(p, t, e.acked > 0);
}

/* A newer ACK was here before this one, and told of all but one thing: that text came twice is said
 * once. 2883#4 */
static void overtaken(struct tcp *p, struct tcb *t, const struct seg *s)
{
    if (t->sent && s->opt->has & TCP_OPT_SACK && t->flags & T_SACK)
        loss_on_overtaken(p, t, s);
}

/* What the ACK of our FIN means for the state. */
static void fin_is_acked(struct tcp *p, struct tcb *t)
{
    switch (t->state) {
    case FIN_WAIT_1:
        enter(p, t, FIN_WAIT_2);
        timers_on_state(p, t);
        break;
    case CLOSING:
        enter(p, t, TIME_WAIT);
        tw_begin(p, t);
        break;
    case LAST_ACK:
        tcb_end(p, t, 0);
        break;
    default:
        break;
    }
}

void tell_writer(struct tcp *p, struct tcb *t)
{
    uint32_t room;

    if (!(t->flags & T_OUT_FULL))
        return;
    tune_sndbuf(p, t);
    room = t->opt.sndbuf - (t->snd.ring.len < t->opt.sndbuf ? t->snd.ring.len : t->opt.sndbuf);
    if (room >= t->opt.sndbuf / 3 && (uint64_t)unsent_of(t) * 2 < notsent_most(p, t)) {
        t->flags &= ~(uint32_t)T_OUT_FULL;
        tcb_mark(p, t, MARK_OUT);
    }
}

static enum drop ack_of_syn_received(struct tcp *p, struct tcb *t, struct seg *s)
{
    if (!seq_in_oc(t->snd.una, s->ack, t->snd.nxt))
        return reply_reset(p, s, DROP_tcp_ack_invalid, EVENT_reset_bad_ack);
    if (t->more)
        fastopen_on_syn_acked(p, t, s);
    t->snd.una = seq_add(t->snd.iss, 1);
    t->snd.wnd = t->snd.wnd_max = s->wnd << t->snd.wscale;
    t->snd.wl1 = s->seq;
    t->snd.wl2 = s->ack;
    t->flags &= ~(uint32_t)T_SYN_DUE;
    ack_measures_syn(p, t, s);
    if (t->ecn & ECN_ACC)
        accecn_on_last_ack(p, t, s);
    t->sent_at_ms = now_ms(p);
    t->loss.backoff = 0;
    enter(p, t, t->flags & T_FIN_QUEUED ? FIN_WAIT_1 : ESTABLISHED);
    timers_on_ack(p, t, true);
    timers_on_state(p, t);
    t->flags &= ~(uint32_t)T_OUT_FULL;
    tcb_mark(p, t, MARK_OUT);
    return PASS;
}

enum drop fifth_check_ack(struct tcp *p, struct tcb *t, struct seg *s)
{
    if (!(s->flags & TCP_ACK))
        return DROP_tcp_no_ack;
    if (t->state == SYN_RECEIVED) {
        enum drop v = ack_of_syn_received(p, t, s);
        if (v != PASS)
            return v;
    }
    if (seq_gt(s->ack, t->snd.nxt)) { /* 28: an ACK back, never a RST */
        challenge_ack(p, t);
        return DROP_tcp_ack_invalid;
    }
    if (seq_lt(s->ack, seq_sub(t->snd.una, t->snd.wnd_max))) { /* 5961#5.2 */
        challenge_ack(p, t);
        return DROP_tcp_ack_invalid;
    }
    if (seq_lt(s->ack, t->snd.una) || s->is_late) { /* its text still counts */
        overtaken(p, t, s);
        return PASS;
    }
    ack_process(p, t, s);
    tell_writer(p, t);
    if ((t->flags & T_FIN_SENT) && seq_eq(t->snd.una, t->snd.nxt) && t->snd.ring.len == 0)
        fin_is_acked(p, t);
    return PASS;
}
