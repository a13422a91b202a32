/* TCP segments.
 *
 * Knows: RFC 9293's header and the options of its extensions. Shape: one line. Units: bytes.
 * Errors: " [|tcp]", "[bad hdr length N ...]". Cost: O(header), the checksum O(segment). */
#include <stdio.h>

#include "dump/print.h"

#define HEAD 20u
#define FLAG_FIN 1
#define FLAG_SYN 2
#define FLAG_RST 4
#define FLAG_URG 32

struct mark {
    uint8_t bit;
    char letter;
};
static const struct mark marks[] = {
    {1, 'F'}, {2, 'S'}, {4, 'R'}, {8, 'P'}, {16, '.'}, {32, 'U'}, {64, 'E'}, {128, 'W'},
};

static void print_flags(struct dump *d, uint8_t flags)
{
    fputs("Flags [", d->to);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (flags & marks[i].bit)
            fputc(marks[i].letter, d->to);
    fputs(flags ? "]" : "none]", d->to);
}

static void print_sum(struct dump *d, const struct inet *in, struct view v)
{
    uint16_t sum, has = get16(v.p + 16);

    if (!d->verbose || d->trusts_sums || in->is_fragment || v.n < v.wire)
        return;
    sum = transport_sum(in, v);
    fprintf(d->to, ", cksum 0x%04x", has);
    if (sum)
        fprintf(d->to, " (incorrect -> 0x%04x)", sum_mended(has, sum));
    else
        fputs(" (correct)", d->to);
}

/* False: the options are broken, and end the line. */
static bool print_numbers(struct dump *d, const struct inet *in, struct view v, uint32_t text)
{
    uint8_t flags = v.p[13];
    uint32_t seq = get32(v.p + 4), ack = get32(v.p + 8), sack_base = 0;
    uint32_t head = (v.p[12] >> 4) * 4u;
    bool is_reverse;
    struct flow base = flow_base(d, in, v.p, &is_reverse);

    seq -= is_reverse ? base.ack : base.seq;
    ack -= is_reverse ? base.seq : base.ack;
    sack_base = is_reverse ? base.seq : base.ack;
    print_sum(d, in, v);
    if (text || d->verbose > 1 || flags & (FLAG_SYN | FLAG_FIN | FLAG_RST)) {
        fprintf(d->to, ", seq %u", seq);
        if (text)
            fprintf(d->to, ":%u", seq + text);
    }
    if (flags & 16)
        fprintf(d->to, ", ack %u", ack);
    fprintf(d->to, ", win %u", get16(v.p + 14));
    if (flags & FLAG_URG)
        fprintf(d->to, ", urg %u", get16(v.p + 18));
    if (head == HEAD)
        return true;
    fputs(", options [", d->to);
    v = view_from(view_to(v, head), HEAD);
    if (!print_tcp_options(d, v, sack_base))
        return false;
    fputc(']', d->to);
    return true;
}

/* Why a reset was sent, if it says so. */
static void print_reset_text(struct dump *d, struct view v)
{
    fputs(v.n < v.wire ? " [!RST " : " [RST ", d->to);
    for (uint32_t i = 0; i < v.n; i++)
        fputc(v.p[i] >= ' ' && v.p[i] < 127 ? v.p[i] : '.', d->to);
    fputc(']', d->to);
}

void print_tcp(struct dump *d, const struct inet *in, struct view v)
{
    uint16_t sport, dport;
    uint32_t head;

    if (v.n < 4) {
        print_ends(d, in, -1, -1);
        fputs("[|tcp]", d->to);
        return;
    }
    sport = get16(v.p);
    dport = get16(v.p + 2);
    print_ends(d, in, sport, dport);
    if (v.n < HEAD) {
        print_cut(d, "tcp");
        return;
    }
    head = (v.p[12] >> 4) * 4u;
    if (head < HEAD) {
        fprintf(d->to, " tcp %u [bad hdr length %u - too short, < %u]", v.wire - head, head, HEAD);
        return;
    }
    if (d->is_brief) {
        fprintf(d->to, "tcp %u", head > v.wire ? 0 : v.wire - head);
        if (head > v.wire)
            fprintf(d->to, " [bad hdr length %u - too long, > %u]", head, v.wire);
        return;
    }
    print_flags(d, v.p[13]);
    if (head > v.wire) {
        fprintf(d->to, " [bad hdr length %u - too long, > %u]", head, v.wire);
        return;
    }
    if (!print_numbers(d, in, v, v.wire - head))
        return;
    fprintf(d->to, ", length %u", v.wire - head);
    if (v.wire == head)
        return;
    if (v.p[13] & FLAG_RST && d->verbose)
        print_reset_text(d, view_from(v, head));
    else
        print_tcp_text(d, view_from(v, head), sport, dport);
}
