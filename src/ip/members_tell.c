/* What is told of the book of groups: records of the present version, groups of those before.
 * 3376#4.2.4, 3376#5, 3810#5.2.5.
 *
 * Knows: records, which IGMP and MLD write alike but for the size of an address. Not how a message
 * begins (igmp.c, mld.c). Shape: an entry is told whole or stays due; what does not fit waits for
 * the next message. Units: bytes, microseconds. Errors: none. Cost: O(entries). */
#include <string.h>

#include "base/bytes.h"
#include "ip/members_inner.h"

#define UNSOLICITED_US 1000000 /* 3376#8.11, 3810#9.11 */

enum record {
    IS_INCLUDE = 1,
    IS_EXCLUDE = 2,
    TO_INCLUDE = 3,
    TO_EXCLUDE = 4,
    ALLOW_NEW = 5,
    BLOCK_OLD = 6
};

struct writer {
    uint8_t *at;
    uint32_t len, addr_len;
    uint16_t records;
};

struct list {
    uint8_t type, n;
    struct weir_addr source[FILTER_MAX];
};

/* Sources of the filter; or, of those whose change is still told, those that are or were in it. */
static void list_held(const struct member *e, struct list *out, bool is_change, bool is_there)
{
    for (int i = 0; e->sources && i < e->sources->held && out->n < FILTER_MAX; i++) {
        const struct held *h = &e->sources->source[i];
        if (h->is_there == is_there && (h->again || !is_change))
            out->source[out->n++] = h->addr;
    }
}

/* 3376#5.1: first the mode, with the list that it has now; then what changed in the list. False:
 * nothing is left to tell. */
static bool list_change(const struct member *e, struct list *out)
{
    bool is_there = !e->is_half_told;

    *out = (struct list){.type = e->is_exclude ? TO_EXCLUDE : TO_INCLUDE};
    if (e->mode_again) {
        list_held(e, out, false, true);
        return !e->is_half_told;
    }
    list_held(e, out, true, is_there);
    if (!out->n && is_there)
        list_held(e, out, true, is_there = false);
    out->type = is_there == e->is_exclude ? BLOCK_OLD : ALLOW_NEW;
    return out->n;
}

/* 3376#5.2: of sources that were asked for, those that are wanted. */
static bool list_answer(const struct member *e, struct list *out)
{
    *out = (struct list){.type = e->is_exclude ? IS_EXCLUDE : IS_INCLUDE};
    if (e->is_whole) {
        list_held(e, out, false, true);
        return true;
    }
    out->type = IS_INCLUDE;
    for (int i = 0; e->sources && i < e->sources->asked; i++) {
        const struct held *h = member_find_held(e->sources, &e->sources->wanted[i]);
        if ((h && h->is_there) != e->is_exclude)
            out->source[out->n++] = e->sources->wanted[i];
    }
    return out->n;
}

static void write_addr(struct writer *w, const struct weir_addr *a)
{
    memcpy(w->at + w->len, a->b + 16 - w->addr_len, w->addr_len);
    w->len += w->addr_len;
}

/* False: it finds no room behind the others. */
static bool write_record(struct writer *w, const struct weir_addr *group, const struct list *l)
{
    if (w->len + 4 + (l->n + 1u) * w->addr_len > MEMBERS_REPORT_MAX - MEMBERS_HEAD)
        return false;
    w->at[w->len] = l->type;
    w->at[w->len + 1] = 0;
    put16(w->at + w->len + 2, l->n);
    w->len += 4;
    write_addr(w, group);
    for (int i = 0; i < l->n; i++)
        write_addr(w, &l->source[i]);
    w->records++;
    return true;
}

/* The change was told once more: when next? */
static void told_change(const struct member_turn *t, struct member *e)
{
    if (e->mode_again)
        e->mode_again--;
    else
        for (int i = 0; e->sources && i < e->sources->held; i++)
            if (e->sources->source[i].again)
                e->sources->source[i].again--;
    e->is_half_told = false;
    e->change_at_us = NEVER;
    if (member_has_changes(e))
        member_due_at(t->m, e, t->now_us + 1 + rng_below(t->rng, UNSOLICITED_US));
}

/* False: the message is full. */
static bool write_change(struct writer *w, struct member *e)
{
    struct list l;

    while (list_change(e, &l)) {
        if (!write_record(w, &e->group, &l))
            return false;
        if (e->is_half_told || l.type == (e->is_exclude ? ALLOW_NEW : BLOCK_OLD))
            break;
        e->is_half_told = true;
    }
    return true;
}

uint32_t members_put_records(const struct member_turn *t,
                             uint8_t at[MEMBERS_REPORT_MAX - MEMBERS_HEAD], uint16_t *records)
{
    struct writer w = {.at = at, .addr_len = t->family == MEMBERS_V4 ? 4 : 16};
    bool is_full = false;

    for (uint32_t i = t->m->members; i-- > 0 && !is_full;) {
        struct member *e = &t->m->member[i];
        struct list l;

        if (e->ifindex != t->ifindex || member_family(&e->group) != t->family)
            continue;
        if (e->change_at_us <= t->now_us && !(is_full = !write_change(&w, e)))
            told_change(t, e);
        if (!is_full && e->answer_at_us <= t->now_us &&
            !(is_full = list_answer(e, &l) && !write_record(&w, &e->group, &l)))
            e->answer_at_us = NEVER;
        if (!is_full)
            member_settle(t->m, e);
    }
    if (!is_full)
        t->m->due[t->family] &= ~(1u << t->ifindex);
    *records = w.records;
    return w.len;
}

bool members_next_old(const struct member_turn *t, struct weir_addr *group, bool *is_left)
{
    for (uint32_t i = t->m->members; i-- > 0;) {
        struct member *e = &t->m->member[i];
        bool is_answer = e->answer_at_us <= t->now_us, is_told = is_answer || e->mode_again;

        if (e->ifindex != t->ifindex || member_family(&e->group) != t->family ||
            (e->change_at_us > t->now_us && !is_answer))
            continue;
        *group = e->group;
        *is_left = !member_is_wanted(e);
        if (*is_left && e->mode_again)
            e->mode_again = 1; /* once: 2236#3, 2710#4 */
        if (is_answer)
            e->answer_at_us = NEVER;
        else
            told_change(t, e);
        member_settle(t->m, e);
        if (is_told)
            return true;
    }
    t->m->due[t->family] &= ~(1u << t->ifindex);
    return false;
}
