/* The transmission control block and what the files of this folder say to each other.
 *
 * Knows: tcp.h, ranges. Shape: a field is written by the file that owns its group (named beside
 * it). An idle connection owns no ring, no ranges and no records. Units: bytes, microseconds;
 * instants are int64_t `at`, WHEN_NEVER if unset; `_ms` fields are the low 32 bits of milliseconds.
 */
#ifndef TCP_TCB_H
#define TCP_TCB_H

#include <errno.h>

#include "base/must.h"
#include "base/ranges.h"
#include "tcp/cc.h"
#include "tcp/tcp.h"

#define WHEN_NEVER INT64_MAX

/* -- the control block ------------------------------------------------------------------------- */

enum tcb_flag {
    T_TS = 1,         /* timestamps agreed */
    T_SACK = 2,       /* SACK agreed */
    T_WSCALE = 4,     /* window scaling agreed */
    T_FIN_QUEUED = 8, /* CLOSE: a FIN follows the send ring */
    T_FIN_SENT = 0x10,
    T_FIN_RECEIVED = 0x20, /* RCV.NXT passed the peer's FIN */
    T_FIN_SEEN = 0x40,     /* rcv.fin is known, bytes before it may be missing */
    T_ACK_NOW = 0x80,
    T_SYN_DUE = 0x100, /* SYN or SYN/ACK to send */
    T_RST_DUE = 0x200,
    T_PROBE_DUE = 0x400,    /* window probe */
    T_KEEP_DUE = 0x800,     /* keepalive probe */
    T_PASSIVE = 0x1000,     /* came from LISTEN: 9293 MUST-11 */
    T_DETACHED = 0x2000,    /* not in the demux table any more */
    T_SHUT_RD = 0x4000,     /* the program reads no more */
    T_ACCEPTABLE = 0x8000,  /* waits in an accept queue */
    T_OUT_FULL = 0x10000,   /* the program found no room: tell it when there is */
    T_URG_READ = 0x20000,   /* the urgent byte was read by MSG_OOB */
    T_MORE = 0x40000,       /* MSG_MORE */
    T_ZERO_ADV = 0x80000,   /* we advertised a zero window */
    T_URG_OUT = 0x100000,   /* snd.up is ahead */
    T_URG_IN = 0x200000,    /* rcv.up is ahead of the reader */
    T_SYN_AGAIN = 0x400000, /* our SYN was retransmitted: no RTT sample */
    T_OVERRIDE = 0x800000,  /* sender's silly window: the timer says send anyway */
    T_KEEP_UP = 0x1000000,  /* probes are under way */
    T_ORPHAN = 0x2000000,
    T_MINI_WAITS = 0x8000000, /* a mini is in TIME-WAIT in its stead */
    T_WND_NEWS = 0x10000000,  /* the program made room that the peer should hear of */
    T_DSACK = 0x20000000,     /* rcv.dup is to be told */
    T_TAIL_DUE = 0x40000000,  /* tail loss probe */
    T_FORCE = 0x4000000 /* the first retransmission of a recovery ignores cwnd, 6675#5 (4.3) */
};
#define T_SYN_PARKED 0x80000000u /* SYN-SENT: none of ours left, the neighbour is asked for */

enum tcb_ecn {
    ECN_ASKED = 1,    /* our SYN was an ECN-setup SYN */
    ECN_ON = 2,       /* agreed */
    ECN_ECHO = 4,     /* a mark came in: ECE in each ACK */
    ECN_CWR = 8,      /* the window was reduced: CWR in the next new text */
    ECN_REDUCED = 16, /* by an echo, until cwr_end is acknowledged */
    ECN_ACC = 32,     /* accurate ECN is agreed: accecn.c */
    ECN_ACC_ASKED = 64,
    ECN_TELL = 128,      /* the next segment says what the SYN/ACK bore, and nothing else */
    ECN_BARE = ECN_ASKED /* then: the next ACK answers marked ACKs alone, without SACK */
};
#define ECN_ECT0 2 /* the codepoint, in the two low bits of TOS */

