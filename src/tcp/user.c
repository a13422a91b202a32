/* What the user asks for: OPEN SEND RECEIVE CLOSE ABORT STATUS, RFC 9293 sections 3.10.1 to 3.10.6.
 *
 * Knows: the calls' meaning in each state. Sends nothing: it leaves marks.
 * Shape: errors are Linux's for the same call in the same state. Units: bytes.
 * Errors: -errno. Cost: O(1) and the copy. */
#include <string.h>
#include <sys/socket.h>

#include "tcp/memory.h"
#include "tcp/more.h"
#include "tcp/pace.h"
#include "weir/socket.h"

struct tcb *tcp_at(const struct tcp *p, uint32_t index)
{
    return tcb_at(p, index);
}

uint32_t tcp_new(struct tcp *p, uint32_t sock)
{
    struct tcb *t = tcb_new(p);

    if (!t)
        return 0;
    t->sock = sock;
    return t->self;
}

/* -- OPEN -------------------------------------------------------------------------------------- */

static uint16_t mss_for(const struct tcp *p, const struct tcb *t, uint32_t mtu)
{
    uint32_t headers = weir_addr_is_v4(&t->flow.remote) ? 40 : 60;
    uint32_t mss = mtu > headers + (uint32_t)p->knobs->tcp_min_snd_mss
                       ? mtu - headers
                       : (uint32_t)p->knobs->tcp_min_snd_mss;

    if (t->opt.maxseg && t->opt.maxseg < mss)
        mss = t->opt.maxseg;
    return (uint16_t)(mss < 65495 ? mss : 65495);
}

static void options_to_offer(const struct tcp *p, struct tcb *t)
{
    t->flags |= p->knobs->tcp_timestamps ? T_TS : 0;
    t->flags |= p->knobs->tcp_sack ? T_SACK : 0;
    if (p->knobs->tcp_window_scaling) {
        t->flags |= T_WSCALE;
        t->rcv.wscale = window_scale_for((uint32_t)p->knobs->tcp_rmem[2]);
    }
}

bool tcp_flow_in_use(struct tcp *p, const struct flow *f)
{
    uint32_t ref = demux_find(p, f, flow_hash(p, f));
    bool is_loopback = (weir_addr_is_v4(&f->remote) && weir_addr_to_v4(&f->remote) >> 24 == 127) ||
                       weir_addr_equal(&f->remote, &f->local);

    if (!ref)
        return false;
    return wheel_ref_kind(ref) != KIND_TW ||
           !tw_may_reuse(p, tw_at(p, wheel_ref_index(ref)), is_loopback);
}

int tcp_open_active(struct tcp *p, uint32_t index, const struct tcp_open *o)
{
    struct tcb *t = tcb_at(p, index);
    uint32_t hash = flow_hash(p, &o->flow), ref = demux_find(p, &o->flow, hash);
    uint64_t secret = flow_secret(&p->secret_key, &o->flow);
    struct seq iss = isn_new(p, secret);

    if (t->state != CLOSED || t->end_reason)
        return t->state == LISTEN ? -EISCONN : -EALREADY;
    if (!seq_eq(t->snd.iss, t->snd.nxt)) /* it was connected, and both sides closed in peace */
        return -EISCONN;
    if (ref) {
        if (tcp_flow_in_use(p, &o->flow))
            return -EADDRNOTAVAIL;
        struct tw_mini *w = tw_at(p, wheel_ref_index(ref));
        if (seq_le(iss, w->snd_nxt)) /* 9293 MAY-2: above all of the old incarnation */
            iss = seq_add(w->snd_nxt, 65537);
        tw_free(p, wheel_ref_index(ref), CLOSED);
    }
    if (!demux_add(p, hash, KIND_TCB, index))
        return -ENOBUFS;
    t->flow = o->flow;
    t->hash = hash;
    t->ifindex = (uint8_t)o->ifindex;
    t->flags = T_SYN_DUE;
    t->ts.offset = ts_offset(secret);
    options_to_offer(p, t);
    t->snd.mss = t->rcv.mss = mss_for(p, t, o->mtu);
    t->snd.iss = t->snd.una = t->snd.up = t->snd.small_end = iss;
    t->snd.nxt = seq_add(iss, 1);
    t->rcv.quick = 8;
    cc_begin(p, t, (uint32_t)p->knobs->tcp_initial_cwnd);
    if (t->more)
        fastopen_begin(p, t);
    enter(p, t, SYN_SENT);
    p->stats->TcpActiveOpens++;
    tcb_wants_output(p, t);
    return 0;
}

int tcp_open_passive(struct tcp *p, uint32_t index, const struct weir_sockaddr *local,
                     uint32_t backlog)
{
    struct tcb *t = tcb_at(p, index);

    if (t->state == LISTEN) { /* listen again: a new backlog */
        t->listen->backlog = backlog;
        return 0;
    }
    if (t->state != CLOSED)
        return -EINVAL;
    t->listen = mem_zalloc(p->mem, sizeof *t->listen);
    if (!t->listen)
        return -ENOMEM;
    t->listen->backlog = backlog;
    t->flow.local = local->addr;
    t->flow.lport = local->port;
    if (local->port == 0) {
        p->any_port = t->self;
    } else if (!listen_add(p, t)) {
        mem_free(p->mem, t->listen, sizeof *t->listen);
        t->listen = NULL;
        return -ENOMEM;
    }
    enter(p, t, LISTEN);
    return 0;
}

