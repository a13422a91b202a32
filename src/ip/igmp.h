/* IGMP and MLD: how membership of groups is told to routers, and how they ask for it.
 *
 * Knows: def, wire. Shape: both speak of the one book of members.h, each of its own family. Units:
 * microseconds (`now_us`). Errors: verdicts. Cost: see members.h. */
#ifndef IP_IGMP_H
#define IP_IGMP_H

#include "ip/members.h"
#include "weir/frame.h"
#include "wire/wire.h"

struct igmp_in {
    int ifindex;
    struct weir_addr src, dst;
    uint8_t ttl;
    bool has_alert; /* MLD: of a router, in a hop-by-hop header */
    uint8_t parts;
    struct weir_slice part[WEIR_FRAME_PARTS];
};
struct igmp_out {
    struct weir_addr dst;
    uint32_t len;
    uint8_t bytes[MEMBERS_REPORT_MAX]; /* of IGMP: checksum included */
};

/* Never told of: 224.0.0.1, ff02::1, and what does not leave this host. */
bool igmp_is_told(const struct weir_addr *group);
/* PASS, igmp_invalid or igmp_ignored. */
enum drop igmp_input(struct members *m, struct rng *rng, const struct igmp_in *in, int64_t now_us);
/* The next message of this interface; false: nothing now. */
bool igmp_pull(struct members *m, struct rng *rng, int ifindex, struct igmp_out *out,
               int64_t now_us);

/* The same of IPv6; its checksum was judged before, and is not in what leaves. */
enum drop mld_input(struct members *m, struct rng *rng, const struct igmp_in *in, int64_t now_us);
bool mld_pull(struct members *m, struct rng *rng, int ifindex, struct igmp_out *out,
              int64_t now_us);

#endif
