/* ICMP messages that go out: the queue of answers, and errors about packets that deserve one. 792,
 * 1122#3.2.2, 1812#4.3.2.
 *
 * Knows: the queue, the rate. Not why a packet was refused. Shape: one ring of records for each
 * interface, bounded together; pulled bytes stay until ip_settle. Errors share one bucket that
 * refills with time and is drained by a random amount, one on average, so that nobody can count
 * what others drew from it (CVE-2020-25705). Units: bytes. Errors: verdicts. Cost: one copy. */
#include "ip/inner.h"

#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"

#define SECOND_US 1000000
#define QUOTE_MAX 548 /* 1812#4.3.2.3: the message's datagram stays within 576 */

struct icmp_record {
    struct weir_addr src, dst;
    uint16_t len; /* bytes behind the record */
    uint8_t tos;
    uint8_t pad;
    uint8_t hdr[ICMP_LEN];
};

uint32_t slices_peek(const struct weir_slice *part, int parts, uint8_t *dst, uint32_t n)
{
    uint32_t got = 0;

    for (int i = 0; i < parts && got < n; i++) {
        uint32_t here = part[i].len < n - got ? part[i].len : n - got;

        if (here)
            memcpy(dst + got, part[i].data, here);
        got += here;
    }
    return got;
}

uint32_t slices_len(const struct weir_slice *part, int parts)
{
    uint32_t n = 0;

    for (int i = 0; i < parts; i++)
        n += part[i].len;
    return n;
}

uint32_t slices_sum(uint32_t acc, const struct weir_slice *part, int parts, uint32_t n)
{
    uint32_t at = 0;

    for (int i = 0; i < parts && at < n; i++) {
        uint32_t here = part[i].len < n - at ? part[i].len : n - at;

        acc = sum_add_at(acc, part[i].data, here, at);
        at += here;
    }
    return acc;
}

/* Copies the answer's bytes into the ring, from offset `at` on. */
static void place(struct ring *r, uint32_t at, const struct icmp_answer *a)
{
    uint32_t skip = a->skip, left = a->len;

    for (int i = 0; i < a->parts && left; i++) {
        uint32_t out = a->part[i].len < skip ? a->part[i].len : skip;
        uint32_t here = a->part[i].len - out < left ? a->part[i].len - out : left;

        ring_place(r, at, a->part[i].data + out, here);
        skip -= out;
        at += here;
        left -= here;
    }
}

enum drop icmp_queue(struct ip *ip, const struct icmp_answer *a)
{
    struct icmp_record r = {.src = a->src, .dst = a->dst, .len = (uint16_t)a->len, .tos = a->tos};
    uint32_t charge = (uint32_t)sizeof r + a->len;
    struct route_result route;
    struct ring *ring;

    if (ip6_is_link_local(&a->dst))
        route.ifindex = a->ifindex;
    else if (route_lookup(ip, &a->dst, 0, &route) != 0)
        return DROP_ip_no_route;
    ring = &ip->answer[route.ifindex];
    if (ip->answer_bytes + charge > ip->config.icmp_queue_bytes ||
        !ring_reserve(ring, ip->mem, ring->len + charge, ring->len))
        return DROP_reply_queue;
    memcpy(r.hdr, a->hdr, sizeof r.hdr);
    ring_place(ring, ring->len, &r, sizeof r);
    place(ring, ring->len + (uint32_t)sizeof r, a);
    ring_extend(ring, charge);
    ip->answer_bytes += charge;
    return PASS;
}

bool icmp_first(struct ip *ip, int ifindex, struct icmp_out *out)
{
    struct ring *ring = &ip->answer[ifindex];
    struct icmp_record r;

    if (!ring->len)
        return false;
    ring_peek(ring, 0, &r, sizeof r);
    *out = (struct icmp_out){.src = r.src,
                             .dst = r.dst,
                             .tos = r.tos,
                             .ttl = weir_addr_is_v4(&r.dst) ? ip->config.ip_default_ttl
                                                            : ip->config.hop_limit,
                             .len = ICMP_LEN + (uint32_t)r.len};
    memcpy(out->hdr, r.hdr, sizeof out->hdr);
    if (r.len)
        out->texts = (uint8_t)ring_slices(ring, sizeof r, r.len, out->text);
    return true;
}

void icmp_sent(struct ip *ip, int ifindex)
{
    struct ring *ring = &ip->answer[ifindex];
    struct icmp_record r;
    uint32_t charge;

    ring_peek(ring, 0, &r, sizeof r);
    charge = (uint32_t)sizeof r + r.len;
    ring_consume(ring, charge);
    ip->answer_bytes -= charge;
    if (!ring->len)
        ip->emptied |= 1u << ifindex;
}