void tcp_listen_mtu(struct tcp *p, uint32_t index, uint32_t mtu)
{
    struct tcb *t = tcb_at(p, index);

    t->flow.remote = weir_addr_v4(0);
    t->rcv.mss = mss_for(p, t, mtu);
    t->flow.remote = (struct weir_addr){.w = {0}};
    t->listen->mss6 = mss_for(p, t, mtu);
    t->flow.remote = weir_addr_v4(0);
}

uint32_t tcp_accept(struct tcp *p, uint32_t listener, uint32_t sock)
{
    struct listener *l = tcb_at(p, listener)->listen;
    struct tcb *t;

    if (!l || !l->accept_first)
        return 0;
    t = tcb_at(p, l->accept_first);
    l->accept_first = t->next_accept;
    if (!l->accept_first)
        l->accept_last = 0;
    l->accept_count--;
    l->waits_at_us = p->now_us;
    t->flags &= ~(uint32_t)T_ACCEPTABLE;
    t->sock = sock;
    tcb_mark(p, t, MARK_OUT | (t->rcv.ring.len ? MARK_IN : 0));
    return t->self;
}

uint32_t tcp_accept_waiting(const struct tcp *p, uint32_t listener, uint32_t *max)
{
    const struct listener *l = tcb_at(p, listener)->listen;

    *max = l ? l->backlog : 0;
    return l ? l->accept_count + l->held_new : 0;
}

/* -- CLOSE and ABORT --------------------------------------------------------------------------- */

static void queue_fin(struct tcp *p, struct tcb *t)
{
    if (t->flags & T_FIN_QUEUED)
        return;
    t->flags |= T_FIN_QUEUED;
    t->flags &= ~(uint32_t)T_MORE;
    switch (t->state) {
    case SYN_RECEIVED: /* 9293#3.10.4: the FIN waits for the ACK of the SYN */
        return;
    case ESTABLISHED:
        enter(p, t, FIN_WAIT_1);
        break;
    case CLOSE_WAIT:
        enter(p, t, LAST_ACK);
        break;
    default:
        return;
    }
    timers_on_state(p, t);
    tcb_wants_output(p, t);
}

int tcp_shutdown(struct tcp *p, uint32_t index, bool rd, bool wr)
{
    struct tcb *t = tcb_at(p, index);

    if (t->state == CLOSED)
        return -ENOTCONN;
    if (t->state == LISTEN) {
        if (rd)
            listener_close(p, t);
        return 0;
    }
    if (rd) {
        t->flags |= T_SHUT_RD;
        tcb_mark(p, t, MARK_IN);
    }
    if (wr && t->state == SYN_SENT)
        tcb_end(p, t, 0);
    else if (wr)
        queue_fin(p, t);
    timers_arm(p, t);
    return 0;
}

/* 9293#3.10.5: both FINs are out, so there is nothing that the peer could still miss. */
static bool is_closed_both_ways(const struct tcb *t)
{
    return (t->state == CLOSING || t->state == LAST_ACK) && t->flags & T_FIN_SENT;
}

static void abort_with(struct tcp *p, struct tcb *t, enum event why)
{
    if (is_synchronized(t) && !(why == EVENT_reset_abort && is_closed_both_ways(t))) {
        t->flags |= T_RST_DUE;
        t->why_event = (uint8_t)why;
    }
    tcb_end(p, t, 0);
}

void tcp_abort(struct tcp *p, uint32_t index)
{
    struct tcb *t = tcb_at(p, index);

    t->sock = 0;
    if (t->state == LISTEN)
        listener_close(p, t);
    else if (t->state != CLOSED)
        abort_with(p, t, EVENT_reset_abort);
    tcb_settle(p, t);
}

static void lose_addr(struct tcp *p, struct tcb *t, int error)
{
    if (t->state == LISTEN || t->state == CLOSED)
        return;
    if (is_synchronized(t)) {
        t->flags |= T_RST_DUE;
        t->why_event = EVENT_reset_address;
    }
    tcb_end(p, t, error);
    tcb_settle(p, t);
}

void tcp_lose_addr(struct tcp *p, const struct weir_addr *local, int error)
{
    for (uint32_t i = 0; (i = pool_next(&p->tcbs, i + 1));)
        if (weir_addr_equal(&tcb_at(p, i)->flow.local, local))
            lose_addr(p, tcb_at(p, i), error);
}

