/* Loss recovery: what is in flight, what is lost of it, and what the files that decide this say to
 * each other.
 *
 * Knows: tcb.h. Shape: struct sent is there while something is in flight, and for a moment longer
 * where a question is open (was it sent again for nothing?); each group of it is written by the
 * file named beside it. Units: bytes; `_us` fields are low 32 bits of microseconds. */
#ifndef TCP_RECOVERY_H
#define TCP_RECOVERY_H

#include "tcp/pace.h"

/* A stretch of sequence space that was sent in one go. */
struct sent_rec {
    struct seq start, end;
    uint32_t at_us; /* the last transmission */
    uint8_t flags;  /* SENT_* */
    uint8_t sends;  /* transmissions, saturating */
    uint16_t note;  /* rate.c; 0: none */
};
_Static_assert(sizeof(struct sent_rec) == 16, "there is one for each burst in flight");
enum {
    SENT_SACKED = 1,
    SENT_LOST = 2,
    SENT_AGAIN = 4,  /* out again, and not lost once more */
    SENT_UNTIMED = 8 /* joined from stretches of several instants: at_us measures nothing */
};

/* What was sent last of all that arrived, 8985#5.2. rack.c */
struct rack {
    uint32_t at_us;
    struct seq end;
    uint32_t rtt_us;
    uint32_t due_us;       /* is_due: when all that may yet be lost is judged */
    struct seq round_end;  /* SND.NXT when a D-SACK widened the window: once in a round */
    bool is_set;           /* anything arrived */
    bool is_due, is_round; /* due_us, round_end hold */
};

/* A tail loss probe is out, 8985#7.1. tlp.c */
struct tlp {
    struct seq end; /* SND.NXT when it left */
    uint32_t flight;
    bool is_out, is_again;
};

/* Proportional rate reduction, 9937#6. prr.c */
struct prr {
    uint32_t flight, delivered, out;
};

/* How to take back what a recovery did to cwnd. undo.c */
struct undo {
    struct seq from, until; /* it tells of what lies between */
    struct cc cc;           /* as it was */
    uint32_t again;         /* bytes sent again, less what D-SACK says came twice */
    uint32_t echo;          /* the timestamp of the first of them */
    bool is_open;           /* there is something to take back */
    bool is_any;            /* something was sent again */
    bool has_ended;         /* the recovery is over: `until` ends the question */
};

enum { FRTO_OFF, FRTO_WAIT, FRTO_NEW, FRTO_ASKED }; /* 5682: see frto.c */

/* All that is in flight, in sequence order and without a gap. */
struct sent {
    uint32_t first, n, room; /* records [first, n) of `room` */
    uint32_t sacked, lost;   /* bytes so marked */
    uint32_t reno_sacked;    /* without SACK: duplicate ACKs times MSS, bytes that have left */
    uint32_t runs;           /* records that are SACKed: bounded by a knob */
    uint32_t rto_at_us;      /* timers.c: when the retransmission timer ends */
    struct seq fack;         /* right end of what arrived, 8985#5.2 RACK.fack */
    struct seq lost_from;    /* nothing that is lost begins below */
    struct seq recover;      /* loss.c: SND.NXT when the phase began, 6582#3 */
    uint8_t log2;            /* of the block's bytes */
    uint8_t frto;            /* frto.c: FRTO_* */
    struct rack rack;
    struct tlp tlp;
    struct prr prr;
    struct undo undo;
    struct rate *rate; /* rate.c; NULL: the algorithm does not go by it */
    struct sent_rec rec[];
};

static inline uint32_t rec_len(const struct sent_rec *r)
{
    return (uint32_t)seq_diff(r->end, r->start);
}

/* Was what ends at `end` and left at `at_us` sent after the other? 8985#6.2: one instant has an
 * order too. */
static inline bool is_sent_after(uint32_t at_us, struct seq end, uint32_t other_us,
                                 struct seq other_end)
{
    int32_t later = (int32_t)(at_us - other_us);

    return later > 0 || (later == 0 && seq_gt(end, other_end));
}

/* -- sent.c: what was transmitted and when ----------------------------------------------------- */
void sent_add(struct tcp *p, struct tcb *t, struct seq start, struct seq end);
void sent_again(struct tcp *p, struct tcb *t, struct seq start, struct seq end);
void sent_ack(struct tcb *t, struct ack_event *e);
bool sent_next_lost(const struct tcb *t, struct seq *start, struct seq *end);
/* Marks everything that begins below `below` and did not arrive; `also_again`: retransmissions too.
 * Bytes. */
