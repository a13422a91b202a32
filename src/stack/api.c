/* The socket calls of the public header: each enters the stack, then asks sock/.
 *
 * Knows: sock.h. Shape: one line of work a call. Units: bytes. Errors: -errno.
 * Cost: that of the call below. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "stack/stack.h"

int weir_socket(struct weir_stack *k, int family, int type, int protocol)
{
    stack_settle(k);
    return sock_open(&k->socks, family, type, protocol);
}

int weir_bind(struct weir_stack *k, int sock, const struct weir_sockaddr *local)
{
    stack_settle(k);
    return sock_bind(&k->socks, sock, local);
}

int weir_listen(struct weir_stack *k, int sock, int backlog)
{
    stack_settle(k);
    return sock_listen(&k->socks, sock, backlog);
}

int weir_accept(struct weir_stack *k, int sock, struct weir_sockaddr *peer)
{
    stack_settle(k);
    return sock_accept(&k->socks, sock, peer);
}

int weir_connect(struct weir_stack *k, int sock, const struct weir_sockaddr *peer)
{
    stack_settle(k);
    return sock_connect(&k->socks, sock, peer);
}

ssize_t weir_send(struct weir_stack *k, int sock, const void *data, size_t len, int flags)
{
    stack_settle(k);
    return sock_send(&k->socks, sock, data, len, flags);
}

ssize_t weir_recv(struct weir_stack *k, int sock, void *data, size_t len, int flags)
{
    stack_settle(k);
    return sock_recv(&k->socks, sock, data, len, flags);
}

int weir_at_mark(const struct weir_stack *k, int sock)
{
    return sock_at_mark(&k->socks, sock);
}

ssize_t weir_sendto(struct weir_stack *k, int sock, const void *data, size_t len, int flags,
                    const struct weir_sockaddr *to)
{
    return weir_sendmsg(k, sock, data, len, flags, to, NULL);
}

ssize_t weir_sendmsg(struct weir_stack *k, int sock, const void *data, size_t len, int flags,
                     const struct weir_sockaddr *to, const struct weir_datagram *about)
{
    struct sock *s = sock_at(&k->socks, sock);

    stack_settle(k);
    if (s && s->kind == SOCK_KIND_TCP && flags & MSG_FASTOPEN && to)
        return sock_fastopen(&k->socks, sock, data, len, to);
    if (s && s->kind == SOCK_KIND_TCP)
        return sock_send(&k->socks, sock, data, len, flags);
    return sock_sendmsg(&k->socks, sock, data, len, &(struct sock_message){to, about});
}

ssize_t weir_recvfrom(struct weir_stack *k, int sock, void *data, size_t len, int flags,
                      struct weir_sockaddr *from)
{
    return weir_recvmsg(k, sock, data, len, flags, from, NULL);
}

ssize_t weir_recvmsg(struct weir_stack *k, int sock, void *data, size_t len, int flags,
                     struct weir_sockaddr *from, struct weir_datagram *about)
{
    struct udp_message m = {.data = data, .room = len};
    ssize_t n;

    stack_settle(k);
    n = sock_recvmsg(&k->socks, sock, &m, flags);
    if (n >= 0 && from)
        *from = m.from;
    if (n >= 0 && about) {
        *about = (struct weir_datagram){
            .local = m.local, .ttl = m.ttl, .tos = m.tos, .options_len = m.options_len};
        memcpy(about->options, m.options, m.options_len);
    }
    return n;
}

ssize_t weir_recverr(struct weir_stack *k, int sock, void *data, size_t len,
                     struct weir_sock_error *error)
{
    struct udp_error e;
    ssize_t n;

    stack_settle(k);
    n = sock_recverr(&k->socks, sock, &e, data, len);
    if (n >= 0)
        *error = (struct weir_sock_error){.error = e.error,
                                          .origin = e.origin,
                                          .type = e.type,
                                          .code = e.code,
                                          .info = e.info,
                                          .to = e.to,
                                          .offender = e.offender,
                                          .ttl = e.ttl,
                                          .tos = e.tos};
    return n;
}

int weir_shutdown(struct weir_stack *k, int sock, int how)
{
    stack_settle(k);
    return sock_shutdown(&k->socks, sock, how);
}

int weir_disconnect(struct weir_stack *k, int sock)
{
    stack_settle(k);
    return sock_disconnect(&k->socks, sock);
}

int weir_close(struct weir_stack *k, int sock)
{
    stack_settle(k);
    return sock_close(&k->socks, sock, false);
}

int weir_abort(struct weir_stack *k, int sock)
{
    stack_settle(k);
    return sock_close(&k->socks, sock, true);
}

int weir_getsockname(struct weir_stack *k, int sock, struct weir_sockaddr *local)
{
    return sock_name(&k->socks, sock, local, false);
}

int weir_getpeername(struct weir_stack *k, int sock, struct weir_sockaddr *peer)
{
    return sock_name(&k->socks, sock, peer, true);
}

int weir_setsockopt(struct weir_stack *k, int sock, int level, int name, const void *value,
                    size_t len)
{
    struct sock_opt o = {
        .level = level, .name = name, .value = (void *)(uintptr_t)value, .len = len};

    stack_settle(k);
    return sock_setopt(&k->socks, sock, &o);
}

int weir_getsockopt(struct weir_stack *k, int sock, int level, int name, void *value, size_t *len)
{
    struct sock_opt o = {.level = level, .name = name, .value = value, .len = *len};
    int v;

    stack_settle(k);
    v = sock_getopt(&k->socks, sock, &o);
    *len = o.len;
    return v;
}

/* -- without a copy ---------------------------------------------------------------------------- */

