/* ICMPv6, with multicast listeners; neighbour discovery is in nd.c.
 *
 * Knows: RFC 4443, 3810. Shape: one line; a printer says false where it misses a byte, and the line
 * ends there. Units: bytes. Errors: " [|icmp6]". Cost: O(message). */
#include <stdio.h>
#include <string.h>

#include "dump/print.h"

enum {
    UNREACH = 1,
    TOO_BIG,
    EXCEEDED,
    PROBLEM,
    ECHO = 128,
    ECHO_REPLY,
    MLD_QUERY,
    MLD_REPORT,
    MLD_DONE,
    ROUTER_SOLICIT,
    ROUTER_ADVERT,
    NEIGHBOR_SOLICIT,
    NEIGHBOR_ADVERT,
    REDIRECT,
    MLD2_REPORT = 143
};
#define HEAD 8u
#define QUOTE (HEAD + 40u)

static const struct word names[] = {
    {UNREACH, "destination unreachable"},
    {TOO_BIG, "packet too big"},
    {EXCEEDED, "time exceeded in-transit"},
    {PROBLEM, "parameter problem"},
    {ECHO, "echo request"},
    {ECHO_REPLY, "echo reply"},
    {MLD_QUERY, "multicast listener query"},
    {MLD_REPORT, "multicast listener report"},
    {MLD_DONE, "multicast listener done"},
    {ROUTER_SOLICIT, "router solicitation"},
    {ROUTER_ADVERT, "router advertisement"},
    {NEIGHBOR_SOLICIT, "neighbor solicitation"},
    {NEIGHBOR_ADVERT, "neighbor advertisement"},
    {REDIRECT, "redirect"},
    {MLD2_REPORT, "multicast listener report v2"},
    {0, NULL},
};

/* -- errors ------------------------------------------------------------------------------------ */

/* What the quoted packet carries behind its extension headers, from where; 0: that is not there. */
static uint32_t quoted_transport(struct view v, uint8_t *next)
{
    uint32_t at = QUOTE;

    if (v.n < QUOTE)
        return 0;
    *next = v.p[HEAD + 6];
    while (at + 8 <= v.n && (*next == 0 || *next == 43 || *next == 44 || *next == 60)) {
        if (*next == 44 && get16(v.p + at + 2) & 0xfff8)
            return 0; /* no first fragment */
        uint32_t len = *next == 44 ? 8 : 8u + 8u * v.p[at + 1];
        *next = v.p[at];
        at += len;
    }
    return at + 4 <= v.n ? at : 0;
}

static bool print_port(struct dump *d, struct view v)
{
    uint8_t next = 0;
    uint32_t at = quoted_transport(v, &next);

    fputs("unreachable port", d->to);
    if (!at || (next != 6 && next != 17))
        return false;
    fputs(", ", d->to);
    print_addr(d, v.p + HEAD + 24, true);
    fprintf(d->to, " %s port %u", next == 6 ? "tcp" : "udp", get16(v.p + at + 2));
    return true;
}

static bool print_unreachable(struct dump *d, struct view v)
{
    static const char *const what[] = {"unreachable route", " unreachable prohibited",
                                       "beyond scope", "unreachable address"};
    uint8_t code = v.p[1];

    fputs(", ", d->to);
    if (code > 4) {
        fprintf(d->to, "unknown unreach code (%u)", code);
        return true;
    }
    if (code == 4)
        return print_port(d, v);
    fputs(what[code], d->to);
    if (v.n < QUOTE)
        return false;
    fputc(' ', d->to);
    print_addr(d, v.p + HEAD + 24, true);
    if (code == 2) {
        fputs(", source address ", d->to);
        print_addr(d, v.p + HEAD + 8, true);
    }
    return true;
}

static bool print_too_big(struct dump *d, struct view v)
{
    if (v.n < HEAD)
        return false;
    fprintf(d->to, ", mtu %u", get32(v.p + 4));
    return true;
}

