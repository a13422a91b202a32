/* Packets as bytes: see segment.h.
 *
 * Knows: IPv4, IPv6, TCP, UDP, ICMP. Shape: an IP header without options or extensions, then the
 * rest; of which version says the source address. Units: bytes.
 * Errors: one line that says what is wrong. Cost: O(bytes), the checksum goes over all. */
#include "packetdrill/segment.h"

#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"
#include "packetdrill/icmp_names.h"
#include "wire/wire.h"

static uint32_t pseudo(const struct packet *p, uint8_t proto, size_t len)
{
    return pseudo_sum(&p->src, &p->dst, proto, (uint32_t)len);
}

/* -- segment to bytes -------------------------------------------------------------------------- */

static void seal(uint8_t *at, size_t len, size_t field, uint32_t acc)
{
    uint16_t sum = sum_finish(sum_add(acc, at, len));

    memcpy(at + field, &sum, sizeof sum);
}

static size_t build_tcp(uint8_t *at, const struct packet *p)
{
    const struct segment *s = &p->s;
    size_t opts = options_build(at + TCP_LEN, s->option, s->options), head = TCP_LEN + opts;

    put16(at, s->sport);
    put16(at + 2, s->dport);
    put32(at + 4, s->seq);
    put32(at + 8, s->ack);
    at[12] = (uint8_t)(head / 4 << 4 | s->ae);
    at[13] = s->flags;
    put16(at + 14, s->win);
    put16(at + 16, 0);
    put16(at + 18, s->urg);
    memcpy(at + head, p->payload, s->len);
    seal(at, head + s->len, 16, pseudo(p, PROTO_TCP, head + s->len));
    return head + s->len;
}

static size_t build_udp(uint8_t *at, const struct packet *p)
{
    const struct segment *s = &p->s;
    size_t len = UDP_LEN + s->len;

    put16(at, s->sport);
    put16(at + 2, s->dport);
    put16(at + 4, (uint16_t)len);
    put16(at + 6, 0);
    memcpy(at + UDP_LEN, p->payload, s->len);
    seal(at, len, 6, pseudo(p, PROTO_UDP, len));
    return len;
}

static size_t build_icmp(uint8_t *at, const struct packet *p)
{
    const struct segment *s = &p->s;
    size_t n = icmp_is_error(s->type) ? p->quote_len : s->len;
    bool is_v4 = weir_addr_is_v4(&p->src);
    struct icmp_number number = icmp_number_of(s->type, s->code, !is_v4);

    at[0] = number.type;
    at[1] = number.code;
    put16(at + 2, 0);
    put16(at + 4, s->id);
    put16(at + 6, icmp_is_error(s->type) ? (uint16_t)s->mtu : s->number);
    memcpy(at + ICMP_LEN, p->payload, n);
    seal(at, ICMP_LEN + n, 2, is_v4 ? 0 : pseudo(p, PROTO_ICMP6, ICMP_LEN + n));
    return ICMP_LEN + n;
}

/* The IP header in front of `len` bytes. */
static size_t build_ip(uint8_t *packet, const struct packet *p, size_t len)
{
    static const uint8_t proto[] = {PROTO_TCP, PROTO_UDP, PROTO_ICMP};
    uint8_t class = (uint8_t)(p->s.tos | p->s.ecn), ttl = p->s.has & HAS_TTL ? p->s.ttl : 255;
    struct ip4 ip = {
        .hdr_len = IP4_LEN, .tos = class, .ttl = ttl, .proto = proto[p->s.kind], .frag = p->frag};
    struct ip6 six = {.tclass = class,
                      .next = p->s.kind == SEGMENT_ICMP ? PROTO_ICMP6 : proto[p->s.kind],
                      .hop_limit = ttl,
                      .payload_len = (uint16_t)len,
                      .src = p->src,
                      .dst = p->dst};

    if (!weir_addr_is_v4(&p->src))
        return ip6_emit(packet, &six);
    ip.src = weir_addr_to_v4(&p->src);
    ip.dst = weir_addr_to_v4(&p->dst);
    ip.total_len = (uint16_t)(IP4_LEN + len);
    return ip4_emit(packet, &ip);
}

size_t packet_build(uint8_t *packet, const struct packet *p)
{
    size_t head = packet_head(p);
    uint8_t *at = packet + head;
    size_t len;

    if (p->s.kind == SEGMENT_TCP)
        len = build_tcp(at, p);
    else
        len = p->s.kind == SEGMENT_UDP ? build_udp(at, p) : build_icmp(at, p);
    build_ip(packet, p, len + p->more);
    return head + len;
}

size_t packet_head(const struct packet *p)
{
    return weir_addr_is_v4(&p->src) ? IP4_LEN : IP6_LEN;
}

/* -- bytes to segment -------------------------------------------------------------------------- */

static const char *read_tcp(struct packet *out, const uint8_t *at, size_t len)
{
    struct segment *s = &out->s;
    size_t head;

    if (len < TCP_LEN)
        return "a TCP header cut short";
    head = (size_t)(at[12] >> 4) * 4;
    if (head < TCP_LEN || head > len)
        return "a TCP data offset that can not be";
    if (sum_finish(sum_add(pseudo(out, PROTO_TCP, len), at, len)) != 0)
        return "a wrong TCP checksum";
    s->kind = SEGMENT_TCP;
    s->has |= HAS_WIN | HAS_OPTIONS;
    s->sport = get16(at);
    s->dport = get16(at + 2);
    s->seq = get32(at + 4);
    s->ack = get32(at + 8);
    s->flags = at[13];
    s->ae = at[12] & 1;
    s->win = get16(at + 14);
    s->urg = get16(at + 18);
    s->has |= (s->flags & TCP_ACK ? HAS_ACK : 0u) | (s->flags & TCP_URG ? HAS_URG : 0u);
    s->options = options_read(s->option, at + TCP_LEN, head - TCP_LEN);
    if (s->options < 0)
        return "a malformed list of TCP options";
    s->len = (uint32_t)(len - head);
    out->payload = at + head;
    return NULL;
}

