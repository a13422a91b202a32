/* The story of a run as JSON: its hosts and links, its connections, each row of the log, and the
 * curves.
 *
 * Knows: jansson, tales, watches. Shape: lists; a row is named by its place in "rows"; what a row
 * does not have is not there. Units: seconds, bytes; us where a name ends so.
 * Errors: none that a reader could not see. Cost: O(rows told + samples). */
#include <jansson.h>

#include "def/state.h"
#include "lab/json.h"
#include "lab/tale.h"
#include "lab/watch.h"
#include "wire/wire.h"

#define CONNECTIONS_TOLD 200

static json_t *seconds(int64_t ns)
{
    return json_real((double)ns / 1e9);
}

static const char *node_name(const struct scene *s, int node)
{
    return node >= 0 ? s->lab->node[node]->name : "";
}

static json_t *address(uint32_t addr)
{
    struct weir_addr a = weir_addr_v4(addr);
    char text[WEIR_ADDR_TEXT];

    return json_string(weir_addr_text(&a, text));
}

static json_t *place(const struct tale *t, uint32_t row)
{
    uint32_t at = tale_place(t, row);

    return at == TALE_NONE ? NULL : json_integer(at);
}

/* -- hosts and links --------------------------------------------------------------------------- */

static json_t *nodes_of(const struct scene *s)
{
    static const char *const kinds[] = {"host", "router", "switch"};
    json_t *list = json_array();

    for (int i = 0; i < s->lab->nodes; i++) {
        const struct lab_node *n = s->lab->node[i];
        json_t *one = json_pack("{s:s, s:s}", "name", n->name, "kind", kinds[n->kind]);
        if (n->ports && n->kind != LAB_SWITCH)
            json_object_set_new(one, "address", address(n->port[0].addr));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *links_of(const struct scene *s)
{
    json_t *list = json_array();

    for (int i = 0; i < s->lab->links; i++)
        for (int d = 0; d < 2; d++) {
            const struct lab_link *l = s->lab->link[i];
            const struct lab_dir *dir = &l->dir[d];
            json_array_append_new(
                list,
                json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:I}", "from", l->end[d].node->name, "to",
                          l->end[1 - d].node->name, "delay", seconds(dir->line.set.delay_ns),
                          "rate_bps", (json_int_t)dir->line.set.rate_bps, "mtu", (json_int_t)l->mtu,
                          "frames", (json_int_t)dir->frames, "lost", (json_int_t)dir->lost));
        }
    return list;
}

/* -- rows -------------------------------------------------------------------------------------- */

static json_t *flags_of(uint8_t flags)
{
    static const char letter[] = "FSRPAUEC";
    char text[9];
    int n = 0;

    for (int i = 0; i < 8; i++)
        if (flags & 1u << i)
            text[n++] = letter[i];
    return json_stringn(text, (size_t)n);
}

static void set_tcp(json_t *j, const struct tale_row *t)
{
    const struct lab_seg *s = &t->row->seg;
    json_t *sack = json_array();

    json_object_set_new(j, "flags", flags_of(s->flags));
    json_object_set_new(j, "seq", json_integer((int32_t)t->n.seq));
    if (s->flags & TCP_ACK)
        json_object_set_new(j, "ack", json_integer((int32_t)t->n.ack));
    json_object_set_new(j, "window", json_integer(t->n.window));
    for (int i = 0; i < s->sacks && i < 4; i++)
        json_array_append_new(sack,
                              json_pack("[i, i]", (int)t->n.sack[i][0], (int)t->n.sack[i][1]));
    if (s->sacks)
        json_object_set(j, "sack", sack);
    json_decref(sack);
}

static json_t *states_of(const struct lab_row *r)
{
    return json_pack("[s, s]", r->state[0] ? weir_state_name(r->state[0]) : "",
                     r->state[1] ? weir_state_name(r->state[1]) : "");
}