enum { LOSS_OPEN, LOSS_RECOVERY, LOSS_TIMEOUT };

/* The timers before delack exclude each other (8985#8): they share the first instant, and
 * loss.timer says whose it is. */
enum { TIMER_SLOTS = TIMER_COUNT - TIMER_delack + 1 };

struct listener {
    uint32_t accept_first, accept_last, accept_count; /* established, through tcb.next_accept */
    uint32_t backlog, syn_count;
    uint32_t held_scan;   /* where tcp_held_next goes on */
    uint32_t held_new;    /* held SYNs that were not yet told */
    int64_t cookie_at_us; /* when a SYN cookie was sent, 0: never */
    int64_t waits_at_us;  /* since when what waits is not accepted */
    uint64_t refused;     /* handshakes that found the accept queue full */
    uint16_t mss6;        /* what SYN/ACKs over IPv6 offer; rcv.mss of the tcb over IPv4 */
};

struct tcb {
    struct flow flow;
    uint32_t hash;
    uint32_t self;
    uint32_t sock;  /* socket + 1; 0: orphan, or not yet accepted */
    uint32_t flags; /* enum tcb_flag */
    uint8_t state;  /* state.c only */
    uint8_t ifindex;
    uint8_t marks;
    uint8_t error;      /* SO_ERROR */
    uint8_t soft_error; /* what ICMP said: reported if we give up */
    uint8_t end_reason; /* errno that ended it */
    uint8_t why_event;  /* enum event for the next segment */
    uint8_t ecn;        /* enum tcb_ecn; ecn.c */
    struct wheel_node node;
    struct list_node out, marked;
    union {
        uint32_t next_accept; /* in the listener's accept queue */
        struct seq cwr_end;   /* then: SND.NXT when an echo reduced the window */
    };
    uint32_t more; /* more.h: what few connections need, 0: nothing */
    struct {
        struct seq iss, una, nxt, wl1, wl2, up;
        struct seq small_end; /* end of the last segment below MSS: Minshall's Nagle */
        uint32_t wnd, wnd_max;
        uint16_t mss;
        uint8_t wscale;
        uint8_t pace;     /* PACE_*; pace.c */
        struct ring ring; /* first byte: snd.una (iss + 1 before our SYN is acknowledged) */
    } snd;
    struct {
        struct seq irs, nxt, up;
        struct seq edge; /* right edge of the window that we advertised */
        struct seq fin;  /* sequence number of the peer's FIN */
        uint16_t mss;    /* estimate of the peer's full segment */
        uint8_t wscale;
        uint8_t quick;    /* full segments to acknowledge at once: connection start, after a hole */
        uint32_t waiting; /* sequence numbers received since an ACK went out */
        uint32_t at_ms;   /* last text that came in order */
        struct range dup; /* text that came again, T_DSACK: the next ACK says so */
        struct ring ring; /* [read pointer, RCV.NXT) is readable; early bytes lie behind */
        struct early *early; /* what came beyond a hole; NULL: nothing */
    } rcv;
    struct {
        uint32_t recent, recent_at_ms, offset;
    } ts;
    struct {
        uint16_t reordering; /* segments, where more than the knob says */
        uint8_t phase;       /* LOSS_* */
        uint8_t dupacks;
        uint8_t backoff;        /* timeouts since progress */
        uint8_t probes;         /* window or keepalive probes unanswered */
        uint8_t timer;          /* timers.c: whose instant the shared one is */
        uint8_t reo_steps;      /* rack.c: quarters of the least RTT beyond the first */
        uint8_t reo_persist;    /* recoveries until there is none beyond the first */
        bool is_reordering : 1; /* some was seen, 8985#5.2 */
        bool is_probed : 1;     /* a tail loss probe left since the last RTT sample */
    } loss;
    uint32_t challenge_at_ms;
    uint32_t tune;     /* tune.c; 0: the receive buffer is not measured */
    struct sent *sent; /* NULL: nothing in flight, and nothing to be told of what was */
    struct rtt rtt;
    union {
        uint32_t syn_at_us;  /* until synchronized: our SYN went out */
        uint32_t sent_at_ms; /* then: last data sent */
    };
    uint32_t heard_at_ms;    /* last segment from the peer */
    int64_t at[TIMER_SLOTS]; /* timers.c */
    struct cc cc;
    struct tcp_options opt;
    uint32_t segs_in, segs_out, retrans;
    uint32_t trouble_at_ms; /* timers.c: nothing of ours gets through since then; 0: it does */
    uint32_t data_segs_in, data_segs_out;
    uint32_t state_at_ms;        /* when the state was entered */
    uint32_t pace_at_us;         /* low bits; pace.c */
    uint16_t una_laps, nxt_laps; /* how often SND.UNA and RCV.NXT passed ISS and IRS again */
    union {
        uint64_t bytes_retrans;
        struct listener *listen; /* LISTEN only */
    };
};

