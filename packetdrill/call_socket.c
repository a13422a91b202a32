/* socket, bind, listen, accept, connect, shutdown, close: the calls of a socket's life.
 *
 * Knows: what "..." stands for: the script's own addresses and ports. Shape: see call.h.
 * Units: none. Errors: -errno of the call. Cost: O(1). */
#include <errno.h>
#include <string.h>

#include "packetdrill/call.h"

static struct weir_sockaddr here(const struct run *r)
{
    return (struct weir_sockaddr){.addr = r->set.local, .port = r->set.bind_port};
}

static struct weir_sockaddr there(const struct run *r)
{
    return (struct weir_sockaddr){.addr = r->set.remote, .port = r->set.connect_port};
}

static int64_t try_socket(struct run *r, struct playing *c)
{
    int64_t family = r->set.family, type, protocol;

    if ((!arg_is_any(c, 0) && !arg_number(r, c, 0, &family)) || !arg_number(r, c, 1, &type) ||
        !arg_number(r, c, 2, &protocol))
        return CALL_BAD;
    return node_socket(r->node, (int)family, (int)type, (int)protocol);
}

/* Where packets that name no ports are to go. */
static void note_port(struct run *r, int fd)
{
    struct node_io local = {.addr_len = 0};
    const uint8_t *port = (const uint8_t *)&local.addr + 2; /* in both families */

    if (node_name(r->node, fd, false, &local) == 0)
        r->listen_port = (uint16_t)(port[0] << 8 | port[1]);
}

static int64_t try_bind(struct run *r, struct playing *c)
{
    struct weir_sockaddr fallback = here(r);
    int64_t v;
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !arg_address(r, c, 1, &fallback))
        return CALL_BAD;
    v = node_bind(r->node, fd, (const void *)&c->io.addr, c->io.addr_len);
    if (v == 0)
        note_port(r, fd);
    return v;
}

static int64_t try_listen(struct run *r, struct playing *c)
{
    int64_t backlog, v;
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !arg_number(r, c, 1, &backlog))
        return CALL_BAD;
    v = node_listen(r->node, fd, (int)backlog);
    if (v == 0) {
        note_port(r, fd);
        r->is_listener_fresh = true;
    }
    return v;
}

/* Who was accepted: the same address and port that the script names. */
static bool check_peer(struct run *r, struct playing *c)
{
    struct node_io got = c->io;
    struct weir_sockaddr fallback = {.port = 0};

    if (!arg_address(r, c, 1, &fallback))
        return false;
    if (memcmp(&got.addr, &c->io.addr, got.addr_len) == 0)
        return true;
    return problem_set(r->problem, PROBLEM_FAILED, c->step->at, "%s: another address than expected",
                       c->step->call->name);
}

static int64_t accept_with(struct run *r, struct playing *c, int64_t flags)
{
    int64_t v;
    int fd;

    if (!arg_fd(r, c, 0, &fd))
        return CALL_BAD;
    v = node_accept(r->node, fd, (int)flags, &c->io, &c->wait);
    if (v >= 0) {
        r->last_fd = (int)v;
        flow_forget(r, (int)v);
        flow_of_socket(r, (int)v);
    }
    if (!arg_is_any(c, 1))
        c->check = check_peer;
    return v;
}

static int64_t try_accept(struct run *r, struct playing *c)
{
    return accept_with(r, c, 0);
}

static int64_t try_accept4(struct run *r, struct playing *c)
{
    int64_t flags;

    return arg_number(r, c, 3, &flags) ? accept_with(r, c, flags) : CALL_BAD;
}

static void connected(struct run *r, const struct playing *c, int fd)
{
    struct flow *f = flow_of_socket(r, fd);

    r->last_fd = fd;
    if (f && f->kind == SEGMENT_UDP)
        r->current = f;
    if (!f) /* Fast Open: the SYN waits for the first write */
        flow_connects(r, fd, &c->io);
}

static int64_t try_connect(struct run *r, struct playing *c)
{
    struct weir_sockaddr fallback = there(r);
    bool is_first = !c->wait.has_begun;
    int64_t v;
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !arg_address(r, c, 1, &fallback))
        return CALL_BAD;
    v = node_connect(r->node, fd, &c->io, &c->wait);
    if (is_first && (v == -EINPROGRESS || v == NODE_BLOCKS))
        flow_connects(r, fd, &c->io);
    else if (v == 0)
        connected(r, c, fd);
    return v;
}

static int64_t try_shutdown(struct run *r, struct playing *c)
{
    int64_t how;
    int fd;

    if (!arg_fd(r, c, 0, &fd) || !arg_number(r, c, 1, &how))
        return CALL_BAD;
    return node_shutdown(r->node, fd, (int)how);
}

static int64_t try_close(struct run *r, struct playing *c)
{
    int64_t number, v;
    int fd;

    if (!arg_number(r, c, 0, &number) || !arg_fd(r, c, 0, &fd))
        return CALL_BAD;
    v = node_close(r->node, fd, &c->wait);
    if (v != -EBADF && number >= 0 && number < NUMBERS_MAX)
        r->number[number] = -1;
    flow_forget(r, fd);
    if (fd >= 0 && r->last_fd == fd)
        r->last_fd = -1;
    return v;
}

static bool check_name(struct run *r, struct playing *c)
{
    return arg_is_any(c, 1) || check_peer(r, c);
}

static int64_t try_getsockname(struct run *r, struct playing *c)
{
    int fd;

    c->check = check_name;
    return arg_fd(r, c, 0, &fd) ? node_name(r->node, fd, false, &c->io) : CALL_BAD;
}

static int64_t try_getpeername(struct run *r, struct playing *c)
{
    int fd;

    c->check = check_name;
    return arg_fd(r, c, 0, &fd) ? node_name(r->node, fd, true, &c->io) : CALL_BAD;
}

const struct call_row calls_of_sockets[] = {
    {"socket", 3, 3, try_socket},
    {"bind", 3, 3, try_bind},
    {"listen", 2, 2, try_listen},
    {"accept", 3, 3, try_accept},
    {"accept4", 4, 4, try_accept4},
    {"connect", 3, 3, try_connect},
    {"shutdown", 2, 2, try_shutdown},
    {"close", 1, 1, try_close},
    {"getsockname", 3, 3, try_getsockname},
    {"getpeername", 3, 3, try_getpeername},
    {NULL, 0, 0, NULL},
};
