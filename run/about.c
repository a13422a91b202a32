/* What datagrams say beside their data, between the door's messages and the stack: which control
 * messages a program asked for, where a datagram came to and is to come from, and the error queue.
 *
 * Knows: struct run_dgram, struct run_error. Shape: an option is a bit of its carrier, so that the
 * door needs no question for each datagram; a bit counts for what comes from then on, where Linux
 * looks when the datagram is read. Units: bytes. Errors: -errno as Linux. Cost: O(1); a source that
 * the program names is looked for among the stack's addresses. */
#include "run/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static uint16_t wants_of_ip(int name)
{
    switch (name) {
    case IP_PKTINFO:
        return RUN_WANTS_PKTINFO;
    case IP_RECVTTL:
        return RUN_WANTS_TTL;
    case IP_RECVTOS:
        return RUN_WANTS_TOS;
    case IP_RECVORIGDSTADDR:
        return RUN_WANTS_DST;
    case IP_RECVOPTS:
        return RUN_WANTS_OPTIONS;
    default:
        return 0;
    }
}

static uint16_t wants_of_ip6(int name)
{
    switch (name) {
    case IPV6_RECVPKTINFO:
        return RUN_WANTS_PKTINFO6;
    case IPV6_RECVHOPLIMIT:
        return RUN_WANTS_HOPLIMIT;
    case IPV6_RECVTCLASS:
        return RUN_WANTS_TCLASS;
    case IPV6_RECVORIGDSTADDR:
        return RUN_WANTS_DST6;
    default:
        return 0;
    }
}

static uint16_t wants_of(const struct carrier *c, const struct run_ask *ask)
{
    if (ask->level == IPPROTO_IP)
        return wants_of_ip(ask->name);
    return ask->level == IPPROTO_IPV6 && c->family == AF_INET6 ? wants_of_ip6(ask->name) : 0;
}

bool about_set(struct carrier *c, const struct run_ask *ask, int *result)
{
    uint16_t bit = wants_of(c, ask);
    size_t len = ask->value_len;
    int value = 0;

    if (!bit)
        return false;
    if (c->id[0] == 'b') { /* its datagrams are bytes alone */
        *result = -ENOPROTOOPT;
        return true;
    }
    *result = ask->level == IPPROTO_IPV6 && len < sizeof value ? -EINVAL : 0;
    if (*result < 0)
        return true;
    if (len) /* Linux: IP's take a byte too, or nothing for 0 */
        memcpy(&value, ask->value, len < sizeof value ? 1 : sizeof value);
    c->wants = (uint16_t)(value ? c->wants | bit : c->wants & ~bit);
    return true;
}

bool about_get(const struct carrier *c, const struct run_ask *ask, struct run_answer *a)
{
    uint16_t bit = wants_of(c, ask);
    int value = !!(c->wants & bit);

    if (!bit)
        return false;
    a->value_len = ask->value_len < sizeof value ? ask->value_len : sizeof value;
    memcpy(a->value, &value, a->value_len);
    return true;
}

static struct run_addr addr_of(const struct weir_sockaddr *s)
{
    return (struct run_addr){
        .family = weir_addr_is_v4(&s->addr) ? 4 : 6, .port = s->port, .addr = s->addr};
}

static bool is_ours(struct daemon *d, const struct weir_addr *addr)
{
    struct weir_addr_info info;
    uint32_t cursor = 0;

    while (weir_addr_next(d->stack, &cursor, &info))
        if (weir_addr_equal(&info.addr, addr))
            return true;
    return false;
}

/* Linux's ipi_spec_dst: from where an answer would go. */
static struct weir_addr own_for(struct daemon *d, const struct weir_addr *local)
{
    struct weir_addr_info info;
    uint32_t cursor = 0;

    if (is_ours(d, local))
        return *local;
    while (weir_addr_next(d->stack, &cursor, &info))
        if (weir_addr_is_v4(&info.addr) == weir_addr_is_v4(local))
            return info.addr;
    return *local;
}

void about_received(struct daemon *d, const struct carrier *c, const struct weir_sockaddr *from,
                    const struct weir_datagram *about, struct run_dgram *head)
{
    *head = (struct run_dgram){.addr = addr_of(from),
                               .local = addr_of(&about->local),
                               .ifindex = about->local.ifindex,
                               .ttl = (int16_t)about->ttl,
                               .tos = (int16_t)about->tos,
                               .wants = c->wants};
    if (c->wants & RUN_WANTS_OPTIONS) {
        head->options_len = about->options_len;
        memcpy(head->options, about->options, about->options_len);
    }
    if (c->wants & RUN_WANTS_PKTINFO)
        head->own = own_for(d, &about->local.addr);
}

int about_to_send(struct daemon *d, const struct run_dgram *head, struct weir_datagram *about)
{
    *about = (struct weir_datagram){.ttl = head->ttl, .tos = head->tos};
    if (head->ifindex < 0 || head->ifindex > UINT16_MAX)
        return -ENODEV;
    about->local.ifindex = (uint16_t)head->ifindex;
    if (!head->local.family || weir_addr_is_any(&head->local.addr))
        return 0;
    if (!is_ours(d, &head->local.addr))
        return -EINVAL;
    about->local.addr = head->local.addr;
    return 0;
}

int about_error(struct daemon *d, const struct carrier *c, struct run_answer *a)
{
    struct weir_sock_error error;
    struct run_error out;
    ssize_t n = c->sock < 0 ? -EAGAIN
                            : weir_recverr(d->stack, c->sock, a->value + sizeof out,
                                           sizeof a->value - sizeof out, &error);

    if (n < 0)
        return (int)n;
    out = (struct run_error){.error = error.error,
                             .info = error.info,
                             .origin = error.origin,
                             .type = error.type,
                             .code = error.code,
                             .ttl = error.ttl,
                             .tos = error.tos,
                             .wants = c->wants,
                             .has_offender = !weir_addr_is_any(&error.offender),
                             .to = addr_of(&error.to),
                             .offender = addr_of(&(struct weir_sockaddr){.addr = error.offender})};
    memcpy(a->value, &out, sizeof out);
    a->value_len = (uint32_t)(sizeof out + (size_t)n);
    return (int)n;
}
