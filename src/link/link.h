/* Interfaces, their addresses, and the neighbours behind them: what the other folders may know.
 *
 * Knows: base, def, wire. Shape: one struct link for each stack; interfaces are numbered from 1; a
 * neighbour is keyed by interface and address. Packets are never sent from here: neigh_pull gives
 * them to whoever asks. Units: bytes, microseconds (`now_us`). Errors: -errno, or a verdict.
 * Cost: O(1) for each packet; O(addresses) to know our own. */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include "base/list.h"
#include "base/rng.h"
#include "base/table.h"
#include "base/wheel.h"
#include "link/nd.h"
#include "weir/frame.h"
#include "weir/stack.h"
#include "wire/wire.h"

#define IFACE_MAX 16         /* interfaces of a stack, ifindex 1 to 16 */
#define IFACE_ADDRS_MAX 16   /* addresses of an interface */
#define IFACE_GROUPS_MAX 16  /* multicast groups of an interface, 224.0.0.1 not counted */
#define LINK_PARTS 4         /* slices of a packet that is parked */
#define RARP_STATIONS_MAX 64 /* whose addresses we tell them */
#define LINK_ANSWERS_MAX 128 /* answers to neighbours that wait for output */
#define LINK_GONE_MAX 16     /* addresses that ended and that the stack was not told of yet */
#define RA_ROUTES_MAX 32     /* routes that routers told of, all interfaces together */
#define RA_DNS_MAX 3         /* nameservers that routers told of, of an interface */

/* How an interface comes by IPv6 addresses, by the names of Linux's knobs (net.ipv6.conf.all.*). */
struct autoconf_config {
    uint32_t router_solicitation_interval;      /* s, 4 */
    uint32_t router_solicitation_max_interval;  /* s, 3,600 */
    int32_t router_solicitations;               /* -1: until a router answers */
    uint32_t temp_valid_lft, temp_prefered_lft; /* s, a week and a day */
    uint8_t max_addresses;                      /* from routers, 16 */
    uint8_t dad_transmits;                      /* 1; 0: addresses are used at once */
    uint8_t addr_gen_mode;                      /* enum addr_gen */
    uint8_t use_tempaddr;        /* 0; 1: there are some; 2: and they are preferred */
    uint8_t accept_ra, autoconf; /* 1, 1 */
    uint8_t accept_ra_defrtr, accept_ra_pinfo, accept_ra_mtu; /* 1, 1, 1 */
    uint8_t accept_ra_rt_info_max_plen; /* longest prefix of a route option, 128 */
};
enum addr_gen { ADDR_GEN_EUI64 = 0, ADDR_GEN_STABLE = 2 };

/* Limits and habits, by the names of Linux's knobs (net.ipv4.neigh.default.*); the stack may change
 * them at any time. */
struct link_config {
    uint32_t gc_thresh3;                  /* most neighbours, 1,024 */
    uint32_t unres_qlen_bytes;            /* bytes parked, all neighbours together, 212,992 */
    uint32_t base_reachable_time_ms;      /* 30,000 */
    uint32_t retrans_time_ms;             /* 1,000 */
    uint32_t delay_first_probe_time;      /* s, 5 */
    uint32_t gc_stale_time;               /* s, 60: how long a failed neighbour is remembered */
    uint8_t mcast_solicit, ucast_solicit; /* 3, 3 */
    uint8_t arp_notify;                   /* 1: a new address is announced; 0 */
    uint8_t acd_defend;                   /* enum acd_defend, ACD_FOR_EVER */
    struct autoconf_config ip6;
};

/* What is done when somebody else claims an address of ours: 5227#2.4 (a), (b), (c). */
enum acd_defend { ACD_GIVE_UP, ACD_ONCE, ACD_FOR_EVER };

enum addr_flag {
    ADDR_AUTO = 1,       /* made from a router's prefix, or link-local */
    ADDR_TEMPORARY = 2,  /* 8981 */
    ADDR_DEPRECATED = 4, /* not for what begins now: 4862#5.5.4 */
    ADDR_FOLLOWED = 8,   /* a temporary one that has its successor */
};
enum addr_state {
    ADDR_USABLE,
    ADDR_TENTATIVE, /* nobody else may have it: asked, and not ours until then */
    ADDR_DUPLICATE, /* somebody else has it: kept to be seen, never used */
};

