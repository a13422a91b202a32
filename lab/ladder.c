/* The ladder: who sent what when, in which state, what was lost, which timer ran.
 *
 * Knows: the log, terminals of 80 columns. Shape: a pass that chooses rows and finds the brackets
 * of timers, then a pass that prints. A bracket runs from the segment that a timer guarded to the
 * one that it sent. Units: s. Errors: none. Cost: O(rows), and for each retransmission a look back.
 */
#include "lab/ladder.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "def/state.h"
#include "wire/wire.h"

#define WIDE 80
#define TIME_WIDE 10
#define STATE_WIDE 12
#define ARROW_WIDE 40
#define LOST_WIDE 28 /* how far a lost one comes */
#define PLAIN_KEPT 6 /* ordinary segments in a row that are shown */
#define LINES_MAX 160
#define LOOK_BACK 4000

enum { BRACKET_NONE, BRACKET_BEGIN, BRACKET_RUN, BRACKET_END };

struct rung {
    const struct lab_row *row;
    int64_t waited;     /* how long the timer ran that sent it; -1: none did */
    uint8_t bracket[2]; /* left, right */
    bool is_plain;      /* an ordinary segment */
    bool is_hidden;
    int connection;
    char text[64];
};

struct page {
    FILE *to;
    const struct lab *lab;
    const struct ladder_options *o;
    struct rung *line;
    int lines;
    int connections, decimals;
};

/* -- which rows, which side -------------------------------------------------------------------- */

/* 0: left, 1: right, -1: neither. */
static int side_of(const struct ladder_options *o, int node)
{
    return node == o->left ? 0 : node == o->right ? 1 : -1;
}

/* The side that a segment comes from. */
static int side_from(const struct ladder_options *o, const struct lab_row *r)
{
    int from = side_of(o, r->from), to = side_of(o, r->to);

    if (from >= 0)
        return from;
    return to == 0;
}

/* Told by a segment at the same time anyhow. */
static bool is_silent_state(const struct lab_row *r)
{
    return !r->is_forced || r->why.to == TIME_WAIT;
}

static bool is_shown(const struct ladder_options *o, const struct lab_row *r)
{
    switch (r->kind) {
    case LAB_ROW_SEG:
        return side_of(o, r->from) >= 0 || side_of(o, r->to) >= 0;
    case LAB_ROW_STATE:
        return side_of(o, r->from) >= 0 && !is_silent_state(r);
    default:
        return true;
    }
}

/* -- timers ------------------------------------------------------------------------------------ */

static void find_bracket(struct page *p, int end)
{
    struct rung *l = &p->line[end];
    int side = side_from(p->o, l->row), begin = end - 1;

    while (begin >= 0 && begin > end - LOOK_BACK && !ladder_began_timer(p->line[begin].row, l->row))
        begin--;
    if (begin < 0 || !ladder_began_timer(p->line[begin].row, l->row))
        return;
    l->waited = l->row->at - (l->row->why.event == EVENT_delayed_ack ? p->line[begin].row->arrived
                                                                     : p->line[begin].row->at);
    l->bracket[side] = BRACKET_END;
    if (p->line[begin].bracket[side] != BRACKET_END)
        p->line[begin].bracket[side] = BRACKET_BEGIN;
    for (int i = begin + 1; i < end; i++)
        if (!p->line[i].bracket[side])
            p->line[i].bracket[side] = BRACKET_RUN;
}

/* -- printing ---------------------------------------------------------------------------------- */

static void colour(const struct page *p, const char *code)
{
    if (p->o->has_colour)
        fprintf(p->to, "\033[%sm", code);
}

static void put_time(const struct page *p, int64_t at)
{
    fprintf(p->to, "%*.*f ", TIME_WIDE, p->decimals, (double)at / 1e9);
}

static char bracket(const struct rung *l, int side)
{
    static const char shape[] = {' ', '+', '|', '+'};

    return shape[l->bracket[side]];
}

static const char *reason_of(const struct rung *l, char *text, size_t size)
{
    char why[80];
    int n = weir_why_text(&l->row->why, why, sizeof why);

    if (!n || l->row->why.event == EVENT_state || l->row->why.event == EVENT_syn ||
        l->row->why.event == EVENT_fin)
        return NULL;
    if (l->waited > 0)
        snprintf(text, size, "%.3f s later: %s", (double)l->waited / 1e9, why);
    else
        snprintf(text, size, "%s", why);
    return text;
}

