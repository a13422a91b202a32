/* Echo requests and their replies on a socket of a stack: what `weir ping` is made of.
 *
 * Knows: the socket calls of libweir. Not who asks. Shape: one socket for one target; its
 * identifier is the stack's choice. Units: ns. Errors: -errno. 792, 4443 */
#ifndef RUN_ECHO_H
#define RUN_ECHO_H

#include <weir/weir.h>

#define ECHO_SENT 1024 /* requests whose time of sending is remembered */
#define ECHO_DATA_MAX 65507

struct echo {
    struct weir_stack *stack;
    int sock;
    uint8_t request, reply; /* ICMP types */
    int64_t sent_at[ECHO_SENT];
};

struct echo_reply {
    int result; /* round trip in us, or -errno: all that are under way are lost */
    uint16_t seq;
    uint8_t ttl;
    uint32_t bytes; /* of the ICMP message */
    struct weir_addr from;
};

/* ttl 0: the preset. */
int echo_open(struct echo *e, struct weir_stack *stack, const struct weir_addr *to, int ttl);
void echo_close(struct echo *e);
int echo_send(struct echo *e, uint16_t seq, uint32_t size, int64_t now_ns);
bool echo_take(struct echo *e, int64_t now_ns, struct echo_reply *reply);

#endif
