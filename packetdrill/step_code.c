/* %{ checks }%: "assert tcpi_snd_cwnd == 10", "print(tcpi_rtt)", "x = tcpi_rto".
 *
 * Knows: TCP_INFO of the socket under test, the stack's counters, names. Shape: an expression as in
 * Python or C: or and not, comparisons that chain, | ^ & << >> + - * / %, ( ), abs min max.
 * Units: those of TCP_INFO. Errors: the assertion, and what its names were. Cost: O(text). */
#include <ctype.h>
#include <string.h>

#include "packetdrill/code.h"

/* -- statements -------------------------------------------------------------------------------- */

static bool print(struct code *c)
{
    bool is_open = code_take(c, "(");
    double v;

    do {
        code_blank(c);
        if (*c->at == '"' || *c->at == '\'') {
            char quote = *c->at++;
            size_t n = strcspn(c->at, quote == '"' ? "\"" : "'");
            if (c->r->set.is_verbose)
                fprintf(c->r->set.out, "%.*s ", (int)n, c->at);
            c->at += n + (c->at[n] == quote);
        } else if (code_value(c, &v)) {
            if (c->r->set.is_verbose)
                fprintf(c->r->set.out, "%.10g ", v);
        } else {
            return false;
        }
    } while (code_take(c, ","));
    if (c->r->set.is_verbose)
        fputc('\n', c->r->set.out);
    return !is_open || code_take(c, ")") || code_fail(c, "expected ')' behind print(...)");
}

/* What is said behind the comma, "assert E, tcpi_rtt", is not needed: the names are told anyway. */
static void skip_remark(struct code *c)
{
    int depth = 0;

    for (; *c->at && (depth || (*c->at != '\n' && *c->at != ';')); c->at++)
        depth += (*c->at == '(') - (*c->at == ')');
}

static bool assertion(struct code *c)
{
    const char *from, *end;
    double v;

    code_blank(c);
    from = c->at;
    c->said_len = 0;
    c->said[0] = '\0';
    if (!code_value(c, &v))
        return false;
    end = c->at;
    if (code_take(c, ","))
        skip_remark(c);
    if (v != 0)
        return true;
    while (end > from && isspace((unsigned char)end[-1]))
        end--;
    return problem_set(c->r->problem, PROBLEM_FAILED, code_place(c, from), "assert %.*s: %s",
                       (int)(end - from < 200 ? end - from : 200), from, c->said);
}

static bool assignment(struct code *c)
{
    struct run *r = c->r;
    struct variable *v;
    char name[32];
    double value;

    if (!code_name(c, name, sizeof name) || !code_take(c, "="))
        return code_fail(c, "expected assert, print or NAME = VALUE");
    if (!code_value(c, &value))
        return false;
    for (v = r->variable; v < r->variable + r->variables && strcmp(v->name, name) != 0;)
        v++;
    if (v == r->variable + VARIABLES_MAX)
        return code_fail(c, "at most 64 variables");
    if (v == r->variable + r->variables)
        r->variables++;
    memcpy(v->name, name, sizeof name);
    v->value = value;
    return true;
}

static bool statement(struct code *c)
{
    if (code_word(c, "assert"))
        return assertion(c);
    if (code_word(c, "print"))
        return print(c);
    if (code_word(c, "pass"))
        return true;
    return assignment(c);
}

bool step_code(struct run *r, const struct step *s)
{
    struct code c = {.r = r, .step = s, .begin = s->text, .at = s->text};
    bool is_good = true;

    code_look(&c);
    for (;;) {
        c.at += strspn(c.at, " \t\r\n;");
        if (*c.at == '#')
            c.at += strcspn(c.at, "\n");
        else if (!*c.at)
            return true;
        else
            is_good = statement(&c);
        if (!is_good)
            return false;
        code_blank(&c);
        if (*c.at && !strchr(";\n#", *c.at))
            return code_fail(&c, "expected the end of the statement");
    }
}
