/* A run for people: its question, the ladder, what was dropped, what moved, what is claimed.
 *
 * Knows: scripts, ladders. Shape: from top to bottom as it is read. Units: s. Errors: none.
 * Cost: O(rows). */
#include "lab/report.h"

#include <stdlib.h>
#include <string.h>

#include "lab/ladder.h"

#define WIDE 80

static void colour(FILE *to, const struct lab_run_options *o, const char *code)
{
    if (o->has_colour)
        fprintf(to, "\033[%sm", code);
}

/* Breaks a text into lines, each but the first indented. */
static void wrap(FILE *to, const char *text, int indent)
{
    int at = indent;

    while (*text) {
        int n = (int)strcspn(text, " ");
        bool fits = at == indent || at + 1 + n <= WIDE;
        if (!fits)
            fprintf(to, "\n%*s", indent, "");
        else if (at > indent)
            fputc(' ', to);
        at = fits ? at + n + (at > indent) : indent + n;
        fwrite(text, 1, (size_t)n, to);
        text += n + (text[n] == ' ');
    }
    fputc('\n', to);
}

static void head(FILE *to, const struct lab_run_options *o, const char *text)
{
    colour(to, o, "1");
    fprintf(to, "\n%s\n", text);
    colour(to, o, "0");
}

/* -- what was dropped -------------------------------------------------------------------------- */

static void count_fates(const struct scene *s, int fates[])
{
    for (uint32_t i = 0; i < lab_log_count(s->log); i++) {
        const struct lab_row *r = lab_log_row(s->log, i);
        if (r->kind == LAB_ROW_SEG)
            fates[r->fate]++;
    }
}

static void print_drops(FILE *to, const struct scene *s, const struct lab_run_options *o)
{
    int fates[LAB_FATES] = {0};
    bool has_head = false;
    char text[240];

    count_fates(s, fates);
    for (int i = LAB_DAMAGED; i < LAB_FATES; i++) {
        if (!fates[i])
            continue;
        if (!has_head)
            head(to, o, "Dropped");
        has_head = true;
        fprintf(to, "  on the way  %5d  %s\n", fates[i], lab_fate_text((enum lab_fate)i));
    }
    for (int n = 0; n < s->lab->nodes; n++)
        for (int i = 0; i < weir_drop_count(); i++) {
            if (!s->drop[n] || !s->drop[n][i])
                continue;
            if (!has_head)
                head(to, o, "Dropped");
            has_head = true;
            snprintf(text, sizeof text, "%s: %s", weir_drop_name(i), weir_drop_doc(i));
            fprintf(to, "  by %-8s %5llu  ", s->lab->node[n]->name,
                    (unsigned long long)s->drop[n][i]);
            wrap(to, text, 21);
        }
}

/* -- counters ---------------------------------------------------------------------------------- */

/* Those that move in every run tell nothing. */
static bool is_dull(const char *name)
{
    static const char *const dull[] = {"IpInReceives",    "IpInDelivers", "IpOutRequests",
                                       "TcpInSegs",       "TcpOutSegs",   "TcpExtTCPPureAcks",
                                       "IpExtInNoECTPkts"};

    for (size_t i = 0; i < sizeof dull / sizeof dull[0]; i++)
        if (!strcmp(dull[i], name))
            return true;
    return false;
}

#define COUNTERS_AT 32 /* the column of their values */

/* One value; the column behind it. A line is 80 columns wide. */
static int print_counter(FILE *to, int column, const char *host, uint64_t value)
{
    char text[64];
    int n = snprintf(text, sizeof text, "  %s %llu", host, (unsigned long long)value);

    if (column + n > 80 && column > COUNTERS_AT)
        column = fprintf(to, "\n%*s", COUNTERS_AT, "") - 1;
    fputs(text, to);
    return column + n;
}

static void print_counters(FILE *to, const struct scene *s, const struct lab_run_options *o)
{
    bool has_head = false;

    for (int i = 0; i < weir_stat_count(); i++) {
        int column = 0;
        if (is_dull(weir_stat_name(i)))
            continue;
        for (int n = 0; n < s->lab->nodes; n++) {
            if (!s->stat[n] || !s->stat[n][i])
                continue;
            if (!has_head)
                head(to, o, "Counters that moved");
            if (!column)
                column = fprintf(to, "  %-30s", weir_stat_name(i));
            has_head = true;
            column = print_counter(to, column, s->lab->node[n]->name, s->stat[n][i]);
        }
        if (column)
            fputc('\n', to);
    }
}