static bool print_exceeded(struct dump *d, struct view v)
{
    if (v.p[1] == 1) {
        fputs(" (reassembly)", d->to);
    } else if (v.p[1]) {
        fprintf(d->to, ", unknown code (%u)", v.p[1]);
    } else {
        if (v.n < QUOTE)
            return false;
        fputs(" for ", d->to);
        print_addr(d, v.p + HEAD + 24, true);
    }
    return true;
}

static bool print_problem(struct dump *d, struct view v)
{
    static const char *const what[] = {"erroneous", "next header", "option",
                                       "incomplete header chain"};

    if (v.n < QUOTE)
        return false;
    if (v.p[1] < 4)
        fprintf(d->to, ", %s - octet %u", what[v.p[1]], get32(v.p + 4));
    else
        fprintf(d->to, ", code-#%u", v.p[1]);
    return true;
}

static bool print_echo(struct dump *d, struct view v)
{
    if (v.n < HEAD)
        return false;
    fprintf(d->to, ", id %u, seq %u", get16(v.p + 4), get16(v.p + 6));
    return true;
}

/* -- multicast listeners ----------------------------------------------------------------------- */

/* Queries, reports and the end of interest of version 1. */
static bool print_mld1(struct dump *d, struct view v)
{
    if (v.n < 24)
        return true;
    fprintf(d->to, "max resp delay: %u addr: ", get16(v.p + 4));
    print_addr(d, v.p + 8, true);
    return true;
}

/* Seconds, in RFC 3810's floating point from 128 on. */
static uint32_t interval(uint8_t code)
{
    return code < 128 ? code : (uint32_t)((code & 15) | 16) << ((code >> 4 & 7) + 3);
}

static bool print_sources(struct dump *d, struct view v, uint32_t sources)
{
    fputs(" {", d->to);
    for (uint32_t i = 0; i < sources; i++) {
        if (v.n < 16 * i + 16)
            return false;
        fputc(' ', d->to);
        print_addr(d, v.p + 16 * i, true);
    }
    fputs(" }]", d->to);
    return true;
}

/* Flags, interval and the number of sources. */
static bool print_mld2_rest(struct dump *d, struct view v)
{
    uint32_t sources;

    if (d->verbose) {
        if (v.n < 25)
            return false;
        if (v.p[24] & 8)
            fputs(" sflag", d->to);
        if (v.p[24] & 7)
            fprintf(d->to, " robustness=%u", v.p[24] & 7);
        if (v.n < 26)
            return false;
        fprintf(d->to, " qqi=%u", interval(v.p[25]));
    }
    if (v.n < 28)
        return false;
    sources = get16(v.p + 26);
    if (sources && d->verbose > 1)
        return print_sources(d, view_from(v, 28), sources);
    if (sources)
        fprintf(d->to, ", %u source(s)", sources);
    fputc(']', d->to);
    return true;
}

static bool print_mld2_query(struct dump *d, struct view v)
{
    uint32_t ms;

    fputs(" v2", d->to);
    if (d->verbose && v.n >= 6) {
        ms = get16(v.p + 4);
        if (ms >= 32768)
            ms = ((ms & 0xfff) | 0x1000) << ((ms >> 12 & 7) + 3);
        fprintf(d->to, " [max resp delay=%u]", ms);
    }
    if (v.n < 24)
        return false;
    fputs(" [gaddr ", d->to);
    print_addr(d, v.p + 8, true);
    return print_mld2_rest(d, v);
}

static void print_mld_record(struct dump *d, const uint8_t *p, uint32_t sources)
{
    static const char *const kinds[] = {NULL, "is_in", "is_ex", "to_in", "to_ex", "allow", "block"};

    fputs(" [gaddr ", d->to);
    print_addr(d, p + 4, true);
    if (p[0] >= 1 && p[0] <= 6)
        fprintf(d->to, " %s", kinds[p[0]]);
    else
        fprintf(d->to, "  [v2-report-#%u]", p[0]);
    if (d->verbose == 1)
        fprintf(d->to, ", %u source(s)", sources);
    for (uint32_t k = 0; d->verbose > 1 && k < sources; k++) {
        fputs(k ? " " : " { ", d->to);
        print_addr(d, p + 20 + 16 * k, true);
    }
    if (d->verbose > 1)
        fputs(sources ? " }" : " { }", d->to);
    fputc(']', d->to);
}

