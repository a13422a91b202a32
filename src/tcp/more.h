/* What only some connections need, in a block of its own that the tcb names by tcb.more.
 *
 * Knows: tcb.h. Shape: each group is written by the file named beside it; a connection that asks
 * for none of it has no block. Units: bytes; `_ms` fields are the low 32 bits of milliseconds.
 * Errors: NULL: there is no memory, and the extension is not used. Cost: O(1). */
#ifndef TCP_MORE_H
#define TCP_MORE_H

#include "tcp/tcb.h"

/* The search for the path MTU, in bytes of text as snd.mss counts them: mtu.c */
struct mtu_search {
    uint16_t low, high; /* arrives; may arrive */
    uint16_t top;       /* what the ends could take: `high` of a new search */
    uint16_t size;      /* of the probe in flight, 0: none */
    struct seq start;   /* of the probe */
    uint32_t at_ms;     /* the last news */
    bool is_on;
};

/* Fast Open: fastopen.c; of a listener, and of what it began: fastopen_listen.c */
struct fast_open {
    uint64_t serial;        /* a listener's, and which one a child came from */
    int64_t reset_until_us; /* so long those that a RST ended count */
    uint32_t listener;      /* tcb */
    uint32_t most, pending, resets;
    uint16_t sent;              /* bytes of text in our SYN */
    uint16_t room;              /* for text in it */
    uint8_t mode;               /* OPEN_* */
    bool is_asked, is_deferred; /* the program wants it; the SYN waits for the first write */
    bool is_child, gives_cookie;
    bool is_text_acked;
    bool is_tried; /* our SYN asked for it, or bore text */
    bool is_old;   /* by the experimental option */
    uint8_t cookie_len;
    uint8_t keys; /* TCP_FASTOPEN_KEY: so many, 0: the stack's */
    union {
        uint8_t cookie[16];   /* who connects */
        struct sipkey key[2]; /* who listens */
    };
};

#define ACC_FIRST 5u /* what the counts of packets begin with, 9768#3.2.1 */
/* Accurate ECN: accecn.c, accecn_option.c. Counters of bytes: ECT(0), CE, ECT(1). */
struct acc_ecn {
    uint64_t bytes[3];       /* of text that we received, with what they began with */
    uint32_t said[3];        /* in our last option, 24 bits */
    uint32_t heard_bytes[3]; /* in the peer's, 24 bits */
    uint32_t received, told; /* packets with CE: by us; of ours, as far as the peer said */
    uint64_t told_bytes[3];  /* of ours, as it tells or we guess */
    uint32_t since_marks, since_packets; /* told and acknowledged since an option said CE's bytes */
    struct seq hello_end;                /* of the text that first took an option along */
    uint8_t heard;                       /* the last ACE of the peer */
    uint8_t handshake;                   /* what is said of the SYN or SYN/ACK that came */
    uint8_t unacked;                     /* CE since something left */
    uint8_t last_ip;                     /* ECN field of the last packet */
    int8_t last_counter;                 /* that moved, -1: none did */
    uint8_t asked;                       /* options for a change that are not sent yet */
    uint8_t silent;                      /* segments since our last option */
    uint8_t repeats, since_repeat;       /* text that came again, segments of text since then */
    uint8_t rounds;                      /* reductions while all was marked */
    bool has_unmarked : 1;               /* the peer got something that was not */
    bool is_deaf : 1;                    /* what the peer tells of marks is nothing */
    bool is_told : 1;                    /* the segment at hand bore the handshake's encoding */
    bool is_checked : 1;                 /* the first count was looked at */
    bool is_ignored : 1;                 /* the peer's options were changed on the way */
    bool is_lost : 1;                    /* ours are not let through */
    bool says_hello : 1;                 /* an option in each segment up to the first text */
    bool is_hello_out : 1;
    bool has_acked : 1; /* the last segment bore an option */
};

/* Is the congestion window known to hold? 7661: validate.c */
#define VALIDITY_KEPT 4
struct pipe_sample {
    int64_t at_us;
    uint32_t bytes;
};
struct validity {
    struct pipe_sample kept[VALIDITY_KEPT]; /* in order of time, each smaller than the one before */
    int64_t sampled_at_us, since_us;        /* the last sample; the non-validated phase */
    struct seq start, end;                  /* of the round that is measured */
    uint32_t loss_used, again;              /* max(pipeACK, LossFlightSize), 0: not in it; R */
    uint8_t count;
    bool is_known, is_unused, is_round;
};

struct more {
    struct acc_ecn ecn;
    struct mtu_search mtu;
    struct fast_open open;
    struct validity validity;
    struct tcp_told told; /* the last ICMP error, with IP_RECVERR: icmp.c */
    bool is_told;         /* and it is still to be read */
};

/* NULL: there is none yet. */
static inline struct more *more_of(const struct tcp *p, const struct tcb *t)
{
    return t->more ? pool_at(&p->mores, t->more) : NULL;
}
struct more *more_need(struct tcp *p, struct tcb *t);
void more_free(struct tcp *p, struct tcb *t);

/* -- fastopen.c, fastopen_listen.c: 7413. Where the connection has struct more: ------------------
 */
