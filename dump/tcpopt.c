/* TCP's options, in the order in which they lie.
 *
 * Knows: RFC 9293, 7323, 2018, 7413, 5482, 2385, 5925, 8684, 9768's kinds; the last is unknown to
 * tcpdump 4.99. Shape: words joined by commas.
 * Units: bytes. Errors: "[bad opt]" and the like end the list. Cost: O(options). */
#include <stdio.h>

#include "dump/print.h"

enum {
    OPT_EOL,
    OPT_NOP,
    OPT_MSS,
    OPT_WSCALE,
    OPT_SACKOK,
    OPT_SACK,
    OPT_ECHO,
    OPT_ECHO_REPLY,
    OPT_TS,
    OPT_MD5 = 19,
    OPT_UTO = 28,
    OPT_AO = 29,
    OPT_MPTCP = 30,
    OPT_FASTOPEN = 34,
    OPT_ACC_0 = 172, /* accurate ECN, by the order of its counters */
    OPT_ACC_1 = 174,
    OPT_EXP = 254
};

static const struct word names[] = {
    {OPT_EOL, "eol"},       {OPT_NOP, "nop"},
    {OPT_MSS, "mss"},       {OPT_WSCALE, "wscale"},
    {OPT_SACKOK, "sackOK"}, {OPT_SACK, "sack"},
    {OPT_ECHO, "echo"},     {OPT_ECHO_REPLY, "echoreply"},
    {OPT_TS, "TS"},         {11, "cc"},
    {12, "ccnew"},          {13, "ccecho"},
    {OPT_MD5, "md5"},       {27, "scps"},
    {OPT_UTO, "uto"},       {OPT_AO, "tcp-ao"},
    {OPT_MPTCP, "mptcp"},   {OPT_FASTOPEN, "tfo"},
    {OPT_ACC_0, "accecn0"}, {OPT_ACC_1, "accecn1"},
    {OPT_EXP, "exp"},       {0, NULL},
};

/* False: not all were captured. */
static bool print_bytes(struct dump *d, struct view v)
{
    for (uint32_t i = 0; i < v.n; i++)
        fprintf(d->to, "%02x", v.p[i]);
    return v.n >= v.wire;
}

static bool print_sack(struct dump *d, struct view v, uint32_t base)
{
    fprintf(d->to, " %u ", v.wire / 8);
    for (uint32_t i = 0; i < v.wire; i += 8) {
        if (i + 8 > v.n)
            return false;
        fprintf(d->to, "{%u:%u}", get32(v.p + i) - base, get32(v.p + i + 4) - base);
    }
    return true;
}

/* The whole fields, and how many bytes are left. */
static void print_counters(struct dump *d, bool is_1, const uint8_t *p, uint32_t n)
{
    static const char *const names[] = {"e0b", "ceb", "e1b"};
    uint32_t i = 0;

    for (; i < 3 && 3 * i + 3 <= n; i++)
        fprintf(d->to, " %s %u", names[is_1 ? 2 - i : i],
                (unsigned)(p[3 * i] << 16 | get16(p + 3 * i + 1)));
    if (3 * i < n)
        fprintf(d->to, "[len %u]", n + 2);
}

static void print_cookie(struct dump *d, const uint8_t *p, uint32_t n)
{
    if (n == 0) {
        fputs("  cookiereq", d->to);
    } else if (n % 2 || n < 4 || n > 16) {
        fputs("  (invalid)", d->to);
    } else {
        fputs("  cookie ", d->to);
        print_bytes(d, (struct view){p, n, n});
    }
}

/* The value of an option that has a form of its own. */
static void print_number(struct dump *d, uint8_t kind, const uint8_t *p)
{
    switch (kind) {
    case OPT_MSS:
        fprintf(d->to, " %u", get16(p));
        break;
    case OPT_WSCALE:
        fprintf(d->to, " %u", p[0]);
        break;
    case OPT_ECHO:
    case OPT_ECHO_REPLY:
        fprintf(d->to, " %u", get32(p));
        break;
    case OPT_TS:
        fprintf(d->to, " val %u ecr %u", get32(p), get32(p + 4));
        break;
    case OPT_UTO:
        fprintf(d->to, " 0x%x %u", get16(p), (get16(p) & 0x7fffu) * (get16(p) & 0x8000 ? 60 : 1));
        break;
    default:
        break;
    }
}

