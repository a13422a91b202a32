/* The page of a capture: the worst connections, as weir lab tells of a run (page/page.h).
 *
 * Knows: jansson, what was gathered. Shape: connections worst first, rows in the order of their
 * packets; what a capture can not know (cwnd, timers, calls, what was lost) is not there.
 * Units: s, bytes. Errors: as page_write. Cost: O(rows + points). */
#include <stdlib.h>
#include <string.h>

#include "explain/tell.h"
#include "page/page.h"

static json_t *seconds(int64_t ns)
{
    return json_real((double)ns / 1e9);
}

/* -- rows -------------------------------------------------------------------------------------- */

static void set_words(json_t *j, const struct told_row *r)
{
    const struct segment *s = &r->s;
    uint8_t flags = s->h.flags;
    char text[200];
    int n;

    if (flags & TCP_SYN)
        n = snprintf(text, sizeof text, "SYN%s %u", flags & TCP_ACK ? "/ACK" : "", r->seq);
    else if (flags & TCP_RST)
        n = snprintf(text, sizeof text, "RST%s %u", flags & TCP_ACK ? "/ACK" : "", r->seq);
    else if (flags & TCP_FIN && !s->len)
        n = snprintf(text, sizeof text, "FIN %u", r->seq);
    else if (s->len)
        n = snprintf(text, sizeof text, "%sdata %u:%u", flags & TCP_FIN ? "FIN " : "", r->seq,
                     r->seq + s->len);
    else
        n = snprintf(text, sizeof text, "ACK %u", r->ack);
    if (flags & TCP_ACK && (s->len || flags & (TCP_SYN | TCP_RST | TCP_FIN)))
        n += snprintf(text + n, sizeof text - (size_t)n, " ack %u", r->ack);
    if (flags & TCP_SYN && s->h.opt.has & TCP_OPT_MSS)
        n += snprintf(text + n, sizeof text - (size_t)n, " mss %u", s->h.opt.mss);
    if (!s->h.wnd && !(flags & TCP_RST))
        n += snprintf(text + n, sizeof text - (size_t)n, " win 0");
    counters_text(text + n, sizeof text - (size_t)n, &s->h.opt);
    json_object_set_new(j, "text", json_string(text));
    json_object_set_new(j, "flags", json_string(flags_text(text, flags)));
}

static void set_sack(json_t *j, const struct told_row *r)
{
    const struct tcp_opts *o = &r->s.h.opt;
    json_t *list;

    if (!(o->has & TCP_OPT_SACK))
        return;
    list = json_array();
    for (int i = 0; i < o->sacks && i < TCP_SACK_MAX; i++)
        json_array_append_new(list,
                              json_pack("[I, I]", (json_int_t)(o->sack[i].start.v - r->isn[1]),
                                        (json_int_t)(o->sack[i].end.v - r->isn[1])));
    json_object_set_new(j, "sack", list);
}

static json_t *segment_row(const struct told_row *r, const struct conn *c)
{
    char text[320], from[WEIR_ADDR_TEXT], to[WEIR_ADDR_TEXT];
    json_t *j =
        json_pack("{s:s, s:o, s:o, s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:b, s:[s, s], s:I}", "kind",
                  "segment", "at", seconds(r->s.at_ns), "arrived", seconds(r->s.at_ns), "from",
                  end_words(from, &c->end[r->end]), "to", end_words(to, &c->end[!r->end]), "proto",
                  "TCP", "len", (json_int_t)r->s.len, "fate", "arrived", "seq",
                  (json_int_t)(int32_t)r->seq, "window", (json_int_t)r->window, "again",
                  !!(r->remarks & (R_AGAIN | R_SYN_AGAIN)), "states", seen_state_name(r->from),
                  seen_state_name(r->to), "packet", (json_int_t)r->packet);

    set_words(j, r);
    if (r->s.h.flags & TCP_ACK)
        json_object_set_new(j, "ack", json_integer((int32_t)r->ack));
    set_sack(j, r);
    remarks_text(text, sizeof text, r->remarks, r->cause);
    if (text[0]) {
        json_object_set_new(j, "event", json_string("seen"));
        json_object_set_new(j, "reason", json_string(text));
    }
    return j;
}

/* An end's first state is entered from where RFC 9293 begins, if its beginning was seen. */
static const char *name_before(const struct told_row *r)
{
    if (r->from != NO_STATE)
        return seen_state_name(r->from);
    return r->to == SYN_SENT ? "CLOSED" : r->to == SYN_RECEIVED ? "LISTEN" : "?";
}

static json_t *rows_of(const struct tell *t, const uint64_t *place)
{
    json_t *list = json_array();
    uint64_t segment = 0;

    for (uint64_t i = 0; i < t->rows; i++) {
        const struct told_row *r = &t->row[i];
        const struct conn *c = t->told[r->told].c;
        char node[WEIR_ADDR_TEXT];
        json_t *j;
        if (!r->is_state) {
            j = segment_row(r, c);
            segment = i;
        } else {
            j = json_pack("{s:s, s:o, s:s, s:s, s:s, s:b}", "kind", "state", "at",
                          seconds(r->s.at_ns), "node", end_words(node, &c->end[r->end]), "from",
                          name_before(r), "to", seen_state_name(r->to), "by_timer", 0);
            if (i && t->row[segment].packet == r->packet)
                json_object_set_new(j, "cause", json_integer((json_int_t)segment));
        }
        json_object_set_new(j, "connection", json_integer((json_int_t)place[r->told]));
        json_object_set_new(j, "end", json_integer(r->end));
        json_array_append_new(list, j);
    }
    return list;
}