struct iface_addr {
    struct weir_addr addr;
    uint8_t prefix;         /* bits of 128; IPv4's lie behind 96 */
    uint8_t state;          /* enum addr_state */
    uint8_t probes;         /* that are still to go out before the address is ours */
    uint8_t announce;       /* gratuitous requests that are still to go out */
    bool is_due;            /* the next of either goes out now */
    bool is_news;           /* its state changed: acd_next_change */
    uint8_t rival[6];       /* the MAC that claimed it last */
    uint8_t flags;          /* enum addr_flag */
    uint8_t tries;          /* identifiers that others had: 7217#6 */
    uint8_t nonce[6];       /* of our own solicitation: what comes back is no rival, 7527 */
    int64_t step_at_us;     /* when the next step is due, INT64_MAX: none */
    int64_t defended_at_us; /* 5227#2.4: the last conflict that was answered */
    int64_t made_at_us;     /* ADDR_TEMPORARY */
    int64_t preferred_until_us, valid_until_us; /* INT64_MAX: for ever */
};

/* IPv6 as it is configured on an interface by what routers say. */
struct iface_ip6 {
    bool is_on;                        /* autoconf_start */
    bool is_asking;                    /* routers, since none answered */
    bool is_news;                      /* hop_limit or mtu */
    uint8_t asked;                     /* solicitations that went out */
    uint8_t hop_limit;                 /* what routers say, 0: nothing */
    uint32_t mtu;                      /* what routers say, 0: nothing */
    uint32_t reachable_ms, retrans_ms; /* what routers say, 0: nothing */
    int64_t ask_at_us, pause_us;
    uint8_t dnss;
    struct {
        struct weir_addr addr;
        int64_t until_us;
    } dns[RA_DNS_MAX];
};

/* A route that a router told of: itself as the default one, a prefix that is on the link, or a
 * prefix behind it. */
struct ra_route {
    struct weir_addr dst, router;
    int64_t until_us;
    uint32_t metric;
    uint8_t ifindex; /* 0: a free entry */
    uint8_t prefix;
    bool has_router;
    bool is_told; /* the stack has it */
    bool is_over; /* and is to forget it */
};

struct iface {
    char name[16];
    enum weir_link_type type;
    uint8_t mac[6];
    bool is_up;
    uint8_t addrs, groups;
    uint32_t mtu, gso_max;
    uint32_t flags;        /* enum weir_iface_flag */
    uint32_t conflicts;    /* addresses that others had, since one could be used */
    int64_t claimed_at_us; /* the last time that an address was tried */
    struct iface_addr addr[IFACE_ADDRS_MAX];
    struct iface_ip6 ip6;
    struct weir_addr group[IFACE_GROUPS_MAX];
};

/* An IP packet, header included, that waits or waited for a neighbour; offsets are from its IP
 * header and mean what they mean in struct weir_frame. */
struct link_packet {
    struct weir_slice part[LINK_PARTS];
    uint8_t parts;
    uint8_t flags; /* enum weir_frame_flag */
    uint16_t gso_size, csum_start, csum_offset;
    uint16_t hdr_len; /* bytes of IP and transport header */
};

struct parked;

enum rarp_state { RARP_IDLE, RARP_ASKING, RARP_KNOWN, RARP_FAILED };
struct rarp {
    struct weir_addr addr; /* RARP_KNOWN */
    int64_t again_at_us;
    uint8_t state, tries;
    bool is_due;
};
struct rarp_station {
    struct weir_addr addr;
    uint8_t mac[6];
    uint8_t ifindex;
};

struct link {
    struct mem *mem;
    struct link_config config;
    int ifaces; /* interfaces 1 to ifaces are there */
    struct iface iface[IFACE_MAX + 1];
    uint32_t epoch; /* moves when an interface or an address comes or goes, a neighbour fails */
    uint32_t claims_due; /* bit by ifindex: some address has a probe or an announcement to send */
    int64_t claims_step_us;               /* no address has a step due before */
    bool has_changes;                     /* some address is_news, or gone */
    struct weir_addr gone[LINK_GONE_MAX]; /* addresses whose time was over */
    uint32_t gones, gones_told;

    struct rng rng;
    struct sipkey key;
    struct wheel wheel;
    struct pool neighs;
    struct table by_addr;
    /* Neighbours never confirmed, and the others; the least recently used first. */
    struct list lru[2];
    struct list out[IFACE_MAX + 1]; /* neighbours with something to send */
    struct list failed;             /* neighbours whose parked packets can not be sent */
    struct pool answers;
    struct list answer_out[IFACE_MAX + 1];
    struct parked *oldest, *newest; /* parked packets of all neighbours, in order of arrival */
    struct parked *lent;            /* packets that were pulled, until link_settle */
    uint32_t parked_bytes;          /* parked and lent, in memory held */
    uint32_t last;                  /* neighbour of the last lookup, 0: none */
    int64_t reachable_us;           /* base_reachable_time, randomized */
    int64_t reachable_drawn_us, reachable_base_us;
    struct sipkey secret; /* of interface identifiers: 7217 */
    bool is_secret_set;   /* by who owns us; else it was drawn */
    struct ra_route route[RA_ROUTES_MAX];
    uint32_t nd_due;      /* bit by ifindex: a router solicitation goes out */
    int64_t life_step_us; /* no lifetime ends and no router is asked before */
    bool has_ra_changes;  /* ra_next_change */
    struct rarp rarp[IFACE_MAX + 1];
    struct rarp_station station[RARP_STATIONS_MAX];
    uint32_t stations;
    /* Parked packets that ended otherwise than by being sent or by link_next_failure. */
    uint64_t dropped_queue_full; /* pushed out by newer ones: neigh_queue_full */
    uint64_t dropped_evicted;    /* their neighbour was evicted: neigh_table_full */
};

