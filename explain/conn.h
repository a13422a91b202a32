/* One connection as seen between its two ends, and the table of those that are open.
 *
 * Knows: segments. Shape: end 0 is who opened, or who was seen first; numbers are absolute as on
 * the wire. Units: ns, bytes. Errors: none. */
#ifndef EXPLAIN_CONN_H
#define EXPLAIN_CONN_H

#include "explain/frame.h"

#define SAMPLES 64 /* RTTs that are kept of each end: every one, then every second, ... */
#define HOLES 8    /* stretches that were jumped over */
#define CHANGES 12 /* of an end's state that are kept */

enum state {
    NO_STATE,
    SYN_SENT,
    SYN_RECEIVED,
    ESTABLISHED,
    FIN_WAIT_1,
    FIN_WAIT_2,
    CLOSING,
    CLOSE_WAIT,
    LAST_ACK,
    TIME_WAIT,
    CLOSED
};
const char *seen_state_name(enum state s);

/* What is remarkable about a segment. */
enum remark {
    R_RTO = 1,      /* sent again after a timeout */
    R_FAST = 2,     /* sent again because ACKs told of a loss */
    R_EARLY = 4,    /* sent again before a timeout, and no ACK told: a tail loss probe */
    R_SPURIOUS = 8, /* sent again, and was acknowledged already */
    R_KEEPALIVE = 0x10,
    R_PROBE = 0x20, /* of a closed window */
    R_OUT_OF_ORDER = 0x40,
    R_LOST_BEFORE = 0x80, /* sent again, and the first one never came by here */
    R_GAP = 0x100,        /* something before it is missing */
    R_DUP_ACK = 0x200,
    R_ZERO = 0x400,    /* the window closes */
    R_OPENS = 0x800,   /* the window opens again */
    R_UNSEEN = 0x1000, /* acknowledges what was not captured */
    R_SYN_AGAIN = 0x2000,
    R_FIN_AGAIN = 0x4000,
    R_DSACK = 0x8000,
    R_AGAIN = R_RTO | R_FAST | R_EARLY | R_SPURIOUS
};

/* Why a RST, as far as it shows. */
enum cause {
    CAUSE_NONE,
    CAUSE_REFUSED, /* answers a SYN */
    CAUSE_GAVE_UP, /* the opener answers the SYN/ACK with it */
    CAUSE_FIREWALL_TTL,
    CAUSE_FIREWALL_SEQ,
    CAUSE_AFTER_CLOSE, /* data came after the close */
    CAUSE_OLD,         /* after both were done */
    CAUSE_TIMEOUT,     /* nothing was answered any more */
    CAUSE_HALF_OPEN,   /* the sender knows of no connection */
    CAUSE_UNREAD,
    CAUSE_ABORT
};
const char *cause_name(enum cause c);

struct hole {
    uint32_t start, end;
    int64_t at;
};

/* Of the text of one end: sizes.c */
struct sizes {
    uint32_t passed;     /* the longest that was acknowledged at its size */
    uint32_t start, len; /* is_doubted: longer, and not acknowledged */
    uint32_t again;      /* how often that went again */
    bool is_doubted;
    uint32_t small, small_end; /* the last short text, until it is acknowledged */
    bool is_heard;             /* the other end said something meanwhile */
    uint32_t vanished, times;  /* what went so often, and then in pieces: */
    uint32_t piece, piece_end; /* the first of them */
    bool is_cured;             /* which arrived */
};
struct black_hole {
    uint32_t len, times, passed;
    bool is_sure, is_cured;
};

struct change {
    int64_t at;
    uint8_t state;
};

