/* Expressions of %{ }%: see code.h.
 *
 * Knows: operators and how they bind. Names are code_names.c's. Shape: a descent, one level for
 * each kind of operator. Units: none. Errors: false, the problem told. Cost: O(text). */
#include "packetdrill/code.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct place code_place(const struct code *c, const char *at)
{
    struct place p = c->step->at;

    p.col += 2; /* of "%{" */
    for (const char *from = c->begin; from < at; from++) {
        p.col = *from == '\n' ? 1 : p.col + 1;
        p.line += *from == '\n';
    }
    return p;
}

bool code_fail(struct code *c, const char *what)
{
    return problem_set(c->r->problem, PROBLEM_SYNTAX, code_place(c, c->at), "%s", what);
}

void code_blank(struct code *c)
{
    c->at += strspn(c->at, c->depth ? " \t\r\n\\" : " \t\r\\");
}

bool code_take(struct code *c, const char *mark)
{
    code_blank(c);
    if (strncmp(c->at, mark, strlen(mark)) != 0)
        return false;
    c->at += strlen(mark);
    return true;
}

bool code_word(struct code *c, const char *word)
{
    size_t n = strlen(word);

    code_blank(c);
    if (strncmp(c->at, word, n) != 0 || isalnum((unsigned char)c->at[n]) || c->at[n] == '_')
        return false;
    c->at += n;
    return true;
}

bool code_name(struct code *c, char *out, size_t size)
{
    size_t n = 0;

    code_blank(c);
    if (!isalpha((unsigned char)*c->at) && *c->at != '_')
        return false;
    while (isalnum((unsigned char)c->at[n]) || c->at[n] == '_')
        n++;
    if (n >= size)
        return false;
    memcpy(out, c->at, n);
    out[n] = '\0';
    c->at += n;
    return true;
}

/* -- from the tightest to the loosest ---------------------------------------------------------- */

static bool inside(struct code *c, double *out)
{
    bool is_good;

    if (c->depth == DEPTH_MAX)
        return code_fail(c, "too many parentheses");
    c->depth++;
    is_good = code_value(c, out);
    code_blank(c);
    c->depth--;
    if (!is_good)
        return false;
    if (*c->at != ')')
        return code_fail(c, "expected ')'");
    c->at++;
    return true;
}

static bool primary(struct code *c, double *out)
{
    char name[48], *end;

    code_blank(c);
    if (code_take(c, "("))
        return inside(c, out);
    if (isdigit((unsigned char)*c->at) || *c->at == '.') {
        *out = strtod(c->at, &end);
        c->at = end;
        return true;
    }
    if (code_name(c, name, sizeof name))
        return code_named(c, name, out);
    return code_fail(c, "expected a number, a name or '('");
}

static bool sign(struct code *c, double *out)
{
    if (code_take(c, "-")) {
        if (!sign(c, out))
            return false;
        *out = -*out;
        return true;
    }
    if (code_take(c, "~")) {
        if (!sign(c, out))
            return false;
        *out = (double)~(int64_t)*out;
        return true;
    }
    return primary(c, out);
}

struct operator_row {
    const char *text;
    char how;
    int level; /* 0 binds tightest */
};
/* Longer ones first: "<<" is not "<". A comparison is no row: it chains. */
static const struct operator_row operators[] = {
    {"//", '/', 0}, {"*", '*', 0},  {"/", '/', 0}, {"%", '%', 0}, {"+", '+', 1}, {"-", '-', 1},
    {"<<", 'l', 2}, {">>", 'r', 2}, {"&", '&', 3}, {"^", '^', 4}, {"|", '|', 5}};
#define LEVELS 6

static bool work_out(struct code *c, char how, double a, double b, double *out)
{
    int64_t x = (int64_t)a, y = (int64_t)b;

    if ((how == '/' || how == '%') && (how == '/' ? b == 0 : y == 0))
        return code_fail(c, "division by zero");
    if ((how == 'l' || how == 'r') && (y < 0 || y > 62 || x < 0))
        return code_fail(c, "a shift that can not be");
    switch (how) {
    case '*':
        *out = a * b;
        return true;
    case '/':
        *out = a / b;
        return true;
    case '+':
        *out = a + b;
        return true;
    case '-':
        *out = a - b;
        return true;
    default:
        *out = (double)(how == '%'   ? x % y
                        : how == 'l' ? (int64_t)((uint64_t)x << y)
                        : how == 'r' ? x >> y
                        : how == '&' ? (x & y)
                        : how == '^' ? (x ^ y)
                                     : (x | y));
        return true;
    }
}

static const struct operator_row *operator_at(struct code *c, int level)
{
    code_blank(c);
    if (strncmp(c->at, "&&", 2) == 0 || strncmp(c->at, "||", 2) == 0)
        return NULL;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (operators[i].level == level && code_take(c, operators[i].text))
            return &operators[i];
    return NULL;
}

static bool binary(struct code *c, int level, double *out)
{
    const struct operator_row *o;
    double right;

    if (level < 0)
        return sign(c, out);
    if (!binary(c, level - 1, out))
        return false;
    while ((o = operator_at(c, level)))
        if (!binary(c, level - 1, &right) || !work_out(c, o->how, *out, right, out))
            return false;
    return true;
}

static bool compare(int how, double a, double b)
{
    switch (how) {
    case 0:
        return a == b;
    case 1:
        return a != b;
    case 2:
        return a <= b;
    case 3:
        return a >= b;
    case 4:
        return a < b;
    default:
        return a > b;
    }
}

static int comparison_at(struct code *c)
{
    static const char *const text[] = {"==", "!=", "<=", ">=", "<", ">"};

    for (int i = 0; i < 6; i++)
        if (code_take(c, text[i]))
            return i;
    return -1;
}

/* a < b < c is (a < b) and (b < c) */
static bool comparisons(struct code *c, double *out)
{
    bool is_true = true, is_any = false;
    double left, right;
    int how;

    if (!binary(c, LEVELS - 1, &left))
        return false;
    while ((how = comparison_at(c)) >= 0) {
        if (!binary(c, LEVELS - 1, &right))
            return false;
        is_true = is_true && compare(how, left, right);
        is_any = true;
        left = right;
    }
    *out = is_any ? is_true : left;
    return true;
}

static bool negation(struct code *c, double *out)
{
    code_blank(c);
    if (!code_word(c, "not") && !(*c->at == '!' && c->at[1] != '=' && code_take(c, "!")))
        return comparisons(c, out);
    if (!negation(c, out))
        return false;
    *out = *out == 0;
    return true;
}

static bool conjunction(struct code *c, double *out)
{
    double right;

    if (!negation(c, out))
        return false;
    while (code_word(c, "and") || code_take(c, "&&")) {
        if (!negation(c, &right))
            return false;
        *out = *out != 0 && right != 0;
    }
    return true;
}

bool code_value(struct code *c, double *out)
{
    double right;

    if (!conjunction(c, out))
        return false;
    while (code_word(c, "or") || code_take(c, "||")) {
        if (!conjunction(c, &right))
            return false;
        *out = *out != 0 || right != 0;
    }
    return true;
}
