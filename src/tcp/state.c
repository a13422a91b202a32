/* The state of a connection and its life: the only writer of tcb.state.
 *
 * Knows: edges.def. Not why an edge is taken.
 * Shape: enter() asserts the edge; a tcb leaves by tcb_end and tcb_free only.
 * Units: none. Errors: tcb_new gives NULL when the limit or memory says so.
 * Cost: O(1). 9293#3.3.2 figure 5 */
#include "tcp/memory.h"
#include "tcp/more.h"
#include "tcp/recovery.h"

static const bool edge_ok[STATE_COUNT][STATE_COUNT] = {
#define EDGE(from, to, cause, ref) [from][to] = true,
#include "def/edges.def"
#undef EDGE
};

/* Apart: mostly nobody listens. */
static __attribute__((noinline)) void tell(struct tcp *p, const struct flow *f, struct weir_why why)
{
    why.event = EVENT_state;
    trace_add(p->trace, &(struct weir_event){.at_ns = p->now_us * 1000,
                                             .local = {.addr = f->local, .port = f->lport},
                                             .peer = {.addr = f->remote, .port = f->rport},
                                             .why = why});
}

void trace_state(struct tcp *p, const struct flow *f, struct weir_why why)
{
    must(edge_ok[why.from][why.to]);
    if (p->trace && trace_is_on(p->trace))
        tell(p, f, why);
}

static bool is_established(enum state s)
{
    return s == ESTABLISHED || s == CLOSE_WAIT;
}

void enter(struct tcp *p, struct tcb *t, enum state to)
{
    bool was = is_established(t->state);

    must(edge_ok[t->state][to]);
    if (to == CLOSED && was)
        p->stats->TcpEstabResets++;
    if (to == CLOSED && (t->state == SYN_SENT || t->state == SYN_RECEIVED))
        p->stats->TcpAttemptFails++;
    if (p->trace && trace_is_on(p->trace) &&
        !(t->flags & T_MINI_WAITS)) /* a mini tells of itself */
        tell(p, &t->flow,
             (struct weir_why){
                 .from = t->state, .to = (uint8_t)to, .n = to == CLOSED ? t->end_reason : 0});
    if (t->state == SYN_RECEIVED && t->more)
        fastopen_on_left(p, t, t->end_reason == ECONNRESET);
    if (was != is_established(to))
        p->stats->TcpCurrEstab += was ? UINT64_MAX : 1;
    t->state = (uint8_t)to;
    t->state_at_ms = now_ms(p);
}

struct tcb *tcb_new(struct tcp *p)
{
    uint32_t index;
    struct tcb *t;

    if (p->tcbs.used >= p->knobs->tcp_max_connections || (press_look(p) && press_is_high(p)) ||
        !(index = pool_new(&p->tcbs)))
        return NULL;
    t = tcb_at(p, index);
    t->self = index;
    t->state = CLOSED;
    t->state_at_ms = now_ms(p);
    t->flags = T_DETACHED;
    wheel_node_init(&t->node);
    list_node_init(&t->out);
    list_node_init(&t->marked);
    for (int i = 0; i < TIMER_SLOTS; i++)
        t->at[i] = WHEN_NEVER;
    rtt_init(p, &t->rtt);
    t->opt.rcvbuf = (uint32_t)p->knobs->tcp_rmem[1];
    t->opt.sndbuf = (uint32_t)p->knobs->tcp_wmem[1];
    t->cc.algo = p->congestion;
    return t;
}

void tcb_detach(struct tcp *p, struct tcb *t)
{
    timers_off(p, t);
    if (t->flags & T_DETACHED)
        return;
    t->flags |= T_DETACHED;
    demux_remove(p, t->hash, KIND_TCB, t->self);
    if (p->last_tcb == t->self)
        p->last_tcb = 0;
}

void tcb_free(struct tcp *p, struct tcb *t)
{
    tcb_detach(p, t);
    cc_end(p, t);
    if (list_is_on(&t->out))
        list_unlink(&p->out[t->ifindex], t->self);
    if (list_is_on(&t->marked))
        list_unlink(&p->marked, t->self);
    if (t->flags & T_ORPHAN)
        p->orphans--;
    sent_free(p, t);
    tune_free(p, t);
    text_free(p, t);
    more_free(p, t);
    ring_release(&t->snd.ring, p->mem);
    pool_free(&p->tcbs, t->self);
}

void tcb_mark(struct tcp *p, struct tcb *t, uint8_t marks)
{
    t->marks |= marks;
    if (t->sock && !list_is_on(&t->marked))
        list_append(&p->marked, t->self);
}

void tcb_wants_output(struct tcp *p, struct tcb *t)
{
    if (!list_is_on(&t->out))
        list_append(&p->out[t->ifindex], t->self);
}

void tcb_end(struct tcp *p, struct tcb *t, int error)
{
    if (error) {
        t->error = (uint8_t)error;
        t->end_reason = (uint8_t)error;
    }
    if (t->more && (t->flags & (T_FIN_SEEN | T_FIN_RECEIVED)) == T_FIN_SEEN)
        fastopen_on_odd_end(p, t);
    if (t->state != CLOSED)
        enter(p, t, CLOSED);
    tcb_detach(p, t);
    cc_end(p, t);
    sent_free(p, t);
    ring_release(&t->snd.ring, p->mem);
    t->flags &= ~(uint32_t)(T_SYN_DUE | T_PROBE_DUE | T_KEEP_DUE | T_ACK_NOW);
    tcb_mark(p, t, MARK_IN | MARK_OUT | MARK_GONE | (error ? MARK_ERROR : 0));
    if (t->flags & T_RST_DUE)
        tcb_wants_output(p, t);
}

void tcb_settle(struct tcp *p, struct tcb *t)
{
    if (t->state == CLOSED && tcb_is_ownerless(t) && !(t->flags & T_RST_DUE))
        tcb_free(p, t);
    else
        timers_arm(p, t);
}

/* What holds for every connection at rest: after each verb in tests and the lab. */
void tcb_check(const struct tcp *p, const struct tcb *t)
{
    must(pool_is_live(&p->tcbs, t->self));
    if (t->state == LISTEN || t->state == CLOSED)
        return;
    must(seq_le(t->snd.una, t->snd.nxt));
    must(t->snd.ring.len <= t->snd.ring.size);
    must(t->rcv.ring.len <= t->rcv.ring.size);
    must(!is_synchronized(t) || seq_le(t->rcv.nxt, t->rcv.edge));
    must(seq_le(t->snd.nxt, seq_add(snd_data_end(t), 1)));
    must(!t->sent || t->sent->n <= t->sent->room);
    must(!t->sent || t->sent->first < t->sent->n || seq_eq(t->snd.una, t->snd.nxt));
    must(t->at[0] == WHEN_NEVER || t->loss.timer == TIMER_persist ||
         t->loss.timer == TIMER_forget || !seq_eq(t->snd.una, t->snd.nxt) || t->state == SYN_SENT);
    must(t->cc.cwnd >= t->snd.mss || !is_synchronized(t));
}
