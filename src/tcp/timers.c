/* The timers of a connection, RFC 9293 section 3.10.8, entered by what happened.
 *
 * Knows: when. Not what is sent: it leaves marks that pull.c obeys.
 * Shape: one instant for each timer in tcb.at, but one for all that exclude each other; one wheel
 * node at the first of them (or earlier: an instant that moves later is found out when the node
 * fires). Units: microseconds.
 *   retransmit  runs while anything of ours is unacknowledged; doubles at each run (6298#5)
 *   tail, reordering   run in its place where they would end earlier (8985#7.2, 6.2)
 *   undo        runs when all is acknowledged, while a D-SACK may tell of what was sent again
 *   persist     runs while the peer's window is closed, or too small, and nothing is in flight
 *   delayed ack runs from the first unacknowledged text until an ACK leaves
 *   keepalive   runs while the connection stands and SO_KEEPALIVE is on
 *   close       runs in FIN-WAIT-2 of a closed socket, or as long as SO_LINGER waits
 *   pacing      runs while text waits for pace_at (pace.c)
 * Errors: a connection given up ends with ETIMEDOUT, or what ICMP said. Cost: O(1). */
#include "tcp/memory.h"
#include "tcp/more.h"
#include "tcp/recovery.h"

void timers_arm(struct tcp *p, struct tcb *t)
{
    int64_t first = WHEN_NEVER;
    int64_t armed;

    for (int i = 0; i < TIMER_SLOTS; i++)
        if (t->at[i] < first)
            first = t->at[i];
    if (t->snd.pace & PACE_WAITS && pace_at(p, t) < first)
        first = pace_at(p, t);
    if (first == WHEN_NEVER)
        return;
    armed = p->wheel->now_us + (int32_t)(t->node.at - (uint32_t)p->wheel->now_us);
    if (!wheel_is_armed(&t->node) || first < armed)
        wheel_arm(p->wheel, wheel_ref_of(KIND_TCB, t->self), first);
}

void timers_off(struct tcp *p, struct tcb *t)
{
    for (int i = 0; i < TIMER_SLOTS; i++)
        t->at[i] = WHEN_NEVER;
    t->snd.pace &= (uint8_t)~PACE_WAITS;
    wheel_disarm(p->wheel, wheel_ref_of(KIND_TCB, t->self));
}

uint32_t rto_with_backoff(const struct tcp *p, const struct tcb *t)
{
    uint64_t most = (uint64_t)p->knobs->tcp_rto_max_ms * 1000;
    uint64_t us = t->rtt.rto_us;

    us = t->loss.backoff < 32 ? us << t->loss.backoff : most;
    return (uint32_t)(us < most ? us : most);
}

/* TCP_USER_TIMEOUT (5482) ends the wait where it is shorter. */
static int64_t not_after_user_timeout(const struct tcp *p, const struct tcb *t, int64_t at)
{
    int64_t since = (int32_t)(now_ms(p) - t->trouble_at_ms);
    int64_t end = p->now_us + ((int64_t)t->opt.user_timeout_ms - since) * 1000;

    if (!t->opt.user_timeout_ms || !t->trouble_at_ms)
        return at;
    if (end < p->now_us)
        end = p->now_us;
    return end < at ? end : at;
}

/* Of those that exclude each other (8985#8). */
static void start(struct tcb *t, enum timer which, int64_t at)
{
    t->loss.timer = (uint8_t)which;
    t->at[0] = at;
}

static void stop(struct tcb *t, enum timer which)
{
    if (t->loss.timer == which)
        t->at[0] = WHEN_NEVER;
}

static void set_rto(struct tcp *p, struct tcb *t)
{
    int64_t at = not_after_user_timeout(p, t, p->now_us + rto_with_backoff(p, t));

    start(t, TIMER_rexmit, at);
    if (t->sent)
        t->sent->rto_at_us = (uint32_t)at;
}

