/* Listeners: bound in the stack, published at the host, brought to the program's own accept().
 *
 * Knows: how an accepted connection becomes a carrier: the daemon connects in from a socket whose
 * name is the peer's address. Shape: a program without room in its backlog leaves connections where
 * they are; the daemon asks again soon. Units: none. Errors: -errno, the host's where it refused
 * the port. Cost: four system calls for each connection. */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_TRIES 1000 /* with half of the ports in use, two are enough */

static int bind_once(struct daemon *d, struct carrier *c, struct weir_sockaddr *local)
{
    int type = c->kind == CARRIER_DGRAM ? SOCK_DGRAM : SOCK_STREAM, v;

    if (type == SOCK_DGRAM)
        v = publish_begin(d, c, type, local);
    else
        v = local->port || carrier_has(d, c, IP_BIND_ADDRESS_NO_PORT)
                ? 0
                : publish_reserve(d, c, local);
    if (v < 0)
        return v;
    v = weir_bind(d->stack, c->sock, local);
    if (v == -EADDRINUSE) {
        carriers_sweep(d);
        v = weir_bind(d->stack, c->sock, local);
    }
    if (v < 0)
        publish_end(d, c);
    return v;
}

/* Whoever names a port gets it in the stack now and at the host when it listens; whoever names none
 * gets one that is free in both. The host does not know which of its free ports a connection of the
 * stack still has. */
int listener_bind(struct daemon *d, struct carrier *c, struct weir_sockaddr *local)
{
    struct weir_sockaddr wish = *local;
    int on = 1, v;

    if ((v = carrier_socket(d, c)) < 0)
        return v;
    if (c->is_bound && !c->is_bound_late)
        return -EINVAL;
    v = bind_once(d, c, local);
    for (int i = 0; v == -EADDRINUSE && !wish.port && i < PORT_TRIES; i++) {
        *local = wish;
        v = bind_once(d, c, local);
    }
    if (v < 0)
        return v;
    c->is_bound = true;
    c->is_bound_late = false;
    if (!wish.port)
        weir_setsockopt(d->stack, c->sock, SOL_WEIR, WEIR_PORT_CHOSEN, &on, sizeof on);
    return 0;
}

int listener_listen(struct daemon *d, struct carrier *c, int backlog)
{
    struct weir_sockaddr local = {.port = 0};
    int v;

    if ((v = carrier_socket(d, c)) < 0)
        return v;
    if (!c->is_bound) {
        local.addr = c->family == AF_INET ? weir_addr_v4(0) : (struct weir_addr){.w = {0}};
        if ((v = listener_bind(d, c, &local)) < 0)
            return v;
    }
    if ((v = weir_getsockname(d->stack, c->sock, &local)) < 0)
        return v;
    if (!local.port) { /* IP_BIND_ADDRESS_NO_PORT: now it needs one */
        if ((v = publish_reserve(d, c, &local)) < 0)
            return v;
        if ((v = weir_bind(d->stack, c->sock, &local)) < 0)
            return v;
    }
    if ((v = publish_begin(d, c, SOCK_STREAM, &local)) < 0)
        return v;
    v = weir_listen(d->stack, c->sock, backlog);
    if (v < 0 && !c->is_listening)
        publish_end(d, c);
    c->is_listening |= v == 0;
    return v;
}

/* -- accepted ---------------------------------------------------------------------------------- */

static int carry_to_program(struct daemon *d, struct carrier *listener,
                            const struct name_accepted *ends)
{
    struct sockaddr_un un;
    char rest[100];
    socklen_t len;
    int fd = netns_stream(&d->netns), error;

    if (fd < 0)
        return fd;
    name_accepted_text(ends, rest);
    len = name_set(&un, d->name, rest);
    if (bind(fd, (struct sockaddr *)&un, len) < 0)
        goto fail;
    len = name_set(&un, d->name, listener->id);
    if (connect(fd, (struct sockaddr *)&un, len) == 0)
        return fd;
fail:
    error = errno;
    close(fd);
    return -error;
}

/* False: the program has no room, or is gone. */
static bool deliver(struct daemon *d, struct carrier *listener, int sock)
{
    struct name_accepted ends = {.number = d->next_number};
    char id[48];
    struct carrier *c;
    int fd;

    weir_getpeername(d->stack, sock, &ends.peer);
    weir_getsockname(d->stack, sock, &ends.local);
    fd = carry_to_program(d, listener, &ends);
    if (fd < 0 && fd != -ECONNREFUSED) { /* backlog full, or no descriptor just now */
        listener->held = sock;
        listener->ended_at = listener->ended_at ? listener->ended_at : d->now;
        listener->next_retry = d->retry;
        d->retry = listener;
        return false;
    }
    if (fd < 0) { /* nobody listens any more */
        weir_abort(d->stack, sock);
        carrier_end(d, listener);
        return false;
    }
    d->next_number++;
    listener->ended_at = 0;
    snprintf(id, sizeof id, "p/%u", ends.number);
    c = carrier_get(d, id);
    if (!c) {
        close(fd);
        weir_abort(d->stack, sock);
        return true;
    }
    c->sock = sock;
    c->is_established = true;
    c->family = listener->family;
    c->pid = listener->pid;
    weir_set_user(d->stack, sock, c);
    stream_attach(d, c, fd);
    return true;
}

void listener_on_stack(struct daemon *d, struct carrier *c)
{
    int sock;

    while (!c->is_dead && c->held < 0 && (sock = weir_accept(d->stack, c->sock, NULL)) >= 0)
        if (!deliver(d, c, sock))
            break;
}

void listeners_retry(struct daemon *d)
{
    struct carrier *c = d->retry, *next;

    d->retry = NULL;
    for (; c; c = next) {
        int sock = c->held;
        next = c->next_retry;
        c->next_retry = NULL;
        c->held = -1;
        if (!c->is_dead && sock >= 0 && deliver(d, c, sock))
            listener_on_stack(d, c);
    }
}