struct syn_mini {
    struct flow flow;
    uint32_t hash;
    struct wheel_node node;
    struct list_node out;
    struct seq iss, irs;
    uint32_t ts_recent;
    uint32_t listener; /* tcb index */
    uint32_t sent_at_us;
    uint16_t peer_mss;
    uint16_t wnd;
    uint8_t peer_wscale;
    uint8_t agreed; /* enum tcp_opt_flag */
    uint8_t ifindex;
    uint8_t retries;
    uint8_t flags;        /* SYN_MINI_* */
    uint8_t ip_ecn;       /* of the SYN */
    uint16_t answered_ms; /* low bits, 0: never; the last ACK to something unacceptable */
    uint32_t ts_offset;
};
enum {
    SYN_MINI_HELD = 1,
    SYN_MINI_TOLD = 2,
    SYN_MINI_ACKED = 4,
    SYN_MINI_AGAIN = 8,    /* the SYN/ACK was sent again: it or its ACK was lost */
    SYN_MINI_UNTIMED = 16, /* when the SYN/ACK left is not known */
    SYN_MINI_ECN = 32,     /* agreed; with SYN_MINI_ACC: our text may be marked */
    SYN_MINI_ACC = 128,    /* accurate ECN */
    SYN_MINI_OLD = 64      /* Fast Open by the experimental option */
};

struct tw_mini {
    struct flow flow;
    uint32_t ts_recent;
    struct list_node order;
    uint64_t ends_ms : 21;  /* low bits; half of its turn is more than the longest TIME-WAIT */
    uint64_t ace : 3;       /* accurate ECN's; nobody is left whom marks that come now would slow */
    uint64_t answered : 12; /* TW_TICK_MS, low bits; 0: not yet */
    uint64_t wnd : 16;      /* as on the wire, scaled by us */
    uint64_t wscale : 4;
    uint64_t ifindex : 5;
    uint64_t has_ts : 1;
    uint64_t reuse : 2; /* OPT_REUSEADDR and OPT_REUSEPORT, as multiples of the former */
    struct seq snd_nxt, rcv_nxt;
};
#define TW_ENDS_MASK 0x1fffffu
#define TW_TICK_MS 16u /* of `answered`, which goes round in more than a TIME-WAIT */

_Static_assert(sizeof(struct tcb) <= 464, "with socket and table slots an idle connection is 512");
_Static_assert(sizeof(struct syn_mini) <= 96, "a SYN-queue entry is at most 96 bytes");
_Static_assert(sizeof(struct tw_mini) <= 64, "a TIME-WAIT entry is at most 64 bytes");

