/* IGMP: which groups we tell routers of, and when.
 *
 * Knows: def, wire. Shape: a struct igmp is part of struct ip; a group of an interface has one
 * entry. Units: microseconds (`now_us`). Errors: verdicts. Cost: see igmp.c. */
#ifndef IP_IGMP_H
#define IP_IGMP_H

#include <stdbool.h>

#include "base/rng.h"
#include "weir/frame.h"
#include "wire/wire.h"

#define IGMP_GROUPS_MAX 256 /* of all interfaces: 16 of each */
#define IGMP_REPORT_MAX 72  /* bytes of a report: 8 groups in one */

struct igmp_group {
    struct weir_addr group;
    int64_t report_at_us; /* NEVER: nothing to tell */
    uint8_t ifindex;      /* 0: a free entry */
    uint8_t again;        /* reports of the change that are still to come */
    bool is_left;         /* what is told is that we left it */
    bool is_answer;       /* a query asked; else it is news */
};

struct igmp {
    struct igmp_group group[IGMP_GROUPS_MAX];
    uint32_t groups;          /* entries in use */
    int64_t old_until_us[17]; /* by ifindex: a version 2 querier was heard */
    int64_t v1_until_us[17];
    uint32_t due; /* bit by ifindex */
};

struct igmp_in {
    int ifindex;
    struct weir_addr src, dst;
    uint8_t parts;
    struct weir_slice part[WEIR_FRAME_PARTS];
};
struct igmp_out {
    struct weir_addr dst;
    uint32_t len;
    uint8_t bytes[IGMP_REPORT_MAX]; /* checksum included */
};

void igmp_init(struct igmp *g);
/* The interface listens to the group from now on, or no more. Never told of 224.0.0.1. */
void igmp_join(struct igmp *g, int ifindex, const struct weir_addr *group, int64_t now_us);
void igmp_leave(struct igmp *g, int ifindex, const struct weir_addr *group, int64_t now_us);
/* PASS, igmp_invalid or igmp_ignored. */
enum drop igmp_input(struct igmp *g, struct rng *rng, const struct igmp_in *in, int64_t now_us);
int igmp_advance(struct igmp *g, int64_t now_us); /* how many became due */
int64_t igmp_deadline(const struct igmp *g);      /* us */
/* The next message of this interface; false: nothing now. */
bool igmp_pull(struct igmp *g, struct rng *rng, int ifindex, struct igmp_out *out, int64_t now_us);

#endif
