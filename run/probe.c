/* Packets that die on the way, see probe.h.
 *
 * Knows: IP_TTL, IP_RECVERR, the ICMP errors that matter. Shape: UDP to a port where nobody
 * listens, an echo request, or a SYN; what comes back first is the answer. Units: ns. Errors:
 * -errno of the socket calls. Cost: one packet each. */
#include "run/probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { ECHO4 = 8, ECHO6 = 128, UNREACH4 = 3, UNREACH6 = 1, PORT4 = 3, PORT6 = 4 };
#define ECHO_HEAD 8

static int open_socket(const struct probe_wish *w, struct weir_stack *stack)
{
    bool is_v4 = weir_addr_is_v4(&w->to);
    int family = is_v4 ? AF_INET : AF_INET6;

    switch (w->kind) {
    case PROBE_ICMP:
        return weir_socket(stack, family, SOCK_DGRAM, is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    case PROBE_TCP:
        return weir_socket(stack, family, SOCK_STREAM, 0);
    default:
        return weir_socket(stack, family, SOCK_DGRAM, 0);
    }
}

static int set_limits(const struct probe *p, const struct probe_wish *w)
{
    bool is_v4 = weir_addr_is_v4(&w->to);
    int one = 1, ttl = w->ttl, level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6;
    int v = weir_setsockopt(p->stack, p->sock, level, is_v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl,
                            sizeof ttl);

    return v < 0 ? v
                 : weir_setsockopt(p->stack, p->sock, level, is_v4 ? IP_RECVERR : IPV6_RECVERR,
                                   &one, sizeof one);
}

static int send_data(const struct probe *p, const struct probe_wish *w)
{
    uint8_t data[ECHO_HEAD + PROBE_DATA_MAX] = {0};
    size_t head = w->kind == PROBE_ICMP ? ECHO_HEAD : 0;
    ssize_t n;

    if (w->kind == PROBE_TCP) /* the SYN is the probe */
        return 0;
    for (size_t i = 0; i < w->bytes; i++)
        data[head + i] = (uint8_t)(64 + i % 64);
    if (head) {
        data[0] = weir_addr_is_v4(&w->to) ? ECHO4 : ECHO6;
        data[6] = (uint8_t)(w->port >> 8);
        data[7] = (uint8_t)w->port;
    }
    n = weir_send(p->stack, p->sock, data, head + w->bytes, 0);
    return n < 0 ? (int)n : 0;
}

int probe_send(struct probe *p, struct weir_stack *stack, const struct probe_wish *w,
               int64_t now_ns)
{
    struct weir_sockaddr to = {.addr = w->to, .port = w->kind == PROBE_ICMP ? 0 : w->port};
    int v;

    if (w->bytes > PROBE_DATA_MAX)
        return -EMSGSIZE;
    *p = (struct probe){
        .stack = stack, .sock = open_socket(w, stack), .kind = w->kind, .sent_at = now_ns};
    if (p->sock < 0)
        return p->sock;
    v = set_limits(p, w);
    if (v == 0)
        v = weir_connect(stack, p->sock, &to);
    if (v == 0 || v == -EINPROGRESS)
        v = send_data(p, w);
    if (v < 0)
        probe_close(p);
    return v;
}

void probe_close(struct probe *p)
{
    if (p->sock >= 0 && p->kind == PROBE_TCP)
        weir_abort(p->stack, p->sock);
    else if (p->sock >= 0)
        weir_close(p->stack, p->sock);
    p->sock = -1;
}

/* An ICMP error, or one of our own stack's. */
static bool take_error(struct probe *p, struct probe_answer *a)
{
    struct weir_sock_error e;
    bool is_v6;

    if (weir_recverr(p->stack, p->sock, NULL, 0, &e) < 0)
        return false;
    is_v6 = e.origin == 3;
    a->from = e.offender;
    a->type = e.type;
    a->code = e.code;
    a->error = e.error;
    a->is_reached = e.type == (is_v6 ? UNREACH6 : UNREACH4) && e.code == (is_v6 ? PORT6 : PORT4);
    return true;
}

/* The target itself: a datagram, an echo reply, a SYN,ACK or a RST. */
static bool take_reply(struct probe *p, struct probe_answer *a)
{
    struct weir_sockaddr from;
    uint8_t byte[ECHO_HEAD];
    int error = 0;
    size_t len = sizeof error;

    if (p->kind != PROBE_TCP) {
        a->is_reached = weir_recvfrom(p->stack, p->sock, byte, sizeof byte, 0, &from) >= 0;
        a->from = a->is_reached ? from.addr : a->from;
        return a->is_reached;
    }
    if (!(weir_readiness(p->stack, p->sock) & (WEIR_READY_OUT | WEIR_READY_ERR | WEIR_READY_HUP)))
        return false;
    if (weir_getpeername(p->stack, p->sock, &from) == 0) {
        a->from = from.addr;
        a->is_reached = true;
        return true;
    }
    weir_getsockopt(p->stack, p->sock, SOL_SOCKET, SO_ERROR, &error, &len);
    a->error = error;
    a->is_reached = error == ECONNREFUSED;
    return error != 0;
}

bool probe_take(struct probe *p, int64_t now_ns, struct probe_answer *a)
{
    *a = (struct probe_answer){.rtt_us = (int)((now_ns - p->sent_at) / 1000)};
    if (!take_error(p, a) && !take_reply(p, a))
        return false;
    probe_close(p);
    return true;
}
