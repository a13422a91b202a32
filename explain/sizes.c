/* Do big segments vanish where small ones pass?
 *
 * Knows: the text that is longer than all that was acknowledged, and how often it went. Shape: one
 * stretch of each end is in doubt at a time; once it arrives at its size there is no doubt of that
 * size. Units: bytes of text. Errors: none.
 * Cost: O(1). RFC 2923#2.1, 4821 */
#include "explain/conn.h"

#define LEAST 500 /* every path carries this much */

/* A capture at the sender may hold what its card cuts later. */
static uint32_t size_on_wire(const struct end *y, const struct segment *s)
{
    return y->mss && s->len > y->mss ? y->mss : s->len;
}

static void take_text(struct end *x, const struct end *y, const struct segment *s)
{
    struct sizes *z = &x->sizes;
    uint32_t len = size_on_wire(y, s), start = s->h.seq.v;

    if (len < LEAST && !(z->is_doubted && start == z->start)) {
        z->small = len;
        z->small_end = start + len;
        return;
    }
    if (!z->is_doubted) {
        if (len <= z->passed || (x->has_acked && seq_past(start, x->acked) < 0))
            return;
        z->is_doubted = true;
        z->start = start;
        z->len = len;
        z->again = 0;
        z->is_heard = false;
        return;
    }
    if (start != z->start)
        return;
    if (len >= z->len) {
        z->again++;
    } else if (z->again >= 2) { /* the sender tries it in pieces */
        z->vanished = z->len;
        z->times = z->again + 1;
        z->piece = len;
        z->piece_end = start + len;
        z->is_doubted = false;
    }
}

void sizes_take(struct conn *c, int from, const struct segment *s)
{
    struct end *x = &c->end[from], *y = &c->end[!from];
    struct sizes *z = &y->sizes;

    if (s->len && !(s->h.flags & (TCP_SYN | TCP_RST)))
        take_text(x, y, s);
    if (!(s->h.flags & TCP_ACK) || s->h.flags & TCP_RST)
        return;
    if (z->small && seq_past(s->h.ack.v, z->small_end) >= 0) {
        z->passed = z->small > z->passed ? z->small : z->passed;
        z->small = 0;
    }
    z->is_heard |= z->is_doubted && z->again >= 2;
    if (z->is_doubted && seq_past(s->h.ack.v, z->start + z->len) >= 0) {
        z->passed = z->len;
        z->is_doubted = false;
    }
    z->is_cured |= z->piece && seq_past(s->h.ack.v, z->piece_end) >= 0;
}

bool sizes_are_lost(const struct end *x, struct black_hole *b)
{
    const struct sizes *z = &x->sizes;

    *b = (struct black_hole){.len = z->len, .times = z->again + 1, .passed = z->passed};
    if (z->is_doubted && z->again >= 2 && (z->is_heard || z->passed)) {
        b->is_sure = z->is_heard;
        return true;
    }
    *b = (struct black_hole){.len = z->vanished, .times = z->times, .passed = z->piece};
    b->is_sure = b->is_cured = true;
    return z->is_cured && z->vanished > z->passed;
}