/* Why it was sent, and why it was dropped. */
static void set_reasons(json_t *j, const struct lab_row *r)
{
    struct weir_why verdict = {.verdict = r->verdict};
    char text[128];

    if (r->why.event != EVENT_none && r->why.event != EVENT_state)
        json_object_set_new(j, "event", json_string(weir_event_name(r->why.event)));
    if (r->why.event != EVENT_state && weir_why_text(&r->why, text, sizeof text))
        json_object_set_new(j, "reason", json_string(text));
    if (r->verdict >= 2 && weir_why_text(&verdict, text, sizeof text))
        json_object_set_new(j, "verdict", json_string(text));
}

static json_t *segment_row(const struct scene *s, const struct tale *all, const struct tale_row *t)
{
    static const char *const protos[] = {"IP", "TCP", "UDP", "ICMP", "ARP"};
    const struct lab_row *r = t->row;
    json_t *j = json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:i, s:s}", "kind", "segment", "at",
                          seconds(r->at), "from", node_name(s, r->from), "to", node_name(s, r->to),
                          "proto", protos[r->seg.proto], "text", t->text, "len", (int)r->seg.len,
                          "fate", lab_fate_text((enum lab_fate)r->fate));

    if (r->arrived || r->fate != LAB_FLYING) {
        json_object_set_new(j, r->fate >= LAB_LOST_CHANCE ? "lost" : "arrived",
                            seconds(r->arrived));
        if (tale_place(all, r->order) != TALE_NONE)
            json_object_set_new(j, "order", place(all, r->order));
    }
    set_reasons(j, r);
    if (r->seg.proto == LAB_TCP) {
        set_tcp(j, t);
        json_object_set_new(j, "states", states_of(r));
    }
    if (r->is_stray)
        json_object_set_new(j, "stray", json_true());
    return j;
}

static json_t *state_row(const struct scene *s, const struct tale *all, const struct tale_row *t)
{
    const struct lab_row *r = t->row;
    json_t *j = json_pack("{s:s, s:o, s:s, s:s, s:s, s:b}", "kind", "state", "at", seconds(r->at),
                          "node", node_name(s, r->from), "from", weir_state_name(r->why.from), "to",
                          weir_state_name(r->why.to), "by_timer", r->is_forced);

    json_object_set_new(j, "cause", place(all, t->cause));
    return j;
}

static json_t *row_of(const struct scene *s, const struct tale *all, uint32_t i)
{
    const struct tale_row *t = &all->row[i];
    const struct lab_row *r = t->row;
    json_t *j;

    if (r->kind == LAB_ROW_SEG)
        j = segment_row(s, all, t);
    else if (r->kind == LAB_ROW_STATE)
        j = state_row(s, all, t);
    else
        j = json_pack("{s:s, s:o, s:s, s:s}", "kind", r->kind == LAB_ROW_CALL ? "call" : "note",
                      "at", seconds(r->at), "node", node_name(s, r->from), "text", r->text);
    if (t->connection) {
        json_object_set_new(j, "connection", json_integer(t->connection));
        json_object_set_new(j, "end", json_integer(t->end));
    }
    if (t->waited >= 0)
        json_object_set_new(j, "waited", seconds(t->waited));
    json_object_set_new(j, "since", place(all, t->since));
    return j;
}

static json_t *rows_of(const struct scene *s, const struct tale *t)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < t->rows; i++)
        if (tale_place(t, i) != TALE_NONE)
            json_array_append_new(list, row_of(s, t, i));
    return list;
}

/* -- connections ------------------------------------------------------------------------------- */

static json_t *end_of(const struct scene *s, uint32_t addr, uint16_t port)
{
    const struct lab_node *n = lab_owner(s->lab, addr);

    return json_pack("{s:s, s:o, s:i}", "node", n ? n->name : "", "address", address(addr), "port",
                     (int)port);
}

static json_t *connections_of(const struct scene *s, const struct tale *t)
{
    json_t *list = json_array();

    for (int i = 1; i <= t->connections && i <= CONNECTIONS_TOLD; i++) {
        const struct lab_seg *seg = &t->row[t->first[i]].row->seg;
        json_array_append_new(list, json_pack("{s:i, s:[o, o], s:o}", "number", i, "ends",
                                              end_of(s, seg->src, seg->sport),
                                              end_of(s, seg->dst, seg->dport), "began",
                                              seconds(t->row[t->first[i]].row->at)));
    }
    return list;
}