void link_config_default(struct link_config *config);
/* seed: keys are drawn from it. Allocates nothing. */
void link_init(struct link *l, struct mem *mem, struct rng *seed, int64_t now_us);
void link_fini(struct link *l);
/* Gives back the packets that were pulled before. At the beginning of each call on the stack. */
void link_settle(struct link *l);

/* -- interfaces: iface.c ----------------------------------------------------------------------- */

/* The ifindex, or -EINVAL, -ENOSPC. The interface is up. */
int iface_add(struct link *l, const struct weir_iface_config *config);
struct iface *iface_at(struct link *l, int ifindex); /* NULL: no such interface */
int iface_set_mtu(struct link *l, int ifindex, uint32_t mtu);
void iface_set_up(struct link *l, int ifindex, bool is_up);
/* prefix: bits of the address's family. -EINVAL, -EEXIST, -ENOSPC. */
int iface_add_addr(struct link *l, int ifindex, const struct weir_addr *addr, int prefix);
int iface_remove_addr(struct link *l, int ifindex, const struct weir_addr *addr);
int iface_join(struct link *l, int ifindex, const struct weir_addr *group); /* -EEXIST, -ENOSPC */
int iface_leave(struct link *l, int ifindex, const struct weir_addr *group);

/* In any state; NULL: none. */
struct iface_addr *iface_find_addr(struct iface *f, const struct weir_addr *addr);
/* Whether a frame to this MAC is for us: PASS or DROP_not_ours. A frame to a group (mac[0] & 1)
 * must carry a packet to a group: 1122#3.3.6. */
enum drop iface_judge_mac(const struct link *l, int ifindex, const uint8_t mac[6]);
/* One of the usable addresses of any interface (the weak model, as Linux). */
bool iface_has_addr(const struct link *l, const struct weir_addr *addr);
/* The same, or anything that is no group where the interface has WEIR_IF_ANY_ADDR; on an interface
 * with an address in 127/8 all of 127/8. */
bool iface_is_own(const struct link *l, int ifindex, const struct weir_addr *addr);
/* 255.255.255.255, or a subnet's all-ones or all-zeros address (1122#3.3.6), on this interface. */
bool iface_is_broadcast(const struct link *l, int ifindex, const struct weir_addr *addr);
bool iface_is_multicast(const struct weir_addr *addr);
void iface_group_mac(const struct weir_addr *group, uint8_t mac[6]);
/* A group that this interface listens to: joined, or all-hosts 224.0.0.1. */
bool iface_is_member(const struct link *l, int ifindex, const struct weir_addr *group);
/* A group that it listens to whoever joined: all hosts, or that of an address's solicitations. */
bool iface_is_implied(const struct link *l, int ifindex, const struct weir_addr *group);
void iface_link_local(const struct link *l, int ifindex, struct weir_addr *out); /* ::: none yet */
/* source.c: the source address for packets that leave through ifindex towards dst. False:
 * the interface has no address of that family and no other interface has one. */
bool iface_source_for(const struct link *l, int ifindex, const struct weir_addr *dst,
                      struct weir_addr *src);

/* -- conflicts of addresses: acd.c ------------------------------------------------------------- */

/* The address, added before, is not to be used until nobody else was found to have it; where the
 * link has neighbours. */
void acd_begin(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us);
int acd_advance(struct link *l, int64_t now_us); /* how many steps were due */
int64_t acd_deadline(const struct link *l);      /* us, INT64_MAX: none */
/* An address that became usable, or was found to be somebody else's. */
struct acd_change {
    int ifindex;
    const struct iface_addr *addr;
};
bool acd_next_change(struct link *l, struct acd_change *out);
/* An address whose time was over; false: none. */
bool acd_next_gone(struct link *l, struct weir_addr *addr);

/* -- IPv6 addresses that make themselves: autoconf.c router.c -----------------------------------
 */

/* The interface gets a link-local address and asks for routers: 4862#5.3. -ENODEV, -EOPNOTSUPP. */
int autoconf_start(struct link *l, int ifindex, int64_t now_us);
int autoconf_advance(struct link *l, int64_t now_us);
int64_t autoconf_deadline(const struct link *l); /* us, INT64_MAX: none */
/* A route that came or went, or an interface whose hop limit or MTU changed. */
struct ra_change {
    int ifindex;
    bool is_route, is_there;
    struct ra_route route; /* is_route */
};
bool ra_next_change(struct link *l, struct ra_change *out);

