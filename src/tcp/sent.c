/* What was transmitted and when: records of all that is in flight.
 *
 * Knows: SND.UNA to SND.NXT as stretches. Not what is lost (loss.c says so) nor what goes next.
 * Shape: records are contiguous, ascending, none empty; what left in one burst is one record, and
 * neighbours that are both SACKed, or both lost, become one. Units: bytes; `at_us` low 32 bits of
 * microseconds. Errors: without memory a stretch is merged into its neighbour; RTT then has a
 * sample less. Cost: O(1) at both ends; elsewhere the search, and moving the shorter side.
 * 6298#3 (Karn), 6675#4, 8985#6.1 */
#include <string.h>

#include "tcp/recovery.h"

#define SENT_LOG2_FIRST 8 /* bytes of the first block: powers of two, which mem keeps */
#define NONE UINT32_MAX

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
    if (t->sent) {
        if (t->sent->rate)
            rate_free(p, t);
        mem_free(p->mem, t->sent, sent_bytes(t->sent));
    }
    t->sent = NULL;
}

/* In pieces that a compiler clears by a few stores: for the whole it takes `rep stos`, which costs
 * more than the rest of a small flight. */
static void clear(struct sent *s)
{
    enum { PIECE = 64 };

    _Static_assert(sizeof *s > 2 * PIECE && sizeof *s <= 4 * PIECE, "the last piece overlaps");
    memset(s, 0, PIECE);
    memset((uint8_t *)s + PIECE, 0, PIECE);
    memset((uint8_t *)s + sizeof *s - 2 * PIECE, 0, PIECE);
    memset((uint8_t *)s + sizeof *s - PIECE, 0, PIECE);
}

/* The first block of a flight: nothing arrived, nothing is lost, no recovery was. */
static bool begin(struct tcp *p, struct tcb *t)
{
    struct seq una = t->snd.una;
    struct sent *s = mem_alloc(p->mem, (size_t)1 << SENT_LOG2_FIRST);

    if (!s)
        return false;
    clear(s);
    s->fack = s->lost_from = una;
    s->recover = seq_sub(una, 1);
    s->log2 = SENT_LOG2_FIRST;
    s->room = room_of(SENT_LOG2_FIRST);
    t->sent = s;
    return true;
}

/* Room for one more record behind the last, and a little before the first: what SACK splits mostly
 * lies near the front. */
static bool sent_room(struct tcp *p, struct tcb *t)
{
    struct sent *s = t->sent, *grown;
    uint32_t live;

    if (!s)
        return begin(p, t);
    if (s->n < s->room)
        return true;
    live = s->n - s->first;
    if (live <= s->room / 2) {
        memmove(s->rec + s->room / 8, s->rec + s->first, live * sizeof s->rec[0]);
        s->first = s->room / 8;
        s->n = s->first + live;
        return true;
    }
    grown = mem_alloc(p->mem, sent_bytes(s) * 2);
    if (!grown)
        return false;
    *grown = *s;
    grown->log2++;
    grown->room = room_of(grown->log2);
    grown->first = grown->room / 8;
    grown->n = grown->first + live;
    memcpy(grown->rec + grown->first, s->rec + s->first, live * sizeof s->rec[0]);
    mem_free(p->mem, s, sent_bytes(s));
    t->sent = grown;
    return true;
}

void sent_add(struct tcp *p, struct tcb *t, struct seq start, struct seq end)
{
    uint32_t now = (uint32_t)p->now_us;
    struct sent_rec *last = t->sent && t->sent->n > t->sent->first ? &t->sent->rec[t->sent->n - 1]
                                                                   : NULL;

    if (last && last->at_us == now && last->flags == 0 && last->sends == 1) {
        last->end = end;
        if (last->note)
            rate_on_sent_more(t, last, (uint32_t)seq_diff(end, start));
        return;
    }
    if (sent_room(p, t)) {
        bool is_late = !last &&
                       seq_lt(t->snd.una, start); /* there was no memory for what went before */
        last = &t->sent->rec[t->sent->n++];
        *last = (struct sent_rec){.start = start, .end = end, .at_us = now, .sends = 1};
        if (is_late) {
            last->start = t->snd.una;
            last->flags = SENT_UNTIMED;
        }
        if (rate_is_on(t))
            rate_on_sent(p, t, last);
    } else if (last) {
        last->end = end;
    }
}

/* -- records ----------------------------------------------------------------------------------- */

