/* The programs of a random world: each end of a connection acts when weir_ready names its socket,
 * or when a pause of its own is over, and never looks without a reason. See soak.h.
 *
 * Knows: libweir's sockets. Shape: connect or accept, then read, write, finish. Units: ns.
 * Errors: what is read is compared at once. Cost: O(events). */
#include "soak.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define PERIOD 65521u /* a prime: no segment size divides it */
#define READ_MAX 65536

const uint8_t *soak_pattern(uint32_t key, uint32_t at, uint32_t *len)
{
    static uint8_t bytes[PERIOD];
    uint32_t from = (at + key) % PERIOD;

    if (!bytes[0] && !bytes[1])
        for (uint32_t i = 0; i < PERIOD; i++)
            bytes[i] = (uint8_t)((i + 1) * 2654435761u >> 23);
    *len = *len < PERIOD - from ? *len : PERIOD - from;
    return bytes + from;
}

static uint32_t key_of(const struct soak_end *e)
{
    return (uint32_t)(e->conn->id * 2 + e->side) * 4093u;
}

static void done(struct soak_end *e)
{
    e->state = SOAK_DONE;
    e->sock = -1;
    e->done_at = e->w->lab->now;
}

static void fails(struct soak_end *e, int error)
{
    e->error = error;
    weir_close(e->node->stack, e->sock);
    done(e);
}

/* -- reading ----------------------------------------------------------------------------------- */

static bool took(struct soak_end *e, const uint8_t *data, uint32_t len)
{
    const struct soak_end *peer = &e->conn->end[1 - e->side];

    for (uint32_t at = 0; at < len;) {
        uint32_t n = len - at;
        const uint8_t *want = soak_pattern(key_of(peer), e->got + at, &n);
        if (memcmp(want, data + at, n) != 0) {
            soak_wrong(e->w, "connection %d, side %d: wrong bytes at %u to %u", e->conn->id,
                       e->side, e->got + at, e->got + at + n);
            return false;
        }
        at += n;
    }
    e->got += len;
    e->w->bytes += len;
    if (e->got > peer->sent)
        soak_wrong(e->w, "connection %d, side %d: %u bytes read, %u were sent", e->conn->id,
                   e->side, e->got, peer->sent);
    return !*e->w->wrong;
}

/* What recv gives, and takes it. */
static ssize_t read_some(struct soak_end *e)
{
    static uint8_t buffer[READ_MAX];
    struct weir_slice slice[2];
    bool has_ended = false;
    ssize_t n;

    if (!e->uses_slices) {
        n = weir_recv(e->node->stack, e->sock, buffer, e->read_chunk, 0);
        if (n > 0)
            took(e, buffer, (uint32_t)n);
        return n;
    }
    n = weir_recv_slices(e->node->stack, e->sock, slice, &has_ended);
    if (n <= 0)
        return n;
    if (slice[0].len > e->read_chunk)
        slice[0].len = e->read_chunk;
    took(e, slice[0].data, slice[0].len);
    weir_recv_consume(e->node->stack, e->sock, slice[0].len);
    return (ssize_t)slice[0].len;
}

/* False: the connection is over for this end. */
static bool read_all(struct soak_end *e)
{
    while (!e->has_ended && e->read_at <= e->w->lab->now && !*e->w->wrong) {
        ssize_t n = read_some(e);
        if (n == -EAGAIN)
            break;
        if (n < 0) {
            fails(e, (int)-n);
            return false;
        }
        e->has_ended = n == 0;
        if (e->read_pause)
            e->read_at = e->w->lab->now + e->read_pause;
    }
    return true;
}

/* -- writing ----------------------------------------------------------------------------------- */

