/* A pair: one connection of the far stack and the kernel socket that is its other end.
 *
 * Knows: gateway.h. Shape: gateway_tcp.c owns the state and the lists, gateway_relay.c the flags
 * that tell what may move. Kernel events are edge-triggered: may_read and may_write remember them.
 * Units: bytes, ns. Errors: see relay_outcome. Cost: 250 bytes a pair. */
#ifndef DRIVERS_GATEWAY_PAIR_H
#define DRIVERS_GATEWAY_PAIR_H

#include "gateway.h"

enum pair_state {
    DIALING,   /* the kernel connects, the SYN is held */
    HANDSHAKE, /* the SYN/ACK is out, the stack's socket not yet there */
    QUEUED,    /* a caller from an address that the stack's last connection still holds */
    CALLING,   /* the stack connects, the kernel's end is there */
    RELAYING,
    FAILING, /* the kernel's end broke and is closed; the RST waits for the bytes before it */
    DEAD,
};

struct pair {
    struct watch watch; /* the kernel's end */
    int sock;           /* the stack's end, or -1 */
    enum pair_state state;
    bool may_read, may_write;     /* the kernel did not say EAGAIN since its last event */
    bool has_hung_up;             /* the host's FIN or error is somewhere behind the data */
    bool has_urgent;              /* and so is an urgent byte */
    bool host_ended, stack_ended; /* that side's FIN was passed on */
    bool host_failed;             /* writing to it is over; what it sent is still to be read */
    bool is_active, is_waiting;   /* on g->active; on g->handshakes */
    uint32_t want;                /* bytes of send ring to ask for: doubles while reads fill it */
    struct weir_held held;        /* QUEUED: no id; the caller, and whom it calls */
    int64_t give_up_at;           /* HANDSHAKE, QUEUED, FAILING */
    TAILQ_ENTRY(pair) all, active, handshake, failing; /* failing: or queued */
    LIST_ENTRY(pair) bucket;
};

enum relay_outcome {
    RELAY_IDLE,       /* an event will tell when there is more to do */
    RELAY_MORE,       /* the turns are used up, not the bytes */
    RELAY_DONE,       /* both FINs were passed on */
    RELAY_HOST_BROKE, /* and all that the host sent before is in the ring */
    RELAY_STACK_BROKE,
};

/* Moves bytes both ways for a few turns. */
enum relay_outcome relay_pair(struct gateway *g, struct pair *p);

#endif