/* Text at the left or the right side of a line of its own. */
static void put_aside(const struct page *p, int side, int64_t at, const char *text)
{
    int room = WIDE - TIME_WIDE - 1;

    put_time(p, at);
    if (side == 1)
        fprintf(p->to, "%*.*s", room, room, text);
    else if (side == 0)
        fprintf(p->to, "%.*s", room, text);
    else
        fprintf(p->to, "%*s-- %.*s --", STATE_WIDE + 2, "", room - 20, text);
    fputc('\n', p->to);
}

static void draw_arrow(char *arrow, const char *text, int side, bool is_lost)
{
    int wide = is_lost ? LOST_WIDE : ARROW_WIDE, n = (int)strlen(text), at;

    memset(arrow, ' ', ARROW_WIDE);
    arrow[ARROW_WIDE] = '\0';
    if (n > wide - 6)
        wide = n + 6 < ARROW_WIDE ? n + 6 : ARROW_WIDE;
    if (n > wide - 4)
        n = wide - 4;
    at = side == 0 ? 0 : ARROW_WIDE - wide;
    memset(arrow + at, '-', (size_t)wide);
    arrow[side == 0 ? wide - 1 : at] = is_lost ? 'x' : side == 0 ? '>' : '<';
    at += (side == 0 ? 2 : wide - n - 2);
    arrow[at - 1] = ' ';
    memcpy(arrow + at, text, (size_t)n);
    arrow[at + n] = ' ';
}

static void name_end(const struct page *p, const struct lab_row *r, bool is_sender, char *text)
{
    int node = is_sender ? r->from : r->to;
    uint8_t state = r->state[!is_sender];

    if (!is_sender && r->fate == LAB_LOST_ROUTER)
        snprintf(text, 24, "lost at %.12s", p->lab->node[r->to]->name);
    else if (!is_sender && r->fate >= LAB_LOST_CHANCE)
        snprintf(text, 24, "%s", lab_fate_text((enum lab_fate)r->fate));
    else if (side_of(p->o, node) < 0)
        snprintf(text, 24, "(%s)", node >= 0 ? p->lab->node[node]->name : "on its way");
    else if (r->is_stray && is_sender)
        snprintf(text, 24, "(a copy)");
    else
        snprintf(text, 24, "%s", state != LAB_NO_STATE ? weir_state_name(state) : "");
}

static void print_verdict(const struct page *p, const struct lab_row *r, int side)
{
    struct weir_why why = {.verdict = r->verdict};
    char text[80];

    if (r->fate == LAB_DAMAGED && r->verdict < 2)
        put_aside(p, 1 - side, r->arrived, "damaged on the way");
    if (r->verdict < 2 || !weir_why_text(&why, text, sizeof text))
        return;
    colour(p, "33");
    put_aside(p, 1 - side, r->arrived, text);
    colour(p, "0");
}

static void print_segment(const struct page *p, const struct rung *l)
{
    const struct lab_row *r = l->row;
    int side = side_from(p->o, r);
    bool is_lost = r->fate >= LAB_LOST_CHANCE;
    char text[80], reason[128], arrow[ARROW_WIDE + 1], end[2][24];

    if (reason_of(l, reason, sizeof reason)) {
        colour(p, "36");
        put_aside(p, side, r->at, reason);
        colour(p, "0");
    }
    if (p->connections > 1 && l->connection)
        snprintf(text, sizeof text, "#%d %s", l->connection, l->text);
    else
        snprintf(text, sizeof text, "%s", l->text);
    draw_arrow(arrow, text, side, is_lost);
    name_end(p, r, true, end[side]);
    name_end(p, r, false, end[1 - side]);
    put_time(p, r->at);
    if (is_lost)
        colour(p, "31");
    fprintf(p->to, "%-*.*s%c %s %c %.12s", STATE_WIDE, STATE_WIDE, end[0], bracket(l, 0), arrow,
            bracket(l, 1), end[1]);
    if (is_lost)
        colour(p, "0");
    fputc('\n', p->to);
    print_verdict(p, r, side);
}

static void print_line(const struct page *p, const struct rung *l)
{
    const struct lab_row *r = l->row;
    int side = side_of(p->o, r->from);
    char text[120];

    switch (r->kind) {
    case LAB_ROW_SEG:
        print_segment(p, l);
        return;
    case LAB_ROW_STATE:
        snprintf(text, sizeof text, "[%s is over -> %s]", weir_state_name(r->why.from),
                 weir_state_name(r->why.to));
        put_aside(p, side, r->at, text);
        return;
    default:
        if (side >= 0 && r->kind == LAB_ROW_CALL)
            snprintf(text, sizeof text, "%s", r->text);
        else
            snprintf(text, sizeof text, "%s%s%s", r->from >= 0 ? p->lab->node[r->from]->name : "",
                     r->from >= 0 ? " " : "", r->text);
        colour(p, "1");
        put_aside(p, r->kind == LAB_ROW_CALL ? side : -1, r->at, text);
        colour(p, "0");
    }
}