struct end {
    struct weir_addr addr;
    uint16_t port;
    uint16_t mss; /* it stated; 0: none */
    uint8_t state;
    uint8_t ttl;    /* of its last segment that is no RST; 0: none */
    uint8_t offers; /* enum tcp_opt_flag in its SYN */
    uint8_t wscale;
    bool is_seen, has_isn, has_fin, is_fin_acked;
    uint32_t isn, next; /* next: behind the last number that it sent */
    uint32_t fin;       /* behind its FIN */
    uint32_t acked;     /* of its numbers, by the other end */
    bool has_acked;
    uint32_t sacked; /* the highest that was reported by SACK */
    bool has_sacked;
    uint16_t wnd;                   /* as on the wire, of its last segment */
    int64_t first_data, last_data;  /* sent text, SYN or FIN */
    int64_t last_sent;              /* anything */
    uint32_t rto_until, fast_until; /* retransmissions below go on from one of that kind */
    bool in_rto, in_fast;
    uint32_t unheard; /* repetitions and probes since the other end said anything */
    bool is_syn_ack;  /* its first SYN was one */
    uint32_t dup_run; /* duplicate ACKs that it sent in a row */
    struct hole hole[HOLES];
    unsigned holes;
    /* the round trip from here to the other end and back: one of its segments is timed at a time */
    bool is_timing;
    uint32_t timed;
    int64_t timed_at;
    uint32_t rtt_us[SAMPLES];
    uint32_t rtts, rtt_step, rtt_count, rtt_min, rtt_max, rtt_last;
    /* counts */
    uint64_t segments, bytes, bytes_again;
    uint32_t syns, rto, fast, early, spurious, keepalives, probes, out_of_order, lost_before;
    uint32_t dup_acks, dsacks, gaps, zeros, unseen;
    int64_t zero_since, zero_ns; /* zero_since: 0: open */
    int64_t fin_at;
    struct change change[CHANGES];
    unsigned changes;
    struct sizes sizes;
};

struct conn {
    struct conn *next_hash;
    struct conn *older, *newer; /* by their last segment */
    uint64_t hash;
    uint64_t number; /* from 1 */
    struct end end[2];
    int64_t first_at, last_at, established_at;
    bool is_opened; /* its SYN was captured */
    bool is_over;
    bool is_again;    /* the ports had a connection before, */
    int64_t gap_ns;   /* which ended this much earlier */
    bool was_waiting; /* and whose end was in TIME-WAIT */
    uint32_t
        iface; /* where its first segment was captured: what is seen elsewhere is not counted */
    uint64_t elsewhere;
    int closer; /* who sent the first FIN or RST; -1: nobody */
    int rst_by; /* -1: nobody */
    enum cause cause;
    int64_t rst_at;
    uint64_t after_end; /* segments that came when it was over */
};

static inline int32_t seq_past(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

/* analyse.c: takes one segment in; what is remarkable. from: which end sent it. */
unsigned conn_take(struct conn *c, int from, const struct segment *s);
/* state.c: after the numbers are known, before they are taken in. */
void states_take(struct conn *c, int from, const struct segment *s);
/* reset.c */
enum cause reset_cause(const struct conn *c, int from, const struct segment *s);
/* sizes.c; sizes_are_lost: its big segments vanish, small ones pass */
void sizes_take(struct conn *c, int from, const struct segment *s);
bool sizes_are_lost(const struct end *x, struct black_hole *b);
/* samples.c */
void rtt_add(struct end *e, int64_t ns);
uint32_t rtt_median(const struct end *e); /* us; 0: none */

/* -- table.c ----------------------------------------------------------------------------------- */

struct conns {
    struct conn **bucket;
    uint64_t buckets, count, made, key;
    struct conn *oldest, *newest;
    void (*on_end)(void *arg, struct conn *c); /* it is complete; the callee owns it */
    void *arg;
};

bool conns_begin(struct conns *t);
/* The connection of a segment, found or made; NULL: no memory. *from: which end sent it. */
struct conn *conns_find(struct conns *t, const struct segment *s, int *from);
/* Moves it to the end of the order; ends those that are over, or half open, for long. */
void conns_touch(struct conns *t, struct conn *c);
void conns_finish(struct conns *t); /* ends all */

#endif
