/* What happened and why. Each change of a state is an event, each frame that was dropped, and each
 * TCP segment that left for a reason of its own, such as a timeout; the stack keeps the last ones
 * in a ring that the caller drains. Frames that go out carry their reason too, as `why` (frame.h).
 * The kinds are src/def/events.def. */
#ifndef WEIR_TRACE_H
#define WEIR_TRACE_H

#include <weir/addr.h>
#include <weir/frame.h>
#include <weir/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_event {
    int64_t at_ns;
    struct weir_sockaddr local, peer; /* ports only where a TCP header was read */
    struct weir_why why;
};

/* Keeps up to `events` of them (0: off, the default), and forgets those that were kept. Costs
 * nothing while off. 0, or -ENOMEM. */
int weir_trace_start(struct weir_stack *stack, uint32_t events);
/* Takes out the oldest ones, at most `max`; returns how many. A full ring has lost its oldest. */
int weir_trace_read(struct weir_stack *stack, struct weir_event *events, int max);
/* One line in plain words, such as "retransmission timeout 2 of 15" or "dropped: tcp_checksum", cut
 * to `size`. Returns its length; 0 when there is nothing to say. */
int weir_why_text(const struct weir_why *why, char *text, size_t size);

#ifdef __cplusplus
}
#endif

#endif
