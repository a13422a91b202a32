/* IGMP of a host: version 3, and versions 2 and 1 where a querier speaks them. 3376, 2236, 1112.
 *
 * Knows: messages. Not which groups there are, nor when they are told (members.c). Shape: judged,
 * read, handed to the book; written from the book. Units: bytes; tenths of seconds in messages.
 * Errors: verdicts. Cost: O(groups). */
#include "ip/igmp.h"

#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"
#include "ip/inner.h"

#define TENTH_US 100000
#define V1_RESPONSE_US 10000000 /* 2236#4 */
#define ALL_HOSTS 0xe0000001u
#define ALL_ROUTERS 0xe0000002u
#define V3_ROUTERS 0xe0000016u
#define HEAD 8
#define V3_HEAD 12

enum { QUERY = 0x11, V1_REPORT = 0x12, V2_REPORT = 0x16, V2_LEAVE = 0x17, V3_REPORT = 0x22 };

bool igmp_is_told(const struct weir_addr *group)
{
    static const struct weir_addr all_nodes = {.b = {0xff, 2, [15] = 1}};

    if (weir_addr_is_v4(group))
        return weir_addr_to_v4(group) != ALL_HOSTS;
    return (group->b[1] & 15) >= 2 && !weir_addr_equal(group, &all_nodes); /* 3810#6 */
}

/* -- queries ----------------------------------------------------------------------------------- */

/* The sources that a version 3 query asks for; false: there are fewer than it says. More than are
 * kept are none: then it asks for the group. */
static bool read_sources(struct member_query *q, const struct igmp_in *in, uint32_t count,
                         uint32_t len)
{
    uint8_t bytes[V3_HEAD + 4 * FILTER_MAX];

    if (len < V3_HEAD + 4 * count)
        return false;
    q->sources = count > FILTER_MAX ? 0 : count;
    slices_peek(in->part, in->parts, bytes, V3_HEAD + 4 * q->sources);
    for (uint32_t i = 0; i < q->sources; i++)
        q->source[i] = weir_addr_v4(get32(bytes + V3_HEAD + 4 * i));
    return true;
}

static enum drop input_query(struct members *m, struct rng *rng, const struct igmp_in *in,
                             const uint8_t message[V3_HEAD], int64_t now_us)
{
    uint32_t len = slices_len(in->part, in->parts);
    struct weir_addr group = weir_addr_v4(get32(message + 4));
    struct member_query q = {.family = MEMBERS_V4,
                             .ifindex = in->ifindex,
                             .group = get32(message + 4) ? &group : NULL,
                             .window_us = members_float(message[1], 4) * TENTH_US,
                             .is_old = len < V3_HEAD};

    if (len > HEAD && len < V3_HEAD)
        return DROP_igmp_invalid;
    if (q.is_old) {
        members_on_old(m, MEMBERS_V4, in->ifindex, message[1] ? MEMBER_OLD : MEMBER_V1, now_us);
        q.window_us = message[1] ? message[1] * TENTH_US : V1_RESPONSE_US;
    } else {
        if (!read_sources(&q, in, get16(message + 10), len))
            return DROP_igmp_invalid;
        members_on_new(m, MEMBERS_V4, in->ifindex, message[8] & 7, message[9]);
    }
    members_ask(m, rng, &q, now_us);
    return PASS;
}

/* 2236#3: another member's report makes ours needless; version 3 wants them all. */
static enum drop input_report(struct members *m, const struct igmp_in *in, const uint8_t *message,
                              int64_t now_us)
{
    struct weir_addr group = weir_addr_v4(get32(message + 4));

    if (members_version(m, MEMBERS_V4, in->ifindex, now_us) != MEMBER_NEW)
        members_answered(m, in->ifindex, &group);
    return PASS;
}

enum drop igmp_input(struct members *m, struct rng *rng, const struct igmp_in *in, int64_t now_us)
{
    uint32_t len = slices_len(in->part, in->parts);
    uint8_t message[V3_HEAD] = {0};

    if (slices_peek(in->part, in->parts, message, V3_HEAD) < HEAD ||
        sum_finish(slices_sum(0, in->part, in->parts, len)) != 0)
        return DROP_igmp_invalid;
    if (message[0] == QUERY)
        return input_query(m, rng, in, message, now_us);
    if (message[0] == V1_REPORT || message[0] == V2_REPORT)
        return input_report(m, in, message, now_us);
    return message[0] == V2_LEAVE || message[0] == V3_REPORT ? DROP_igmp_ignored
                                                             : DROP_igmp_invalid;
}

/* -- reports ----------------------------------------------------------------------------------- */

static void seal(struct igmp_out *out, uint32_t len)
{
    uint16_t sum = sum_finish(sum_add(0, out->bytes, len));

    memcpy(out->bytes + 2, &sum, sizeof sum);
    out->len = len;
}

/* Versions 1 and 2: a message for each group, to the group; leaving goes to the routers, and
 * version 1 has no word for it. */
static bool pull_old(const struct member_turn *t, struct igmp_out *out, bool is_v1)
{
    struct weir_addr group;
    bool is_left;

    do {
        if (!members_next_old(t, &group, &is_left))
            return false;
    } while (is_left && is_v1);
    *out = (struct igmp_out){.dst = is_left ? weir_addr_v4(ALL_ROUTERS) : group};
    out->bytes[0] = is_left ? V2_LEAVE : is_v1 ? V1_REPORT : V2_REPORT;
    put32(out->bytes + 4, weir_addr_to_v4(&group));
    seal(out, HEAD);
    return true;
}

bool igmp_pull(struct members *m, struct rng *rng, int ifindex, struct igmp_out *out,
               int64_t now_us)
{
    enum member_version version;
    struct member_turn t = {m, rng, MEMBERS_V4, ifindex, now_us};
    uint16_t records;
    uint32_t len;

    if (!(m->due[MEMBERS_V4] >> ifindex & 1))
        return false;
    version = members_version(m, MEMBERS_V4, ifindex, now_us);
    if (version != MEMBER_NEW)
        return pull_old(&t, out, version == MEMBER_V1);
    *out = (struct igmp_out){.dst = weir_addr_v4(V3_ROUTERS), .bytes = {V3_REPORT}};
    len = members_put_records(&t, out->bytes + HEAD, &records);
    put16(out->bytes + 6, records);
    seal(out, HEAD + len);
    return len;
}
