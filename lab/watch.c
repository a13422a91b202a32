/* Samples of connections, listeners and links, taken when they change.
 *
 * Knows: the engine, libweir's info. Shape: ends in an array, found by their addresses from where
 * the last one was found. Units: ns, bytes, us. Errors: as lab/watch.h. Cost: O(endpoints) a look.
 */
#include "lab/watch.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "def/state.h"

struct watch *watch_new(const struct lab *lab)
{
    struct watch *w = calloc(1, sizeof *w);

    if (!w)
        abort();
    w->lab = lab;
    return w;
}

void watch_free(struct watch *w)
{
    for (int i = 0; w && i < w->ends; i++)
        free(w->end[i].curve.sample);
    for (int i = 0; w && i < LAB_LINKS_MAX; i++) {
        free(w->queue[i][0].sample);
        free(w->queue[i][1].sample);
    }
    free(w);
}

const char *watch_value_name(int value, bool is_listener)
{
    static const char *const of_end[WATCH_VALUES] = {
        "state",  "cwnd",   "ssthresh",   "in_flight",  "snd_wnd", "rcv_wnd", "srtt_us",
        "rto_us", "unsent", "send_queue", "recv_queue", "retrans", "backoff"};
    static const char *const of_listener[WATCH_LISTEN_VALUES] = {"waiting", "most", "half_open"};

    return is_listener ? of_listener[value] : of_end[value];
}

/* -- curves ------------------------------------------------------------------------------------ */

static void thin(struct watch_curve *c)
{
    int kept = 0;

    for (int i = 0; i < c->samples; i += 2)
        c->sample[kept++] = c->sample[i];
    c->samples = kept;
    c->stride *= 2;
}

static void put_sample(struct watch_curve *c, const struct watch_sample *s)
{
    if (c->samples == c->room) {
        c->room = c->room ? 2 * c->room : 64;
        c->sample = realloc(c->sample, (size_t)c->room * sizeof *c->sample);
        if (!c->sample)
            abort();
    }
    c->sample[c->samples++] = *s;
}

/* A change of state is always kept. */
static void add_sample(struct watch_curve *c, const struct watch_sample *s)
{
    const struct watch_sample *last = c->samples ? &c->sample[c->samples - 1] : NULL;
    size_t size = (size_t)c->values * sizeof s->value[0];

    if (last && memcmp(last->value, s->value, size) == 0)
        return;
    if (!c->stride)
        c->stride = 1;
    if (++c->skipped < c->stride && last &&
        (c->values < WATCH_VALUES || last->value[WATCH_STATE] == s->value[WATCH_STATE]))
        return;
    c->skipped = 0;
    if (c->samples == WATCH_SAMPLES_MAX)
        thin(c);
    put_sample(c, s);
}

/* -- ends -------------------------------------------------------------------------------------- */

static bool is_end(const struct watch_end *e, int node, const struct weir_sock_info *info)
{
    return e->node == node && e->local.port == info->local.port &&
           e->peer.port == info->peer.port && weir_addr_equal(&e->local.addr, &info->local.addr) &&
           weir_addr_equal(&e->peer.addr, &info->peer.addr);
}

/* *hint: where to look first, for ends come in much the same order each time. */
static struct watch_end *end_of(struct watch *w, int node, const struct weir_sock_info *info,
                                int *hint)
{
    for (int i = 0; i < w->ends; i++) {
        int at = (*hint + i) % w->ends;
        if (is_end(&w->end[at], node, info)) {
            *hint = at + 1;
            return &w->end[at];
        }
    }
    if (w->ends == WATCH_ENDS_MAX) {
        w->missed++;
        return NULL;
    }
    w->end[w->ends] = (struct watch_end){.node = node,
                                         .is_listener = info->state == LISTEN,
                                         .local = info->local,
                                         .peer = info->peer};
    w->end[w->ends].curve.values = info->state == LISTEN ? WATCH_LISTEN_VALUES : WATCH_VALUES;
    return &w->end[w->ends++];
}

static void look_at_listener(struct watch_end *e, const struct weir_sock_info *i,
                             const struct weir_facts *f, int64_t now)
{
    struct watch_sample s = {.at = now};

    s.value[WATCH_WAITING] = i->recv_queue;
    s.value[WATCH_MOST] = i->send_queue;
    s.value[WATCH_HALF_OPEN] = f->half_open;
    add_sample(&e->curve, &s);
}

static void look_at_end(struct watch_end *e, const struct weir_sock_info *i, int64_t now)
{
    struct watch_sample s = {.at = now};

    s.value[WATCH_STATE] = (uint32_t)i->state;
    s.value[WATCH_CWND] = i->cwnd;
    s.value[WATCH_SSTHRESH] = i->ssthresh == UINT32_MAX ? 0 : i->ssthresh;
    s.value[WATCH_IN_FLIGHT] = i->in_flight;
    s.value[WATCH_SND_WND] = i->snd_wnd;
    s.value[WATCH_RCV_WND] = i->rcv_wnd;
    s.value[WATCH_SRTT_US] = i->srtt_us;
    s.value[WATCH_RTO_US] = i->rto_us;
    s.value[WATCH_UNSENT] = i->unsent;
    s.value[WATCH_SEND_QUEUE] = i->send_queue;
    s.value[WATCH_RECV_QUEUE] = i->recv_queue;
    s.value[WATCH_RETRANS] = i->retrans;
    s.value[WATCH_BACKOFF] = i->backoff;
    add_sample(&e->curve, &s);
    /* A TIME-WAIT remembers none of what the report sums up. */
    if (i->state != TIME_WAIT && i->state != CLOSED)
        e->last = *i;
    e->last.state = i->state;
}

static void look_at_node(struct watch *w, const struct lab_node *n)
{
    struct weir_sock_info info;
    struct weir_facts facts;
    uint64_t cursor = 0;
    int hint = 0;

    for (int i = 0; i < WATCH_WALK_MAX && weir_info_next(n->stack, &cursor, &info); i++) {
        struct watch_end *e;
        if (info.protocol != IPPROTO_TCP || (info.state == CLOSED && !info.peer.port) ||
            !(e = end_of(w, n->index, &info, &hint)))
            continue;
        if (!e->is_listener) {
            look_at_end(e, &info, w->lab->now);
            continue;
        }
        weir_facts(n->stack, cursor, &facts);
        look_at_listener(e, &info, &facts, w->lab->now);
    }
}

/* -- links ------------------------------------------------------------------------------------- */

static void look_at_line(struct watch_curve *c, const struct line *l, int64_t now)
{
    struct watch_sample s = {.at = now};

    if (!l->set.rate_bps)
        return;
    c->values = 1;
    if (l->wire_free_at > now)
        s.value[0] =
            (uint32_t)((__int128)(l->wire_free_at - now) * (int64_t)l->set.rate_bps / 8000000000ll);
    if (c->samples == 0 && s.value[0] == 0)
        return;
    add_sample(c, &s);
}

void watch_look(struct watch *w)
{
    const struct lab *lab = w->lab;

    for (int i = 0; i < lab->nodes; i++)
        if (lab->node[i]->stack)
            look_at_node(w, lab->node[i]);
    for (int i = 0; i < lab->links; i++)
        for (int d = 0; d < 2; d++)
            look_at_line(&w->queue[i][d], &lab->link[i]->dir[d].line, lab->now);
}
