/* Why a port can not be bound, and why no ports are left.
 *
 * Knows: who is at which port. Shape: the holders, worst first. Units: seconds. Errors: none.
 * Cost: O(sockets). */
#include "cli/why.h"

#include <netinet/in.h>
#include <string.h>

static bool is_tcp_at(const struct why_sock *w, int port)
{
    return w->s.e.info.protocol == IPPROTO_TCP && w->s.e.info.local.port == port;
}

static void put_who(FILE *to, const struct why_sock *w)
{
    if (w->s.e.pid)
        fprintf(to, "%s (pid %d)", w->s.process, (int)w->s.e.pid);
    else
        fputs("a program that is gone", to);
}

static const struct why_sock *find(const struct why_view *v, int port, unsigned states)
{
    for (int i = 0; i < v->socks; i++)
        if (is_tcp_at(&v->sock[i], port) && states >> v->sock[i].s.e.info.state & 1)
            return &v->sock[i];
    return NULL;
}

static void put_waiting(FILE *to, const struct why_view *v, int port)
{
    int64_t longest = 0;
    char span[24];
    int n = 0;

    for (int i = 0; i < v->socks; i++)
        if (is_tcp_at(&v->sock[i], port) && v->sock[i].s.e.info.state == WEIR_TIME_WAIT) {
            int64_t left = v->sock[i].s.e.facts.end_left_us;
            n++;
            longest = left > longest ? left : longest;
        }
    fprintf(to,
            "bind() of TCP port %d needs SO_REUSEADDR: %d connection%s in TIME-WAIT, the "
            "last for %s more. Without it EADDRINUSE.\n",
            port, n, n == 1 ? " of it is" : "s of it are", why_span(span, longest));
}

void why_put_bind(FILE *to, const struct why_view *v, int port)
{
    const unsigned bound = 1u << WEIR_LISTEN | 1u << WEIR_CLOSED;
    const struct why_sock *w = find(v, port, 1u << WEIR_LISTEN);

    w = w ? w : find(v, port, bound);
    if (w) {
        fprintf(to, "bind() of TCP port %d fails with EADDRINUSE: ", port);
        put_who(to, w);
        fprintf(to, " %s at %s:%s%s.\n", w->s.e.info.state == WEIR_LISTEN ? "listens" : "is bound",
                w->s.local, w->s.local_port,
                w->fd >= 0 ? "" : "; SO_REUSEPORT on both sockets would share it");
    } else if (find(v, port, 1u << WEIR_TIME_WAIT)) {
        put_waiting(to, v, port);
    } else if ((w = find(v, port, SS_STATES_ALL))) {
        fprintf(to, "bind() of TCP port %d needs SO_REUSEADDR: a connection still has it (", port);
        put_who(to, w);
        fprintf(to, ", %s).\n", weir_state_name(w->s.e.info.state));
    } else if (v->host_listener) {
        fprintf(to,
                "Nobody under weir has TCP port %d, but a program of the host listens there: "
                "under the host link listen() fails with EADDRINUSE. Publish another port: "
                "weir run -p OTHER:%d.\n",
                port, port);
    } else {
        fprintf(to, "Nobody has TCP port %d: it can be bound, and a SYN to it is refused (RST).\n",
                port);
    }
}

/* -- none left --------------------------------------------------------------------------------- */

void why_put_ports(FILE *to, const struct why_view *v)
{
    static unsigned char used[65536];
    int all = v->port_last - v->port_first + 1, taken = 0, waiting = 0, leaked = 0;

    memset(used, 0, sizeof used);
    for (int i = 0; i < v->socks; i++) {
        const struct weir_sock_info *s = &v->sock[i].s.e.info;
        int port = s->local.port;
        if (s->protocol != IPPROTO_TCP || port < v->port_first || port > v->port_last)
            continue;
        taken += !used[port];
        used[port] = 1;
        waiting += s->state == WEIR_TIME_WAIT;
        leaked += s->state == WEIR_CLOSE_WAIT;
    }
    if (all <= 0 || taken < all / 2)
        return;
    fprintf(to,
            "%d of the %d ports for connect() are in use (net.ipv4.ip_local_port_range = %d "
            "%d): %d by TIME-WAIT, %d by CLOSE-WAIT, %d otherwise.%s\n",
            taken, all, v->port_first, v->port_last, waiting, leaked, taken - waiting - leaked,
            taken < all ? ""
                        : " None is left: connect() to one and the same address fails with "
                          "EADDRNOTAVAIL.");
    if (waiting > taken / 2)
        fputs("Let the peer close first, keep connections open and use them again, or see "
              "net.ipv4.tcp_tw_reuse.\n",
              to);
}
