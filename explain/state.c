/* The states of both ends, as far as segments show them from outside.
 *
 * Knows: RFC 9293 figure 5. Shape: an end's own SYN, FIN or RST moves it at once; what the other
 * end sent moves it when its ACK shows that it arrived. Units: ns. Errors: none. Cost: O(1). */
#include "explain/conn.h"

const char *seen_state_name(enum state s)
{
    static const char *const names[] = {"",           "SYN-SENT",   "SYN-RECEIVED", "ESTABLISHED",
                                        "FIN-WAIT-1", "FIN-WAIT-2", "CLOSING",      "CLOSE-WAIT",
                                        "LAST-ACK",   "TIME-WAIT",  "CLOSED"};
    return names[s];
}

static void enter(struct end *e, enum state to, int64_t at)
{
    if (e->state == to)
        return;
    e->state = (uint8_t)to;
    if (e->changes < CHANGES)
        e->change[e->changes++] = (struct change){at, (uint8_t)to};
}

static void sends_syn(struct end *x, struct end *y, const struct segment *s)
{
    if (!(s->h.flags & TCP_ACK)) {
        if (x->state == NO_STATE)
            enter(x, SYN_SENT, s->at_ns);
        return;
    }
    if (x->state == NO_STATE || x->state == SYN_SENT)
        enter(x, SYN_RECEIVED, s->at_ns);
    if (y->state == NO_STATE)
        enter(y, SYN_SENT, s->at_ns);
}

static void sends_fin(struct end *x, int64_t at)
{
    if (x->state == CLOSE_WAIT)
        enter(x, LAST_ACK, at);
    else if (x->state <= ESTABLISHED)
        enter(x, FIN_WAIT_1, at);
}

/* x has the other end's FIN. */
static void has_fin(struct end *x, int64_t at)
{
    switch (x->state) {
    case NO_STATE:
    case SYN_RECEIVED:
    case ESTABLISHED:
        enter(x, CLOSE_WAIT, at);
        break;
    case FIN_WAIT_1:
        enter(x, CLOSING, at);
        break;
    case FIN_WAIT_2:
        enter(x, TIME_WAIT, at);
        break;
    default:
        break;
    }
}

/* The other end acknowledged x's FIN. */
static void fin_is_acked(struct end *x, int64_t at)
{
    x->is_fin_acked = true;
    if (x->state == FIN_WAIT_1)
        enter(x, FIN_WAIT_2, at);
    else if (x->state == CLOSING)
        enter(x, TIME_WAIT, at);
    else if (x->state == LAST_ACK)
        enter(x, CLOSED, at);
}

/* x acknowledges what y sent. */
static void acks(struct conn *c, struct end *x, struct end *y, const struct segment *s)
{
    if (x->state == SYN_SENT && !(s->h.flags & TCP_SYN)) {
        enter(x, ESTABLISHED, s->at_ns);
        if (y->state == SYN_RECEIVED)
            enter(y, ESTABLISHED, s->at_ns);
    } else if (y->state == SYN_RECEIVED && !(s->h.flags & TCP_SYN)) {
        enter(y, ESTABLISHED, s->at_ns);
    }
    if (!(s->h.flags & TCP_SYN)) {
        if (x->state == NO_STATE || x->state == SYN_RECEIVED)
            enter(x, ESTABLISHED, s->at_ns);
        if (y->state == NO_STATE)
            enter(y, ESTABLISHED, s->at_ns);
    }
    if (!c->established_at && x->state == ESTABLISHED && y->state == ESTABLISHED)
        c->established_at = s->at_ns ? s->at_ns : 1; /* 0: not yet */
    if (!y->has_fin || seq_past(s->h.ack.v, y->fin) < 0)
        return;
    has_fin(x, s->at_ns);
    if (y->state == FIN_WAIT_1 && x->has_fin && s->h.seq.v == x->fin)
        has_fin(y, s->at_ns); /* x's own FIN went before this */
    if (!y->is_fin_acked)
        fin_is_acked(y, s->at_ns);
}

void states_take(struct conn *c, int from, const struct segment *s)
{
    struct end *x = &c->end[from], *y = &c->end[!from];

    if (s->h.flags & TCP_RST) {
        enter(x, CLOSED, s->at_ns);
        enter(y, CLOSED, s->at_ns);
        c->is_over = true;
        return;
    }
    if (s->h.flags & TCP_SYN)
        sends_syn(x, y, s);
    if (s->h.flags & TCP_ACK)
        acks(c, x, y, s);
    if (s->h.flags & TCP_FIN)
        sends_fin(x, s->at_ns);
    c->is_over |= x->is_fin_acked && y->is_fin_acked;
}