/* -- claims ------------------------------------------------------------------------------------ */

char *report_repeat(const char *name, const struct lab_run_options *o)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (!to)
        abort();
    fprintf(to, "weir lab run %s --seed %llu", name, (unsigned long long)o->seed);
    for (const char *const *set = o->sets; set && *set; set++)
        fprintf(to, " --set '%s'", *set);
    if (o->until_ns)
        fprintf(to, " --until %g", (double)o->until_ns / 1e9);
    fclose(to);
    return text;
}

static void print_repeat(FILE *to, const char *name, const struct lab_run_options *o)
{
    char *text = report_repeat(name, o);

    fprintf(to, "%s\n", text);
    free(text);
}

static void print_claims(FILE *to, const struct scene *s, const struct lab_run_options *o)
{
    if (s->claims)
        head(to, o, "Claims");
    for (int i = 0; i < s->claims; i++) {
        const struct scene_claim *c = &s->claim[i];
        colour(to, o, c->holds ? "32" : "1;31");
        fputs(c->holds ? "  holds  " : "  FAILS  ", to);
        colour(to, o, "0");
        wrap(to, c->text, 9);
        if (!c->holds)
            fprintf(to, "         (line %d, at %.6f s)\n", c->line, (double)c->at / 1e9);
    }
}

static void print_head(FILE *to, const struct scene *s, const struct lab_run_options *o)
{
    char text[320];

    colour(to, o, "1");
    wrap(to, s->text[TEXT_TITLE], 0);
    colour(to, o, "0");
    if (s->text[TEXT_ASKS]) {
        fputs("  Question: ", to);
        wrap(to, s->text[TEXT_ASKS], 12);
    }
    if (s->text[TEXT_WATCH]) {
        fputs("  Look at:  ", to);
        wrap(to, s->text[TEXT_WATCH], 12);
    }
    for (int i = 0; i < s->knobs; i++) {
        snprintf(text, sizeof text, "%s = %s (%s)", s->knob[i].name, s->knob[i].value,
                 s->knob[i].doc);
        fputs("  Knob:     ", to);
        wrap(to, text, 12);
    }
    fputc('\n', to);
}

bool report_sides(const struct scene *s, int sides[2])
{
    int side[2] = {-1, -1}, n = 0;

    for (int pass = LAB_HOST; pass <= LAB_ROUTER; pass++)
        for (int i = 0; i < s->lab->nodes && n < 2; i++)
            if ((int)s->lab->node[i]->kind == pass)
                side[n++] = i;
    sides[0] = s->show[0] >= 0 ? s->show[0] : side[0];
    sides[1] = s->show[1] >= 0 ? s->show[1] : side[1];
    return sides[0] >= 0 && sides[1] >= 0;
}

void report_print(FILE *to, const struct scene *s, const char *name,
                  const struct lab_run_options *o)
{
    struct ladder_options l = {.has_colour = o->has_colour, .is_whole = o->is_whole};
    int side[2];

    print_head(to, s, o);
    if (report_sides(s, side)) {
        l.left = side[0];
        l.right = side[1];
        ladder_print(to, s->lab, s->log, &l);
    }
    print_drops(to, s, o);
    print_counters(to, s, o);
    print_claims(to, s, o);
    if (s->claims_failed) {
        colour(to, o, "1;31");
        fprintf(to, "\n%d of %d claims failed. Again: ", s->claims_failed, s->claims);
        colour(to, o, "0");
        print_repeat(to, name, o);
    } else if (s->text[TEXT_CONCLUDE]) {
        fputc('\n', to);
        wrap(to, s->text[TEXT_CONCLUDE], 0);
    }
}

void report_line(FILE *to, const struct scene *s, const char *name, const struct lab_run_options *o)
{
    colour(to, o, s->claims_failed ? "1;31" : "32");
    fputs(s->claims_failed ? "FAILS  " : "holds  ", to);
    colour(to, o, "0");
    fprintf(to, "%-24s %3d claims  %s\n", name, s->claims, s->text[TEXT_TITLE]);
    for (int i = 0; i < s->claims; i++)
        if (!s->claim[i].holds)
            fprintf(to, "       line %d, at %.6f s: %s\n", s->claim[i].line,
                    (double)s->claim[i].at / 1e9, s->claim[i].text);
    if (!s->claims_failed)
        return;
    fputs("       again: ", to);
    print_repeat(to, name, o);
}
