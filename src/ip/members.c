/* The book of multicast groups: what changed, what was asked, when either is due. 3376#5, 3810#6.
 *
 * Knows: groups, filters. Not sockets, nor what a report says (members_tell.c). Shape: a change is
 * told `robustness` times, for one may be lost; a query is answered within the time that it grants,
 * at a random instant; a list of sources is memory of its own. Units: microseconds. Errors:
 * -ENOBUFS; a list that finds no memory is a group that is wanted from all. Cost: O(entries). */
#include "ip/members_inner.h"

#include <errno.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define RESPONSE_US (10 * SECOND) /* 3376#8.3, 3810#9.3 */
#define ROBUSTNESS 2              /* 3376#8.1, 3810#9.1 */
#define QUERY_INTERVAL_S 125      /* 3376#8.2, 3810#9.2 */
#define ROOM_MIN 8

void members_init(struct members *m, struct mem *mem)
{
    *m = (struct members){.mem = mem, .next_us = NEVER};
    for (int f = 0; f < MEMBERS_FAMILIES; f++)
        for (int i = 0; i < MEMBERS_IFACES; i++)
            m->querier[f][i] = (struct member_querier){.interval_s = QUERY_INTERVAL_S,
                                                       .robustness = ROBUSTNESS};
}

static void free_sources(struct members *m, struct member *e)
{
    mem_free(m->mem, e->sources, sizeof *e->sources);
    e->sources = NULL;
}

void members_fini(struct members *m)
{
    for (uint32_t i = 0; i < m->members; i++)
        free_sources(m, &m->member[i]);
    mem_free(m->mem, m->member, m->room * sizeof *m->member);
    m->member = NULL;
    m->members = m->room = 0;
}

int member_family(const struct weir_addr *a)
{
    return weir_addr_is_v4(a) ? MEMBERS_V4 : MEMBERS_V6;
}

static uint8_t robustness_of(const struct members *m, const struct member *e)
{
    return m->querier[member_family(&e->group)][e->ifindex].robustness;
}

/* -- entries ----------------------------------------------------------------------------------- */

static struct member *find(const struct members *m, int ifindex, const struct weir_addr *group)
{
    for (uint32_t i = 0; i < m->members; i++)
        if (m->member[i].ifindex == ifindex && weir_addr_equal(&m->member[i].group, group))
            return &m->member[i];
    return NULL;
}

static bool grow(struct members *m)
{
    uint32_t room = m->room ? 2 * m->room : ROOM_MIN;
    struct member *more = room > MEMBERS_MAX ? NULL : mem_alloc(m->mem, room * sizeof *more);

    if (!more)
        return false;
    if (m->members)
        memcpy(more, m->member, m->members * sizeof *more);
    mem_free(m->mem, m->member, m->room * sizeof *m->member);
    m->member = more;
    m->room = room;
    return true;
}

static struct member *add(struct members *m, int ifindex, const struct weir_addr *group)
{
    if (m->members == m->room && !grow(m))
        return NULL;
    m->member[m->members] = (struct member){
        .group = *group, .ifindex = (uint8_t)ifindex, .change_at_us = NEVER, .answer_at_us = NEVER};
    return &m->member[m->members++];
}

static void forget(struct members *m, struct member *e)
{
    free_sources(m, e);
    *e = m->member[--m->members];
    if (m->members)
        return;
    mem_free(m->mem, m->member, m->room * sizeof *m->member);
    m->member = NULL;
    m->room = 0;
}

static struct member_sources *sources_of(struct members *m, struct member *e)
{
    if (!e->sources && (e->sources = mem_alloc(m->mem, sizeof *e->sources)))
        e->sources->held = e->sources->asked = 0;
    return e->sources;
}

/* Sources in the filter. */
static int count_there(const struct member *e)
{
    int n = 0;

    for (int i = 0; e->sources && i < e->sources->held; i++)
        n += e->sources->source[i].is_there;
    return n;
}

bool member_is_wanted(const struct member *e)
{
    return e->is_exclude || count_there(e);
}

bool member_has_changes(const struct member *e)
{
    for (int i = 0; e->sources && i < e->sources->held; i++)
        if (e->sources->source[i].again)
            return true;
    return e->mode_again;
}

