/* TCP options of a script: "<mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>".
 *
 * Knows: the options by name. Shape: a list in the order of the wire; "<...>" says any, no list
 * says none. Units: as on the wire. Errors: the first problem. Cost: O(text). */
#include <ctype.h>
#include <string.h>

#include "packetdrill/parse.h"
#include "packetdrill/segment.h"

static bool parse_sack(struct lex *l, struct option *o)
{
    struct token t;
    int64_t start, end;

    while (lex_peek(l, &t) && t.kind == TOKEN_NUMBER) {
        if (o->len == SACKS_MAX)
            return lex_fail(l, "at most four SACK blocks");
        if (!lex_number(l, "the start of a SACK block", 0, UINT32_MAX, &start) ||
            !lex_expect(l, ":", "inside a SACK block") ||
            !lex_number(l, "the end of a SACK block", 0, UINT32_MAX, &end))
            return false;
        o->sack[o->len][0] = (uint32_t)start;
        o->sack[o->len++][1] = (uint32_t)end;
    }
    return o->len ? true : lex_fail(l, "a SACK block such as 2001:3001");
}

static bool parse_stamps(struct lex *l, struct option *o)
{
    int64_t val, ecr;

    if (!lex_expect(l, "val", "behind TS") ||
        !lex_number(l, "the timestamp", 0, UINT32_MAX, &val) ||
        !lex_expect(l, "ecr", "behind the timestamp") ||
        !lex_number(l, "the echoed timestamp", 0, UINT32_MAX, &ecr))
        return false;
    o->a = (uint32_t)val;
    o->b = (uint32_t)ecr;
    return true;
}

/* Hex digits, as many as there are: a Fast Open cookie, an option by its number. */
static bool parse_hex(struct lex *l, struct option *o)
{
    struct place at = lex_place(l);
    const char *text;
    size_t n = lex_run(l, "0123456789abcdefABCDEF", &text);

    if (n % 2 || n / 2 > OPTION_DATA_MAX)
        return problem_set(l->problem, PROBLEM_SYNTAX, at,
                           "expected pairs of hex digits, at most %d", OPTION_DATA_MAX);
    for (size_t i = 0; i < n; i++) {
        int c = tolower((unsigned char)text[i]);
        o->data[i / 2] = (uint8_t)(o->data[i / 2] * 16 + (c <= '9' ? c - '0' : c - 'a' + 10));
    }
    o->len = (uint8_t)(n / 2);
    return true;
}

static bool parse_one_number(struct lex *l, struct option *o, const char *what, int64_t most)
{
    int64_t n;

    if (!lex_number(l, what, 0, most, &n))
        return false;
    o->a = (uint32_t)n;
    return true;
}

/* "ECN e0b 1 ceb 0 e1b 1", or the other way round; the last ones may be missing. */
static bool parse_acc(struct lex *l, struct option *o)
{
    static const char *const orders[][3] = {{"e0b", "ceb", "e1b"}, {"e1b", "ceb", "e0b"}};
    int64_t n;
    int order = 0;

    while (o->len < 9 && (lex_take(l, orders[order][o->len / 3]) ||
                          (!o->len && lex_take(l, orders[order = 1][0])))) {
        if (!lex_number(l, "a count of bytes", 0, 0xffffff, &n))
            return false;
        for (int shift = 16; shift >= 0; shift -= 8)
            o->data[o->len++] = (uint8_t)(n >> shift);
    }
    o->kind = order && o->len ? OPTION_ACC_1 : OPTION_ACC_0;
    return true;
}

static bool parse_option(struct lex *l, struct option *o)
{
    static const struct {
        const char *name;
        uint8_t kind;
    } names[] = {{"eol", OPTION_EOL},        {"nop", OPTION_NOP},
                 {"mss", OPTION_MSS},        {"wscale", OPTION_WSCALE},
                 {"sackOK", OPTION_SACK_OK}, {"sack", OPTION_SACK},
                 {"TS", OPTION_TS},          {"FO", OPTION_FASTOPEN},
                 {"md5", OPTION_MD5},        {"FOEXP", OPTION_EXPERIMENT},
                 {"ECN", OPTION_ACC_0}};
    size_t i = 0;

    while (i < sizeof names / sizeof names[0] && !lex_take(l, names[i].name))
        i++;
    if (i == sizeof names / sizeof names[0])
        return lex_fail(l, "an option: mss, wscale, sackOK, sack, TS, ECN, nop, eol, FO or md5");
    o->kind = names[i].kind;
    switch (o->kind) {
    case OPTION_MSS:
        return parse_one_number(l, o, "the segment size", 65535);
    case OPTION_WSCALE:
        return parse_one_number(l, o, "the shift count", 255);
    case OPTION_SACK:
        return parse_sack(l, o);
    case OPTION_TS:
        return parse_stamps(l, o);
    case OPTION_ACC_0:
        return parse_acc(l, o);
    case OPTION_FASTOPEN:
    case OPTION_EXPERIMENT:
    case OPTION_MD5:
        lex_place(l);
        return parse_hex(l, o);
    default:
        return true;
    }
}

/* The header's length counts words: a list that does not fill them can not be sent. */
static bool check_length(struct lex *l, struct place at, const struct segment *s)
{
    size_t bytes = 0;

    for (int i = 0; i < s->options; i++)
        bytes += option_len(&s->option[i]);
    if (bytes % 4 == 0 && bytes <= 40)
        return true;
    return problem_set(
        l->problem, PROBLEM_SYNTAX, at,
        "options of %zu bytes: expected a multiple of 4, at most 40; fill up with nop", bytes);
}

bool parse_options(struct lex *l, struct segment *out)
{
    struct place at = lex_place(l);
    struct token t;

    out->has |= HAS_OPTIONS;
    if (!lex_take(l, "<"))
        return true;
    if (lex_peek(l, &t) && t.kind == TOKEN_ANY) {
        lex_next(l, &t);
        out->has &= ~(uint32_t)HAS_OPTIONS;
        return lex_expect(l, ">", "behind the options");
    }
    do {
        if (out->options == OPTIONS_MAX)
            return lex_fail(l, "at most 20 options");
        if (!parse_option(l, &out->option[out->options++]))
            return false;
    } while (lex_take(l, ","));
    return lex_expect(l, ">", "behind the options") && check_length(l, at, out);
}