static int64_t instant_of(const struct tcp *p, uint32_t low_us)
{
    return p->now_us + (int32_t)(low_us - (uint32_t)p->now_us);
}

/* Which of the three that wait for an ACK: the timeout stands, what would come before it goes
 * first. A probe takes its place even where both are due at once (8985#7.2). */
static void choose(struct tcp *p, struct tcb *t)
{
    const struct sent *s = t->sent;
    int64_t rto, at;

    if (!s || t->state == SYN_RECEIVED) /* the SYN/ACK goes again first, 7413 */
        return;
    rto = instant_of(p, s->rto_at_us);
    if (s->rack.is_due && instant_of(p, s->rack.due_us) < rto) {
        start(t, TIMER_reorder, instant_of(p, s->rack.due_us));
        return;
    }
    if (!tlp_may_wait(p, t)) {
        start(t, TIMER_rexmit, rto);
        return;
    }
    at = p->now_us + tlp_timeout_us(t);
    start(t, TIMER_tail, at < rto ? at : rto);
}

/* Its probes doubled what the retransmissions to come have no reason to wait for. */
static void persist_off(struct tcb *t)
{
    if (timer_at(t, TIMER_persist) == WHEN_NEVER)
        return;
    t->loss.backoff = 0;
    t->trouble_at_ms = 0;
    stop(t, TIMER_persist);
}

static bool waits_for_ack(const struct tcb *t)
{
    return t->at[0] != WHEN_NEVER && t->loss.timer != TIMER_persist &&
           t->loss.timer != TIMER_forget;
}

/* 6298#5.1, and 8985#7.2 where the text is new. 6298#5 (never sooner than one RTO after it was
 * sent): the oldest has gone again, so the wait for it begins again. */
void timers_on_sent(struct tcp *p, struct tcb *t, bool is_oldest_again)
{
    persist_off(t);
    if (!t->trouble_at_ms && t->opt.user_timeout_ms)
        t->trouble_at_ms = now_ms_not_0(p);
    if (!waits_for_ack(t) || is_oldest_again)
        set_rto(p, t);
    choose(p, t);
}

/* 6298#5.3 */
void timers_on_ack(struct tcp *p, struct tcb *t, bool is_progress)
{
    if (is_progress)
        t->trouble_at_ms = t->opt.user_timeout_ms ? now_ms_not_0(p) : 0;
    if (seq_eq(t->snd.una, t->snd.nxt)) {
        timers_on_all_acked(p, t);
        return;
    }
    if (is_progress)
        set_rto(p, t);
    choose(p, t);
}

/* 6298#5.2. What may be undone waits as long as a retransmission would. */
void timers_on_all_acked(struct tcp *p, struct tcb *t)
{
    if (t->loss.timer != TIMER_persist)
        t->at[0] = WHEN_NEVER;
    t->loss.backoff = 0;
    t->trouble_at_ms = 0;
    timers_on_window(p, t);
    if (t->sent && t->at[0] == WHEN_NEVER)
        start(t, TIMER_forget, p->now_us + t->rtt.rto_us);
}

void timers_on_heard(struct tcp *p, struct tcb *t)
{
    t->heard_at_ms = now_ms(p);
    if (t->flags & T_KEEP_UP) {
        t->flags &= ~(uint32_t)(T_KEEP_UP | T_KEEP_DUE);
        t->loss.probes = 0;
        timers_on_state(p, t);
    }
}

/* 9293#3.8.6.3: an ACK waits, but not for more than two full segments. */
void timers_on_received(struct tcp *p, struct tcb *t)
{
    bool is_two = t->rcv.waiting >= 2u * t->rcv.mss;

    if (is_two || t->rcv.quick || (t->opt.on & OPT_QUICKACK)) {
        t->flags |= T_ACK_NOW;
        if (t->rcv.quick)
            t->rcv.quick--;
        return;
    }
    if (timer_at(t, TIMER_delack) == WHEN_NEVER)
        t->at[timer_slot(TIMER_delack)] = p->now_us + p->knobs->tcp_delack_us;
}

