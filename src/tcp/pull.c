/* What goes next: an ordered list of wants, each with its own reason.
 *
 * Knows: all marks that the other files left. It is the only maker of segments of a connection.
 * Shape: pull_tcb asks each want in turn; the first that has a segment makes it. One retransmission
 * path. Units: bytes; timestamps in milliseconds. Errors: none: false means nothing to send now.
 * Cost: O(1); the text is not touched. 9293#3.7.4, #3.8.6.2.1; 1122#4.2.3.4 (silly window),
 * Minshall */
#include "tcp/memory.h"
#include "tcp/more.h"
#include "tcp/recovery.h"

/* Segments of the wire that a superframe is cut into. */
static uint32_t segs_of(const struct seg_out *out)
{
    return out->len > out->mss ? (out->len + out->mss - 1u) / out->mss : 1;
}

/* Every segment with ACK settles what we owe. The stack's count leaves out what is sent again. */
static void finish(struct tcp *p, struct tcb *t, const struct seg_out *out, bool is_again)
{
    uint32_t segs = segs_of(out);

    t->flags &= ~(uint32_t)T_ACK_NOW;
    t->rcv.waiting = 0;
    timers_on_ack_sent(t);
    t->segs_out += segs;
    t->data_segs_out += out->len ? segs : 0;
    p->stats->TcpOutSegs += is_again ? 0 : segs;
}

/* Text [start, start + n) of the ring into the segment, with what flags go with it. */
static void add_text(struct tcb *t, struct seg_out *out, struct seq start, uint32_t n)
{
    uint32_t off = (uint32_t)seq_diff(start, snd_base(t));

    out->len = n;
    if (n)
        out->texts = (uint8_t)ring_slices(&t->snd.ring, off, n, out->text);
    /* Linux: behind any burst, too. Its receivers acknowledge the odd segment at once then. */
    if (n && (n > out->mss || seq_eq(seq_add(start, n), snd_data_end(t))))
        out->hdr.flags |= TCP_PSH;
    if (t->flags & T_URG_OUT && seq_gt(t->snd.up, start)) {
        uint32_t ahead = (uint32_t)seq_diff(t->snd.up, start);
        out->hdr.flags |= TCP_URG;
        out->hdr.urg = (uint16_t)(ahead < 65535 ? ahead : 65535);
    }
}

/* Most text of one call: whole segments that fit the burst, the superframe and the pace. */
static uint32_t text_max(const struct tcp *p, const struct tcb *t, const struct pull_limit *limit,
                         uint32_t mss)
{
    uint32_t segs = limit->segs, most;

    if (limit->gso_max)
        segs = limit->gso_max > 120u + mss ? (limit->gso_max - 120) / mss : 1;
    if (t->ecn & ECN_ACC && accecn_is_single(p, t, limit->gso_max))
        segs = 1;
    most = segs * mss;
    if (t->snd.pace & PACE_ON && most > 2 * mss) {
        uint32_t quantum = pace_quantum(p, t);
        most = most < quantum ? most : quantum;
    }
    return most;
}

/* -- the wants, in order ----------------------------------------------------------------------- */

static bool want_rst(struct tcp *p, struct tcb *t, struct seg_out *out)
{
    if (!(t->flags & T_RST_DUE))
        return false;
    header_begin(p, t, out, TCP_RST | TCP_ACK, t->snd.nxt);
    t->flags &= ~(uint32_t)T_RST_DUE;
    p->stats->TcpOutRsts++;
    p->stats->TcpOutSegs++;
    return true;
}

static void syn_options(struct tcp *p, struct tcb *t, struct tcp_opts *o, uint32_t mss)
{
    o->has = TCP_OPT_MSS;
    o->mss = (uint16_t)mss;
    if (t->flags & T_WSCALE) {
        o->has |= TCP_OPT_WSCALE;
        o->wscale = t->rcv.wscale;
    }
    if (t->flags & T_SACK)
        o->has |= TCP_OPT_SACK_OK;
    if (t->flags & T_TS) {
        o->has |= TCP_OPT_TS;
        o->tsval = ts_now(p, t);
        o->tsecr = t->state == SYN_SENT ? 0 : t->ts.recent;
    }
}

/* Fast Open: the text rides on the SYN. */
static void add_syn_text(struct tcp *p, struct tcb *t, struct seg_out *out)
{
    uint32_t n = fastopen_on_syn(p, t, &out->hdr.opt);

    if (!n)
        return;
    add_text(t, out, seq_add(t->snd.iss, 1), n);
    out->hdr.flags &= (uint8_t)~TCP_PSH;
    out->mss = (uint16_t)n;
    t->snd.nxt = seq_add(t->snd.iss, 1 + n);
    t->sent_at_ms = now_ms(p);
}

