/* Neighbour discovery.
 *
 * Knows: RFC 4861, 4191, 6275, 8106. Shape: one line; with -v the options on the next ones. Units:
 * bytes. Errors: false: the message is cut short, or an option has no length. Cost: O(message). */
#include <stdio.h>
#include <string.h>

#include "dump/print.h"

#define HEAD 8u
enum { ROUTER_SOLICIT = 133, ROUTER_ADVERT, SOLICIT, ADVERT, REDIRECT };
#define REDIRECTED_HEADER 4

static const struct word options[] = {
    {1, "source link-address"},
    {2, "destination link-address"},
    {3, "prefix info"},
    {REDIRECTED_HEADER, "redirected header"},
    {5, "mtu"},
    {7, "advertisement interval"},
    {8, "homeagent information"},
    {24, "route info"},
    {25, "rdnss"},
    {31, "dnssl"},
    {0, NULL},
};

static void print_seconds(struct dump *d, const char *before, uint32_t s)
{
    if (s == UINT32_MAX)
        fprintf(d->to, "%sinfinity", before);
    else
        fprintf(d->to, "%s%us", before, s);
}

static void print_flags(struct dump *d, const struct word *flags, uint8_t value)
{
    const char *between = "";

    fputs("Flags [", d->to);
    for (; flags->text; flags++)
        if (value & flags->value) {
            fprintf(d->to, "%s%s", between, flags->text);
            between = ", ";
        }
    fputs(*between ? "]" : "none]", d->to);
}

static void print_prefix(struct dump *d, const uint8_t *p)
{
    static const struct word flags[] = {
        {0x80, "onlink"}, {0x40, "auto"}, {0x20, "router"}, {0, NULL}};

    print_addr(d, p + 16, true);
    fprintf(d->to, "/%u, ", p[2]);
    print_flags(d, flags, p[3]);
    print_seconds(d, ", valid time ", get32(p + 4));
    print_seconds(d, ", pref. time ", get32(p + 8));
}

static void print_servers(struct dump *d, const uint8_t *p, uint32_t len)
{
    fprintf(d->to, " lifetime %us,", get32(p + 4));
    for (uint32_t at = 8; at + 16 <= len; at += 16) {
        fputs(" addr: ", d->to);
        print_addr(d, p + at, true);
    }
}

/* Labels up to the padding. */
static void print_domains(struct dump *d, const uint8_t *p, uint32_t len)
{
    print_seconds(d, " lifetime ", get32(p + 4));
    fputs(", domain(s): ", d->to);
    for (uint32_t at = 8; at < len && p[at]; at++) {
        for (; at < len && p[at]; at += 1u + p[at]) {
            uint32_t n = p[at] < len - at - 1 ? p[at] : len - at - 1;
            fprintf(d->to, "%.*s.", (int)n, (const char *)p + at + 1);
        }
        if (at + 1 < len && p[at + 1])
            fputc(' ', d->to);
    }
}

static void print_route(struct dump *d, const uint8_t *p, uint32_t len)
{
    static const char *const preferences[] = {"medium", "high", "reserved", "low"};
    uint8_t prefix[16] = {0};

    memcpy(prefix, p + 8, len - 8 < 16 ? len - 8 : 16);
    fputc(' ', d->to);
    print_addr(d, prefix, true);
    fprintf(d->to, "/%u, pref=%s", p[2], preferences[p[3] >> 3 & 3]);
    print_seconds(d, ", lifetime=", get32(p + 4));
}

static void print_link_address(struct dump *d, const uint8_t *p, uint32_t len)
{
    for (uint32_t i = 2; i < len; i++)
        fprintf(d->to, i > 2 ? ":%02x" : "%02x", p[i]);
}

static void print_option(struct dump *d, const uint8_t *p, uint32_t len)
{
    const char *name = word_of(options, p[0]);

    fprintf(d->to, "\n\t  %s option (%u), length %u (%u): ", name ? name : "unknown", p[0], len,
            p[1]);
    switch (p[0]) {
    case 1:
    case 2:
        print_link_address(d, p, len);
        break;
    case 3:
        if (len >= 32)
            print_prefix(d, p);
        break;
    case 5:
        fprintf(d->to, " %u", get32(p + 4));
        break;
    case 7:
        fprintf(d->to, " %ums", get32(p + 4));
        break;
    case 8:
        fprintf(d->to, " preference %u, lifetime %u", get16(p + 4), get16(p + 6));
        break;
    case 24:
        print_route(d, p, len);
        break;
    case 25:
        print_servers(d, p, len);
        break;
    case 31:
        print_domains(d, p, len);
        break;
    default: /* bytes only */
        break;
    }
    if (d->verbose > 1 || p[0] == REDIRECTED_HEADER)
        print_hex_below(d, "\n\t    ", p + 2, len - 2);
    else if (!name)
        print_hex_below(d, "\n\t  ", p + 2, len - 2);
}

static bool print_nd_options(struct dump *d, struct view v)
{
    while (d->verbose && v.n) {
        uint32_t len = v.n >= 2 ? v.p[1] * 8u : 0;
        if (len == 0 || len > v.n)
            return false;
        print_option(d, v.p, len);
        v = view_from(v, len);
    }
    return true;
}

static bool print_router_advert(struct dump *d, struct view v)
{
    static const struct word flags[] = {
        {0x80, "managed"}, {0x40, "other stateful"}, {0x20, "home agent"}, {0, NULL}};
    static const char *const preferences[] = {"medium", "high", "reserved", "low"};

    if (!d->verbose)
        return true;
    if (v.n < 16)
        return false;
    fprintf(d->to, "\n\thop limit %u, ", v.p[4]);
    print_flags(d, flags, v.p[5]);
    fprintf(d->to, ", pref %s, router lifetime %us, reachable time %ums, retrans timer %ums",
            preferences[v.p[5] >> 3 & 3], get16(v.p + 6), get32(v.p + 8), get32(v.p + 12));
    return print_nd_options(d, view_from(v, 16));
}

static bool print_neighbor(struct dump *d, struct view v)
{
    static const struct word flags[] = {
        {0x80, "router"}, {0x40, "solicited"}, {0x20, "override"}, {0, NULL}};
    bool is_advert = v.p[0] == ADVERT;

    if (v.n < 24)
        return false;
    fputs(is_advert ? ", tgt is " : ", who has ", d->to);
    print_addr(d, v.p + 8, true);
    if (is_advert && d->verbose) {
        fputs(", ", d->to);
        print_flags(d, flags, v.p[4]);
    }
    return print_nd_options(d, view_from(v, 24));
}

static bool print_redirect(struct dump *d, struct view v)
{
    if (v.n < 40)
        return false;
    fputs(", ", d->to);
    print_addr(d, v.p + 24, true);
    fputs(" to ", d->to);
    print_addr(d, v.p + 8, true);
    return print_nd_options(d, view_from(v, 40));
}

bool print_nd(struct dump *d, struct view v)
{
    switch (v.p[0]) {
    case ROUTER_SOLICIT:
        return print_nd_options(d, view_from(v, HEAD));
    case ROUTER_ADVERT:
        return print_router_advert(d, v);
    case SOLICIT:
    case ADVERT:
        return print_neighbor(d, v);
    default:
        return print_redirect(d, v);
    }
}
