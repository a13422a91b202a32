/* One stack: everything it has, and what the files of this folder say to each other.
 *
 * Knows: all layers. Shape: no globals, no threads; input.c and output.c are the only places where
 * layers meet. Units: microseconds within. Errors: as the public headers say. Cost: see there. */
#ifndef STACK_STACK_H
#define STACK_STACK_H

#include "base/mem.h"
#include "dhcp/dhcp.h"
#include "sock/sock.h"
#include "stack/tables.h"
#include "weir/stat.h"

#define HEADER_MAX 264 /* link, IP and TCP with all options: 24 + 40 + 60; or an MLD report */
_Static_assert(24 + IP6_LEN + 8 + MEMBERS_REPORT_MAX <= HEADER_MAX, "a report with all sources");

/* What was found out for the packet before, mostly true of the next one too. `epoch` is that of
 * addresses and routes. */
struct last_pair {
    uint64_t epoch;
    int ifindex; /* 0: nothing yet */
    struct weir_addr src, dst;
};
struct last_path {
    uint64_t epoch;
    int ifindex;
    bool is_own; /* dst is an address of ours */
    struct weir_addr dst, next_hop;
};

/* What was sent to ourselves and comes in next. */
struct looped;
struct loop {
    struct looped *first, *last;
    uint32_t bytes;
    bool is_open; /* it is coming in now: our own address is no stranger's */
};

/* A datagram that leaves in pieces: `off` bytes behind its IP header are out, 0: none under way. */
struct cut {
    uint32_t off;
    uint32_t id;
};
enum { CUT_ICMP, CUT_UDP, CUT_TRANSIT, CUTS };

/* The DHCP client of an interface. */
struct lease {
    struct dhcp_client client;
    uint32_t mtu;                 /* the interface's own, 0: it is as it was */
    uint8_t bytes[DHCP_SEND_MAX]; /* the message that was pulled last */
};

struct weir_stack {
    struct mem mem;
    int64_t born_us;
    int64_t now_us, advanced_us; /* and when weir_advance ran last */
    struct knobs knobs;
    struct stats stats;
    uint64_t drops[DROP_COUNT];
    struct weir_account account;
    struct wheel wheel;
    struct rng rng;
    struct link link;
    struct ip ip;
    struct udp_socks udp;
    struct tcp tcp;
    struct socks socks;
    struct trace trace;
    struct lease *lease[IFACE_MAX + 1];  /* NULL: this interface never asked */
    uint64_t parked_out, parked_evicted; /* of the link's counts, what is in drops already */
    struct last_pair judged;             /* one host to another: input.c let it pass */
    uint32_t groups_epoch;               /* of link: stack_sync_groups ran */
    struct last_path path;               /* output.c */
    struct loop loop;
    struct cut cut[CUTS][IFACE_MAX + 1]; /* pieces.c */
    /* Of the frames that output handed out; the last is where the one behind a full burst is. */
    uint8_t header[WEIR_BURST_MAX + 1][HEADER_MAX];
};

/* The beginning of every call: time goes on, and what was handed out before dies. */
void stack_enter(struct weir_stack *k, int64_t now_ns);
void stack_settle_lent(struct weir_stack *k);
static inline void stack_settle(struct weir_stack *k)
{
    if (k->link.lent || k->ip.emptied || k->udp.emptied.first)
        stack_settle_lent(k);
}

static inline uint64_t stack_epoch(const struct weir_stack *k)
{
    return (uint64_t)k->link.epoch << 32 | k->ip.epoch;
}

/* net.c: addresses that became usable, or were lost. */
void stack_on_changes(struct weir_stack *k);
/* Addresses came or went: the groups in which they are asked for are joined or left. */
void stack_sync_groups(struct weir_stack *k);
bool stack_net_is_due(const struct weir_stack *k); /* something of addresses or leases */
void stack_ip6_knobs(struct weir_stack *k);
/* loop.c: how many came in. */
int loop_advance(struct weir_stack *k);
void loop_fini(struct weir_stack *k);
/* dhcp.c */
struct burst;
void stack_dhcp_fini(struct weir_stack *k);
int stack_dhcp_advance(struct weir_stack *k);
int64_t stack_dhcp_deadline(const struct weir_stack *k);
bool stack_dhcp_has_output(const struct weir_stack *k, int ifindex);
/* To the interface's DHCP client where it is for that, else to a socket. */
enum drop stack_udp_input(struct weir_stack *k, const struct udp_view *u);
void stack_dhcp_checked(struct weir_stack *k, int ifindex, const struct weir_addr *addr, bool ours);
/* undelivered.c: packets for which no neighbour was found: counted, and their senders told. */
void stack_undelivered(struct weir_stack *k);
/* forward.c: a packet for somebody else; PASS: queued. */
struct transit {
    const struct ip4 *ip;
    const struct ip6 *ip6; /* the other is NULL */
    struct weir_addr src, dst;
    int ifindex; /* where it came in */
    const uint8_t *options;
    uint32_t
        sum_at; /* of the transport checksum behind the header, if it is to be completed; else 0 */
    uint8_t parts, l4_parts;
    struct weir_slice packet[WEIR_FRAME_PARTS], l4[WEIR_FRAME_PARTS];
};
enum drop stack_forward(struct weir_stack *k, const struct transit *t);
enum drop stack_forward6(struct weir_stack *k, const struct transit *t); /* forward6.c */
/* incomplete.c: datagrams that were not put together in time; how many. */
int stack_incomplete(struct weir_stack *k);
/* redirect.c: `from` says that next_hop is a better way to dst; whether it did was judged before.
 * PASS: it is gone from now on. icmp_ignored: it is not the first hop, or next_hop no neighbour. */
struct redirect_told {
    int ifindex; /* where it came in */
    struct weir_addr from, dst, next_hop;
};
enum drop stack_redirect(struct weir_stack *k, const struct redirect_told *t);
/* What an error is to a datagram socket. */
struct udp_fault stack_fault(const struct icmp_error *e);

#endif