static inline struct tcb *tcb_at(const struct tcp *p, uint32_t i)
{
    return pool_at(&p->tcbs, i);
}
static inline struct syn_mini *syn_at(const struct tcp *p, uint32_t i)
{
    return pool_at(&p->syns, i);
}
static inline struct tw_mini *tw_at(const struct tcp *p, uint32_t i)
{
    return pool_at(&p->tws, i);
}
static inline uint32_t now_ms(const struct tcp *p)
{
    return (uint32_t)((uint64_t)p->now_us / 1000);
}
static inline int32_t tw_left_ms(const struct tcp *p, const struct tw_mini *w)
{
    return (int32_t)(((uint32_t)w->ends_ms - now_ms(p)) << 11) >> 11;
}
/* For instants whose 0 means never. Never after now: what was measured since would be negative. */
static inline uint32_t now_ms_not_0(const struct tcp *p)
{
    return now_ms(p) ? now_ms(p) : UINT32_MAX;
}

/* Bytes between the first of the send ring and the end of what the program wrote. */
static inline struct seq snd_base(const struct tcb *t)
{
    bool is_syn_open = t->state == SYN_SENT || t->state == SYN_RECEIVED;

    return is_syn_open ? seq_add(t->snd.iss, 1) : t->snd.una;
}
static inline struct seq snd_data_end(const struct tcb *t)
{
    return seq_add(snd_base(t), t->snd.ring.len);
}
static inline uint32_t unsent_of(const struct tcb *t)
{
    int32_t n = seq_diff(snd_data_end(t), t->snd.nxt);
    return n > 0 ? (uint32_t)n : 0;
}
static inline uint32_t notsent_most(const struct tcp *p, const struct tcb *t)
{
    return t->opt.notsent_lowat ? t->opt.notsent_lowat : (uint32_t)p->knobs->tcp_notsent_lowat;
}
/* Did a pointer that moved from `was` to `is` pass its first number? */
static inline bool tcb_has_lapped(struct seq first, struct seq was, struct seq is)
{
    return (uint32_t)seq_diff(is, first) < (uint32_t)seq_diff(was, first);
}
/* Bytes of text since the beginning: sequence numbers, less SYN and FIN. */
static inline uint64_t tcb_bytes_acked(const struct tcb *t)
{
    uint64_t n = (uint64_t)t->una_laps << 32 | (uint32_t)seq_diff(t->snd.una, t->snd.iss);
    bool is_fin_acked = (t->flags & T_FIN_SENT) && seq_eq(t->snd.una, t->snd.nxt);

    return n ? n - 1 - is_fin_acked : 0;
}
static inline uint64_t tcb_bytes_received(const struct tcb *t)
{
    uint64_t n = (uint64_t)t->nxt_laps << 32 | (uint32_t)seq_diff(t->rcv.nxt, t->rcv.irs);

    return n ? n - 1 - !!(t->flags & T_FIN_RECEIVED) : 0;
}
/* Neither a socket nor an accept queue holds it. */
static inline bool tcb_is_ownerless(const struct tcb *t)
{
    return !t->sock && !(t->flags & T_ACCEPTABLE);
}
static inline bool is_synchronized(const struct tcb *t)
{
    return t->state != CLOSED && t->state != LISTEN && t->state != SYN_SENT;
}
/* May the program still hand us data? */
static inline bool may_send(const struct tcb *t)
{
    return (t->state == ESTABLISHED || t->state == CLOSE_WAIT || t->state == SYN_SENT ||
            t->state == SYN_RECEIVED) &&
           !(t->flags & T_FIN_QUEUED);
}
/* May the peer still send us text? */
static inline bool may_receive(const struct tcb *t)
{
    return t->state == ESTABLISHED || t->state == FIN_WAIT_1 || t->state == FIN_WAIT_2;
}

static inline unsigned timer_slot(enum timer i)
{
    return i < TIMER_delack ? 0 : i - TIMER_delack + 1u;
}
static inline int64_t timer_at(const struct tcb *t, enum timer i)
{
    return i >= TIMER_delack || t->loss.timer == i ? t->at[timer_slot(i)] : WHEN_NEVER;
}

