/* The control socket: what the front doors and the tools ask.
 *
 * Knows: protocol.h. Shape: one connection for each question; it is answered at once and closed,
 * but for a connect that waits, whose connection is kept by its carrier. Only the same user (or
 * root) is heard. Units: none. Errors: -errno in the answer. Cost: O(1) for each question; RUN_SS
 * O(endpoints). */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/endpoint.h"

#define BATCH 64

static void send_answer(int fd, const struct run_answer *a)
{
    size_t len = offsetof(struct run_answer, value) + a->value_len;

    (void)!send(fd, a, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void control_answer(int fd, int result)
{
    struct run_answer a = {.result = result};

    send_answer(fd, &a);
    close(fd);
}

static struct weir_sockaddr sockaddr_of(const struct run_addr *a)
{
    return (struct weir_sockaddr){.addr = a->addr, .port = a->port};
}

/* -- the doors' questions ---------------------------------------------------------------------- */

static int do_name(struct daemon *d, struct carrier *c, bool is_peer, struct run_answer *a)
{
    struct weir_sockaddr s = {.port = 0};
    int v = 0;

    if (c->sock < 0 && is_peer)
        return -ENOTCONN;
    if (c->sock >= 0)
        v = is_peer ? weir_getpeername(d->stack, c->sock, &s)
                    : weir_getsockname(d->stack, c->sock, &s);
    else if (c->family == AF_INET)
        s.addr = weir_addr_v4(0);
    a->addr =
        (struct run_addr){.family = c->family == AF_INET6 ? 6 : 4, .port = s.port, .addr = s.addr};
    return v;
}

static int do_getsockopt(struct daemon *d, struct carrier *c, const struct run_ask *ask,
                         struct run_answer *a)
{
    size_t len = ask->value_len < sizeof a->value ? ask->value_len : sizeof a->value;
    int v = carrier_socket(d, c), error;

    if ((c->is_retired || c->error) && ask->level == SOL_SOCKET && ask->name == SO_ERROR) {
        error = carrier_take_error(c);
        memcpy(a->value, &error, sizeof error);
        a->value_len = sizeof error;
        return 0;
    }
    if (v == 0 && about_get(c, ask, a))
        return 0;
    memcpy(a->value, ask->value, len < sizeof ask->value ? len : sizeof ask->value);
    if (v == 0)
        v = weir_getsockopt(d->stack, c->sock, ask->level, ask->name, a->value, &len);
    a->value_len = v < 0 ? 0 : (uint32_t)len;
    return v;
}

static int do_setsockopt(struct daemon *d, struct carrier *c, const struct run_ask *ask)
{
    int v = carrier_socket(d, c);

    if (ask->value_len > sizeof ask->value)
        return -EINVAL;
    if (ask->level == IPPROTO_TCP)
        stream_drain(d, c); /* what was written before is sent as the option was before */
    if (c->is_dead)
        return -EINVAL;
    if (v == 0 && about_set(c, ask, &v))
        return v;
    return v < 0 ? v
                 : weir_setsockopt(d->stack, c->sock, ask->level, ask->name, ask->value,
                                   ask->value_len);
}

/* connect() of a carrier whose connection is over: an error that nobody knows yet, or that nobody
 * asked for. Who knew that it stood hears that it did. */
static int connect_again(struct carrier *c)
{
    int error = carrier_take_error(c);

    if (c->is_told)
        return -EISCONN;
    return error ? -error : -ECONNABORTED;
}

static int connect_stream(struct daemon *d, struct carrier *c, const struct run_ask *ask)
{
    struct weir_sockaddr peer = carrier_peer(&ask->addr);

    if (c->is_retired)
        return connect_again(c);
    if (c->fd < 0) /* its carrier knocked before: let it in, or a quick refusal finds nobody */
        streams_take(d, NULL, 0);
    if (ask->number == RUN_WAIT_NO_MORE)
        return stream_wait_no_more(c);
    if (c->is_established && !c->is_told) { /* a second connect() asks how the first one went */
        c->is_told = true;
        return 0;
    }
    c->error = 0;
    if (c->sock < 0 || !c->is_connecting)
        c->filler = ask->number ? 0 : RUN_FILLER;
    return stream_connect(d, c, &peer);
}

/* True: the connection stays open, its answer comes later. */
static bool do_connect(struct daemon *d, struct carrier *c, const struct run_ask *ask, int fd,
                       int *result)
{
    struct weir_sockaddr peer = carrier_peer(&ask->addr);

    if (c->kind == CARRIER_DGRAM) {
        *result = ask->addr.family ? dgram_connect(d, c, &peer) : dgram_disconnect(d, c);
        return false;
    }
    *result = connect_stream(d, c, ask);
    if (ask->number != RUN_WAIT || c->waiter >= 0 ||
        (*result != -EINPROGRESS && *result != -EALREADY))
        return false;
    c->waiter = fd;
    return true;
}

/* How a stream ended. */
static int reason_of(struct daemon *d, const struct run_ask *ask)
{
    struct carrier *c = carrier_find(d, ask->id);

    return c ? -carrier_take_error(c) : 0;
}

static int do_renew(struct daemon *d, const struct run_ask *ask)
{
    char new[sizeof ask->id];

    if (ask->value_len >= sizeof new)
        return -EINVAL;
    memcpy(new, ask->value, ask->value_len);
    new[ask->value_len] = '\0';
    return new[0] == 's' ? carrier_renew(d, ask->id, new) : -EINVAL;
}

/* An accepted connection that ended long ago. */
static int answer_for_forgotten(const struct run_ask *ask, struct run_answer *a)
{
    int error = 0;

    if (ask->op == RUN_GETSOCKOPT && ask->level == SOL_SOCKET && ask->name == SO_ERROR) {
        memcpy(a->value, &error, sizeof error);
        a->value_len = sizeof error;
        return 0;
    }
    return ask->op == RUN_SETSOCKOPT ? -EINVAL : -ENOTCONN;
}

static int answer_carrier(struct daemon *d, const struct run_ask *ask, struct run_answer *a, int fd)
{
    struct carrier *c = carrier_find(d, ask->id);
    struct weir_sockaddr addr = sockaddr_of(&ask->addr);
    int v = 0;

    if (!c && ask->id[0] == 'p')
        return answer_for_forgotten(ask, a);
    if (!c && !(c = carrier_get(d, ask->id)))
        return -ENOMEM;
    if (ask->pid || !c->pid)
        c->pid = ask->pid ? ask->pid : d->asker;
    switch (ask->op) {
    case RUN_BIND:
        return listener_bind(d, c, &addr);
    case RUN_LISTEN:
        return listener_listen(d, c, ask->number);
    case RUN_CONNECT:
        return do_connect(d, c, ask, fd, &v) ? INT32_MAX : v;
    case RUN_SHUTDOWN:
        return stream_shutdown(d, c, ask->number);
    case RUN_OUTQ:
        return stream_outq(d, c, ask->number);
    case RUN_GETSOCKNAME:
        return do_name(d, c, false, a);
    case RUN_GETPEERNAME:
        return do_name(d, c, true, a);
    case RUN_SETSOCKOPT:
        return do_setsockopt(d, c, ask);
    case RUN_GETSOCKOPT:
        return do_getsockopt(d, c, ask, a);
    case RUN_RECVERR:
        return about_error(d, c, a);
    default:
        return -EOPNOTSUPP;
    }
}

/* -- the tools' questions ---------------------------------------------------------------------- */

static void answer_ss(struct daemon *d, int fd)
{
    struct run_answer a = {.result = 1};
    struct weir_sock_info info;
    uint64_t cursor = 0;

    while (weir_info_next(d->stack, &cursor, &info)) {
        const struct carrier *c = info.user;
        struct endpoint e = endpoint_of(&info);
        if (info.local.port == 0 || (c && c->is_retired))
            continue;
        e.pid = c ? c->pid : 0;
        snprintf(e.carrier, sizeof e.carrier, "%s", c ? c->id : "");
        a.value_len = (uint32_t)endpoint_write(&e, (char *)a.value, sizeof a.value);
        if (send(fd, &a, offsetof(struct run_answer, value) + a.value_len, MSG_NOSIGNAL) < 0)
            return; /* nobody listens any more */
    }
}

static void answer_stats(struct daemon *d, int fd)
{
    struct run_answer a = {.result = 1};

    for (int i = 0; i < weir_stat_count() + weir_drop_count(); i++) {
        bool is_drop = i >= weir_stat_count();
        int at = is_drop ? i - weir_stat_count() : i;
        uint64_t value = is_drop ? weir_drops(d->stack, at) : weir_stat(d->stack, at);
        a.value_len = (uint32_t)snprintf(
            (char *)a.value, sizeof a.value, "%s%s\t%llu", is_drop ? "drop." : "",
            is_drop ? weir_drop_name(at) : weir_stat_name(at), (unsigned long long)value);
        (void)!send(fd, &a, offsetof(struct run_answer, value) + a.value_len, MSG_NOSIGNAL);
    }
}

static int answer_knob(struct daemon *d, const struct run_ask *ask, struct run_answer *a)
{
    char text[RUN_VALUE_MAX + 1], *equals;
    int v;

    memcpy(text, ask->value, RUN_VALUE_MAX);
    text[RUN_VALUE_MAX] = '\0';
    equals = strchr(text, '=');
    if (ask->op == RUN_KNOB_SET) {
        if (!equals)
            return -EINVAL;
        *equals = '\0';
        return weir_knob_set(d->stack, text, equals + 1);
    }
    v = weir_knob_get(d->stack, text, (char *)a->value, sizeof a->value);
    a->value_len = v < 0 ? 0 : (uint32_t)v;
    return v;
}

/* -- the socket -------------------------------------------------------------------------------- */

static void answer(struct daemon *d, const struct run_ask *ask, int fd)
{
    struct run_answer a = {.result = 0};

    switch (ask->op) {
    case RUN_SS:
        answer_ss(d, fd);
        break;
    case RUN_STATS:
        answer_stats(d, fd);
        break;
    case RUN_WHY:
        answer_why(d, ask, fd);
        break;
    case RUN_NET_SHOW:
        net_show(d, ask, fd);
        break;
    case RUN_NET_SET:
        a.result = net_set(d, ask);
        break;
    case RUN_KNOB_GET:
    case RUN_KNOB_SET:
        a.result = answer_knob(d, ask, &a);
        break;
    case RUN_LINK:
        a.result = d->gateway ? RUN_LINK_HOST : RUN_LINK_TAP;
        break;
    case RUN_REASON:
        a.result = reason_of(d, ask);
        break;
    case RUN_RENEW:
        a.result = do_renew(d, ask);
        break;
    case RUN_CLOSED:
        carrier_look(d, ask->id);
        break;
    case RUN_PING:
        a.result = ping_begin(d, ask, fd);
        if (a.result == 0)
            return;
        break;
    case RUN_TRACE:
        a.result = trace_begin(d, ask, fd);
        if (a.result == 0)
            return;
        break;
    case RUN_DUMP:
        a.result = watch_begin(d, fd);
        if (a.result == 0)
            return;
        break;
    default:
        a.result = answer_carrier(d, ask, &a, fd);
        if (a.result == INT32_MAX)
            return; /* a connect that waits */
    }
    send_answer(fd, &a);
    close(fd);
}

/* Tools are for the owner and root. Doors are for the program, which root's may have made somebody
 * else (nginx's workers). */
static bool is_allowed(const struct ucred *who, const struct run_ask *ask)
{
    bool is_owner = who->uid == 0 || who->uid == getuid();

    return is_owner || (getuid() == 0 && ask->op < RUN_SS);
}

/* The question follows the connection at once; a peer that is slow to ask is given a moment. */
static bool hear(int fd, struct run_ask *ask)
{
    struct timeval patience = {.tv_usec = 200000};

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (recv(fd, ask, sizeof *ask, 0) != (ssize_t)sizeof *ask)
        return false;
    ask->id[sizeof ask->id - 1] = '\0';
    return true;
}

void control_on_socket(struct daemon *d, struct source *s, uint32_t events)
{
    struct run_ask ask;
    struct ucred who;
    socklen_t len;
    int ctl = s == &d->host_ctl_source ? d->host_ctl : d->ctl;

    (void)events;
    for (int i = 0; i < BATCH; i++) {
        int fd = accept4(ctl, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return;
        len = sizeof who;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || !hear(fd, &ask)) {
            close(fd);
            continue;
        }
        d->asker = who.pid;
        if (is_allowed(&who, &ask))
            answer(d, &ask, fd);
        else
            control_answer(fd, -EPERM);
    }
}
