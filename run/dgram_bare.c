/* Datagram carriers of the seccomp door: bytes alone, for read and write are not told of.
 *
 * Knows: protocol.h's `bare` and `f/`. Shape: what a connected socket sends comes to the socket
 * `bare`, and goes to its peer; what the stack receives leaves from there too, or, for a socket
 * that is not connected, from a socket whose name is the sender's address. A few of those are kept.
 * Units: bytes. Errors: the socket's error is what SO_ERROR says; a full carrier loses the
 * datagram, counted. Cost: one system call each way, four for a sender that was not there lately.
 */
#include "run/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 64

static int open_as(struct daemon *d, const char *rest)
{
    struct sockaddr_un un;
    socklen_t len = name_set(&un, d->name, rest);
    int fd = netns_socket(&d->netns, AF_UNIX, SOCK_DGRAM, 0);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&un, len) < 0) {
        close(fd);
        return -EADDRINUSE;
    }
    return fd;
}

static bool take_one(struct daemon *d)
{
    static char buf[65536];
    struct run_dgram head = {.ttl = -1, .tos = -1};
    struct sockaddr_un un;
    socklen_t len = sizeof un;
    char id[sizeof un.sun_path];
    struct carrier *c;
    ssize_t n = recvfrom(d->bare, buf, sizeof buf, MSG_DONTWAIT, (struct sockaddr *)&un, &len);
    int v;

    if (n < 0)
        return false;
    if (!name_rest(&un, len, d->name, id) || id[0] != 'b' || !(c = carrier_get(d, id)))
        return true;
    v = dgram_send_to(d, c, &head, &(struct iovec){buf, (size_t)n});
    if (v < 0 && v != -EAGAIN)
        c->error = -v;
    return true;
}

static void on_socket(struct daemon *d, struct source *s, uint32_t events)
{
    (void)s;
    (void)events;
    bare_drain(d, BATCH);
}

void bare_drain(struct daemon *d, int most)
{
    for (int i = 0; i < most && d->has_bare && take_one(d); i++)
        ;
}

int bare_open(struct daemon *d)
{
    if (d->has_bare)
        return 0;
    d->bare = open_as(d, "bare");
    if (d->bare < 0)
        return -ENETDOWN;
    d->has_bare = true;
    d->bare_source.on = on_socket;
    return watch(d, d->bare, &d->bare_source, EPOLLIN);
}

/* The socket whose name is this sender's; -1: none to be had. */
static int sender(struct daemon *d, const struct weir_sockaddr *from)
{
    struct name_accepted ends = {.peer = *from};
    struct bare_sender *s;
    char rest[100];

    for (s = d->sender; s < d->sender + BARE_SENDERS; s++)
        if (s->is_there && s->peer.port == from->port &&
            weir_addr_equal(&s->peer.addr, &from->addr))
            return s->fd;
    s = &d->sender[d->next_sender++ % BARE_SENDERS];
    if (s->is_there)
        close(s->fd);
    name_accepted_text(&ends, rest);
    rest[0] = 'f';
    s->fd = open_as(d, rest);
    s->peer = *from;
    s->is_there = s->fd >= 0;
    return s->fd;
}

void bare_deliver(struct daemon *d, struct carrier *c, const struct weir_sockaddr *from,
                  const void *data, size_t len)
{
    struct weir_sockaddr peer;
    struct sockaddr_un un;
    socklen_t un_len = name_set(&un, d->name, c->id);
    bool is_connected = weir_getpeername(d->stack, c->sock, &peer) == 0;
    int fd = is_connected && bare_open(d) == 0 ? d->bare : sender(d, from);

    if (fd < 0 || sendto(fd, data, len, MSG_DONTWAIT, (struct sockaddr *)&un, un_len) < 0)
        d->dgrams_dropped++;
}
