/* Time of a script: from deadline to deadline, with the calls that wait.
 *
 * Knows: the node's clock. Shape: nothing moves the clock but these. Units: microseconds.
 * Errors: a call that ends at the wrong time. Cost: O(timers that fire). */
#include <stdio.h>

#include "packetdrill/run.h"
#include "wire/wire.h"

char *time_text(int64_t us, char *text, size_t size)
{
    snprintf(text, size, "%s%lld.%06lld", us < 0 ? "-" : "",
             (long long)(us < 0 ? -us : us) / 1000000, (long long)(us < 0 ? -us : us) % 1000000);
    return text;
}

/* The next instant at which something may happen, at most `us`. */
static int64_t next_instant(struct run *r, int64_t us)
{
    int64_t at = node_deadline(r->node);

    for (struct playing *c = r->waiting; c; c = c->next)
        if (c->wait.until_us < at)
            at = c->wait.until_us;
    if (at <= node_now(r->node))
        at = node_now(r->node) + 1; /* a deadline may be early: never turn on the spot */
    return at < us ? at : us;
}

static bool is_late(const struct run *r, const struct step *s, int64_t us)
{
    char now[32], then[32];

    if (node_now(r->node) <= us + r->set.tolerance_us)
        return false;
    problem_set(r->problem, PROBLEM_FAILED, s->at, "this was to happen at %s, but it is %s already",
                time_text(us, then, sizeof then), time_text(node_now(r->node), now, sizeof now));
    return true;
}

bool clock_run_to(struct run *r, int64_t us)
{
    while (node_now(r->node) < us) {
        node_move(r->node, next_instant(r, us));
        if (!call_try_all(r))
            return false;
    }
    return true;
}

bool clock_run_to_packet(struct run *r, int64_t us)
{
    while (!node_sent_first(r->node) && node_now(r->node) < us) {
        node_move(r->node, next_instant(r, us));
        if (!call_try_all(r))
            return false;
    }
    return true;
}

#define CLOCK_MAX_US 31536000000000 /* far from where nanoseconds overflow */

/* -- the script -------------------------------------------------------------------------------- */

static int64_t start_of(const struct run *r, const struct when *w)
{
    switch (w->kind) {
    case WHEN_ABSOLUTE:
        return w->us;
    case WHEN_RELATIVE:
        return r->base_us + w->us;
    default:
        return node_now(r->node);
    }
}

static bool play_out(struct run *r, const struct step *s, int64_t start)
{
    const struct when *w = &s->when;
    int64_t end = w->has_end ? start + (w->end_us - w->us) : start;

    if (w->kind == WHEN_ANY) {
        start = 0;
        end = INT64_MAX / 2;
    }
    return step_out(r, s, start, end);
}

static bool play(struct run *r, const struct step *s)
{
    int64_t start = start_of(r, &s->when);

    if (start > CLOCK_MAX_US)
        return problem_set(r->problem, PROBLEM_FAILED, s->at, "no script lasts longer than a year");
    if (s->kind == STEP_OUT)
        return play_out(r, s, start);
    if (!clock_run_to(r, start) || is_late(r, s, start))
        return false;
    r->base_us = start;
    switch (s->kind) {
    case STEP_IN:
        return step_in(r, s) && call_try_all(r);
    case STEP_CALL:
        return step_call(r, s, start) && call_try_all(r);
    case STEP_SHELL:
        return step_shell(r, s);
    default:
        return step_code(r, s);
    }
}

/* What has just happened, for --verbose. */
static void show(struct run *r, const struct step *s)
{
    struct shown shown;
    char at[32];

    time_text(s->kind == STEP_OUT ? r->base_us : node_now(r->node), at, sizeof at);
    fprintf(r->set.out, "%s%12s ", r->set.note_prefix, at);
    if (s->segment) {
        segment_show(&shown, s->segment, s->kind == STEP_OUT);
        fputs(shown.text, r->set.out);
    } else if (s->call) {
        fputs(s->call->shown, r->set.out);
    } else {
        fprintf(r->set.out, "%s, line %d", s->kind == STEP_CODE ? "check" : "settings", s->at.line);
    }
    fputc('\n', r->set.out);
}

/* Calls that still wait when the script is over get the time that they were to end at. */
static bool finish_calls(struct run *r)
{
    while (r->waiting)
        if (!clock_run_to(r, r->waiting->end_us + r->set.tolerance_us + 1))
            return false;
    return true;
}

static bool finish_packets(struct run *r, const struct step *last)
{
    const struct node_sent *first = node_sent_first(r->node);
    struct packet p;
    struct shown shown;
    char at[32];

    if (!first || !r->set.is_strict)
        return true;
    if (packet_read(&p, first->bytes, first->len) == NULL) {
        struct flow *f = flow_find(r, p.s.kind, p.s.sport, p.s.dport);
        p.s.seq -= f ? f->local_offset : 0;
        p.s.ack -= f && p.s.flags & TCP_ACK ? f->remote_isn : 0;
        p.s.has &= ~(uint32_t)(HAS_TOS | HAS_TTL | HAS_ECN);
    }
    segment_show(&shown, &p.s, true);
    problem_set(r->problem, PROBLEM_FAILED, last->at,
                "the script ends, and a packet was not expected");
    snprintf(r->problem->actual, sizeof r->problem->actual, "%s %s",
             time_text(first->at_us, at, sizeof at), shown.text);
    return false;
}

bool run_script(const struct script *script, const struct settings *settings,
                struct problem *problem)
{
    struct run *r;
    struct arena arena = {.chunks = NULL};
    const struct step *last = NULL;
    struct node_config config = {
        .local = settings->local, .prefix = settings->prefix, .mtu = settings->mtu, .seed = 1};
    bool is_good = true;

    r = arena_alloc(&arena, sizeof *r);
    *r = (struct run){.script = script, .set = *settings, .problem = problem, .last_fd = -1};
    r->next_port = 40001;
    r->listen_port = settings->bind_port;
    for (int i = 0; i < NUMBERS_MAX; i++)
        r->number[i] = -1;
    r->node = node_new(&config);
    if (!r->node) {
        arena_free(&arena);
        return problem_set(problem, PROBLEM_FAILED, (struct place){1, 1},
                           "no stack: bad address or MTU");
    }
    for (const struct step *s = script->steps; s && is_good; s = s->next) {
        is_good = play(r, s);
        if (is_good && r->set.is_verbose)
            show(r, s);
        last = s;
    }
    is_good = is_good && (!last || (finish_calls(r) && finish_packets(r, last)));
    node_free(r->node);
    arena_free(&r->arena);
    arena_free(&arena);
    return is_good;
}
