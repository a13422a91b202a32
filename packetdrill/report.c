/* What is said of scripts that were played: see report.h.
 *
 * Knows: results. Shape: "file:line:col: what", the line, what was expected and what came, a caret.
 * Units: none. Errors: none. Cost: O(text). */
#include "packetdrill/report.h"

#include <string.h>

void report_begin(struct report *r)
{
    if (r->kind == REPORT_TAP)
        printf("1..%d\n", r->planned);
    if (r->kind == REPORT_JSON)
        fputs("{\"scripts\": [", stdout);
}

static void json_text(const char *name, const char *text)
{
    printf(", \"%s\": \"", name);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            printf("\\%c", *text);
        else if ((unsigned char)*text < 32)
            printf("\\u%04x", *text);
        else
            putchar(*text);
    }
    putchar('"');
}

static void json_script(const struct report *r, const char *path, const struct problem *p)
{
    static const char *const result[] = {"passed", "syntax", "failed"};

    fputs(r->passed + r->failed + r->unreadable ? ",\n  {" : "\n  {", stdout);
    printf("\"result\": \"%s\"", result[p->kind]);
    json_text("file", path);
    if (p->kind != PROBLEM_NONE) {
        printf(", \"line\": %d, \"column\": %d", p->at.line, p->at.col);
        json_text("what", p->what);
        json_text("expected", p->expected);
        json_text("actual", p->actual);
    }
    putchar('}');
}

static void source_line(const char *source, const struct problem *p, const char *prefix)
{
    const char *at = source;

    for (int line = 1; at && line < p->at.line; line++) {
        at = strchr(at, '\n');
        at = at ? at + 1 : NULL;
    }
    if (!at || !*at)
        return;
    printf("%s  %5d | %.*s\n", prefix, p->at.line, (int)strcspn(at, "\r\n"), at);
    if (p->kind == PROBLEM_SYNTAX) {
        printf("%s        | ", prefix);
        for (int i = 1; i < p->at.col; i++)
            putchar(at[i - 1] == '\t' ? '\t' : ' ');
        puts("^");
    }
}

static void details(const char *path, const char *source, const struct problem *p,
                    const char *prefix)
{
    printf("%s%s:%d:%d: %s\n", prefix, path, p->at.line, p->at.col, p->what);
    if (source)
        source_line(source, p, prefix);
    if (*p->expected)
        printf("%s  expected: %s\n", prefix, p->expected);
    if (*p->actual)
        printf("%s  actual:   %s\n", prefix, p->actual);
    if (p->caret_len > 0) {
        printf("%s            %*s^", prefix, p->caret, "");
        for (int i = 1; i < p->caret_len; i++)
            putchar('~');
        putchar('\n');
    }
}

void report_script(struct report *r, const char *path, const char *source,
                   const struct problem *problem)
{
    bool is_good = problem->kind == PROBLEM_NONE;

    if (r->kind == REPORT_JSON) {
        json_script(r, path, problem);
    } else if (r->kind == REPORT_TAP) {
        if (!is_good)
            details(path, source, problem, "# ");
        printf("%sok %d - %s\n", is_good ? "" : "not ", r->passed + r->failed + r->unreadable + 1,
               path);
    } else if (is_good) {
        printf("%s: passed\n", path);
    } else {
        details(path, source, problem, "");
    }
    r->passed += is_good;
    r->failed += problem->kind == PROBLEM_FAILED;
    r->unreadable += problem->kind == PROBLEM_SYNTAX;
    fflush(stdout);
}

int report_end(struct report *r)
{
    int bad = r->failed + r->unreadable;

    if (r->kind == REPORT_JSON)
        printf("\n], \"passed\": %d, \"failed\": %d}\n", r->passed, bad);
    else if (r->kind == REPORT_LINES && r->planned > 1)
        printf("%d passed, %d failed\n", r->passed, bad);
    return r->unreadable ? 2 : r->failed ? 1 : 0;
}
