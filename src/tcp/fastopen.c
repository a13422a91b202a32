/* Fast Open of who connects: text in the SYN, if the other end gave us a cookie before.
 *
 * Knows: what our SYN carried and what became of it. Cookies of other hosts are kept by
 * fastopen_cookie.c. Shape: OPEN_ASK, OPEN_COOKIE or OPEN_BARE until the SYN is acknowledged; only
 * the first SYN carries text or cookie, what it does not bring across goes as usual. Units: bytes,
 * microseconds. Errors: -EOPNOTSUPP where the knob says no. Cost: O(1). 7413#4.2 */
#include <sys/socket.h>

#include "tcp/fastopen.h"

#define OPTIONS_MAX 40u
#define TIMES_MAX 6 /* the pause doubles so often: Linux */

static bool carries_text(const struct fast_open *f)
{
    return f->mode == OPEN_COOKIE || f->mode == OPEN_BARE;
}

/* A path that swallowed our SYNs: none for a while, longer each time. 7413#4.1.3 */
static bool is_paused(const struct tcp *p)
{
    int64_t us = p->knobs->tcp_fastopen_blackhole_timeout_sec * 1000000;
    uint32_t times = p->open_off_times;

    if (!us || !times)
        return false;
    return p->now_us - p->open_off_at_us < us << (times - 1 < TIMES_MAX ? times - 1 : TIMES_MAX);
}

int tcp_fastopen_ask(struct tcp *p, uint32_t index)
{
    struct tcb *t = tcb_at(p, index);
    struct more *more;

    if (!(p->knobs->tcp_fastopen & OPEN_CLIENT))
        return -EOPNOTSUPP;
    if (t->state != CLOSED)
        return 0; /* connect will say why not */
    if (!(more = more_need(p, t)))
        return -ENOBUFS;
    more->open.is_asked = true;
    return 0;
}

void fastopen_begin(struct tcp *p, struct tcb *t)
{
    struct fast_open *f = &more_of(p, t)->open;
    bool is_bare = t->opt.on & OPT_OPEN_BARE || p->knobs->tcp_fastopen & OPEN_CLIENT_BARE;

    f->mode = OPEN_NONE;
    f->sent = 0;
    f->keys = 0;
    f->is_tried = false;
    f->room = TCP_MSS_PRESET;
    if (!f->is_asked)
        return;
    f->is_asked = false;
    if (is_paused(p))
        return;
    if (fastopen_recall(p, t, f))
        f->mode = f->cookie_len ? OPEN_COOKIE : OPEN_ASK;
    if (is_bare && f->mode != OPEN_NONE && !f->cookie_len)
        f->mode = OPEN_BARE;
    if (f->room > t->snd.mss)
        f->room = t->snd.mss;
    f->room = f->room > OPTIONS_MAX ? (uint16_t)(f->room - OPTIONS_MAX) : 0;
}

/* TCP_FASTOPEN_CONNECT: the SYN waits for the first write. */
bool tcp_fastopen_defer(struct tcp *p, uint32_t index)
{
    struct tcb *t = tcb_at(p, index);
    struct more *more = more_of(p, t);

    if (!more || !carries_text(&more->open))
        return false;
    more->open.is_deferred = true;
    t->flags &= ~(uint32_t)T_SYN_DUE;
    return true;
}

bool tcp_fastopen_has_room(const struct tcp *p, uint32_t index)
{
    return fastopen_room(p, tcb_at(p, index)) > 0;
}

/* Bytes that the program may write before the handshake is over. */
uint32_t fastopen_room(const struct tcp *p, const struct tcb *t)
{
    const struct more *more = more_of(p, t);
    bool is_gone;

    if (!more)
        return 0;
    if (t->state == SYN_RECEIVED)
        return more->open.is_child ? UINT32_MAX : 0;
    is_gone = t->flags & T_SYN_AGAIN || !(more->open.is_deferred || t->flags & T_SYN_DUE);
    if (!carries_text(&more->open) || is_gone || t->snd.ring.len >= more->open.room)
        return 0;
    return more->open.room - t->snd.ring.len;
}

void fastopen_on_write(struct tcp *p, struct tcb *t)
{
    struct fast_open *f = &more_of(p, t)->open;

    if (t->state != SYN_SENT || !f->is_deferred)
        return;
    f->is_deferred = false;
    t->flags |= T_SYN_DUE;
}

/* -- the SYN ----------------------------------------------------------------------------------- */

uint32_t fastopen_on_syn(struct tcp *p, struct tcb *t, struct tcp_opts *o)
{
    struct fast_open *f = &more_of(p, t)->open;

    if (t->state != SYN_SENT) {
        fastopen_on_syn_ack_out(p, t, o);
        return 0;
    }
    if (f->mode == OPEN_NONE || t->flags & T_SYN_AGAIN)
        return 0;
    f->is_tried = true;
    if (f->mode != OPEN_BARE) {
        o->has |= TCP_OPT_FASTOPEN;
        o->is_old_cookie = f->is_old;
        o->cookie_len = f->cookie_len;
        memcpy(o->cookie, f->cookie, f->cookie_len);
    }
    f->sent = (uint16_t)(carries_text(f) ? t->snd.ring.len : 0);
    return f->sent;
}

/* 7413#4.2.2: what the SYN/ACK leaves out goes again at once, as new text. */
static void take_ack(struct tcp *p, struct tcb *t, struct fast_open *f, struct seq ack)
{
    uint32_t n = (uint32_t)seq_diff(ack, seq_add(t->snd.iss, 1));

    t->snd.nxt = ack;
    if (!f->sent)
        return;
    f->is_text_acked = n > 0;
    if (n) {
        p->stats->TcpExtTCPFastOpenActive++;
        p->open_off_times = 0;
    } else {
        p->stats->TcpExtTCPFastOpenActiveFail++;
    }
}

void fastopen_on_syn_acked(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct fast_open *f = &more_of(p, t)->open;
    bool is_lost = t->flags & T_SYN_AGAIN && f->mode != OPEN_NONE;

    if (t->flags & T_PASSIVE || f->mode == OPEN_NONE)
        return;
    take_ack(p, t, f, s->ack);
    fastopen_remember(p, t, s, is_lost && !f->is_text_acked);
    f->mode = OPEN_NONE;
}

/* -- paths that do not bear it ------------------------------------------------------------------
 */

static void pause(struct tcp *p)
{
    if (!p->knobs->tcp_fastopen_blackhole_timeout_sec)
        return;
    p->open_off_at_us = p->now_us;
    p->open_off_times++;
    p->stats->TcpExtTCPFastOpenBlackhole++;
}

/* The third timeout in a row: something on the way does not like what it does not know. */
void fastopen_on_timeout(struct tcp *p, struct tcb *t)
{
    const struct fast_open *f = &more_of(p, t)->open;

    if (t->loss.backoff == 3 && !(t->flags & T_PASSIVE) && (f->sent || f->mode == OPEN_ASK))
        pause(p);
}

/* The FIN or a RST lies behind a hole, and nothing else ever came: something on the way took the
 * text out, or counts it otherwise. Linux. */
void fastopen_on_odd_end(struct tcp *p, const struct tcb *t)
{
    if (more_of(p, t)->open.is_tried && t->data_segs_in == 0)
        pause(p);
}
