/* Connections of a script: which numbers stand for which, and the bytes of both streams.
 *
 * Knows: ports, offsets. Shape: a list; `current` is that of the last packet or connect.
 * Units: sequence numbers, bytes. Errors: none. Cost: O(flows). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "packetdrill/run.h"

#define PATTERN 251 /* a prime: no power of two repeats it */

uint8_t flow_byte(uint32_t index)
{
    return (uint8_t)(index % PATTERN);
}

struct flow *flow_find(struct run *r, enum segment_kind kind, uint16_t lport, uint16_t rport)
{
    for (struct flow *f = r->flows; f; f = f->next)
        if (f->kind == kind && f->lport == lport && f->rport == rport)
            return f;
    return NULL;
}

struct flow *flow_of(struct run *r, enum segment_kind kind, uint16_t lport, uint16_t rport)
{
    struct flow *f = flow_find(r, kind, lport, rport);

    if (f)
        return f;
    f = arena_alloc(&r->arena, sizeof *f);
    f->kind = kind;
    f->lport = lport;
    f->rport = rport;
    f->wants_isn = true;
    f->next = r->flows;
    r->flows = f;
    return f;
}

static uint16_t port_of(const struct node_io *io)
{
    return ntohs(io->addr.ss_family == AF_INET
                     ? ((const struct sockaddr_in *)(const void *)&io->addr)->sin_port
                     : ((const struct sockaddr_in6 *)(const void *)&io->addr)->sin6_port);
}

struct flow *flow_of_socket(struct run *r, int fd)
{
    struct node_io local = {.addr_len = 0}, peer = {.addr_len = 0};
    int type = 0;
    struct iovec value = {.iov_base = &type, .iov_len = sizeof type};

    if (fd < 0 || fd >= NUMBERS_MAX || r->flow_at[fd])
        return fd < 0 || fd >= NUMBERS_MAX ? NULL : r->flow_at[fd];
    if (node_getsockopt(r->node, fd, SOL_SOCKET, SO_TYPE, &value) < 0 ||
        node_name(r->node, fd, false, &local) < 0 || node_name(r->node, fd, true, &peer) < 0)
        return NULL;
    r->flow_at[fd] = flow_of(r, type == SOCK_STREAM ? SEGMENT_TCP : SEGMENT_UDP, port_of(&local),
                             port_of(&peer));
    return r->flow_at[fd];
}

void flow_forget(struct run *r, int fd)
{
    if (fd >= 0 && fd < NUMBERS_MAX)
        r->flow_at[fd] = NULL;
}

void flow_connects(struct run *r, int fd, const struct node_io *peer)
{
    struct node_io local = {.addr_len = 0};
    struct flow *f;

    if (node_name(r->node, fd, false, &local) < 0)
        return;
    f = flow_of(r, SEGMENT_TCP, port_of(&local), port_of(peer));
    flow_forget(r, fd);
    f->wants_isn = true;
    f->has_local = f->has_remote = f->has_ts = f->has_syn = false;
    f->remote_isn = 0;
    f->written_len = f->read_len = 0;
    r->current = f;
    r->last_fd = fd;
    if (fd >= 0 && fd < NUMBERS_MAX)
        r->flow_at[fd] = f; /* its socket has no peer's name yet */
}

void flow_written(struct run *r, int fd, const struct node_io *io, size_t len)
{
    struct flow *f = flow_of_socket(r, fd);
    size_t room;
    uint8_t *more;

    if (!f || f->kind != SEGMENT_TCP)
        return;
    if (f->written_len + len > f->written_room) {
        room = (f->written_len + len) * 2;
        more = arena_alloc(&r->arena, room);
        if (f->written_len)
            memcpy(more, f->written, f->written_len);
        f->written = more;
        f->written_room = room;
    }
    for (int i = 0; i < io->iovs && len; i++) {
        size_t n = io->iov[i].iov_len < len ? io->iov[i].iov_len : len;
        memcpy(f->written + f->written_len, io->iov[i].iov_base, n);
        f->written_len += n;
        len -= n;
    }
}

int64_t flow_read(struct run *r, int fd, const struct node_io *io, size_t len)
{
    struct flow *f = flow_of_socket(r, fd);
    size_t done = 0;

    if (!f || f->kind != SEGMENT_TCP || f->is_urgent || io->flags & MSG_TRUNC)
        return -1;
    for (int i = 0; i < io->iovs && done < len; i++) {
        const uint8_t *at = io->iov[i].iov_base;
        for (size_t k = 0; k < io->iov[i].iov_len && done < len; k++, done++)
            if (at[k] != flow_byte((uint32_t)(f->read_len + done)))
                return (int64_t)done;
    }
    if (!(io->flags & MSG_PEEK))
        f->read_len += len;
    return -1;
}
