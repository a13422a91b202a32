/* Reassembly of datagrams that come in pieces. 791#3.2, 815, 1122#3.3.2, 1858, 5722, 3168#5.3.
 *
 * Knows: fragments and their key (source, destination, protocol, identification). Not sockets, not
 * how ICMP says that it took too long. Shape: a datagram is a few pages, each with a bit for every
 * 8 bytes that it holds; a fragment goes at once to its final place, so neither order nor number of
 * fragments makes it slow. Overlapping bytes that differ are an attack: the datagram is dropped,
 * and what comes of it later too, until its time is over. The same bytes again are tolerated. Of
 * all datagrams, and of those of one source, the oldest makes room. All live equally long, so the
 * order of beginning is that of ending. Units: bytes, microseconds. Errors: verdicts. Cost: a
 * fragment O(its bytes); a whole datagram is copied once more, into one piece. */
#include "ip/frag_inner.h"

#include <string.h>

#include "base/bytes.h"
#include "base/must.h"
#include "base/sum.h"

/* -- placing a fragment ------------------------------------------------------------------------ */

static uint32_t units_of(uint32_t bytes)
{
    return (bytes + UNIT - 1) / UNIT;
}

/* Sizes that no datagram has. */
static bool is_possible(const struct frag_in *in)
{
    uint32_t len = slices_len(in->part, in->parts);
    uint32_t most = in->is_v6 ? DATAGRAM_MAX : DATAGRAM_MAX - IP4_LEN;

    if (in->has_more && len % UNIT)
        return false; /* 791#3.2, 8200#4.5 */
    return len && in->start + len <= most;
}

/* Whether what came before says the same of where the datagram ends. */
static bool fits(const struct datagram *d, uint32_t end, bool is_last)
{
    if (is_last)
        return d->end ? d->end == end : d->furthest <= end;
    return !d->end || end <= d->end;
}

static bool has_unit(const struct datagram *d, uint32_t unit)
{
    const struct page *p = d->page[unit / PAGE_UNITS];

    return p && (p->have[unit % PAGE_UNITS / 64] >> (unit % PAGE_UNITS % 64) & 1);
}

static uint32_t units_had(const struct datagram *d, uint32_t start, uint32_t len)
{
    uint32_t n = 0;

    for (uint32_t u = start / UNIT; u < start / UNIT + units_of(len); u++)
        n += has_unit(d, u);
    return n;
}

/* Visits the datagram's bytes [start, end of the slices): compared with what is there, or stored.
 * False: they differ. */
static bool visit(struct datagram *d, const struct frag_in *in, uint32_t start, bool is_store)
{
    for (int i = 0; i < in->parts; i++) {
        const uint8_t *from = in->part[i].data;
        uint32_t left = in->part[i].len;

        while (left) {
            uint32_t at = start % PAGE_BYTES;
            uint32_t n = PAGE_BYTES - at < left ? PAGE_BYTES - at : left;
            uint8_t *there = d->page[start / PAGE_BYTES]->data + at;

            if (is_store)
                memcpy(there, from, n);
            else if (memcmp(there, from, n) != 0)
                return false;
            from += n;
            left -= n;
            start += n;
        }
    }
    return true;
}

static void store(struct datagram *d, const struct frag_in *in, uint32_t start, uint32_t end)
{
    visit(d, in, start, true);
    for (uint32_t u = start / UNIT; u < units_of(end); u++)
        d->page[u / PAGE_UNITS]->have[u % PAGE_UNITS / 64] |= 1ull << u % PAGE_UNITS % 64;
    d->units += units_of(end) - start / UNIT;
    if (end > d->furthest)
        d->furthest = end;
    if (!in->has_more)
        d->end = end;
    if (start == 0) { /* 791#3.2: its header is the datagram's */
        memcpy(d->hdr, in->hdr, in->hdr_len);
        d->is_v6 = in->is_v6;
        d->hdr_len = in->hdr_len;
        d->first_len = end;
    }
    d->ecns |= (uint8_t)(1u << (in->tos & 3));
    d->is_group |= in->is_group;
}

/* PASS: stored. */
static enum drop place(struct frags *f, const struct frag_limits *limit, const struct frag_in *in,
                       uint32_t index)
{
    struct datagram *d = datagram_at(f, index);
    uint32_t start = in->start, len = slices_len(in->part, in->parts);
    uint32_t had = units_had(d, start, len);

    if (!fits(d, start + len, !in->has_more))
        return DROP_ip_fragment_overlap;
    if (had)
        return had == units_of(len) && visit(d, in, start, false) ? DROP_ip_fragment_duplicate
                                                                  : DROP_ip_fragment_overlap;
    if (!datagram_open(f, limit, index, start, start + len))
        return DROP_ip_fragment_full;
    store(d, in, start, start + len);
    return PASS;
}

