/* What was transmitted and when: records of all that is in flight.
 *
 * Knows: SND.UNA to SND.NXT as stretches. Not what is lost (loss.c says so) nor what goes next.
 * Shape: records are contiguous, ascending, none empty; what left in one burst is one record. The
 * block is there only while something is in flight. Units: bytes; `at_us` low 32 bits of
 * microseconds. Errors: without memory a stretch is merged into its neighbour; RTT then has a
 * sample less. Cost: O(1) at both ends; SACK and retransmission may split a record. 6298#3 (Karn),
 * 6675#4, 2018 */
#include <string.h>

#include "tcp/tcb.h"

#define SENT_LOG2_FIRST 8 /* bytes of the first block: powers of two, which mem keeps */

static size_t sent_bytes(const struct sent *s)
{
    return (size_t)1 << s->log2;
}

static uint32_t room_of(uint8_t log2)
{
    return (uint32_t)((((size_t)1 << log2) - sizeof(struct sent)) / sizeof(struct sent_rec));
}

void sent_free(struct tcp *p, struct tcb *t)
{
    if (t->sent)
        mem_free(p->mem, t->sent, sent_bytes(t->sent));
    t->sent = NULL;
}

/* Room for one more record behind the last. */
static bool sent_room(struct tcp *p, struct tcb *t)
{
    struct sent *s = t->sent, *grown;
    uint32_t live = s ? s->n - s->first : 0;
    uint8_t log2 = s ? (uint8_t)(s->log2 + 1) : SENT_LOG2_FIRST;

    if (s && s->n < s->room)
        return true;
    if (s && live <= s->room / 2) {
        memmove(s->rec, s->rec + s->first, live * sizeof s->rec[0]);
        s->first = 0;
        s->n = live;
        return true;
    }
    grown = mem_alloc(p->mem, (size_t)1 << log2);
    if (!grown)
        return false;
    *grown = (struct sent){.n = live, .room = room_of(log2), .log2 = log2};
    if (s) {
        grown->sacked = s->sacked;
        grown->lost = s->lost;
        grown->reno_sacked = s->reno_sacked;
        memcpy(grown->rec, s->rec + s->first, live * sizeof s->rec[0]);
        sent_free(p, t);
    }
    t->sent = grown;
    return true;
}

static uint32_t rec_len(const struct sent_rec *r)
{
    return (uint32_t)seq_diff(r->end, r->start);
}

void sent_add(struct tcp *p, struct tcb *t, struct seq start, struct seq end)
{
    uint32_t now = (uint32_t)p->now_us;
    struct sent_rec *last = t->sent && t->sent->n > t->sent->first ? &t->sent->rec[t->sent->n - 1]
                                                                   : NULL;

    if (last && last->at_us == now && last->flags == 0 && last->sends == 1) {
        last->end = end;
        return;
    }
    if (sent_room(p, t))
        t->sent->rec[t->sent->n++] =
            (struct sent_rec){.start = start, .end = end, .at_us = now, .sends = 1};
    else if (last)
        last->end = end;
}

/* Splits record *i at `at`, which lies inside it: *i is the left part then, for making room may
 * move the records. Without memory nothing is split. */
static bool split(struct tcp *p, struct tcb *t, uint32_t *i, struct seq at)
{
    uint32_t from_first = *i - t->sent->first;
    struct sent_rec *r;

    if (!sent_room(p, t))
        return false;
    *i = t->sent->first + from_first;
    r = &t->sent->rec[*i];
    memmove(r + 1, r, (t->sent->n - *i) * sizeof *r);
    t->sent->n++;
    r[0].end = r[1].start = at;
    return true;
}