uint32_t sent_mark_lost(struct tcp *p, struct tcb *t, struct seq below, bool also_again);
/* The same for record *i as a whole. It may join the one before it, and *i then is that. */
uint32_t sent_mark_record(struct tcp *p, struct tcb *t, uint32_t *i);
void sent_unmark_lost(struct tcp *p, struct tcb *t);
/* Makes [start, end), which lies in record *i, a record of its own, *i. False: no memory. */
bool sent_carve(struct tcp *p, struct tcb *t, uint32_t *i, struct seq start, struct seq end);
uint32_t sent_remove(struct sent *s, uint32_t i);
uint32_t sent_find(const struct sent *s, struct seq at); /* first that ends beyond; n: none */
/* Record r arrived, as far as `end`. */
void sent_delivered(struct tcb *t, const struct sent_rec *r, struct seq end, struct ack_event *e);

/* -- rate.c ------------------------------------------------------------------------------------ */
void rate_on_sent(struct tcp *p, struct tcb *t, struct sent_rec *r);
void rate_on_sent_more(struct tcb *t, const struct sent_rec *r, uint32_t bytes);
void rate_on_lost(const struct tcp *p, struct tcb *t, const struct sent_rec *r);
void rate_on_delivered(struct tcb *t, const struct sent_rec *r, struct ack_event *e);
void rate_finish(struct tcb *t, struct ack_event *e);
void rate_check_app_limited(struct tcb *t);
void rate_free(struct tcp *p, struct tcb *t);
static inline bool rate_is_on(const struct tcb *t)
{
    return t->snd.pace & PACE_SAMPLES;
}

/* -- sack.c: what the peer says that it has ---------------------------------------------------- */
void sack_on_ack(struct tcp *p, struct tcb *t, const struct tcp_opts *o, struct ack_event *e);
void sack_take_dsack(struct tcp *p, const struct tcp_opts *o, struct ack_event *e);
bool sack_forget_reneged(struct tcb *t); /* what it reported, if the first of it is asked for */
/* 6675#4 IsLost: all that has not arrived below *edge is lost. */
bool sack_lost_edge(const struct tcb *t, uint32_t segments, struct seq *edge);

/* -- loss.c: what is lost ---------------------------------------------------------------------- */
uint32_t loss_dupthresh(const struct tcp *p, const struct tcb *t); /* segments */
bool loss_has_dupthresh(const struct tcp *p, const struct tcb *t);
void loss_on_timeout(struct tcp *p, struct tcb *t);
void loss_on_reorder_timer(struct tcp *p, struct tcb *t);
void loss_on_forget_timer(struct tcp *p, struct tcb *t);
void loss_on_sent(struct tcb *t, uint32_t bytes); /* new text, or: */
void loss_on_sent_again(struct tcp *p, struct tcb *t, uint32_t bytes);

/* -- rack.c ------------------------------------------------------------------------------------ */
bool rack_is_on(const struct tcp *p, const struct tcb *t);
void rack_on_ack(struct tcp *p, struct tcb *t, const struct ack_event *e);
uint32_t rack_mark_lost(struct tcp *p, struct tcb *t); /* bytes; sets rack.due_us */
void rack_mark_on_timeout(struct tcp *p, struct tcb *t);
void rack_on_recovery_end(struct tcb *t);
void rack_widen(const struct tcp *p, struct tcb *t);

/* -- tlp.c ------------------------------------------------------------------------------------- */
bool tlp_may_wait(const struct tcp *p, const struct tcb *t); /* the probe timer may run */
uint32_t tlp_timeout_us(const struct tcb *t);
void tlp_on_sent(struct tcp *p, struct tcb *t, bool is_again);
/* True: the probe repaired a loss that nobody saw. */
bool tlp_on_ack(struct tcb *t, const struct ack_event *e);

/* -- prr.c ------------------------------------------------------------------------------------- */
void prr_begin(struct tcb *t, const struct ack_event *e);
void prr_on_ack(struct tcb *t, const struct ack_event *e);

/* -- undo.c ------------------------------------------------------------------------------------ */
void undo_begin(const struct tcp *p, struct tcb *t);
void undo_on_sent_again(const struct tcp *p, struct tcb *t, uint32_t bytes);
void undo_on_dsack(struct tcb *t, const struct ack_event *e);
void undo_on_end(struct tcb *t); /* of the recovery */
void undo_on_ack(struct tcb *t);
bool undo_is_late(const struct tcb *t, const struct ack_event *e); /* Eifel: the original came */
bool undo_may(const struct tcb *t, const struct ack_event *e);     /* all of it was for nothing */
void undo_cwnd(struct tcp *p, struct tcb *t);

/* -- frto.c ------------------------------------------------------------------------------------ */
void frto_begin(const struct tcp *p, struct tcb *t, bool is_clean);
bool frto_on_ack(struct tcb *t, const struct ack_event *e); /* the timeout was premature */
bool frto_holds(const struct tcb *t);                       /* no retransmission now */
bool frto_gives_up(struct tcb *t);

#endif
