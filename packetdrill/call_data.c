/* read, write and their kin: bytes and datagrams.
 *
 * Knows: buffers. "..." is the stream of flow_byte, or no more than a length; "text" is sent as it
 * is. Shape: see call.h. Units: bytes. Errors: -errno of the call. Cost: O(bytes). */
#include <errno.h>
#include <string.h>

#include "packetdrill/call.h"

/* -- buffers ----------------------------------------------------------------------------------- */

static void add_piece(struct playing *c, void *base, size_t len)
{
    c->iov[c->io.iovs++] = (struct iovec){.iov_base = base, .iov_len = len};
    c->io.iov = c->iov;
}

/* The bytes at `at` that stand for "...": a pattern, so that what is lost or doubled is seen. */
static void fill(uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)(i * 7 + (i >> 8));
}

static bool one_buffer(struct run *r, struct playing *c, int64_t count, bool is_write)
{
    const struct value *v = arg_at(c, 1);

    if (c->io.iovs)
        return true; /* tried before */
    if (count < 0 || count > 64 << 20)
        return problem_set(r->problem, PROBLEM_SYNTAX, c->step->at, "a length of 0 to 64 MiB");
    buffer_of(r, c, (size_t)count);
    if (is_write && v->kind == VALUE_TEXT) {
        if ((size_t)count > v->len)
            return problem_set(r->problem, PROBLEM_SYNTAX, v->at, "the text has only %zu bytes",
                               v->len);
        memcpy(c->buffer, v->text, (size_t)count);
    } else if (v->kind != VALUE_ANY && v->kind != VALUE_TEXT) {
        return problem_set(r->problem, PROBLEM_SYNTAX, v->at, "expected ... or a text");
    } else if (is_write) {
        fill(c->buffer, (size_t)count);
    }
    add_piece(c, c->buffer, (size_t)count);
    return true;
}

/* [{..., 1000}, {..., 100}] */
static bool many_buffers(struct run *r, struct playing *c, const struct value *list)
{
    const struct value *len;
    int64_t n, total = 0;

    if (c->io.iovs)
        return true;
    if (list->kind != VALUE_LIST || list->items > 8)
        return problem_set(r->problem, PROBLEM_SYNTAX, list->at,
                           "expected at most 8 pieces [{..., N}]");
    for (int i = 0; i < list->items; i++) {
        const struct value *piece = list->item[i];
        len = piece->kind == VALUE_LIST && piece->items == 2 ? piece->item[1] : NULL;
        if (!len || !number_of(r, len, &n) || n < 0 || n > 64 << 20)
            return problem_set(r->problem, PROBLEM_SYNTAX, piece->at, "expected a piece {..., N}");
        add_piece(c, NULL, (size_t)n);
        total += n;
    }
    fill(buffer_of(r, c, (size_t)total), (size_t)total);
    total = 0;
    for (int i = 0; i < c->io.iovs; i++) {
        c->iov[i].iov_base = c->buffer + total;
        total += (int64_t)c->iov[i].iov_len;
    }
    return true;
}

/* -- after the call ---------------------------------------------------------------------------- */

static bool check_read(struct run *r, struct playing *c)
{
    int64_t wrong, number;

    if (!arg_number(r, c, 0, &number))
        return false;
    wrong = flow_read(r, fd_of_script(r, number), &c->io, (size_t)c->result);
    if (wrong < 0)
        return true;
    return problem_set(r->problem, PROBLEM_FAILED, c->step->at,
                       "%s: byte %lld is not what the other end sent", c->step->call->name,
                       (long long)wrong);
}

/* Bytes that a call takes bit by bit may leave before it ends: they are noted at once. */
static int64_t send_noted(struct run *r, struct playing *c, int fd)
{
    size_t before = c->wait.done;
    bool is_connect = c->io.flags & MSG_FASTOPEN && !c->wait.has_begun;
    int64_t v = node_send(r->node, fd, &c->io, &c->wait);
    struct iovec rest[8];
    struct node_io io = {.iov = rest};
    size_t skip = before;

    for (int i = 0; i < c->io.iovs; i++) {
        size_t cut = skip < c->iov[i].iov_len ? skip : c->iov[i].iov_len;
        rest[io.iovs].iov_base = (uint8_t *)c->iov[i].iov_base + cut;
        rest[io.iovs++].iov_len = c->iov[i].iov_len - cut;
        skip -= cut;
    }
    if (is_connect && (v >= 0 || v == -EINPROGRESS || v == NODE_BLOCKS))
        flow_connects(r, fd, &c->io);
    flow_written(r, fd, &io, c->wait.done - before);
    return v;
}

