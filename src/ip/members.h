/* Multicast groups of interfaces, and what routers are to be told of them and when: what IGMP and
 * MLD have in common, which is all but how a message begins. 3376#5, 3810#6.
 *
 * Knows: base. Shape: one book for both families; a group of an interface has one entry while it is
 * wanted, or while somebody is still to be told that it is not. Units: microseconds (`now_us`).
 * Errors: -ENOBUFS. Cost: O(entries) for a query, a step that is due, a message. */
#ifndef IP_MEMBERS_H
#define IP_MEMBERS_H

#include "base/filter.h"
#include "base/mem.h"
#include "base/rng.h"

#define MEMBERS_IFACES 17
#define MEMBERS_MAX 1024        /* entries of all interfaces: 16 addresses and 16 groups of each */
#define MEMBERS_HEAD 8          /* bytes of a report in front of its records */
#define MEMBERS_REPORT_MAX 188u /* bytes: one record with FILTER_MAX sources of IPv6 at least */

struct member_sources;
struct member {
    struct weir_addr group;
    int64_t change_at_us, answer_at_us; /* NEVER: nothing to tell */
    struct member_sources *sources;     /* NULL: none */
    uint8_t ifindex;
    uint8_t mode_again; /* reports of the changed mode that are still to come */
    bool is_exclude;
    bool is_half_told; /* of changed sources those that are wanted now were told, not the others */
    bool is_whole;     /* the answer is about the group, not only about sources asked for */
};

enum member_version { MEMBER_NEW, MEMBER_OLD, MEMBER_V1 }; /* IGMP 3, 2, 1; MLD 2, 1 */
/* How routers of a family speak on an interface. */
struct member_querier {
    uint32_t interval_s; /* between queries */
    uint8_t robustness;  /* how often a change is told */
    enum member_version version;
    int64_t old_until_us; /* a querier of the version before was heard: IGMP 2, MLD 1 */
    int64_t v1_until_us;  /* IGMP 1 */
};

enum { MEMBERS_V4, MEMBERS_V6, MEMBERS_FAMILIES };
struct members {
    struct mem *mem;
    struct member *member;
    uint32_t members, room;
    int64_t next_us;                /* nothing becomes due before */
    uint32_t due[MEMBERS_FAMILIES]; /* bit by ifindex */
    struct member_querier querier[MEMBERS_FAMILIES][MEMBERS_IFACES];
};

void members_init(struct members *m, struct mem *mem);
void members_fini(struct members *m);
/* From whom the interface wants the group from now on. Routers hear of it from at_us on.
 * -ENOBUFS. */
int members_set(struct members *m, int ifindex, const struct weir_addr *group,
                const struct filter *want, int64_t at_us);
int members_advance(struct members *m, int64_t now_us); /* how many became due */
int64_t members_deadline(const struct members *m);      /* us */
/* All groups of a family are told again, as if they had just changed: nobody could hear it. */
void members_repeat(struct members *m, int family, int ifindex, int64_t now_us);

/* -- for igmp.c and mld.c ---------------------------------------------------------------------- */

struct member_query {
    int family, ifindex;
    const struct weir_addr *group; /* NULL: all */
    uint32_t window_us;            /* answers are spread over it */
    bool is_old;                   /* each group answers for itself */
    uint32_t sources;              /* 0: about groups */
    struct weir_addr source[FILTER_MAX];
};
void members_ask(struct members *m, struct rng *rng, const struct member_query *q, int64_t now_us);
/* Somebody else answered for the group. */
void members_answered(struct members *m, int ifindex, const struct weir_addr *group);
/* A query of an old version was heard: it is spoken for as long as the querier may be there. */
void members_on_old(struct members *m, int family, int ifindex, enum member_version version,
                    int64_t now_us);
/* What a query of the present version says: how often changes are told, how often it asks. */
void members_on_new(struct members *m, int family, int ifindex, uint8_t robustness,
                    uint8_t interval_code);
enum member_version members_version(struct members *m, int family, int ifindex, int64_t now_us);

/* Who is told what now. */
struct member_turn {
    struct members *m;
    struct rng *rng;
    int family, ifindex;
    int64_t now_us;
};
/* The records of the next report of the present version, which are written to `at`. Their bytes,
 * 0: nothing is to be told; *records is their number. */
uint32_t members_put_records(const struct member_turn *t,
                             uint8_t at[MEMBERS_REPORT_MAX - MEMBERS_HEAD], uint16_t *records);
/* The next group that is to be told in the version before, and whether it was left. */
bool members_next_old(const struct member_turn *t, struct weir_addr *group, bool *is_left);
/* 3376#4.1.1, 3810#5.1.3: `bits` of mantissa, and an exponent, where the first bit is set. */
uint32_t members_float(uint32_t code, int bits);

#endif
