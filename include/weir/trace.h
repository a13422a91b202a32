/* What happened and why. Each change of a state is an event, each frame that was dropped, and each
 * TCP segment that left for a reason of its own, such as a timeout; the stack keeps the last ones
 * in a ring that the caller drains. Frames that go out carry their reason too, as `why` (frame.h).
 * The kinds are src/def/events.def. And what holds a connection where it is: weir_facts. */
#ifndef WEIR_TRACE_H
#define WEIR_TRACE_H

#include <weir/addr.h>
#include <weir/frame.h>
#include <weir/socket.h>
#include <weir/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_event {
    int64_t at_ns;
    struct weir_sockaddr local, peer; /* ports only where a TCP header was read */
    struct weir_why why; /* a change to CLOSED: n is the errno that ended it, 0 for none */
};

/* Keeps up to `events` of them (0: off, the default), and forgets those that were kept. Costs
 * nothing while off. 0, or -ENOMEM. */
int weir_trace_start(struct weir_stack *stack, uint32_t events);
/* The last net.weir.trace_events without the routine: ACKs, fast retransmissions, frames that no
 * connection or listener was meant by. What is left tells how connections came to be what they are.
 */
int weir_trace_start_brief(struct weir_stack *stack);
/* Takes out the oldest ones, at most `max`; returns how many. A full ring has lost its oldest. */
int weir_trace_read(struct weir_stack *stack, struct weir_event *events, int max);
/* Looks without taking: start with *cursor 0; 1 with the next event, or 0 after the newest. */
int weir_trace_next(struct weir_stack *stack, uint64_t *cursor, struct weir_event *event);
/* One line in plain words, such as "retransmission timeout 2 of 15" or "dropped: tcp_checksum", cut
 * to `size`. Returns its length; 0 when there is nothing to say. */
int weir_why_text(const struct weir_why *why, char *text, size_t size);
/* The event's name, as in src/def/events.def ("reset_unread"); "?" for none. */
const char *weir_event_name(int event);

/* -- what a connection waits for --------------------------------------------------------------- */

/* What ends it by itself, if the peer keeps silent from now on. */
enum weir_end {
    WEIR_END_NONE,         /* nothing: it stays for ever */
    WEIR_END_RETRIES,      /* retransmissions run out */
    WEIR_END_USER_TIMEOUT, /* TCP_USER_TIMEOUT */
    WEIR_END_PROBES,       /* probes of a closed window run out */
    WEIR_END_KEEPALIVE,    /* keepalive probes run out */
    WEIR_END_FIN_WAIT_2,   /* nobody holds it, and the peer's FIN does not come */
    WEIR_END_LINGER,       /* SO_LINGER */
    WEIR_END_TIME_WAIT     /* 2 MSL are over */
};

enum weir_fact {
    WEIR_FACT_ORPHAN = 1,     /* the program has closed it */
    WEIR_FACT_QUEUED = 2,     /* waits for accept() */
    WEIR_FACT_FIN_SENT = 4,   /* our FIN left */
    WEIR_FACT_FIN_WAITS = 8,  /* our FIN waits behind unsent bytes */
    WEIR_FACT_KEEPALIVE = 16, /* SO_KEEPALIVE is on */
    WEIR_FACT_PROBING = 32,   /* keepalive probes are under way */
    WEIR_FACT_HOLE = 64,      /* text came, and some before it is missing */
    WEIR_FACT_RETRYING =
        128,                 /* SYN-RECEIVED: the handshake's ACK came, the accept queue was full */
    WEIR_FACT_LATE_FIN = 256 /* the peer's FIN came, and text before it is missing */
};

struct weir_facts {
    uint32_t flags;            /* enum weir_fact */
    int32_t end;               /* enum weir_end */
    int64_t end_left_us;       /* until then */
    int32_t tries, tries_most; /* of what `end` counts */
    const char *knob;          /* that sets the end, or NULL: a socket option, or nothing */
    int64_t knob_value;
    uint32_t state_ago_ms;   /* since the state was entered; SYN-RECEIVED: since the SYN */
    uint32_t stalled_ago_ms; /* since nothing of ours gets through (closed window, no ACK); 0: it
                              * does */
    /* LISTEN */
    uint32_t waits_ago_ms; /* with connections waiting: since nothing was accepted */
    uint32_t half_open, half_open_most;
    uint64_t refused; /* handshakes that found the accept queue full */
};
/* Of the endpoint that weir_info_next has just given for this cursor. Zero for datagrams. */
void weir_facts(struct weir_stack *stack, uint64_t cursor, struct weir_facts *facts);

#ifdef __cplusplus
}
#endif

#endif
