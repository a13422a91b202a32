/* What `ss` and TCP_INFO show of a connection.
 *
 * Knows: the control block and the minis. Not sockets, nor how anybody prints it. Shape: each field
 * is read or counted from what the protocol keeps anyway; nothing is kept for the show, and what is
 * not known stays 0. Units: as in the public header. Errors: none.
 * Cost: O(records in flight), else O(1). */
#include <netinet/in.h>

#include "tcp/more.h"
#include "tcp/recovery.h"
#include "weir/socket.h"

static void info_ends(struct weir_sock_info *info, const struct flow *f)
{
    info->protocol = IPPROTO_TCP;
    info->local = (struct weir_sockaddr){.addr = f->local, .port = f->lport};
    info->peer = (struct weir_sockaddr){.addr = f->remote, .port = f->rport};
}

/* Linux's choice: what is in flight, then the closed window, then the long timers. */
static void info_timer(const struct tcp *p, const struct tcb *t, struct weir_sock_info *info)
{
    static const char *const names[TIMER_COUNT] = {
#define TIMER(name, text, doc) text,
#include "def/timers.def"
#undef TIMER
    };
    const uint8_t order[TIMER_SLOTS] = {t->loss.timer, TIMER_close, TIMER_keepalive, TIMER_delack};

    for (int i = 0; i < TIMER_SLOTS && !info->timer; i++)
        if (timer_at(t, order[i]) != WHEN_NEVER && order[i] != TIMER_forget) {
            info->timer = names[order[i]];
            info->timer_left_us = timer_at(t, order[i]) - p->now_us;
            info->timer_n = order[i] == TIMER_rexmit ? t->loss.backoff : t->loss.probes;
        }
}

static void info_flight(const struct tcb *t, struct weir_sock_info *info)
{
    const struct sent *s = t->sent;

    info->in_flight = in_flight(t);
    info->unsent = unsent_of(t);
    if (!s)
        return;
    info->lost = s->lost;
    info->sacked_segs = s->reno_sacked / t->snd.mss;
    for (uint32_t i = s->first; i < s->n; i++) {
        const struct sent_rec *r = &s->rec[i];
        uint32_t segs = ((uint32_t)seq_diff(r->end, r->start) + t->snd.mss - 1) / t->snd.mss;
        info->unacked_segs += segs;
        info->sacked_segs += r->flags & SENT_SACKED ? segs : 0;
        info->lost_segs += r->flags & SENT_LOST ? segs : 0;
        info->again_segs += (r->flags & (SENT_AGAIN | SENT_LOST | SENT_SACKED)) == SENT_AGAIN ? segs
                                                                                              : 0;
    }
}

static uint8_t ca_state(const struct tcb *t)
{
    switch (t->loss.phase) {
    case LOSS_RECOVERY:
        return 3;
    case LOSS_TIMEOUT:
        return 4;
    default:
        return t->loss.dupacks || (t->sent && t->sent->sacked) ? 1 : 0;
    }
}

static void info_recovery(const struct tcp *p, const struct tcb *t, struct weir_sock_info *info)
{
    info->cwnd = t->cc.cwnd;
    info->ssthresh = t->cc.ssthresh;
    info->srtt_us = t->rtt.srtt_us;
    info->rttvar_us = t->rtt.var_us;
    info->min_rtt_us = t->rtt.min_us == UINT32_MAX ? 0 : t->rtt.min_us;
    info->rto_us = rto_with_backoff(p, t);
    info->reordering = loss_dupthresh(p, t);
    info->ca_state = ca_state(t);
    info->backoff = t->loss.backoff;
    info->probes = t->loss.probes;
    info->congestion = cc_algo(&t->cc)->name;
    info->retrans = t->retrans;
    info->bytes_retrans = t->bytes_retrans;
}