/* -- connections ------------------------------------------------------------------------------- */

/* [at, value], ... ; with two values [at, first, second, sent again]. */
static json_t *curve_of(const struct points *c, bool has_two, double unit)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < c->count; i++) {
        const struct point *p = &c->p[i];
        json_t *one = has_two ? json_pack("[o, I, I]", seconds(p->at), (json_int_t)p->v[0],
                                          (json_int_t)p->v[1])
                              : json_pack("[o, o]", seconds(p->at),
                                          unit < 1 ? json_real(p->v[0] * unit)
                                                   : json_integer((json_int_t)p->v[0]));
        if (p->is_again)
            json_array_append_new(one, json_true());
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *seen_of(const struct told_end *e)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "sent", curve_of(&e->sent, true, 1), "acked",
                     curve_of(&e->acked, true, 1), "flight", curve_of(&e->flight, false, 1),
                     "window", curve_of(&e->window, false, 1), "rtt",
                     curve_of(&e->rtt, false, 1e-6));
}

static json_t *end_of(const struct end *e)
{
    char node[WEIR_ADDR_TEXT], address[WEIR_ADDR_TEXT];

    return json_pack("{s:s, s:s, s:i}", "node", end_words(node, e), "address",
                     weir_addr_text(&e->addr, address), "port", (int)e->port);
}

static json_int_t again_of(const struct end *e)
{
    return (json_int_t)e->rto + e->fast + e->early + e->spurious + (e->syns ? e->syns - 1 : 0);
}

static json_t *connection_of(const struct told *d, const struct report *r, uint64_t place)
{
    static const char *const severities[] = {"fine", "slow", "failed"};
    const struct conn *c = d->c;
    struct verdict v;
    json_t *j;

    verdict_of(&v, c, r->sum.last_at);
    j = json_pack("{s:I, s:I, s:[o, o], s:o, s:s, s:s, s:[I, I], s:[I, I], s:[o, o]}", "number",
                  (json_int_t)place, "name", (json_int_t)c->number, "ends", end_of(&c->end[0]),
                  end_of(&c->end[1]), "began", seconds(c->first_at - r->sum.first_at), "verdict",
                  v.text, "severity", severities[v.severity], "bytes", (json_int_t)c->end[0].bytes,
                  (json_int_t)c->end[1].bytes, "resent", again_of(&c->end[0]), again_of(&c->end[1]),
                  "seen", seen_of(&d->end[0]), seen_of(&d->end[1]));
    if (d->left_out)
        json_object_set_new(j, "left_out", json_integer((json_int_t)d->left_out));
    return j;
}

/* Where each told connection stands on the page, from 1: the worst first. */
static uint64_t *places(const struct tell *t, const struct report *r)
{
    uint64_t *place = calloc(t->count + 1, sizeof *place);

    for (uint64_t i = 0; place && i < t->count; i++)
        for (uint64_t k = 0; k < t->count; k++)
            if (t->told[k].c == r->kept[i])
                place[k] = i + 1;
    return place;
}

static void set_connections(json_t *j, const struct tell *t, const struct report *r,
                            const uint64_t *place)
{
    json_t *list = json_array(), *nodes = json_array();

    for (uint64_t i = 0; i < t->count; i++)
        for (uint64_t k = 0; k < t->count; k++) {
            char node[WEIR_ADDR_TEXT];
            if (place[k] != i + 1)
                continue;
            json_array_append_new(list, connection_of(&t->told[k], r, i + 1));
            for (int e = 0; e < 2; e++)
                json_array_append_new(nodes, json_pack("{s:s, s:s}", "name",
                                                       end_words(node, &t->told[k].c->end[e]),
                                                       "kind", "host"));
        }
    json_object_set_new(j, "nodes", nodes);
    json_object_set_new(j, "connections", list);
    json_object_set_new(j, "connections_all", json_integer((json_int_t)r->sum.connections));
}

/* -- the page ---------------------------------------------------------------------------------- */

static json_t *summary_lines(const struct report *r, const struct file *f)
{
    json_t *list = json_array();
    char *text = page_summary(r, f), *rest = text;

    for (char *line; rest && (line = strsep(&rest, "\n"));)
        if (*line)
            json_array_append_new(list, json_string(line));
    free(text);
    return list;
}

static void set_head(json_t *j, const struct report *r, const struct file *f)
{
    const char *name = strrchr(r->ask->path, '/');
    json_t *lines = summary_lines(r, f);

    json_object_set_new(j, "title",
                        json_sprintf("What happened in %s", name ? name + 1 : r->ask->path));
    json_object_set_new(j, "name", json_string(r->ask->path));
    json_object_set_new(j, "kind", json_string("capture"));
    json_object_set_new(j, "is_level", json_true());
    json_object_set_new(j, "facts", lines);
    for (int i = 0; i < 3; i++)
        json_object_set_new(j, (const char *const[]){"links", "samples", "listeners"}[i],
                            json_array());
    json_object_set_new(j, "queues", json_array());
}

int tell_page(const struct tell *t, const struct report *r, const struct file *f)
{
    uint64_t *place = places(t, r), left_out = 0;
    json_t *j = json_object();
    int problem;

    if (!place)
        abort();
    set_head(j, r, f);
    set_connections(j, t, r, place);
    json_object_set_new(j, "rows", rows_of(t, place));
    for (uint64_t i = 0; i < t->count; i++)
        left_out += t->told[i].left_out;
    json_object_set_new(j, "rows_left_out", json_integer((json_int_t)left_out));
    problem = page_write(r->ask->html, "weir explain", j);
    json_decref(j);
    free(place);
    return problem;
}
