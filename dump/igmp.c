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

static void print_response(struct dump *d, uint32_t tenths)
{
    if (!d->verbose || tenths == 100)
        return;
    fputs(" [max resp time ", d->to);
    print_tenths(d, tenths);
    fputc(']', d->to);
}

/* Of version 3. */
static bool print_query3(struct dump *d, struct view v)
{
    uint32_t sources;

    fputs("v3", d->to);
    if (v.n < 2)
        return false;
    print_response(d, response_time(v.p[1]));
    if (v.n < 8)
        return false;
    if (get32(v.p + 4) == 0)
        return true;
    print_group(d, " [gaddr ", v.p + 4, "");
    if (v.n < 12)
        return false;
    sources = get16(v.p + 10);
    for (uint32_t i = 0; sources && d->verbose > 1 && i < sources && 16 + 4 * i <= v.n; i++)
        print_group(d, i ? " " : " { ", v.p + 12 + 4 * i, "");
    if (sources && d->verbose > 1)
        fputs(" }", d->to);
    else if (sources)
        fprintf(d->to, ", %u source(s)", sources);
    fputc(']', d->to);
    return true;
}

static bool print_query(struct dump *d, struct view v)
{
    fputs("igmp query", d->to);
    if (v.wire < 12 && v.n < 2)
        return false;
    fputc(' ', d->to);
    if (v.wire >= 12)
        return print_query3(d, v);
    fputs(v.p[1] ? "v2" : "v1", d->to);
    if (v.p[1])
        print_response(d, v.p[1]);
    if (v.n < 8)
        return false;
    if (get32(v.p + 4))
        print_group(d, " [gaddr ", v.p + 4, "]");
    return true;
}

static bool print_sources(struct dump *d, struct view v, uint32_t sources)
{
    fputs(" {", d->to);
    for (uint32_t i = 0; i < sources; i++) {
        if (v.n < 12 + 4 * i)
            return false;
        print_group(d, " ", v.p + 8 + 4 * i, "");
    }
    fputs(" }", d->to);
    return true;
}

/* One record of a report, from which *len bytes lead to the next; 0: its numbers make no sense. */
static bool print_record(struct dump *d, struct view v, uint32_t *len)
{
    uint32_t sources;

    *len = 0;
    if (v.wire >= 8 && v.n < 8)
        return false;
    sources = v.wire < 8 ? 0 : get16(v.p + 2);
    if (v.wire < 8 + 4 * sources) {
        fputs(" [invalid number of sources]", d->to);
        return true;
    }
    print_group(d, " [gaddr ", v.p + 4, "");
    if (v.p[0] >= 1 && v.p[0] <= 6)
        fprintf(d->to, " %s", record_kinds[v.p[0]]);
    else
        fprintf(d->to, "  [v3-report-#%u]", v.p[0]);
    if (d->verbose > 1 && !print_sources(d, v, sources))
        return false;
    if (d->verbose == 1)
        fprintf(d->to, ", %u source(s)", sources);
    fputc(']', d->to);
    *len = 8 + 4 * sources + 4u * v.p[1];
    return true;
}

static bool print_report3(struct dump *d, struct view v)
{
    uint32_t len, records;

    fputs("igmp v3 report", d->to);
    if (v.wire < 16) {
        fprintf(d->to, " [invalid len %u]", v.wire);
        return true;
    }
    if (v.n < 8)
        return false;
    records = get16(v.p + 6);
    fprintf(d->to, ", %u group record(s)", records);
    v = view_from(v, 8);
    for (uint32_t i = 0; d->verbose && i < records; i++) {
        if (!print_record(d, v, &len))
            return false;
        if (!len)
            return true;
        v = view_from(v, len);
    }
    return true;
}

static bool print_one_group(struct dump *d, const char *what, struct view v)
{
    if (v.n >= 8)
        print_group(d, what, v.p + 4, "");
    return v.n >= 8;
}

/* False: it was cut short. */
static bool print_message(struct dump *d, struct view v)
{
    if (v.n == 0)
        return false;
    switch (v.p[0]) {
    case QUERY:
        return print_query(d, v);
    case REPORT1:
        return print_one_group(d, "igmp v1 report ", v);
    case REPORT2:
        return print_one_group(d, "igmp v2 report ", v);
    case LEAVE:
        return print_one_group(d, "igmp leave ", v);
    case REPORT3:
        return print_report3(d, v);
    default:
        fprintf(d->to, "igmp-%u", v.p[0]);
        return true;
    }
}

void print_igmp(struct dump *d, struct view v)
{
    if (d->is_brief)
        fputs("igmp", d->to);
    else if (!print_message(d, v))
        print_cut(d, "igmp");
    else if (d->verbose && v.n >= v.wire && bytes_sum(v.p, v.n))
        fprintf(d->to, " bad igmp cksum %x!", get16(v.p + 2));
}
