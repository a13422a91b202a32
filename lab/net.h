/* The lab's engine: stacks, links and switches on one virtual clock.
 *
 * Knows: libweir's public headers, drivers/impair_line.h, wire. Not Lua, not what is printed.
 * Shape: everything happens in lab_settle, at one instant and in the order of making; so one seed
 * gives one run, whatever compiled it. Units: ns of virtual time, bytes. Errors: NULL or -errno.
 * Cost: a settled instant is O(nodes + links); a frame is copied once on each link. */
#ifndef LAB_NET_H
#define LAB_NET_H

#include <stdbool.h>

#include <weir/weir.h>

#include "drivers/impair_line.h"
#include "lab/seg.h"

#define LAB_NODES_MAX 64
#define LAB_LINKS_MAX 64
#define LAB_PORTS_MAX 16
#define LAB_NAME_MAX 20
#define LAB_KNOBS_MAX 32

struct lab;
struct lab_log;
struct lab_nat;

enum lab_kind { LAB_HOST, LAB_ROUTER, LAB_SWITCH };

struct lab_port {
    struct lab_link *link;
    int end;     /* which end of the link this is: 0 or 1 */
    int ifindex; /* of the stack */
    uint8_t mac[6];
    uint32_t addr; /* host order, 0 on a switch */
    struct lab_nat *nat;
};

struct lab_node {
    struct lab *lab;
    char name[LAB_NAME_MAX];
    enum lab_kind kind;
    int index;
    struct weir_stack *stack; /* NULL: a switch, or a host that is down */
    uint32_t boots;
    uint64_t seed[2];            /* of its stack: drawn at each boot, unless it has no entropy */
    int64_t skew_ppm, offset_ns; /* this host's clock against the lab's */
    int64_t heard_at;            /* the clock when the stack was told of it last */
    bool has_news;               /* its sockets may have become ready */
    bool is_mute;                /* a router that sends no ICMP errors: a black hole */
    struct lab_port port[LAB_PORTS_MAX];
    int ports;
    struct {
        char name[64], value[64];
    } knob[LAB_KNOBS_MAX];
    int knobs;
    uint32_t subnet, members; /* a switch: its addresses */
    struct {                  /* a switch: where each station was seen */
        uint8_t mac[6];
        int port;
    } seen[LAB_NODES_MAX];
    int seens;
};

/* What a fault looks for, and what it does to it. */
enum lab_action { LAB_LOSE, LAB_HOLD, LAB_COPY, LAB_CORRUPT };
struct lab_fault {
    enum lab_action action;
    int kind;                    /* enum lab_proto, or -1: any */
    uint8_t flags_on, flags_off; /* of TCP */
    bool is_pure_ack, has_data;
    const struct lab_node *from; /* whose source address it bears; NULL: anybody's */
    uint16_t port;               /* source or destination, 0: any */
    uint64_t first, last;        /* which of those that match, from 1 */
    int64_t by_ns;               /* LAB_HOLD, LAB_COPY */
    char text[64];               /* as the scenario says it */
    uint64_t seen, hit;
};
#define LAB_FAULTS_MAX 16

struct lab_parcel; /* a frame that is held by a fault */

/* What passed on a link with frame check sequences: preamble, frame, padding and FCS, as a cable
 * has it and no capture shows. */
struct lab_wire {
    uint64_t frames, bytes, fcs_errors;
    uint32_t shortest, longest;
};
#define LAB_FCS_LEN 4
#define LAB_PREAMBLE_LEN 8 /* with the byte that ends it */

struct lab_dir {
    struct line line;
    bool is_down;
    uint32_t enter_ppb, leave_ppb; /* bursts of loss, as Gilbert: into and out of the bad state */
    bool is_bad;
    uint64_t random;
    struct lab_parcel *parcels; /* by release */
    uint64_t frames, lost;
    struct lab_wire wire;
};

struct lab_link {
    struct lab *lab;
    int index;
    char name[2 * LAB_NAME_MAX];
    enum weir_link_type type;
    bool is_bulk, has_fcs;
    uint32_t mtu;
    struct {
        struct lab_node *node;
        int port;
    } end[2];
    struct lab_dir dir[2]; /* 0: from end 0 to end 1 */
    struct lab_fault fault[LAB_FAULTS_MAX];
    int faults;
};

struct lab {
    uint64_t seed;
    int64_t now;
    struct lab_node *node[LAB_NODES_MAX];
    int nodes;
    struct lab_link *link[LAB_LINKS_MAX];
    int links;
    bool is_started, is_booting;
    bool has_ip6; /* each address is one of IPv6, too: fd00::a.b.c.d */
    uint32_t subnets;
    uint64_t salt;       /* counts draws from the seed */
    int64_t mem_bytes;   /* held by all stacks from the allocator */
    uint32_t starve_ppb; /* how often the running stacks get no memory */
    uint64_t starve_random;
    struct lab_log *log; /* NULL: nobody wants to know */
    struct weir_pcapng *pcapng;
    int pcap_iface[LAB_LINKS_MAX][2];
    char error[160];
};

