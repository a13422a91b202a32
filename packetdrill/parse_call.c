/* Calls of a script: "setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0".
 *
 * Knows: values and results. What a call takes is its own file's business.
 * Shape: value = number | "text" | ... | [list] | {name = value, ...} | name(values); numbers join
 * with | + - *. Units: none. Errors: the first problem. Cost: O(text). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packetdrill/names.h"
#include "packetdrill/parse.h"

#define ITEMS_MAX 64

static bool parse_items(struct lex *l, struct value *list, const char *close)
{
    struct value *item[ITEMS_MAX] = {NULL};
    const char *name[ITEMS_MAX] = {NULL};
    struct token t;
    int n = 0;

    while (!lex_take(l, close)) {
        struct lex ahead = *l;
        if (n == ITEMS_MAX)
            return lex_fail(l, "at most 64 values in a list");
        if (n && !lex_expect(l, ",", "between values"))
            return false;
        ahead = *l;
        name[n] = NULL;
        if (!lex_next(&ahead, &t))
            return false;
        if (t.kind == TOKEN_WORD) { /* "fd =", "msg_iov(1) =" */
            const char *skipped;
            size_t len;
            if (lex_take(&ahead, "(") && lex_until(&ahead, ')', &skipped, &len))
                lex_take(&ahead, ")");
            if (lex_take(&ahead, "=")) {
                name[n] = arena_text(l->arena, t.text, t.len);
                *l = ahead;
            }
        }
        if (!parse_value(l, &item[n]))
            return false;
        n++;
    }
    list->items = n;
    list->item = arena_alloc(l->arena, (size_t)n * sizeof item[0] + 1);
    list->name = arena_alloc(l->arena, (size_t)n * sizeof name[0] + 1);
    memcpy(list->item, item, (size_t)n * sizeof item[0]);
    memcpy(list->name, name, (size_t)n * sizeof name[0]);
    return true;
}

/* htons(8080) is 8080 and inet_addr("1.2.3.4") its text: byte order is not the script's business.
 */
static bool parse_function(struct lex *l, const struct token *t, struct value *out)
{
    static const char *const known[] = {"htons", "htonl", "inet_addr", "inet_pton"};
    struct value *inner = NULL;
    bool is_known = false;

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        is_known |= token_is(t, known[i]);
    if (!is_known)
        return problem_set(l->problem, PROBLEM_SYNTAX, t->at,
                           "expected htons, htonl, inet_addr or inet_pton before '('");
    lex_take(l, "(");
    do {
        if (!parse_value(l, &inner))
            return false;
    } while (lex_take(l, ","));
    *out = *inner;
    return lex_expect(l, ")", "behind the value");
}

static bool parse_name(struct lex *l, const struct token *t, struct value *out)
{
    char name[64] = "";
    struct token ahead;

    if (lex_peek(l, &ahead) && token_is(&ahead, "("))
        return parse_function(l, t, out);
    memcpy(name, t->text, t->len < sizeof name - 1 ? t->len : sizeof name - 1);
    out->kind = VALUE_NUMBER;
    if (strcmp(name, "NULL") == 0 || name_value(name, &out->number))
        return true;
    return problem_set(l->problem, PROBLEM_SYNTAX, t->at, "unknown name '%s': did you mean '%s'?",
                       name, name_nearest(name));
}

static bool parse_term(struct lex *l, struct value *out)
{
    struct lex before = *l;
    struct token t;

    if (!lex_next(l, &t))
        return false;
    out->at = t.at;
    out->kind = VALUE_NUMBER;
    if (token_is(&t, "-") || token_is(&t, "~")) {
        if (!parse_term(l, out) || out->kind != VALUE_NUMBER)
            return lex_fail(l, "a number behind the sign");
        out->number = token_is(&t, "-") ? -out->number : ~out->number;
        return true;
    }
    if (t.kind == TOKEN_NUMBER) {
        *l = before;
        return lex_number(l, "the number", 0, INT64_MAX, &out->number);
    }
    if (t.kind == TOKEN_TEXT) {
        out->kind = VALUE_TEXT;
        out->text = t.text;
        out->len = t.len;
        return true;
    }
    if (t.kind == TOKEN_ANY) {
        out->kind = VALUE_ANY;
        return true;
    }
    if (token_is(&t, "[") || token_is(&t, "{")) {
        out->kind = VALUE_LIST;
        return parse_items(l, out, token_is(&t, "[") ? "]" : "}");
    }
    if (t.kind == TOKEN_WORD)
        return parse_name(l, &t, out);
    return lex_fail(&before, "a value");
}

