/* What programs say in lines of text over TCP: HTTP, SMTP, FTP, RTSP.
 *
 * Knows: their ports and first words. Shape: the first line behind the segment's length; with -v
 * all lines. Units: bytes. Errors: what is no text is only named. Cost: O(text printed). */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "dump/print.h"

struct talk {
    const char *name, *cut;
    uint16_t port[2];
    const char *words; /* that begin a request, between blanks; NULL: every line is worth it */
};

static const struct talk talks[] = {
    {"HTTP",
     "http",
     {80, 8080},
     " GET PUT COPY HEAD LOCK MOVE POLL POST BCOPY BMOVE MKCOL TRACE LABEL MERGE DELETE SEARCH"
     " UNLOCK REPORT UPDATE NOTIFY CONNECT OPTIONS PROPFIND PROPPATCH SUBSCRIBE UNSUBSCRIBE "},
    {"RTSP",
     "rtsp",
     {554, 8554},
     " OPTIONS DESCRIBE ANNOUNCE SETUP PLAY PAUSE TEARDOWN GET_PARAMETER SET_PARAMETER REDIRECT"
     " RECORD "},
    {"SMTP", "smtp", {25}, NULL},
    {"FTP", "ftp", {21}, NULL},
};
#define SSH 22
#define TALKS (sizeof talks / sizeof *talks)

static const struct talk *talk_of(uint16_t sport, uint16_t dport)
{
    for (size_t i = 0; i < TALKS; i++)
        for (int k = 0; k < 2; k++)
            if (talks[i].port[k] && (talks[i].port[k] == sport || talks[i].port[k] == dport))
                return &talks[i];
    return NULL;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The bytes up to a blank, from *at on, which moves behind the blanks. 0: there is no whole word.
 */
static uint32_t next_word(struct view v, uint32_t *at)
{
    uint32_t from = *at, n = 0;

    while (from + n < v.n && !is_blank(v.p[from + n]) && v.p[from + n] >= ' ' &&
           v.p[from + n] < 127)
        n++;
    if (from + n < v.n ? !is_blank(v.p[from + n]) : v.n < v.wire)
        return 0;
    *at = from + n;
    while (*at < v.n && is_blank(v.p[*at]) && v.p[*at] != '\r' && v.p[*at] != '\n')
        ++*at;
    return n;
}

static bool has_word(const char *words, const uint8_t *p, uint32_t n)
{
    for (const char *at = strchr(words, ' '); at && at[1]; at = strchr(at + 1, ' '))
        if (strncasecmp(at + 1, (const char *)p, n) == 0 && at[1 + n] == ' ')
            return true;
    return false;
}

/* A request's first word, or a reply: a word, then three digits. */
static bool is_worth_it(const struct talk *t, struct view v)
{
    uint32_t at = 0, first = next_word(v, &at), second = at;

    if (!t->words)
        return true;
    if (first == 0)
        return false;
    if (has_word(t->words, v.p, first))
        return true;
    if (next_word(v, &at) != 3)
        return false;
    for (int i = 0; i < 3; i++)
        if (v.p[second + i] < '0' || v.p[second + i] > '9')
            return false;
    return true;
}

/* A line; where the next one begins, 0: there is none, or it is no text. */
static uint32_t print_line(struct dump *d, const struct talk *t, const char *before, struct view v)
{
    uint32_t n = 0, skip = 1;

    while (n < v.n && v.p[n] != '\n' && v.p[n] != '\r') {
        if (v.p[n] != '\t' && (v.p[n] < ' ' || v.p[n] >= 127))
            return 0;
        n++;
    }
    if (n < v.n && v.p[n] == '\r') {
        if (n + 1 == v.n && v.n < v.wire) {
            print_cut(d, t->cut);
            return 0;
        }
        if (n + 1 >= v.n || v.p[n + 1] != '\n')
            return 0;
        skip = 2;
    }
    if (n < v.n || v.n == v.wire)
        fprintf(d->to, "%s%.*s", before, (int)n, (const char *)v.p);
    if (n < v.n)
        return n + skip;
    print_cut(d, t->cut);
    return 0;
}

void print_tcp_text(struct dump *d, struct view v, uint16_t sport, uint16_t dport)
{
    const struct talk *t = talk_of(sport, dport);
    uint32_t n = 1;

    if (sport == 53 || dport == 53) {
        print_dns(d, v, true);
        return;
    }
    if (!t) {
        if (!v.n && (sport == SSH || dport == SSH)) /* no more is opened of it */
            print_cut(d, "ssh");
        return;
    }
    fprintf(d->to, ": %s", t->name);
    if (!is_worth_it(t, v))
        return;
    if (!d->verbose) {
        print_line(d, t, ": ", v);
        return;
    }
    fprintf(d->to, ", length: %u", v.wire);
    for (; v.n && n; v = view_from(v, n))
        n = print_line(d, t, "\n\t", v);
    if (v.wire && n)
        print_cut(d, t->cut);
}
