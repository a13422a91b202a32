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

static void print_bytes(struct dump *d, const uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        fprintf(d->to, "%02x", p[i]);
}

static void print_sack(struct dump *d, const uint8_t *p, uint32_t n, uint32_t base)
{
    fprintf(d->to, " %u ", n / 8);
    for (uint32_t i = 0; i + 8 <= n; i += 8)
        fprintf(d->to, "{%u:%u}", get32(p + i) - base, get32(p + i + 4) - base);
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

static void print_hex_value(struct dump *d, const uint8_t *p, uint32_t n)
{
    if (n)
        fputs(" 0x", d->to);
    print_bytes(d, p, n);
}

static void print_cookie(struct dump *d, const uint8_t *p, uint32_t n)
{
    if (n == 0) {
        fputs("  cookiereq", d->to);
    } else if (n % 2 || n < 4 || n > 16) {
        fputs("  (invalid)", d->to);
    } else {
        fputs("  cookie ", d->to);
        print_bytes(d, p, n);
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

static void print_rest(struct dump *d, uint8_t kind, const uint8_t *p, uint32_t n, uint32_t base)
{
    switch (kind) {
    case OPT_SACK:
        if (n % 8)
            fputs(" invalid sack", d->to);
        else
            print_sack(d, p, n, base);
        break;
    case OPT_FASTOPEN:
        print_cookie(d, p, n);
        break;
    case OPT_ACC_0:
    case OPT_ACC_1:
        print_counters(d, kind == OPT_ACC_1, p, n);
        break;
    case OPT_EXP:
        fputc('-', d->to);
        print_bytes(d, p, n);
        break;
    default:
        print_hex_value(d, p, n);
    }
}

/* Of an option that says it has n bytes behind kind and length, and that has `room`. How many it
 * took (those of a known kind are as many as its RFC says), -1: the list is broken here. */
static int print_value(struct dump *d, const uint8_t *option, uint32_t room, uint32_t base)
{
    uint32_t n = option[1] - 2u;
    int own = length_of(option[0]);

    if (own > (int)room) {
        fputs("[bad opt]", d->to);
        return -1;
    }
    if (own < 0) {
        print_rest(d, option[0], option + 2, n, base);
        return (int)n;
    }
    print_number(d, option[0], option + 2);
    if ((uint32_t)own != n)
        fprintf(d->to, "[len %u]", n + 2);
    return own;
}

bool print_tcp_options(struct dump *d, const uint8_t *p, uint32_t n, uint32_t sack_base)
{
    for (uint32_t at = 0; at < n;) {
        const char *name = word_of(names, p[at]);
        uint32_t len = p[at] <= OPT_NOP ? 1 : at + 1 < n ? p[at + 1] : 0;
        if (at)
            fputc(',', d->to);
        if (p[at] > OPT_NOP && at + 1 >= n) {
            print_cut(d, "tcp");
            return false;
        }
        if (p[at] > OPT_NOP && (len < 2 || len > n - at)) {
            fputs("[bad opt]", d->to);
            return false;
        }
        if (name)
            fputs(name, d->to);
        else
            fprintf(d->to, "unknown-%u", p[at]);
        if (p[at] == OPT_EOL)
            return true;
        if (p[at] > OPT_NOP) {
            int took = print_value(d, p + at, n - at - 2, sack_base);
            if (took < 0)
                return false;
            len = 2 + (uint32_t)took;
        }
        at += len;
    }
    return true;
}