static bool print_mld2_report(struct dump *d, struct view v)
{
    uint32_t records;

    if (v.n < HEAD)
        return false;
    records = get16(v.p + 6);
    fprintf(d->to, ", %u group record(s)", records);
    v = view_from(v, HEAD);
    for (uint32_t i = 0; d->verbose && i < records; i++) {
        uint32_t sources = v.n >= 20 ? get16(v.p + 2) : 0, len = 20 + 16 * sources;
        if (v.n < (d->verbose > 1 ? len : 20))
            return false;
        print_mld_record(d, v.p, sources);
        v = view_from(v, len);
    }
    return true;
}

/* -- all of them ------------------------------------------------------------------------------- */

/* False: it was cut short. Its type and code are there. */
static bool print_message(struct dump *d, struct view v)
{
    switch (v.p[0]) {
    case UNREACH:
        return print_unreachable(d, v);
    case TOO_BIG:
        return print_too_big(d, v);
    case EXCEEDED:
        return print_exceeded(d, v);
    case PROBLEM:
        return print_problem(d, v);
    case ECHO:
    case ECHO_REPLY:
        return print_echo(d, v);
    case MLD_QUERY:
        return v.wire == 24 ? print_mld1(d, v) : print_mld2_query(d, v);
    case MLD_REPORT:
    case MLD_DONE:
        return print_mld1(d, v);
    case MLD2_REPORT:
        return print_mld2_report(d, v);
    case ROUTER_SOLICIT:
    case ROUTER_ADVERT:
    case NEIGHBOR_SOLICIT:
    case NEIGHBOR_ADVERT:
    case REDIRECT:
        return print_nd(d, v);
    default:
        return true;
    }
}

static void print_sum(struct dump *d, const struct inet *in, struct view v)
{
    uint16_t sum = v.n >= v.wire ? transport_sum(in, v) : 0;

    if (!d->verbose || in->is_fragment || v.n < v.wire)
        return;
    if (sum)
        fprintf(d->to, "[bad icmp6 cksum 0x%04x -> 0x%04x!] ", get16(v.p + 2),
                sum_mended(get16(v.p + 2), sum));
    else
        fputs("[icmp6 sum ok] ", d->to);
}

void print_icmp6(struct dump *d, const struct inet *in, struct view v)
{
    const char *name;
    bool is_nd, is_odd;

    if (!in->is_v6) {
        fputs("[ICMPv6 requires IPv6] (invalid)", d->to);
        return;
    }
    if (v.n == 0) {
        print_cut(d, "icmp6");
        return;
    }
    print_sum(d, in, v);
    name = word_of(names, v.p[0]);
    is_nd = v.p[0] >= ROUTER_SOLICIT && v.p[0] <= REDIRECT;
    if (name)
        fprintf(d->to, "ICMP6, %s", name);
    else
        fprintf(d->to, "ICMP6, unknown icmp6 type (%u)", v.p[0]);
    /* Where the options take lines of their own the length goes first. */
    if (d->verbose && is_nd)
        fprintf(d->to, ", length %u", v.wire);
    if (v.n < 2 || !print_message(d, v)) {
        print_cut(d, "icmp6");
        return;
    }
    is_odd = !name || (v.p[0] == UNREACH && v.p[1] > 4);
    if (!name || (!d->verbose && !is_odd))
        fprintf(d->to, ", length %u", v.wire);
    if (is_odd && !d->hex && d->verbose < 2)
        print_hex(d, v.p, v.n, false);
}