struct held *member_find_held(struct member_sources *s, const struct weir_addr *addr)
{
    for (int i = 0; s && i < s->held; i++)
        if (weir_addr_equal(&s->source[i].addr, addr))
            return &s->source[i];
    return NULL;
}

static void drop_gone(struct member *e)
{
    struct member_sources *s = e->sources;

    for (int i = 0; s && i < s->held;) {
        if (s->source[i].is_there || s->source[i].again)
            i++;
        else
            s->source[i] = s->source[--s->held];
    }
}

/* -- changes ----------------------------------------------------------------------------------- */

void member_due_at(struct members *m, struct member *e, int64_t at_us)
{
    if (at_us < m->next_us)
        m->next_us = at_us;
    if (e->change_at_us == NEVER || at_us < e->change_at_us)
        e->change_at_us = at_us;
}

/* The sources that were, and that are now wanted: each change has its count. A list that is full of
 * what was forgets the rest of it: routers find out by asking. */
static bool change_sources(struct member_sources *s, const struct filter *want, uint8_t again)
{
    bool is_news = false;

    for (int i = 0; i < s->held; i++) {
        struct held *h = &s->source[i];

        if (filter_has(want, &h->addr) == h->is_there)
            continue;
        h->is_there = !h->is_there;
        h->again = again;
        is_news = true;
    }
    for (int i = 0; i < want->sources; i++) {
        if (member_find_held(s, &want->source[i]))
            continue;
        for (int j = 0; s->held == HELD_MAX && j < s->held; j++)
            if (!s->source[j].is_there)
                s->source[j] = s->source[--s->held];
        s->source[s->held++] = (struct held){want->source[i], again, true};
        is_news = true;
    }
    return is_news;
}

int members_set(struct members *m, int ifindex, const struct weir_addr *group,
                const struct filter *want, int64_t at_us)
{
    struct member *e = find(m, ifindex, group);
    struct filter all = filter_all();
    bool is_news = false;

    if (!e && filter_is_none(want))
        return 0;
    if (!e && !(e = add(m, ifindex, group)))
        return -ENOBUFS;
    if ((want->sources || e->sources) && !sources_of(m, e))
        want = &all;
    if (e->is_exclude != want->is_exclude) {
        e->is_exclude = want->is_exclude;
        e->mode_again = robustness_of(m, e);
        if (e->sources)
            e->sources->held = 0; /* told with the mode */
        is_news = true;
    }
    if (e->sources)
        is_news |= change_sources(e->sources, want, is_news ? 0 : robustness_of(m, e));
    if (!is_news)
        return 0;
    e->is_half_told = false;
    member_due_at(m, e, at_us);
    m->due[member_family(group)] |= 1u << ifindex;
    return 0;
}

void members_repeat(struct members *m, int family, int ifindex, int64_t now_us)
{
    for (uint32_t i = 0; i < m->members; i++) {
        struct member *e = &m->member[i];

        if (e->ifindex != ifindex || member_family(&e->group) != family || !member_is_wanted(e))
            continue;
        e->mode_again = robustness_of(m, e);
        member_due_at(m, e, now_us);
        m->due[family] |= 1u << ifindex;
    }
}

/* -- queries ----------------------------------------------------------------------------------- */

uint32_t members_float(uint32_t code, int bits)
{
    uint32_t first = 1u << (bits + 3);

    return code < first ? code
                        : ((code & ((1u << bits) - 1)) | 1u << bits) << ((code >> bits & 7) + 3);
}

/* 3376#5.2: what is asked adds to what was asked before, and the earlier instant holds. */
static void ask(struct members *m, struct member *e, const struct member_query *q, int64_t at_us)
{
    struct member_sources *s;

    if (e->answer_at_us == NEVER) {
        e->is_whole = false;
        if (e->sources)
            e->sources->asked = 0;
    }
    if (at_us < e->answer_at_us)
        e->answer_at_us = at_us;
    if (at_us < m->next_us)
        m->next_us = at_us;
    s = q->sources && !e->is_whole ? sources_of(m, e) : NULL;
    if (!s || s->asked + q->sources > FILTER_MAX) {
        e->is_whole = true;
        return;
    }
    memcpy(s->wanted + s->asked, q->source, q->sources * sizeof *s->wanted);
    s->asked = (uint8_t)(s->asked + q->sources);
}