static void info_windows(const struct tcp *p, const struct tcb *t, struct weir_sock_info *info)
{
    uint32_t ts = t->flags & T_TS ? 12 : 0, widest = window_room(t) + t->rcv.ring.len;
    uint32_t most = 65535u << t->rcv.wscale;

    info->mss = t->snd.mss;
    info->rcv_mss = info->advmss = t->rcv.mss > ts ? t->rcv.mss - ts : 0;
    info->snd_wnd = t->snd.wnd;
    info->snd_wscale = t->snd.wscale;
    info->rcv_wscale = t->rcv.wscale;
    info->has_ts = !!(t->flags & T_TS);
    info->has_sack = !!(t->flags & T_SACK);
    info->has_wscale = !!(t->flags & T_WSCALE);
    if (!is_synchronized(t))
        return;
    info->rcv_wnd = (uint32_t)seq_diff(t->rcv.edge, t->rcv.nxt);
    info->rcv_wnd_max = widest < most ? widest : most;
    info->ato_us = tcb_bytes_received(t) ? (uint32_t)p->knobs->tcp_delack_us : 0;
}

static void info_totals(const struct tcp *p, const struct tcb *t, struct weir_sock_info *info)
{
    info->bytes_acked = tcb_bytes_acked(t);
    info->bytes_received = tcb_bytes_received(t);
    info->bytes_sent = info->bytes_acked + t->bytes_retrans + t->snd.ring.len - info->unsent;
    info->segs_out = t->segs_out;
    info->segs_in = t->segs_in;
    info->data_segs_out = t->data_segs_out;
    info->data_segs_in = t->data_segs_in;
    if (!is_synchronized(t))
        return;
    info->heard_ago_ms = now_ms(p) - t->heard_at_ms;
    info->sent_ago_ms = t->data_segs_out ? now_ms(p) - t->sent_at_ms : 0;
    info->received_ago_ms = t->data_segs_in ? now_ms(p) - t->rcv.at_ms : 0;
}

static void info_ecn(const struct tcp *p, const struct tcb *t, struct weir_sock_info *info)
{
    info->has_ecn = !!(t->ecn & ECN_ON);
    info->has_accecn = !!(t->ecn & ECN_ACC);
    if (t->ecn & ECN_ACC)
        accecn_info(&more_of(p, t)->ecn, info);
}

void tcp_info(const struct tcp *p, uint32_t index, struct weir_sock_info *info)
{
    const struct tcb *t = tcb_at(p, index);

    info_ends(info, &t->flow);
    info->sock = (int)t->sock - 1;
    info->state = t->state;
    info->rcvbuf = t->opt.rcvbuf;
    info->sndbuf = t->opt.sndbuf;
    info->local.ifindex = t->ifindex;
    if (t->state == LISTEN) {
        info->recv_queue = t->listen->accept_count;
        info->send_queue = t->listen->backlog;
        return;
    }
    info->recv_queue = t->rcv.ring.len;
    info->send_queue = t->snd.ring.len;
    info->rcv_mem = t->rcv.ring.size;
    info->snd_mem = t->snd.ring.size;
    info->shut = (t->flags & (T_SHUT_RD | T_FIN_RECEIVED) ? 1 : 0) |
                 (t->flags & T_FIN_QUEUED ? 2 : 0);
    info_windows(p, t, info);
    info_ecn(p, t, info);
    info_recovery(p, t, info);
    info_timer(p, t, info);
    if (!t->snd.mss) /* CLOSED, before anything happened */
        return;
    info_flight(t, info);
    info_totals(p, t, info);
}

void tcp_syn_info(const struct tcp *p, uint32_t index, struct weir_sock_info *info)
{
    const struct syn_mini *m = syn_at(p, index);

    info_ends(info, &m->flow);
    info->sock = -1;
    info->state = SYN_RECEIVED;
    info->timer = "retransmit";
    info->timer_left_us = (int32_t)(m->node.at - (uint32_t)p->now_us);
    info->timer_n = m->retries;
}

void tcp_tw_info(const struct tcp *p, uint32_t index, struct weir_sock_info *info)
{
    const struct tw_mini *w = tw_at(p, index);

    info_ends(info, &w->flow);
    info->sock = -1;
    info->state = TIME_WAIT;
    info->timer = "2MSL";
    info->timer_left_us = (int64_t)tw_left_ms(p, w) * 1000;
}