void timers_on_ack_sent(struct tcb *t)
{
    t->at[timer_slot(TIMER_delack)] = WHEN_NEVER;
}

/* The peer's window closed or opened, or nothing is in flight any more. The persist timer runs
 * while there is something to send, nothing in flight, and the window is what holds it, or a cork:
 * Linux: that is forgotten after an RTO, mostly 200 ms. */
void timers_on_window(struct tcp *p, struct tcb *t)
{
    bool has_more = seq_lt(t->snd.nxt, snd_data_end(t));
    bool is_idle = seq_eq(t->snd.una, t->snd.nxt);
    bool is_held = t->snd.wnd < t->snd.mss || t->opt.on & OPT_CORK || t->flags & T_MORE;
    int64_t at;

    if (!is_synchronized(t) || !has_more || !is_idle || !is_held) {
        persist_off(t);
        if (!(t->flags & T_KEEP_UP))
            t->loss.probes = 0;
        return;
    }
    if (window_usable(t) > 0) /* it opened a little: what its probes waited is over */
        t->loss.backoff = 0;
    at = p->now_us + rto_with_backoff(p, t);
    if (!t->trouble_at_ms)
        t->trouble_at_ms = now_ms_not_0(p);
    if (timer_at(t, TIMER_persist) == WHEN_NEVER ||
        (t->loss.backoff == 0 && at < timer_at(t, TIMER_persist)))
        start(t, TIMER_persist, at);
}

static int64_t keep_idle_us(const struct tcp *p, const struct tcb *t)
{
    return (t->opt.keep_idle_s ? t->opt.keep_idle_s : p->knobs->tcp_keepalive_time) * 1000000;
}

static int64_t keep_interval_us(const struct tcp *p, const struct tcb *t)
{
    return (t->opt.keep_intvl_s ? t->opt.keep_intvl_s : p->knobs->tcp_keepalive_intvl) * 1000000;
}

static int64_t fin_wait_2_us(const struct tcp *p, const struct tcb *t)
{
    int64_t s = t->opt.fin_timeout_s ? t->opt.fin_timeout_s : p->knobs->tcp_fin_timeout;

    return s * 1000000;
}

void timers_on_state(struct tcp *p, struct tcb *t)
{
    bool is_up = t->state == ESTABLISHED || t->state == CLOSE_WAIT || t->state == FIN_WAIT_1 ||
                 t->state == FIN_WAIT_2;
    int64_t heard = p->now_us - (int64_t)(uint32_t)(now_ms(p) - t->heard_at_ms) * 1000;

    t->at[timer_slot(TIMER_keepalive)] = WHEN_NEVER;
    if (is_up && (t->opt.on & OPT_KEEPALIVE))
        t->at[timer_slot(TIMER_keepalive)] = heard + keep_idle_us(p, t);
    if (t->state == FIN_WAIT_2 && (t->flags & T_ORPHAN))
        t->at[timer_slot(TIMER_close)] = p->now_us + fin_wait_2_us(p, t);
}

/* -- what a timer does ------------------------------------------------------------------------- */

/* Row 30: an error for the program, a RST for the peer. */
static void give_up(struct tcp *p, struct tcb *t)
{
    p->stats->TcpExtTCPAbortOnTimeout++;
    if (is_synchronized(t)) {
        t->flags |= T_RST_DUE;
        t->why_event = EVENT_reset_timeout;
    }
    tcb_end(p, t, t->soft_error ? t->soft_error : ETIMEDOUT);
}

