/* What the files of link/ share about neighbours.
 *
 * Knows: link.h. Shape: a neighbour is in the table, on one LRU list, and on its interface's output
 * list while it is to be asked or has packets that can go. */
#ifndef LINK_NEIGH_H
#define LINK_NEIGH_H

#include "link/link.h"

struct neigh {
    struct list_node lru, out, failed;
    struct wheel_node timer;
    struct weir_addr addr;
    struct parked *first, *last; /* packets that wait, the oldest first */
    int64_t confirmed_us;        /* REACHABLE since */
    int64_t asked_us;            /* when the last request left */
    uint32_t hash;
    uint32_t parked_bytes;
    uint8_t mac[6];
    uint8_t state; /* enum neigh_state */
    uint8_t ifindex;
    uint8_t solicits; /* requests sent since the state was entered */
    bool is_solicit_due;
    bool has_mac;
    bool was_confirmed; /* which LRU list */
    bool is_router;
    bool is_permanent; /* told by who owns us: no packet changes it */
    bool is_claimed;   /* PROBE: by `claim`, if the one we know stays silent */
    uint8_t claim[6];
};

struct parked {
    struct parked *next;          /* of the same neighbour; when lent: of all */
    struct parked *newer, *older; /* of all neighbours */
    struct link_packet packet;    /* one part, behind this struct */
    uint32_t bytes;               /* of memory held */
    uint32_t neigh;
    uint8_t data[];
};

/* An ARP reply, or a neighbour advertisement. */
struct neigh_answer {
    struct list_node out;
    struct arp arp;
    bool is_nd, is_solicited;
    uint8_t mac[6];               /* where it goes */
    struct weir_addr target, dst; /* is_nd */
};

_Static_assert(sizeof(struct neigh) <= 128, "1,024 neighbours should fit in 128 KiB");

struct neigh *neigh_at(const struct link *l, uint32_t index);
uint32_t neigh_find(struct link *l, int ifindex, const struct weir_addr *addr); /* 0: none */
/* A new one in `state`; evicts if the cache is full. 0: no room. */
uint32_t neigh_new(struct link *l, int ifindex, const struct weir_addr *addr,
                   enum neigh_state state);
/* The state as of now: REACHABLE runs out without a timer. */
enum neigh_state neigh_state_at(const struct link *l, struct neigh *n, int64_t now_us);
void neigh_enter(struct link *l, uint32_t index, enum neigh_state state, int64_t now_us);
void neigh_mark_out(struct link *l, uint32_t index);

/* park.c */
bool park_push(struct link *l, uint32_t index, const struct link_packet *packet);
/* The oldest packet, which is now lent; NULL: none. */
const struct link_packet *park_pull(struct link *l, struct neigh *n);
void park_drop_oldest(struct link *l, struct neigh *n);

/* acd.c */
/* Gratuitous requests go out from now on. */
void acd_announce(struct link *l, int ifindex, struct iface_addr *a, int times);
/* PASS, or arp_conflict: the packet claims an address that is ours, or that we want. */
enum drop acd_judge(struct link *l, int ifindex, const struct arp *a, int64_t now_us);
bool acd_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out);

/* Somebody else has the address, or wants it. */
void acd_lose(struct link *l, int ifindex, struct iface_addr *a, int64_t now_us);
bool acd_is_asked(const struct iface_addr *a); /* still TENTATIVE */

/* nd.c */
/* A solicitation for the neighbour: to its group, or in PROBE to itself. */
void nd_put_solicitation(struct link *l, const struct neigh *n, struct neigh_out *out);
void nd_put_advertisement(struct link *l, int ifindex, const struct neigh_answer *a,
                          struct neigh_out *out);
void nd_put_probe(const struct iface_addr *a, struct neigh_out *out);
/* What a message says of who sent it: new or changed is STALE. 4861#7.2.3. The entry, 0: none. */
uint32_t nd_learn(struct link *l, int ifindex, const struct weir_addr *addr, const uint8_t *mac,
                  int64_t now_us);

/* autoconf.c */
/* An address of the interface was found to be somebody else's; another identifier is tried. */
void autoconf_on_duplicate(struct link *l, int ifindex, const struct weir_addr *addr,
                           int64_t now_us);
void autoconf_on_usable(struct link *l, int ifindex, const struct weir_addr *addr, int64_t now_us);
/* A prefix of a router from which addresses may be made; s, UINT32_MAX: for ever. */
struct ra_prefix {
    struct weir_addr prefix;
    uint32_t valid_s, preferred_s;
};
void autoconf_on_prefix(struct link *l, int ifindex, const struct ra_prefix *p, int64_t now_us);
void autoconf_step_at(struct link *l, int64_t at_us);

/* router.c */
enum drop router_input_ra(struct link *l, const struct nd_in *in, int64_t now_us);
void router_ask(struct link *l, int ifindex, int64_t now_us);
bool router_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out);
int router_advance(struct link *l, int64_t now_us);
void router_on_link(struct link *l, int ifindex, const struct weir_addr *prefix, int bits,
                    int64_t until_us);
/* It is a router no more: 4861#7.2.5. */
void router_forget(struct link *l, int ifindex, const struct weir_addr *router);

/* arp.c */
bool arp_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out);
/* Queues an answer; PASS or reply_queue. */
enum drop neigh_queue_answer(struct link *l, int ifindex, const struct neigh_answer *a);
bool rarp_pull(struct link *l, int ifindex, int64_t now_us, struct neigh_out *out); /* rarp.c */
bool arp_has_output(const struct link *l, int ifindex);

#endif