/* -- demux.c: who is this segment for ---------------------------------------------------------- */
uint32_t flow_hash(const struct tcp *p, const struct flow *f);
uint32_t demux_find(const struct tcp *p, const struct flow *f, uint32_t hash); /* wheel_ref or 0 */
bool demux_add(struct tcp *p, uint32_t hash, int kind, uint32_t index);
void demux_remove(struct tcp *p, uint32_t hash, int kind, uint32_t index);
uint32_t listen_find(const struct tcp *p, const struct flow *f, uint32_t spread); /* tcb or 0 */
bool listen_add(struct tcp *p, struct tcb *t);
void listen_remove(struct tcp *p, struct tcb *t);

/* -- arrive.c: 3.10.7 -------------------------------------------------------------------------- */
enum drop arrive(struct tcp *p, struct tcb *t, struct seg *s);
/* Step one, for a window [nxt, edge); and step two's part of it. */
bool is_acceptable(struct seq nxt, struct seq edge, const struct seg *s);
bool is_reset_in_window(struct seq nxt, struct seq edge, const struct seg *s);

/* -- ack.c: step five, and what an ACK sets going ---------------------------------------------- */
enum drop fifth_check_ack(struct tcp *p, struct tcb *t, struct seg *s);
void ack_process(struct tcp *p, struct tcb *t, const struct seg *s);
/* Writes may go on: the program hears of it. */
void tell_writer(struct tcp *p, struct tcb *t);
void ack_measures_syn(struct tcp *p, struct tcb *t, const struct seg *s);
void window_from_peer(struct tcb *t, const struct seg *s);

/* -- text.c: step seven and eight, the receive ring -------------------------------------------- */
enum drop seventh_process_text(struct tcp *p, struct tcb *t, struct seg *s);
void eighth_check_fin(struct tcp *p, struct tcb *t, struct seg *s);
bool text_trim(struct tcb *t, struct seg *s); /* to the window; false: nothing is left */
/* [start, end) came again: 2883. */
void text_repeated(struct tcp *p, struct tcb *t, struct seq start, struct seq end);
void text_of_syn(struct tcp *p, struct tcb *t, struct seg *s);
void text_free(struct tcp *p, struct tcb *t);

/* -- urgent.c: step six, the urgent byte --------------------------------------------------------
 */
void sixth_check_urg(struct tcp *p, struct tcb *t, const struct seg *s);
uint32_t urgent_limit(const struct tcb *t, uint32_t *skip);
void urgent_passed(struct tcb *t);
bool urgent_is_news(const struct tcb *t);
void tcp_receive_drop(struct tcp *p, struct tcb *t, uint32_t n); /* user_data.c */

/* -- state.c: the only writer of the state ----------------------------------------------------- */
void enter(struct tcp *p, struct tcb *t, enum state to);
/* Tells the trace; also of what is no tcb. */
void trace_state(struct tcp *p, const struct flow *f, struct weir_why why);
struct tcb *tcb_new(struct tcp *p);
void tcb_free(struct tcp *p, struct tcb *t);
/* The connection is over: to CLOSED with `error` for the program (0: none). It is still there: */
void tcb_end(struct tcp *p, struct tcb *t, int error);
/* The last word of every entry into this folder: frees what is over and owned by nobody, arms the
 * timer of what goes on. */
void tcb_settle(struct tcp *p, struct tcb *t);
void tcb_mark(struct tcp *p, struct tcb *t, uint8_t marks);
void tcb_wants_output(struct tcp *p, struct tcb *t);
void tcb_detach(struct tcp *p, struct tcb *t); /* out of the demux table, timers off */
void tcb_check(const struct tcp *p, const struct tcb *t);

