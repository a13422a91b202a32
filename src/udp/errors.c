/* What became of datagrams: ICMP errors about them, and the queue of those that a socket wants to
 * read one by one (IP_RECVERR). 1122#4.1.3.3.
 *
 * Knows: sockets and faults. Not the message that told of one. Shape: without IP_RECVERR a socket
 * has at most one error, of its connected peer; with it each fault is a record in a ring of its
 * own, bounded by the receive buffer. Units: bytes. Errors: verdicts, -EAGAIN. Cost: O(1) and the
 * copy of what came back of the datagram. */
#include "udp/inner.h"

#include <errno.h>
#include <string.h>

struct error_record {
    struct udp_error e;
    uint16_t len; /* bytes behind the record */
};

void udp_error_add(struct udp_socks *u, uint32_t index, const struct udp_fault *f)
{
    struct udp_sock *s = udp_at(u, index);
    struct error_record r = {.e = {.error = f->error,
                                   .origin = f->origin,
                                   .type = f->type,
                                   .code = f->code,
                                   .info = f->info,
                                   .to = {f->remote, f->rport, 0},
                                   .offender = f->from,
                                   .ttl = f->ttl,
                                   .tos = f->tos}};
    uint32_t at = s->errors.len + (uint32_t)sizeof r, charge = sizeof r;

    for (int i = 0; i < f->parts; i++)
        charge += f->part[i].len;
    if (s->errors.len + charge > s->rcvbuf ||
        !ring_reserve(&s->errors, u->mem, s->errors.len + charge, s->errors.len))
        return;
    r.len = (uint16_t)(charge - sizeof r);
    ring_place(&s->errors, s->errors.len, &r, sizeof r);
    for (int i = 0; i < f->parts; i++) {
        ring_place(&s->errors, at, f->part[i].data, f->part[i].len);
        at += f->part[i].len;
    }
    ring_extend(&s->errors, charge);
    udp_mark(u, index, UDP_MARK_ERROR);
}

bool udp_is_sender(const struct udp_socks *u, const struct udp_fault *f)
{
    return udp_find_sender(u, f) != 0;
}

enum drop udp_on_icmp_error(struct udp_socks *u, const struct udp_fault *f)
{
    uint32_t index = udp_find_sender(u, f);
    struct udp_sock *s;

    if (!index)
        return DROP_icmp_unmatched;
    s = udp_at(u, index);
    if (f->is_foreign && weir_addr_is_any(&s->local))
        return DROP_icmp_unmatched;
    if (s->options & UDP_RECVERR)
        udp_error_add(u, index, f);
    /* Linux: without IP_RECVERR only connected sockets hear of it, and of hard errors only. */
    else if (!(s->is_connected && f->is_hard))
        return PASS;
    s->error = f->error;
    udp_mark(u, index, UDP_MARK_ERROR);
    return PASS;
}

int64_t udp_recv_error(struct udp_socks *u, uint32_t index, struct udp_error *out, void *data,
                       size_t room)
{
    struct udp_sock *s = udp_at(u, index);
    struct error_record r;
    uint32_t n;

    if (!s->errors.len)
        return -EAGAIN;
    ring_peek(&s->errors, 0, &r, sizeof r);
    n = r.len < room ? r.len : (uint32_t)room;
    if (n)
        ring_peek(&s->errors, sizeof r, data, n);
    *out = r.e;
    ring_consume(&s->errors, (uint32_t)sizeof r + r.len);
    s->error = 0; /* Linux: what is pending follows the queue */
    if (s->errors.len) {
        ring_peek(&s->errors, 0, &r, sizeof r);
        s->error = r.e.error;
    } else {
        ring_release(&s->errors, u->mem);
    }
    return n;
}

void udp_forget_errors(struct udp_socks *u, uint32_t index)
{
    ring_release(&udp_at(u, index)->errors, u->mem);
}
