/* A stack: its life, its interfaces, and the three verbs that drive it.
 *
 * One stack belongs to one thread; stacks share nothing. Time is the caller's: `now_ns` is any
 * monotonic clock in nanoseconds (a step back is clamped, never followed). */
#ifndef WEIR_STACK_H
#define WEIR_STACK_H

#include <weir/addr.h>
#include <weir/frame.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_stack;

#define WEIR_NEVER INT64_MAX /* the far instant: no deadline */

struct weir_config {
    /* The key of everything random (sequence numbers, ports, timestamps, hashes): equal seeds and
     * inputs, equal outputs. Who meets strangers fills it with getrandom() and tells nobody. */
    uint64_t seed[2];
    int64_t now_ns; /* the caller's clock at this moment */
    /* Memory; NULL for malloc and free. alloc may return NULL, at any time: what is new is refused
     * (-ENOMEM, -ENOBUFS, a dropped SYN), what there is goes on. `bytes` of free is that of alloc.
     */
    void *(*alloc)(void *ctx, size_t bytes);
    void (*free)(void *ctx, void *p, size_t bytes);
    void *mem_ctx; /* handed to both */
};

/* NULL: no memory. The stack has no interface yet. The config is copied. */
struct weir_stack *weir_new(const struct weir_config *config);
/* Forgets all connections and sends nothing; NULL is allowed. Links are closed by who opened them,
 * before. */
void weir_free(struct weir_stack *stack);

/* -- the three verbs --------------------------------------------------------------------------- */

/* Frames came in on an interface. Never sends: it leaves marks that weir_output obeys. `n` at most
 * WEIR_BURST_MAX. Returns how many were not dropped; each frame's `why` says. Any bytes may be in
 * them: they are judged, never trusted (src/stack/input.c). */
int weir_input(struct weir_stack *stack, int ifindex, struct weir_frame *burst, int n,
               int64_t now_ns);
/* Time passed: runs the timers that are due. Returns how many ran. */
int weir_advance(struct weir_stack *stack, int64_t now_ns);
/* Asks for frames to send on an interface: fills at most `max` (<= WEIR_BURST_MAX) and returns how
 * many. Call again until it returns 0. What the frames point to dies with the next call on the
 * stack. Once handed out they are sent: a frame that the link loses is a lost frame
 * (src/stack/output.c). */
int weir_output(struct weir_stack *stack, int ifindex, struct weir_frame *burst, int max,
                int64_t now_ns);
/* The instant at which weir_advance has work, in ns of the caller's clock, or WEIR_NEVER. May be
 * early, never late. O(1). */
int64_t weir_deadline(const struct weir_stack *stack);
/* True if weir_output has something to send on some interface. */
bool weir_has_output(const struct weir_stack *stack);

/* -- interfaces, addresses, routes ------------------------------------------------------------- */

enum weir_link_type {
    WEIR_LINK_ETHER, /* Ethernet frames, ARP */
    WEIR_LINK_IP,    /* bare IP packets, no link header, no neighbours */
};

enum weir_iface_flag {
    WEIR_IF_CSUM_TX = 1,     /* the link completes transport checksums (WEIR_CSUM_PARTIAL) */
    WEIR_IF_ANY_ADDR = 2,    /* every destination is taken as our own (a gateway) */
    WEIR_IF_LOOPBACK_OK = 4, /* 127/8 and our own address are no martians here */
    WEIR_IF_LLC = 8, /* sends IEEE 802.3 frames with LLC (RFC 1042), MTU at most 1,492; both are
                      * understood in any case */
};

struct weir_iface_config {
    const char *name; /* at most 15 bytes, copied */
    enum weir_link_type type;
    uint8_t mac[6]; /* WEIR_LINK_ETHER */
    uint32_t mtu;   /* bytes of IP packet, 68 to 65,535 */
    uint32_t
        gso_max; /* largest superframe's IP packet in bytes, to 65,535; 0: MTU-sized frames only */
    uint32_t flags; /* enum weir_iface_flag */
};

/* Returns the ifindex, from 1 in the order of calls, or -EINVAL, -ENOSPC (16 interfaces). There is
 * no way to remove one. */
int weir_iface_add(struct weir_stack *stack, const struct weir_iface_config *config);
/* Counts for connections that are opened from now on. 0, or -ENODEV, -EINVAL (68 to 65,535; from
 * 1,280 where the interface has an address of IPv6). */
int weir_iface_set_mtu(struct weir_stack *stack, int ifindex, uint32_t mtu);
/* An address of our own and, through the prefix (bits, 0 to 32 for IPv4), its on-link route. The
 * first is the source of what goes elsewhere. 0, or -ENODEV, -EINVAL (also IPv6 over a link whose
 * MTU is below 1,280), -EEXIST, -ENOSPC (8 for each interface), -ENOMEM. */
int weir_addr_add(struct weir_stack *stack, int ifindex, const struct weir_addr *addr, int prefix);
/* A route; gateway NULL: on link. Prefix counts bits of the family of `dst` (0 to 32, 0 to 128);
 * the longest prefix wins, then the least metric. 0, or -EINVAL, -EEXIST, -ENOSPC, -ENOMEM. */
int weir_route_add(struct weir_stack *stack, const struct weir_addr *dst, int prefix,
                   const struct weir_addr *gateway, int ifindex, uint32_t metric);

/* RARP (RFC 903), for stations that know only their MAC. ask: requests go out, at most five in 31
 * s; 0, -ENODEV, -EOPNOTSUPP (no Ethernet). result: 0 and *addr, which the caller adds with a
 * prefix that it knows; -EAGAIN (no answer yet), -ETIMEDOUT, -EINVAL (never asked). serve: we
 * answer for this station from now on; 0, -EEXIST, -ENOSPC (64), -EINVAL, and as ask. */
int weir_rarp_ask(struct weir_stack *stack, int ifindex);
int weir_rarp_result(const struct weir_stack *stack, int ifindex, struct weir_addr *addr);
int weir_rarp_serve(struct weir_stack *stack, int ifindex, const uint8_t mac[6],
                    const struct weir_addr *addr);

#ifdef __cplusplus
}
#endif

#endif