static ssize_t write_some(struct soak_end *e)
{
    uint32_t len = e->bytes - e->sent < e->write_chunk ? e->bytes - e->sent : e->write_chunk;
    const uint8_t *from;
    struct weir_space space[2];
    int n;

    if (!e->uses_slices) {
        from = soak_pattern(key_of(e), e->sent, &len);
        return weir_send(e->node->stack, e->sock, from, len, 0);
    }
    n = weir_send_space(e->node->stack, e->sock, len, space);
    if (n < 0)
        return n;
    if (n == 0)
        return -EAGAIN;
    len = space[0].len < len ? space[0].len : len;
    from = soak_pattern(key_of(e), e->sent, &len);
    memcpy(space[0].data, from, len);
    n = weir_send_commit(e->node->stack, e->sock, len, 0);
    return n < 0 ? n : (ssize_t)len;
}

static bool write_all(struct soak_end *e)
{
    while (e->sent < e->bytes && e->write_at <= e->w->lab->now) {
        ssize_t n = write_some(e);
        if (n == -EAGAIN)
            break;
        if (n < 0) {
            fails(e, (int)-n);
            return false;
        }
        e->sent += (uint32_t)n;
        if (e->write_pause)
            e->write_at = e->w->lab->now + e->write_pause;
    }
    return true;
}

/* -- the end ----------------------------------------------------------------------------------- */

