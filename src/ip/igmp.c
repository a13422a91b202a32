/* IGMP of a host: version 3, and versions 2 and 1 where a querier speaks them. 3376, 2236, 1112.
 *
 * Knows: groups of interfaces. Not sockets; who joined is decided above. Shape: joining and leaving
 * are told twice, for one may be lost; a query is answered within the time that it grants, at a
 * random instant. Sources are not told apart: a group is wanted from all or not at all. Units:
 * microseconds. Errors: verdicts. Cost: O(groups), at most 16 for each interface. */
#include "ip/igmp.h"

#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"
#include "ip/inner.h"

#define NEVER INT64_MAX
#define TENTH_US 100000
#define UNSOLICITED_US 1000000   /* 3376#8.11 */
#define ROBUSTNESS 2             /* 3376#8.1 */
#define OLD_QUERIER_US 260000000 /* 3376#8.12: two query intervals and a response */
#define V1_RESPONSE_US 10000000  /* 2236#4 */
#define ALL_HOSTS 0xe0000001u
#define ALL_ROUTERS 0xe0000002u
#define V3_ROUTERS 0xe0000016u
#define HEAD 8
#define RECORD 8
#define RECORDS_MAX ((IGMP_REPORT_MAX - HEAD) / RECORD)

enum { QUERY = 0x11, V1_REPORT = 0x12, V2_REPORT = 0x16, V2_LEAVE = 0x17, V3_REPORT = 0x22 };
enum { IS_EXCLUDE = 2, TO_INCLUDE = 3, TO_EXCLUDE = 4 };

void igmp_init(struct igmp *g)
{
    *g = (struct igmp){.groups = 0};
}

static struct igmp_group *find(struct igmp *g, int ifindex, const struct weir_addr *group)
{
    for (int i = 0; i < IGMP_GROUPS_MAX && g->groups; i++)
        if (g->group[i].ifindex == ifindex && weir_addr_equal(&g->group[i].group, group))
            return &g->group[i];
    return NULL;
}

static struct igmp_group *find_or_new(struct igmp *g, int ifindex, const struct weir_addr *group)
{
    struct igmp_group *e = find(g, ifindex, group);

    for (int i = 0; i < IGMP_GROUPS_MAX && !e; i++)
        if (!g->group[i].ifindex)
            e = &g->group[i];
    return e;
}

static bool is_told(const struct weir_addr *group)
{
    return weir_addr_is_v4(group) && weir_addr_to_v4(group) != ALL_HOSTS;
}

/* News, at once and then again. */
static void announce(struct igmp *g, struct igmp_group *e, bool is_left, int64_t now_us)
{
    e->is_left = is_left;
    e->is_answer = false;
    e->again = ROBUSTNESS;
    e->report_at_us = now_us;
    g->due |= 1u << e->ifindex;
}

void igmp_join(struct igmp *g, int ifindex, const struct weir_addr *group, int64_t now_us)
{
    struct igmp_group *e = is_told(group) ? find_or_new(g, ifindex, group) : NULL;

    if (!e)
        return;
    g->groups += !e->ifindex;
    *e = (struct igmp_group){.group = *group, .ifindex = (uint8_t)ifindex};
    announce(g, e, false, now_us);
}

void igmp_leave(struct igmp *g, int ifindex, const struct weir_addr *group, int64_t now_us)
{
    struct igmp_group *e = find(g, ifindex, group);

    if (e)
        announce(g, e, true, now_us);
}

static void forget(struct igmp *g, struct igmp_group *e)
{
    e->ifindex = 0;
    g->groups--;
}

/* -- queries ----------------------------------------------------------------------------------- */

/* 3376#4.1.1: above 127 a mantissa and an exponent. */
static uint32_t tenths_of(uint8_t code)
{
    return code < 128 ? code : ((code & 15u) | 16u) << ((code >> 4 & 7) + 3);
}

static void note_version(struct igmp *g, int ifindex, uint32_t len, uint8_t code, int64_t now_us)
{
    if (len >= 12)
        return;
    if (code == 0)
        g->v1_until_us[ifindex] = now_us + OLD_QUERIER_US;
    else
        g->old_until_us[ifindex] = now_us + OLD_QUERIER_US;
}

/* 3376#5.2: an answer that is due earlier anyway stays. */
static void ask(struct igmp_group *e, int64_t at_us)
{
    if (e->is_left || e->report_at_us <= at_us)
        return;
    e->is_answer = !e->again;
    e->report_at_us = at_us;
}

static enum drop input_query(struct igmp *g, struct rng *rng, const struct igmp_in *in,
                             const uint8_t *message, int64_t now_us)
{
    uint32_t len = slices_len(in->part, in->parts);
    struct weir_addr group = weir_addr_v4(get32(message + 4));
    uint32_t window_us = message[1] ? tenths_of(message[1]) * TENTH_US : V1_RESPONSE_US;

    bool is_general = get32(message + 4) == 0;
    uint32_t delay_us = rng_below(rng, window_us);

    if (len > HEAD && len < 12)
        return DROP_igmp_invalid;
    note_version(g, in->ifindex, len, message[1], now_us);
    for (int i = 0; i < IGMP_GROUPS_MAX && g->groups; i++) {
        struct igmp_group *e = &g->group[i];

        if (e->ifindex != in->ifindex || !(is_general || weir_addr_equal(&e->group, &group)))
            continue;
        ask(e, now_us + delay_us);
        if (len < 12) /* reports of their own, 2236#3; else one for all */
            delay_us = rng_below(rng, window_us);
    }
    return PASS;
}

