/* Words, numbers and marks of a script, one at a time: see lex.h.
 *
 * Knows: characters. Shape: blanks and comments (//, #, and C's) are skipped before a token.
 * Units: none. Errors: an open quote, comment or block. Cost: O(token). */
#include "packetdrill/lex.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void lex_init(struct lex *l, struct script *s, const char *text, struct problem *problem)
{
    *l = (struct lex){.at = text, .line = 1, .col = 1, .arena = &s->arena, .problem = problem};
}

static void step_on(struct lex *l, size_t n)
{
    for (; n && *l->at; n--, l->at++) {
        l->col++;
        if (*l->at == '\n') {
            l->line++;
            l->col = 1;
        }
    }
}

static bool is_start(const struct lex *l, const char *text)
{
    return strncmp(l->at, text, strlen(text)) == 0;
}

static void skip_blank(struct lex *l)
{
    for (;;) {
        const char *end = l->at;
        if (isspace((unsigned char)*l->at)) {
            step_on(l, 1);
        } else if (is_start(l, "//") || *l->at == '#') {
            step_on(l, strcspn(l->at, "\n"));
        } else if (is_start(l, "/*") && (end = strstr(l->at + 2, "*/"))) {
            step_on(l, (size_t)(end + 2 - l->at));
        } else {
            return;
        }
    }
}

struct place lex_place(struct lex *l)
{
    skip_blank(l);
    return (struct place){l->line, l->col};
}