/* Opens a place before record i. Its index then, for records may move. */
static uint32_t open_at(struct tcp *p, struct tcb *t, uint32_t i)
{
    struct sent *s = t->sent;
    uint32_t before = i - s->first;

    if (s->first > 0 && before <= s->n - i) {
        memmove(&s->rec[s->first - 1], &s->rec[s->first], before * sizeof s->rec[0]);
        s->first--;
        return i - 1;
    }
    if (!sent_room(p, t))
        return NONE;
    s = t->sent;
    i = s->first + before;
    memmove(&s->rec[i + 1], &s->rec[i], (s->n - i) * sizeof s->rec[0]);
    s->n++;
    return i;
}

/* What follows record i then follows the record before it, whose index is returned. */
uint32_t sent_remove(struct sent *s, uint32_t i)
{
    uint32_t before = i - s->first, behind = s->n - 1 - i;

    if (before < behind) {
        memmove(&s->rec[s->first + 1], &s->rec[s->first], before * sizeof s->rec[0]);
        s->first++;
        return i;
    }
    memmove(&s->rec[i], &s->rec[i + 1], behind * sizeof s->rec[0]);
    s->n--;
    return i - 1;
}

/* Splits record *i at `at`, which lies inside it: *i is the left part then. */
static bool split(struct tcp *p, struct tcb *t, uint32_t *i, struct seq at)
{
    uint32_t right = open_at(p, t, *i + 1);
    struct sent_rec *r;

    if (right == NONE)
        return false;
    *i = right - 1;
    r = &t->sent->rec[*i];
    r[1] = r[0];
    r[0].end = r[1].start = at;
    return true;
}

bool sent_carve(struct tcp *p, struct tcb *t, uint32_t *i, struct seq start, struct seq end)
{
    if (seq_gt(start, t->sent->rec[*i].start)) {
        if (!split(p, t, i, start))
            return false;
        (*i)++;
    }
    return seq_ge(end, t->sent->rec[*i].end) || split(p, t, i, end);
}

uint32_t sent_find(const struct sent *s, struct seq at)
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

static void unmark(struct sent *s, struct sent_rec *r, uint32_t bytes)
{
    if (r->flags & SENT_SACKED)
        s->sacked -= bytes;
    if (r->flags & SENT_LOST)
        s->lost -= bytes;
}

/* Record i becomes part of the one before it; the index of that. */
static uint32_t join(struct sent *s, uint32_t i)
{
    struct sent_rec *r = &s->rec[i - 1];

    if (r[0].at_us != r[1].at_us)
        r[0].flags |= SENT_UNTIMED;
    r[0].flags |= r[1].flags & SENT_UNTIMED;
    if (r[1].sends > r[0].sends)
        r[0].sends = r[1].sends;
    r[0].end = r[1].end;
    return sent_remove(s, i);
}

/* -- sent again -------------------------------------------------------------------------------- */

/* [start, end) went out again; it lies in one record. */
void sent_again(struct tcp *p, struct tcb *t, struct seq start, struct seq end)
{
    uint32_t i = sent_find(t->sent, start);
    struct sent *s;
    struct sent_rec *r;

    must(i < t->sent->n && seq_le(t->sent->rec[i].start, start));
    (void)sent_carve(p, t, &i, start, end); /* without memory the whole record counts as sent */
    s = t->sent;
    r = &s->rec[i];
    if (r->flags & SENT_LOST) /* the first that was */
        s->lost_from = r->end;
    unmark(s, r, rec_len(r));
    r->flags = SENT_AGAIN;
    r->at_us = (uint32_t)p->now_us;
    if (r->sends < UINT8_MAX)
        r->sends++;
    if (rate_is_on(t))
        rate_on_sent(p, t, r);
    if (i > s->first && r[-1].flags == SENT_AGAIN && r[-1].at_us == r->at_us &&
        r[-1].sends == r->sends)
        join(s, i);
}

bool sent_next_lost(const struct tcb *t, struct seq *start, struct seq *end)
{
    const struct sent *s = t->sent;

    if (!s || s->lost == 0)
        return false;
    for (uint32_t i = sent_find(s, s->lost_from); i < s->n; i++) {
        if (!(s->rec[i].flags & SENT_LOST))
            continue;
        *start = s->rec[i].start;
        *end = s->rec[i].end;
        return true;
    }
    return false;
}

/* -- lost -------------------------------------------------------------------------------------- */