/* -- net.c: making ----------------------------------------------------------------------------- */

struct lab *lab_new(uint64_t seed);
void lab_free(struct lab *lab); /* all stacks; afterwards the memory they held must be 0 */
/* Stops and frees all stacks, and returns the bytes that were not given back. */
int64_t lab_halt(struct lab *lab);
/* NULL with lab->error filled: too many, or a name that is taken. */
struct lab_node *lab_node_add(struct lab *lab, enum lab_kind kind, const char *name);
enum lab_link_kind {
    LAB_LINK_PLAIN, /* IP packets */
    LAB_LINK_ETHER, /* Ethernet and ARP */
    LAB_LINK_FCS,   /* Ethernet with preambles and frame check sequences */
    LAB_LINK_BULK,  /* superframes up to 64 KiB, no checksums: for much data in little time */
};
struct lab_link *lab_link_add(struct lab *lab, struct lab_node *a, struct lab_node *b,
                              const struct weir_impair *impair, enum lab_link_kind kind);
/* Changes a link on the run. queue stays what it was. */
void lab_link_set(struct lab_link *l, const struct weir_impair *impair);
struct lab_fault *lab_fault_add(struct lab_link *l); /* NULL: too many */
/* 0, or -ENOENT, -EINVAL, -ERANGE of weir_knob_set; it is kept over a reboot. */
int lab_knob(struct lab_node *n, const char *name, const char *value);
void lab_crash(struct lab_node *n); /* all state is gone, nothing is said */
void lab_boot(struct lab_node *n);  /* a new stack, with the old addresses and knobs */
/* The same, but as it was at its first boot: the clock and all that is drawn by chance begin anew.
 */
void lab_boot_again(struct lab_node *n);
/* The address of `to` as `from` would write it: on a link they share, or its first. */
uint32_t lab_addr(const struct lab_node *to, const struct lab_node *from);
struct weir_addr lab_addr6(uint32_t addr); /* weir_addr_to_v4 takes it back */
struct lab_node *lab_owner(const struct lab *lab, uint32_t addr); /* or NULL */
uint64_t lab_random(struct lab *lab);

/* -- step.c: running --------------------------------------------------------------------------- */

/* All that happens at this instant, without programs. */
void lab_settle(struct lab *lab);
/* The two halves of it: what arrives and which timers run, then what is sent. A program that
 * runs between them is quick: its answer takes the acknowledgment along. Whether anything moved.
 * Routes are laid at the first call. */
bool lab_input(struct lab *lab);
bool lab_output(struct lab *lab);
/* Whether a frame arrives at this very instant. */
bool lab_is_due(const struct lab *lab);
/* When there is more, or WEIR_NEVER. */
int64_t lab_deadline(const struct lab *lab);
int64_t lab_clock(const struct lab_node *n); /* what the node's own clock shows now */
/* Frames come out of the link at its end `end`. */
void lab_arrive(struct lab_link *l, int end, struct weir_frame *burst, int n);

/* -- link.c: one direction of a link ----------------------------------------------------------- */

void lab_link_send(struct lab_link *l, int end, struct weir_frame *f);
int lab_link_take(struct lab_link *l, int dir, struct weir_frame *burst, int max);
bool lab_link_release(struct lab_link *l, int dir);
int64_t lab_link_deadline(const struct lab_link *l);
void lab_link_close(struct lab_link *l);

/* -- fcs.c --------------------------------------------------------------------------------------
 */

/* Pads to the shortest frame and appends the check; the new length. There must be room for it. */
size_t lab_fcs_add(uint8_t *bytes, size_t len);
bool lab_fcs_is_right(const uint8_t *bytes, size_t len);

/* -- route.c ----------------------------------------------------------------------------------- */

void lab_routes(struct lab_node *n);

/* -- nat.c: addresses translated at a router's port ---------------------------------------------
 * What leaves there bears the port's address and a port number of its own; answers find back while
 * the mapping lives. */
struct lab_nat *lab_nat_new(int64_t tcp_ns, int64_t udp_ns);
void lab_nat_free(struct lab_nat *n);
void lab_nat_rebind(struct lab_nat *n); /* all mappings are forgotten, as after a reboot */
/* The bytes of an IP packet, changed in place. False: nothing to do with it. */
bool lab_nat_out(struct lab_nat *n, uint32_t outside, uint8_t *ip, size_t len, int64_t now);
bool lab_nat_in(struct lab_nat *n, uint32_t outside, uint8_t *ip, size_t len, int64_t now);

#endif
