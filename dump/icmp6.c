/* ICMPv6, with neighbour discovery and multicast listeners.
 *
 * Knows: RFC 4443, 4861, 3810, 4191, 8106. Shape: one line; with -v the options of neighbour
 * discovery on the next ones. Units: bytes. Errors: " [|icmp6]". Cost: O(message). */
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

static void print_port(struct dump *d, struct view v)
{
    uint8_t next = v.p[HEAD + 6];

    print_addr(d, v.p + HEAD + 24, true);
    if (v.n < QUOTE + 4)
        print_cut(d, "icmp6");
    else if (next == 6 || next == 17)
        fprintf(d->to, " %s port %u", next == 6 ? "tcp" : "udp", get16(v.p + QUOTE + 2));
    else
        fprintf(d->to, " protocol %u port %u unreachable", next, get16(v.p + QUOTE + 2));
}

static void print_unreachable(struct dump *d, struct view v)
{
    static const char *const what[] = {"unreachable route ", " unreachable prohibited ",
                                       "beyond scope ", "unreachable address ",
                                       "unreachable port, "};
    uint8_t code = v.p[1];

    fputs(", ", d->to);
    if (code > 4) {
        fprintf(d->to, "unknown unreach code (%u)", code);
        return;
    }
    fputs(what[code], d->to);
    if (v.n < QUOTE) {
        print_cut(d, "icmp6");
    } else if (code == 4) {
        print_port(d, v);
    } else {
        print_addr(d, v.p + HEAD + 24, true);
        if (code == 2) {
            fputs(", source address ", d->to);
            print_addr(d, v.p + HEAD + 8, true);
        }
    }
}

static void print_exceeded(struct dump *d, struct view v)
{
    if (v.p[1] == 0 && v.n >= QUOTE) {
        fputs(" for ", d->to);
        print_addr(d, v.p + HEAD + 24, true);
    } else if (v.p[1] == 1) {
        fputs(" (reassembly)", d->to);
    } else {
        fprintf(d->to, ", unknown code (%u)", v.p[1]);
    }
}

static void print_problem(struct dump *d, struct view v)
{
    static const char *const what[] = {"erroneous", "next header", "option",
                                       "incomplete header chain"};

    if (v.p[1] < 4)
        fprintf(d->to, ", %s - octet %u", what[v.p[1]], get32(v.p + 4));
    else
        fprintf(d->to, ", code-#%u", v.p[1]);
}

/* -- neighbour discovery ----------------------------------------------------------------------- */

