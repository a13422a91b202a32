/* A packet of a script: IP fields, flags, numbers, window; UDP.
 *
 * Knows: "[ect0] 80 > 90 S. 0:0(0) ack 1 win 100 urg 1 <...>". Options and ICMP are
 * parse_option.c's and parse_icmp.c's. Shape: fields in this order. Units: as on the wire; numbers
 * relative. Errors: the first problem. Cost: O(text). */
#include <string.h>

#include "packetdrill/parse.h"
#include "wire/wire.h"

/* "[ect0]", "[tos 0x10, ttl 64]": one of them. */
static bool parse_ip_field(struct lex *l, struct segment *out)
{
    static const char *const ecn[] = {"noecn", "ect1", "ect0", "ce"};
    int64_t n;

    for (uint8_t i = 0; i < 4; i++)
        if (lex_take(l, ecn[i])) {
            out->has |= HAS_ECN;
            out->ecn = i;
            return true;
        }
    if (lex_take(l, "tos")) {
        if (!lex_number(l, "the type of service", 0, 255, &n))
            return false;
        out->has |= HAS_TOS;
        out->tos = (uint8_t)n;
        return true;
    }
    if (lex_take(l, "ttl")) {
        if (!lex_number(l, "the time to live", 0, 255, &n))
            return false;
        out->has |= HAS_TTL;
        out->ttl = (uint8_t)n;
        return true;
    }
    return lex_fail(l, "ect0, ect1, ce, noecn, tos N or ttl N");
}

static bool parse_ip(struct lex *l, struct segment *out)
{
    if (!lex_take(l, "["))
        return true;
    do {
        if (!parse_ip_field(l, out))
            return false;
    } while (lex_take(l, ","));
    return lex_expect(l, "]", "behind the IP fields");
}

/* "40000 > 8080", before the flags. */
static bool parse_ports(struct lex *l, struct segment *out)
{
    struct token t;
    int64_t from, to;

    if (!lex_peek(l, &t))
        return false;
    if (t.kind != TOKEN_NUMBER)
        return true;
    if (!lex_number(l, "the source port", 0, 65535, &from) ||
        !lex_expect(l, ">", "between source and destination port") ||
        !lex_number(l, "the destination port", 0, 65535, &to))
        return false;
    out->has |= HAS_PORTS;
    out->sport = (uint16_t)from;
    out->dport = (uint16_t)to;
    return true;
}

static bool parse_flags(struct lex *l, struct segment *out)
{
    static const char letters[] = "FSRP.UEW";
    struct place at = lex_place(l);
    const char *text;
    size_t n = lex_run(l, "FSRP.UEWA-", &text);

    if (n == 0)
        return lex_fail(l, "flags (S F R P . U E W, or -), 'udp' or 'icmp'");
    for (size_t i = 0; i < n; i++) {
        const char *found = strchr(letters, text[i]);
        uint8_t bit = found ? (uint8_t)(1u << (found - letters)) : 0;
        if ((bit && out->flags & bit) || (text[i] == '-' && n > 1))
            return problem_set(l->problem, PROBLEM_SYNTAX, at,
                               "flag '%c' stands twice or beside '-'", text[i]);
        out->flags |= bit;
        out->ae |= text[i] == 'A';
    }
    return true;
}

/* "1:1001(1000)" */
static bool parse_numbers(struct lex *l, struct segment *out)
{
    struct place at = lex_place(l);
    int64_t start, end, len;

    if (!lex_number(l, "the first sequence number", 0, UINT32_MAX, &start) ||
        !lex_expect(l, ":", "behind the first sequence number") ||
        !lex_number(l, "the last sequence number", 0, UINT32_MAX, &end) ||
        !lex_expect(l, "(", "behind the last sequence number") ||
        !lex_number(l, "the length", 0, 65535, &len) || !lex_expect(l, ")", "behind the length"))
        return false;
    if ((uint32_t)(start + len) != (uint32_t)end)
        return problem_set(l->problem, PROBLEM_SYNTAX, at, "%u plus length %u is %u, not %u",
                           (uint32_t)start, (uint32_t)len, (uint32_t)(start + len), (uint32_t)end);
    out->seq = (uint32_t)start;
    out->len = (uint32_t)len;
    return true;
}

static bool parse_header(struct lex *l, struct segment *out)
{
    int64_t n;

    if (lex_take(l, "ack")) {
        if (!lex_number(l, "the acknowledgment number", 0, UINT32_MAX, &n))
            return false;
        out->has |= HAS_ACK;
        out->ack = (uint32_t)n;
    }
    if (lex_take(l, "win")) {
        if (!lex_number(l, "the window", 0, 65535, &n))
            return false;
        out->has |= HAS_WIN;
        out->win = (uint16_t)n;
    }
    if (lex_take(l, "urg")) {
        if (!lex_number(l, "the urgent pointer", 0, 65535, &n))
            return false;
        out->has |= HAS_URG;
        out->urg = (uint16_t)n;
    }
    return true;
}

static bool check_tcp(struct lex *l, struct place at, bool is_out, const struct segment *s)
{
    if (s->has & HAS_ACK && !(s->flags & TCP_ACK))
        return problem_set(l->problem, PROBLEM_SYNTAX, at, "'ack N' without the flag '.'");
    if (!is_out && s->flags & TCP_ACK && !(s->has & HAS_ACK))
        return problem_set(l->problem, PROBLEM_SYNTAX, at, "the flag '.' without 'ack N'");
    if (!is_out && !(s->has & HAS_WIN))
        return problem_set(l->problem, PROBLEM_SYNTAX, at,
                           "an inbound segment needs its window: 'win N'");
    return true;
}

static bool parse_udp(struct lex *l, struct segment *out)
{
    int64_t len;

    out->kind = SEGMENT_UDP;
    if (!lex_expect(l, "(", "behind 'udp'") || !lex_number(l, "the length", 0, 65507, &len) ||
        !lex_expect(l, ")", "behind the length"))
        return false;
    out->len = (uint32_t)len;
    return true;
}

bool parse_segment(struct lex *l, bool is_out, struct segment *out)
{
    struct place at = lex_place(l);

    if (!parse_ip(l, out) || !parse_ports(l, out))
        return false;
    if (lex_take(l, "udp"))
        return parse_udp(l, out);
    if (lex_take(l, "icmp"))
        return parse_icmp(l, out);
    out->kind = SEGMENT_TCP;
    return parse_flags(l, out) && parse_numbers(l, out) && parse_header(l, out) &&
           parse_options(l, out) && check_tcp(l, at, is_out, out);
}
