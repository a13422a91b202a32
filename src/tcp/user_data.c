/* SEND and RECEIVE, RFC 9293 sections 3.10.2 and 3.10.3: bytes between the user and the rings.
 *
 * Knows: which states give and take. Sends nothing: it leaves marks. Shape: errors are Linux's
 * for the same call in the same state. Units: bytes. Errors: -errno. Cost: O(1) and the copy. */
#include <string.h>
#include <sys/socket.h>

#include "tcp/memory.h"
#include "tcp/more.h"

/* -- SEND -------------------------------------------------------------------------------------- */

/* 0: bytes are welcome; else why not. */
static int send_state(struct tcb *t)
{
    if (t->error) {
        int error = t->error;
        t->error = 0;
        return -error;
    }
    return may_send(t) ? 0 : -EPIPE; /* Linux: also where there never was a connection */
}

/* Bytes that the program may write; while memory is short the least buffer is the whole. */
static uint32_t send_room(const struct tcp *p, const struct tcb *t)
{
    uint32_t least = (uint32_t)p->knobs->tcp_wmem[0];
    uint32_t most_held = p->press.is_on && least < t->opt.sndbuf ? least : t->opt.sndbuf;
    uint32_t room = t->snd.ring.len < most_held ? most_held - t->snd.ring.len : 0;
    uint32_t unsent = unsent_of(t), most = notsent_most(p, t);

    if (unsent >= most)
        return 0;
    /* Linux fills the segment that it has begun: else a low mark would make tiny segments. */
    most = most - unsent < t->snd.mss ? t->snd.mss : most - unsent;
    return room < most ? room : most;
}

static int space(struct tcp *p, struct tcb *t, uint32_t want, struct ring_slice out[2])
{
    struct ring *r = &t->snd.ring;
    uint32_t room;
    int v = send_state(t);

    if (v)
        return v;
    press_look(p);
    room = send_room(p, t);
    if (want > room)
        want = room;
    if (t->state == SYN_SENT || t->state == SYN_RECEIVED) {
        uint32_t early = t->more ? fastopen_room(p, t) : 0;
        want = want < early ? want : early;
    }
    if (want == 0) {
        t->flags |= T_OUT_FULL;
        return 0;
    }
    if (r->len + want > r->size && !ring_reserve(r, p->mem, r->len + want, r->len)) {
        want = r->size - r->len; /* no memory to grow: what is there */
        if (r->len == 0 && want == 0)
            return -ENOBUFS; /* no ACK will say that there is room: nothing is in flight */
        t->flags |= T_OUT_FULL;
        if (want == 0)
            return 0;
    }
    return ring_slices(r, r->len, want, out);
}

static void commit(struct tcp *p, struct tcb *t, uint32_t len, int flags)
{
    ring_extend(&t->snd.ring, len);
    if (send_room(p, t) == 0)
        t->flags |= T_OUT_FULL;
    t->flags &= ~(uint32_t)T_MORE;
    if (flags & MSG_MORE)
        t->flags |= T_MORE;
    if (flags & MSG_OOB && len) { /* 6093: the pointer is behind the urgent byte */
        t->snd.up = snd_data_end(t);
        t->flags |= T_URG_OUT;
    }
    if (t->snd.ring.len == 0)
        ring_release(&t->snd.ring, p->mem);
    if (t->more)
        fastopen_on_write(p, t);
    tcb_wants_output(p, t);
}

int tcp_send_space(struct tcp *p, uint32_t index, uint32_t want, struct ring_slice out[2])
{
    return space(p, tcb_at(p, index), want, out);
}

void tcp_send_commit(struct tcp *p, uint32_t index, uint32_t len, int flags)
{
    commit(p, tcb_at(p, index), len, flags);
}

int64_t tcp_send(struct tcp *p, uint32_t index, const void *data, size_t len, int flags)
{
    struct tcb *t = tcb_at(p, index);
    struct ring_slice to[2];
    const uint8_t *from = data;
    uint32_t done = 0, want = len < UINT32_MAX / 2 ? (uint32_t)len : UINT32_MAX / 2;
    int n = space(p, t, want, to);

    if (n < 0)
        return n;
    if (n == 0)
        return len ? -EAGAIN : 0;
    for (int i = 0; i < n; i++) {
        memcpy(to[i].data, from + done, to[i].len);
        done += to[i].len;
    }
    if (done < len)
        t->flags |= T_OUT_FULL;
    commit(p, t, done, flags);
    return done;
}

/* -- RECEIVE ----------------------------------------------------------------------------------- */

/* What there is when the ring is empty: the end (0), an error, or nothing yet (-EAGAIN). */
static int receive_state(struct tcb *t)
{
    if (t->error) {
        int error = t->error;
        t->error = 0;
        return -error;
    }
    if (t->flags & (T_FIN_RECEIVED | T_SHUT_RD))
        return 0;
    if (t->state == CLOSED)
        return t->end_reason || t->snd.iss.v != t->snd.nxt.v ? 0 : -ENOTCONN;
    if (t->state == LISTEN)
        return -ENOTCONN;
    return -EAGAIN;
}

void tcp_receive_drop(struct tcp *p, struct tcb *t, uint32_t n)
{
    ring_consume(&t->rcv.ring, n);
    if (t->tune)
        tune_on_read(p, t);
    if (t->rcv.ring.len == 0 && !t->rcv.early && !press_is_high(p))
        ring_release(&t->rcv.ring, p->mem);
    if (window_update_due(p, t)) {
        t->flags |= T_WND_NEWS;
        tcb_wants_output(p, t);
    }
    if (t->flags & T_URG_IN)
        urgent_passed(t);
}

/* The urgent byte is no part of the stream, unless it was asked to be. */
static void skip_urgent(struct tcp *p, struct tcb *t)
{
    uint32_t skip;

    if (!(t->flags & T_URG_IN))
        return;
    urgent_limit(t, &skip);
    if (skip)
        tcp_receive_drop(p, t, skip);
}

int tcp_receive_slices(struct tcp *p, uint32_t index, struct ring_slice out[2], bool *ended)
{
    struct tcb *t = tcb_at(p, index);
    uint32_t none;
    int v;

    *ended = false;
    skip_urgent(p, t);
    if (t->rcv.ring.len)
        return ring_slices(&t->rcv.ring, 0, urgent_limit(t, &none), out);
    v = receive_state(t);
    *ended = v == 0;
    return v;
}

void tcp_receive_consume(struct tcp *p, uint32_t index, uint32_t len)
{
    struct tcb *t = tcb_at(p, index);

    if (len == 0)
        return;
    must(len <= t->rcv.ring.len);
    tcp_receive_drop(p, t, len);
}

int64_t tcp_receive(struct tcp *p, uint32_t index, void *data, size_t len, int flags)
{
    struct tcb *t = tcb_at(p, index);
    uint32_t skip, n = urgent_limit(t, &skip);

    if (flags & MSG_OOB)
        return len ? tcp_receive_urgent(p, index, data, flags) : -EINVAL;
    if (n > len)
        n = (uint32_t)len;
    if (n && !(flags & MSG_TRUNC))
        ring_peek(&t->rcv.ring, skip, data, n);
    if (!(flags & MSG_PEEK) && skip + n)
        tcp_receive_drop(p, t, skip + n);
    if (n == 0 && len)
        return receive_state(t);
    return n;
}