static bool want_syn(struct tcp *p, struct tcb *t, struct seg_out *out)
{
    uint32_t room = window_room(t);

    if (!(t->flags & T_SYN_DUE))
        return false;
    header_begin(p, t, out, t->state == SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK, t->snd.iss);
    out->hdr.wnd = (uint16_t)(room < 65535 ? room : 65535);
    if (t->state == SYN_RECEIVED)
        t->rcv.edge = seq_max(t->rcv.edge, seq_add(t->rcv.nxt, out->hdr.wnd));
    syn_options(p, t, &out->hdr.opt, t->rcv.mss);
    if (t->more)
        add_syn_text(p, t, out);
    ecn_on_syn_out(p, t, &out->hdr);
    if (!(t->flags & T_SYN_AGAIN)) {
        out->why.event = EVENT_syn;
    } else {
        if (out->why.event != EVENT_synack_asked)
            out->why = (struct weir_why){.event = t->state == SYN_SENT ? EVENT_syn_retry
                                                                       : EVENT_synack_retry,
                                         .n = t->loss.backoff,
                                         .of = (uint8_t)timers_retries_max(p, t)};
        p->stats->TcpRetransSegs++;
        t->retrans++;
    }
    t->flags &= ~(uint32_t)T_SYN_DUE;
    t->syn_at_us = (uint32_t)p->now_us;
    timers_on_sent(p, t, false);
    finish(p, t, out, t->flags & T_SYN_AGAIN);
    return true;
}

static void count_again(struct tcp *p, struct tcb *t, const struct seg_out *out)
{
    uint32_t segs = segs_of(out);

    p->stats->TcpRetransSegs += segs;
    t->retrans += segs;
    t->bytes_retrans += out->len;
}

static void count_retransmit(struct tcp *p, struct tcb *t, struct seg_out *out)
{
    uint32_t segs = segs_of(out);

    if (t->loss.phase == LOSS_TIMEOUT) {
        p->stats->TcpExtTCPSlowStartRetrans += segs;
        out->why.event = t->loss.backoff ? EVENT_rto : EVENT_loss_retransmit;
        out->why.n = t->loss.backoff;
        out->why.of = (uint8_t)timers_retries_max(p, t);
    } else {
        p->stats->TcpExtTCPFastRetrans += segs;
        out->why.event = t->loss.dupacks ? EVENT_fast_retransmit : EVENT_loss_retransmit;
    }
}

/* [start, end) once more; `end` may pass the data by the FIN. */
static void send_again(struct tcp *p, struct tcb *t, struct seg_out *out, struct seq start,
                       struct seq end)
{
    struct seq stop = seq_min(end, snd_data_end(t));
    uint32_t n = seq_lt(start, stop) ? (uint32_t)seq_diff(stop, start) : 0;

    if (t->ecn & ECN_ACC)
        accecn_on_lost(p, t, start);
    header_begin(p, t, out, TCP_ACK, start);
    add_text(t, out, start, n);
    if (seq_gt(end, seq_add(start, n)))
        out->hdr.flags |= TCP_FIN;
    sent_again(p, t, start, end);
    if (t->more)
        mtu_on_sent_again(p, t, start, end);
    if (t->snd.pace & PACE_ON)
        pace_sent(p, t, n);
    count_again(p, t, out);
    loss_on_sent_again(p, t, (uint32_t)seq_diff(end, start));
    timers_on_sent(p, t, seq_eq(start, t->snd.una));
    finish(p, t, out, true);
}

static bool has_lost(const struct tcb *t)
{
    return t->sent && t->sent->lost;
}

static bool want_retransmit(struct tcp *p, struct tcb *t, const struct pull_limit *limit,
                            struct seg_out *out)
{
    uint32_t most, flight, room, mss = header_mss(p, t, false);
    struct seq start, end;

    if (frto_holds(t) || !sent_next_lost(t, &start, &end))
        return false;
    most = text_max(p, t, limit, mss);
    flight = in_flight(t);
    room = t->cc.cwnd > flight ? t->cc.cwnd - flight : 0;
    if (t->flags & T_FORCE && room < mss)
        room = mss;
    if (room < mss)
        return false;
    if (t->snd.pace & PACE_ON && !(t->flags & T_FORCE) && !pace_allows(p, t))
        return false;
    t->flags &= ~(uint32_t)T_FORCE;
    if (most > room)
        most = room - room % mss;
    if ((uint32_t)seq_diff(seq_min(end, snd_data_end(t)), start) > most && seq_lt(start, end))
        end = seq_add(start, most);
    send_again(p, t, out, start, end);
    count_retransmit(p, t, out);
    return true;
}

