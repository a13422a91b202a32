/* Gathers rows and curves of the connections that the page tells of.
 *
 * Knows: connections before and behind each segment. Shape: connections sorted by number; rows as
 * they come, and a ring of the last ones of each. Units: ns, bytes, us. Errors: as explain/tell.h.
 * Cost: O(log connections) for each segment. */
#include "explain/tell.h"

#include <stdlib.h>
#include <string.h>

/* -- curves ------------------------------------------------------------------------------------ */

static bool point_add(struct points *c, struct point p)
{
    if (++c->skipped < c->stride && !p.is_again)
        return true;
    c->skipped = 0;
    if (c->count == c->most) {
        for (uint32_t i = 0; i < c->count / 2; i++)
            c->p[i] = c->p[2 * i];
        c->count /= 2;
        c->stride = c->stride ? 2 * c->stride : 2;
    }
    if (c->count == c->room) {
        uint32_t room = c->room ? 2 * c->room : 64;
        struct point *more = realloc(c->p, room * sizeof *more);
        if (!more)
            return false;
        c->p = more;
        c->room = room;
    }
    c->p[c->count++] = p;
    return true;
}

static uint32_t window_of(const struct conn *c, int from, const struct segment *s)
{
    bool is_scaled = c->end[0].offers & c->end[1].offers & TCP_OPT_WSCALE;

    return (uint32_t)s->h.wnd << (is_scaled && !(s->h.flags & TCP_SYN) ? c->end[from].wscale : 0);
}

/* Curves of end i, which sent the segment or was acknowledged by it. */
static bool end_take(struct told_end *e, const struct end *x, int64_t at)
{
    uint32_t flight = x->has_acked && x->is_seen ? x->next - x->acked : 0;
    bool is_good = true;

    if (flight != e->flight_now)
        is_good = point_add(&e->flight, (struct point){.at = at, .v = {flight}});
    e->flight_now = flight;
    if (x->rtt_count != e->rtts)
        is_good &= point_add(&e->rtt, (struct point){.at = at, .v = {x->rtt_last}});
    e->rtts = x->rtt_count;
    return is_good;
}

static bool curves_take(struct told *d, const struct conn *c, const struct told_row *r)
{
    struct told_end *x = &d->end[r->end], *y = &d->end[!r->end];
    uint32_t past = r->seq + r->s.len + !!(r->s.h.flags & (TCP_SYN | TCP_FIN));
    int64_t at = r->s.at_ns;
    bool is_good = true;

    if (past != r->seq)
        is_good = point_add(&x->sent,
                            (struct point){.at = at,
                                           .v = {r->seq, past},
                                           .is_again = r->remarks & (R_AGAIN | R_SYN_AGAIN)});
    if (r->s.h.flags & TCP_ACK && !(r->s.h.flags & TCP_RST)) {
        is_good &= point_add(&y->acked,
                             (struct point){.at = at, .v = {r->ack, r->ack + r->window}});
        if (r->window != y->window_now)
            is_good &= point_add(&y->window, (struct point){.at = at, .v = {r->window}});
        y->window_now = r->window;
    }
    is_good &= end_take(x, &c->end[r->end], at);
    is_good &= end_take(y, &c->end[!r->end], at);
    return is_good;
}

/* -- rows -------------------------------------------------------------------------------------- */

static bool row_add(struct tell *t, const struct told_row *r)
{
    if (t->rows == t->room) {
        uint64_t room = t->room ? 2 * t->room : 256;
        struct told_row *more = realloc(t->row, room * sizeof *more);
        if (!more)
            return false;
        t->row = more;
        t->room = room;
    }
    t->row[t->rows++] = *r;
    return true;
}

/* Told at once, or kept while it is among the last. */
static bool row_take(struct tell *t, struct told *d, const struct told_row *r)
{
    bool is_remarkable = r->is_state || r->remarks & ~(unsigned)R_DUP_ACK ||
                         r->s.h.flags & (TCP_SYN | TCP_FIN | TCP_RST);

    if (d->rows < t->first || (is_remarkable && d->rows < t->most)) {
        d->rows++;
        return row_add(t, r);
    }
    if (!d->late)
        d->late = calloc(t->last, sizeof *d->late);
    if (!d->late)
        return false;
    d->left_out += d->lates >= t->last && !d->late[d->lates % t->last].is_state;
    d->late[d->lates++ % t->last] = *r;
    return true;
}

