/* A script: settings, shell lines and steps.
 *
 * Knows: what stands around a step, and times. Shape: "TIME THING" until the end of the file.
 * Units: microseconds. Errors: the first problem, with what was expected. Cost: O(text). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "packetdrill/parse.h"

#define SECONDS_MAX 10000000 /* four months */

/* -- settings: "--tolerance_usecs=1000" ----------------------------------------------------------
 */

static bool parse_settings(struct lex *l, struct script *s)
{
    struct setting **last = &s->settings;
    const char *text;
    size_t len;

    for (;;) {
        struct place at = lex_place(l);
        if (strncmp(l->at, "--", 2) != 0)
            return true;
        lex_run(l, "-", &text);
        *last = arena_alloc(&s->arena, sizeof **last);
        (*last)->at = at;
        (*last)->value = "";
        len = lex_run(l, "abcdefghijklmnopqrstuvwxyz_0123456789", &text);
        if (len == 0)
            return lex_fail(l, "an option's name behind '--'");
        (*last)->name = arena_text(&s->arena, text, len);
        if (lex_run(l, "=", &text)) {
            lex_until(l, '\n', &text, &len);
            while (len && isspace((unsigned char)text[len - 1]))
                len--;
            (*last)->value = arena_text(&s->arena, text, len);
        }
        last = &(*last)->next;
    }
}

/* -- times ------------------------------------------------------------------------------------- */

/* "1.25" to microseconds; digits beyond the sixth are refused, not rounded. */
static bool parse_us(struct lex *l, const char *what, int64_t *out)
{
    struct lex before = *l;
    struct token t;
    int64_t us = 0;
    int digits = -1;

    if (!lex_next(l, &t))
        return false;
    if (t.kind != TOKEN_NUMBER && t.kind != TOKEN_TIME)
        return lex_fail(&before, what);
    for (size_t i = 0; i < t.len; i++) {
        if (t.text[i] == '.') {
            digits = 0;
            continue;
        }
        if (!isdigit((unsigned char)t.text[i]) || digits >= 6 || us > SECONDS_MAX * 1000000LL)
            return lex_fail(&before, "seconds, with at most six digits behind the point");
        us = us * 10 + (t.text[i] - '0');
        digits += digits >= 0;
    }
    for (digits = digits < 0 ? 0 : digits; digits < 6; digits++)
        us *= 10;
    *out = us;
    if (us > SECONDS_MAX * 1000000LL)
        return problem_set(l->problem, PROBLEM_SYNTAX, t.at, "%s must be below %d s", what,
                           SECONDS_MAX);
    return true;
}

static bool parse_when(struct lex *l, struct when *out)
{
    struct token t;

    *out = (struct when){.kind = WHEN_ABSOLUTE};
    if (lex_take(l, "*")) {
        out->kind = WHEN_ANY;
        return true;
    }
    if (lex_take(l, "+"))
        out->kind = WHEN_RELATIVE;
    if (!parse_us(l, "a time such as 0.1, +0.1 or *", &out->us) || !lex_peek(l, &t))
        return false;
    out->is_blocking = t.kind == TOKEN_ANY;
    out->has_end = out->is_blocking || token_is(&t, "~");
    if (!out->has_end)
        return true;
    lex_next(l, &t);
    if (out->kind == WHEN_RELATIVE)
        lex_take(l, "+");
    if (!parse_us(l, "the end of the time range", &out->end_us))
        return false;
    if (out->end_us < out->us)
        return problem_set(l->problem, PROBLEM_SYNTAX, t.at,
                           "the time range ends before it begins");
    return true;
}

/* -- steps ------------------------------------------------------------------------------------- */

static bool parse_packet(struct lex *l, struct step *out)
{
    struct token t;

    lex_next(l, &t);
    out->kind = token_is(&t, "<") ? STEP_IN : STEP_OUT;
    out->segment = arena_alloc(l->arena, sizeof *out->segment);
    return parse_segment(l, out->kind == STEP_OUT, out->segment);
}

static bool parse_thing(struct lex *l, struct step *out)
{
    struct token t;

    if (!lex_peek(l, &t))
        return false;
    out->at = t.at;
    if (token_is(&t, "<") || token_is(&t, ">"))
        return parse_packet(l, out);
    if (t.kind == TOKEN_SHELL || t.kind == TOKEN_CODE) {
        out->kind = t.kind == TOKEN_SHELL ? STEP_SHELL : STEP_CODE;
        out->text = arena_text(l->arena, t.text, t.len);
        return lex_next(l, &t);
    }
    if (t.kind == TOKEN_WORD) {
        out->kind = STEP_CALL;
        out->call = arena_alloc(l->arena, sizeof *out->call);
        return parse_call(l, out->call);
    }
    return lex_fail(l, "a packet ('<' or '>'), a call, `a shell line` or %{ a check }%");
}

static bool is_time_possible(const struct step *s)
{
    const struct when *w = &s->when;

    if (w->is_blocking)
        return s->kind == STEP_CALL;
    if (w->kind == WHEN_ANY || w->has_end)
        return s->kind == STEP_OUT;
    return true;
}

static bool parse_steps(struct lex *l, struct script *s)
{
    struct step **last = &s->steps;
    struct token t;

    while (lex_peek(l, &t) && t.kind != TOKEN_END) {
        *last = arena_alloc(&s->arena, sizeof **last);
        /* Shell lines at the head of a script need no time. */
        (*last)->when.kind = WHEN_RELATIVE;
        if (t.kind != TOKEN_SHELL && !parse_when(l, &(*last)->when))
            return false;
        if (!parse_thing(l, *last))
            return false;
        if (!is_time_possible(*last))
            return problem_set(l->problem, PROBLEM_SYNTAX, t.at,
                               (*last)->when.is_blocking
                                   ? "only a call can wait: 'begin...end' belongs before a call"
                                   : "only an outbound packet may come at any time or in a range");
        last = &(*last)->next;
    }
    return l->problem->kind == PROBLEM_NONE;
}

bool script_parse(struct script *s, const char *text, const struct setting *words,
                  struct problem *problem)
{
    struct lex l;

    *s = (struct script){.steps = NULL};
    lex_init(&l, s, text, problem);
    if (!parse_settings(&l, s))
        return false;
    l.words = words;
    return parse_steps(&l, s);
}

void script_free(struct script *s)
{
    arena_free(&s->arena);
}