static bool is_old(const struct igmp *g, int ifindex, int64_t now_us)
{
    return now_us < g->old_until_us[ifindex] || now_us < g->v1_until_us[ifindex];
}

/* 2236#3: another member's report makes ours needless; version 3 wants them all. */
static enum drop input_report(struct igmp *g, const struct igmp_in *in, const uint8_t *message,
                              int64_t now_us)
{
    struct weir_addr group = weir_addr_v4(get32(message + 4));
    struct igmp_group *e = find(g, in->ifindex, &group);

    if (e && e->is_answer && is_old(g, in->ifindex, now_us))
        e->report_at_us = NEVER;
    return PASS;
}

enum drop igmp_input(struct igmp *g, struct rng *rng, const struct igmp_in *in, int64_t now_us)
{
    uint32_t len = slices_len(in->part, in->parts);
    uint8_t message[HEAD];

    if (slices_peek(in->part, in->parts, message, HEAD) < HEAD ||
        sum_finish(slices_sum(0, in->part, in->parts, len)) != 0)
        return DROP_igmp_invalid;
    if (message[0] == QUERY)
        return input_query(g, rng, in, message, now_us);
    if (message[0] == V1_REPORT || message[0] == V2_REPORT)
        return input_report(g, in, message, now_us);
    return message[0] == V2_LEAVE || message[0] == V3_REPORT ? DROP_igmp_ignored
                                                             : DROP_igmp_invalid;
}

/* -- time -------------------------------------------------------------------------------------- */

int igmp_advance(struct igmp *g, int64_t now_us)
{
    int n = 0;

    for (int i = 0; i < IGMP_GROUPS_MAX && g->groups; i++) {
        if (!g->group[i].ifindex || g->group[i].report_at_us > now_us)
            continue;
        g->due |= 1u << g->group[i].ifindex;
        n++;
    }
    return n;
}

int64_t igmp_deadline(const struct igmp *g)
{
    int64_t first = NEVER;

    for (int i = 0; i < IGMP_GROUPS_MAX && g->groups; i++)
        if (g->group[i].ifindex && g->group[i].report_at_us < first)
            first = g->group[i].report_at_us;
    return first;
}

/* -- reports ----------------------------------------------------------------------------------- */

/* What was said of it was said: when next? */
static void reported(struct igmp *g, struct rng *rng, struct igmp_group *e, int64_t now_us)
{
    bool is_over = e->is_answer || --e->again == 0;

    e->is_answer = false;
    e->report_at_us = is_over ? NEVER : now_us + 1 + rng_below(rng, UNSOLICITED_US);
    if (is_over && e->is_left)
        forget(g, e);
}

static void seal(struct igmp_out *out, uint32_t len)
{
    uint16_t sum = sum_finish(sum_add(0, out->bytes, len));

    memcpy(out->bytes + 2, &sum, sizeof sum);
    out->len = len;
}

/* Versions 1 and 2: a message for each group, to the group; leaving goes to the routers, once, and
 * version 1 has no word for it. */
static bool pull_old(struct igmp *g, struct rng *rng, struct igmp_group *e, struct igmp_out *out,
                     int64_t now_us)
{
    bool is_v1 = now_us < g->v1_until_us[e->ifindex], is_left = e->is_left;

    *out = (struct igmp_out){.dst = e->group};
    out->bytes[0] = is_left ? V2_LEAVE : is_v1 ? V1_REPORT : V2_REPORT;
    put32(out->bytes + 4, weir_addr_to_v4(&e->group));
    if (is_left) {
        out->dst = weir_addr_v4(ALL_ROUTERS);
        e->again = 1;
    }
    reported(g, rng, e, now_us);
    seal(out, HEAD);
    return !(is_left && is_v1);
}

static void add_record(struct igmp_out *out, int n, const struct igmp_group *e)
{
    uint8_t *p = out->bytes + HEAD + n * RECORD;

    p[0] = e->is_left ? TO_INCLUDE : e->is_answer ? IS_EXCLUDE : TO_EXCLUDE;
    put32(p + 4, weir_addr_to_v4(&e->group));
}

bool igmp_pull(struct igmp *g, struct rng *rng, int ifindex, struct igmp_out *out, int64_t now_us)
{
    bool is_v2 = is_old(g, ifindex, now_us);
    int n = 0;

    *out = (struct igmp_out){.dst = weir_addr_v4(V3_ROUTERS), .bytes = {V3_REPORT}};
    for (int i = 0; i < IGMP_GROUPS_MAX && g->groups && n < RECORDS_MAX; i++) {
        struct igmp_group *e = &g->group[i];

        if (e->ifindex != ifindex || e->report_at_us > now_us)
            continue;
        if (is_v2) {
            if (pull_old(g, rng, e, out, now_us))
                return true;
            continue;
        }
        add_record(out, n++, e);
        reported(g, rng, e, now_us);
    }
    if (!n) {
        g->due &= ~(1u << ifindex);
        return false;
    }
    put16(out->bytes + 6, (uint16_t)n);
    seal(out, HEAD + (uint32_t)n * RECORD);
    return true;
}