int64_t timers_retries_max(const struct tcp *p, const struct tcb *t)
{
    switch (t->state) {
    case SYN_SENT:
        return t->opt.syn_count ? t->opt.syn_count : p->knobs->tcp_syn_retries;
    case SYN_RECEIVED:
        return p->knobs->tcp_synack_retries;
    default:
        return t->flags & T_ORPHAN ? p->knobs->tcp_orphan_retries : p->knobs->tcp_retries2;
    }
}

static bool is_user_timeout(const struct tcp *p, const struct tcb *t)
{
    return t->opt.user_timeout_ms && t->trouble_at_ms &&
           now_ms(p) - t->trouble_at_ms >= t->opt.user_timeout_ms;
}

/* R2 (9293#3.8.3) counts retransmissions, or is what the program asked for, which may be longer. */
static bool is_r2_reached(const struct tcp *p, const struct tcb *t)
{
    bool is_opening = t->state == SYN_SENT || t->state == SYN_RECEIVED;

    if (t->opt.user_timeout_ms && !is_opening && !(t->flags & T_ORPHAN))
        return is_user_timeout(p, t);
    return is_user_timeout(p, t) || t->loss.backoff >= timers_retries_max(p, t);
}

/* 9293#3.8.6: a peer that shrank its window to nothing and answers is not given up: what lies
 * beyond the window is a probe of it. */
static bool is_answered_with_no_window(const struct tcp *p, const struct tcb *t)
{
    return is_synchronized(t) && t->snd.wnd == 0 && !(t->flags & T_ORPHAN) &&
           now_ms(p) - t->heard_at_ms <= rto_with_backoff(p, t) / 1000;
}

/* T_SYN_AGAIN still stands if the one before, itself a repetition, was not parked: it is out. */
static void syn_again(struct tcb *t)
{
    if (t->flags & T_SYN_AGAIN)
        t->flags &= ~(uint32_t)T_SYN_PARKED;
    t->flags |= T_SYN_DUE | T_SYN_AGAIN;
}

static void rexmit_fires(struct tcp *p, struct tcb *t)
{
    if (press_ends(p, t)) {
        press_end(p, t);
        return;
    }
    if (is_r2_reached(p, t) && !is_answered_with_no_window(p, t)) {
        give_up(p, t);
        return;
    }
    if (t->loss.backoff < UINT8_MAX)
        t->loss.backoff++;
    if (!t->trouble_at_ms)
        t->trouble_at_ms = now_ms_not_0(p);
    if (t->state == SYN_SENT || t->state == SYN_RECEIVED)
        syn_again(t);
    else
        loss_on_timeout(p, t);
    if (t->more)
        fastopen_on_timeout(p, t);
    if (t->loss.backoff == p->knobs->tcp_retries1 && t->opt.on & OPT_RECVERR)
        tcb_report(p, t, ETIMEDOUT); /* 9293#3.8.3 SHLD-9: trouble, but not the end */
    set_rto(p, t);
    tcb_wants_output(p, t);
}

/* 8985#7.3: whatever comes of it, the timeout follows. */
static void tail_fires(struct tcp *p, struct tcb *t)
{
    t->flags |= T_TAIL_DUE;
    t->why_event = EVENT_tail_probe;
    set_rto(p, t);
    tcb_wants_output(p, t);
}

static void reorder_fires(struct tcp *p, struct tcb *t)
{
    loss_on_reorder_timer(p, t);
    choose(p, t);
    tcb_wants_output(p, t);
}

static void forget_fires(struct tcp *p, struct tcb *t)
{
    loss_on_forget_timer(p, t);
}

/* 6429#3: a peer must not hold what nobody waits for by a window that stays closed. It has until
 * the timer reaches its ceiling, as on Linux. */
static bool is_orphan_held(const struct tcp *p, const struct tcb *t)
{
    return t->flags & T_ORPHAN &&
           rto_with_backoff(p, t) >= (uint32_t)p->knobs->tcp_rto_max_ms * 1000;
}

/* 9293#3.8.6.1: for ever while the peer answers (MUST-37 lets it keep its window closed); a silent
 * peer is given up like any other. */
