/* LISTEN: what a listener takes, its accept queue, held SYNs, and its end.
 *
 * Knows: the limits of both queues and what a program decides of held SYNs. The half-open
 * connections themselves are syn.c's, cookies cookie.c's. Shape: a SYN is judged first and taken
 * then, so that TIME-WAIT can ask before it gives way. Units: none. Errors: verdicts; a full queue
 * drops and counts. Cost: O(1). 9293#3.10.7.2, 4987 */
#include "tcp/memory.h"
#include "tcp/more.h"

/* A held SYN has to be kept whatever comes. */
static bool may_send_cookies(const struct tcp *p, const struct tcb *t)
{
    return p->knobs->tcp_syncookies && !(t->opt.on & OPT_HOLD);
}

/* What waits for a handshake to end is memory: short of it, cookies are better. */
static bool is_syn_queue_full(const struct tcp *p, const struct tcb *t)
{
    return (p->press.is_on && may_send_cookies(p, t)) ||
           t->listen->syn_count >= p->knobs->tcp_max_syn_backlog;
}

enum drop listen_judge(struct tcp *p, const struct tcb *t, const struct seg *s)
{
    struct listener *l = t->listen;

    if (s->flags & TCP_RST)
        return DROP_tcp_listen_flags;
    if (s->flags & TCP_ACK)
        return reply_reset(p, s, DROP_tcp_listen_flags, EVENT_reset_no_socket);
    if ((s->flags & (TCP_SYN | TCP_FIN)) != TCP_SYN) /* 35: no answer to SYN and FIN, as Linux */
        return DROP_tcp_listen_flags;
    if (recycle_refuses(p, s)) {
        p->stats->TcpExtPAWSPassive++;
        p->stats->TcpExtListenDrops++;
        return DROP_tcp_recycle;
    }
    if (press_look(p) && press_is_high(p)) {
        p->stats->TcpExtListenDrops++;
        return DROP_tcp_no_memory;
    }
    if (l->accept_count > l->backlog) {
        l->refused++;
        p->stats->TcpExtListenOverflows++;
        p->stats->TcpExtListenDrops++;
        return DROP_tcp_accept_queue;
    }
    if (is_syn_queue_full(p, t) && !may_send_cookies(p, t)) {
        p->stats->TcpExtTCPReqQFullDrop++;
        p->stats->TcpExtListenDrops++;
        return DROP_tcp_syn_queue;
    }
    return PASS;
}

enum drop listen_take(struct tcp *p, struct tcb *t, struct seg *s, const struct seq *above)
{
    bool is_full = is_syn_queue_full(p, t);
    enum fastopen_answer fast;
    enum drop v;

    if (is_full)
        p->stats->TcpExtTCPReqQFullDoCookies++;
    if (is_full || (p->knobs->tcp_syncookies == 2 && may_send_cookies(p, t))) {
        v = cookie_answer(p, t, s);
    } else {
        fast = fastopen_judge(p, t, s);
        v = syn_begin(p, t, s, above, fast == FASTOPEN_GIVE);
        if (v == PASS && fast >= FASTOPEN_TAKE)
            v = fastopen_take(p, t, s, fast == FASTOPEN_TAKE_AND_GIVE);
    }
    if (v != PASS)
        p->stats->TcpExtListenDrops++;
    return v;
}

