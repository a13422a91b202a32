/* ICMP packets of a script: "icmp unreachable frag_needed mtu 1200 [1:1001(1000)]".
 *
 * Knows: types and codes by name, as in icmp_names. Shape: type, code, MTU, what is quoted.
 * Units: bytes. Errors: the first problem. Cost: O(text). */
#include <string.h>

#include "packetdrill/icmp_names.h"
#include "packetdrill/parse.h"

/* "[udp (100)]", "[1:1001(1000)]" */
static bool parse_quote(struct lex *l, struct segment *out)
{
    int64_t start = 0, end, len;

    out->has |= HAS_QUOTE;
    if (lex_take(l, "udp")) {
        out->quote.kind = SEGMENT_UDP;
    } else {
        out->quote.kind = SEGMENT_TCP;
        if (!lex_number(l, "the quoted sequence number", 0, UINT32_MAX, &start) ||
            !lex_expect(l, ":", "behind the quoted sequence number") ||
            !lex_number(l, "the quoted end", 0, UINT32_MAX, &end))
            return false;
    }
    if (!lex_expect(l, "(", "before the quoted length") ||
        !lex_number(l, "the quoted length", 0, 65535, &len) ||
        !lex_expect(l, ")", "behind the quoted length"))
        return false;
    out->quote.seq = (uint32_t)start;
    out->quote.len = (uint32_t)len;
    return lex_expect(l, "]", "behind the quoted packet");
}

static bool parse_type(struct lex *l, struct segment *out)
{
    struct lex before;
    struct token t;
    char word[48] = "";

    before = *l;
    if (!lex_next(l, &t))
        return false;
    if (t.kind == TOKEN_WORD && t.len < sizeof word)
        memcpy(word, t.text, t.len);
    if (!icmp_type_of(word, &out->type))
        return lex_fail(&before, "an ICMP type: unreachable, time_exceeded, echo_request, "
                                 "echo_reply, parameter_problem, packet_too_big, source_quench "
                                 "or redirect");
    if (!lex_peek(l, &t))
        return false;
    memset(word, 0, sizeof word);
    if (t.kind == TOKEN_WORD && t.len < sizeof word)
        memcpy(word, t.text, t.len);
    if (icmp_code_of(out->type, word, &out->code))
        return lex_next(l, &t);
    return true;
}

bool parse_icmp(struct lex *l, struct segment *out)
{
    int64_t n;

    out->kind = SEGMENT_ICMP;
    if (!parse_type(l, out))
        return false;
    if (lex_take(l, "id")) {
        if (!lex_number(l, "the identifier", 0, 65535, &n))
            return false;
        out->id = (uint16_t)n;
    }
    if (lex_take(l, "seq")) {
        if (!lex_number(l, "the sequence number", 0, 65535, &n))
            return false;
        out->number = (uint16_t)n;
    }
    if (lex_take(l, "mtu")) {
        if (!lex_number(l, "the MTU", 0, 65535, &n))
            return false;
        out->has |= HAS_MTU;
        out->mtu = (uint32_t)n;
    }
    if (lex_take(l, "["))
        return parse_quote(l, out);
    if (lex_take(l, "(")) { /* echo: bytes of data */
        if (!lex_number(l, "the length", 0, 65507, &n))
            return false;
        out->len = (uint32_t)n;
        return lex_expect(l, ")", "behind the length");
    }
    return true;
}
