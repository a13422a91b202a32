/* `weir why --json`: one object, for programs. Times in seconds; keys are never taken away.
 *
 * Knows: what is known of a socket and its past. Shape: {"sockets": [...], "past": [...], "bind":
 * text or null, "ports": text or null}. Units: seconds, bytes. Errors: none. Cost: O(sockets). */
#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cli/why.h"

static json_t *seconds(int64_t us)
{
    return json_real((double)us / 1e6);
}

/* What a printer says, as one string. */
static json_t *json_of_words(const struct why_sock *w)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    json_t *o;

    if (!f)
        return json_null();
    why_put_words(f, w);
    fclose(f);
    o = json_string(text[0] == ' ' ? text + 1 : text);
    free(text);
    return o;
}

static json_t *json_of_end(const struct endpoint *e)
{
    static const char *const names[] = {"none",      "retries",    "user_timeout", "probes",
                                        "keepalive", "fin_wait_2", "linger",       "time_wait"};
    const struct weir_facts *f = &e->facts;
    json_t *o;

    if (f->end <= WEIR_END_NONE || f->end > WEIR_END_TIME_WAIT)
        return json_null();
    o = json_pack("{s:s, s:o, s:i, s:i}", "by", names[f->end], "left", seconds(f->end_left_us),
                  "tries", f->tries, "tries_most", f->tries_most);
    json_object_set_new(o, "knob", *e->knob ? json_string(e->knob) : json_null());
    json_object_set_new(o, "knob_value",
                        *e->knob ? json_integer((json_int_t)f->knob_value) : json_null());
    return o;
}

static json_t *json_of_facts(const struct endpoint *e)
{
    static const char *const names[] = {"orphan",  "queued", "fin_sent", "fin_waits", "keepalive",
                                        "probing", "hole",   "retrying", "late_fin"};
    json_t *o = json_array();

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (e->facts.flags >> i & 1)
            json_array_append_new(o, json_string(names[i]));
    return o;
}

static json_t *json_of_sock(const struct why_sock *w)
{
    const struct endpoint *e = &w->s.e;
    const char *state = e->info.protocol == IPPROTO_TCP ? weir_state_name(e->info.state) : "";
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "netid", ss_netid(&w->s), "state",
                          state, "local_address", w->s.local, "local_port", w->s.local_port,
                          "peer_address", w->s.peer, "peer_port", w->s.peer_port, "run",
                          w->s.daemon ? w->s.daemon : "");

    json_object_set_new(o, "state_ago", seconds((int64_t)e->facts.state_ago_ms * 1000));
    json_object_set_new(o, "stalled_ago", seconds((int64_t)e->facts.stalled_ago_ms * 1000));
    json_object_set_new(o, "heard_ago", seconds((int64_t)e->info.heard_ago_ms * 1000));
    json_object_set_new(o, "end", json_of_end(e));
    json_object_set_new(o, "facts", json_of_facts(e));
    json_object_set_new(o, "unread", json_integer((json_int_t)e->unread + e->info.recv_queue));
    json_object_set_new(o, "send_q", json_integer(e->info.send_queue));
    json_object_set_new(o, "process",
                        e->pid ? json_pack("{s:s, s:i}", "name", w->s.process, "pid", e->pid)
                               : json_null());
    json_object_set_new(o, "fd", w->fd >= 0 ? json_integer(w->fd) : json_null());
    json_object_set_new(o, "words", json_of_words(w));
    return o;
}

static json_t *json_of_past(const struct why_view *v)
{
    json_t *list = json_array();
    char words[120], local[WEIR_ADDR_TEXT], peer[WEIR_ADDR_TEXT];

    for (int i = 0; i < v->pasts; i++) {
        const struct past *p = &v->past[i].p;
        why_past_words(words, sizeof words, p);
        if (*words)
            json_array_append_new(list,
                                  json_pack("{s:o, s:s, s:s, s:s, s:s}", "ago", seconds(p->ago_us),
                                            "local", weir_sockaddr_text(&p->local, local), "peer",
                                            weir_sockaddr_text(&p->peer, peer), "words", words,
                                            "run", v->past[i].daemon));
    }
    return list;
}

static json_t *json_of_ports(const struct why_view *v, int port)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    json_t *o;

    if (!f)
        return json_null();
    if (port)
        why_put_bind(f, v, port);
    else
        why_put_ports(f, v);
    fclose(f);
    while (size && text[size - 1] == '\n')
        text[--size] = '\0';
    o = size ? json_string(text) : json_null();
    free(text);
    return o;
}

void why_put_json(const struct why_view *v, const struct why_ask *ask)
{
    json_t *list = json_array(), *all;

    for (int i = 0; i < v->socks; i++)
        json_array_append_new(list, json_of_sock(&v->sock[i]));
    all = json_pack("{s:o, s:o}", "sockets", list, "past", json_of_past(v));
    json_object_set_new(all, "bind", ask->port ? json_of_ports(v, ask->port) : json_null());
    json_object_set_new(all, "ports", ask->all ? json_of_ports(v, 0) : json_null());
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(all);
}
