/* ICMPv6 errors about packets that deserve one. 4443#2.4, 4443#3.
 *
 * Knows: which packets may be answered, how much is quoted. Not why one was refused. Shape: the
 * queue and the rate are those of ICMP. Units: bytes. Errors: verdicts. Cost: one copy. */
#include "ip/inner.h"

#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"

#define QUOTE_MAX (IP6_MTU_MIN - IP6_LEN - ICMP_LEN) /* 4443#3.1: as much as fits any path */
#define HEADERS_MAX 256

static bool is_group_told(const struct icmp_offence *o)
{
    return o->type == ICMP6_TOO_BIG || (o->type == ICMP6_PARAM && o->code == PARAM6_OPTION);
}

/* 4443#2.4 (e.1) (e.2): an error, or a redirect, is not answered by another. The headers before it
 * are passed over unjudged: one of them may be why an error is due. */
static bool is_error(const uint8_t *p, uint32_t n, uint8_t next)
{
    uint32_t at = IP6_LEN, len;

    while (ip6_is_extension(next)) {
        if (at + 8 > n)
            return true; /* can not be seen */
        if (next == NEXT_FRAGMENT && get16(p + at + 2) & IP6_FRAG_OFFSET)
            return false;
        len = next == NEXT_FRAGMENT ? IP6_FRAG_LEN : 8 + p[at + 1] * 8u;
        next = p[at];
        at += len;
    }
    if (next != PROTO_ICMP6)
        return false;
    return at >= n || p[at] < ICMP6_INFO || p[at] == ICMP6_ND_LAST;
}

bool icmp6_error_may_send(const struct icmp_offence *o)
{
    uint8_t bytes[HEADERS_MAX];
    uint32_t n = slices_peek(o->part, o->parts, bytes, sizeof bytes);
    struct ip6 h;

    if (n < IP6_LEN || ip6_parse(&h, bytes, (size_t)UINT16_MAX + IP6_LEN) < 0)
        return false;
    if ((o->is_group || h.dst.b[0] == 0xff) && !is_group_told(o)) /* (e.3) (e.4) (e.5) */
        return false;
    if (weir_addr_is_any(&h.src) || ip6_judge_source(&h.src, o->iface_flags) != PASS)
        return false; /* (e.6) */
    return !is_error(bytes, n, h.next);
}

enum drop icmp6_error_send(struct ip *ip, const struct icmp_offence *o, int64_t now_us)
{
    struct icmp4 h = {.type = o->type, .code = o->code, .rest = o->rest};
    uint32_t quoted = slices_len(o->part, o->parts), whole;
    struct icmp_answer a = {
        .src = o->local, .ifindex = o->ifindex, .parts = o->parts, .part = o->part};
    uint8_t head[IP6_LEN];
    uint32_t acc;

    if (!icmp6_error_may_send(o))
        return DROP_icmp_ignored;
    slices_peek(o->part, o->parts, head, sizeof head);
    memcpy(&a.dst, head + 8, sizeof a.dst);
    whole = IP6_LEN + (uint32_t)get16(head + 4); /* what is behind it is padding */
    quoted = quoted < whole ? quoted : whole;
    a.len = quoted < QUOTE_MAX ? quoted : QUOTE_MAX;
    a.is_mtu = o->type == ICMP6_TOO_BIG;
    acc = pseudo_sum(&a.src, &a.dst, PROTO_ICMP6, ICMP_LEN + a.len);
    return icmp_queue_error(ip, &a, &h, acc, now_us);
}
