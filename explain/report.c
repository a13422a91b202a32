/* The page: a summary on top, then connections, the worst first.
 *
 * Knows: how many are to be shown. Shape: only those are kept; the rest is counted and freed.
 * Units: s. Errors: no memory: it is counted only. Cost: O(connections x shown). */
#include "explain/report.h"

#include <stdlib.h>
#include <string.h>

#define TIME(ns) time_words((char[24]){0}, ns)
#define BYTES(n) bytes_words((char[24]){0}, n)
#define END(e) end_words((char[WEIR_ADDR_TEXT]){0}, e)

void summary_add(struct summary *s, const struct conn *c, enum severity severity)
{
    s->connections++;
    s->by_severity[severity]++;
    s->refused += c->cause == CAUSE_REFUSED && !c->established_at;
    s->unanswered += c->is_opened && !c->end[1].is_seen && c->rst_by != 1;
    s->resets += c->rst_by >= 0 && c->cause != CAUSE_OLD;
    for (int i = 0; i < 2; i++) {
        const struct end *e = &c->end[i];
        s->bytes += e->bytes;
        s->rto += e->rto;
        s->fast += e->fast;
        s->early += e->early;
        s->spurious += e->spurious;
        s->keepalives += e->keepalives;
        s->probes += e->probes;
        s->out_of_order += e->out_of_order;
        s->dup_acks += e->dup_acks;
        s->zeros += e->zeros;
        s->zero_ns += e->zero_ns;
        s->unseen += e->unseen;
        s->syns_again += e->syns ? e->syns - 1 : 0;
    }
}

/* -- which are kept ---------------------------------------------------------------------------- */

static bool is_worse(const struct conn *a, enum severity severity, const struct conn *b,
                     int64_t end_at)
{
    struct verdict v;

    verdict_of(&v, b, end_at);
    if (severity != v.severity)
        return severity > v.severity;
    return a->number < b->number;
}

static bool make_room(struct report *r)
{
    uint64_t room = r->room ? 2 * r->room : 64;
    struct conn **kept;

    if (r->count < r->room)
        return true;
    kept = realloc(r->kept, room * sizeof *kept);
    if (!kept)
        return false;
    r->kept = kept;
    r->room = room;
    return true;
}

static void keep(struct report *r, struct conn *c, enum severity severity)
{
    uint64_t low = 0, high = r->count;

    while (low < high) {
        uint64_t middle = (low + high) / 2;
        if (is_worse(c, severity, r->kept[middle], r->sum.last_at))
            high = middle;
        else
            low = middle + 1;
    }
    if ((r->ask->top && low >= r->ask->top) || !make_room(r)) {
        free(c);
        return;
    }
    memmove(r->kept + low + 1, r->kept + low, (r->count - low) * sizeof *r->kept);
    r->kept[low] = c;
    if (r->ask->top && r->count == r->ask->top)
        free(r->kept[r->count]);
    else
        r->count++;
}

void page_add(struct report *r, struct conn *c)
{
    struct verdict v;

    verdict_of(&v, c, r->sum.last_at);
    summary_add(&r->sum, c, v.severity);
    if (r->ask->is_json)
        page_json_add(r, c);
    if ((r->ask->is_json || r->ask->ladder) && !r->ask->html)
        free(c);
    else
        keep(r, c, v.severity);
}

void page_free(struct report *r)
{
    for (uint64_t i = 0; i < r->count; i++)
        free(r->kept[i]);
    free(r->kept);
}

/* -- the page ---------------------------------------------------------------------------------- */

static void put_count(FILE *to, uint64_t n, const char *what)
{
    if (n)
        fprintf(to, ", %llu %s", (unsigned long long)n, what);
}