/* -- timers.c: 3.10.8 -------------------------------------------------------------------------- */
void timers_on_sent(struct tcp *p, struct tcb *t, bool is_oldest_again);
void timers_on_ack(struct tcp *p, struct tcb *t, bool is_progress);
void timers_on_all_acked(struct tcp *p, struct tcb *t);
void timers_on_heard(struct tcp *p, struct tcb *t);
void timers_on_received(struct tcp *p, struct tcb *t); /* text came: an ACK is owed */
void timers_on_ack_sent(struct tcb *t);
void timers_on_window(struct tcp *p,
                      struct tcb *t); /* closed or opened by the peer, or nothing in flight */
void timers_on_state(struct tcp *p, struct tcb *t);
void timers_off(struct tcp *p, struct tcb *t);
void timers_fire(struct tcp *p, struct tcb *t);
void timers_arm(struct tcp *p, struct tcb *t); /* moves the node to the first instant */
int64_t timers_retries_max(const struct tcp *p, const struct tcb *t);
uint32_t rto_with_backoff(const struct tcp *p, const struct tcb *t);

/* -- recovery: what is in flight and what is lost, see recovery.h ------------------------------ */
struct sent;
void sent_free(struct tcp *p, struct tcb *t);
uint32_t in_flight(const struct tcb *t); /* 6675's pipe */
void loss_on_ack(struct tcp *p, struct tcb *t, struct ack_event *e);
void loss_on_overtaken(struct tcp *p, struct tcb *t, const struct seg *s); /* with SACK */

/* -- rtt.c ------------------------------------------------------------------------------------- */
void rtt_init(const struct tcp *p, struct rtt *r);
void rtt_sample(const struct tcp *p, struct rtt *r, uint32_t us);
void rtt_echo(const struct tcp *p, struct rtt *r, uint32_t us); /* of a timestamp */
void rtt_fall_back(const struct tcp *p, struct rtt *r);         /* the handshake gave no sample */

/* -- window.c: what we offer and what we may use ----------------------------------------------- */
uint32_t window_to_offer(struct tcp *p, struct tcb *t); /* sets rcv.edge; bytes */
bool window_update_due(const struct tcp *p, const struct tcb *t);
uint32_t window_usable(const struct tcb *t); /* bytes of new data that the peer's window allows */
uint8_t window_scale_for(uint32_t bytes);
uint32_t window_room(const struct tcb *t); /* free receive space, bytes */

/* -- pull.c ------------------------------------------------------------------------------------ */
bool pull_tcb(struct tcp *p, struct tcb *t, const struct pull_limit *limit, struct seg_out *out);
bool pull_is_done(const struct tcp *p, const struct tcb *t);

/* -- header.c ---------------------------------------------------------------------------------- */
uint32_t ts_now(const struct tcp *p, const struct tcb *t);
/* Bytes of text that fit a segment now; is_new: it begins at SND.NXT. */
uint32_t header_mss(const struct tcp *p, const struct tcb *t, bool is_new);
/* All but the text, and what only SYNs carry. */
void header_begin(struct tcp *p, struct tcb *t, struct seg_out *out, uint8_t flags, struct seq seq);

/* -- listen.c: 3.10.7.2 ------------------------------------------------------------------------ */
enum drop arrive_listen(struct tcp *p, struct tcb *listener, struct seg *s);
/* Its two halves: may this SYN begin something (if not, it is answered or counted here); then it
 * does, with an initial sequence number beyond `above`, if there is one. */
enum drop listen_judge(struct tcp *p, const struct tcb *t, const struct seg *s);
enum drop listen_take(struct tcp *p, struct tcb *t, struct seg *s, const struct seq *above);
void listen_queue(struct tcp *p, struct tcb *listener, struct tcb *t); /* to be accepted */
void listener_close(struct tcp *p, struct tcb *t);

