/* What congestion control and pacing say to the rest of TCP.
 *
 * Knows: tcb.h. Shape: pace.c writes snd.pace and pace_at_us; tcb.cc is the algorithm's.
 * Units: bytes, bytes/s; instants low 32 bits of microseconds. */
#ifndef TCP_PACE_H
#define TCP_PACE_H

#include "tcp/tcb.h"

enum {
    PACE_ON = 1,
    PACE_WAITS = 2,
    PACE_LATE = 4,         /* its timer fired, nothing left since */
    PACE_SAMPLES = 8,      /* the algorithm goes by delivery rates: rate.c */
    PACE_HAD_NO_MORE = 16, /* so the last flight ended: rate.c */
    PACE_VALIDATES = 32    /* 7661: validate.c */
};
void cc_begin(struct tcp *p, struct tcb *t, uint32_t segments); /* of the initial window */
void cc_choose(struct tcp *p, struct tcb *t, uint8_t algo);
void cc_end(struct tcp *p, struct tcb *t);
enum { CC_VALIDATES = 2 }; /* net.ipv4.tcp_slow_start_after_idle */
void pace_choose(struct tcp *p, struct tcb *t);
uint64_t pace_rate(const struct tcp *p, const struct tcb *t); /* bytes/s, UINT64_MAX: no limit */
int64_t pace_at(const struct tcp *p, const struct tcb *t);
bool pace_allows(struct tcp *p, struct tcb *t);
uint32_t pace_quantum(const struct tcp *p, const struct tcb *t); /* bytes that may go at once */
void pace_sent(struct tcp *p, struct tcb *t, uint32_t bytes);
void pace_fires(struct tcp *p, struct tcb *t);
void pace_hold(const struct tcp *p, struct tcb *t, uint32_t us); /* no new text for so long */

/* -- validate.c: 7661 ---------------------------------------------------------------------------
 */
void validate_begin(struct tcp *p, struct tcb *t);
void validate_on_ack(const struct tcp *p, const struct tcb *t, struct ack_event *e);
void validate_before_send(const struct tcp *p, struct tcb *t);
void validate_on_loss(const struct tcp *p, struct tcb *t, uint32_t flight); /* as cc_on_loss */
void validate_on_ecn(const struct tcp *p, struct tcb *t, uint32_t flight);
void validate_on_timeout(const struct tcp *p, const struct tcb *t);
void validate_on_sent_again(const struct tcp *p, const struct tcb *t, uint32_t bytes);
void validate_on_recovered(const struct tcp *p, struct tcb *t, bool is_undone);

#endif
