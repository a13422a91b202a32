/* Delivery rate: how fast text leaves the network, measured over the flight of each record.
 *
 * Knows: what a record noted when it left. Not what the rate is for. Shape: only where the
 * algorithm goes by it (has_own_cwnd). What was delivered so far is SND.UNA and what SACK reported
 * beyond, so nothing is kept for it while nothing is in flight. Units: bytes, microseconds (low 32
 * bits). Errors: a sample with interval 0 says nothing. Cost: O(1) a record.
 * draft-ietf-ccwg-bbr#4.1 (delivery rate samples) */
#include "tcp/recovery.h"

static uint32_t delivered_now(const struct tcb *t)
{
    return (uint32_t)seq_diff(t->snd.una, t->snd.iss) + (t->sent ? t->sent->sacked : 0);
}

/* Record r leaves, or leaves again. */
void rate_on_sent(const struct tcp *p, struct tcb *t, struct sent_rec *r)
{
    struct rate *c = &t->sent->rate;
    uint32_t flight = in_flight(t);

    if (flight <= rec_len(r)) /* nothing else is out: the clock begins here */
        c->first_at_us = c->delivered_at_us = (uint32_t)p->now_us;
    r->first_at_us = c->first_at_us;
    r->delivered_at_us = c->delivered_at_us;
    r->delivered = delivered_now(t);
    r->lost = c->lost;
    r->in_flight = flight;
    r->is_app_limited = c->is_app_limited;
}

/* Record r arrived. Of those of one ACK the one that left last counts. */
void rate_on_delivered(struct tcb *t, const struct sent_rec *r, struct ack_event *e)
{
    struct rate_sample *s = &e->rate;
    struct rate *c = &t->sent->rate;

    c->delivered_at_us = (uint32_t)e->now_us;
    if (s->is_set && (int32_t)(r->delivered - s->prior_delivered) < 0)
        return;
    s->is_set = true;
    s->prior_delivered = r->delivered;
    s->prior_lost = r->lost;
    s->tx_in_flight = r->in_flight;
    s->is_app_limited = r->is_app_limited;
    s->send_us = r->at_us - r->first_at_us;
    s->interval_us = (uint32_t)e->now_us - r->delivered_at_us;
    c->first_at_us = r->at_us;
}

/* All that this ACK delivered is counted, and what is lost is known. */
void rate_finish(struct tcb *t, struct ack_event *e)
{
    struct rate_sample *s = &e->rate;

    e->total_delivered = delivered_now(t);
    e->in_flight_now = in_flight(t);
    if (t->sent && t->sent->rate.is_app_limited &&
        (int32_t)(e->total_delivered - t->sent->rate.app_until) > 0)
        t->sent->rate.is_app_limited = false;
    if (!s->is_set)
        return;
    if (s->interval_us < s->send_us)
        s->interval_us = s->send_us;
    s->delivered = e->total_delivered - s->prior_delivered;
    s->lost = t->sent ? t->sent->rate.lost - s->prior_lost : 0;
    if (s->interval_us < t->rtt.min_us) /* too short: the ACKs were bunched */
        s->interval_us = 0;
}

/* Nothing more to send, with room in the window: what is in flight says less than the path can. */
void rate_check_app_limited(struct tcb *t)
{
    struct rate *c;

    if (!t->sent || unsent_of(t) >= t->snd.mss || t->sent->lost || in_flight(t) >= t->cc.cwnd)
        return;
    c = &t->sent->rate;
    c->is_app_limited = true;
    c->app_until = delivered_now(t) + in_flight(t);
}
