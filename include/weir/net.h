/* How a stack is joined to networks while it runs: what there is, what is changed, IPv6 that
 * configures itself, DHCP. Interfaces, addresses and routes are begun with in stack.h. */
#ifndef WEIR_NET_H
#define WEIR_NET_H

#include <weir/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- what there is ----------------------------------------------------------------------------- */

#define WEIR_FOR_EVER UINT32_MAX /* of a lifetime in seconds */

struct weir_iface_info {
    char name[16];
    enum weir_link_type type;
    uint8_t mac[6];
    bool is_up;
    uint32_t mtu;
};
int weir_iface_info(const struct weir_stack *stack, int ifindex, struct weir_iface_info *info);
/* Frames pass, or none do. Coming up, addresses are asked for again where net.weir.acd (IPv6: DAD)
 * says so. 0, -ENODEV. */
int weir_iface_set_up(struct weir_stack *stack, int ifindex, bool is_up);

enum weir_addr_flag {
    WEIR_ADDR_TENTATIVE = 1, /* not used yet: does somebody else have it? */
    WEIR_ADDR_DUPLICATE = 2, /* somebody else has it, with the MAC `rival`; never used */
    WEIR_ADDR_DEPRECATED = 4,
    WEIR_ADDR_TEMPORARY = 8,
    WEIR_ADDR_DYNAMIC = 16, /* made from what a router said */
};
struct weir_addr_info {
    int ifindex;
    struct weir_addr addr;
    int prefix;     /* bits of its family */
    uint32_t flags; /* enum weir_addr_flag */
    uint8_t rival[6];
    uint32_t valid_s, preferred_s; /* WEIR_FOR_EVER */
};
struct weir_route_info {
    struct weir_addr dst, gateway;
    int prefix, ifindex;
    bool has_gateway;
    uint32_t metric;
};
struct weir_neigh_info {
    int ifindex;
    struct weir_addr addr;
    uint8_t mac[6];
    bool has_mac, is_router;
    const char *state; /* "REACHABLE": RFC 4861's names, and "FAILED", "PERMANENT" */
};
/* Walks: *cursor is 0 at first; 1: *info is the next one, 0: the end. */
int weir_addr_next(const struct weir_stack *stack, uint32_t *cursor, struct weir_addr_info *info);
int weir_route_next(const struct weir_stack *stack, uint32_t *cursor, struct weir_route_info *info);
int weir_neigh_next(const struct weir_stack *stack, uint32_t *cursor, struct weir_neigh_info *info);
/* Nameservers that routers named (RFC 8106); DHCP's are in its lease. */
struct weir_nameserver_info {
    int ifindex;
    struct weir_addr addr;
    uint32_t valid_s; /* WEIR_FOR_EVER */
};
int weir_nameserver_next(const struct weir_stack *stack, uint32_t *cursor,
                         struct weir_nameserver_info *info);

/* -- what is changed --------------------------------------------------------------------------- */

/* Its subnet's route goes with it; connections stay until they fail, as on Linux. 0, -ENODEV,
 * -EADDRNOTAVAIL. */
int weir_addr_remove(struct weir_stack *stack, int ifindex, const struct weir_addr *addr);
/* The first route to dst that fits: gateway NULL: any, ifindex 0: any. 0, -ESRCH. */
int weir_route_remove(struct weir_stack *stack, const struct weir_addr *dst, int prefix,
                      const struct weir_addr *gateway, int ifindex);
/* A neighbour whose MAC is known for good, or (mac NULL) one that is to be forgotten. 0, -ENODEV,
 * -EINVAL, -ENOMEM, -ENOENT. */
int weir_neigh_set(struct weir_stack *stack, int ifindex, const struct weir_addr *addr,
                   const uint8_t *mac);

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