/* First record whose end lies beyond `at`; sent->n if there is none. */
static uint32_t rec_find(const struct sent *s, struct seq at)
{
    uint32_t low = s->first, high = s->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (seq_gt(s->rec[mid].end, at))
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

static void rec_unmark(struct sent *s, struct sent_rec *r, uint32_t bytes)
{
    if (r->flags & SENT_SACKED)
        s->sacked -= bytes;
    if (r->flags & SENT_LOST)
        s->lost -= bytes;
}

/* [start, end) went out again; it lies in one record that is marked lost. */
void sent_again(struct tcp *p, struct tcb *t, struct seq start, struct seq end)
{
    uint32_t i = rec_find(t->sent, start);
    struct sent_rec *r = &t->sent->rec[i];

    must(i < t->sent->n && seq_eq(r->start, start));
    if (seq_lt(end, r->end) && !split(p, t, &i, end))
        end = r->end;
    r = &t->sent->rec[i];
    rec_unmark(t->sent, r, rec_len(r));
    r->flags = SENT_AGAIN;
    r->at_us = (uint32_t)p->now_us;
    if (r->sends < UINT8_MAX)
        r->sends++;
}

/* Takes away what the ACK covers and samples the RTT of the newest record that was sent once. */
void sent_ack(struct tcp *p, struct tcb *t, struct ack_event *e)
{
    struct sent *s = t->sent;

    while (s->first < s->n && seq_lt(s->rec[s->first].start, e->ack)) {
        struct sent_rec *r = &s->rec[s->first];
        bool is_whole = seq_le(r->end, e->ack);
        struct seq end = is_whole ? r->end : e->ack;

        rec_unmark(s, r, (uint32_t)seq_diff(end, r->start));
        e->newest_at_us = r->at_us;
        e->rtt_us = r->sends == 1 && !(r->flags & SENT_SACKED) ? (uint32_t)e->now_us - r->at_us : 0;
        if (!is_whole) {
            r->start = e->ack;
            break;
        }
        s->first++;
    }
    if (s->first == s->n)
        sent_free(p, t);
}

static uint32_t sack_block(struct tcp *p, struct tcb *t, struct seq start, struct seq end)
{
    uint32_t fresh = 0;

    for (uint32_t i = rec_find(t->sent, start); i < t->sent->n; i++) {
        struct sent_rec *r = &t->sent->rec[i];
        if (seq_ge(r->start, end))
            break;
        if (r->flags & SENT_SACKED)
            continue;
        if (seq_lt(r->start, start)) {
            if (!split(p, t, &i, start))
                break;
            continue; /* the right part is next */
        }
        if (seq_gt(r->end, end) && !split(p, t, &i, end))
            break;
        r = &t->sent->rec[i];
        rec_unmark(t->sent, r, rec_len(r));
        r->flags = (uint8_t)((r->flags & ~SENT_LOST) | SENT_SACKED);
        t->sent->sacked += rec_len(r);
        fresh += rec_len(r);
    }
    return fresh;
}

/* 25: blocks of what was never sent, or inverted, are ignored. */
void sent_sack(struct tcp *p, struct tcb *t, const struct tcp_opts *o, struct ack_event *e)
{
    for (int i = 0; i < o->sacks; i++) {
        struct seq start = o->sack[i].start, end = o->sack[i].end;
        if (seq_le(end, start) || seq_le(start, e->ack) || seq_gt(end, t->snd.nxt))
            continue;
        e->sacked += sack_block(p, t, start, end);
    }
}

/* 2018#8: a receiver may throw away what it has reported. It did if what it must have next is among
 * it; then no report is believed any more. */
bool sent_forget_reneged(struct tcb *t)
{
    struct sent *s = t->sent;

    if (!(s->rec[s->first].flags & SENT_SACKED))
        return false;
    for (uint32_t i = s->first; i < s->n; i++)
        s->rec[i].flags &= (uint8_t)~SENT_SACKED;
    s->sacked = 0;
    return true;
}

/* The first stretch that is lost and not yet sent again. */
bool sent_next_lost(const struct tcb *t, struct seq *start, struct seq *end)
{
    const struct sent *s = t->sent;

    if (!s || s->lost == 0)
        return false;
    for (uint32_t i = s->first; i < s->n; i++) {
        if (!(s->rec[i].flags & SENT_LOST))
            continue;
        *start = s->rec[i].start;
        *end = s->rec[i].end;
        return true;
    }
    return false;
}

/* Marks everything that begins below `below` and did not arrive; `also_again`: retransmissions too.
 */
uint32_t sent_mark_lost(struct tcp *p, struct tcb *t, struct seq below, bool also_again)
{
    uint32_t marked = 0;

    for (uint32_t i = t->sent->first; i < t->sent->n; i++) {
        struct sent_rec *r = &t->sent->rec[i];
        if (seq_ge(r->start, below))
            break;
        if (r->flags & (SENT_SACKED | SENT_LOST) || (r->flags & SENT_AGAIN && !also_again))
            continue;
        if (seq_gt(r->end, below) && !split(p, t, &i, below))
            break;
        r = &t->sent->rec[i];
        r->flags = (uint8_t)(r->flags | SENT_LOST);
        marked += rec_len(r);
    }
    t->sent->lost += marked;
    return marked;
}

/* 6675#4 pipe: what has neither left the network nor is known to be lost in it. */
uint32_t in_flight(const struct tcb *t)
{
    uint32_t sent = (uint32_t)seq_diff(t->snd.nxt, t->snd.una), gone;

    if (!t->sent)
        return 0;
    gone = t->sent->sacked + t->sent->lost + t->sent->reno_sacked;
    return gone < sent ? sent - gone : 0;
}

/* Right end of the highest stretch that SACK reported. */
bool sent_highest_sacked(const struct tcb *t, struct seq *end)
{
    if (!t->sent || !t->sent->sacked)
        return false;
    for (uint32_t i = t->sent->n; i-- > t->sent->first;)
        if (t->sent->rec[i].flags & SENT_SACKED) {
            *end = t->sent->rec[i].end;
            return true;
        }
    return false;
}
