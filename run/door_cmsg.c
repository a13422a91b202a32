/* Control messages of datagrams, in the kernel's layout: what came with one, what one is to be sent
 * with, and the error queue. ip(7), ipv6(7), RFC 3542.
 *
 * Knows: struct run_dgram, struct run_error. Shape: built in a buffer of our own and copied behind
 * what the kernel wrote there itself (a timestamp, credentials). Units: bytes. Errors: MSG_CTRUNC
 * where the caller's room ends; -EINVAL for what cannot be sent with. Cost: one copy where the
 * program asked for any; a question to the daemon for each error that is read. */
#include "run/door.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>

#define ROOM_OUT 512 /* more than all messages together */
#define ROOM_IN 1024 /* of what a program sends with */

struct out {
    _Alignas(struct cmsghdr) uint8_t bytes[ROOM_OUT];
    size_t len;
};

static void put(struct out *o, int level, int type, const void *data, size_t len)
{
    struct cmsghdr h = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};

    memset(o->bytes + o->len, 0, CMSG_SPACE(len));
    memcpy(o->bytes + o->len, &h, sizeof h);
    memcpy(o->bytes + o->len + CMSG_LEN(0), data, len);
    o->len += CMSG_SPACE(len);
}

static struct in_addr in_addr_of(const struct weir_addr *a)
{
    struct in_addr in;

    memcpy(&in, a->b + 12, sizeof in);
    return in;
}

static void put_name(struct out *o, const struct run_addr *a, int family, int level, int type)
{
    struct sockaddr_storage s;
    socklen_t len = sizeof s;

    addr_to_user(a, family, (struct sockaddr *)&s, &len);
    put(o, level, type, &s, len);
}