/* -- neighbours: neigh.c arp.c park.c advice.c ------------------------------------------------- */

enum neigh_state {
    NEIGH_INCOMPLETE = 1, /* asked, no answer yet; packets are parked */
    NEIGH_REACHABLE,      /* confirmed not long ago */
    NEIGH_STALE,          /* the address is known, not whether it still holds */
    NEIGH_DELAY,          /* used while stale; a confirmation may still come from above */
    NEIGH_PROBE,          /* asked by unicast */
    NEIGH_FAILED,         /* nobody answered */
};

/* True: *mac is where to send (groups included). False: it must be found out: neigh_park. */
bool neigh_lookup(struct link *l, int ifindex, const struct weir_addr *next_hop, int64_t now_us,
                  uint8_t mac[6]);
/* Copies a packet that waits for next_hop, and sees to it that next_hop is asked for. KEPT; or
 * neigh_queue_full (too large to keep at all, or no memory), neigh_table_full. */
enum drop neigh_park(struct link *l, int ifindex, const struct weir_addr *next_hop,
                     const struct link_packet *packet, int64_t now_us);
/* An ARP packet came in. */
enum drop neigh_input_arp(struct link *l, int ifindex, const struct arp *a, int64_t now_us);
/* Forward progress with this next hop was seen (an ACK of new data): it is reachable. */
void neigh_confirm(struct link *l, int ifindex, const struct weir_addr *next_hop, int64_t now_us);
/* What is sent by this next hop goes unanswered: ask whether it is still there. */
void neigh_doubt(struct link *l, int ifindex, const struct weir_addr *next_hop, int64_t now_us);

/* It was asked for, not long ago, and did not answer. */
bool neigh_has_failed(struct link *l, int ifindex, const struct weir_addr *next_hop);
/* When it was asked for last. */
int64_t neigh_asked_at(struct link *l, int ifindex, const struct weir_addr *next_hop);
/* It is there and says that it is no router (IPv6). */
bool neigh_is_host(struct link *l, int ifindex, const struct weir_addr *next_hop);

/* A message of neighbour discovery; the stack adds hop limit and checksum. */
#define ND_OUT_MAX 120
struct nd_out {
    struct weir_addr src, dst;
    uint16_t len;
    uint8_t message[ND_OUT_MAX]; /* from its ICMPv6 header on */
};
enum neigh_pull_kind { NEIGH_NOTHING, NEIGH_ARP, NEIGH_IP, NEIGH_ND };
struct neigh_out {
    enum neigh_pull_kind kind;
    uint8_t dst[6];            /* MAC to send to */
    struct arp arp;            /* NEIGH_ARP */
    struct nd_out nd;          /* NEIGH_ND */
    struct link_packet packet; /* NEIGH_IP: one part, good until link_settle */
};
/* What this interface sends next; false: nothing now. */
bool neigh_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out);
bool neigh_has_output(const struct link *l, int ifindex);

int neigh_advance(struct link *l, int64_t now_us); /* how many timers ran */
int64_t neigh_deadline(const struct link *l);      /* us, INT64_MAX: none */

/* A parked packet that can not be sent because nobody answered (neigh_failed); its sender deserves
 * EHOSTUNREACH. */
struct link_failure {
    int ifindex;
    struct weir_addr next_hop;
    struct link_packet packet; /* one part, good until link_settle */
};
bool link_next_failure(struct link *l, struct link_failure *out);

/* -- RARP: rarp.c ------------------------------------------------------------------------------ */

int rarp_ask(struct link *l, int ifindex, int64_t now_us);
int rarp_result(const struct link *l, int ifindex, struct weir_addr *addr);
int rarp_serve(struct link *l, int ifindex, const uint8_t mac[6], const struct weir_addr *addr);
enum drop rarp_input(struct link *l, int ifindex, const struct arp *a);
int rarp_advance(struct link *l, int64_t now_us);
int64_t rarp_deadline(const struct link *l);

struct neigh_info {
    int ifindex;
    struct weir_addr addr;
    uint8_t mac[6];
    enum neigh_state state;
    bool is_permanent, is_router, has_mac;
    uint32_t parked; /* bytes */
};
/* A neighbour that is told and never asked; mac NULL: forgets the one there is. 0, -ENOMEM,
 * -ENOENT. */
int neigh_set(struct link *l, int ifindex, const struct weir_addr *addr, const uint8_t *mac,
              int64_t now_us);
/* Walks the cache: start with *cursor 0; false at the end. */
bool neigh_next(const struct link *l, uint32_t *cursor, int64_t now_us, struct neigh_info *out);

#endif