uint32_t sent_mark_record(struct tcp *p, struct tcb *t, uint32_t *i)
{
    struct sent *s = t->sent;
    struct sent_rec *r = &s->rec[*i];
    uint32_t bytes = rec_len(r);

    if (r->flags & SENT_AGAIN)
        p->stats->TcpExtTCPLostRetransmit += (bytes + t->snd.mss - 1) / t->snd.mss;
    if (s->lost == 0 || seq_lt(r->start, s->lost_from))
        s->lost_from = r->start;
    s->lost += bytes;
    if (s->rate)
        rate_on_lost(p, t, r);
    r->flags = (uint8_t)((r->flags & ~SENT_AGAIN) | SENT_LOST);
    if (*i > s->first && r[-1].flags & SENT_LOST && (r[-1].sends == 1) == (r->sends == 1))
        *i = join(s, *i);
    return bytes;
}

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
        marked += sent_mark_record(p, t, &i);
    }
    return marked;
}

/* It is on its way after all, and when it left is forgotten: it counts as sent now. */
void sent_unmark_lost(struct tcp *p, struct tcb *t)
{
    struct sent *s = t->sent;

    for (uint32_t i = s->first; i < s->n && s->lost; i++) {
        struct sent_rec *r = &s->rec[i];
        if (!(r->flags & SENT_LOST))
            continue;
        unmark(s, r, rec_len(r));
        r->flags = (uint8_t)(SENT_UNTIMED | (r->sends > 1 ? SENT_AGAIN : 0));
        r->at_us = (uint32_t)p->now_us;
    }
}

/* -- arrived ----------------------------------------------------------------------------------- */

/* 8985#6.2 step 1: is it the last transmission that arrived, or one before it? Differs: what lies
 * above a hole is answered with the timestamp of what lies below (7323#4.3), which tells nothing.
 */
static bool is_of_last(const struct tcb *t, const struct sent_rec *r, struct seq end,
                       const struct ack_event *e)
{
    uint32_t rtt = (uint32_t)e->now_us - r->at_us;
    uint32_t ts = (uint32_t)((e->now_us - rtt) / 1000) + t->ts.offset;

    if (e->has_echo && seq_le(end, e->ack) && (int32_t)(e->echo - ts) < 0)
        return false;
    return t->rtt.min_us == UINT32_MAX || rtt >= t->rtt.min_us;
}

void sent_delivered(struct tcb *t, const struct sent_rec *r, struct seq end, struct ack_event *e)
{
    const struct sent *s = t->sent;

    if (e->rate)
        rate_on_delivered(t, r, e);
    if (seq_gt(end, e->fack))
        e->fack = end;
    if (r->sends > 1) {
        e->has_again = true;
        if (!is_of_last(t, r, end, e))
            return;
    } else {
        if (seq_lt(end, s->fack)) {
            e->reordered_from = e->is_reordered ? seq_min(e->reordered_from, r->start) : r->start;
            e->is_reordered = true;
        }
        if (seq_le(end, s->recover))
            e->has_first = true;
    }
    if (r->flags & SENT_UNTIMED)
        return;
    if (!e->has_newest || is_sent_after(r->at_us, end, e->newest_at_us, e->newest_end)) {
        e->has_newest = true;
        e->newest_at_us = r->at_us;
        e->newest_end = end;
    }
}

/* Takes away what the ACK covers and samples the RTT of the newest record that was sent once. */
void sent_ack(struct tcb *t, struct ack_event *e)
{
    struct sent *s = t->sent;

    while (s->first < s->n && seq_lt(s->rec[s->first].start, e->ack)) {
        struct sent_rec *r = &s->rec[s->first];
        bool is_whole = seq_le(r->end, e->ack);
        struct seq end = is_whole ? r->end : e->ack;
        uint32_t bytes = (uint32_t)seq_diff(end, r->start);
        bool is_clean = r->sends == 1 && !(r->flags & (SENT_SACKED | SENT_UNTIMED));

        unmark(s, r, bytes);
        if (!(r->flags & SENT_SACKED)) {
            e->delivered += bytes;
            sent_delivered(t, r, end, e);
        }
        e->rtt_us = is_clean ? (uint32_t)e->now_us - r->at_us : 0;
        if (!is_whole) {
            r->start = e->ack;
            break;
        }
        s->runs -= !!(r->flags & SENT_SACKED);
        s->first++;
    }
    if (seq_gt(e->fack, s->fack))
        s->fack = e->fack;
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
