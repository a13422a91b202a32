/* DNS questions and answers.
 *
 * Knows: RFC 1035, 2782, 3596, 6891. Shape: one line; names and all sections with -v. Units: bytes.
 * Errors: " [|domain]"; a name that points in a circle ends. Cost: O(message). */
#include <stdio.h>

#include "dump/print.h"

#define HEAD 12u
#define HOPS_MAX 64
#define NAME_MAX_BYTES 255u

static const struct word types[] = {
    {1, "A"},     {2, "NS"},   {5, "CNAME"},  {6, "SOA"},   {12, "PTR"},    {13, "HINFO"},
    {15, "MX"},   {16, "TXT"}, {28, "AAAA"},  {33, "SRV"},  {35, "NAPTR"},  {39, "DNAME"},
    {41, "OPT"},  {43, "DS"},  {46, "RRSIG"}, {47, "NSEC"}, {48, "DNSKEY"}, {50, "NSEC3"},
    {52, "TLSA"}, {99, "SPF"}, {252, "AXFR"}, {255, "ANY"}, {0, NULL},
};
static const char *const opcodes[16] = {
    "",     " inv_q",   " stat",    " op3",      " notify",  " update",   " op6",      " op7",
    " op8", " updateA", " updateD", " updateDA", " updateM", " updateMA", " zoneInit", " zoneRef",
};
static const char *const codes[16] = {
    "",          " FormErr", " ServFail", " NXDomain", " NotImp",  " Refused",
    " YXDomain", " YXRRSet", " NXRRSet",  " NotAuth",  " NotZone", " Resp11",
    " Resp12",   " Resp13",  " Resp14",   " NoChange",
};

struct reader {
    struct dump *d;
    struct view v; /* the whole message */
    uint32_t at;
    bool is_cut;
};

static bool has(struct reader *r, uint32_t n)
{
    if (r->is_cut || r->v.n - r->at < n || r->at > r->v.n)
        r->is_cut = true;
    return !r->is_cut;
}

/* The name at r->at, printed or passed over. */
static void take_name(struct reader *r, bool is_printed)
{
    uint32_t at = r->at, end = 0, bytes = 0;

    for (int hops = 0; hops <= HOPS_MAX;) {
        uint8_t n;
        if (at >= r->v.n || bytes > NAME_MAX_BYTES) {
            r->is_cut = true;
            return;
        }
        n = r->v.p[at];
        if (n >= 0xc0) {
            if (at + 1 >= r->v.n)
                break;
            end = end ? end : at + 2;
            at = get16(r->v.p + at) & 0x3fff;
            hops++;
            continue;
        }
        if (n >= 64 || at + 1 + n > r->v.n)
            break;
        if (n == 0) {
            if (is_printed && bytes == 0)
                fputc('.', r->d->to);
            r->at = end ? end : at + 1;
            return;
        }
        for (uint32_t i = 0; is_printed && i < n; i++) {
            uint8_t c = r->v.p[at + 1 + i];
            fputc(c > ' ' && c < 127 ? c : '.', r->d->to);
        }
        if (is_printed)
            fputc('.', r->d->to);
        bytes += n + 1u;
        at += n + 1u;
    }
    r->is_cut = true;
}

static void print_type(struct reader *r, const char *before, uint16_t type, uint16_t class)
{
    const char *name = word_of(types, type);

    if (name)
        fprintf(r->d->to, "%s%s", before, name);
    else
        fprintf(r->d->to, "%sType%u", before, type);
    if (class != 1 && type != 41)
        fprintf(r->d->to, " (Class %u)", class);
}

static void take_question(struct reader *r, bool is_printed)
{
    uint32_t name = r->at, end;

    take_name(r, false);
    end = r->at + 4;
    if (is_printed && has(r, 4)) {
        print_type(r, " ", get16(r->v.p + r->at), get16(r->v.p + r->at + 2) & 0x7fff);
        fputs("? ", r->d->to);
        r->at = name;
        take_name(r, true);
    }
    r->at = end; /* what is not printed may end behind what was captured */
}

static void print_texts(struct reader *r, uint32_t end)
{
    while (r->at < end) {
        uint32_t n = r->v.p[r->at];
        if (r->at + 1 + n > end) {
            r->is_cut = true;
            return;
        }
        fputs(" \"", r->d->to);
        for (uint32_t i = 0; i < n; i++) {
            uint8_t c = r->v.p[r->at + 1 + i];
            fputc(c >= ' ' && c < 127 ? c : '.', r->d->to);
        }
        fputc('"', r->d->to);
        r->at += 1 + n;
    }
}

static void print_soa(struct reader *r)
{
    if (!r->d->verbose)
        return;
    for (int i = 0; i < 2; i++) {
        fputc(' ', r->d->to);
        take_name(r, true);
    }
    if (!has(r, 20))
        return;
    for (uint32_t i = 0; i < 20; i += 4)
        fprintf(r->d->to, " %u", get32(r->v.p + r->at + i));
}

