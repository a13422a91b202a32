/* IGMP.
 *
 * Knows: RFC 1112, 2236, 3376. Shape: one line; groups with -v. Units: bytes.
 * Errors: " [|igmp]", "[invalid ...]". Cost: O(message). */
#include <stdio.h>

#include "dump/print.h"

enum { QUERY = 0x11, REPORT1, DVMRP, REPORT2 = 0x16, LEAVE, REPORT3 = 0x22 };

static const char *const record_kinds[] = {NULL,    "is_in", "is_ex", "to_in",
                                           "to_ex", "allow", "block"};

static void print_group(struct dump *d, const char *before, const uint8_t *p, const char *after)
{
    fputs(before, d->to);
    print_addr(d, p, false);
    fputs(after, d->to);
}

/* Tenths of a second, in RFC 3376's floating point from 128 on. */
static uint32_t response_time(uint8_t code)
{
    return code < 128 ? code : (uint32_t)((code & 15) | 16) << (((code >> 4) & 7) + 3);
}

static void print_tenths(struct dump *d, uint32_t tenths)
{
    if (tenths < 100 && tenths % 10)
        fprintf(d->to, "%.1fs", tenths / 10.0);
    else
        fprintf(d->to, "%us", tenths / 10);
}

static void print_query3(struct dump *d, struct view v)
{
    uint32_t sources;

    fputs("v3", d->to);
    if (v.n < 12) {
        print_cut(d, "igmp");
        return;
    }
    sources = get16(v.p + 10);
    if (d->verbose && response_time(v.p[1]) != 100) {
        fputs(" [max resp time ", d->to);
        print_tenths(d, response_time(v.p[1]));
        fputc(']', d->to);
    }
    if (get32(v.p + 4) == 0)
        return;
    print_group(d, " [gaddr ", v.p + 4, "");
    for (uint32_t i = 0; sources && d->verbose > 1 && i < sources && 16 + 4 * i <= v.n; i++)
        print_group(d, i ? " " : " { ", v.p + 12 + 4 * i, "");
    if (sources && d->verbose > 1)
        fputs(" }", d->to);
    else if (sources)
        fprintf(d->to, ", %u source(s)", sources);
    fputc(']', d->to);
}

static void print_query(struct dump *d, struct view v)
{
    fputs("igmp query ", d->to);
    if (v.wire >= 12) {
        print_query3(d, v);
        return;
    }
    if (v.p[1] == 0) {
        fputs("v1", d->to);
        if (get32(v.p + 4))
            print_group(d, " [gaddr ", v.p + 4, "]");
        return;
    }
    fputs("v2", d->to);
    if (d->verbose && v.p[1] != 100) {
        fputs(" [max resp time ", d->to);
        print_tenths(d, v.p[1]);
        fputc(']', d->to);
    }
    if (get32(v.p + 4))
        print_group(d, " [gaddr ", v.p + 4, "]");
}

/* A record of a report; its bytes, or 0: it does not fit. */
static uint32_t print_record(struct dump *d, const uint8_t *p, uint32_t n)
{
    uint32_t sources = n >= 8 ? get16(p + 2) : 0, len = 8 + 4 * sources + 4u * (n >= 8 ? p[1] : 0);

    if (n < 8 || n < 8 + 4 * sources) {
        fputs(" [invalid number of sources]", d->to);
        return 0;
    }
    print_group(d, " [gaddr ", p + 4, "");
    if (p[0] >= 1 && p[0] <= 6)
        fprintf(d->to, " %s", record_kinds[p[0]]);
    else
        fprintf(d->to, "  [v3-report-#%u]", p[0]);
    if (d->verbose > 1) {
        fputs(" {", d->to);
        for (uint32_t i = 0; i < sources; i++)
            print_group(d, " ", p + 8 + 4 * i, "");
        fputs(" }", d->to);
    } else {
        fprintf(d->to, ", %u source(s)", sources);
    }
    fputc(']', d->to);
    return len;
}

static void print_report3(struct dump *d, struct view v)
{
    uint32_t at = 8, len, records;

    fputs("igmp v3 report", d->to);
    if (v.wire < 16) {
        fprintf(d->to, " [invalid len %u]", v.wire);
        return;
    }
    records = get16(v.p + 6);
    fprintf(d->to, ", %u group record(s)", records);
    for (uint32_t i = 0; d->verbose && i < records; i++, at += len)
        if (at > v.n || (len = print_record(d, v.p + at, v.n - at)) == 0)
            return;
}

void print_igmp(struct dump *d, struct view v)
{
    if (v.n < 8) {
        print_cut(d, "igmp");
        return;
    }
    if (d->is_brief) {
        fputs("igmp", d->to);
        return;
    }
    switch (v.p[0]) {
    case QUERY:
        print_query(d, v);
        break;
    case REPORT1:
        print_group(d, "igmp v1 report ", v.p + 4, "");
        break;
    case REPORT2:
        print_group(d, "igmp v2 report ", v.p + 4, "");
        break;
    case LEAVE:
        print_group(d, "igmp leave ", v.p + 4, "");
        break;
    case REPORT3:
        print_report3(d, v);
        break;
    default:
        fprintf(d->to, "igmp-%u", v.p[0]);
    }
    if (d->verbose && v.n >= v.wire && bytes_sum(v.p, v.n))
        fprintf(d->to, " bad igmp cksum %x!", get16(v.p + 2));
}