static const char *read_udp(struct packet *out, const uint8_t *at, size_t len)
{
    if (len < UDP_LEN || get16(at + 4) != len)
        return "a UDP length that can not be";
    if (get16(at + 6) && sum_finish(sum_add(pseudo(out, PROTO_UDP, len), at, len)) != 0)
        return "a wrong UDP checksum";
    out->s.kind = SEGMENT_UDP;
    out->s.sport = get16(at);
    out->s.dport = get16(at + 2);
    out->s.len = (uint32_t)(len - UDP_LEN);
    out->payload = at + UDP_LEN;
    return NULL;
}

/* An IP header of either version: its length, or 0. */
struct ip_any {
    struct weir_addr src, dst;
    size_t hdr_len, total_len;
    uint8_t proto, tos, ttl;
    bool is_plain; /* neither options nor extensions, nor a fragment */
};

static bool read_ip(struct ip_any *out, const uint8_t *at, size_t most)
{
    struct ip4 ip;
    struct ip6 six;

    if (ip6_parse(&six, at, most) > 0) {
        *out =
            (struct ip_any){six.src,  six.dst,    IP6_LEN,       IP6_LEN + (size_t)six.payload_len,
                            six.next, six.tclass, six.hop_limit, true};
        return true;
    }
    if (ip4_parse(&ip, at, most) < 0)
        return false;
    *out = (struct ip_any){weir_addr_v4(ip.src),
                           weir_addr_v4(ip.dst),
                           ip.hdr_len,
                           ip.total_len,
                           ip.proto,
                           ip.tos,
                           ip.ttl,
                           ip.hdr_len == IP4_LEN && !(ip.frag & ~IP4_DF)};
    return true;
}

/* The packet inside an ICMP error: ports and the sequence number are all that must be there. */
static void read_quote(struct segment *s, const uint8_t *at, size_t len)
{
    struct ip_any ip;
    size_t rest;

    if (!read_ip(&ip, at, PACKET_MAX) || len < ip.hdr_len + 8u)
        return;
    s->has |= HAS_QUOTE;
    rest = ip.total_len - ip.hdr_len;
    at += ip.hdr_len;
    s->sport = get16(at + 2); /* seen from who sends the ICMP */
    s->dport = get16(at);
    s->quote.kind = ip.proto == PROTO_UDP ? SEGMENT_UDP : SEGMENT_TCP;
    s->quote.seq = ip.proto == PROTO_TCP ? get32(at + 4) : 0;
    s->quote.len = (uint32_t)(rest - UDP_LEN);
    if (ip.proto == PROTO_TCP)
        s->quote.len = len >= ip.hdr_len + 13u ? (uint32_t)(rest - (size_t)(at[12] >> 4) * 4) : 0;
}

static const char *read_icmp(struct packet *out, const uint8_t *at, size_t len)
{
    struct segment *s = &out->s;
    bool is_v6 = !weir_addr_is_v4(&out->src);
    uint32_t acc = is_v6 ? pseudo(out, PROTO_ICMP6, len) : 0;

    if (len < ICMP_LEN || sum_finish(sum_add(acc, at, len)) != 0)
        return "a wrong ICMP checksum";
    s->kind = SEGMENT_ICMP;
    icmp_read_number((struct icmp_number){at[0], at[1]}, is_v6, &s->type, &s->code);
    out->payload = at + ICMP_LEN;
    if (icmp_is_error(s->type)) {
        s->mtu = icmp_has_mtu(s->type, s->code) ? get16(at + 6) : 0;
        s->has |= s->mtu ? HAS_MTU : 0u;
        out->quote_len = (uint32_t)(len - ICMP_LEN);
        read_quote(s, at + ICMP_LEN, len - ICMP_LEN);
        return NULL;
    }
    s->id = get16(at + 4);
    s->number = get16(at + 6);
    s->len = (uint32_t)(len - ICMP_LEN);
    return NULL;
}

const char *packet_read(struct packet *out, const uint8_t *packet, size_t len)
{
    struct ip_any ip;
    const uint8_t *at = packet;

    *out = (struct packet){.payload = packet};
    if (!read_ip(&ip, packet, len) || ip.total_len != len)
        return "a bad IP header";
    if (!ip.is_plain)
        return "IP options or a fragment";
    at += ip.hdr_len;
    len -= ip.hdr_len;
    out->src = ip.src;
    out->dst = ip.dst;
    out->s.tos = ip.tos;
    out->s.ecn = ip.tos & 3;
    out->s.ttl = ip.ttl;
    out->s.has = HAS_TOS | HAS_TTL | HAS_ECN | HAS_PORTS;
    if (ip.proto == PROTO_TCP)
        return read_tcp(out, at, len);
    if (ip.proto == PROTO_UDP)
        return read_udp(out, at, len);
    if (ip.proto == (weir_addr_is_v4(&ip.src) ? PROTO_ICMP : PROTO_ICMP6))
        return read_icmp(out, at, len);
    return "an unknown protocol, or an extension header";
}
