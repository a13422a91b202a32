/* IPv6 and its extension headers.
 *
 * Knows: RFC 8200, 6564. Shape: one line. Units: bytes. Errors: " [|ip6]"; at most EXTENSIONS_MAX
 * headers are followed. Cost: O(headers). */
#include <stdio.h>

#include "dump/print.h"
#include "wire/wire.h"

#define HEAD 40u
#define EXTENSIONS_MAX 16
enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, NO_NEXT = 59, DEST_OPTIONS = 60 };

static void print_header(struct dump *d, const uint8_t *p)
{
    const char *name = word_of(ip_protocols, p[6]);
    uint32_t word = get32(p);

    fputc('(', d->to);
    if (word >> 20 & 0xff)
        fprintf(d->to, "class 0x%02x, ", word >> 20 & 0xff);
    if (word & 0xfffff)
        fprintf(d->to, "flowlabel 0x%05x, ", word & 0xfffff);
    fprintf(d->to, "hlim %u, next-header %s (%u) payload length: %u) ", p[7],
            name ? name : "unknown", p[6], get16(p + 4));
}

/* Options of a hop-by-hop or destination header, n bytes of them. */
static void print_options(struct dump *d, const uint8_t *p, uint32_t n)
{
    for (uint32_t at = 0; at < n;) {
        uint32_t len = p[at] == 0 ? 1 : at + 1 < n ? 2u + p[at + 1] : n - at;
        if (p[at] == 0)
            fputs("(pad1)", d->to);
        else if (p[at] == 1)
            fputs("(padn)", d->to);
        else if (p[at] == 5 && len == 4 && at + 4 <= n)
            fprintf(d->to, "(rtalert: 0x%04x) ", get16(p + at + 2));
        else
            fprintf(d->to, "(opt_type 0x%02x: len=%u)", p[at], len - 2);
        at += len;
    }
    fputc(' ', d->to);
}

/* False: it was cut short. */
static bool print_routing(struct dump *d, struct view v, uint32_t len)
{
    const uint8_t *p = v.p;

    fputs("RT6", d->to);
    if (v.n < 2)
        return false;
    fprintf(d->to, " (len=%u", p[1]);
    if (v.n < 3)
        return false;
    fprintf(d->to, ", type=%u%s", p[2], p[2] ? "" : " [Deprecated]");
    if (v.n < 4)
        return false;
    fprintf(d->to, ", segleft=%u", p[3]);
    if (v.n < 8)
        return false;
    if (d->verbose && p[2] == 0)
        fprintf(d->to, ", rsv=0x%x", get32(p + 4));
    if (v.n < len)
        return false;
    for (uint32_t at = 8, i = 0; p[2] == 0 && at + 16 <= len; at += 16, i++) {
        fprintf(d->to, ", [%u]", i);
        print_addr(d, p + at, true);
    }
    fputs(") ", d->to);
    return true;
}

/* False: nothing that could be printed follows. */
static bool print_fragment(struct dump *d, struct inet *in, struct view v)
{
    uint16_t off;

    if (v.n < (d->verbose ? 8 : 4)) {
        print_cut(d, "frag6");
        return false;
    }
    off = get16(v.p + 2);
    if (d->verbose)
        fprintf(d->to, "frag (0x%08x:%u|%u)", get32(v.p + 4), off & 0xfff8, v.wire - 8);
    else
        fprintf(d->to, "frag (%u|%u)", off & 0xfff8, v.wire - 8);
    in->is_fragment = off & 0xfff9;
    if (off & 0xfff8)
        return false;
    fputc(' ', d->to);
    return v.n > 8;
}

static bool is_extension(uint8_t next)
{
    return next == HOP_BY_HOP || next == ROUTING || next == FRAGMENT || next == DEST_OPTIONS;
}

/* One extension header; its length, 0: the line ends here. */
static uint32_t print_extension(struct dump *d, struct inet *in, struct view v)
{
    uint32_t len = v.n > 1 ? 8u + 8u * v.p[1] : 8;

    if (in->proto == FRAGMENT)
        return print_fragment(d, in, v) ? 8 : 0;
    if (in->proto == ROUTING) {
        if (v.n == 0 || !print_routing(d, v, len)) {
            print_cut(d, v.n ? "rt6" : "ip6");
            return 0;
        }
        if (v.p[2] == 0 && v.p[3] && len >= 24) /* checksums are over the last address */
            in->dst = v.p + len - 16;
        return len;
    }
    if (v.n < len) {
        print_cut(d, in->proto == HOP_BY_HOP ? "hbhopt" : "dstopt");
        return 0;
    }
    fputs(in->proto == HOP_BY_HOP ? "HBH " : "DSTOPT ", d->to);
    if (d->verbose)
        print_options(d, v.p + 2, len - 2);
    return len;
}

void print_ip6(struct dump *d, struct view v)
{
    struct inet in = {.is_v6 = true};
    uint32_t len;

    if (v.n < HEAD) {
        print_cut(d, "ip6");
        return;
    }
    if (!d->shows_link)
        fputs("IP6 ", d->to);
    len = HEAD + get16(v.p + 4);
    if (get16(v.p + 4) == 0 && v.wire > HEAD && v.p[6] == PROTO_TCP)
        len = v.wire; /* a superframe */
    if (v.wire < len)
        fprintf(d->to, "truncated-ip6 - %u bytes missing!", len - v.wire);
    if (d->verbose)
        print_header(d, v.p);
    in.src = v.p + 8;
    in.dst = v.p + 24;
    in.proto = v.p[6];
    in.ttl = v.p[7];
    if (v.n > len)
        v.n = len;
    v.wire = len;
    v = view_from(v, HEAD);
    for (int i = 0; i < EXTENSIONS_MAX && is_extension(in.proto); i++) {
        uint32_t n;
        print_ends(d, &in, -1, -1);
        in.is_said = true;
        n = print_extension(d, &in, v);
        if (n == 0)
            return;
        in.proto = v.p[0];
        v = view_from(v, n);
    }
    if (in.proto == NO_NEXT) {
        print_ends(d, &in, -1, -1);
        fputs("no next header", d->to);
        return;
    }
    print_transport(d, &in, v);
}