static void persist_fires(struct tcp *p, struct tcb *t)
{
    bool is_silent = t->loss.probes > 0 &&
                     now_ms(p) - t->heard_at_ms > rto_with_backoff(p, t) / 1000;

    if (window_usable(t) > 0) { /* 1122#4.2.3.4: better a small segment than none */
        t->flags |= T_OVERRIDE;
        t->loss.backoff = 0;
        t->trouble_at_ms = 0;
        tcb_wants_output(p, t);
        return;
    }
    if (press_ends(p, t)) {
        press_end(p, t);
        return;
    }
    if ((is_silent || is_orphan_held(p, t)) && t->loss.probes >= timers_retries_max(p, t)) {
        give_up(p, t);
        return;
    }
    if (t->loss.probes < UINT8_MAX)
        t->loss.probes++;
    if (t->loss.backoff < 31)
        t->loss.backoff++;
    t->flags |= T_PROBE_DUE;
    start(t, TIMER_persist, p->now_us + rto_with_backoff(p, t));
    tcb_wants_output(p, t);
}

static void keepalive_fires(struct tcp *p, struct tcb *t)
{
    int64_t idle = (int64_t)(uint32_t)(now_ms(p) - t->heard_at_ms) * 1000;
    int64_t most = t->opt.keep_count ? t->opt.keep_count : p->knobs->tcp_keepalive_probes;

    if (!(t->flags & T_KEEP_UP) && idle < keep_idle_us(p, t)) {
        t->at[timer_slot(TIMER_keepalive)] = p->now_us + keep_idle_us(p, t) - idle;
        return;
    }
    if (!seq_eq(t->snd.una, t->snd.nxt)) { /* retransmission is asking already */
        t->at[timer_slot(TIMER_keepalive)] = p->now_us + keep_idle_us(p, t);
        return;
    }
    if (t->loss.probes >= most) {
        give_up(p, t);
        return;
    }
    t->loss.probes++;
    t->flags |= T_KEEP_DUE | T_KEEP_UP;
    t->at[timer_slot(TIMER_keepalive)] = p->now_us + keep_interval_us(p, t);
    tcb_wants_output(p, t);
}

static void close_fires(struct tcp *p, struct tcb *t)
{
    p->stats->TcpExtTCPAbortOnLinger++;
    if (t->state != FIN_WAIT_2) { /* SO_LINGER ran out with data unacknowledged */
        t->flags |= T_RST_DUE;
        t->why_event = EVENT_reset_abort;
    }
    tcb_end(p, t, 0);
}

static void delack_fires(struct tcp *p, struct tcb *t)
{
    p->stats->TcpExtDelayedACKs++;
    t->flags |= T_ACK_NOW;
    t->why_event = EVENT_delayed_ack;
    tcb_wants_output(p, t);
}

void timers_fire(struct tcp *p, struct tcb *t)
{
    static void (*const fires[TIMER_COUNT])(struct tcp *, struct tcb *) = {
        [TIMER_rexmit] = rexmit_fires,       [TIMER_persist] = persist_fires,
        [TIMER_tail] = tail_fires,           [TIMER_reorder] = reorder_fires,
        [TIMER_forget] = forget_fires,       [TIMER_delack] = delack_fires,
        [TIMER_keepalive] = keepalive_fires, [TIMER_close] = close_fires,
    };

    if (t->snd.pace & PACE_WAITS && pace_at(p, t) <= p->now_us)
        pace_fires(p, t);
    for (unsigned i = 0; i < TIMER_SLOTS && t->state != CLOSED; i++) {
        unsigned which = i ? TIMER_delack + i - 1 : t->loss.timer;
        if (t->at[i] > p->now_us)
            continue;
        t->at[i] = WHEN_NEVER;
        fires[which](p, t);
    }
    tcb_settle(p, t);
}
