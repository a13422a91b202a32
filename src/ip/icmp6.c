/* ICMPv6 messages that come in: echo requests are answered, errors are read for the transports.
 * 4443.
 *
 * Knows: messages and quotes. Not sockets or connections: whether a quote is ours they will say;
 * not neighbour discovery or group membership, which the stack takes elsewhere. Shape: nothing is
 * believed here, and nothing changed but the queue of answers. Units: bytes. Errors: verdicts.
 * Cost: one copy of an echo; the checksum was judged before. */
#include "ip/inner.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"

#define QUOTE_MAX 256 /* where the transport header of a packet of ours lies, and then some */

static enum drop input_echo(struct ip *ip, const struct icmp_view *in, const struct icmp4 *h);
static enum drop input_error(const struct icmp_view *in, const struct icmp4 *h,
                             struct icmp_event *out);

enum drop icmp6_input(struct ip *ip, const struct icmp_view *in, struct icmp_event *out)
{
    uint8_t hdr[ICMP_LEN];
    struct icmp4 h;

    out->kind = ICMP_EVENT_NONE;
    if (slices_peek(in->part, in->parts, hdr, ICMP_LEN) < ICMP_LEN)
        return DROP_icmp_short;
    h = (struct icmp4){.type = hdr[0], .code = hdr[1], .rest = get32(hdr + 4)};
    switch (h.type) {
    case ICMP6_ECHO:
        return input_echo(ip, in, &h);
    case ICMP6_ECHO_REPLY:
        out->kind = ICMP_EVENT_REPLY;
        out->id = (uint16_t)(h.rest >> 16);
        return PASS;
    case ICMP6_UNREACH:
    case ICMP6_TOO_BIG:
    case ICMP6_TIME:
    case ICMP6_PARAM:
        return input_error(in, &h, out);
    default: /* 4443#2.4 (a): errors that we do not know are for who sent; (b) */
        return h.type < ICMP6_INFO ? input_error(in, &h, out) : DROP_icmp_type;
    }
}

/* Where a group was asked, another address takes its place in the pseudo header. */
static enum drop input_echo(struct ip *ip, const struct icmp_view *in, const struct icmp4 *h)
{
    const struct ip_config *c = &ip->config;
    struct icmp4 reply = {.type = ICMP6_ECHO_REPLY, .code = h->code, .rest = h->rest};
    uint32_t len = slices_len(in->part, in->parts);
    uint32_t was = pseudo_sum(&in->src, &in->dst, PROTO_ICMP6, len);
    uint32_t is = pseudo_sum(&in->local, &in->src, PROTO_ICMP6, len);

    if (c->icmp6_echo_ignore_all || (in->is_group && c->icmp6_echo_ignore_multicast))
        return DROP_icmp_echo_refused;
    return icmp_answer_echo(ip, in, &reply, ICMP6_ECHO, sum_fold(is) + sum_finish(was));
}

/* 4443#3, as Linux turns them into errors. */
static void explain(const struct icmp4 *h, struct icmp_error *out)
{
    static const uint8_t unreach[] = {
        ENETUNREACH, EACCES, EHOSTUNREACH, EHOSTUNREACH, ECONNREFUSED, EACCES, EACCES,
    };

    out->type = h->type;
    out->code = h->code;
    out->error = EPROTO;
    switch (h->type) {
    case ICMP6_UNREACH:
        out->is_hard = h->code == UNREACH6_ADMIN || h->code >= UNREACH6_PORT;
        if (h->code < sizeof unreach)
            out->error = unreach[h->code];
        break;
    case ICMP6_TOO_BIG:
        out->error = EMSGSIZE;
        out->mtu = h->rest < UINT16_MAX ? h->rest : UINT16_MAX;
        break;
    case ICMP6_TIME:
        out->error = EHOSTUNREACH;
        break;
    default:
        out->is_hard = h->type == ICMP6_PARAM;
        break;
    }
}

enum drop icmp6_read_quote(const uint8_t *p, uint32_t n, struct icmp_error *out)
{
    struct ip6_chain c = {.named_at = 6};
    struct ip6 h;
    uint32_t at = IP6_LEN;
    uint8_t head[IP6_LEN];

    if (n < IP6_LEN)
        return DROP_icmp_quote;
    memcpy(head, p, IP6_LEN);
    put16(head + 4, 0); /* the quote may end before the packet did */
    if (ip6_parse(&h, head, IP6_LEN) < 0)
        return DROP_icmp_quote;
    out->local = h.src;
    out->remote = h.dst;
    c.proto = h.next;
    if (weir_addr_is_v4(&h.src) || weir_addr_is_v4(&h.dst) || ip6_walk(&c, p, at, n) != PASS)
        return DROP_icmp_quote;
    at += c.len;
    out->proto = c.proto;
    if (c.proto == NEXT_FRAGMENT) {
        if (c.frag & IP6_FRAG_OFFSET)
            return DROP_icmp_quote; /* a later fragment: whose it was can not be seen */
        out->proto = c.inner;
    }
    out->text_at = at + 8;
    if (n < at + 8)
        return DROP_icmp_quote;
    return icmp_read_transport(p + at, out->proto == PROTO_ICMP6, ICMP6_ECHO, out);
}

static enum drop input_error(const struct icmp_view *in, const struct icmp4 *h,
                             struct icmp_event *out)
{
    uint8_t bytes[ICMP_LEN + QUOTE_MAX];
    uint32_t n = slices_peek(in->part, in->parts, bytes, sizeof bytes);
    enum drop d;

    out->error = (struct icmp_error){.from = in->src};
    d = icmp6_read_quote(bytes + ICMP_LEN, n - ICMP_LEN, &out->error);
    if (d != PASS)
        return d;
    explain(h, &out->error);
    if (h->type == ICMP6_TOO_BIG && out->error.mtu < IP6_MTU_MIN)
        return DROP_icmp_ignored; /* 8201#4: there is no such path */
    out->error.text_at += ICMP_LEN;
    out->kind = ICMP_EVENT_ERROR;
    return PASS;
}