bool ip_has_output(const struct ip *ip, int ifindex)
{
    return ip->answer[ifindex].len || ip->transit[ifindex].len ||
           (ip->members.due[MEMBERS_V4] | ip->members.due[MEMBERS_V6]) >> ifindex & 1;
}

void ip_settle(struct ip *ip)
{
    while (ip->emptied) {
        int ifindex = __builtin_ctz(ip->emptied);

        ip->emptied &= ip->emptied - 1;
        if (!ip->answer[ifindex].len)
            ring_release(&ip->answer[ifindex], ip->mem);
        if (!ip->transit[ifindex].len)
            ring_release(&ip->transit[ifindex], ip->mem);
    }
}

/* 1122#3.2.2: what may not be answered by an error. */
static bool is_icmp_query(const uint8_t *p, uint32_t n)
{
    return n && (p[0] == ICMP4_ECHO || p[0] == ICMP4_ECHO_REPLY || (p[0] >= 13 && p[0] <= 18));
}

bool icmp_error_may_send(const struct icmp_offence *o)
{
    uint8_t bytes[IP4_LEN + 40 + 1];
    uint32_t n = slices_peek(o->part, o->parts, bytes, sizeof bytes);
    uint32_t total = slices_len(o->part, o->parts);
    struct weir_addr src, dst;
    struct ip4 h;
    /* What is here may be the packet's beginning only. */
    int hdr_len = ip4_parse(&h, bytes, total < sizeof bytes ? n : UINT16_MAX);

    if (hdr_len < 0 || o->is_group)
        return false;
    if (h.frag & 0x1fff)
        return false;
    if (h.proto == PROTO_ICMP && !is_icmp_query(bytes + hdr_len, n - (uint32_t)hdr_len))
        return false;
    src = weir_addr_v4(h.src);
    dst = weir_addr_v4(h.dst);
    if (dst.b[12] >= 224 || h.dst == 0)
        return false;
    return !o->is_source_bad && ip_judge_source(&src, o->iface_flags, 0) == PASS;
}

enum drop icmp_error_send(struct ip *ip, const struct icmp_offence *o, int64_t now_us)
{
    struct icmp4 h = {.type = o->type, .code = o->code, .rest = o->rest};
    uint32_t quoted = slices_len(o->part, o->parts);
    struct icmp_answer a = {.src = o->local, .parts = o->parts, .part = o->part};
    uint8_t bytes[IP4_LEN];
    uint32_t total;

    if (!icmp_error_may_send(o))
        return DROP_icmp_ignored;
    slices_peek(o->part, o->parts, bytes, sizeof bytes);
    a.dst = weir_addr_v4(get32(bytes + 12));
    total = get16(bytes + 2); /* what is behind it is padding */
    quoted = quoted < total ? quoted : total;
    a.len = quoted < QUOTE_MAX ? quoted : QUOTE_MAX;
    a.is_mtu = o->type == ICMP4_UNREACH && o->code == UNREACH_FRAG;
    return icmp_queue_error(ip, &a, &h, 0, now_us);
}

/* Each draws on what others may send. */
static bool take_credit(struct ip *ip, int64_t now_us)
{
    const struct ip_config *c = &ip->config;
    int64_t passed_us = now_us - ip->credit_at_us;
    uint64_t fresh;

    if (passed_us > SECOND_US) {
        passed_us = SECOND_US;
        ip->credit_at_us = now_us - SECOND_US;
    }
    fresh = passed_us > 0 ? (uint64_t)passed_us * c->icmp_msgs_per_sec / SECOND_US : 0;
    if (fresh) {
        ip->credit_at_us += (int64_t)(fresh * SECOND_US / c->icmp_msgs_per_sec);
        ip->credit += (int64_t)fresh;
    }
    if (ip->credit > c->icmp_msgs_burst)
        ip->credit = c->icmp_msgs_burst;
    if (ip->credit <= 0)
        return false;
    ip->credit -= rng_below(&ip->rng, 3); /* may become a debt, or the rate would be exceeded */
    return true;
}

enum drop icmp_queue_error(struct ip *ip, struct icmp_answer *a, const struct icmp4 *h,
                           uint32_t acc, int64_t now_us)
{
    uint16_t sum;

    icmp4_emit(a->hdr, h);
    sum = sum_finish(slices_sum(sum_add(acc, a->hdr, ICMP_LEN), a->part, a->parts, a->len));
    memcpy(a->hdr + 2, &sum, sizeof sum);
    if (!take_credit(ip, now_us) && !a->is_mtu)
        return DROP_icmp_rate;
    return icmp_queue(ip, a);
}
