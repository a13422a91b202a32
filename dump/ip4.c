/* IPv4, and what the layers share: views, addresses, checksums, the way to the transport.
 *
 * Knows: RFC 791. Shape: one line, with -v one of the header before it. Units: bytes.
 * Errors: " [|ip]", "[bad ...]" words. Cost: O(header). */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/sum.h"
#include "dump/print.h"
#include "wire/wire.h"

enum { PROTO_IP4 = 4, PROTO_IP6 = 41 }; /* IP in IP */
#define MF 0x2000u
#define DF 0x4000u
#define RESERVED 0x8000u
#define OFFSET 0x1fffu

/* -- shared ------------------------------------------------------------------------------------ */

struct view view_from(struct view v, uint32_t k)
{
    uint32_t n = k < v.n ? k : v.n;

    return (struct view){v.p + n, v.n - n, k < v.wire ? v.wire - k : 0};
}

struct view view_to(struct view v, uint32_t k)
{
    v.n = v.n < k ? v.n : k;
    v.wire = v.wire < k ? v.wire : k;
    return v;
}

void print_cut(struct dump *d, const char *name)
{
    fprintf(d->to, " [|%s]", name);
}

void print_addr(struct dump *d, const uint8_t *p, bool is_v6)
{
    char text[INET6_ADDRSTRLEN];

    fputs(inet_ntop(is_v6 ? AF_INET6 : AF_INET, p, text, sizeof text), d->to);
}

void print_mac(struct dump *d, const uint8_t mac[6])
{
    for (int i = 0; i < 6; i++)
        fprintf(d->to, i ? ":%02x" : "%02x", mac[i]);
}

void print_ends(struct dump *d, const struct inet *in, int sport, int dport)
{
    if (in->is_said) {
        if (sport >= 0)
            fprintf(d->to, "%d > %d: ", sport, dport);
        return;
    }
    print_addr(d, in->src, in->is_v6);
    if (sport >= 0)
        fprintf(d->to, ".%d", sport);
    fputs(" > ", d->to);
    print_addr(d, in->dst, in->is_v6);
    if (dport >= 0)
        fprintf(d->to, ".%d", dport);
    fputs(": ", d->to);
}

const char *word_of(const struct word *words, uint32_t value)
{
    while (words->text && words->value != value)
        words++;
    return words->text;
}

/* Sums are added up in the machine's order. */
static uint16_t lacking(uint32_t sum)
{
    return __builtin_bswap16(sum_finish(sum));
}

uint16_t transport_sum(const struct inet *in, struct view v)
{
    uint8_t tail[8] = {0};
    uint32_t sum, n = in->is_v6 ? 16 : 4;

    put32(tail, v.wire);
    tail[7] = in->proto;
    sum = sum_add(0, in->src, n);
    sum = sum_add(sum, in->dst, n);
    sum = sum_add(sum, tail, sizeof tail);
    return lacking(sum_add(sum, v.p, v.n));
}

uint16_t bytes_sum(const uint8_t *p, uint32_t n)
{
    return lacking(sum_add(0, p, n));
}

uint16_t sum_mended(uint16_t has, uint16_t lacks)
{
    return sum_fold((uint32_t)has + lacks);
}

/* -- the header -------------------------------------------------------------------------------- */

const struct word ip_protocols[] = {
    {0, "Options"},
    {PROTO_ICMP, "ICMP"},
    {PROTO_IGMP, "IGMP"},
    {4, "IPIP"},
    {PROTO_TCP, "TCP"},
    {PROTO_UDP, "UDP"},
    {41, "IPv6"},
    {43, "Routing"},
    {44, "Fragment"},
    {47, "GRE"},
    {50, "ESP"},
    {51, "AH"},
    {PROTO_ICMP6, "ICMPv6"},
    {89, "OSPF"},
    {112, "VRRP"},
    {132, "SCTP"},
    {0, NULL},
};

static const struct word options[] = {
    {0, "EOL"},    {1, "NOP"},    {68, "timestamp"}, {130, "security"},    {7, "RR"},
    {137, "SSRR"}, {131, "LSRR"}, {148, "RA"},       {0x52, "traceroute"}, {0, NULL},
};

static bool is_route(uint8_t option)
{
    return option == 7 || option == 131 || option == 137;
}

static void print_options(struct dump *d, const uint8_t *p, uint32_t n)
{
    const char *between = "";

    fputs(", options (", d->to);
    for (uint32_t at = 0; at < n;) {
        const char *name = word_of(options, p[at]);
        uint32_t len = p[at] <= 1 ? 1 : at + 1 < n ? p[at + 1] : 0;
        fputs(between, d->to);
        between = ",";
        if (name)
            fputs(name, d->to);
        else
            fprintf(d->to, "unknown %u", p[at]);
        if (p[at] == 0)
            break;
        if (p[at] > 1 && (len < 2 || len > n - at)) {
            fprintf(d->to, " [bad length %u]", len);
            break;
        }
        for (uint32_t i = 3; is_route(p[at]) && i + 4 <= len; i += 4) {
            fputc(' ', d->to);
            print_addr(d, p + at + i, false);
        }
        if (p[at] == 148 && len == 4 && get16(p + at + 2) != 0)
            fprintf(d->to, " value %u", get16(p + at + 2));
        at += len;
    }
    fputc(')', d->to);
}

