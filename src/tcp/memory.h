/* What a connection holds and may hold: buffers that grow, text beyond holes, and what happens when
 * memory runs short.
 *
 * Knows: tcb.h. Shape: nobody below asks why. Units: bytes. Errors: none. Cost: O(1) where nothing
 * is short. docs/memory.md */
#ifndef TCP_MEMORY_H
#define TCP_MEMORY_H

#include "tcp/tcb.h"

struct early {
    struct ranges set;
    uint32_t owner; /* tcb */
    struct early *next, *prev;
};
_Static_assert(sizeof(struct early) == 1024, "a size that mem keeps");

/* -- tune.c: buffers that grow ------------------------------------------------------------------
 */
#define TUNE_FIRST_SEGMENTS 10u /* 6928: of the first round; less says nothing */
void tunes_init(struct tcp *p);
void tune_free(struct tcp *p, struct tcb *t);
void tune_on_text(struct tcp *p, struct tcb *t, const struct seg *s); /* it came in order */
void tune_on_read(struct tcp *p, struct tcb *t);                      /* t->tune is not 0 */
void tune_sndbuf(const struct tcp *p, struct tcb *t);
/* Has so much come that it is worth while to look? */
static inline bool tune_is_due(const struct tcb *t)
{
    return t->tune || (uint32_t)seq_diff(t->rcv.nxt, t->rcv.irs) >= t->opt.rcvbuf / 4;
}

/* -- press.c: memory is short ------------------------------------------------------------------ */
#define PRESSED_SEGMENTS 4u /* what a connection may have unread then, and be offered: linux */
struct early *early_new(struct tcp *p, struct tcb *t);
void early_free(struct tcp *p, struct tcb *t);
void press_shed_early(struct tcp *p, size_t until);
bool press_look_closely(struct tcp *p);
/* Is memory short? What came beyond holes may be gone after it, this connection's too. */
static inline bool press_look(struct tcp *p)
{
    return (p->press.is_on || p->mem->held > p->press.some) && press_look_closely(p);
}
static inline bool press_is_high(const struct tcp *p)
{
    return p->mem->held > p->press.high;
}
uint32_t press_unread_max(const struct tcp *p, const struct tcb *t);
bool press_refuses_orphan(const struct tcp *p, const struct tcb *t);
bool press_ends(const struct tcp *p, const struct tcb *t);
void press_end(struct tcp *p, struct tcb *t);

#endif
