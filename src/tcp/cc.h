/* Congestion control: all that an algorithm sees of a connection.
 *
 * Knows: nothing of the tcb. Shape: an algorithm is one file cc_NAME.c with a struct cc_algo, and
 * its line in def/congestion.def; docs/congestion.md shows how. It writes cwnd and ssthresh.
 * Units: bytes, microseconds. Errors: none; nothing here allocates. Cost: O(1) for each ACK. */
#ifndef TCP_CC_H
#define TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ranges.h"

/* How fast text was delivered while one record of it was on its way; has_own_cwnd only. */
struct rate_sample {
    uint32_t delivered;   /* bytes, in */
    uint32_t interval_us; /* 0: too short to say */
    uint32_t send_us, prior_delivered;
    uint32_t lost;                       /* bytes taken for lost since it left */
    uint32_t tx_in_flight;               /* bytes in flight when it had left */
    uint32_t total_delivered, in_flight; /* bytes, with this ACK; always set */
    bool is_set, is_app_limited, has_sack;
};

/* What one incoming ACK told. Passes through ack -> sent -> rtt -> loss -> cc -> timers, one
 * direction. */
struct ack_event {
    int64_t now_us;
    struct seq ack, nxt;   /* nxt: SND.NXT */
    uint32_t acked;        /* bytes newly acknowledged, cumulatively */
    uint32_t sacked;       /* bytes newly acknowledged selectively */
    uint32_t in_flight;    /* bytes in flight before this ACK */
    uint32_t rtt_us;       /* sample of what was sent once, 0: none */
    uint32_t newest_at_us; /* low bits of the send time of what was sent last of all that arrived */
    bool is_duplicate;     /* 5681 section 2 */
    bool is_cwnd_limited;
    bool in_recovery; /* after loss.c judged this ACK */
    /* Of sent.c and sack.c for loss.c: */
    bool is_pure;              /* like a duplicate, but maybe with nothing in flight */
    bool has_echo;             /* `echo` is SEG.TSECR */
    bool has_newest;           /* newest_at_us and newest_end hold */
    bool has_first, has_again; /* bytes below `recover` arrived that were sent once; again */
    bool is_reordered;         /* from reordered_from on */
    bool is_dsack;             /* `twice` came twice */
    uint32_t delivered;        /* bytes that are newly known to have arrived */
    uint32_t lost;             /* bytes that are newly taken for lost */
    uint32_t marks;            /* accurate ECN: packets newly told to have been marked */
    uint32_t marked_bytes;     /* of text in them */
    uint32_t echo;
    struct seq newest_end, reordered_from, fack;
    struct range twice;
    struct rate_sample *rate; /* rate.c; NULL: the algorithm does not go by it */
};

struct rtt {
    uint32_t srtt_us, var_us, rto_us, min_us; /* rto without backoff */
};

struct cc {
    uint32_t cwnd, ssthresh; /* bytes */
    uint32_t acked;          /* bytes towards the next increase */
    uint16_t mss;
    uint8_t algo; /* index in cc_algos */
    union {
        uint8_t mode;    /* the algorithm's */
        bool holds_back; /* has_own_cwnd: what is sent now says less than the path can */
    };
    union {
        uint64_t own[4]; /* the algorithm's */
        void *block;     /* where own[] is too small: block_bytes of its own */
    };
};

struct cc_algo {
    const char *name;
    /* From rate samples: nothing else touches cwnd in a recovery or after idle, and all that
     * follows on_ack may be NULL. */
    bool has_own_cwnd;
    uint32_t block_bytes; /* 0: own[] is all that it needs */
    /* The connection is established, or changes its algorithm. */
    void (*init)(struct cc *c, uint32_t mss);
    void (*on_ack)(struct cc *c, const struct ack_event *e, const struct rtt *r);
    void (*on_loss)(struct cc *c, uint32_t in_flight); /* recovery begins: set ssthresh and cwnd */
    void (*on_ecn)(struct cc *c, uint32_t in_flight);  /* an echo, once a window; NULL: on_loss */
    void (*on_timeout)(struct cc *c, uint32_t in_flight); /* the first timeout of a flight */
    void (*on_idle)(struct cc *c);      /* cwnd restarts after idle, 5681 4.1; NULL: nothing more */
    void (*on_recovered)(struct cc *c); /* all is repaired; NULL: cwnd becomes ssthresh */
    void (*on_undo)(
        struct cc *c); /* nothing had been lost: cwnd and own[] are as before; or NULL */
    /* With has_own_cwnd: a stretch is taken for lost; its sample tells of when it left, is_set. */
    void (*on_lost)(struct cc *c, const struct rate_sample *s, uint32_t bytes, int64_t now_us);
    /* With has_own_cwnd: text goes after the application had none for a while. */
    void (*on_restart)(struct cc *c, int64_t now_us);
    /* Bytes/s, UINT64_MAX: not known yet; NULL: it does not pace by itself. */
    uint64_t (*pacing_rate)(const struct cc *c, const struct rtt *r);
};

static inline uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}
static inline uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

enum cc_name {
#define CC(name, doc) CC_##name,
#include "def/congestion.def"
#undef CC
    CC_COUNT
};
extern const struct cc_algo *const cc_algos[CC_COUNT];

static inline const struct cc_algo *cc_algo(const struct cc *c)
{
    return cc_algos[c->algo];
}
void cc_init(struct cc *c, uint8_t algo, uint32_t mss, uint32_t initial_segments);
/* `flight`: SND.NXT - SND.UNA, or what was in flight. */
void cc_on_loss(struct cc *c, uint32_t flight);
void cc_on_timeout(struct cc *c, uint32_t flight);
void cc_on_ecn(struct cc *c, uint32_t flight);
void cc_on_recovered(struct cc *c, bool is_fast); /* not by timeout */
void cc_on_smaller_start(struct cc *c, uint32_t mss);
void cc_restart(struct cc *c, uint32_t initial); /* bytes */

#endif