/* Bytes that an option of this kind has behind kind and length; -1: as many as it says. */
static int length_of(uint8_t kind)
{
    switch (kind) {
    case OPT_SACKOK:
        return 0;
    case OPT_WSCALE:
        return 1;
    case OPT_MSS:
    case OPT_UTO:
        return 2;
    case OPT_ECHO:
    case OPT_ECHO_REPLY:
        return 4;
    case OPT_TS:
        return 8;
    default:
        return -1;
    }
}

/* An option without a length of its own: `v` is what it says that it has. False: it was cut. */
static bool print_rest(struct dump *d, uint8_t kind, struct view v, uint32_t base)
{
    bool is_whole = v.n >= v.wire;

    switch (kind) {
    case OPT_SACK:
        if (v.wire % 8 == 0)
            return print_sack(d, v, base);
        fputs(" invalid sack", d->to);
        return true;
    case OPT_FASTOPEN:
        if (is_whole)
            print_cookie(d, v.p, v.wire);
        return is_whole;
    case OPT_ACC_0:
    case OPT_ACC_1:
        if (is_whole)
            print_counters(d, kind == OPT_ACC_1, v.p, v.wire);
        return is_whole;
    case OPT_EXP:
        if (v.wire >= 2 && v.n < 2)
            return false;
        fputc('-', d->to);
        return print_bytes(d, v);
    default:
        if (v.wire)
            fputs(" 0x", d->to);
        return print_bytes(d, v);
    }
}

enum { BROKEN = -1, CUT = -2 };

/* Of an option that says it has n bytes behind kind and length, and that has room.wire, of which
 * room.n are there. How many it took: those of a known kind are as many as its RFC says. */
static int print_value(struct dump *d, const uint8_t *option, struct view room, uint32_t base)
{
    uint32_t n = option[1] - 2u;
    int own = length_of(option[0]);

    if (own > (int)room.wire)
        return BROKEN;
    if (own < 0)
        return print_rest(d, option[0], view_to(room, n), base) ? (int)n : CUT;
    if (own > (int)room.n)
        return CUT;
    print_number(d, option[0], room.p);
    if ((uint32_t)own != n)
        fprintf(d->to, "[len %u]", n + 2);
    return own;
}

/* One option with its value; how many bytes it took. */
static int print_option(struct dump *d, struct view v, uint32_t base)
{
    const char *name = v.n ? word_of(names, v.p[0]) : NULL;
    bool has_len = v.n && v.p[0] > OPT_NOP;
    int took;

    if (v.n < 1u + has_len)
        return CUT;
    if (has_len && (v.p[1] < 2 || v.p[1] > v.wire))
        return BROKEN;
    if (name)
        fputs(name, d->to);
    else
        fprintf(d->to, "unknown-%u", v.p[0]);
    if (!has_len)
        return v.p[0] == OPT_EOL ? (int)v.wire : 1;
    took = print_value(d, v.p, view_from(v, 2), base);
    return took < 0 ? took : took + 2;
}

bool print_tcp_options(struct dump *d, struct view v, uint32_t sack_base)
{
    for (bool is_first = true; v.wire; is_first = false) {
        int took;

        if (!is_first)
            fputc(',', d->to);
        took = print_option(d, v, sack_base);
        if (took == CUT)
            print_cut(d, "tcp");
        if (took == CUT && !is_first && v.n && (v.p[0] == OPT_SACK || v.p[0] == OPT_TS) && v.n > 1)
            fputc('>', d->to); /* tcpdump's slip */
        if (took == BROKEN)
            fputs("[bad opt]", d->to);
        if (took < 0)
            return false;
        v = view_from(v, (uint32_t)took);
    }
    return true;
}