/* What lies between an opening and a closing mark. */
static bool enclosed(struct lex *l, struct token *out, const char *open, const char *close)
{
    const char *end = strstr(l->at + strlen(open), close);

    if (!end)
        return problem_set(l->problem, PROBLEM_SYNTAX, out->at, "%s is never closed by %s", open,
                           close);
    out->text = l->at + strlen(open);
    out->len = (size_t)(end - out->text);
    step_on(l, strlen(open) + out->len + strlen(close));
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* "\n", "\x00", "\"" and the like. */
static char unescape(const char **at)
{
    static const char from[] = "nrt0\\\"'", to[] = "\n\r\t\0\\\"'";
    const char *found;
    char c = *(*at)++;

    if (c != '\\' || !**at)
        return c;
    c = *(*at)++;
    if (c == 'x' && isxdigit((unsigned char)(*at)[0]) && isxdigit((unsigned char)(*at)[1])) {
        c = (char)(hex_digit((*at)[0]) * 16 + hex_digit((*at)[1]));
        *at += 2;
        return c;
    }
    found = strchr(from, c);
    return found ? to[found - from] : c;
}

static bool quoted(struct lex *l, struct token *out)
{
    const char *at = l->at + 1;
    char *text;
    size_t n = 0;

    while (*at && *at != '"' && *at != '\n')
        at += at[0] == '\\' && at[1] ? 2 : 1;
    if (*at != '"')
        return problem_set(l->problem, PROBLEM_SYNTAX, out->at, "the text is never closed by \"");
    text = arena_alloc(l->arena, (size_t)(at - l->at));
    for (const char *from = l->at + 1; from < at;)
        text[n++] = unescape(&from);
    step_on(l, (size_t)(at + 1 - l->at));
    out->text = text;
    out->len = n;
    return true;
}

/* 12, 0x1f, 1.5, .5; the dots of an ellipsis are no part of it. */
static void number(struct lex *l, struct token *out)
{
    const char *at = l->at;

    out->kind = TOKEN_NUMBER;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
        for (at += 2; isxdigit((unsigned char)*at);)
            at++;
    } else {
        while (isdigit((unsigned char)*at))
            at++;
        if (*at == '.' && at[1] != '.') {
            out->kind = TOKEN_TIME;
            for (at++; isdigit((unsigned char)*at);)
                at++;
        }
    }
    out->text = l->at;
    out->len = (size_t)(at - l->at);
    step_on(l, out->len);
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void word(struct lex *l, struct token *out)
{
    size_t n = 1;

    while (is_word(l->at[n]))
        n++;
    out->kind = TOKEN_WORD;
    out->text = l->at;
    out->len = n;
    step_on(l, n);
    for (const struct setting *w = l->words; w; w = w->next)
        if (strlen(w->name) == n - (*out->text == '$') &&
            strncmp(w->name, out->text + (*out->text == '$'), strlen(w->name)) == 0) {
            out->text = w->value;
            out->len = strlen(w->value);
            out->kind = isdigit((unsigned char)*w->value) ? TOKEN_NUMBER : TOKEN_WORD;
            return;
        }
}

bool lex_next(struct lex *l, struct token *out)
{
    *out = (struct token){.at = lex_place(l), .kind = TOKEN_MARK, .text = l->at, .len = 1};
    if (!*l->at) {
        out->kind = TOKEN_END;
        return true;
    }
    if (is_start(l, "/*"))
        return problem_set(l->problem, PROBLEM_SYNTAX, out->at, "the comment is never closed");
    if (is_start(l, "...")) {
        out->kind = TOKEN_ANY;
        out->len = 3;
        step_on(l, 3);
        return true;
    }
    if (*l->at == '`') {
        out->kind = TOKEN_SHELL;
        return enclosed(l, out, "`", "`");
    }
    if (is_start(l, "%{")) {
        out->kind = TOKEN_CODE;
        return enclosed(l, out, "%{", "}%");
    }
    if (*l->at == '"') {
        out->kind = TOKEN_TEXT;
        return quoted(l, out);
    }
    if (isdigit((unsigned char)*l->at) || (*l->at == '.' && isdigit((unsigned char)l->at[1])))
        number(l, out);
    else if (is_word(*l->at) || (*l->at == '$' && is_word(l->at[1])))
        word(l, out);
    else
        step_on(l, 1);
    return true;
}

bool lex_peek(const struct lex *l, struct token *out)
{
    struct lex copy = *l;

    return lex_next(&copy, out);
}

size_t lex_run(struct lex *l, const char *set, const char **text)
{
    size_t n = strspn(l->at, set);

    *text = l->at;
    step_on(l, n);
    return n;
}

bool lex_until(struct lex *l, char end, const char **text, size_t *len)
{
    const char set[] = {end, '\n', '\0'};

    *text = l->at;
    *len = strcspn(l->at, set);
    step_on(l, *len);
    return *l->at == end;
}

bool token_is(const struct token *t, const char *text)
{
    return (t->kind == TOKEN_MARK || t->kind == TOKEN_WORD) && strlen(text) == t->len &&
           memcmp(t->text, text, t->len) == 0;
}

const char *token_say(const struct token *t, char *text, size_t size)
{
    if (t->kind == TOKEN_END)
        snprintf(text, size, "the end of the file");
    else if (t->kind == TOKEN_CODE)
        snprintf(text, size, "a code block");
    else
        snprintf(text, size, "'%.*s'", (int)(t->len < 40 ? t->len : 40), t->text);
    return text;
}

bool lex_take(struct lex *l, const char *text)
{
    struct token t;

    if (!lex_peek(l, &t) || !token_is(&t, text))
        return false;
    return lex_next(l, &t);
}

bool lex_fail(struct lex *l, const char *expected)
{
    struct token t;
    char got[64];

    if (!lex_peek(l, &t))
        return false;
    return problem_set(l->problem, PROBLEM_SYNTAX, t.at, "expected %s, got %s", expected,
                       token_say(&t, got, sizeof got));
}

bool lex_expect(struct lex *l, const char *text, const char *where)
{
    char what[96];

    if (lex_take(l, text))
        return true;
    snprintf(what, sizeof what, "'%s' %s", text, where);
    return lex_fail(l, what);
}

bool lex_number(struct lex *l, const char *what, int64_t min, int64_t max, int64_t *out)
{
    struct lex before = *l;
    struct token t;
    char text[32] = "";

    if (!lex_next(l, &t))
        return false;
    if (t.kind != TOKEN_NUMBER || t.len >= sizeof text)
        return lex_fail(&before, what);
    memcpy(text, t.text, t.len);
    errno = 0;
    *out = strtoll(text, NULL, strncmp(text, "0x", 2) ? 10 : 16);
    if (errno || *out < min || *out > max)
        return problem_set(l->problem, PROBLEM_SYNTAX, t.at, "%s must lie in %lld to %lld, got %s",
                           what, (long long)min, (long long)max, text);
    return true;
}