static uint32_t stream_of(struct weir_stack *k, int sock, int *error)
{
    struct sock *s = sock_at(&k->socks, sock);

    *error = !s ? -EBADF : s->kind != SOCK_KIND_TCP ? -EOPNOTSUPP : 0;
    return *error ? 0 : s->endpoint;
}

int weir_send_space(struct weir_stack *k, int sock, uint32_t want, struct weir_space space[2])
{
    struct ring_slice out[2];
    int v;
    uint32_t t = stream_of(k, sock, &v);

    if (!t)
        return v;
    stack_settle(k);
    v = tcp_send_space(&k->tcp, t, want, out);
    for (int i = 0; i < v; i++)
        space[i] = (struct weir_space){out[i].data, out[i].len};
    return v;
}

int weir_send_commit(struct weir_stack *k, int sock, uint32_t len, int flags)
{
    int v;
    uint32_t t = stream_of(k, sock, &v);

    if (!t)
        return v;
    tcp_send_commit(&k->tcp, t, len, flags);
    return 0;
}

int weir_recv_slices(struct weir_stack *k, int sock, struct weir_slice slice[2], bool *ended)
{
    struct ring_slice out[2];
    int v;
    uint32_t t = stream_of(k, sock, &v);

    if (!t)
        return v;
    v = tcp_receive_slices(&k->tcp, t, out, ended);
    for (int i = 0; i < v; i++)
        slice[i] = (struct weir_slice){out[i].data, out[i].len};
    return v;
}

int weir_recv_consume(struct weir_stack *k, int sock, uint32_t len)
{
    int v;
    uint32_t t = stream_of(k, sock, &v);

    if (!t)
        return v;
    stack_settle(k);
    tcp_receive_consume(&k->tcp, t, len);
    return 0;
}

/* -- readiness --------------------------------------------------------------------------------- */

int weir_readiness(struct weir_stack *k, int sock)
{
    return sock_readiness(&k->socks, sock);
}

int weir_ready(struct weir_stack *k, struct weir_ready_event *events, int max)
{
    return sock_ready(&k->socks, events, max);
}

int weir_set_user(struct weir_stack *k, int sock, void *user)
{
    struct sock *s = sock_at(&k->socks, sock);

    if (!s)
        return -EBADF;
    s->user = user;
    return 0;
}

/* -- held SYNs --------------------------------------------------------------------------------- */

int weir_held_next(struct weir_stack *k, int sock, struct weir_held *held)
{
    struct flow f;
    int v;
    uint32_t t = stream_of(k, sock, &v);

    if (!t)
        return v;
    if (!tcp_held_next(&k->tcp, t, &held->id, &f))
        return -EAGAIN;
    held->peer = (struct weir_sockaddr){.addr = f.remote, .port = f.rport};
    held->local = (struct weir_sockaddr){.addr = f.local, .port = f.lport};
    return 1;
}

int weir_held_accept(struct weir_stack *k, uint64_t id)
{
    return tcp_held_accept(&k->tcp, id);
}