static void become_orphan(struct tcp *p, struct tcb *t)
{
    if (p->orphans >= p->knobs->tcp_max_orphans || press_refuses_orphan(p, t)) {
        p->stats->TcpExtTCPAbortOnMemory++;
        abort_with(p, t, EVENT_reset_abort);
        return;
    }
    t->flags |= T_ORPHAN;
    p->orphans++;
    queue_fin(p, t);
    if (t->opt.on & OPT_LINGER)
        t->at[timer_slot(TIMER_close)] = p->now_us + (int64_t)t->opt.linger_s * 1000000;
    timers_on_state(p, t);
    if (t->state == FIN_WAIT_2 && t->opt.on & OPT_NO_FIN_WAIT_2)
        tcb_end(p, t, 0);
}

void tcp_close(struct tcp *p, uint32_t index)
{
    struct tcb *t = tcb_at(p, index);
    bool is_up = is_synchronized(t);

    t->sock = 0;
    t->marks = 0;
    if (list_is_on(&t->marked))
        list_unlink(&p->marked, t->self);
    if (t->state == LISTEN) {
        listener_close(p, t);
    } else if (t->state == SYN_SENT) {
        tcb_end(p, t, 0);
    } else if (is_up && t->rcv.ring.len) { /* 2525#2.17: the peer must learn that it was not read */
        p->stats->TcpExtTCPAbortOnClose++;
        abort_with(p, t, EVENT_reset_unread);
    } else if (is_up && t->opt.on & OPT_LINGER && t->opt.linger_s == 0) {
        p->stats->TcpExtTCPAbortOnData++;
        abort_with(p, t, EVENT_reset_abort);
    } else if (is_up) {
        become_orphan(p, t);
    }
    tcb_settle(p, t);
}

/* -- STATUS ------------------------------------------------------------------------------------ */

/* Before the handshake is over only what Fast Open lets go. */
static bool may_write(const struct tcp *p, const struct tcb *t)
{
    return (t->state != SYN_SENT && t->state != SYN_RECEIVED) || (t->more && fastopen_room(p, t));
}

uint32_t tcp_readiness(const struct tcp *p, uint32_t index)
{
    const struct tcb *t = tcb_at(p, index);
    uint32_t ready = 0, skip;

    if (t->state == LISTEN)
        return t->listen->accept_first || t->listen->held_new ? WEIR_READY_IN : 0;
    if (t->error)
        ready |= WEIR_READY_ERR | WEIR_READY_IN | WEIR_READY_OUT;
    if (urgent_limit(t, &skip) || t->flags & (T_FIN_RECEIVED | T_SHUT_RD))
        ready |= WEIR_READY_IN;
    if (t->flags & (T_FIN_RECEIVED | T_SHUT_RD))
        ready |= WEIR_READY_RDHUP;
    if (t->state == CLOSED)
        return ready | WEIR_READY_OUT | WEIR_READY_HUP |
               (t->end_reason ? WEIR_READY_IN | WEIR_READY_RDHUP : 0);
    if (t->flags & T_FIN_QUEUED)
        ready |= WEIR_READY_OUT | (t->flags & (T_FIN_RECEIVED | T_SHUT_RD) ? WEIR_READY_HUP : 0);
    else if (may_write(p, t) && !(t->flags & T_OUT_FULL))
        ready |= WEIR_READY_OUT;
    if (urgent_is_news(t))
        ready |= WEIR_READY_PRI;
    return ready;
}

struct tcp_options *tcp_opt(struct tcp *p, uint32_t index)
{
    return &tcb_at(p, index)->opt;
}

void tcp_options_changed(struct tcp *p, uint32_t index)
{
    struct tcb *t = tcb_at(p, index);

    if (t->state == CLOSED || t->state == LISTEN)
        return;
    timers_on_state(p, t);
    timers_arm(p, t);
    pace_choose(p, t);
    tcb_wants_output(p, t); /* TCP_NODELAY, TCP_CORK: what was held may go now */
}

int tcp_set_congestion(struct tcp *p, uint32_t index, const char *name)
{
    int algo = tcp_congestion_find(name);

    if (algo < 0)
        return -ENOENT;
    cc_choose(p, tcb_at(p, index), (uint8_t)algo);
    return 0;
}

const char *tcp_congestion(const struct tcp *p, uint32_t index)
{
    return cc_algo(&tcb_at(p, index)->cc)->name;
}

int tcp_take_error(struct tcp *p, uint32_t index)
{
    struct tcb *t = tcb_at(p, index);
    int error = t->error;

    t->error = 0;
    return error;
}

int tcp_end_reason(const struct tcp *p, uint32_t index)
{
    return tcb_at(p, index)->end_reason;
}

enum state tcp_state(const struct tcp *p, uint32_t index)
{
    return tcb_at(p, index)->state;
}

struct flow *tcp_flow(struct tcp *p, uint32_t index)
{
    return &tcb_at(p, index)->flow;
}

bool tcp_next_marked(struct tcp *p, struct tcp_marked *out)
{
    struct tcb *t;

    if (!p->marked.first)
        return false;
    t = tcb_at(p, p->marked.first);
    list_unlink(&p->marked, t->self);
    *out = (struct tcp_marked){.index = t->self, .sock = t->sock, .marks = t->marks};
    t->marks = 0;
    return true;
}
