/* A run as one JSON object.
 *
 * Knows: jansson, scripts. Shape: one line; keys are never taken away. Units: seconds.
 * Errors: none that a reader could not see. Cost: O(claims + counters). */
#include "lab/json.h"

#include <stdlib.h>

#include "page/page.h"

static json_t *claims_of(const struct scene *s)
{
    json_t *list = json_array();

    for (int i = 0; i < s->claims; i++)
        json_array_append_new(list, json_pack("{s:s, s:b, s:i, s:f}", "text", s->claim[i].text,
                                              "holds", s->claim[i].holds, "line", s->claim[i].line,
                                              "at", (double)s->claim[i].at / 1e9));
    return list;
}

/* The values, or what they mean. */
static json_t *knobs_of(const struct scene *s, bool is_doc)
{
    json_t *all = json_object();

    for (int i = 0; i < s->knobs; i++)
        json_object_set_new(all, s->knob[i].name,
                            json_string(is_doc ? s->knob[i].doc : s->knob[i].value));
    return all;
}

static json_t *numbers_of(uint64_t *const value[], const struct scene *s, int count,
                          const char *(*name)(int))
{
    json_t *all = json_object();

    for (int n = 0; n < s->lab->nodes; n++) {
        json_t *one = json_object();
        for (int i = 0; value[n] && i < count; i++)
            if (value[n][i])
                json_object_set_new(one, name(i), json_integer((json_int_t)value[n][i]));
        json_object_set_new(all, s->lab->node[n]->name, one);
    }
    return all;
}

/* What became of segments on their way, where it was not arrival. */
static json_t *fates_of(const struct scene *s)
{
    json_t *all = json_object();
    json_int_t fates[LAB_FATES] = {0};

    for (uint32_t i = 0; i < lab_log_count(s->log); i++)
        if (lab_log_row(s->log, i)->kind == LAB_ROW_SEG)
            fates[lab_log_row(s->log, i)->fate]++;
    for (int i = LAB_DAMAGED; i < LAB_FATES; i++)
        if (fates[i])
            json_object_set_new(all, lab_fate_text((enum lab_fate)i), json_integer(fates[i]));
    return all;
}

struct meaning {            /* of counters, or of drop reasons */
    uint64_t *const *value; /* by host */
    int count;
    const char *(*name)(int), *(*doc)(int);
};

/* Of each that moved, one line of what it means. */
static void set_meanings(json_t *all, const struct scene *s, const struct meaning *m)
{
    for (int n = 0; n < s->lab->nodes; n++)
        for (int i = 0; m->value[n] && i < m->count; i++)
            if (m->value[n][i])
                json_object_set_new(all, m->name(i), json_string(m->doc(i)));
}

static void set_text(json_t *j, const char *key, const char *text)
{
    if (text)
        json_object_set_new(j, key, json_string(text));
}

static void set_head(json_t *j, const struct scene *s, const char *name,
                     const struct lab_run_options *o)
{
    char *again = report_repeat(name, o);

    json_object_set_new(j, "name", json_string(name));
    json_object_set_new(j, "title", json_string(s->text[TEXT_TITLE] ? s->text[TEXT_TITLE] : ""));
    set_text(j, "question", s->text[TEXT_ASKS]);
    set_text(j, "look_at", s->text[TEXT_WATCH]);
    set_text(j, "again", again);
    free(again);
    json_object_set_new(j, "seed", json_integer((json_int_t)o->seed));
    json_object_set_new(j, "holds", json_boolean(!s->is_broken && !s->claims_failed));
    json_object_set_new(j, "seconds", json_real((double)s->lab->now / 1e9));
    json_object_set_new(j, "knobs", knobs_of(s, false));
    json_object_set_new(j, "knobs_doc", knobs_of(s, true));
    json_object_set_new(j, "claims", claims_of(s));
}

static void set_sides(json_t *j, const struct scene *s)
{
    int side[2];

    if (report_sides(s, side))
        json_object_set_new(
            j, "sides",
            json_pack("[s, s]", s->lab->node[side[0]]->name, s->lab->node[side[1]]->name));
}

json_t *report_object(const struct scene *s, const char *name, const struct lab_run_options *o)
{
    json_t *j = json_object(), *meanings = json_object();

    set_head(j, s, name, o);
    json_object_set_new(j, "counters", numbers_of(s->stat, s, weir_stat_count(), weir_stat_name));
    json_object_set_new(j, "drops", numbers_of(s->drop, s, weir_drop_count(), weir_drop_name));
    json_object_set_new(j, "fates", fates_of(s));
    if (s->is_broken)
        json_object_set_new(j, "error", json_string(s->error));
    else
        set_text(j, "conclusion", s->text[TEXT_CONCLUDE]);
    if (s->watch) {
        set_meanings(meanings, s,
                     &(struct meaning){s->stat, weir_stat_count(), weir_stat_name, weir_stat_doc});
        set_meanings(meanings, s,
                     &(struct meaning){s->drop, weir_drop_count(), weir_drop_name, weir_drop_doc});
        json_object_set(j, "meanings", meanings);
        set_sides(j, s);
        json_run(j, s);
    }
    json_decref(meanings);
    return j;
}

void report_json(FILE *to, const struct scene *s, const char *name, const struct lab_run_options *o)
{
    json_t *j = report_object(s, name, o);

    json_dumpf(j, to, JSON_COMPACT | JSON_REAL_PRECISION(12));
    fputc('\n', to);
    json_decref(j);
}

int report_html(const char *path, const struct scene *s, const char *name,
                const struct lab_run_options *o)
{
    json_t *j = report_object(s, name, o);
    int problem = page_write(path, "weir lab", j);

    json_decref(j);
    return problem;
}
