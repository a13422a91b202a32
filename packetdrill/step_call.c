/* Calls: made, tried again while they wait, and judged when they end.
 *
 * Knows: results and times. What a call does is in the call_*.c. Shape: a call without an end time
 * must not wait. Units: microseconds. Errors: the result that differs. Cost: O(calls that wait). */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "packetdrill/call.h"
#include "packetdrill/names.h"

static const struct call_row *row_of(const char *name)
{
    static const struct call_row *const tables[] = {calls_of_sockets, calls_of_data,
                                                    calls_of_settings, calls_of_readiness};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct call_row *row = tables[i]; row->name; row++)
            if (strcmp(row->name, name) == 0)
                return row;
    return NULL;
}

bool run_check(const struct script *script, struct problem *problem)
{
    for (const struct step *s = script->steps; s; s = s->next) {
        const struct call_row *row = s->call ? row_of(s->call->name) : NULL;
        if (s->call && !row)
            return problem_set(problem, PROBLEM_SYNTAX, s->at, "the call '%s' is not known here",
                               s->call->name);
        if (row && (s->call->args < row->least || s->call->args > row->most))
            return problem_set(problem, PROBLEM_SYNTAX, s->at, "%s takes %d%s arguments, not %d",
                               row->name, row->least, row->most > row->least ? " or more" : "",
                               s->call->args);
    }
    return true;
}

/* -- the result -------------------------------------------------------------------------------- */

static void result_text(int64_t v, char *text, size_t size)
{
    if (v < 0)
        snprintf(text, size, "-1 %s (%s)", errno_name((int)-v), strerror((int)-v));
    else
        snprintf(text, size, "%lld", (long long)v);
}

static bool makes_descriptor(const char *name)
{
    return strcmp(name, "socket") == 0 || strncmp(name, "accept", 6) == 0 ||
           strncmp(name, "epoll_create", 12) == 0;
}

static bool tell(struct run *r, const struct playing *c)
{
    const struct call *call = c->step->call;
    int64_t want = call->error ? -call->error : call->result->number;
    char text[128];

    problem_set(r->problem, PROBLEM_FAILED, c->step->at, "%s: result: not as expected", call->name);
    result_text(want, text, sizeof text);
    snprintf(r->problem->expected, sizeof r->problem->expected, "%s = %s", call->shown,
             want == -1 && !call->error ? "-1" : text);
    result_text(c->result, text, sizeof text);
    snprintf(r->problem->actual, sizeof r->problem->actual, "%s = %s", call->shown, text);
    r->problem->caret = (int)strlen(call->shown) + 3;
    r->problem->caret_len = (int)strcspn(text, "(");
    return false;
}

static bool keep_number(struct run *r, struct playing *c)
{
    int64_t want = c->step->call->result->number;

    if (want < 0 || want >= NUMBERS_MAX)
        return tell(r, c);
    if (r->number[want] >= 0)
        return problem_set(r->problem, PROBLEM_FAILED, c->step->at,
                           "the script says descriptor %lld, which is still open", (long long)want);
    r->number[want] = (int)c->result;
    return true;
}

static bool judge_result(struct run *r, struct playing *c)
{
    const struct call *call = c->step->call;

    if (call->result->kind == VALUE_ANY)
        return true;
    if (c->result >= 0 && makes_descriptor(call->name))
        return keep_number(r, c);
    if (c->result >= 0 ? c->result != call->result->number
                       : call->result->number != -1 || (call->error && c->result != -call->error))
        return tell(r, c);
    return c->result < 0 || !c->check || c->check(r, c);
}

static bool judge_end(struct run *r, const struct playing *c)
{
    int64_t off = node_now(r->node) - c->end_us;
    char now[32], want[32];

    if (!c->step->when.is_blocking || (off <= r->set.tolerance_us && -off <= r->set.tolerance_us))
        return true;
    return problem_set(r->problem, PROBLEM_FAILED, c->step->at, "%s ended at %s, expected at %s",
                       c->step->call->name, time_text(node_now(r->node), now, sizeof now),
                       time_text(c->end_us, want, sizeof want));
}

/* True: the call has ended, or goes on waiting; *is_over says which. False: a problem. */
static bool attempt(struct run *r, struct playing *c, bool *is_over)
{
    c->result = row_of(c->step->call->name)->attempt(r, c);
    *is_over = c->result != NODE_BLOCKS;
    if (c->result == CALL_BAD)
        return false;
    return !*is_over || (judge_result(r, c) && judge_end(r, c));
}

static bool still_waits(struct run *r, const struct playing *c)
{
    char want[32];

    if (node_now(r->node) <= c->end_us + r->set.tolerance_us)
        return true;
    return problem_set(r->problem, PROBLEM_FAILED, c->step->at,
                       "%s still waits; expected to end at %s", c->step->call->name,
                       time_text(c->end_us, want, sizeof want));
}

bool call_try_all(struct run *r)
{
    for (struct playing **at = &r->waiting; *at;) {
        struct playing *c = *at;
        bool is_over;
        if (!attempt(r, c, &is_over) || (!is_over && !still_waits(r, c)))
            return false;
        if (is_over)
            *at = c->next;
        else
            at = &c->next;
    }
    return true;
}

bool step_call(struct run *r, const struct step *s, int64_t from_us)
{
    struct playing *c = arena_alloc(&r->arena, sizeof *c), **last = &r->waiting;
    bool is_over;

    c->step = s;
    c->from_us = from_us;
    c->end_us = from_us + s->when.end_us - s->when.us;
    if (!attempt(r, c, &is_over))
        return false;
    if (is_over)
        return true;
    if (!s->when.is_blocking)
        return problem_set(r->problem, PROBLEM_FAILED, s->at,
                           "%s waits; a call that waits has a begin and an end: 0.1...0.2 %s(...)",
                           s->call->name, s->call->name);
    while (*last)
        last = &(*last)->next;
    *last = c;
    return true;
}
