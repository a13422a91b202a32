/* What holds a connection where it is, and what will end it: for people who ask why.
 *
 * Knows: the control block and the minis, and how timers.c gives up. Shape: pure; what it says of
 * the future holds if the peer keeps silent. Units: as in the public header. Errors: none.
 * Cost: O(retransmissions left). */
#include "tcp/recovery.h"
#include "weir/trace.h"

static void set_knob(struct weir_facts *f, const char *name, int64_t value)
{
    f->knob = name;
    f->knob_value = value;
}

/* From the run of a timer that is `left` away, to the one that finds `most` runs behind it: each
 * time the wait doubles, up to the longest that is allowed. */
static int64_t until_given_up(const struct tcp *p, const struct tcb *t, int64_t left, int runs)
{
    uint64_t most = (uint64_t)p->knobs->tcp_rto_max_ms * 1000;
    int64_t sum = left;

    for (int i = 1; i <= runs; i++) {
        int shift = t->loss.backoff + i;
        uint64_t us = shift < 32 ? (uint64_t)t->rtt.rto_us << shift : most;
        sum += (int64_t)(us < most ? us : most);
    }
    return sum;
}

static void set_retries(const struct tcp *p, const struct tcb *t, struct weir_facts *f)
{
    f->tries_most = (int32_t)timers_retries_max(p, t);
    switch (t->state) {
    case SYN_SENT:
        set_knob(f, t->opt.syn_count ? NULL : "net.ipv4.tcp_syn_retries",
                 p->knobs->tcp_syn_retries);
        break;
    case SYN_RECEIVED:
        set_knob(f, "net.ipv4.tcp_synack_retries", p->knobs->tcp_synack_retries);
        break;
    default:
        if (t->flags & T_ORPHAN)
            set_knob(f, "net.ipv4.tcp_orphan_retries", p->knobs->tcp_orphan_retries);
        else
            set_knob(f, "net.ipv4.tcp_retries2", p->knobs->tcp_retries2);
    }
}

/* When the oldest in flight goes again; what may go before it (8985) changes nothing of that. */
static int64_t rexmit_at(const struct tcp *p, const struct tcb *t)
{
    bool is_before = timer_at(t, TIMER_tail) != WHEN_NEVER ||
                     timer_at(t, TIMER_reorder) != WHEN_NEVER;

    return is_before && t->sent ? p->now_us + (int32_t)(t->sent->rto_at_us - (uint32_t)p->now_us)
                                : timer_at(t, TIMER_rexmit);
}

static void end_of_retries(const struct tcp *p, const struct tcb *t, struct weir_facts *f)
{
    int64_t left = rexmit_at(p, t) - p->now_us;
    int64_t user = (int64_t)t->opt.user_timeout_ms -
                   (t->trouble_at_ms ? (int32_t)(now_ms(p) - t->trouble_at_ms) : 0);

    set_retries(p, t, f);
    f->end = WEIR_END_RETRIES;
    f->tries = t->loss.backoff;
    f->end_left_us = until_given_up(p, t, left, f->tries_most - f->tries);
    if (!t->opt.user_timeout_ms || t->flags & T_ORPHAN || user * 1000 > f->end_left_us)
        return;
    f->end = WEIR_END_USER_TIMEOUT;
    f->end_left_us = user > 0 ? user * 1000 : 0;
    f->knob = NULL;
}

static void end_of_probes(const struct tcp *p, const struct tcb *t, struct weir_facts *f)
{
    int64_t left = timer_at(t, TIMER_persist) - p->now_us;

    set_retries(p, t, f);
    f->end = WEIR_END_PROBES;
    f->tries = t->loss.probes;
    f->end_left_us = until_given_up(p, t, left, f->tries_most - f->tries);
}

static void end_of_keepalive(const struct tcp *p, const struct tcb *t, struct weir_facts *f)
{
    int64_t left = timer_at(t, TIMER_keepalive) - p->now_us;
    int64_t every = t->opt.keep_intvl_s ? t->opt.keep_intvl_s : p->knobs->tcp_keepalive_intvl;

    f->end = WEIR_END_KEEPALIVE;
    f->tries = t->flags & T_KEEP_UP ? t->loss.probes : 0;
    f->tries_most = t->opt.keep_count ? t->opt.keep_count : (int32_t)p->knobs->tcp_keepalive_probes;
    f->end_left_us = left + (f->tries_most - f->tries) * every * 1000000;
    if (!t->opt.keep_idle_s)
        set_knob(f, "net.ipv4.tcp_keepalive_time", p->knobs->tcp_keepalive_time);
}