/* 8985#7.3: where nothing new may go, the last of what went. */
static bool want_tail(struct tcp *p, struct tcb *t, struct seg_out *out)
{
    uint32_t flight = (uint32_t)seq_diff(t->snd.nxt, t->snd.una);
    uint32_t mss = header_mss(p, t, false);
    struct seq start;

    if (!(t->flags & T_TAIL_DUE))
        return false;
    t->flags &= ~(uint32_t)T_TAIL_DUE;
    if (!t->sent || flight == 0 || t->loss.phase != LOSS_OPEN)
        return false;
    start = seq_add(t->snd.una, (flight - 1) / mss * mss);
    start = seq_max(start, seq_sub(t->snd.nxt, mss));
    start = seq_max(start, t->sent->rec[t->sent->n - 1].start);
    t->why_event = EVENT_tail_probe;
    tlp_on_sent(p, t, true); /* or the timer would wait for another one */
    send_again(p, t, out, start, t->snd.nxt);
    return true;
}

/* Both probes ask by a number that the peer has already acknowledged: it must answer with an ACK.
 */
static bool want_probe(struct tcp *p, struct tcb *t, struct seg_out *out)
{
    if (!(t->flags & (T_PROBE_DUE | T_KEEP_DUE)))
        return false;
    t->why_event = t->flags & T_PROBE_DUE ? EVENT_window_probe : EVENT_keepalive_probe;
    header_begin(p, t, out, TCP_ACK, seq_sub(t->snd.una, 1));
    out->why.n = t->loss.probes;
    out->why.of = (uint8_t)p->knobs->tcp_keepalive_probes;
    if (t->flags & T_PROBE_DUE)
        p->stats->TcpExtTCPWinProbe++;
    else
        p->stats->TcpExtTCPKeepAlive++;
    t->flags &= ~(uint32_t)(T_PROBE_DUE | T_KEEP_DUE);
    finish(p, t, out, false);
    return true;
}

/* May a segment of n bytes, the last of what there is, go although it is not full? */
static bool may_send_small(const struct tcb *t, uint32_t n, bool is_all)
{
    bool is_small_out = seq_gt(t->snd.small_end, t->snd.una);

    if (t->flags & (T_OVERRIDE | T_TAIL_DUE) || n >= t->snd.wnd_max / 2)
        return true;
    if (!is_all)
        return false;
    if (t->flags & T_FIN_QUEUED)
        return true;
    if (t->opt.on & OPT_CORK || t->flags & T_MORE)
        return false;
    return t->opt.on & OPT_NODELAY || !is_small_out; /* Minshall: one small segment in flight */
}

/* How much new text may go now: windows, whole segments, silly window avoidance, Nagle. */
static uint32_t new_text(const struct tcp *p, const struct tcb *t, const struct pull_limit *limit)
{
    uint32_t unsent = (uint32_t)seq_diff(snd_data_end(t), t->snd.nxt);
    uint32_t n = unsent, usable = window_usable(t), flight = in_flight(t);
    uint32_t room = t->cc.cwnd > flight ? t->cc.cwnd - flight : 0, mss = header_mss(p, t, true);
    uint32_t most = text_max(p, t, limit, mss), tail;

    if (t->flags & T_TAIL_DUE) { /* 8985#7.3: one segment, and one more than cwnd allows */
        room = room > mss ? room : mss;
        most = mss;
    }
    if (n > usable)
        n = usable;
    if (n > room)
        n = room - room % mss;
    if (n > most)
        n = most;
    tail = n < mss ? n : n % mss; /* a division costs more than the rest of a small segment */
    if (tail && !may_send_small(t, tail, n == unsent))
        n -= tail;
    return n;
}

static bool is_fin_due(const struct tcb *t, struct seq at)
{
    return (t->flags & (T_FIN_QUEUED | T_FIN_SENT)) == T_FIN_QUEUED &&
           seq_eq(at, snd_data_end(t)) && t->state != SYN_SENT;
}

static void tail_is_new(struct tcp *p, struct tcb *t, struct seg_out *out)
{
    t->flags &= ~(uint32_t)T_TAIL_DUE;
    out->why.event = EVENT_tail_probe;
    tlp_on_sent(p, t, false);
}

static bool want_data(struct tcp *p, struct tcb *t, const struct pull_limit *limit,
                      struct seg_out *out)
{
    struct seq start = t->snd.nxt, end;
    uint32_t n = 0;
    int32_t probe = 0;

