/* Readiness: what happened below, told once.
 *
 * Knows: the marks of tcp and udp. Shape: edge triggered; the endpoints keep the list.
 * Units: none. Errors: EBADF. Cost: O(1) for each event. */
#include <errno.h>

#include "sock/sock.h"

static uint32_t readiness_of(struct socks *k, const struct sock *s)
{
    return s->kind == SOCK_KIND_TCP ? tcp_readiness(k->tcp, s->endpoint)
                                    : udp_readiness(k->udp, s->endpoint);
}

int sock_readiness(struct socks *k, int sock)
{
    const struct sock *s = sock_at(k, sock);

    return s ? (int)readiness_of(k, s) : -EBADF;
}

/* What became of the socket `index`, if there is one; the number of events. */
static int report(struct socks *k, uint32_t index, struct weir_ready_event *out)
{
    int sock = (int)index - 1;
    const struct sock *s = sock_at(k, sock);

    if (!s)
        return 0;
    *out = (struct weir_ready_event){.sock = sock, .ready = readiness_of(k, s), .user = s->user};
    return 1;
}

int sock_ready(struct socks *k, struct weir_ready_event *events, int max)
{
    struct tcp_marked t;
    struct udp_marked u;
    int n = 0;

    if (!k->tcp->marked.first && !k->udp->marked.first)
        return 0;
    while (n < max && tcp_next_marked(k->tcp, &t))
        n += report(k, t.sock, &events[n]);
    while (n < max && udp_next_marked(k->udp, &u))
        n += report(k, u.sock, &events[n]);
    return n;
}