static void print_data(struct reader *r, uint16_t type, uint32_t end)
{
    FILE *to = r->d->to;
    const uint8_t *p = r->v.p + r->at;
    uint32_t n = end - r->at;

    switch (type) {
    case 1:
    case 28:
        if (n != (type == 1 ? 4 : 16))
            break;
        fputc(' ', to);
        print_addr(r->d, p, type == 28);
        break;
    case 2:
    case 5:
    case 12:
    case 39:
        fputc(' ', to);
        take_name(r, true);
        break;
    case 6:
        print_soa(r);
        break;
    case 15:
        if (n < 3)
            break;
        fputc(' ', to);
        r->at += 2;
        take_name(r, true);
        fprintf(to, " %u", get16(p));
        break;
    case 16:
        print_texts(r, end);
        break;
    case 33:
        if (n < 7)
            break;
        fputc(' ', to);
        r->at += 6;
        take_name(r, true);
        fprintf(to, ":%u %u %u", get16(p + 4), get16(p), get16(p + 2));
        break;
    case 41:
        fprintf(to, " UDPsize=%u%s", get16(p - 8), p[-4] & 0x80 ? " DO" : "");
        break;
    default:
        break;
    }
}

/* tcpdump's way with a record that ends before its data: what follows is none, and that is all. */
static bool ends_early(struct reader *r)
{
    bool is_whole = has(r, 10);

    if (!is_whole) {
        r->is_cut = false;
        r->at = r->v.n;
    }
    return !is_whole;
}

static void take_record(struct reader *r)
{
    uint32_t end;
    uint16_t type;

    if (r->d->verbose) {
        uint32_t name = r->at;
        fputc(' ', r->d->to);
        take_name(r, true);
        if (r->is_cut)
            return;
        r->at = name;
    }
    take_name(r, false);
    if (ends_early(r))
        return;
    type = get16(r->v.p + r->at);
    print_type(r, " ", type, get16(r->v.p + r->at + 2) & 0x7fff);
    end = r->at + 10 + get16(r->v.p + r->at + 8);
    r->at += 10;
    if (end > r->v.n) {
        r->is_cut = true;
        return;
    }
    print_data(r, type, end);
    r->at = end;
}

/* Records until `n` of them are there, or nothing is left: then it was cut. */
static void take_section(struct reader *r, const char *name, uint16_t n)
{
    bool is_first = n && !*name; /* it is looked for even where nothing is left */

    if (n && r->at < r->v.n)
        fputs(name, r->d->to);
    while (is_first || (n && r->at < r->v.n && !r->is_cut)) {
        is_first = false;
        take_record(r);
        n--;
        if (n && r->at < r->v.n && !r->is_cut)
            fputc(',', r->d->to);
    }
    r->is_cut |= n > 0;
}

static void take_reply(struct reader *r, uint16_t flags, const uint16_t count[4])
{
    FILE *to = r->d->to;
    bool is_long = r->d->verbose > 1;

    fprintf(to, "%s%s%s%s%s", codes[flags & 15], flags & 0x400 ? "*" : "", flags & 0x80 ? "" : "-",
            flags & 0x200 ? "|" : "", flags & 0x20 ? "$" : "");
    if (count[0] != 1)
        fprintf(to, " [%uq]", count[0]);
    for (uint16_t i = 0; i < count[0] && !r->is_cut; i++) {
        if (is_long)
            fputs(i ? "," : " q:", to);
        take_question(r, is_long);
    }
    if (r->is_cut)
        return;
    fprintf(to, " %u/%u/%u", count[1], count[2], count[3]);
    take_section(r, "", count[1]);
    if (is_long && !r->is_cut)
        take_section(r, " ns:", count[2]);
    if (is_long && !r->is_cut)
        take_section(r, " ar:", count[3]);
}

static void take_query(struct reader *r, uint16_t flags, const uint16_t count[4])
{
    static const char *const units[] = {"q", "a", "n", "au"};
    FILE *to = r->d->to;
    bool is_long = r->d->verbose > 1;

    fprintf(to, "%s%s", flags & 0x100 ? "+" : "", flags & 0x10 ? "%" : "");
    if (flags & 0x6cf)
        fprintf(to, " [b2&3=0x%x]", flags);
    if (count[1])
        fprintf(to, " [%u%s]", count[1], units[1]);
    if (count[0] != 1)
        fprintf(to, " [%u%s]", count[0], units[0]);
    if (count[2])
        fprintf(to, " [%u%s]", count[2], units[2]);
    if (count[3])
        fprintf(to, " [%u%s]", count[3], units[3]);
    for (uint16_t i = 0; i < count[0] && !r->is_cut; i++)
        take_question(r, true);
    if (!is_long || r->is_cut)
        return;
    take_section(r, " ", count[1]);
    take_section(r, " ns:", count[2]);
    take_section(r, " ar:", count[3]);
}

void print_dns(struct dump *d, struct view v, bool is_tcp)
{
    struct reader r = {.d = d, .v = v, .at = HEAD};
    uint16_t flags, count[4];

    if (is_tcp) { /* a length goes before */
        if (v.n < 2) {
            print_cut(d, "domain");
            return;
        }
        if (get16(v.p) != v.wire - 2) {
            fprintf(d->to, " [prefix length(%u) != length(%u)] (invalid)", get16(v.p), v.wire - 2);
            return;
        }
        r.v = v = view_from(v, 2);
        fputc(' ', d->to);
    }
    if (v.wire < HEAD) {
        fprintf(d->to, "domain [length %u < %u] (invalid)", v.wire, HEAD);
        return;
    }
    if (v.n < HEAD) {
        print_cut(d, "domain");
        return;
    }
    flags = get16(v.p + 2);
    for (uint32_t i = 0; i < 4; i++)
        count[i] = get16(v.p + 4 + 2 * i);
    fprintf(d->to, "%u%s", get16(v.p), opcodes[flags >> 11 & 15]);
    if (flags & 0x8000)
        take_reply(&r, flags, count);
    else
        take_query(&r, flags, count);
    if (r.is_cut)
        print_cut(d, "domain");
    else
        fprintf(d->to, " (%u)", v.wire);
}
