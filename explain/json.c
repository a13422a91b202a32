/* `weir explain --json`: one object; connections as they end, the summary last.
 *
 * Knows: conn.h. Shape: written piece by piece, so that memory does not grow. Units: seconds,
 * bytes. Errors: none. Cost: O(1) for each connection. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "explain/report.h"

#define DUMP (JSON_COMPACT | JSON_REAL_PRECISION(12))

static json_t *seconds(int64_t ns)
{
    return json_real((double)ns / 1e9);
}

static void set(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, json_integer((json_int_t)n));
}

static void set_counts(json_t *o, const struct end *e)
{
    set(o, "segments", e->segments);
    set(o, "bytes", e->bytes);
    set(o, "bytes_again", e->bytes_again);
    set(o, "syns", e->syns);
    set(o, "rto", e->rto);
    set(o, "fast", e->fast);
    set(o, "early", e->early);
    set(o, "spurious", e->spurious);
    set(o, "lost_before", e->lost_before);
    set(o, "keepalives", e->keepalives);
    set(o, "probes", e->probes);
    set(o, "out_of_order", e->out_of_order);
    set(o, "dup_acks", e->dup_acks);
    set(o, "dsacks", e->dsacks);
    set(o, "gaps", e->gaps);
    set(o, "unseen", e->unseen);
    set(o, "zero_windows", e->zeros);
}

static json_t *json_of_end(const struct conn *c, int i)
{
    const struct end *e = &c->end[i];
    char text[WEIR_ADDR_TEXT];
    json_t *o = json_object(), *states = json_array();

    json_object_set_new(o, "address", json_string(weir_addr_text(&e->addr, text)));
    set(o, "port", e->port);
    set_counts(o, e);
    json_object_set_new(o, "zero_window_time", seconds(e->zero_ns));
    json_object_set_new(o, "mss", e->mss ? json_integer(e->mss) : json_null());
    json_object_set_new(o, "rtt",
                        e->rtt_count ? json_pack("{s:f, s:f, s:f, s:i}", "min", e->rtt_min / 1e6,
                                                 "median", rtt_median(e) / 1e6, "max",
                                                 e->rtt_max / 1e6, "samples", (int)e->rtt_count)
                                     : json_null());
    for (unsigned k = 0; k < e->changes; k++)
        json_array_append_new(states,
                              json_pack("{s:s, s:o}", "state", seen_state_name(e->change[k].state),
                                        "at", seconds(e->change[k].at - c->first_at)));
    json_object_set_new(o, "states", states);
    return o;
}

static json_t *end_or_null(int i)
{
    return i < 0 ? json_null() : json_integer(i);
}

void page_json_begin(struct report *r, const struct file *f)
{
    json_t *o = json_pack("{s:s, s:s}", "file", r->ask->path, "format", f->format);
    char *text = json_dumps(o, DUMP);

    fprintf(r->to, "%.*s,\"connections\":[", text ? (int)strlen(text) - 1 : 0, text ? text : "");
    free(text);
    json_decref(o);
}

void page_json_add(struct report *r, const struct conn *c)
{
    static const char *const severities[] = {"fine", "slow", "failed"};
    struct verdict v;
    json_t *o;

    verdict_of(&v, c, r->sum.last_at);
    o = json_pack("{s:s, s:s, s:o, s:o}", "verdict", v.text, "severity", severities[v.severity],
                  "at", seconds(c->first_at - r->sum.first_at), "duration",
                  seconds(c->last_at - c->first_at));
    set(o, "number", c->number);
    json_object_set_new(o, "handshake_seen", json_boolean(c->is_opened));
    json_object_set_new(o, "established",
                        c->established_at ? seconds(c->established_at - c->first_at) : json_null());
    json_object_set_new(o, "closed_first", end_or_null(c->closer));
    json_object_set_new(o, "reset_by", end_or_null(c->rst_by));
    json_object_set_new(o, "reset_cause",
                        c->cause ? json_string(cause_name(c->cause)) : json_null());
    json_object_set_new(o, "ends", json_pack("[o, o]", json_of_end(c, 0), json_of_end(c, 1)));
    fputs(r->has_json ? ",\n" : "\n", r->to);
    r->has_json = true;
    json_dumpf(o, r->to, DUMP);
    json_decref(o);
}

void page_json_end(struct report *r, const struct file *f)
{
    const struct summary *s = &r->sum;
    json_t *o = json_object();

    set(o, "packets", s->packets);
    set(o, "segments", s->segments);
    set(o, "not_tcp", s->others);
    set(o, "fragments", s->fragments);
    set(o, "cut", s->shorts);
    set(o, "elsewhere", s->elsewhere);
    set(o, "unknown_link", s->unknown_link);
    set(o, "connections", s->connections);
    set(o, "fine", s->by_severity[FINE]);
    set(o, "slow", s->by_severity[SLOW]);
    set(o, "failed", s->by_severity[FAILED]);
    set(o, "unanswered", s->unanswered);
    set(o, "refused", s->refused);
    set(o, "bytes", s->bytes);
    set(o, "rto", s->rto);
    set(o, "fast", s->fast);
    set(o, "early", s->early);
    set(o, "spurious", s->spurious);
    set(o, "out_of_order", s->out_of_order);
    set(o, "dup_acks", s->dup_acks);
    json_object_set_new(o, "duration", seconds(s->last_at - s->first_at));
    json_object_set_new(o, "trouble", f->trouble[0] ? json_string(f->trouble) : json_null());
    fputs("],\n\"summary\":", r->to);
    json_dumpf(o, r->to, DUMP);
    fputs("}\n", r->to);
    json_decref(o);
}
