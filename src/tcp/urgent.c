/* Urgent data: a mark in the stream, and the byte before it that may be read out of turn.
 *
 * Knows: where the reader stands. Shape: rcv.up lies behind the urgent byte (6093#3.1, and not as
 * 793 once said); one mark at a time, a newer one takes its place. Without SO_OOBINLINE the byte is
 * left out of the stream: a read ends before it, and the next begins behind it. Units: bytes.
 * Errors: Linux's: EINVAL where there is no urgent byte, EAGAIN while it is still under way.
 * Cost: O(1). 9293#3.8.5, 6093 */
#include <sys/socket.h>

#include "tcp/tcb.h"

/* The number of the next byte that the program reads. */
static struct seq reader(const struct tcb *t)
{
    return seq_sub(t->rcv.nxt, t->rcv.ring.len + !!(t->flags & T_FIN_RECEIVED));
}

/* Bytes from the reader to the urgent byte; -1: there is none ahead. */
static int64_t urgent_ahead(const struct tcb *t)
{
    int32_t n;

    if (!(t->flags & T_URG_IN))
        return -1;
    n = seq_diff(t->rcv.up, seq_add(reader(t), 1));
    return n >= 0 ? n : -1;
}

/* Sixth step of SEGMENT ARRIVES. */
void sixth_check_urg(struct tcp *p, struct tcb *t, const struct seg *s)
{
    struct seq up = seq_add(s->seq, s->urg);

    if (!(s->flags & TCP_URG) || !may_receive(t) || s->urg == 0)
        return;
    if (seq_le(up, t->rcv.nxt)) /* its byte was here before */
        return;
    if (urgent_ahead(t) >= 0 && seq_le(up, t->rcv.up))
        return;
    if (urgent_ahead(t) == 0 && t->rcv.ring.len && !(t->opt.on & OPT_OOBINLINE))
        tcp_receive_drop(p, t,
                         1); /* a newer mark: the byte at the reader was urgent, and is not now */
    t->rcv.up = up;
    t->flags = (t->flags | T_URG_IN) & ~(uint32_t)T_URG_READ;
    tcb_mark(p, t, MARK_URGENT);
}

/* How many readable bytes lie before what a read must not pass; *skip: bytes that it leaves out
 * first. */
uint32_t urgent_limit(const struct tcb *t, uint32_t *skip)
{
    int64_t ahead = urgent_ahead(t);
    uint32_t len = t->rcv.ring.len;

    *skip = 0;
    if (ahead < 0 || ahead >= len)
        return len;
    if (ahead > 0)
        return (uint32_t)ahead;
    *skip = t->opt.on & OPT_OOBINLINE ? 0 : 1;
    return len - *skip;
}

/* The reader moved on: a mark that lies behind it is over. */
void urgent_passed(struct tcb *t)
{
    if (t->flags & T_URG_IN && seq_lt(t->rcv.up, seq_add(reader(t), 1)))
        t->flags &= ~(uint32_t)(T_URG_IN | T_URG_READ);
}

/* MUST-32: the program hears of it when it is announced, which may be before it comes. */
bool urgent_is_news(const struct tcb *t)
{
    return urgent_ahead(t) >= 0 && !(t->flags & T_URG_READ);
}

bool tcp_at_mark(const struct tcp *p, uint32_t index)
{
    return urgent_ahead(tcb_at(p, index)) == 0;
}

int64_t tcp_receive_urgent(struct tcp *p, uint32_t index, uint8_t *byte, int flags)
{
    struct tcb *t = tcb_at(p, index);
    int64_t ahead = urgent_ahead(t);

    if (t->opt.on & OPT_OOBINLINE || ahead < 0 || t->flags & T_URG_READ)
        return -EINVAL;
    if (ahead >= t->rcv.ring.len)
        return t->flags & (T_FIN_RECEIVED | T_SHUT_RD) || t->state == CLOSED ? 0 : -EAGAIN;
    ring_peek(&t->rcv.ring, (uint32_t)ahead, byte, 1);
    if (!(flags & MSG_PEEK))
        t->flags |= T_URG_READ;
    return 1;
}
