/* Readiness: what happened below, told once.
 *
 * Knows: the marks of tcp and udp. Shape: edge triggered; the endpoints keep the list.
 * Units: none. Errors: EBADF. Cost: O(1) for each event. */
#include <errno.h>

#include "sock/sock.h"

int sock_readiness(struct socks *k, int sock)
{
    struct sock *s = sock_at(k, sock);

    if (!s)
        return -EBADF;
    return (int)(s->kind == SOCK_KIND_TCP ? tcp_readiness(k->tcp, s->endpoint)
                                          : udp_readiness(k->udp, s->endpoint));
}

static void report(struct socks *k, uint32_t index, struct weir_ready_event *out)
{
    int sock = (int)index - 1;

    *out = (struct weir_ready_event){
        .sock = sock, .ready = (uint32_t)sock_readiness(k, sock), .user = sock_at(k, sock)->user};
}

int sock_ready(struct socks *k, struct weir_ready_event *events, int max)
{
    struct tcp_marked t;
    struct udp_marked u;
    int n = 0;

    while (n < max && tcp_next_marked(k->tcp, &t))
        if (t.sock && sock_at(k, (int)t.sock - 1))
            report(k, t.sock, &events[n++]);
    while (n < max && udp_next_marked(k->udp, &u))
        if (u.sock && sock_at(k, (int)u.sock - 1))
            report(k, u.sock, &events[n++]);
    return n;
}