static void put_summary(const struct report *r, const struct file *f)
{
    const struct summary *s = &r->sum;
    uint64_t again = s->rto + s->fast + s->early + s->spurious;

    fprintf(r->to, "%s: %s, %s, %llu packets in %s", r->ask->path, f->format,
            f->ifaces && link_name(f->iface[0].link) ? link_name(f->iface[0].link) : "unknown link",
            (unsigned long long)s->packets, TIME(s->last_at - s->first_at));
    put_count(r->to, s->others, "of them not TCP");
    put_count(r->to, s->fragments, "fragments");
    put_count(r->to, s->shorts, "cut before the TCP header's end");
    put_count(r->to, s->elsewhere, "seen at a second interface as well");
    put_count(r->to, s->unknown_link, "of a link type that is not known here");
    fprintf(r->to, "\n%llu connection%s: %llu fine, %llu slow, %llu failed",
            (unsigned long long)s->connections, s->connections == 1 ? "" : "s",
            (unsigned long long)s->by_severity[FINE], (unsigned long long)s->by_severity[SLOW],
            (unsigned long long)s->by_severity[FAILED]);
    put_count(r->to, s->unanswered, "unanswered");
    put_count(r->to, s->refused, "refused");
    put_count(r->to, s->resets, "reset or refused");
    fprintf(r->to, "\n%llu segments, %s of data; %llu sent again (%.2f %%)",
            (unsigned long long)s->segments, BYTES(s->bytes), (unsigned long long)again,
            s->segments ? 100.0 * (double)again / (double)s->segments : 0);
    put_count(r->to, s->rto, "after a timeout");
    put_count(r->to, s->fast, "fast");
    put_count(r->to, s->early, "early");
    put_count(r->to, s->spurious, "needlessly");
    put_count(r->to, s->out_of_order, "out of order");
    put_count(r->to, s->dup_acks, "duplicate ACKs");
    put_count(r->to, s->keepalives, "keepalives");
    put_count(r->to, s->probes, "window probes");
    put_count(r->to, s->syns_again, "SYNs sent again");
    if (s->zeros)
        fprintf(r->to, ", %llu times a closed window, for %s", (unsigned long long)s->zeros,
                TIME(s->zero_ns));
    fputs("\n", r->to);
    if (f->trouble[0])
        fprintf(r->to, "The file could be read in part only: %s.\n", f->trouble);
}

char *page_summary(const struct report *r, const struct file *f)
{
    struct report copy = *r;
    char *text = NULL;
    size_t size;

    copy.to = open_memstream(&text, &size);
    if (!copy.to)
        return NULL;
    put_summary(&copy, f);
    fclose(copy.to);
    return text;
}

static void put_end(FILE *to, const struct conn *c, int i)
{
    const struct end *e = &c->end[i];
    int64_t ns = e->last_data - e->first_data;

    fprintf(to, "    %-9s %-21s %s in %llu segments", i ? "answered" : "opened", END(e),
            BYTES(e->bytes), (unsigned long long)e->segments);
    if (e->bytes > 10000 && ns > 0)
        fprintf(to, ", %s/s", BYTES((uint64_t)((double)e->bytes * 1e9 / (double)ns)));
    if (e->rtt_count)
        fprintf(to, ", RTT %s/%s/%s", TIME((int64_t)e->rtt_min * 1000),
                TIME((int64_t)rtt_median(e) * 1000), TIME((int64_t)e->rtt_max * 1000));
    if (e->mss)
        fprintf(to, ", MSS %u", e->mss);
    put_count(to, e->rto, "timeouts");
    put_count(to, e->fast, "fast");
    put_count(to, e->early, "early");
    put_count(to, e->spurious, "needless");
    put_count(to, e->lost_before, "lost before they came by");
    put_count(to, e->out_of_order, "out of order");
    put_count(to, e->dup_acks, "duplicate ACKs");
    put_count(to, e->dsacks, "D-SACKs");
    put_count(to, e->keepalives, "keepalives");
    put_count(to, e->probes, "window probes");
    if (e->zeros)
        fprintf(to, ", window closed %u times for %s", e->zeros, TIME(e->zero_ns));
    fputs("\n", to);
}

static void put_states(FILE *to, const struct conn *c, int i)
{
    const struct end *e = &c->end[i];

    fprintf(to, "    %-9s", i ? "" : "states");
    for (unsigned k = 0; k < e->changes; k++)
        fprintf(to, " %s %s", seen_state_name(e->change[k].state),
                TIME(e->change[k].at - c->first_at));
    fputs("\n", to);
}

static void put_conn(const struct report *r, const struct conn *c)
{
    struct verdict v;

    verdict_of(&v, c, r->sum.last_at);
    fprintf(r->to, "\n#%llu  %s -> %s  at %s for %s%s\n    %s\n", (unsigned long long)c->number,
            END(&c->end[0]), END(&c->end[1]), TIME(c->first_at - r->sum.first_at),
            TIME(c->last_at - c->first_at), c->is_opened ? "" : ", began before the capture",
            v.text);
    for (int i = 0; i < 2; i++)
        if (c->end[i].is_seen)
            put_end(r->to, c, i);
    for (int i = 0; i < 2; i++)
        if (c->end[i].changes)
            put_states(r->to, c, i);
}

void page_print(struct report *r, const struct file *f)
{
    put_summary(r, f);
    for (uint64_t i = 0; i < r->count; i++)
        put_conn(r, r->kept[i]);
    if (r->count < r->sum.connections)
        fprintf(r->to, "\n%llu more, none worse: --top 0 shows all; --ladder N shows one.\n",
                (unsigned long long)(r->sum.connections - r->count));
}
