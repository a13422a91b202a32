/* A packet's line: its number, its time, its layers, its bytes.
 *
 * Knows: what the user asked for. Shape: print_packet is the door. Units: ns in, a clock's time
 * out. Errors: none. Cost: O(bytes printed). */
#include "dump/print.h"

#include <time.h>

#define S 1000000000
#define ROW 16u

static void print_fraction(struct dump *d, int64_t ns)
{
    if (d->is_nano)
        fprintf(d->to, ".%09lld ", (long long)(ns % S));
    else
        fprintf(d->to, ".%06lld ", (long long)(ns % S / 1000));
}

static void print_since(struct dump *d, int64_t ns)
{
    long long s = ns / S;

    if (ns < 0) {
        fputc('-', d->to);
        s = -s;
        ns = -ns;
    } else {
        fputc(' ', d->to);
    }
    fprintf(d->to, "%02lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    print_fraction(d, ns);
}

void print_stamp(struct dump *d, int64_t at_ns)
{
    time_t s = (time_t)(at_ns / S);
    struct tm tm;
    char text[32];

    switch (d->stamp) {
    case STAMP_NONE:
        return;
    case STAMP_UNIX:
        fprintf(d->to, "%lld", (long long)s);
        break;
    case STAMP_DELTA:
        print_since(d, d->packets ? at_ns - d->before_ns : 0);
        return;
    case STAMP_SINCE:
        print_since(d, d->packets ? at_ns - d->first_ns : 0);
        return;
    default:
        localtime_r(&s, &tm);
        strftime(text, sizeof text, d->stamp == STAMP_DATE ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &tm);
        fputs(text, d->to);
    }
    print_fraction(d, at_ns);
}

/* -- bytes ------------------------------------------------------------------------------------- */

static void print_row(struct dump *d, const uint8_t *p, uint32_t n, bool has_text)
{
    int width = 0;

    for (uint32_t i = 0; i < n; i++)
        width += fprintf(d->to, i % 2 ? "%02x" : " %02x", p[i]);
    if (!has_text)
        return;
    fprintf(d->to, "%*s", (int)(ROW / 2 * 5 + 2) - width, "");
    for (uint32_t i = 0; i < n; i++)
        fputc(p[i] > ' ' && p[i] < 127 ? p[i] : '.', d->to);
}

static void print_rows(struct dump *d, const char *before, struct view v, bool has_text)
{
    for (uint32_t at = 0; at < v.n; at += ROW) {
        fprintf(d->to, "%s0x%04x: ", before, at);
        print_row(d, v.p + at, v.n - at < ROW ? v.n - at : ROW, has_text);
    }
}

void print_hex(struct dump *d, const uint8_t *p, uint32_t n, bool has_text)
{
    print_rows(d, "\n\t", (struct view){p, n, n}, has_text);
}

void print_hex_below(struct dump *d, const char *before, const uint8_t *p, uint32_t n)
{
    print_rows(d, before, (struct view){p, n, n}, false);
}

void print_ascii(struct dump *d, const uint8_t *p, uint32_t n)
{
    fputc('\n', d->to);
    for (uint32_t i = 0; i < n; i++) {
        bool is_end = p[i] == '\r' && i + 1 < n && p[i + 1] == '\n';
        if (!is_end)
            fputc((p[i] >= ' ' && p[i] < 127) || p[i] == '\t' || p[i] == '\n' ? p[i] : '.', d->to);
    }
}

/* -- the line ---------------------------------------------------------------------------------- */

static void print_bytes(struct dump *d, const struct packet *p)
{
    uint32_t skip = d->is_hex_whole ? 0 : link_len(p);

    if (skip > p->len)
        skip = 0;
    if (d->hex == ASCII_TEXT)
        print_ascii(d, p->data + skip, p->len - skip);
    else if (d->hex != HEX_NONE)
        print_hex(d, p->data + skip, p->len - skip, d->hex == HEX_TEXT);
}

void print_packet(struct dump *d, const struct packet *p)
{
    if (d->shows_number)
        fprintf(d->to, "%5llu  ", (unsigned long long)d->packets + 1);
    print_stamp(d, p->at_ns);
    print_link(d, p);
    print_bytes(d, p);
    for (unsigned i = 0; d->says_why && i < p->notes; i++)
        fprintf(d->to, "%s%.*s", i ? "; " : "\n    why: ", p->note_len[i], p->note[i]);
    fputc('\n', d->to);
    if (d->packets == 0)
        d->first_ns = p->at_ns;
    d->before_ns = p->at_ns;
    d->packets++;
    if (d->is_layered)
        print_layers(d, p);
}
