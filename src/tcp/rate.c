/* Delivery rate: how fast text leaves the network, measured over the flight of each record.
 *
 * Knows: what was noted when a record left. Not what the rate is for. Shape: only where the
 * algorithm goes by it (has_own_cwnd). The notes lie in a ring beside the records, and a record
 * bears the number of its own, so records move and split without them. What was delivered so far is
 * SND.UNA and what SACK reported beyond: nothing is kept while nothing is in flight.
 * Units: bytes, microseconds (low 32 bits). Errors: without memory, or where the ring came round,
 * a record gives no sample. Cost: O(1) a record. draft-ietf-ccwg-bbr#4.1 */
#include <string.h>

#include "tcp/recovery.h"

#define RATE_LOG2_FIRST 9
#define RATE_LOG2_MAX 20 /* 43690 notes: more would not have a number */

/* What was so when a record left. */
struct rate_note {
    uint32_t at_us, first_at_us, delivered_at_us;
    uint32_t delivered, lost;
    uint32_t in_flight : 31, is_app_limited : 1;
};

struct rate {
    uint32_t first_at_us, delivered_at_us;
    uint32_t lost;      /* bytes that were ever taken for lost */
    uint32_t app_until; /* is_app_limited until so much is delivered */
    uint16_t next;      /* number of the next note; 0 is none */
    bool is_app_limited;
    uint8_t log2; /* of the block's bytes */
    struct rate_note notes[];
};

static uint32_t room_of(uint8_t log2)
{
    return (uint32_t)((((size_t)1 << log2) - sizeof(struct rate)) / sizeof(struct rate_note));
}

static struct rate_note *note_at(struct rate *c, uint16_t number)
{
    return &c->notes[number % room_of(c->log2)];
}

/* Its note, unless another has its place by now. */
static struct rate_note *note_of(struct tcb *t, const struct sent_rec *r)
{
    struct rate_note *n = t->sent->rate ? note_at(t->sent->rate, r->note) : NULL;

    return n && r->note && n->at_us == r->at_us ? n : NULL;
}

static uint32_t delivered_now(const struct tcb *t)
{
    return (uint32_t)seq_diff(t->snd.una, t->snd.iss) + (t->sent ? t->sent->sacked : 0);
}

void rate_free(struct tcp *p, struct tcb *t)
{
    struct rate *c = t->sent->rate;

    t->snd.pace = (uint8_t)((t->snd.pace & ~PACE_HAD_NO_MORE) |
                            (c->is_app_limited ? PACE_HAD_NO_MORE : 0));
    mem_free(p->mem, c, (size_t)1 << c->log2);
    t->sent->rate = NULL;
}

/* The first record of a flight. What ended the last for want of text may end this one so too. */
static struct rate *begin(struct tcp *p, struct tcb *t)
{
    struct rate *c = mem_zalloc(p->mem, (size_t)1 << RATE_LOG2_FIRST);

    t->sent->rate = c;
    if (!c)
        return NULL;
    c->log2 = RATE_LOG2_FIRST;
    c->next = 1;
    c->first_at_us = c->delivered_at_us = (uint32_t)p->now_us;
    c->is_app_limited = t->snd.pace & PACE_HAD_NO_MORE;
    c->app_until = delivered_now(t);
    return c;
}

/* Twice the room, where the oldest record that is out would lose its note. */
static struct rate *room_for_one(struct tcp *p, struct tcb *t)
{
    struct rate *c = t->sent->rate, *grown;
    uint16_t oldest = t->sent->rec[t->sent->first].note;
    uint32_t room;

    if (!c)
        return begin(p, t);
    room = room_of(c->log2);
    if (!oldest || (uint16_t)(c->next - oldest) < room || c->log2 == RATE_LOG2_MAX)
        return c;
    grown = mem_zalloc(p->mem, (size_t)2 << c->log2);
    if (!grown)
        return c;
    memcpy(grown, c, sizeof *c);
    grown->log2++;
    for (uint16_t i = 1; i <= room; i++)
        *note_at(grown, (uint16_t)(c->next - i)) = *note_at(c, (uint16_t)(c->next - i));
    mem_free(p->mem, c, (size_t)1 << c->log2);
    t->sent->rate = grown;
    return grown;
}

