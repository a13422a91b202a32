/* A run as one JSON object.
 *
 * Knows: jansson, scripts. Shape: one line; keys are never taken away. Units: seconds.
 * Errors: none that a reader could not see. Cost: O(claims + counters). */
#include <jansson.h>

#include "lab/report.h"

static json_t *claims_of(const struct scene *s)
{
    json_t *list = json_array();

    for (int i = 0; i < s->claims; i++)
        json_array_append_new(list, json_pack("{s:s, s:b, s:i, s:f}", "text", s->claim[i].text,
                                              "holds", s->claim[i].holds, "line", s->claim[i].line,
                                              "at", (double)s->claim[i].at / 1e9));
    return list;
}

static json_t *knobs_of(const struct scene *s)
{
    json_t *all = json_object();

    for (int i = 0; i < s->knobs; i++)
        json_object_set_new(all, s->knob[i].name, json_string(s->knob[i].value));
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

void report_json(FILE *to, const struct scene *s, const char *name, const struct lab_run_options *o)
{
    json_t *j = json_object();

    json_object_set_new(j, "name", json_string(name));
    json_object_set_new(j, "title", json_string(s->text[TEXT_TITLE] ? s->text[TEXT_TITLE] : ""));
    json_object_set_new(j, "seed", json_integer((json_int_t)o->seed));
    json_object_set_new(j, "holds", json_boolean(!s->is_broken && !s->claims_failed));
    json_object_set_new(j, "seconds", json_real((double)s->lab->now / 1e9));
    json_object_set_new(j, "knobs", knobs_of(s));
    json_object_set_new(j, "claims", claims_of(s));
    json_object_set_new(j, "counters", numbers_of(s->stat, s, weir_stat_count(), weir_stat_name));
    json_object_set_new(j, "drops", numbers_of(s->drop, s, weir_drop_count(), weir_drop_name));
    if (s->is_broken)
        json_object_set_new(j, "error", json_string(s->error));
    else if (s->text[TEXT_CONCLUDE])
        json_object_set_new(j, "conclusion", json_string(s->text[TEXT_CONCLUDE]));
    json_dumpf(j, to, JSON_COMPACT | JSON_REAL_PRECISION(12));
    fputc('\n', to);
    json_decref(j);
}
