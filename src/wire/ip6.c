/* IPv6 headers and what may stand between them and the transport. 8200#3, 8200#4, 5095, 6564.
 *
 * Knows: bytes, header and option types. Not addresses of ours, nor what a router alert asks for.
 * Shape: the walk is bounded in headers and in options, so that a packet costs no more than its
 * size earns; it changes nothing. Units: bytes; a header's own length counts in 8 bytes behind the
 * first 8. Errors: ip_short, ip_version, ip_total_len; of the walk ip6_header, ip6_option,
 * ip6_routing, ip6_none, and what the sender is told of it. Cost: O(headers), O(options). */
#include "wire/wire.h"

#include <string.h>

#include "base/bytes.h"

#define HEADERS_MAX 8 /* of extension; 8200#4.1 lists six, destination options twice */
#define OPTIONS_MAX 8 /* in one header, without padding: Linux's max_hbh_opts_number */
#define PAD_MAX 7     /* bytes of padding in one go: 8200#4.2 needs no more, as Linux */

enum { OPT_PAD1 = 0, OPT_PADN = 1, OPT_ALERT = 5 };
enum { ACT_SKIP, ACT_DISCARD, ACT_TELL, ACT_TELL_NO_GROUP }; /* 8200#4.2: the upper two bits */

int ip6_parse(struct ip6 *out, const uint8_t *p, size_t n)
{
    uint32_t first;

    if (n < IP6_LEN)
        return -DROP_ip_short;
    first = get32(p);
    if (first >> 28 != 6)
        return -DROP_ip_version;
    out->payload_len = get16(p + 4);
    if (out->payload_len > n - IP6_LEN)
        return -DROP_ip_total_len;
    out->tclass = (uint8_t)(first >> 20);
    out->flow = first & 0xfffff;
    out->next = p[6];
    out->hop_limit = p[7];
    memcpy(&out->src, p + 8, sizeof out->src);
    memcpy(&out->dst, p + 24, sizeof out->dst);
    return IP6_LEN;
}

size_t ip6_emit(uint8_t *p, const struct ip6 *h)
{
    put32(p, 6u << 28 | (uint32_t)h->tclass << 20 | (h->flow & 0xfffff));
    put16(p + 4, h->payload_len);
    p[6] = h->next;
    p[7] = h->hop_limit;
    memcpy(p + 8, &h->src, sizeof h->src);
    memcpy(p + 24, &h->dst, sizeof h->dst);
    return IP6_LEN;
}

size_t ip6_frag_emit(uint8_t *p, uint8_t next, uint16_t frag, uint32_t id)
{
    p[0] = next;
    p[1] = 0;
    put16(p + 2, frag);
    put32(p + 4, id);
    return IP6_FRAG_LEN;
}

/* -- the walk ---------------------------------------------------------------------------------- */

/* A parameter problem with its pointer. */
static enum drop refuse(struct ip6_chain *c, enum drop why, enum icmp6_param code, size_t pointer)
{
    c->is_told = true;
    c->is_told_group = code == PARAM6_OPTION;
    c->code = (uint8_t)code;
    c->pointer = (uint32_t)pointer;
    return why;
}

/* An option that we do not know, at `at`: its type says what becomes of the packet. */
static enum drop judge_unknown(struct ip6_chain *c, uint8_t type, size_t at)
{
    enum drop v;

    switch (type >> 6) {
    case ACT_SKIP:
        return PASS;
    case ACT_DISCARD:
        return DROP_ip6_option;
    default:
        v = refuse(c, DROP_ip6_option, PARAM6_OPTION, at);
        c->is_told_group = type >> 6 == ACT_TELL;
        return v;
    }
}

/* Padding longer than it need be, or one that carries something, hides something. */
static bool is_padding(const uint8_t *p, size_t len)
{
    for (size_t i = 2; i < len; i++)
        if (p[i])
            return false;
    return len <= PAD_MAX;
}

/* The options of a header, p[at, end). */
static enum drop walk_options(struct ip6_chain *c, const uint8_t *p, size_t at, size_t end,
                              bool is_hop_by_hop)
{
    int options = 0;
    enum drop v;
    size_t len;

    for (; at < end; at += len) {
        len = 1;
        if (p[at] == OPT_PAD1)
            continue;
        len = at + 1 < end ? 2 + (size_t)p[at + 1] : 0;
        if (!len || len > end - at)
            return refuse(c, DROP_ip6_header, PARAM6_FIELD, at);
        if (p[at] == OPT_PADN && is_padding(p + at, len))
            continue;
        if (p[at] == OPT_PADN || ++options > OPTIONS_MAX)
            return DROP_ip6_header;
        if (p[at] == OPT_ALERT && is_hop_by_hop && len == 4)
            c->has_alert = true;
        else if ((v = judge_unknown(c, p[at], at)) != PASS)
            return v;
    }
    return PASS;
}

/* 8200#4.4: one that has nothing left to do is passed over, whatever its type; 5095#3. */
static enum drop walk_routing(struct ip6_chain *c, const uint8_t *p, size_t at)
{
    return p[at + 3] ? refuse(c, DROP_ip6_routing, PARAM6_FIELD, at + 2) : PASS;
}

static void read_fragment(struct ip6_chain *c, const uint8_t *p)
{
    c->inner = p[0];
    c->frag = get16(p + 2) & 0xfff9;
    c->id = get32(p + 4);
}

bool ip6_is_extension(uint8_t next)
{
    return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT ||
           next == NEXT_OPTS;
}

/* One header of type `next` at `at`, `len` bytes long. */
static enum drop walk_header(struct ip6_chain *c, const uint8_t *p, size_t at, size_t len)
{
    switch (c->proto) {
    case NEXT_ROUTING:
        return walk_routing(c, p, at);
    case NEXT_FRAGMENT:
        read_fragment(c, p + at);
        return PASS;
    default:
        return walk_options(c, p, at + 2, at + len, c->proto == NEXT_HOP_BY_HOP);
    }
}

enum drop ip6_walk(struct ip6_chain *c, const uint8_t *p, size_t at, size_t n)
{
    size_t from = at;

    for (int headers = 0; ip6_is_extension(c->proto); headers++) {
        size_t len = c->proto == NEXT_FRAGMENT || at + 2 > n ? IP6_FRAG_LEN : 8 + p[at + 1] * 8u;
        bool is_fragment = c->proto == NEXT_FRAGMENT;
        enum drop v;

        if (c->proto == NEXT_HOP_BY_HOP && at != IP6_LEN) /* 8200#4.1: the first, or none */
            return refuse(c, DROP_ip6_header, PARAM6_NEXT, c->named_at);
        if (headers == HEADERS_MAX || at + len > n)
            return DROP_ip6_header;
        v = walk_header(c, p, at, len);
        if (v != PASS)
            return v;
        c->len = (uint16_t)(at + len - from);
        if (is_fragment)
            return PASS;
        c->named_at = (uint16_t)at;
        c->proto = p[at];
        at += len;
    }
    return c->proto == NEXT_NONE ? DROP_ip6_none : PASS;
}
