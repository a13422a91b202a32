/* What happened in a run, row by row: segments with their fates, calls, timers, states.
 *
 * Knows: nodes, segments, the stacks' traces. Not how it is printed. Shape: rows in the order of
 * their beginning; a segment's row is completed when it arrives or is lost.
 * Units: ns. Errors: after LAB_ROWS_MAX rows nothing is kept, and `missed` counts. */
#ifndef LAB_LOG_H
#define LAB_LOG_H

#include "lab/net.h"

#define LAB_ROWS_MAX 400000
#define LAB_NO_STATE 0

enum lab_fate {
    LAB_FLYING,
    LAB_ARRIVED,
    LAB_DAMAGED, /* a bit was flipped: the receiver will drop it */
    LAB_LOST_CHANCE,
    LAB_LOST_FAULT,
    LAB_LOST_BURST,
    LAB_LOST_QUEUE,
    LAB_LOST_POLICER,
    LAB_LOST_DOWN,
    LAB_LOST_MTU,
    LAB_LOST_DEAD,
    LAB_LOST_ROUTER,
    LAB_LOST_FCS, /* damaged, and the card noticed */
    LAB_FATES,
};
const char *lab_fate_text(enum lab_fate fate);

enum lab_row_kind { LAB_ROW_SEG, LAB_ROW_CALL, LAB_ROW_STATE, LAB_ROW_NOTE };

struct lab_row {
    int64_t at, arrived; /* arrived: 0 if it did not */
    uint8_t kind;        /* enum lab_row_kind */
    uint8_t fate;        /* enum lab_fate */
    bool is_stray;       /* nobody's: a copy, or injected */
    bool is_forced;      /* LAB_ROW_STATE: a timer did it */
    int8_t from, to;     /* nodes, -1: none */
    uint8_t state[2];    /* of sender and receiver: enum state, or LAB_NO_STATE */
    struct weir_why why; /* the sender's reason */
    uint16_t verdict;    /* the receiver's */
    uint32_t order;      /* rows there were when it arrived: what came before, in one instant */
    uint32_t cause;      /* LAB_ROW_STATE: 1 + row of the segment whose arrival did it; 0: none */
    uint64_t key;        /* by which it is known on its way */
    uint32_t next;       /* of the same key, while flying; 0: none */
    char *text;          /* of a call, a note */
    struct lab_seg seg;
};

struct lab_log;
struct lab_log *lab_log_new(struct lab *lab);
void lab_log_free(struct lab_log *log);
uint32_t lab_log_count(const struct lab_log *log);
const struct lab_row *lab_log_row(const struct lab_log *log, uint32_t i);
uint64_t lab_log_missed(const struct lab_log *log);

void lab_log_boot(struct lab_log *log, struct lab_node *n);
void lab_log_crash(struct lab_log *log, struct lab_node *n);
/* Reads the node's trace. is_timer: time did it, not a segment or a call. */
void lab_log_events(struct lab_log *log, struct lab_node *n, bool is_timer);
void lab_log_sent(struct lab_log *log, struct lab_node *n, const struct lab_seg *s,
                  const struct weir_why *why);
void lab_log_fate(struct lab_log *log, const struct lab_link *l, const struct lab_seg *s,
                  enum lab_fate fate);
void lab_log_arrived(struct lab_log *log, struct lab_node *n, const struct lab_seg *s,
                     const struct weir_why *why);
/* A NAT turned one into the other. The log shows the addresses of the inside. */
void lab_log_changed(struct lab_log *log, const struct lab_seg *was, const struct lab_seg *is,
                     bool is_out);
/* Something was called at node n (NULL: by nobody), or is worth knowing. */
void lab_log_text(struct lab_log *log, enum lab_row_kind kind, const struct lab_node *n,
                  const char *text);
/* Who sent the ICMP error that reached the node last; 0: nobody. */
uint32_t lab_log_told_by(const struct lab_log *log, const struct lab_node *n);
/* Port `port` of the node listens. */
void lab_log_listens(struct lab_log *log, const struct lab_node *n, uint16_t port);

/* -- capture.c --------------------------------------------------------------------------------- */

int lab_capture_open(struct lab *lab, const char *path); /* 0, or -1 with lab->error */
void lab_capture(struct lab_link *l, int end, const struct weir_frame *f, enum lab_fate fate);
int lab_capture_close(struct lab *lab);

#endif