enum drop arrive_listen(struct tcp *p, struct tcb *t, struct seg *s)
{
    bool is_ack = (s->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_ACK;
    enum drop v;

    if (is_ack && cookie_arrive(p, t, s, &v))
        return v;
    v = listen_judge(p, t, s);
    return v == PASS ? listen_take(p, t, s, NULL) : v;
}

/* -- the accept queue -------------------------------------------------------------------------- */

void listen_queue(struct tcp *p, struct tcb *listener, struct tcb *t)
{
    struct listener *l = listener->listen;

    t->flags |= T_ACCEPTABLE;
    t->next_accept = 0;
    if (l->accept_last)
        tcb_at(p, l->accept_last)->next_accept = t->self;
    else
        l->accept_first = t->self;
    l->accept_last = t->self;
    if (!l->accept_count)
        l->waits_at_us = p->now_us;
    l->accept_count++;
    tcb_mark(p, listener, MARK_ACCEPT | MARK_IN);
}

/* -- the listener's end ------------------------------------------------------------------------ */

/* What waits is answered by RST; half-open ones are forgotten, their ACK will meet CLOSED. */
void listener_close(struct tcp *p, struct tcb *t)
{
    struct listener *l = t->listen;

    listen_remove(p, t);
    for (uint32_t i = pool_next(&p->syns, 1); i && l->syn_count; i = pool_next(&p->syns, i + 1))
        if (syn_at(p, i)->listener == t->self)
            syn_free(p, i);
    while (l->accept_first) {
        struct tcb *c = tcb_at(p, l->accept_first);
        l->accept_first = c->next_accept;
        c->flags &= ~(uint32_t)T_ACCEPTABLE;
        tcp_abort(p, c->self);
    }
    mem_free(p->mem, l, sizeof *l);
    t->listen = NULL;
    t->bytes_retrans = 0;
    enter(p, t, CLOSED);
}

/* -- held SYNs --------------------------------------------------------------------------------- */

/* The ISN tells the mini from another one that had its place before. */
static uint64_t held_id(const struct syn_mini *m, uint32_t index)
{
    return (uint64_t)m->iss.v << 32 | index;
}

static struct syn_mini *held_find(const struct tcp *p, uint64_t id, uint32_t *index)
{
    *index = (uint32_t)id;
    if (!pool_is_live(&p->syns, *index) || held_id(syn_at(p, *index), *index) != id ||
        !(syn_at(p, *index)->flags & SYN_MINI_HELD))
        return NULL;
    return syn_at(p, *index);
}

bool tcp_held_next(struct tcp *p, uint32_t listener, uint64_t *id, struct flow *flow)
{
    struct listener *l = tcb_at(p, listener)->listen;

    if (!l || !l->held_new)
        return false;
    for (int turn = 0; turn < 2; turn++, l->held_scan = 0)
        for (uint32_t i = l->held_scan; (i = pool_next(&p->syns, i + 1));) {
            struct syn_mini *m = syn_at(p, i);
            if (m->listener != listener ||
                (m->flags & (SYN_MINI_HELD | SYN_MINI_TOLD)) != SYN_MINI_HELD)
                continue;
            m->flags |= SYN_MINI_TOLD;
            l->held_new--;
            l->held_scan = i;
            *id = held_id(m, i);
            *flow = m->flow;
            return true;
        }
    return false;
}

int tcp_held_accept(struct tcp *p, uint64_t id)
{
    uint32_t index;
    struct syn_mini *m = held_find(p, id, &index);

    if (!m)
        return -ENOENT;
    if (!(m->flags & SYN_MINI_TOLD))
        tcb_at(p, m->listener)->listen->held_new--;
    m->flags &= (uint8_t) ~(SYN_MINI_HELD | SYN_MINI_TOLD);
    syn_wants_output(p, m, index);
    return 0;
}

int tcp_held_refuse(struct tcp *p, uint64_t id, bool reset, struct flow *flow, struct seq *isn)
{
    uint32_t index;
    struct syn_mini *m = held_find(p, id, &index);
    struct reply r;

    if (!m)
        return -ENOENT;
    *flow = m->flow;
    *isn = m->irs;
    if (reset) {
        r = (struct reply){.flow = m->flow,
                           .ifindex = m->ifindex,
                           .flags = TCP_RST | TCP_ACK,
                           .ack = seq_add(m->irs, 1),
                           .why.event = EVENT_reset_refused};
        reply_push(p, &r);
    }
    syn_free(p, index);
    return 0;
}
