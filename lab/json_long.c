/* Of a run that is too long to be told row by row: each connection's sums, and its curve of
 * sequence numbers over all of it.
 *
 * Knows: tales. Shape: of n points every so-many-th, and of what was lost or sent again every one,
 * as far as there is room. Units: s, bytes. Errors: no memory ends the program. Cost: O(rows). */
#include <stdlib.h>

#include "def/state.h"
#include "lab/json.h"
#include "wire/wire.h"

#define POINTS 40000    /* of all curves together, */
#define POINTS_OF 1900u /* of one: with what comes in between it has 2,000 at most */

enum mark { PLAIN, AGAIN, LOST };

struct side { /* what one end sent */
    uint32_t top, acked;
    int64_t acked_at;
    uint64_t bytes, again, lost;
    uint64_t plain, bad, acks; /* points there are, */
    uint64_t step[3];          /* one of how many is kept of each, */
    uint64_t turn[3];
    json_t *sent, *reached;
};

static uint32_t past_of(const struct tale_row *r)
{
    return r->n.seq + r->row->seg.len + !!(r->row->seg.flags & (TCP_SYN | TCP_FIN));
}

static enum mark mark_of(const struct side *x, const struct tale_row *r)
{
    int event = r->row->why.event;

    if (r->row->fate >= LAB_LOST_CHANCE)
        return LOST;
    if (event == EVENT_rto || event == EVENT_fast_retransmit || event == EVENT_loss_retransmit ||
        event == EVENT_syn_retry || event == EVENT_synack_retry)
        return AGAIN;
    if (r->row->is_stray || event == EVENT_keepalive_probe || event == EVENT_window_probe)
        return PLAIN;
    return past_of(r) <= x->top ? AGAIN : PLAIN;
}

static bool is_turn(struct side *x, int what)
{
    return x->turn[what]++ % x->step[what] == 0;
}

/* x: who sent it. The first time it is counted, the second time it is told. */
static void read_sent(struct side *x, const struct tale_row *r, bool is_told)
{
    enum mark mark = mark_of(x, r);
    uint32_t past = past_of(r);

    if (past == r->n.seq) {
        x->lost += mark == LOST;
        return;
    }
    if (is_told && is_turn(x, mark != PLAIN))
        json_array_append_new(x->sent,
                              json_pack("[f, I, I, i]", (double)r->row->at / 1e9,
                                        (json_int_t)r->n.seq, (json_int_t)past, (int)mark));
    x->plain += mark == PLAIN;
    x->bad += mark != PLAIN;
    x->lost += mark == LOST;
    x->again += mark == AGAIN || (mark == LOST && past <= x->top);
    x->bytes += r->row->seg.len;
    if (r->row->seg.flags & TCP_SYN)
        x->top = 1;
    else if (past > x->top)
        x->top = past;
}

/* y: whose numbers it acknowledges. Times and numbers go up only, whatever order ACKs come in. */
static void read_ack(struct side *y, const struct tale_row *r, bool is_told)
{
    const struct lab_row *row = r->row;

    if (!(row->seg.flags & TCP_ACK) || row->seg.flags & TCP_RST || row->fate != LAB_ARRIVED ||
        !row->arrived || r->n.ack < y->acked || row->arrived < y->acked_at)
        return;
    y->acked = r->n.ack;
    y->acked_at = row->arrived;
    y->acks++;
    if (is_told && is_turn(y, 2))
        json_array_append_new(y->reached,
                              json_pack("[f, I, I]", (double)row->arrived / 1e9,
                                        (json_int_t)r->n.ack, (json_int_t)r->n.ack + r->n.window));
}

static void read_all(const struct tale *t, struct side (*side)[2], int told, bool is_told)
{
    for (uint32_t i = 0; i < t->rows; i++) {
        const struct tale_row *r = &t->row[i];
        if (r->row->kind != LAB_ROW_SEG || !r->connection || r->connection > told)
            continue;
        read_sent(&side[r->connection][r->end], r, is_told);
        read_ack(&side[r->connection][!r->end], r, is_told);
    }
}

/* Between the readings: how densely, and all sums from zero again. */
static struct side ready(const struct side *x, uint64_t room)
{
    uint64_t bad = x->bad < room / 2 ? x->bad : room / 2;

    return (struct side){
        .step = {x->plain / (room - bad) + 1, x->bad / (room / 2) + 1, x->acks / room + 1},
        .sent = json_array(),
        .reached = json_array()};
}

void json_long(json_t *connections, const struct tale *t)
{
    int told = (int)json_array_size(connections);
    uint64_t room = told ? POINTS / (2 * (uint64_t)told) : 0;
    struct side(*side)[2] = calloc((size_t)told + 1, sizeof *side);

    if (!side)
        abort();
    room = room < POINTS_OF ? room : POINTS_OF;
    read_all(t, side, told, false);
    for (int i = 1; i <= told; i++)
        for (int e = 0; e < 2; e++)
            side[i][e] = ready(&side[i][e], room);
    read_all(t, side, told, true);
    for (int i = 1; i <= told; i++) {
        const struct side *a = &side[i][0], *b = &side[i][1];
        json_t *more = json_pack("{s:[I, I], s:[I, I], s:I, s:[{s:o, s:o}, {s:o, s:o}]}", "bytes",
                                 (json_int_t)a->bytes, (json_int_t)b->bytes, "resent",
                                 (json_int_t)a->again, (json_int_t)b->again, "lost",
                                 (json_int_t)(a->lost + b->lost), "seen", "sent", a->sent, "acked",
                                 a->reached, "sent", b->sent, "acked", b->reached);
        json_object_update(json_array_get(connections, (size_t)i - 1), more);
        json_decref(more);
    }
    free(side);
}