/* -- the calls --------------------------------------------------------------------------------- */

static int64_t transfer(struct run *r, struct playing *c, int flags_arg, bool is_write)
{
    int64_t count, flags = 0;
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !arg_number(r, c, 2, &count) ||
        (flags_arg && !arg_number(r, c, flags_arg, &flags)) || !one_buffer(r, c, count, is_write))
        return CALL_BAD;
    c->io.flags = (int)flags;
    if (is_write)
        return send_noted(r, c, fd);
    c->check = check_read;
    return node_receive(r->node, fd, &c->io, &c->wait);
}

static int64_t try_read(struct run *r, struct playing *c)
{
    return transfer(r, c, 0, false);
}

static int64_t try_write(struct run *r, struct playing *c)
{
    return transfer(r, c, 0, true);
}

static int64_t try_recv(struct run *r, struct playing *c)
{
    return transfer(r, c, 3, false);
}

static int64_t try_send(struct run *r, struct playing *c)
{
    const struct weir_sockaddr to = {.addr = r->set.remote, .port = r->set.connect_port};

    if (arg_at(c, 4) && (arg_at(c, 4)->kind == VALUE_LIST || arg_is_any(c, 4)) &&
        !arg_address(r, c, 4, &to))
        return CALL_BAD;
    return transfer(r, c, 3, true);
}

static int64_t vector(struct run *r, struct playing *c, bool is_write)
{
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !many_buffers(r, c, arg_at(c, 1)))
        return CALL_BAD;
    if (is_write)
        return send_noted(r, c, fd);
    c->check = check_read;
    return node_receive(r->node, fd, &c->io, &c->wait);
}

static int64_t try_readv(struct run *r, struct playing *c)
{
    return vector(r, c, false);
}

static int64_t try_writev(struct run *r, struct playing *c)
{
    return vector(r, c, true);
}

/* Of sendmsg and recvmsg: fd, {msg_name(...)=..., msg_iov(1)=[{..., 1000}], msg_flags=0}, flags */
static bool message(struct run *r, struct playing *c, int *fd)
{
    const struct value *m = arg_at(c, 1), *iov;
    int64_t flags;

    if (!arg_fd(r, c, 0, fd))
        return false;
    if (m->kind != VALUE_LIST || !(iov = field_of(m, "msg_iov")))
        return problem_set(r->problem, PROBLEM_SYNTAX, m->at,
                           "expected a message {msg_iov = [...]}");
    if (!many_buffers(r, c, iov) || !arg_number(r, c, 2, &flags))
        return false;
    c->io.flags = (int)flags;
    return true;
}

static bool check_message(struct run *r, struct playing *c)
{
    const struct value *flags = field_of(arg_at(c, 1), "msg_flags");
    int64_t want;

    if (!check_read(r, c))
        return false;
    if (!flags || flags->kind == VALUE_ANY)
        return true;
    return number_of(r, flags, &want) && call_differs(r, c, "msg_flags", want, c->io.out_flags);
}

static int64_t try_recvmsg(struct run *r, struct playing *c)
{
    int fd;

    if (!message(r, c, &fd))
        return CALL_BAD;
    c->io.out_flags = 0;
    c->check = check_message;
    return node_receive(r->node, fd, &c->io, &c->wait);
}

static int64_t try_sendmsg(struct run *r, struct playing *c)
{
    int fd;

    return message(r, c, &fd) ? send_noted(r, c, fd) : CALL_BAD;
}

const struct call_row calls_of_data[] = {
    {"read", 3, 3, try_read},
    {"recv", 4, 4, try_recv},
    {"recvfrom", 4, 6, try_recv},
    {"readv", 3, 3, try_readv},
    {"recvmsg", 3, 3, try_recvmsg},
    {"write", 3, 3, try_write},
    {"send", 4, 4, try_send},
    {"sendto", 4, 6, try_send},
    {"writev", 3, 3, try_writev},
    {"sendmsg", 3, 3, try_sendmsg},
    {NULL, 0, 0, NULL},
};