static void print_fragment_flags(struct dump *d, uint16_t off)
{
    const char *between = "";

    fputs(", flags [", d->to);
    if (!(off & (MF | DF | RESERVED)))
        fputs("none", d->to);
    for (int i = 0; i < 3; i++) {
        static const struct word bits[] = {{MF, "+"}, {DF, "DF"}, {RESERVED, "rsvd"}};
        if (off & bits[i].value) {
            fprintf(d->to, "%s%s", between, bits[i].text);
            between = ", ";
        }
    }
    fputc(']', d->to);
}

static void print_header(struct dump *d, const uint8_t *p, uint32_t head, uint32_t len)
{
    static const char *const ecn[] = {"", ",ECT(1)", ",ECT(0)", ",CE"};
    const char *name = word_of(ip_protocols, p[9]);
    uint16_t off = get16(p + 6), sum;

    fprintf(d->to, "(tos 0x%x%s", p[1], ecn[p[1] & 3]);
    if (p[8])
        fprintf(d->to, ", ttl %u", p[8]);
    fprintf(d->to, ", id %u, offset %u", get16(p + 4), (off & OFFSET) * 8);
    print_fragment_flags(d, off);
    fprintf(d->to, ", proto %s (%u), length %u", name ? name : "unknown", p[9], len);
    if (head > IP4_LEN)
        print_options(d, p + IP4_LEN, head - IP4_LEN);
    sum = bytes_sum(p, head);
    if (!d->trusts_sums && sum)
        fprintf(d->to, ", bad cksum %x (->%x)!", get16(p + 10), sum_mended(get16(p + 10), sum));
    fputs(")\n    ", d->to);
}

/* A piece that is not the first has no header of its transport. */
static void print_fragment(struct dump *d, const struct inet *in)
{
    print_ends(d, in, -1, -1);
    fprintf(d->to, "ip-proto-%u", in->proto);
}

void print_ip4(struct dump *d, struct view v)
{
    uint32_t head, len;
    uint16_t off;
    struct inet in;

    if (!d->shows_link && v.n)
        fputs("IP ", d->to);
    if (v.n < IP4_LEN) {
        print_cut(d, "ip");
        return;
    }
    head = (v.p[0] & 15) * 4u;
    len = get16(v.p + 2) ? get16(v.p + 2) : v.wire; /* 0: a superframe */
    if (head < IP4_LEN) {
        fprintf(d->to, "bad-hlen %u", head);
        return;
    }
    if (v.wire < len)
        fprintf(d->to, "truncated-ip - %u bytes missing! ", len - v.wire);
    if (len < head) {
        fprintf(d->to, "bad-len %u", len);
        return;
    }
    off = get16(v.p + 6);
    in = (struct inet){.src = v.p + 12, .dst = v.p + 16, .proto = v.p[9], .ttl = v.p[8]};
    if (v.n < head) {
        if (!(off & OFFSET) && in.proto != PROTO_TCP && in.proto != PROTO_UDP)
            print_ends(d, &in, -1, -1); /* ports are no part of these */
        fprintf(d->to, " [remaining caplen(%u) < header length(%u)]", v.n, head);
        print_cut(d, "ip");
        return;
    }
    in.is_fragment = off & (MF | OFFSET);
    if (d->verbose)
        print_header(d, v.p, head, len);
    if (v.n > len)
        v.n = len;
    v.wire = len;
    if (off & OFFSET)
        print_fragment(d, &in);
    else
        print_transport(d, &in, view_from(v, head));
}

void print_transport(struct dump *d, const struct inet *in, struct view v)
{
    switch (in->proto) {
    case PROTO_TCP:
        print_tcp(d, in, v);
        break;
    case PROTO_UDP:
        print_udp(d, in, v);
        break;
    case PROTO_ICMP:
        print_ends(d, in, -1, -1);
        print_icmp4(d, in, v);
        break;
    case PROTO_IGMP:
        print_ends(d, in, -1, -1);
        print_igmp(d, v);
        break;
    case PROTO_ICMP6:
        print_ends(d, in, -1, -1);
        print_icmp6(d, in, v);
        break;
    case PROTO_IP4:
    case PROTO_IP6:
        print_ends(d, in, -1, -1);
        if (v.n)
            print_ip(d, v);
        else
            print_cut(d, in->proto == PROTO_IP4 ? "ip" : "ip6");
        break;
    default:
        print_ends(d, in, -1, -1);
        fprintf(d->to, " ip-proto-%u %u", in->proto, v.wire);
    }
}

void print_ip(struct dump *d, struct view v)
{
    if (v.n == 0) {
        print_cut(d, "ip");
        return;
    }
    if (v.p[0] >> 4 == 4)
        print_ip4(d, v);
    else if (v.p[0] >> 4 == 6)
        print_ip6(d, v);
    else
        fprintf(d->to, "IP%u (invalid)", v.p[0] >> 4);
}
