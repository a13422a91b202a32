/* poll and epoll.
 *
 * Knows: sets of descriptors as scripts write them: [{fd=3, events=POLLIN, revents=POLLIN}].
 * Shape: see call.h. Units: milliseconds. Errors: -errno of the call. Cost: O(descriptors). */
#include <stdio.h>
#include <string.h>

#include "packetdrill/call.h"
#include "packetdrill/names.h"

#define SET_MAX 16

static bool number_field(struct run *r, const struct value *list, const char *name, int64_t *out)
{
    const struct value *v = list->kind == VALUE_LIST ? field_of(list, name) : NULL;

    if (!v)
        return problem_set(r->problem, PROBLEM_SYNTAX, list->at, "expected '%s = ...' in here",
                           name);
    return v->kind == VALUE_ANY ? true : number_of(r, v, out);
}

static bool differ_events(struct run *r, struct playing *c, int i, uint32_t want, uint32_t got)
{
    const char *prefix = strncmp(c->step->call->name, "epoll", 5) == 0 ? "EPOLL" : "POLL";
    char a[128], b[128];

    if (want == got)
        return true;
    return problem_set(r->problem, PROBLEM_FAILED, c->step->at, "%s: item %d: expected %s, got %s",
                       c->step->call->name, i, bits_text(prefix, want, a, sizeof a),
                       bits_text(prefix, got, b, sizeof b));
}

/* -- poll -------------------------------------------------------------------------------------- */

static bool check_poll(struct run *r, struct playing *c)
{
    const struct value *list = arg_at(c, 0), *revents;
    const struct pollfd *got = (const void *)c->buffer;
    int64_t want;

    for (int i = 0; i < list->items; i++) {
        revents = field_of(list->item[i], "revents");
        if (!revents || revents->kind == VALUE_ANY)
            continue;
        if (!number_of(r, revents, &want) ||
            !differ_events(r, c, i, (uint32_t)want, (uint32_t)got[i].revents))
            return false;
    }
    return true;
}

static int64_t try_poll(struct run *r, struct playing *c)
{
    const struct value *list = arg_at(c, 0);
    int64_t ms, fd = -1, events = 0;
    struct pollfd *set;

    if (list->kind != VALUE_LIST || list->items > SET_MAX) {
        problem_set(r->problem, PROBLEM_SYNTAX, list->at,
                    "expected [{fd=3, events=POLLIN}], at most 16");
        return CALL_BAD;
    }
    set = (void *)buffer_of(r, c, SET_MAX * sizeof *set);
    for (int i = 0; i < list->items; i++) {
        if (!number_field(r, list->item[i], "fd", &fd) ||
            !number_field(r, list->item[i], "events", &events))
            return CALL_BAD;
        set[i] = (struct pollfd){.fd = fd_of_script(r, fd), .events = (short)events};
    }
    if (!arg_number(r, c, 2, &ms))
        return CALL_BAD;
    c->check = check_poll;
    return node_poll(r->node, set, list->items, (int)ms, &c->wait);
}

/* -- epoll ------------------------------------------------------------------------------------- */

static int64_t try_epoll_create(struct run *r, struct playing *c)
{
    (void)c;
    return node_epoll_create(r->node);
}

static bool read_event(struct run *r, const struct value *v, struct epoll_event *out)
{
    int64_t events = 0, data = 0;

    if (v->kind == VALUE_LIST && v->items && !v->name[0])
        v = v->item[0]; /* [{...}] */
    if (!number_field(r, v, "events", &events))
        return false;
    for (int i = 0; i < v->items; i++) /* fd, ptr, u32, u64: whatever the event bears */
        if (v->name[i] && strcmp(v->name[i], "events") && !number_of(r, v->item[i], &data))
            return false;
    out->events = (uint32_t)events;
    out->data.u64 = (uint64_t)data;
    return true;
}

static int64_t try_epoll_ctl(struct run *r, struct playing *c)
{
    struct epoll_event e = {.events = 0};
    int64_t op;
    int ep, fd;

    if (!arg_fd(r, c, 0, &ep) || !arg_number(r, c, 1, &op) || !arg_fd(r, c, 2, &fd) ||
        (op != EPOLL_CTL_DEL && !read_event(r, arg_at(c, 3), &e)))
        return CALL_BAD;
    return node_epoll_ctl(r->node, ep, (int)op, fd, &e);
}

static bool check_epoll(struct run *r, struct playing *c)
{
    const struct value *list = arg_at(c, 1);
    const struct epoll_event *got = (const void *)c->buffer;
    struct epoll_event want;
    bool is_many = list->items && !list->name[0];

    for (int i = 0; i < c->result && i < (is_many ? list->items : 1); i++) {
        const struct value *v = is_many ? list->item[i] : list;
        if (list->kind == VALUE_ANY || v->kind == VALUE_ANY)
            continue;
        if (!read_event(r, v, &want) || !differ_events(r, c, i, want.events, got[i].events) ||
            !call_differs(r, c, "data of the event", (int64_t)want.data.u64,
                          (int64_t)got[i].data.u64))
            return false;
    }
    return true;
}

static int64_t try_epoll_wait(struct run *r, struct playing *c)
{
    struct iovec events;
    int64_t most, ms;
    int ep;

    if (!arg_fd(r, c, 0, &ep) || !arg_number(r, c, 2, &most) || !arg_number(r, c, 3, &ms))
        return CALL_BAD;
    if (most < 0 || most > SET_MAX) {
        problem_set(r->problem, PROBLEM_SYNTAX, c->step->at, "at most 16 events");
        return CALL_BAD;
    }
    events.iov_base = buffer_of(r, c, SET_MAX * sizeof(struct epoll_event));
    events.iov_len = (size_t)most * sizeof(struct epoll_event);
    c->check = check_epoll;
    return node_epoll_wait(r->node, ep, &events, (int)ms, &c->wait);
}

const struct call_row calls_of_readiness[] = {
    {"poll", 3, 3, try_poll},
    {"epoll_create", 1, 1, try_epoll_create},
    {"epoll_create1", 1, 1, try_epoll_create},
    {"epoll_ctl", 4, 4, try_epoll_ctl},
    {"epoll_wait", 4, 4, try_epoll_wait},
    {NULL, 0, 0, NULL},
};
