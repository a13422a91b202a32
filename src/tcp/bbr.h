/* BBR's picture of the path, and what its two files say to each other.
 *
 * Knows: struct cc. Shape: bbr_model.c learns what the path gives; cc_bbr.c decides what to do, and
 * alone writes `state`; bbr_control.c writes the pacing rate and cwnd. Units: bytes, bytes/s,
 * microseconds (low 32 bits); gains in percent; NO_BW and NO_BOUND: no bound.
 * draft-ietf-ccwg-bbr-06 */
#ifndef TCP_BBR_H
#define TCP_BBR_H

#include "tcp/cc.h"

#define NO_BW UINT64_MAX
#define NO_BOUND UINT32_MAX

enum { STARTUP, DRAIN, DOWN, CRUISE, REFILL, UP, PROBE_RTT };

struct bbr {
    uint64_t max_bw[2];                /* of the cycle before, of this one */
    uint64_t chance_lost, chance_sent; /* bytes lost where nothing waits, of so many */
    uint64_t bw_lo, bw_latest, full_bw, pacing_rate, undo_bw_lo;
    uint32_t min_rtt_us, min_rtt_at_us, probe_rtt_us, probe_rtt_at_us, probe_rtt_done_us;
    uint32_t inflight_lo, inflight_hi, inflight_latest; /* short term, long term, of a round */
    uint32_t delivered, initial_cwnd, seen_at_us;
    uint32_t round_end, loss_round_end;         /* in bytes delivered */
    uint32_t rounds, drain_from, recovery_from; /* counted */
    uint32_t phase_at_us, probe_wait_us, rounds_since_probe;
    uint32_t up_step, up_acked, up_rounds; /* inflight_hi grows a segment for up_step bytes */
    uint32_t extra[2], extra_from_us, extra_delivered, extra_rounds;
    uint32_t prior_cwnd, undo_inflight_lo, undo_inflight_hi;
    uint32_t losses;       /* stretches that were lost in this round */
    uint32_t round_rtt_us; /* the longest of this round */
    uint8_t state, acks, full_bw_count, undo_state;
    bool is_begun, is_full_bw_now, is_full, is_round_start, is_loss_round_start, has_loss;
    bool may_judge;      /* what a probe sent comes back, and no loss answered it yet */
    bool was_too_high;   /* the last probe ended with losses */
    bool is_cautious;    /* the last probe ended when it came to where losses had been */
    bool is_restart;     /* from idle, and nothing arrived since */
    bool is_saved;       /* undo_* and prior_cwnd are of the recovery that runs */
    bool may_undo;       /* undo_* hold */
    bool is_in_recovery; /* recovery_from holds */
    bool is_probe_rtt_timed, is_probe_rtt_round, is_probe_rtt_expired;
};
_Static_assert(sizeof(struct bbr) <= 256, "a block of mem");

static inline struct bbr *bbr_of(const struct cc *c)
{
    return c->block;
}
static inline uint64_t bbr_max_bw(const struct bbr *b)
{
    return most(b->max_bw[0], b->max_bw[1]);
}
static inline uint64_t bbr_bw(const struct bbr *b)
{
    return least(bbr_max_bw(b), b->bw_lo);
}
static inline bool bbr_is_in_probe_bw(const struct bbr *b)
{
    return b->state >= DOWN && b->state <= UP;
}
static inline uint32_t bbr_cwnd_min(const struct cc *c)
{
    return 4u * c->mss;
}

/* -- bbr_model.c ------------------------------------------------------------------------------- */
uint32_t bbr_bdp(const struct cc *c, uint64_t bw, uint32_t gain);
/* At least `n`, with room for what the sender and the receiver hold back. */
uint32_t bbr_with_bursts(const struct cc *c, uint64_t n);
uint32_t bbr_with_headroom(const struct cc *c);
/* Of so much in flight, what may be lost before that is too much. */
uint32_t bbr_tolerance(const struct cc *c, uint32_t flight);
void bbr_reset_lower_bounds(struct bbr *b);
void bbr_reset_full_bw(struct bbr *b, uint64_t bw);
void bbr_reset_signals(struct bbr *b);
/* In the order in which an ACK passes them; `bw` is what it measured. */
void bbr_learn_signals(struct cc *c, const struct ack_event *e, uint64_t bw);
void bbr_learn_extra(struct cc *c, const struct ack_event *e);
void bbr_learn_full_bw(struct bbr *b, const struct ack_event *e, uint64_t bw);
void bbr_learn_rtt(const struct cc *c, const struct ack_event *e);
void bbr_end_signals(struct bbr *b, const struct ack_event *e, uint64_t bw);
void bbr_note_loss(struct cc *c);

/* -- bbr_control.c ----------------------------------------------------------------------------- */
void bbr_control(struct cc *c, const struct ack_event *e);
void bbr_pace(struct bbr *b, uint32_t gain);
void bbr_bound_cwnd(struct cc *c);
void bbr_restore_cwnd(struct cc *c);
uint32_t bbr_probe_rtt_cwnd(const struct cc *c);
uint64_t bbr_first_rate(const struct cc *c, const struct rtt *r); /* nothing is measured yet */

#endif
