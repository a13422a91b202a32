/* What the files of the packet-test language share, see peer.h. */
#ifndef SUPPORT_PEER_NET_H
#define SUPPORT_PEER_NET_H

#include "def/drop.h"
#include "def/state.h"
#include "peer.h"

#define MS 1000000ll
#define QUEUE_MAX 256
#define NAMED_MAX 16
#define STEPS_MAX 100000
#define EVENTS_MAX 128

struct peer_net {
    struct weir_stack *stack;
    int ifindex;
    int64_t now_ns, began_ns;
    struct got queue[QUEUE_MAX];
    int queued;
    const char *named[NAMED_MAX]; /* counters that the test compared */
    int named_count;
    struct weir_event changes[EVENTS_MAX]; /* of state */
    int changes_count;
    size_t bytes; /* held by the stack */
};

/* peer_wire.c: WEIR_TEST_IP=6 lets all of this speak IPv6: the stack is fd00::1, peers fd00::2, and
 * the link's MTU 20 bytes more, so that segments are as long as over IPv4. */
bool peer_is_v6(void);
struct weir_addr peer_addr(bool is_host);
uint32_t peer_ip_len(void); /* bytes of header */
struct peer_packet {
    bool is_from_host;
    uint8_t tos, proto;
    uint32_t len; /* behind the header */
};
uint32_t peer_put_ip(uint8_t *p, const struct peer_packet *s);

/* Time is now; takes what the stack has to send, and lets it check itself. */
void peer_collect(struct peer_net *net);
void peer_step_to(struct peer_net *net, int64_t at_ns);
bool peer_is_named(const struct peer_net *net, const char *name); /* a counter */

#endif
