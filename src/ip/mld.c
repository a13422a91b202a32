/* MLD of a host: version 2, and version 1 where a querier speaks it. 3810, 2710, 3590.
 *
 * Knows: messages. Not which groups there are, nor when they are told (members.c). Shape: as
 * igmp.c; what is no message of a router on this link is not believed. Units: bytes; milliseconds
 * in messages. Errors: verdicts. Cost: O(groups). */
#include <string.h>

#include "base/bytes.h"
#include "ip/igmp.h"
#include "ip/inner.h"
#include "ip/ip.h"

#define HEAD 24
#define V2_HEAD 28
#define REPORT_HEAD 8

static const struct weir_addr all_routers = {.b = {0xff, 2, [15] = 2}};
static const struct weir_addr v2_routers = {.b = {0xff, 2, [15] = 0x16}};

/* -- what comes in ----------------------------------------------------------------------------- */

static bool read_sources(struct member_query *q, const struct igmp_in *in, uint32_t count,
                         uint32_t len)
{
    uint8_t bytes[V2_HEAD + 16 * FILTER_MAX];

    if (len < V2_HEAD + 16 * count)
        return false;
    q->sources = count > FILTER_MAX ? 0 : count;
    slices_peek(in->part, in->parts, bytes, V2_HEAD + 16 * q->sources);
    memcpy(q->source, bytes + V2_HEAD, 16 * q->sources);
    return true;
}

/* 3810#5.1.15: a query is of version 1 by its length. */
static enum drop input_query(struct members *m, struct rng *rng, const struct igmp_in *in,
                             const uint8_t message[V2_HEAD], int64_t now_us)
{
    uint32_t len = slices_len(in->part, in->parts), code = get16(message + 4);
    struct weir_addr group;
    struct member_query q = {.family = MEMBERS_V6,
                             .ifindex = in->ifindex,
                             .window_us = 1000 * code,
                             .is_old = len < V2_HEAD};

    memcpy(&group, message + 8, sizeof group);
    q.group = weir_addr_is_any(&group) ? NULL : &group;
    if ((len > HEAD && len < V2_HEAD) || (q.group && group.b[0] != 0xff))
        return DROP_igmp_invalid;
    if (q.is_old) {
        members_on_old(m, MEMBERS_V6, in->ifindex, MEMBER_OLD, now_us);
    } else {
        if (!read_sources(&q, in, get16(message + 26), len))
            return DROP_igmp_invalid;
        q.window_us = 1000 * members_float(code, 12);
        members_on_new(m, MEMBERS_V6, in->ifindex, message[24] & 7, message[25]);
    }
    members_ask(m, rng, &q, now_us);
    return PASS;
}

static enum drop input_report(struct members *m, const struct igmp_in *in, const uint8_t *message,
                              int64_t now_us)
{
    struct weir_addr group;

    memcpy(&group, message + 8, sizeof group);
    if (members_version(m, MEMBERS_V6, in->ifindex, now_us) != MEMBER_NEW)
        members_answered(m, in->ifindex, &group);
    return PASS;
}

enum drop mld_input(struct members *m, struct rng *rng, const struct igmp_in *in, int64_t now_us)
{
    uint8_t message[V2_HEAD] = {0};
    uint32_t len = slices_peek(in->part, in->parts, message, V2_HEAD);

    if (message[0] == ICMP6_MLD2_REPORT)
        return DROP_igmp_ignored;
    if (len < HEAD || !ip6_is_link_local(&in->src) || in->ttl != 1 || !in->has_alert)
        return DROP_igmp_invalid; /* 3810#6.2, 2710#3 */
    if (message[0] == ICMP6_MLD_QUERY)
        return input_query(m, rng, in, message, now_us);
    if (message[0] == ICMP6_MLD_REPORT)
        return input_report(m, in, message, now_us);
    return DROP_igmp_ignored;
}

/* -- what leaves ------------------------------------------------------------------------------- */

/* Version 1: a message for each group, to the group; leaving goes to the routers. */
static bool pull_old(const struct member_turn *t, struct igmp_out *out)
{
    struct weir_addr group;
    bool is_left;

    if (!members_next_old(t, &group, &is_left))
        return false;
    *out = (struct igmp_out){.dst = is_left ? all_routers : group, .len = HEAD};
    out->bytes[0] = is_left ? ICMP6_MLD_DONE : ICMP6_MLD_REPORT;
    memcpy(out->bytes + 8, &group, sizeof group);
    return true;
}

bool mld_pull(struct members *m, struct rng *rng, int ifindex, struct igmp_out *out, int64_t now_us)
{
    enum member_version version;
    struct member_turn t = {m, rng, MEMBERS_V6, ifindex, now_us};
    uint16_t records;

    if (!(m->due[MEMBERS_V6] >> ifindex & 1))
        return false;
    version = members_version(m, MEMBERS_V6, ifindex, now_us);
    if (version != MEMBER_NEW)
        return pull_old(&t, out);
    *out = (struct igmp_out){.dst = v2_routers, .bytes = {ICMP6_MLD2_REPORT}};
    out->len = members_put_records(&t, out->bytes + REPORT_HEAD, &records);
    put16(out->bytes + 6, records);
    out->len += REPORT_HEAD;
    return records;
}