    if (!is_synchronized(t) || t->flags & T_FIN_SENT ||
        (t->state == SYN_RECEIVED && !(t->flags & T_PASSIVE)))
        return false;
    if (seq_lt(start, snd_data_end(t))) {
        validate_before_send(p, t);
        n = new_text(p, t, limit);
        if (t->more && header_mss(p, t, true) == t->snd.mss && (probe = mtu_probe(p, t)) != 0)
            n = probe == MTU_WAIT ? 0 : (uint32_t)probe;
        if (t->snd.pace & PACE_ON && n && !pace_allows(p, t))
            n = 0;
    }
    if (t->ecn & ECN_CWR && n > t->snd.mss)
        n = t->snd.mss; /* one segment carries CWR, not each of a superframe */
    end = seq_add(start, n);
    if (n == 0 && !is_fin_due(t, end)) {
        timers_on_window(p, t);
        return false;
    }
    header_begin(p, t, out, TCP_ACK, start);
    add_text(t, out, start, n);
    if (n && t->ecn & ECN_ACC)
        accecn_on_text(p, t, out);
    if (probe > 0 && n) {
        out->mss = (uint16_t)n;
        out->why.event = EVENT_mtu_probe;
        mtu_on_probe_sent(p, t, start, n);
    }
    if (n)
        ecn_mark(t, out);
    if (is_fin_due(t, end)) {
        out->hdr.flags |= TCP_FIN;
        out->why.event = EVENT_fin;
        t->flags |= T_FIN_SENT;
        end = seq_add(end, 1);
    }
    if (n < out->mss ? n : n % out->mss)
        t->snd.small_end = end;
    t->flags &= ~(uint32_t)T_OVERRIDE;
    t->rcv.quick = 0; /* a dialogue: ACKs can ride */
    t->snd.nxt = end;
    t->sent_at_ms = now_ms(p);
    sent_add(p, t, start, end);
    loss_on_sent(t, (uint32_t)seq_diff(end, start));
    if (t->flags & T_TAIL_DUE)
        tail_is_new(p, t, out);
    if (t->snd.pace & PACE_ON)
        pace_sent(p, t, n);
    if (notsent_most(p, t) != UINT32_MAX)
        tell_writer(p, t);
    timers_on_sent(p, t, false);
    finish(p, t, out, false);
    return true;
}

/* Room that nobody made but that a SYN could not say (64 KiB) is told by the first ACK of text: a
 * packet of its own behind each handshake would be one that Linux does not send. */
static bool want_ack(struct tcp *p, struct tcb *t, struct seg_out *out)
{
    bool is_update = !(t->flags & T_ACK_NOW) && t->flags & T_WND_NEWS && window_update_due(p, t);

    t->flags &= ~(uint32_t)T_WND_NEWS;
    if (!(t->flags & T_ACK_NOW) && !is_update)
        return false;
    if (!is_synchronized(t)) {
        t->flags &= ~(uint32_t)T_ACK_NOW;
        return false;
    }
    if (is_update)
        t->why_event = EVENT_window_update;
    header_begin(p, t, out, TCP_ACK, t->snd.nxt);
    finish(p, t, out, false);
    return true;
}

/* Nothing is due and all text is out: no want has to be asked again. */
bool pull_is_done(const struct tcp *p, const struct tcb *t)
{
    const uint32_t due = T_RST_DUE | T_SYN_DUE | T_PROBE_DUE | T_KEEP_DUE | T_ACK_NOW | T_TAIL_DUE;
    const uint32_t fin = T_FIN_QUEUED | T_FIN_SENT;

    return !(t->flags & due) && (t->flags & fin) != T_FIN_QUEUED &&
           seq_ge(t->snd.nxt, snd_data_end(t)) && !has_lost(t) &&
           !(t->flags & T_WND_NEWS && window_update_due(p, t));
}

bool pull_tcb(struct tcp *p, struct tcb *t, const struct pull_limit *limit, struct seg_out *out)
{
    bool is_made = want_rst(p, t, out) || want_syn(p, t, out) ||
                   (t->ecn & ECN_TELL && want_ack(p, t, out)) || /* 9768#3.2.2.1: without text */
                   (has_lost(t) && want_retransmit(p, t, limit, out)) || want_probe(p, t, out) ||
                   want_data(p, t, limit, out) || want_tail(p, t, out) ||
                   (frto_gives_up(t) && want_retransmit(p, t, limit, out)) || want_ack(p, t, out);

    if (!is_made && rate_is_on(t))
        rate_check_app_limited(t);
    return is_made;
}
