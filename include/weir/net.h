/* How a stack is joined to networks while it runs: DHCP. Interfaces, addresses and routes are begun
 * with in stack.h. */
#ifndef WEIR_NET_H
#define WEIR_NET_H

#include <weir/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- IPv6 that configures itself (RFC 4862) ---------------------------------------------------- */

/* The interface gets a link-local address, asks for routers, and makes addresses from what they say
 * (net.ipv6.conf.all.*). Addresses that are added to it from now on are asked for before they are
 * used. 0, -ENODEV, -EOPNOTSUPP (no Ethernet), -EACCES (net.ipv6.conf.all.disable_ipv6). */
int weir_ip6_start(struct weir_stack *stack, int ifindex);

/* -- DHCP (RFC 2131) --------------------------------------------------------------------------- */

#define WEIR_DHCP_DNS_MAX 3

struct weir_dhcp_lease {
    const char *state; /* "selecting", "bound": the RFC's names */
    struct weir_addr addr;
    int prefix; /* bits, 0 to 32 */
    struct weir_addr server;
    bool has_router;
    struct weir_addr router;
    int dnss;
    struct weir_addr dns[WEIR_DHCP_DNS_MAX];
    char domain[64];    /* "" where none was told */
    uint32_t mtu;       /* 0 where none was told */
    int64_t expires_ns; /* WEIR_NEVER: never */
    uint64_t naks, declines;
};

/* Asks for an address from now on, and keeps it: it is added, with its routes and MTU, when it is
 * granted and nobody else has it, and removed when the lease ends. `again`: an address of before
 * that is asked for first, or NULL. Started twice it asks anew. 0, -ENODEV, -EOPNOTSUPP (no
 * Ethernet), -ENOMEM. */
int weir_dhcp_start(struct weir_stack *stack, int ifindex, const struct weir_addr *again);
/* Gives the lease back (a message goes out) and asks no more. 0, -ENODEV, -EINVAL: never started.
 */
int weir_dhcp_stop(struct weir_stack *stack, int ifindex);
/* 0: *lease is in force. -EAGAIN: there is none yet, its state says how far it is. -EINVAL: never
 * started; -ENODEV. */
int weir_dhcp_lease(const struct weir_stack *stack, int ifindex, struct weir_dhcp_lease *lease);

#ifdef __cplusplus
}
#endif

#endif
