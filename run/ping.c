/* Echo requests for `weir ping`: one socket of the stack for all of them.
 *
 * Knows: the ICMP echo message. Shape: a request waits in a small table until its reply or its
 * deadline. Units: ns within, microseconds in the answer. Errors: -ETIMEDOUT, -EHOSTUNREACH and so
 * on. Cost: O(pending). 792 */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

bool ping_begin(struct daemon *d, const struct run_ask *ask, int fd)
{
    struct weir_sockaddr to = {.addr = ask->addr.addr}, local = {.port = 0};
    uint8_t message[8 + 1472] = {8};
    size_t len = 8 + (ask->value_len <= 1472 ? ask->value_len : 1472);
    struct ping *p = NULL;
    ssize_t v;

    for (int i = 0; i < PINGS && !p; i++)
        if (d->ping[i].fd < 0)
            p = &d->ping[i];
    if (!p)
        return false;
    if (d->ping_sock < 0)
        d->ping_sock = weir_socket(d->stack, AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    message[6] = (uint8_t)(ask->number >> 8);
    message[7] = (uint8_t)ask->number;
    for (size_t i = 8; i < len; i++)
        message[i] = (uint8_t)i;
    if (d->gateway && weir_gateway_source(&to, &local) == 0)
        local.port = 1; /* identifier */
    v = weir_sendmsg(d->stack, d->ping_sock, message, len, 0, &to, d->gateway ? &local : NULL);
    if (v < 0) {
        control_answer(fd, (int)v);
        return true;
    }
    *p = (struct ping){.fd = fd,
                       .seq = (uint16_t)ask->number,
                       .sent_at = d->now,
                       .until = d->now + (int64_t)(ask->level > 0 ? ask->level : 1000) * 1000000};
    return true;
}

static void ping_end(struct ping *p, int result)
{
    control_answer(p->fd, result);
    p->fd = -1;
}

void ping_round(struct daemon *d)
{
    uint8_t message[2048];
    ssize_t n;

    if (d->ping_sock < 0)
        return;
    while ((n = weir_recv(d->stack, d->ping_sock, message, sizeof message, 0)) != -EAGAIN) {
        uint16_t seq = n >= 8 ? (uint16_t)(message[6] << 8 | message[7]) : 0;
        for (int i = 0; i < PINGS; i++) {
            struct ping *p = &d->ping[i];
            if (p->fd < 0 || (n >= 8 && p->seq != seq))
                continue;
            ping_end(p, n < 0 ? (int)n : (int)((d->now - p->sent_at) / 1000));
        }
    }
    for (int i = 0; i < PINGS; i++)
        if (d->ping[i].fd >= 0 && d->now >= d->ping[i].until)
            ping_end(&d->ping[i], -ETIMEDOUT);
}

int64_t ping_deadline(const struct daemon *d)
{
    int64_t first = WEIR_NEVER;

    for (int i = 0; i < PINGS; i++)
        if (d->ping[i].fd >= 0 && d->ping[i].until < first)
            first = d->ping[i].until;
    return first;
}