static bool states_row(struct tell *t, struct told *d, const struct conn *c,
                       const struct told_row *seg)
{
    for (int i = 0; i < 2; i++) {
        struct told_end *e = &d->end[i];
        for (; e->changes < c->end[i].changes; e->changes++) {
            struct told_row r = *seg;
            r.is_state = true;
            r.end = (uint8_t)i;
            r.from = e->changes ? c->end[i].change[e->changes - 1].state : NO_STATE;
            r.to = c->end[i].change[e->changes].state;
            if (!row_take(t, d, &r))
                return false;
        }
    }
    return true;
}

static struct told *find(const struct tell *t, uint64_t number)
{
    uint64_t low = 0, high = t->count;

    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (t->told[middle].c->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->count && t->told[low].c->number == number ? &t->told[low] : NULL;
}

bool tell_take(struct tell *t, const struct conn *c, const struct segment *s, unsigned remarks)
{
    struct told *d = find(t, c->number);
    struct told_row r = {.packet = s->number, .remarks = remarks, .s = *s};
    int from = !(c->end[0].port == s->h.sport && weir_addr_equal(&c->end[0].addr, &s->src));

    if (!d)
        return true;
    r.told = (uint32_t)(d - t->told);
    r.end = (uint8_t)from;
    r.s.at_ns -= t->zero;
    r.from = c->end[from].state;
    r.to = c->end[!from].state;
    r.isn[0] = c->end[from].isn;
    r.isn[1] = c->end[!from].isn;
    r.seq = s->h.seq.v - r.isn[0];
    r.ack = s->h.ack.v - r.isn[1];
    r.window = window_of(c, from, s);
    r.cause = s->h.flags & TCP_RST ? c->cause : CAUSE_NONE;
    return row_take(t, d, &r) && states_row(t, d, c, &r) && curves_take(d, c, &r);
}

/* -- all of it --------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
    const struct told *x = a, *y = b;

    return (x->c->number > y->c->number) - (x->c->number < y->c->number);
}

static void limit(struct told_end *e, uint32_t most)
{
    e->sent.most = e->acked.most = e->flight.most = e->window.most = e->rtt.most = most;
}

bool tell_begin(struct tell *t, const struct report *r)
{
    uint64_t share, points;

    memset(t, 0, sizeof *t);
    t->zero = r->sum.first_at;
    t->count = r->count < TOLD_MAX ? r->count : TOLD_MAX;
    t->told = calloc(t->count + 1, sizeof *t->told);
    if (!t->told)
        return false;
    share = TOLD_ROWS / (t->count ? t->count : 1);
    t->first = share / 2;
    t->last = share / 5 + 1;
    t->most = share - t->last;
    points = TOLD_POINTS / (t->count ? t->count : 1) / 10;
    for (uint64_t i = 0; i < t->count; i++) {
        t->told[i].c = r->kept[i];
        for (int k = 0; k < 2; k++)
            limit(&t->told[i].end[k], points < TOLD_POINTS_OF ? (uint32_t)points : TOLD_POINTS_OF);
    }
    qsort(t->told, t->count, sizeof *t->told, by_number);
    return true;
}

/* A change of state comes behind the segment that made it. */
static int by_packet(const void *a, const void *b)
{
    const struct told_row *x = a, *y = b;

    if (x->packet != y->packet)
        return x->packet > y->packet ? 1 : -1;
    if (x->is_state != y->is_state)
        return x->is_state ? 1 : -1;
    return x->is_state && x->end == y->end ? (x->to > y->to) - (x->to < y->to) : x->end - y->end;
}

bool tell_end(struct tell *t)
{
    for (uint64_t i = 0; i < t->count; i++) {
        struct told *d = &t->told[i];
        for (uint64_t k = 0; k < t->last && k < d->lates; k++)
            if (!row_add(t, &d->late[k]))
                return false;
    }
    if (t->rows)
        qsort(t->row, t->rows, sizeof *t->row, by_packet);
    return true;
}

void tell_free(struct tell *t)
{
    for (uint64_t i = 0; i < t->count; i++) {
        free(t->told[i].late);
        for (int k = 0; k < 2; k++) {
            struct told_end *e = &t->told[i].end[k];
            free(e->sent.p);
            free(e->acked.p);
            free(e->flight.p);
            free(e->window.p);
            free(e->rtt.p);
        }
    }
    free(t->told);
    free(t->row);
}