static void put_hops_ip(struct out *o, uint16_t wants, int ttl, uint8_t tos)
{
    if (wants & RUN_WANTS_TTL)
        put(o, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
    if (wants & RUN_WANTS_TOS)
        put(o, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
}

static void put_hops_ip6(struct out *o, uint16_t wants, int hops, int class)
{
    if (wants & RUN_WANTS_HOPLIMIT)
        put(o, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof hops);
    if (wants & RUN_WANTS_TCLASS)
        put(o, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class);
}

static void put_ip(struct out *o, const struct run_dgram *h)
{
    struct in_pktinfo info = {h->ifindex, in_addr_of(&h->own), in_addr_of(&h->local.addr)};

    if (h->wants & RUN_WANTS_PKTINFO)
        put(o, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    put_hops_ip(o, h->wants, h->ttl, (uint8_t)h->tos);
    if (h->options_len)
        put(o, IPPROTO_IP, IP_RECVOPTS, h->options, h->options_len);
    if (h->wants & RUN_WANTS_DST)
        put_name(o, &h->local, AF_INET, IPPROTO_IP, IP_ORIGDSTADDR);
}

/* Of what came over IPv4 a socket of IPv6 is told the address only, mapped. */
static void put_ip6(struct out *o, const struct run_dgram *h)
{
    struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)h->ifindex};

    memcpy(&info.ipi6_addr, h->local.addr.b, sizeof info.ipi6_addr);
    if (h->wants & RUN_WANTS_PKTINFO6)
        put(o, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    if (h->local.family == 6)
        put_hops_ip6(o, h->wants, h->ttl, h->tos);
    if (h->local.family == 6 && h->wants & RUN_WANTS_DST6)
        put_name(o, &h->local, AF_INET6, IPPROTO_IPV6, IPV6_ORIGDSTADDR);
}

/* Behind the `used` bytes that the kernel wrote. */
static int hand_over(const struct out *o, struct msghdr *m, size_t used)
{
    size_t at = CMSG_ALIGN(used), room = m->msg_controllen, n = o->len;

    if (at + n > room) {
        n = room > at ? room - at : 0;
        m->msg_flags |= MSG_CTRUNC;
    }
    m->msg_controllen = n ? at + n : used;
    return n ? user_write((uint8_t *)m->msg_control + at, o->bytes, n) : 0;
}

int cmsg_received(const struct run_dgram *h, struct msghdr *m, size_t used)
{
    struct out o = {.len = 0};

    if (h->wants && h->local.family == 4)
        put_ip(&o, h);
    if (h->wants)
        put_ip6(&o, h);
    return hand_over(&o, m, used);
}

/* -- to be sent with --------------------------------------------------------------------------- */

static int take_number(const struct cmsghdr *h, const void *data, int least, int16_t *out)
{
    int value;

    if (h->cmsg_len != CMSG_LEN(sizeof value))
        return -EINVAL;
    memcpy(&value, data, sizeof value);
    if (value < least || value > 255)
        return -EINVAL;
    *out = (int16_t)value;
    return 0;
}

static int take_tos(const struct cmsghdr *h, const uint8_t *data, int16_t *out)
{
    if (h->cmsg_len == CMSG_LEN(1)) {
        *out = *data;
        return 0;
    }
    return take_number(h, data, 0, out);
}

static int take_ip(const struct cmsghdr *h, const void *data, struct run_dgram *out)
{
    struct in_pktinfo info;

    switch (h->cmsg_type) {
    case IP_PKTINFO:
        if (h->cmsg_len != CMSG_LEN(sizeof info))
            return -EINVAL;
        memcpy(&info, data, sizeof info);
        out->ifindex = info.ipi_ifindex;
        out->local.family = 4;
        out->local.addr.b[10] = out->local.addr.b[11] = 0xff;
        memcpy(out->local.addr.b + 12, &info.ipi_spec_dst, sizeof info.ipi_spec_dst);
        return 0;
    case IP_TTL:
        return take_number(h, data, 1, &out->ttl);
    case IP_TOS:
        return take_tos(h, data, &out->tos);
    default:
        return -EINVAL;
    }
}

static int take_ip6(const struct cmsghdr *h, const void *data, struct run_dgram *out)
{
    struct in6_pktinfo info;

    switch (h->cmsg_type) {
    case IPV6_PKTINFO:
        if (h->cmsg_len < CMSG_LEN(sizeof info))
            return -EINVAL;
        memcpy(&info, data, sizeof info);
        out->ifindex = (int)info.ipi6_ifindex;
        out->local.family = 6;
        memcpy(out->local.addr.b, &info.ipi6_addr, sizeof info.ipi6_addr);
        return 0;
    case IPV6_HOPLIMIT:
        return take_number(h, data, -1, &out->ttl);
    case IPV6_TCLASS:
        return take_number(h, data, -1, &out->tos);
    default:
        return -EINVAL;
    }
}

static int take_one(const struct fd_id *id, const struct cmsghdr *h, const void *data,
                    struct run_dgram *out)
{
    if (h->cmsg_level == IPPROTO_IP)
        return take_ip(h, data, out);
    if (h->cmsg_level == IPPROTO_IPV6 && id->family == AF_INET6)
        return take_ip6(h, data, out);
    return h->cmsg_level == SOL_SOCKET ? -EINVAL : 0; /* Linux: others' levels are not looked at */
}

int cmsg_to_send(const struct fd_id *id, const struct msghdr *m, struct run_dgram *out)
{
    uint8_t bytes[ROOM_IN];
    struct cmsghdr h;
    size_t at = 0, len = m->msg_control ? m->msg_controllen : 0;
    int v;

    if (len > sizeof bytes)
        return -ENOBUFS;
    if ((v = user_read(bytes, m->msg_control, len)) < 0)
        return v;
    for (; at + sizeof h <= len; at += CMSG_ALIGN(h.cmsg_len)) {
        memcpy(&h, bytes + at, sizeof h);
        if (h.cmsg_len < sizeof h || h.cmsg_len > len - at)
            return -EINVAL;
        if ((v = take_one(id, &h, bytes + at + CMSG_LEN(0), out)) < 0)
            return v;
    }
    return 0;
}

/* -- the error queue --------------------------------------------------------------------------- */

static void put_error(struct out *o, const struct run_error *e, const struct fd_id *id)
{
    bool is_six = id->family == AF_INET6;
    struct {
        struct sock_extended_err e;
        struct sockaddr_in6 offender; /* as long as the family's is */
    } said = {.e = {.ee_errno = (uint32_t)e->error,
                    .ee_origin = e->origin,
                    .ee_type = e->type,
                    .ee_code = e->code,
                    .ee_info = e->info}};
    struct sockaddr_storage from;
    socklen_t len = sizeof from;

    addr_to_user(&e->offender, id->family, (struct sockaddr *)&from, &len);
    if (e->ttl && e->to.family == 4)
        put_hops_ip(o, e->wants, e->ttl, e->tos);
    else if (e->ttl)
        put_hops_ip6(o, e->wants, e->ttl, e->tos);
    if (e->has_offender)
        memcpy(&said.offender, &from, len);
    put(o, is_six ? IPPROTO_IPV6 : IPPROTO_IP, is_six ? IPV6_RECVERR : IP_RECVERR, &said,
        sizeof said.e + len);
}

/* What came back of the datagram, into the caller's slices. */
static ssize_t scatter(const uint8_t *from, size_t len, const struct msghdr *m)
{
    size_t done = 0;
    int v;

    for (size_t i = 0; i < m->msg_iovlen && done < len; i++) {
        size_t n = m->msg_iov[i].iov_len < len - done ? m->msg_iov[i].iov_len : len - done;
        if ((v = user_write(m->msg_iov[i].iov_base, from + done, n)) < 0)
            return v;
        done += n;
    }
    return (ssize_t)done;
}

/* The error itself, which waits in the carrier, is told by this too. */
static void forget_told(int fd, const struct fd_id *id)
{
    struct run_dgram head;

    while (id->kind == FD_DGRAM && dgram_has_error(fd))
        REAL(recv)(fd, &head, sizeof head, MSG_DONTWAIT);
}

ssize_t cmsg_error(int fd, const struct fd_id *id, struct msghdr *m)
{
    struct run_ask ask = {.op = RUN_RECVERR};
    struct run_answer answer;
    struct run_error e;
    struct out o = {.len = 0};
    ssize_t n;
    int v, saved = errno;

    if ((v = door_ask_about(id, &ask, &answer)) < 0)
        return door_result(v);
    forget_told(fd, id);
    errno = saved;
    memcpy(&e, answer.value, sizeof e);
    n = scatter(answer.value + sizeof e, (size_t)v, m);
    if (n < 0)
        return door_result((int)n);
    m->msg_flags = MSG_ERRQUEUE | (n < v ? MSG_TRUNC : 0);
    if (m->msg_name)
        addr_to_user(&e.to, id->family, m->msg_name, &m->msg_namelen);
    put_error(&o, &e, id);
    v = hand_over(&o, m, 0);
    return v < 0 ? door_result(v) : n;
}
