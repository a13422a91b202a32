/* Fast Open of a listener: a SYN whose cookie is good is a connection at once, and its text is read
 * before the handshake is over.
 *
 * Knows: cookies, the cap on such connections. Shape: a child is in SYN-RECEIVED, in the accept
 * queue, and counts against TCP_FASTOPEN's number until its SYN is acknowledged; one that a RST
 * ends counts for a minute more, or spoofed SYNs would cost nothing (7413#5.1). Units: connections.
 * Errors: where anything is missing the handshake is the usual one. Cost: O(1). 7413#4.2.2 */
#include "tcp/fastopen.h"

#define RESET_US 60000000

int tcp_fastopen_listen(struct tcp *p, uint32_t index, int most)
{
    struct tcb *t = tcb_at(p, index);
    struct more *more;

    if (t->state != CLOSED && t->state != LISTEN)
        return -EINVAL;
    if (!(more = more_need(p, t)))
        return -ENOBUFS;
    if (!more->open.serial)
        more->open.serial = ++p->open_serial;
    more->open.most = (uint32_t)most;
    return 0;
}

int tcp_fastopen_most(const struct tcp *p, uint32_t index)
{
    const struct more *more = more_of(p, tcb_at(p, index));

    return more ? (int)more->open.most : 0;
}

/* The listener's own numbers, if it takes part at all. */
static struct fast_open *of_listener(struct tcp *p, struct tcb *t)
{
    struct more *more;

    if (!(p->knobs->tcp_fastopen & OPEN_SERVER))
        return NULL;
    if (p->knobs->tcp_fastopen & OPEN_SERVER_ALL && !(t->more && more_of(p, t)->open.serial))
        (void)tcp_fastopen_listen(p, t->self, (int)t->listen->backlog);
    more = more_of(p, t);
    return more && more->open.most ? &more->open : NULL;
}

static bool has_place(struct tcp *p, struct fast_open *l)
{
    if (l->pending >= l->most && l->resets && p->now_us >= l->reset_until_us) {
        l->pending -= l->resets;
        l->resets = 0;
    }
    if (l->pending < l->most)
        return true;
    p->stats->TcpExtTCPFastOpenListenOverflow++;
    return false;
}

enum fastopen_answer fastopen_judge(struct tcp *p, struct tcb *t, const struct seg *s)
{
    bool has_option = s->opt->has & TCP_OPT_FASTOPEN;
    bool is_asked = p->knobs->tcp_fastopen & OPEN_SERVER_BARE || t->opt.on & OPT_OPEN_BARE;
    bool is_bare = is_asked && s->len > 0;
    struct fast_open *l;
    int which;

    if (!has_option && !is_bare)
        return FASTOPEN_NO;
    if (has_option && !s->opt->cookie_len)
        p->stats->TcpExtTCPFastOpenCookieReqd++;
    if (t->opt.on & OPT_HOLD || !(l = of_listener(p, t)) || !has_place(p, l))
        return FASTOPEN_NO;
    if (is_bare)
        return FASTOPEN_TAKE;
    if (!s->opt->cookie_len)
        return FASTOPEN_GIVE;
    which = fastopen_which(p, t, s);
    if (which < 0) {
        p->stats->TcpExtTCPFastOpenPassiveFail++;
        return FASTOPEN_GIVE;
    }
    p->stats->TcpExtTCPFastOpenPassiveAltKey += which > 0;
    return which ? FASTOPEN_TAKE_AND_GIVE : FASTOPEN_TAKE;
}

enum drop fastopen_take(struct tcp *p, struct tcb *listener, struct seg *s, bool gives)
{
    uint32_t ref = demux_find(p, &s->flow, s->hash);
    struct fast_open *l = &more_of(p, listener)->open;
    struct tcb *t = syn_promote(p, wheel_ref_index(ref));
    struct more *more = t ? more_need(p, t) : NULL;

    if (!more) {
        p->stats->TcpExtTCPFastOpenPassiveFail++;
        if (t)
            tcb_end(p, t, 0);
        if (t)
            tcb_settle(p, t);
        return t ? DROP_tcp_no_memory : PASS; /* without a tcb the entry waits for the last ACK */
    }
    l = &more_of(p, listener)->open;
    l->pending++;
    more->open = (struct fast_open){.is_child = true,
                                    .gives_cookie = gives,
                                    .is_old = gives && s->opt->is_old_cookie,
                                    .listener = listener->self,
                                    .serial = l->serial};
    p->stats->TcpPassiveOpens++;
    p->stats->TcpExtTCPFastOpenPassive++;
    listen_queue(p, listener, t);
    text_of_syn(p, t, s);
    t->segs_in = s->pieces;
    t->data_segs_in = s->len ? s->pieces : 0;
    t->flags |= T_SYN_DUE;
    tcb_wants_output(p, t);
    tcb_settle(p, t);
    return PASS;
}

/* The listener that a child came from, if it is still that one. */
static struct tcb *listener_of(const struct tcp *p, const struct fast_open *f)
{
    struct tcb *t = f->is_child && pool_is_live(&p->tcbs, f->listener) ? tcb_at(p, f->listener)
                                                                       : NULL;
    const struct more *more = t && t->state == LISTEN ? more_of(p, t) : NULL;

    return more && more->open.serial == f->serial ? t : NULL;
}

void fastopen_on_syn_ack_out(struct tcp *p, struct tcb *t, struct tcp_opts *o)
{
    const struct fast_open *f = &more_of(p, t)->open;
    const struct tcb *listener = listener_of(p, f);

    if (!f->gives_cookie || !listener || t->flags & T_SYN_AGAIN) /* 7413#4.2.2 */
        return;
    o->is_old_cookie = f->is_old;
    fastopen_give(p, listener, &t->flow, o);
}

void fastopen_give(const struct tcp *p, const struct tcb *listener, const struct flow *f,
                   struct tcp_opts *o)
{
    const struct sipkey *key;

    fastopen_keys(p, listener, &key);
    o->has |= TCP_OPT_FASTOPEN;
    o->cookie_len = OPEN_COOKIE_LEN;
    fastopen_cookie(key, f, o->cookie);
}

/* A child's handshake is over, or the child is; its listener may be another one by now. */
void fastopen_on_left(struct tcp *p, struct tcb *t, bool is_reset)
{
    struct tcb *listener = listener_of(p, &more_of(p, t)->open);
    struct fast_open *l;

    if (!listener)
        return;
    l = &more_of(p, listener)->open;
    if (!is_reset) {
        l->pending--;
        return;
    }
    l->resets++;
    l->reset_until_us = p->now_us + RESET_US;
}