void fastopen_begin(struct tcp *p, struct tcb *t);
uint32_t fastopen_room(const struct tcp *p, const struct tcb *t);
void fastopen_on_write(struct tcp *p, struct tcb *t);
uint32_t fastopen_on_syn(struct tcp *p, struct tcb *t, struct tcp_opts *o); /* bytes of text */
void fastopen_on_syn_acked(struct tcp *p, struct tcb *t, const struct seg *s);
void fastopen_on_timeout(struct tcp *p, struct tcb *t);
void fastopen_on_left(struct tcp *p, struct tcb *t, bool is_reset); /* SYN-RECEIVED */
/* Any listener: */
enum fastopen_answer { FASTOPEN_NO, FASTOPEN_GIVE, FASTOPEN_TAKE, FASTOPEN_TAKE_AND_GIVE };
enum fastopen_answer fastopen_judge(struct tcp *p, struct tcb *listener, const struct seg *s);
enum drop fastopen_take(struct tcp *p, struct tcb *listener, struct seg *s, bool gives);
void fastopen_give(const struct tcp *p, const struct tcb *listener, const struct flow *f,
                   struct tcp_opts *o);
void fastopen_on_odd_end(struct tcp *p, const struct tcb *t); /* out of order */

/* -- accecn.c: 9768. Where ECN_ACC says so there is struct more. --------------------------------
 */
uint8_t accecn_told(uint8_t ip_ecn);
uint8_t accecn_of(const struct seg *s);
void accecn_put(struct tcp_hdr *h, uint8_t ace);
bool accecn_is_setup(const struct tcp *p, const struct seg *s);
bool accecn_is_conflict(const struct tcp *p, bool is_accurate, const struct seg *s);
bool accecn_is_cookie(const struct tcp *p, const struct seg *s);
bool accecn_begin(struct tcp *p, struct tcb *t, uint8_t ip_ecn);
void accecn_on_syn_ack(struct tcp *p, struct tcb *t, const struct seg *s);
bool accecn_on_syn_ack_again(struct tcp *p, struct tcb *t, const struct seg *s); /* ACK it */
void accecn_on_last_ack(struct tcp *p, struct tcb *t, struct seg *s);
void accecn_on_segment(struct tcp *p, struct tcb *t, const struct seg *s);
uint32_t accecn_on_ack(struct tcp *p, struct tcb *t, const struct seg *s, struct ack_event *e);
void accecn_on_reduced(struct tcp *p, struct tcb *t);
uint8_t accecn_count_now(const struct tcp *p, const struct tcb *t); /* NULL: the first */
bool accecn_is_single(const struct tcp *p, const struct tcb *t, bool is_cut_below); /* no burst */
/* What a segment says of the counters. */
struct acc_plan {
    bool is_on, is_1;
    uint8_t n, bytes;
};
void accecn_on_out(struct tcp *p, struct tcb *t, struct tcp_hdr *h, const struct acc_plan *plan);

/* -- accecn_option.c: 9768#3.2.3 --------------------------------------------------------------- */
/* What an option says of CE since the one before; `packets`: at least so many were marked. */
struct acc_told {
    bool is_known;
    uint32_t bytes, packets;
};
void accecn_option_begin(struct acc_ecn *a);
void accecn_count(struct acc_ecn *a, const struct seg *s);
void accecn_on_repeat(struct tcp *p, struct tcb *t);
struct acc_plan accecn_plan(const struct tcp *p, const struct tcb *t, uint32_t room);
void accecn_option_on_out(struct acc_ecn *a, struct tcp_opts *o, const struct acc_plan *plan);
void accecn_put_first(const struct tcp *p, struct tcp_opts *o);
void accecn_on_text(struct tcp *p, struct tcb *t, const struct seg_out *out);
void accecn_on_lost(struct tcp *p, struct tcb *t, struct seq start);
void accecn_option_on_ack(const struct tcb *t, struct acc_ecn *a);
void accecn_take_first(struct acc_ecn *a, const struct tcp_opts *o);
struct acc_told accecn_take(struct acc_ecn *a, const struct tcp_opts *o, uint32_t mss);
void accecn_guess(struct acc_ecn *a, uint32_t bytes); /* of CE, for want of an option */
struct weir_sock_info;
void accecn_info(const struct acc_ecn *a, struct weir_sock_info *info);

/* -- mtu.c: 4821 ------------------------------------------------------------------------------- */
enum { MTU_WAIT = -1 };
void mtu_begin(struct tcp *p, struct tcb *t); /* the MSS is agreed */
/* Bytes of the probe that should go now, 0: none, MTU_WAIT: when there is room for it. */
int32_t mtu_probe(struct tcp *p, struct tcb *t);
void mtu_on_probe_sent(struct tcp *p, struct tcb *t, struct seq start, uint32_t bytes);
void mtu_on_sent_again(struct tcp *p, struct tcb *t, struct seq start, struct seq end);
void mtu_on_ack(struct tcp *p, struct tcb *t);
bool mtu_takes_loss(struct tcp *p, struct tcb *t); /* the probe alone is lost: no congestion */
void mtu_on_timeout(struct tcp *p, struct tcb *t);
void mtu_on_too_big(struct tcp *p, struct tcb *t, uint32_t mss);

#endif
