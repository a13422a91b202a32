/* A DHCP client: how an interface comes by an IPv4 address, and keeps it. RFC 2131.
 *
 * Knows: base, def, wire. Not interfaces, sockets or routes: it is handed messages and asked for
 * them; what is to be done with a lease is a mark that the stack takes. Shape: one struct for each
 * interface that asks. Units: microseconds (`now_us`), seconds in leases. Errors: verdicts. Cost:
 * O(1) for each message. */
#ifndef DHCP_DHCP_H
#define DHCP_DHCP_H

#include "base/rng.h"
#include "wire/wire.h"

enum dhcp_state {
    DHCP_OFF,
    DHCP_INIT, /* waits before it asks (again) */
    DHCP_SELECTING,
    DHCP_REQUESTING,
    DHCP_CHECKING, /* granted; does somebody else have it? */
    DHCP_BOUND,
    DHCP_RENEWING,
    DHCP_REBINDING,
    DHCP_REBOOTING /* asks for the address that it had before */
};

/* What is to be done with dhcp_client.lease: dhcp_take_mark. */
enum dhcp_mark { DHCP_NOTHING, DHCP_GRANTED, DHCP_RENEWED, DHCP_LOST };

struct dhcp_client {
    enum dhcp_state state;
    enum dhcp_mark mark;
    struct rng rng;
    uint8_t mac[6];
    uint32_t xid;
    bool is_due;            /* a message goes out now */
    bool is_declining;      /* and is this one */
    bool is_leaving;        /* or this one, the last */
    uint8_t tries;          /* in this state */
    uint16_t secs;          /* that the last message said */
    uint32_t again;         /* REBOOTING: the address of before */
    int64_t asked_us;       /* when the exchange began */
    int64_t requested_us;   /* and the last request, from which the lease counts */
    int64_t at_us;          /* the next step, INT64_MAX: none */
    int64_t t1_us, t2_us;   /* RENEWING, REBINDING begin */
    int64_t expires_us;     /* INT64_MAX: never */
    struct dhcp_msg lease;  /* the offer, then what was granted */
    struct dhcp_msg former; /* what was granted before: DHCP_LOST, DHCP_RENEWED */
    uint64_t naks, declines;
};

/* Asks from now on; for this address where it had one (host order), else 0. */
void dhcp_start(struct dhcp_client *c, const uint8_t mac[6], uint32_t again, int64_t now_us);
/* Gives the lease back, which is lost by that; asks no more. */
void dhcp_stop(struct dhcp_client *c, int64_t now_us);
/* A UDP payload that came to port 68. PASS, or why it is of no use. */
enum drop dhcp_input(struct dhcp_client *c, const uint8_t *p, size_t n, int64_t now_us);
bool dhcp_advance(struct dhcp_client *c, int64_t now_us); /* whether something was due */
enum dhcp_mark dhcp_take_mark(struct dhcp_client *c);
/* The address that was granted is free, or somebody else's. */
void dhcp_checked(struct dhcp_client *c, bool is_free, int64_t now_us);

struct dhcp_out {
    uint32_t src, dst; /* host order */
    size_t len;
};
/* The next message to p, which has room for DHCP_SEND_MAX; false: nothing now. */
bool dhcp_pull(struct dhcp_client *c, uint8_t *p, struct dhcp_out *out, int64_t now_us);

#endif
