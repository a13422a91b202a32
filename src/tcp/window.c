/* Windows: what we offer to the peer, and how much of the peer's offer we may use.
 *
 * Knows: receive room and the advertised right edge. Shape: the edge never moves left.
 * Units: bytes; on the wire shifted by the scale. Errors: none. Cost: O(1).
 * 9293#3.8.6, 7323#2, 1122#4.2.3.3 (receiver's silly window) */
#include "tcp/memory.h"

uint8_t window_scale_for(uint32_t bytes)
{
    uint8_t scale = 0;

    while (bytes > 65535 && scale < 14) {
        bytes >>= 1;
        scale++;
    }
    return scale;
}

uint32_t window_room(const struct tcb *t)
{
    uint32_t max = t->opt.rcvbuf;

    if (t->opt.window_clamp && t->opt.window_clamp < max)
        max = t->opt.window_clamp;
    return t->rcv.ring.len < max ? max - t->rcv.ring.len : 0;
}

/* While memory is short nobody is offered more than a few segments, less what lies unread. */
static uint32_t room_now(const struct tcp *p, const struct tcb *t)
{
    uint32_t room = window_room(t), most = PRESSED_SEGMENTS * t->rcv.mss;

    if (!p->press.is_on)
        return room;
    most -= t->rcv.ring.len < most ? t->rcv.ring.len : most;
    return room < most ? room : most;
}

/* The least step by which the right edge moves: a full segment or half the buffer. */
static uint32_t least_step(const struct tcb *t)
{
    uint32_t half = t->opt.rcvbuf / 2;

    return t->rcv.mss < half ? t->rcv.mss : half;
}

bool window_update_due(const struct tcp *p, const struct tcb *t)
{
    uint32_t offered = (uint32_t)seq_diff(t->rcv.edge, t->rcv.nxt), room = room_now(p, t);
    uint32_t half = t->opt.rcvbuf / 2, most = 65535u << t->rcv.wscale;

    if (room > most) /* what the field can not say is no news */
        room = most;
    if (!may_receive(t) || room <= offered)
        return false;
    if (offered < t->rcv.mss) /* the peer may be waiting for it */
        return room - offered >= least_step(t);
    if (seq_eq(t->rcv.nxt, seq_add(t->rcv.irs, 1))) /* it has not begun to use what it has */
        return false;
    return room - offered >= half;
}

uint32_t window_to_offer(struct tcp *p, struct tcb *t)
{
    uint32_t offered = (uint32_t)seq_diff(t->rcv.edge, t->rcv.nxt), room = room_now(p, t);
    uint32_t most = 65535u << t->rcv.wscale, unit = 1u << t->rcv.wscale;
    uint32_t wnd = offered;

    if (room > offered && room - offered >= least_step(t))
        wnd = room & ~(unit - 1);
    if (wnd < offered)
        wnd = offered;
    wnd = (wnd + unit - 1) & ~(unit - 1); /* 7323#2.4: rounding down would move the edge left */
    if (wnd > most)
        wnd = most;
    t->rcv.edge = seq_max(t->rcv.edge, seq_add(t->rcv.nxt, wnd));
    if (wnd == 0 && !(t->flags & T_ZERO_ADV)) {
        t->flags |= T_ZERO_ADV;
        p->stats->TcpExtTCPToZeroWindowAdv++;
    } else if (wnd > 0 && (t->flags & T_ZERO_ADV)) {
        t->flags &= ~(uint32_t)T_ZERO_ADV;
        p->stats->TcpExtTCPFromZeroWindowAdv++;
    }
    return wnd;
}

uint32_t window_usable(const struct tcb *t)
{
    int32_t left = seq_diff(seq_add(t->snd.una, t->snd.wnd), t->snd.nxt);

    return left > 0 ? (uint32_t)left : 0; /* below zero: the peer shrank its window (45) */
}