/* -- syn.c, tw.c: minis ------------------------------------------------------------------------ */
enum drop syn_arrive(struct tcp *p, uint32_t index, struct seg *s);
void syn_fire(struct tcp *p, uint32_t index);
void syn_pull(struct tcp *p, uint32_t index, struct seg_out *out);
void syn_free(struct tcp *p, uint32_t index);
void syn_take_options(const struct tcp *p, struct syn_mini *m, const struct seg *s);
uint16_t tcp_mss_of(const struct seg *s); /* that a SYN states, or its family's preset */
uint16_t listener_mss(const struct tcb *listener, const struct flow *f);
/* An entry for the segment's flow, with a first number of its own and without options. */
enum drop syn_mini_new(struct tcp *p, struct tcb *listener, const struct seg *s, uint32_t *index);
enum drop syn_complete(struct tcp *p, uint32_t index, struct seg *s); /* the last ACK is good */
struct tcb *syn_promote(struct tcp *p, uint32_t index); /* the tcb in its place; NULL: no room */
void syn_forget(struct tcp *p, const struct flow *f, uint32_t hash);
/* An entry for the SYN, and its SYN/ACK; `above`: the ISN must lie beyond, NULL: anywhere. */
enum drop syn_begin(struct tcp *p, struct tcb *listener, const struct seg *s,
                    const struct seq *above, bool gives_cookie);
void syn_wants_output(struct tcp *p, struct syn_mini *m, uint32_t index);
bool tw_begin(struct tcp *p, struct tcb *t);
void tw_free(struct tcp *p, uint32_t index, enum state to); /* `to`: what comes after it */
enum drop tw_arrive(struct tcp *p, uint32_t index, struct seg *s);
void tw_give_way(struct tcp *p); /* the one that would end first */
bool tw_may_reuse(const struct tcp *p, const struct tw_mini *w, bool is_loopback);

/* -- cookie.c: 4987#3.6 ------------------------------------------------------------------------ */
enum drop cookie_answer(struct tcp *p, struct tcb *listener, const struct seg *s); /* to a SYN */
/* False: the ACK holds no cookie of ours. Else it was judged. */
bool cookie_arrive(struct tcp *p, struct tcb *listener, struct seg *s, enum drop *verdict);

/* -- ecn.c: 3168 ------------------------------------------------------------------------------- */
void ecn_on_syn_out(struct tcp *p, struct tcb *t, struct tcp_hdr *h); /* its options are there */
bool ecn_is_setup(const struct tcp *p, const struct seg *s);
void ecn_on_syn(struct tcp *p, struct tcb *t, const struct seg *s);       /* simultaneous open */
bool ecn_on_syn_again(struct tcp *p, struct tcb *t, const struct seg *s); /* false: RST */
void ecn_on_syn_ack(struct tcp *p, struct tcb *t, const struct seg *s);
void ecn_on_segment(struct tcp *p, struct tcb *t, const struct seg *s);
void ecn_on_ack(struct tcp *p, struct tcb *t, const struct seg *s, struct ack_event *e);
void ecn_on_reduced(struct tcb *t);                /* for a loss too */
void ecn_mark(struct tcb *t, struct seg_out *out); /* new text */

/* -- icmp.c ------------------------------------------------------------------------------------ */
void tcb_report(struct tcp *p, struct tcb *t, int error); /* an error that ends nothing */

/* -- recycle.c: tcp_tw_recycle ----------------------------------------------------------------- */
void recycle_remember(struct tcp *p, const struct weir_addr *host, uint32_t ts);
bool recycle_refuses(const struct tcp *p, const struct seg *syn);
void recycle_fini(struct tcp *p);

/* -- limit.c: answers that no connection gives ------------------------------------------------- */
struct seq isn_new(const struct tcp *p, uint64_t secret);
uint32_t ts_offset(uint64_t secret);
enum drop reply_reset(struct tcp *p, const struct seg *s, enum drop reason, enum event why);
bool reply_push(struct tcp *p, const struct reply *r);
void reply_pull(struct tcp *p, struct seg_out *out);
void challenge_ack(struct tcp *p, struct tcb *t);

#endif