/* -- leaving out ------------------------------------------------------------------------------- */

static bool is_plain(const struct rung *l)
{
    const struct lab_row *r = l->row;
    char text[128];

    return r->kind == LAB_ROW_SEG && r->fate == LAB_ARRIVED && r->verdict < 2 && !r->is_stray &&
           r->state[0] == r->state[1] && !reason_of(l, text, sizeof text);
}

static void hide(struct page *p, int from, int to)
{
    for (int i = from; i < to; i++)
        p->line[i].is_hidden = true;
}

/* Of each long run of ordinary segments, the first and the last few stay. */
static void hide_plain(struct page *p)
{
    int begin = 0;

    for (int i = 0; i <= p->lines; i++) {
        if (i < p->lines && p->line[i].is_plain)
            continue;
        if (i - begin > PLAIN_KEPT + 2)
            hide(p, begin + PLAIN_KEPT / 2, i - PLAIN_KEPT / 2);
        begin = i + 1;
    }
}

/* If it is still too much, the middle goes. */
static void hide_middle(struct page *p)
{
    int shown = 0, seen = 0;

    for (int i = 0; i < p->lines; i++)
        shown += !p->line[i].is_hidden;
    if (shown <= LINES_MAX)
        return;
    for (int i = 0; i < p->lines; i++) {
        if (p->line[i].is_hidden)
            continue;
        seen++;
        if (p->line[i].row->kind == LAB_ROW_NOTE)
            continue; /* somebody wanted it to be read */
        if (seen > LINES_MAX * 2 / 3 && seen <= shown - LINES_MAX / 3)
            p->line[i].is_hidden = true;
    }
}

static int print_hidden(const struct page *p, int from)
{
    int segments = 0, others = 0, lost = 0, i = from;

    for (; i < p->lines && p->line[i].is_hidden; i++) {
        bool is_segment = p->line[i].row->kind == LAB_ROW_SEG;
        segments += is_segment;
        others += !is_segment;
        lost += is_segment && p->line[i].row->fate >= LAB_LOST_CHANCE;
    }
    fprintf(p->to, "%*s ... %d segments", TIME_WIDE + STATE_WIDE, "", segments);
    if (lost)
        fprintf(p->to, " (%d lost)", lost);
    if (others)
        fprintf(p->to, ", %d calls", others);
    fprintf(p->to, " until %.3f s\n", (double)p->line[i - 1].row->at / 1e9);
    return i;
}

/* -- the page ---------------------------------------------------------------------------------- */

static void choose(struct page *p, const struct lab_log *log)
{
    struct ladder_flows *flows = ladder_flows_new();

    p->line = calloc(lab_log_count(log) + 1, sizeof *p->line);
    if (!p->line)
        abort();
    for (uint32_t i = 0; i < lab_log_count(log); i++) {
        const struct lab_row *r = lab_log_row(log, i);
        struct rung *l = &p->line[p->lines];
        if (!is_shown(p->o, r))
            continue;
        p->lines++;
        l->row = r;
        l->waited = -1;
        if (r->kind == LAB_ROW_SEG)
            l->connection = ladder_text(flows, &r->seg, l->text, sizeof l->text);
    }
    p->connections = ladder_flow_count(flows);
    ladder_flows_free(flows);
    for (int i = 0; i < p->lines; i++) {
        if (p->line[i].row->kind == LAB_ROW_SEG && ladder_is_timed(p->line[i].row->why.event))
            find_bracket(p, i);
        p->line[i].is_plain = is_plain(&p->line[i]);
    }
}

void ladder_print(FILE *to, const struct lab *lab, const struct lab_log *log,
                  const struct ladder_options *o)
{
    struct page p = {.to = to, .lab = lab, .o = o, .decimals = 3};

    choose(&p, log);
    if (p.lines && p.line[p.lines - 1].row->at < 1000000000)
        p.decimals = 6;
    if (!o->is_whole) {
        hide_plain(&p);
        hide_middle(&p);
    }
    fprintf(to, "%*s %-*s%*s\n", TIME_WIDE, "time", STATE_WIDE, lab->node[o->left]->name,
            WIDE - TIME_WIDE - 1 - STATE_WIDE - STATE_WIDE + (int)strlen(lab->node[o->right]->name),
            lab->node[o->right]->name);
    for (int i = 0; i < p.lines;) {
        if (p.line[i].is_hidden) {
            i = print_hidden(&p, i);
            continue;
        }
        print_line(&p, &p.line[i++]);
    }
    free(p.line);
}