/* -- curves ------------------------------------------------------------------------------------ */

static json_t *value_of(uint32_t value, bool is_state)
{
    return is_state ? json_string(weir_state_name((int)value)) : json_integer(value);
}

static json_t *curve_of(const struct watch_curve *c, int state_at)
{
    json_t *list = json_array();

    for (int i = 0; i < c->samples; i++) {
        json_t *one = json_array();
        json_array_append_new(one, seconds(c->sample[i].at));
        for (int v = 0; v < c->values; v++)
            json_array_append_new(one, value_of(c->sample[i].value[v], v == state_at));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *columns_of(const struct watch_end *e)
{
    json_t *list = json_array();

    json_array_append_new(list, json_string("at"));
    for (int v = 0; v < e->curve.values; v++)
        json_array_append_new(list, json_string(watch_value_name(v, e->is_listener)));
    return list;
}

static json_t *totals_of(const struct weir_sock_info *i)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:i}", "bytes_sent",
                     (json_int_t)i->bytes_sent, "bytes_acked", (json_int_t)i->bytes_acked,
                     "bytes_received", (json_int_t)i->bytes_received, "bytes_retrans",
                     (json_int_t)i->bytes_retrans, "segs_out", (json_int_t)i->segs_out, "segs_in",
                     (json_int_t)i->segs_in, "retrans", (json_int_t)i->retrans, "mss", (int)i->mss,
                     "pmtu", (int)i->pmtu);
}

static json_t *samples_of(const struct scene *s, bool of_listeners)
{
    json_t *list = json_array();

    for (int i = 0; i < s->watch->ends; i++) {
        const struct watch_end *e = &s->watch->end[i];
        uint32_t local = weir_addr_to_v4(&e->local.addr), peer = weir_addr_to_v4(&e->peer.addr);
        json_t *one;
        if (e->is_listener != of_listeners)
            continue;
        one = json_pack("{s:s, s:o, s:i, s:o, s:o, s:I}", "node", node_name(s, e->node), "address",
                        address(local), "port", (int)e->local.port, "columns", columns_of(e),
                        "values", curve_of(&e->curve, of_listeners ? -1 : WATCH_STATE), "stride",
                        (json_int_t)e->curve.stride);
        if (!of_listeners) {
            json_object_set_new(one, "peer_address", address(peer));
            json_object_set_new(one, "peer_port", json_integer(e->peer.port));
            json_object_set_new(one, "totals", totals_of(&e->last));
        }
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *queues_of(const struct scene *s)
{
    json_t *list = json_array();

    for (int i = 0; i < s->lab->links; i++)
        for (int d = 0; d < 2; d++) {
            const struct lab_link *l = s->lab->link[i];
            if (s->watch->queue[i][d].samples)
                json_array_append_new(
                    list, json_pack("{s:s, s:s, s:[s, s], s:o}", "from", l->end[d].node->name, "to",
                                    l->end[1 - d].node->name, "columns", "at", "bytes", "values",
                                    curve_of(&s->watch->queue[i][d], -1)));
        }
    return list;
}

void json_run(json_t *j, const struct scene *s)
{
    struct tale *t = tale_new(s->log);
    uint32_t told = t->rows < TALE_FIRST + TALE_LAST ? t->rows : TALE_FIRST + TALE_LAST;

    json_object_set_new(j, "nodes", nodes_of(s));
    json_object_set_new(j, "links", links_of(s));
    json_object_set_new(j, "connections", connections_of(s, t));
    if (told < t->rows)
        json_long(json_object_get(j, "connections"), t);
    json_object_set_new(j, "connections_all", json_integer(t->connections));
    json_object_set_new(j, "rows", rows_of(s, t));
    json_object_set_new(j, "rows_left_out",
                        json_integer((json_int_t)(t->rows - told + lab_log_missed(s->log))));
    json_object_set_new(j, "rows_first", json_integer(TALE_FIRST));
    json_object_set_new(j, "samples", samples_of(s, false));
    json_object_set_new(j, "listeners", samples_of(s, true));
    json_object_set_new(j, "queues", queues_of(s));
    tale_free(t);
}