static const struct word options[] = {
    {1, "source link-address"},
    {2, "destination link-address"},
    {3, "prefix info"},
    {4, "redirected header"},
    {5, "mtu"},
    {14, "nonce"},
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
    print_seconds(d, " lifetime ", get32(p + 4));
    for (uint32_t at = 8; at + 16 <= len; at += 16) {
        fputs(at == 8 ? ", addr: " : " ", d->to);
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

static void print_option(struct dump *d, const uint8_t *p, uint32_t len)
{
    const char *name = word_of(options, p[0]);

    fprintf(d->to, "\n\t  %s option (%u), length %u (%u): ", name ? name : "unknown", p[0], len,
            p[1]);
    switch (p[0]) {
    case 1:
    case 2:
        print_mac(d, p + 2);
        break;
    case 3:
        if (len >= 32)
            print_prefix(d, p);
        break;
    case 5:
        fprintf(d->to, " %u", get32(p + 4));
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
    default:
        break;
    }
}

static void print_nd_options(struct dump *d, struct view v)
{
    while (d->verbose && v.wire) {
        uint32_t len = v.n >= 2 ? v.p[1] * 8u : 0;
        if (len == 0 || len > v.n) {
            print_cut(d, "icmp6");
            return;
        }
        print_option(d, v.p, len);
        v = view_from(v, len);
    }
}

static void print_router_advert(struct dump *d, struct view v)
{
    static const struct word flags[] = {
        {0x80, "managed"}, {0x40, "other stateful"}, {0x20, "home agent"}, {0, NULL}};
    static const char *const preferences[] = {"medium", "high", "reserved", "low"};

    if (!d->verbose || v.n < 16) {
        if (v.n < 16)
            print_cut(d, "icmp6");
        return;
    }
    fprintf(d->to, "\n\thop limit %u, ", v.p[4]);
    print_flags(d, flags, v.p[5]);
    fprintf(d->to, ", pref %s, router lifetime %us, reachable time %ums, retrans timer %ums",
            preferences[v.p[5] >> 3 & 3], get16(v.p + 6), get32(v.p + 8), get32(v.p + 12));
    print_nd_options(d, view_from(v, 16));
}

static void print_neighbor(struct dump *d, struct view v)
{
    static const struct word flags[] = {
        {0x80, "router"}, {0x40, "solicited"}, {0x20, "override"}, {0, NULL}};
    bool is_advert = v.p[0] == NEIGHBOR_ADVERT;

    if (v.n < 24) {
        print_cut(d, "icmp6");
        return;
    }
    fputs(is_advert ? ", tgt is " : ", who has ", d->to);
    print_addr(d, v.p + 8, true);
    if (is_advert && d->verbose) {
        fputs(", ", d->to);
        print_flags(d, flags, v.p[4]);
    }
    print_nd_options(d, view_from(v, 24));
}

static void print_redirect(struct dump *d, struct view v)
{
    if (v.n < 40) {
        print_cut(d, "icmp6");
        return;
    }
    fputs(", ", d->to);
    print_addr(d, v.p + 24, true);
    fputs(" to ", d->to);
    print_addr(d, v.p + 8, true);
    print_nd_options(d, view_from(v, 40));
}

/* -- multicast listeners ----------------------------------------------------------------------- */

static void print_mld_query(struct dump *d, struct view v)
{
    uint32_t ms = get16(v.p + 4);

    if (v.wire == 24) {
        fprintf(d->to, "max resp delay: %u addr: ", ms);
        print_addr(d, v.p + 8, true);
        return;
    }
    fputs(" v2", d->to);
    if (v.n < 28) {
        print_cut(d, "icmp6");
        return;
    }
    if (ms >= 32768)
        ms = ((ms & 0xfff) | 0x1000) << ((ms >> 12 & 7) + 3);
    if (d->verbose)
        fprintf(d->to, " [max resp delay=%u]", ms);
    fputs(" [gaddr ", d->to);
    print_addr(d, v.p + 8, true);
    if (d->verbose && v.p[24] & 8)
        fputs(" sflag", d->to);
    if (d->verbose && v.p[24] & 7)
        fprintf(d->to, " robustness=%u", v.p[24] & 7);
    if (d->verbose)
        fprintf(d->to, " qqi=%u", v.p[25]);
    if (get16(v.p + 26))
        fprintf(d->to, ", %u source(s)", get16(v.p + 26));
    fputc(']', d->to);
}

static void print_mld_records(struct dump *d, struct view v)
{
    static const char *const kinds[] = {NULL, "is_in", "is_ex", "to_in", "to_ex", "allow", "block"};
    uint32_t records = get16(v.p + 6);

    fprintf(d->to, ", %u group record(s)", records);
    v = view_from(v, HEAD);
    for (uint32_t i = 0; d->verbose && i < records; i++) {
        uint32_t sources = v.n >= 20 ? get16(v.p + 2) : 0, len = 20 + 16 * sources;
        if (v.n < len) {
            print_cut(d, "icmp6");
            return;
        }
        fputs(" [gaddr ", d->to);
        print_addr(d, v.p + 4, true);
        if (v.p[0] >= 1 && v.p[0] <= 6)
            fprintf(d->to, " %s", kinds[v.p[0]]);
        if (d->verbose == 1)
            fprintf(d->to, ", %u source(s)", sources);
        for (uint32_t k = 0; d->verbose > 1 && k < sources; k++) {
            fputs(k ? " " : " { ", d->to);
            print_addr(d, v.p + 20 + 16 * k, true);
        }
        if (d->verbose > 1)
            fputs(sources ? " }" : " { }", d->to);
        fputc(']', d->to);
        v = view_from(v, len);
    }
}

/* -- all of them ------------------------------------------------------------------------------- */

static void print_message(struct dump *d, struct view v)
{
    switch (v.p[0]) {
    case UNREACH:
        print_unreachable(d, v);
        break;
    case TOO_BIG:
        fprintf(d->to, ", mtu %u", get32(v.p + 4));
        break;
    case EXCEEDED:
        print_exceeded(d, v);
        break;
    case PROBLEM:
        print_problem(d, v);
        break;
    case ECHO:
    case ECHO_REPLY:
        fprintf(d->to, ", id %u, seq %u", get16(v.p + 4), get16(v.p + 6));
        break;
    case MLD_QUERY:
    case MLD_REPORT:
    case MLD_DONE:
        if (v.n >= 24)
            print_mld_query(d, v);
        break;
    case MLD2_REPORT:
        print_mld_records(d, v);
        break;
    case ROUTER_SOLICIT:
        print_nd_options(d, view_from(v, HEAD));
        break;
    case ROUTER_ADVERT:
        print_router_advert(d, v);
        break;
    case NEIGHBOR_SOLICIT:
    case NEIGHBOR_ADVERT:
        print_neighbor(d, v);
        break;
    case REDIRECT:
        print_redirect(d, v);
        break;
    default:
        break;
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
    if (v.n < HEAD) {
        fputs("ICMP6", d->to);
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
    print_message(d, v);
    is_odd = !name || (v.p[0] == UNREACH && v.p[1] > 4);
    if (!name || (!d->verbose && !is_odd))
        fprintf(d->to, ", length %u", v.wire);
    if (is_odd && !d->hex && d->verbose < 2)
        print_hex(d, v.p, v.n, false);
}
