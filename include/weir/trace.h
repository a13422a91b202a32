/* What happened and why. Every state change, timer, retransmission, drop and window change is an
 * event of def/events.def; the stack keeps the last ones in a ring that the caller drains. */
#ifndef WEIR_TRACE_H
#define WEIR_TRACE_H

#include <weir/addr.h>
#include <weir/frame.h>
#include <weir/stack.h>

struct weir_event {
    int64_t at_ns;
    int sock; /* -1: none */
    struct weir_sockaddr local, peer;
    struct weir_why why;
    uint64_t a, b; /* the event's numbers; its text says what they are */
};

/* Keeps up to `events` of them (0: off, the default). Costs nothing while off. -ENOMEM. */
int weir_trace_start(struct weir_stack *stack, uint32_t events);
int weir_trace_read(struct weir_stack *stack, struct weir_event *events, int max);
/* One line in plain words, such as "RTO 2 of 15" or "dropped: tcp_checksum". Returns its length;
 * 0 when there is nothing to say. */
int weir_why_text(const struct weir_why *why, char *text, size_t size);

#endif
