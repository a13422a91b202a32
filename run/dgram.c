/* Datagrams: one socket of the daemon to which all datagram carriers are connected.
 *
 * Knows: struct run_dgram. Shape: the sender's name says which carrier; what the stack receives
 * goes to that name. Units: bytes. Errors: a full carrier loses the datagram, counted. Cost: one
 * system call each way. */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define BATCH 64
#define QUEUE_MAX 1100 /* datagrams that wait for us: netns.c's queue, and a few on their way */

static bool is_bare(const struct carrier *c)
{
    return c->id[0] == 'b';
}

/* An unbound socket gets a port; on the host link the source is what the host would choose. */
static int prepare(struct daemon *d, struct carrier *c)
{
    struct weir_sockaddr any = {.port = 0};
    int v = carrier_socket(d, c);

    if (v < 0 || c->is_bound)
        return v;
    if (c->family == AF_INET)
        any.addr = weir_addr_v4(0);
    v = weir_bind(d->stack, c->sock, &any);
    c->is_bound = v == 0;
    return v;
}

int dgram_connect(struct daemon *d, struct carrier *c, const struct weir_sockaddr *peer)
{
    struct weir_sockaddr local = {.port = 0};
    int v = carrier_socket(d, c);

    if (v < 0 || (is_bare(c) && (v = bare_open(d)) < 0))
        return v;
    if (d->gateway && (v = carrier_source(d, c, peer, &local)) < 0)
        return v;
    if (d->gateway && !c->is_bound && !weir_addr_is_any(&local.addr)) {
        local.port = 0;
        c->is_bound = c->is_bound_late = weir_bind(d->stack, c->sock, &local) == 0;
    }
    v = weir_connect(d->stack, c->sock, peer);
    if (v == 0 && !c->is_bound)
        c->is_bound = c->is_bound_late = true;
    return v;
}

/* AF_UNSPEC: a socket that was bound for its peer's sake is bound no more. */
int dgram_disconnect(struct daemon *d, struct carrier *c)
{
    if (c->sock < 0)
        return 0;
    if (!c->is_bound_late)
        return weir_disconnect(d->stack, c->sock);
    weir_set_user(d->stack, c->sock, NULL);
    weir_close(d->stack, c->sock);
    c->sock = -1;
    c->is_bound = c->is_bound_late = false;
    return 0;
}

int dgram_send_to(struct daemon *d, struct carrier *c, const struct run_dgram *head,
                  const struct iovec *payload)
{
    struct weir_sockaddr to = carrier_peer(&head->addr), source, own;
    struct weir_datagram about;
    int v = prepare(d, c);

    if (v == 0 && !head->addr.family && weir_getpeername(d->stack, c->sock, &to) < 0)
        v = -EDESTADDRREQ;
    if (v == 0)
        v = about_to_send(d, head, &about);
    if (v < 0)
        return v;
    weir_getsockname(d->stack, c->sock, &own);
    if (d->gateway && weir_addr_is_any(&about.local.addr) && weir_addr_is_any(&own.addr) &&
        weir_gateway_source(&to, &source) == 0)
        about.local.addr = source.addr;
    return (int)weir_sendmsg(d->stack, c->sock, payload->iov_base, payload->iov_len, 0, &to,
                             &about);
}

/* A bare carrier has no place for it: SO_ERROR tells it then. */
static void tell_error(struct daemon *d, struct carrier *c, int error)
{
    struct run_dgram head = {.addr.family = 4, .addr.spare = (uint8_t)error};
    struct sockaddr_un un;
    socklen_t len = name_set(&un, d->name, c->id);

    if (is_bare(c))
        c->error = error;
    else if (sendto(d->dgram, &head, sizeof head, MSG_DONTWAIT, (struct sockaddr *)&un, len) < 0)
        d->dgrams_dropped++;
}

static bool take_one(struct daemon *d)
{
    static char buf[65536 + sizeof(struct run_dgram)];
    struct sockaddr_un un;
    socklen_t len = sizeof un;
    char id[sizeof un.sun_path];
    struct run_dgram head;
    struct carrier *c;
    ssize_t n = recvfrom(d->dgram, buf, sizeof buf, MSG_DONTWAIT, (struct sockaddr *)&un, &len);
    int v;

    if (n < 0)
        return false;
    if (n < (ssize_t)sizeof head || !name_rest(&un, len, d->name, id) ||
        (id[0] != 'd' && id[0] != 'b') || !(c = carrier_get(d, id)))
        return true;
    memcpy(&head, buf, sizeof head);
    struct iovec payload = {buf + sizeof head, (size_t)n - sizeof head};
    v = dgram_send_to(d, c, &head, &payload);
    if (v < 0 && v != -EAGAIN)
        tell_error(d, c, -v);
    return true;
}

void dgram_on_socket(struct daemon *d, struct source *s, uint32_t events)
{
    (void)s;
    (void)events;
    for (int i = 0; i < BATCH && take_one(d); i++)
        ;
}

void dgram_drain(struct daemon *d)
{
    for (int i = 0; i < QUEUE_MAX && take_one(d); i++)
        ;
    bare_drain(d, QUEUE_MAX);
}

void dgram_on_stack(struct daemon *d, struct carrier *c)
{
    static char buf[65536 + sizeof(struct run_dgram)];
    struct run_dgram head;
    struct weir_datagram about;
    struct weir_sockaddr from;
    struct sockaddr_un un;
    socklen_t len = name_set(&un, d->name, c->id);

    for (;;) { /* bounded by the receive buffer: no frames come in meanwhile */
        ssize_t n = weir_recvmsg(d->stack, c->sock, buf + sizeof head, 65536, 0, &from, &about);
        if (n == -EAGAIN)
            return;
        if (n < 0) {
            tell_error(d, c, (int)-n);
            continue;
        }
        if (is_bare(c)) {
            bare_deliver(d, c, &from, buf + sizeof head, (size_t)n);
            continue;
        }
        about_received(d, c, &from, &about, &head);
        memcpy(buf, &head, sizeof head);
        if (sendto(d->dgram, buf, sizeof head + (size_t)n, MSG_DONTWAIT, (struct sockaddr *)&un,
                   len) < 0)
            d->dgrams_dropped++;
    }
}
