/* A stack: its life, its interfaces, and the three verbs that drive it.
 *
 * One stack belongs to one thread; stacks share nothing. Time is the caller's: `now_ns` is any
 * monotonic clock in nanoseconds (a step back is clamped, never followed). */
#ifndef WEIR_STACK_H
#define WEIR_STACK_H

#include <weir/addr.h>
#include <weir/frame.h>

struct weir_stack;

#define WEIR_NEVER INT64_MAX /* the far instant: no deadline */

struct weir_config {
    uint64_t seed[2]; /* the key of everything random: equal seeds and inputs, equal outputs */
    int64_t now_ns;
    /* Memory; NULL for malloc and free. alloc may return NULL: the stack then refuses, see
     * PROMISES. */
    void *(*alloc)(void *ctx, size_t bytes);
    void (*free)(void *ctx, void *p, size_t bytes);
    void *mem_ctx;
};

struct weir_stack *weir_new(const struct weir_config *config); /* NULL: no memory */
void weir_free(struct weir_stack *stack);                      /* sends nothing */

/* -- the three verbs --------------------------------------------------------------------------- */

/* Frames came in on an interface. Never sends: it leaves marks that weir_output obeys.
 * n <= WEIR_BURST_MAX. Returns how many frames passed (were not dropped); each frame's `why` says.
 */
int weir_input(struct weir_stack *stack, int ifindex, struct weir_frame *burst, int n,
               int64_t now_ns);
/* Time passed: runs the timers that are due. Returns how many ran. */
int weir_advance(struct weir_stack *stack, int64_t now_ns);
/* Asks for frames to send on an interface: fills at most `max` (<= WEIR_BURST_MAX) and returns how
 * many. Call again until it returns less than `max`. */
int weir_output(struct weir_stack *stack, int ifindex, struct weir_frame *burst, int max,
                int64_t now_ns);
/* The instant at which weir_advance has work, or WEIR_NEVER. May be early, never late. */
int64_t weir_deadline(const struct weir_stack *stack);
/* True if weir_output has something to send on some interface. */
bool weir_has_output(const struct weir_stack *stack);

/* -- interfaces, addresses, routes ------------------------------------------------------------- */

enum weir_link_type {
    WEIR_LINK_ETHER, /* Ethernet frames, ARP */
    WEIR_LINK_IP,    /* bare IP packets, no link header, no neighbours */
};

enum weir_iface_flag {
    WEIR_IF_CSUM_TX = 1,    /* the link completes transport checksums (WEIR_CSUM_PARTIAL) */
    WEIR_IF_ANY_ADDR = 2,   /* every destination is taken as our own (a gateway) */
    WEIR_IF_LOOPBACK_OK = 4 /* 127/8 and our own address are no martians here */
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

/* Returns the ifindex, from 1, or -EINVAL, -ENOMEM, -ENOSPC (16 interfaces). */
int weir_iface_add(struct weir_stack *stack, const struct weir_iface_config *config);
int weir_iface_set_mtu(struct weir_stack *stack, int ifindex, uint32_t mtu);
/* An address of our own and, through the prefix, its on-link route. */
int weir_addr_add(struct weir_stack *stack, int ifindex, const struct weir_addr *addr, int prefix);
/* A route; gateway NULL: on link. Prefix counts bits of the family of `dst` (0 to 32, 0 to 128). */
int weir_route_add(struct weir_stack *stack, const struct weir_addr *dst, int prefix,
                   const struct weir_addr *gateway, int ifindex, uint32_t metric);

#endif
