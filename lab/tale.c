/* Rows with their connections, and which row explains which.
 *
 * Knows: the log, the ladder's words, TCP's states. Shape: a pass over segments, which learns the
 * connections; then one over changes of state and what timers sent. Units: ns, bytes.
 * Errors: as lab/tale.h. Cost: as lab/tale.h. */
#include "lab/tale.h"

#include <stdlib.h>
#include <string.h>

#include "def/state.h"
#include "wire/wire.h"

#define LOOK_BACK 4000
#define LOOK_AHEAD 64

/* -- connections ------------------------------------------------------------------------------- */

static bool is_from_first(const struct tale *t, const struct tale_row *r)
{
    const struct lab_seg *first = &t->row[t->first[r->connection]].row->seg, *s = &r->row->seg;

    return first->src == s->src && first->sport == s->sport;
}

static void read_segment(struct tale *t, struct ladder_flows *flows, uint32_t i)
{
    struct tale_row *r = &t->row[i];

    r->connection = ladder_text(flows, &r->row->seg, r->text, sizeof r->text);
    if (!r->connection)
        return;
    if (r->connection > t->connections) {
        t->connections = r->connection;
        t->first = realloc(t->first, (size_t)(t->connections + 1) * sizeof *t->first);
        if (!t->first)
            abort();
        t->first[t->connections] = i;
    }
    ladder_numbers(flows, &r->row->seg, &r->n);
    r->end = !is_from_first(t, r);
}

/* -- what explains a change of state -------------------------------------------------------------
 */

/* The segment that leaves at the same instant, in the new state, to tell of it. */
static uint32_t find_telling(const struct tale *t, uint32_t at)
{
    const struct tale_row *state = &t->row[at];

    for (uint32_t i = at + 1; i < t->rows && i < at + LOOK_AHEAD; i++) {
        const struct tale_row *r = &t->row[i];
        if (r->row->at != state->row->at)
            break;
        if (r->row->kind == LAB_ROW_SEG && r->row->from == state->row->from &&
            r->connection == state->connection &&
            (r->row->state[0] == state->row->why.to ||
             (state->row->why.to == CLOSED && r->row->seg.flags & TCP_RST)))
            return i;
    }
    return TALE_NONE;
}

/* Since when the state lasted that a timer ended. */
static void find_entry(struct tale *t, uint32_t at)
{
    struct tale_row *r = &t->row[at];

    for (uint32_t i = at; i-- > 0 && i + LOOK_BACK > at;) {
        const struct tale_row *was = &t->row[i];
        if (was->row->kind != LAB_ROW_STATE || was->connection != r->connection ||
            was->row->from != r->row->from || was->row->why.to != r->row->why.from)
            continue;
        r->since = i;
        r->waited = r->row->at - was->row->at;
        return;
    }
}

static void explain_state(struct tale *t, uint32_t at)
{
    struct tale_row *r = &t->row[at];

    r->cause = r->row->cause ? r->row->cause - 1 : find_telling(t, at);
    /* Behind a NAT the end has another peer than the segments that are told. */
    if (!r->connection && r->row->cause) {
        r->connection = t->row[r->cause].connection;
        r->end = !t->row[r->cause].end;
    }
    if (r->row->is_forced)
        find_entry(t, at);
}

/* -- timers ------------------------------------------------------------------------------------ */

static void find_timer(struct tale *t, uint32_t at)
{
    struct tale_row *r = &t->row[at];

    for (uint32_t i = at; i-- > 0 && i + LOOK_BACK > at;) {
        const struct lab_row *was = t->row[i].row;
        if (!ladder_began_timer(was, r->row))
            continue;
        r->since = i;
        r->waited = r->row->at - (r->row->why.event == EVENT_delayed_ack ? was->arrived : was->at);
        return;
    }
}

struct tale *tale_new(const struct lab_log *log)
{
    struct tale *t = calloc(1, sizeof *t);
    struct ladder_flows *flows = ladder_flows_new();

    if (!t)
        abort();
    t->rows = lab_log_count(log);
    t->row = calloc(t->rows + 1, sizeof *t->row);
    if (!t->row)
        abort();
    for (uint32_t i = 0; i < t->rows; i++) {
        t->row[i] = (struct tale_row){
            .row = lab_log_row(log, i), .waited = -1, .since = TALE_NONE, .cause = TALE_NONE};
        if (t->row[i].row->kind == LAB_ROW_SEG)
            read_segment(t, flows, i);
    }
    for (uint32_t i = 0; i < t->rows; i++) {
        struct tale_row *r = &t->row[i];
        if (r->row->kind == LAB_ROW_SEG && ladder_is_timed(r->row->why.event))
            find_timer(t, i);
        if (r->row->kind != LAB_ROW_STATE)
            continue;
        r->connection = ladder_flow_find(flows, &r->row->seg);
        r->end = r->connection && !is_from_first(t, r);
        explain_state(t, i);
    }
    ladder_flows_free(flows);
    return t;
}

void tale_free(struct tale *t)
{
    free(t->row);
    free(t->first);
    free(t);
}

uint32_t tale_place(const struct tale *t, uint32_t row)
{
    uint32_t left_out = t->rows > TALE_FIRST + TALE_LAST ? t->rows - TALE_FIRST - TALE_LAST : 0;

    if (row == TALE_NONE || row < TALE_FIRST)
        return row;
    return row < TALE_FIRST + left_out ? TALE_NONE : row - left_out;
}
