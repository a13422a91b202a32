/* Echo requests and their replies, see echo.h.
 *
 * Knows: the ICMP echo message. Shape: the payload counts up, as ping(8)'s does; when a request
 * left is remembered here, by sequence number. Units: ns. Errors: -errno of the socket calls. Cost:
 * one datagram each. 792, 4443 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#include "run/echo.h"

int echo_open(struct echo *e, struct weir_stack *stack, const struct weir_addr *to, int ttl)
{
    struct weir_sockaddr peer = {.addr = *to};
    bool is_v4 = weir_addr_is_v4(to);
    int level = is_v4 ? IPPROTO_IP : IPPROTO_IPV6, limit = is_v4 ? IP_TTL : IPV6_UNICAST_HOPS;
    int one = 1, v;

    e->stack = stack;
    e->request = is_v4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
    e->reply = is_v4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
    e->sock = weir_socket(stack, is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM,
                          is_v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    if (e->sock < 0)
        return e->sock;
    weir_setsockopt(stack, e->sock, level, is_v4 ? IP_RECVERR : IPV6_RECVERR, &one, sizeof one);
    v = ttl ? weir_setsockopt(stack, e->sock, level, limit, &ttl, sizeof ttl) : 0;
    if (v == 0)
        v = weir_connect(stack, e->sock, &peer);
    if (v < 0)
        echo_close(e);
    return v;
}

void echo_close(struct echo *e)
{
    weir_close(e->stack, e->sock);
    e->sock = -1;
}

int echo_send(struct echo *e, uint16_t seq, uint32_t size, int64_t now_ns)
{
    uint8_t message[ICMP_MINLEN + ECHO_DATA_MAX] = {e->request};
    ssize_t v;

    if (size > ECHO_DATA_MAX)
        return -EMSGSIZE;
    message[6] = (uint8_t)(seq >> 8);
    message[7] = (uint8_t)seq;
    for (uint32_t i = 0; i < size; i++)
        message[ICMP_MINLEN + i] = (uint8_t)i;
    v = weir_send(e->stack, e->sock, message, ICMP_MINLEN + size, 0);
    if (v < 0)
        return (int)v;
    e->sent_at[seq % ECHO_SENT] = now_ns;
    return 0;
}

bool echo_take(struct echo *e, int64_t now_ns, struct echo_reply *reply)
{
    uint8_t message[ICMP_MINLEN + ECHO_DATA_MAX];
    struct weir_sockaddr from;
    struct weir_datagram about;
    ssize_t n;

    do
        n = weir_recvmsg(e->stack, e->sock, message, sizeof message, 0, &from, &about);
    while (n >= 0 && (n < ICMP_MINLEN || message[0] != e->reply));
    if (n == -EAGAIN)
        return false;
    *reply = (struct echo_reply){.result = (int)n};
    if (n < 0)
        return true;
    reply->seq = (uint16_t)(message[6] << 8 | message[7]);
    reply->bytes = (uint32_t)n;
    reply->from = from.addr;
    reply->result = (int)((now_ns - e->sent_at[reply->seq % ECHO_SENT]) / 1000);
    reply->ttl = (uint8_t)about.ttl;
    return true;
}