void members_ask(struct members *m, struct rng *rng, const struct member_query *q, int64_t now_us)
{
    uint32_t delay_us = q->window_us ? rng_below(rng, q->window_us) : 0;

    for (uint32_t i = 0; i < m->members; i++) {
        struct member *e = &m->member[i];

        if (e->ifindex != q->ifindex || member_family(&e->group) != q->family ||
            !member_is_wanted(e) || (q->group && !weir_addr_equal(&e->group, q->group)))
            continue;
        ask(m, e, q, now_us + delay_us);
        if (q->is_old && q->window_us) /* reports of their own, 2236#3, 2710#4; else one for all */
            delay_us = rng_below(rng, q->window_us);
    }
}

void members_answered(struct members *m, int ifindex, const struct weir_addr *group)
{
    struct member *e = find(m, ifindex, group);

    if (e)
        e->answer_at_us = NEVER;
}

void member_settle(struct members *m, struct member *e)
{
    drop_gone(e);
    if (!member_is_wanted(e) && !member_has_changes(e))
        forget(m, e);
}

/* 3376#7.2.1, 3810#8.2.1: versions changed, what is still to come is void. */
static void hush(struct members *m, int family, int ifindex)
{
    for (uint32_t i = m->members; i-- > 0;) {
        struct member *e = &m->member[i];

        if (e->ifindex != ifindex || member_family(&e->group) != family)
            continue;
        e->answer_at_us = e->change_at_us = NEVER;
        e->mode_again = 0;
        for (int j = 0; e->sources && j < e->sources->held; j++)
            e->sources->source[j].again = 0;
        member_settle(m, e);
    }
}

static enum member_version version_of(const struct member_querier *q, int64_t now_us)
{
    if (now_us < q->v1_until_us)
        return MEMBER_V1;
    return now_us < q->old_until_us ? MEMBER_OLD : MEMBER_NEW;
}

enum member_version members_version(struct members *m, int family, int ifindex, int64_t now_us)
{
    struct member_querier *q = &m->querier[family][ifindex];
    enum member_version v = version_of(q, now_us);

    if (v != q->version)
        hush(m, family, ifindex);
    q->version = v;
    if (v != MEMBER_NEW && q->old_until_us < m->next_us && q->old_until_us > now_us)
        m->next_us = q->old_until_us;
    if (v != MEMBER_NEW && q->v1_until_us < m->next_us && q->v1_until_us > now_us)
        m->next_us = q->v1_until_us;
    return v;
}

void members_on_old(struct members *m, int family, int ifindex, enum member_version version,
                    int64_t now_us)
{
    struct member_querier *q = &m->querier[family][ifindex];
    int64_t until_us = now_us + (int64_t)q->robustness * q->interval_s * SECOND + RESPONSE_US;

    *(version == MEMBER_V1 ? &q->v1_until_us : &q->old_until_us) = until_us;
    members_version(m, family, ifindex, now_us);
}

void members_on_new(struct members *m, int family, int ifindex, uint8_t robustness,
                    uint8_t interval_code)
{
    struct member_querier *q = &m->querier[family][ifindex];
    uint32_t interval_s = members_float(interval_code, 4);

    q->robustness = robustness ? robustness : ROBUSTNESS;
    q->interval_s = interval_s ? interval_s : QUERY_INTERVAL_S;
}

/* -- time -------------------------------------------------------------------------------------- */

static int64_t next_of(const struct member *e)
{
    return e->change_at_us < e->answer_at_us ? e->change_at_us : e->answer_at_us;
}

int members_advance(struct members *m, int64_t now_us)
{
    int n = 0;

    if (m->next_us > now_us)
        return 0;
    m->next_us = NEVER;
    for (int f = 0; f < MEMBERS_FAMILIES; f++)
        for (int i = 1; i < MEMBERS_IFACES; i++)
            members_version(m, f, i, now_us);
    for (uint32_t i = 0; i < m->members; i++) {
        const struct member *e = &m->member[i];
        int64_t at_us = next_of(e);

        if (at_us <= now_us) {
            m->due[member_family(&e->group)] |= 1u << e->ifindex;
            n++;
        } else if (at_us < m->next_us) {
            m->next_us = at_us;
        }
    }
    return n;
}

int64_t members_deadline(const struct members *m)
{
    return m->next_us;
}