/* -- the whole --------------------------------------------------------------------------------- */

#define ECN_NOT_ECT 0
#define ECN_CE 3

/* 3168#5.3: congestion met by one fragment was met by the datagram; it can not be told of one that
 * also says that it does not want to know. */
static bool is_ecn_possible(const struct datagram *d)
{
    return !(d->ecns & 1u << ECN_CE && d->ecns & 1u << ECN_NOT_ECT);
}

static void put_header(const struct datagram *d, uint8_t *p)
{
    uint16_t sum;

    memcpy(p, d->hdr, d->hdr_len);
    if (d->is_v6) {
        put16(p + 4, (uint16_t)d->end);
        if (d->ecns & 1u << ECN_CE)
            p[1] |= ECN_CE << 4;
        return;
    }
    if (d->ecns & 1u << ECN_CE)
        p[1] |= ECN_CE;
    put16(p + 2, (uint16_t)(d->hdr_len + d->end));
    put16(p + 6, 0);
    put16(p + 10, 0);
    sum = sum_finish(sum_add(0, p, d->hdr_len));
    memcpy(p + 10, &sum, sizeof sum);
}

static enum drop join(struct frags *f, const struct datagram *d, struct frag_whole *out)
{
    uint32_t len = d->hdr_len + d->end;

    if (len - (d->is_v6 ? IP6_LEN : 0) > DATAGRAM_MAX || !is_ecn_possible(d))
        return DROP_ip_fragment_bad;
    f->whole = mem_alloc(f->mem, len);
    if (!f->whole)
        return DROP_ip_fragment_full;
    f->whole_bytes = len;
    put_header(d, f->whole);
    for (uint32_t at = 0; at < d->end; at += PAGE_BYTES) {
        uint32_t n = d->end - at < PAGE_BYTES ? d->end - at : PAGE_BYTES;

        memcpy(f->whole + d->hdr_len + at, d->page[at / PAGE_BYTES]->data, n);
    }
    *out = (struct frag_whole){f->whole, len};
    return PASS;
}

enum drop frag_input(struct frags *f, const struct frag_limits *limit, const struct frag_in *in,
                     struct frag_whole *out, int64_t now_us)
{
    uint32_t hash, index = datagram_find(f, in, &hash);
    struct datagram *d;
    enum drop v;

    must(!f->whole);
    if (!is_possible(in)) {
        f->failed += !index;
        if (index)
            datagram_refuse(f, index);
        return DROP_ip_fragment_bad;
    }
    if (!index)
        index = datagram_begin(f, limit, in, hash, now_us);
    if (!index) {
        f->failed++;
        return DROP_ip_fragment_full;
    }
    d = datagram_at(f, index);
    if (d->is_refused)
        return DROP_ip_fragment_overlap;
    v = place(f, limit, in, index);
    if (v == DROP_ip_fragment_overlap)
        datagram_refuse(f, index);
    if (v == DROP_ip_fragment_full)
        datagram_give_up(f, index);
    if (v != PASS)
        return v;
    if (!d->end || d->units != units_of(d->end))
        return KEPT;
    v = join(f, d, out);
    f->failed += v != PASS;
    datagram_forget(f, index);
    return v;
}

/* -- time -------------------------------------------------------------------------------------- */

static void quote(const struct datagram *d, struct frag_expired *out)
{
    uint32_t n = FRAG_QUOTE_MAX - d->hdr_len;

    if (!d->hdr_len)
        return;
    if (n > d->first_len)
        n = d->first_len;
    memcpy(out->quote, d->hdr, d->hdr_len);
    memcpy(out->quote + d->hdr_len, d->page[0]->data, n);
    out->len = d->hdr_len + n;
    if (d->is_v6) /* without the fragment header that it had */
        put16(out->quote + 4, (uint16_t)d->first_len);
}

bool frag_expire(struct frags *f, const struct frag_limits *limit, struct frag_expired *out,
                 int64_t now_us)
{
    uint32_t index = f->order.first;
    struct datagram *d;

    if (!index || frag_deadline(f, limit) > now_us)
        return false;
    d = datagram_at(f, index);
    out->src = d->src;
    out->dst = d->dst;
    out->ifindex = d->ifindex;
    out->is_group = d->is_group;
    out->len = 0;
    quote(d, out);
    datagram_give_up(f, index);
    return true;
}

int64_t frag_deadline(const struct frags *f, const struct frag_limits *limit)
{
    if (!f->order.first)
        return INT64_MAX;
    return datagram_at(f, f->order.first)->began_us + (int64_t)limit->time_s * 1000000;
}