static void end_of_close(const struct tcp *p, const struct tcb *t, struct weir_facts *f)
{
    f->end = t->state == FIN_WAIT_2 ? WEIR_END_FIN_WAIT_2 : WEIR_END_LINGER;
    f->end_left_us = timer_at(t, TIMER_close) - p->now_us;
    if (f->end == WEIR_END_FIN_WAIT_2 && !t->opt.fin_timeout_s)
        set_knob(f, "net.ipv4.tcp_fin_timeout", p->knobs->tcp_fin_timeout);
}

static void find_end(const struct tcp *p, const struct tcb *t, struct weir_facts *f)
{
    if (timer_at(t, TIMER_close) != WHEN_NEVER)
        end_of_close(p, t, f);
    else if (rexmit_at(p, t) != WHEN_NEVER)
        end_of_retries(p, t, f);
    else if (timer_at(t, TIMER_persist) != WHEN_NEVER)
        end_of_probes(p, t, f);
    else if (timer_at(t, TIMER_keepalive) != WHEN_NEVER)
        end_of_keepalive(p, t, f);
}

static uint32_t flags_of(const struct tcb *t)
{
    bool is_fin_waiting = t->flags & T_FIN_QUEUED && !(t->flags & T_FIN_SENT);
    bool is_early = t->rcv.early && is_synchronized(t);

    return (t->flags & T_ORPHAN ? WEIR_FACT_ORPHAN : 0) |
           (t->flags & T_ACCEPTABLE ? WEIR_FACT_QUEUED : 0) |
           (t->flags & T_FIN_SENT ? WEIR_FACT_FIN_SENT : 0) |
           (is_fin_waiting ? WEIR_FACT_FIN_WAITS : 0) |
           (t->opt.on & OPT_KEEPALIVE ? WEIR_FACT_KEEPALIVE : 0) |
           (t->flags & T_KEEP_UP ? WEIR_FACT_PROBING : 0) | (is_early ? WEIR_FACT_HOLE : 0) |
           ((t->flags & (T_FIN_SEEN | T_FIN_RECEIVED)) == T_FIN_SEEN ? WEIR_FACT_LATE_FIN : 0);
}

static void facts_of_listener(const struct tcp *p, const struct listener *l, struct weir_facts *f)
{
    f->half_open = l->syn_count;
    f->half_open_most = (uint32_t)p->knobs->tcp_max_syn_backlog;
    f->refused = l->refused;
    if (l->accept_count)
        f->waits_ago_ms = (uint32_t)((p->now_us - l->waits_at_us) / 1000);
}

void tcp_facts(const struct tcp *p, uint32_t index, struct weir_facts *f)
{
    const struct tcb *t = tcb_at(p, index);

    f->state_ago_ms = now_ms(p) - t->state_at_ms;
    if (t->state == LISTEN) {
        facts_of_listener(p, t->listen, f);
        return;
    }
    if (t->state == CLOSED)
        return;
    f->flags = flags_of(t);
    if (t->trouble_at_ms && (timer_at(t, TIMER_persist) != WHEN_NEVER || t->loss.backoff))
        f->stalled_ago_ms = now_ms(p) - t->trouble_at_ms;
    find_end(p, t, f);
}

/* Its SYN/ACKs are counted from 1, and each wait is twice the one before. */
void tcp_syn_facts(const struct tcp *p, uint32_t index, struct weir_facts *f)
{
    const struct syn_mini *m = syn_at(p, index);
    int64_t wait = p->knobs->tcp_rto_init_us, most = p->knobs->tcp_rto_max_ms * 1000;
    int64_t left = (int32_t)(m->node.at - (uint32_t)p->now_us), waited = 0;

    f->end = WEIR_END_RETRIES;
    f->tries = m->retries ? m->retries - 1 : 0;
    f->tries_most = (int32_t)p->knobs->tcp_synack_retries;
    set_knob(f, "net.ipv4.tcp_synack_retries", p->knobs->tcp_synack_retries);
    f->end_left_us = left;
    f->flags = m->flags & SYN_MINI_ACKED ? WEIR_FACT_RETRYING : 0;
    for (int i = 0; i <= f->tries_most; i++, wait = wait * 2 < most ? wait * 2 : most) {
        f->end_left_us += i > f->tries ? wait : 0;
        waited += i <= f->tries ? wait : 0;
    }
    f->state_ago_ms = (uint32_t)((waited - left) / 1000);
}

void tcp_tw_facts(const struct tcp *p, uint32_t index, struct weir_facts *f)
{
    const struct tw_mini *w = tw_at(p, index);
    int64_t left_ms = tw_left_ms(p, w);
    int64_t whole_ms = p->knobs->tcp_time_wait_s * 1000;

    f->end = WEIR_END_TIME_WAIT;
    f->end_left_us = left_ms * 1000;
    f->state_ago_ms = (uint32_t)(whole_ms > left_ms ? whole_ms - left_ms : 0);
    set_knob(f, "net.weir.tcp_time_wait_s", p->knobs->tcp_time_wait_s);
}
