/* A packet that is sent to die on the way: what `weir traceroute` is made of.
 *
 * Knows: the socket calls of libweir. Not who asks. Shape: one socket for each probe, which waits
 * for the error, or the answer, that tells who it reached. Units: ns; the answer's time us.
 * Errors: -errno. 792, 1812#5.3.1, 8200#3 */
#ifndef RUN_PROBE_H
#define RUN_PROBE_H

#include <weir/weir.h>

enum probe_kind { PROBE_UDP, PROBE_ICMP, PROBE_TCP };
#define PROBE_DATA_MAX 65000

struct probe_wish {
    struct weir_addr to;
    enum probe_kind kind;
    uint16_t port; /* UDP, TCP: to; ICMP: the sequence number */
    uint8_t ttl;
    uint16_t bytes; /* of data */
};

struct probe {
    struct weir_stack *stack;
    int sock; /* -1: free */
    enum probe_kind kind;
    int64_t sent_at;
};

struct probe_answer {
    int rtt_us;
    struct weir_addr from; /* who ended its way; unspecified: our own stack */
    uint8_t type, code;    /* of the ICMP error; both 0: it answered itself */
    bool is_reached;       /* it was the target that answered, one way or the other */
    int error;             /* errno of the error, 0: none */
};

int probe_send(struct probe *p, struct weir_stack *stack, const struct probe_wish *w,
               int64_t now_ns);
/* True: it is over, and closed. */
bool probe_take(struct probe *p, int64_t now_ns, struct probe_answer *a);
void probe_close(struct probe *p);

#endif