/* Record r leaves, or leaves again. */
void rate_on_sent(struct tcp *p, struct tcb *t, struct sent_rec *r)
{
    struct rate *c = room_for_one(p, t);
    uint32_t flight = in_flight(t);

    r->note = 0;
    if (!c)
        return;
    if (flight <= rec_len(r)) { /* nothing else is out: the clock begins here */
        c->first_at_us = c->delivered_at_us = (uint32_t)p->now_us;
        if (c->is_app_limited && cc_algo(&t->cc)->on_restart)
            cc_algo(&t->cc)->on_restart(&t->cc, p->now_us);
    }
    r->note = c->next;
    *note_at(c,
             c->next) = (struct rate_note){.at_us = r->at_us,
                                           .first_at_us = c->first_at_us,
                                           .delivered_at_us = c->delivered_at_us,
                                           .delivered = delivered_now(t),
                                           .lost = c->lost,
                                           .in_flight = flight & INT32_MAX,
                                           .is_app_limited = c->is_app_limited || t->cc.holds_back};
    if (++c->next == 0)
        c->next = 1;
}

/* More left in the instant of record r, and is part of it. */
void rate_on_sent_more(struct tcb *t, const struct sent_rec *r, uint32_t bytes)
{
    struct rate_note *n = note_of(t, r);
    uint32_t all = n ? n->in_flight + bytes : 0;

    if (n)
        n->in_flight = all & INT32_MAX;
}

/* Record r is taken for lost. */
void rate_on_lost(const struct tcp *p, struct tcb *t, const struct sent_rec *r)
{
    const struct rate_note *n = note_of(t, r);
    struct rate *c = t->sent->rate;
    struct rate_sample s = {.total_delivered = delivered_now(t), .has_sack = t->flags & T_SACK};

    c->lost += rec_len(r);
    if (n) {
        s.is_set = true;
        s.is_app_limited = n->is_app_limited;
        s.tx_in_flight = n->in_flight;
        s.lost = c->lost - n->lost;
    }
    if (cc_algo(&t->cc)->on_lost)
        cc_algo(&t->cc)->on_lost(&t->cc, &s, rec_len(r), p->now_us);
}

/* Record r arrived. Of those of one ACK the one that left last counts. */
void rate_on_delivered(struct tcb *t, const struct sent_rec *r, struct ack_event *e)
{
    struct rate_sample *s = e->rate;
    const struct rate_note *n = note_of(t, r);
    struct rate *c = t->sent->rate;

    if (!c)
        return;
    c->delivered_at_us = (uint32_t)e->now_us;
    if (!n || (s->is_set && (int32_t)(n->delivered - s->prior_delivered) < 0))
        return;
    *s = (struct rate_sample){.is_set = true,
                              .is_app_limited = n->is_app_limited,
                              .prior_delivered = n->delivered,
                              .tx_in_flight = n->in_flight,
                              .lost = c->lost - n->lost,
                              .send_us = n->at_us - n->first_at_us,
                              .interval_us = (uint32_t)e->now_us - n->delivered_at_us};
    c->first_at_us = n->at_us;
}

/* All that this ACK delivered is counted, and what is lost is known. */
void rate_finish(struct tcb *t, struct ack_event *e)
{
    struct rate_sample *s = e->rate;
    struct rate *c = t->sent ? t->sent->rate : NULL;

    s->total_delivered = delivered_now(t);
    s->in_flight = in_flight(t);
    s->has_sack = t->flags & T_SACK;
    if (c && c->is_app_limited && (int32_t)(s->total_delivered - c->app_until) > 0)
        c->is_app_limited = false;
    if (!s->is_set)
        return;
    if (s->interval_us < s->send_us)
        s->interval_us = s->send_us;
    s->delivered = s->total_delivered - s->prior_delivered;
    s->lost += e->lost;
    if (s->interval_us < t->rtt.min_us) /* too short: the ACKs were bunched */
        s->interval_us = 0;
}

/* Nothing more to send, with room in the window: what is in flight says less than the path can. */
void rate_check_app_limited(struct tcb *t)
{
    struct rate *c = t->sent ? t->sent->rate : NULL;

    if (!c || unsent_of(t) >= t->snd.mss || t->sent->lost || in_flight(t) >= t->cc.cwnd)
        return;
    c->is_app_limited = true;
    c->app_until = delivered_now(t) + in_flight(t);
}