static int64_t join(char how, int64_t a, int64_t b)
{
    switch (how) {
    case '|':
        return a | b;
    case '+':
        return a + b;
    case '-':
        return a - b;
    default:
        return a * b;
    }
}

static bool parse_joined(struct lex *l, const char *operators, struct value **out)
{
    struct value *v = arena_alloc(l->arena, sizeof *v), more;
    struct token t;

    *out = v;
    if (!parse_term(l, v))
        return false;
    while (v->kind == VALUE_NUMBER && lex_peek(l, &t) && t.kind == TOKEN_MARK &&
           strchr(operators, *t.text)) {
        lex_next(l, &t);
        more = (struct value){.items = 0};
        if (!parse_term(l, &more))
            return false;
        if (more.kind != VALUE_NUMBER)
            return problem_set(l->problem, PROBLEM_SYNTAX, more.at, "expected a number behind '%c'",
                               *t.text);
        v->number = join(*t.text, v->number, more.number);
    }
    return true;
}

bool parse_value(struct lex *l, struct value **out)
{
    return parse_joined(l, "|+-*", out);
}

/* -- results ----------------------------------------------------------------------------------- */

static bool parse_errno(struct lex *l, struct call *out)
{
    struct token t;
    char name[32] = "";

    if (!lex_next(l, &t))
        return false;
    memcpy(name, t.text, t.len < sizeof name - 1 ? t.len : sizeof name - 1);
    if (name_errno(name, &out->error))
        return true;
    return problem_set(l->problem, PROBLEM_SYNTAX, t.at,
                       "expected an errno such as EAGAIN, got '%s'", name);
}

/* "= 3", "= -1 EAGAIN (Resource temporarily unavailable)", "= 2 (flags O_RDWR)": what stands in
 * parentheses is for people. */
static bool parse_result(struct lex *l, struct call *out)
{
    struct token t;
    const char *note;
    size_t len;

    if (!lex_expect(l, "=", "and the result behind the call"))
        return false;
    if (!parse_joined(l, "|", &out->result)) /* "+" and "*" begin the next line's time */
        return false;
    if (out->result->kind != VALUE_NUMBER && out->result->kind != VALUE_ANY)
        return problem_set(l->problem, PROBLEM_SYNTAX, out->result->at,
                           "the result must be a number or ...");
    if (out->result->number == -1 && lex_peek(l, &t) && t.kind == TOKEN_WORD &&
        !parse_errno(l, out))
        return false;
    if (lex_take(l, "(")) {
        if (!lex_until(l, ')', &note, &len))
            return lex_fail(l, "')' behind the note");
        lex_take(l, ")");
    }
    return true;
}

static void keep_shown(struct call *c, const char *from, const char *end)
{
    size_t n = 0;
    bool was_blank = false;

    for (; from < end && n + 2 < sizeof c->shown; from++) {
        bool is_blank = *from == ' ' || *from == '\n' || *from == '\t';
        if (!is_blank || !was_blank)
            c->shown[n++] = is_blank ? ' ' : *from;
        was_blank = is_blank;
    }
    c->shown[n] = '\0';
}

bool parse_call(struct lex *l, struct call *out)
{
    const char *from;
    struct token t;

    lex_place(l);
    from = l->at;
    if (!lex_next(l, &t))
        return false;
    out->name = arena_text(l->arena, t.text, t.len);
    if (!lex_expect(l, "(", "behind the call's name"))
        return false;
    while (!lex_take(l, ")")) {
        if (out->args == ARGS_MAX)
            return lex_fail(l, "at most 8 arguments");
        if (out->args && !lex_expect(l, ",", "or ')' behind an argument"))
            return false;
        if (!parse_value(l, &out->arg[out->args++]))
            return false;
    }
    keep_shown(out, from, l->at);
    return parse_result(l, out);
}