static void finish(struct soak_end *e)
{
    static const struct linger linger = {1, 0};
    struct weir_stack *k = e->node->stack;

    if (e->sent < e->bytes || (e->answers && !e->has_ended))
        return;
    if (e->finish == FINISH_POLITE && !e->is_shut) {
        int r = weir_shutdown(k, e->sock, SHUT_WR);
        e->is_shut = true;
        if (r < 0 && r != -ENOTCONN)
            soak_wrong(e->w, "connection %d: shutdown gives %d", e->conn->id, r);
    }
    if (e->finish <= FINISH_AFTER && !e->has_ended)
        return;
    if (e->finish == FINISH_LINGER)
        weir_setsockopt(k, e->sock, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    if (e->finish == FINISH_ABORT)
        weir_abort(k, e->sock);
    else
        weir_close(k, e->sock);
    done(e);
}

static void act(struct soak_end *e)
{
    if (!read_all(e))
        return;
    if ((!e->answers || e->has_ended) && !write_all(e))
        return;
    finish(e);
}

/* -- the beginning ----------------------------------------------------------------------------- */

static void start_connecting(struct soak_end *e)
{
    const struct lab_node *far = e->conn->end[1].node;
    struct weir_sockaddr to = {.addr = weir_addr_v4(lab_addr(far, e->node)), .port = e->conn->port};
    int r;

    e->sock = weir_socket(e->node->stack, AF_INET, SOCK_STREAM, 0);
    if (e->sock < 0) {
        e->error = -e->sock;
        done(e);
        return;
    }
    weir_set_user(e->node->stack, e->sock, e);
    e->state = SOAK_CONNECTING;
    r = weir_connect(e->node->stack, e->sock, &to);
    if (r != -EINPROGRESS)
        fails(e, -r);
}

static void look_at_connect(struct soak_end *e)
{
    int ready = weir_readiness(e->node->stack, e->sock), error = 0;
    size_t len = sizeof error;

    if (!(ready & (WEIR_READY_OUT | WEIR_READY_ERR | WEIR_READY_HUP)))
        return;
    weir_getsockopt(e->node->stack, e->sock, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        fails(e, error);
        return;
    }
    e->state = SOAK_UP;
    act(e);
}

static void look_at_listener(struct soak_end *e)
{
    int sock = weir_accept(e->node->stack, e->listener, NULL);

    if (sock == -EAGAIN)
        return;
    if (sock < 0) {
        if (!e->w->is_harsh)
            soak_wrong(e->w, "connection %d: accept gives %d", e->conn->id, sock);
        return;
    }
    e->sock = sock;
    e->state = SOAK_UP;
    weir_set_user(e->node->stack, sock, e);
    act(e);
}

void soak_listen(struct soak *w)
{
    for (int i = 0; i < w->conns; i++) {
        struct soak_end *e = &w->conn[i].end[1];
        struct weir_sockaddr at = {.addr = weir_addr_v4(0), .port = w->conn[i].port};
        e->listener = weir_socket(e->node->stack, AF_INET, SOCK_STREAM, 0);
        weir_bind(e->node->stack, e->listener, &at);
        weir_listen(e->node->stack, e->listener, 1);
        weir_set_user(e->node->stack, e->listener, e);
    }
}

/* -- rounds ------------------------------------------------------------------------------------ */

static void on_event(struct soak_end *e, int sock)
{
    if (sock == e->listener && e->state == SOAK_IDLE)
        look_at_listener(e);
    else if (sock == e->sock && e->state == SOAK_CONNECTING)
        look_at_connect(e);
    else if (sock == e->sock && e->state == SOAK_UP)
        act(e);
}

static bool read_events(struct soak *w, struct lab_node *n)
{
    struct weir_ready_event event[16];
    bool did = false;
    int got;

    while (n->stack && (got = weir_ready(n->stack, event, 16)) > 0)
        for (int i = 0; i < got; i++) {
            if (!event[i].user)
                continue; /* a datagram socket: soak_udp.c */
            on_event(event[i].user, event[i].sock);
            did = true;
        }
    (void)w;
    return did;
}

/* When its own clock calls it, or WEIR_NEVER. */
static int64_t wakes_at(const struct soak_end *e)
{
    int64_t now = e->w->lab->now, at = WEIR_NEVER;

    if (e->is_dead)
        return WEIR_NEVER;
    if (e->state == SOAK_IDLE && e->side == 0)
        return e->begin_at;
    if (e->state != SOAK_UP)
        return WEIR_NEVER;
    if (e->read_at > now)
        at = e->read_at;
    if (e->write_at > now && e->write_at < at)
        at = e->write_at;
    return at;
}

static bool own_clock(struct soak_end *e)
{
    if (e->is_dead || !e->node->stack)
        return false;
    if (e->state == SOAK_IDLE && e->side == 0 && e->begin_at <= e->w->lab->now) {
        start_connecting(e);
        return true;
    }
    if (e->state != SOAK_UP || (e->read_at != e->w->lab->now && e->write_at != e->w->lab->now))
        return false;
    e->read_at -= e->read_at == e->w->lab->now; /* once */
    e->write_at -= e->write_at == e->w->lab->now;
    act(e);
    return true;
}

bool soak_apps(struct soak *w)
{
    bool did = false;

    for (int i = 0; i < w->hosts; i++)
        did |= read_events(w, w->host[i]);
    for (int i = 0; i < w->conns; i++)
        for (int k = 0; k < 2; k++)
            did |= own_clock(&w->conn[i].end[k]);
    return did;
}

int64_t soak_apps_deadline(const struct soak *w)
{
    int64_t at = WEIR_NEVER;

    for (int i = 0; i < w->conns; i++)
        for (int k = 0; k < 2; k++) {
            int64_t one = wakes_at(&w->conn[i].end[k]);
            at = one < at ? one : at;
        }
    return at;
}

void soak_host_died(struct soak *w, const struct lab_node *n)
{
    for (int i = 0; i < w->conns; i++)
        for (int k = 0; k < 2; k++) {
            struct soak_end *e = &w->conn[i].end[k];
            if (e->node == n && e->state != SOAK_DONE) {
                e->is_dead = true;
                done(e);
            }
        }
    for (int i = 0; i < w->flows; i++) {
        struct soak_flow *f = &w->flow[i];
        if (f->from == n)
            f->sent = f->count;
        f->to_sock = f->to == n ? -1 : f->to_sock;
    }
}

/* Ends what is still open, and the listeners. */
void soak_close_all(struct soak *w)
{
    for (int i = 0; i < w->conns; i++)
        for (int k = 0; k < 2; k++) {
            struct soak_end *e = &w->conn[i].end[k];
            if (e->sock >= 0 && e->node->stack)
                weir_close(e->node->stack, e->sock);
            if (k == 1 && e->node->stack && !e->is_dead && e->node->boots == 1)
                weir_close(e->node->stack, e->listener);
        }
}
