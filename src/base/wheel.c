/* The timing wheel: see wheel.h.
 *
 * Knows: pool. Not what a timer means. Shape: at every moment each armed node lies where place_of
 * says for the present now_us, so its slot need not be stored. Nodes of a lower level are due
 * before those of a higher one, and slots of a level in the order of their digits; so the first
 * busy slot of the lowest busy level holds the next deadline. Only the top level wraps. Units:
 * microseconds.
 * Errors: none. Cost: O(1); a node moves down at most once a level, and empty time costs
 * nothing. */
#include "base/wheel.h"

#include "base/must.h"

#define DIGIT_BITS 6
#define AHEAD_MAX INT32_MAX
#define NEXT_PEEK 4 /* nodes that wheel_next looks at to be exact */

_Static_assert(1 << DIGIT_BITS == WHEEL_SLOTS, "a digit names a slot");
_Static_assert(WHEEL_LEVELS *DIGIT_BITS > 32, "the top level is longer than any distance");

struct place {
    int level, digit; /* level -1: due */
};

static struct wheel_node *node_of(const struct wheel *w, wheel_ref ref);
static int64_t instant_of(const struct wheel *w, const struct wheel_node *n);
static struct place first_busy(const struct wheel *w);
static int64_t start_of(const struct wheel *w, struct place at);
static void link_last(struct wheel *w, wheel_ref ref, struct wheel_node *n);
static void unlink_node(struct wheel *w, struct wheel_node *n);
static void open_slot(struct wheel *w, struct place at);

void wheel_init(struct wheel *w, int64_t now_us)
{
    *w = (struct wheel){.now_us = now_us};
}

void wheel_add_pool(struct wheel *w, int kind, struct pool *p, uint32_t node_offset)
{
    must(kind >= 0 && kind < WHEEL_POOLS && !w->pool[kind]);
    w->pool[kind] = p;
    w->offset[kind] = node_offset;
}

void wheel_node_init(struct wheel_node *n)
{
    *n = (struct wheel_node){.next = WHEEL_IDLE, .prev = WHEEL_IDLE};
}

bool wheel_is_armed(const struct wheel_node *n)
{
    return n->next != WHEEL_IDLE;
}

void wheel_arm(struct wheel *w, wheel_ref ref, int64_t at_us)
{
    struct wheel_node *n = node_of(w, ref);
    int64_t ahead;
    uint32_t at;

    if (__builtin_sub_overflow(at_us, w->now_us, &ahead))
        ahead = at_us > w->now_us ? AHEAD_MAX : 0;
    if (ahead > AHEAD_MAX)
        ahead = AHEAD_MAX;
    if (ahead < 0)
        ahead = 0;
    at = (uint32_t)w->now_us + (uint32_t)ahead;
    if (wheel_is_armed(n)) {
        if (n->at == at)
            return;
        unlink_node(w, n);
    }
    n->at = at;
    link_last(w, ref, n);
}

void wheel_disarm(struct wheel *w, wheel_ref ref)
{
    struct wheel_node *n = node_of(w, ref);

    if (!wheel_is_armed(n))
        return;
    unlink_node(w, n);
    wheel_node_init(n);
}

wheel_ref wheel_step(struct wheel *w, int64_t now_us)
{
    if (now_us == w->now_us && !w->due.first)
        return 0; /* what was due has been told */
    while (!w->due.first) {
        struct place at = first_busy(w);
        int64_t start = start_of(w, at);

        if (start > now_us) {
            if (now_us > w->now_us)
                w->now_us = now_us;
            return 0;
        }
        w->now_us = start;
        open_slot(w, at);
    }
    wheel_ref ref = w->due.first;
    wheel_disarm(w, ref);
    return ref;
}

int64_t wheel_next(const struct wheel *w)
{
    struct place at = first_busy(w);
    int64_t first = INT64_MAX;
    wheel_ref ref;

    if (w->due.first)
        return w->now_us;
    if (at.level <= 0)
        return start_of(w, at);
    ref = w->slot[at.level][at.digit].first;
    for (int i = 0; ref && i < NEXT_PEEK; i++) {
        const struct wheel_node *n = node_of(w, ref);

        if (instant_of(w, n) < first)
            first = instant_of(w, n);
        ref = n->next;
    }
    return ref ? start_of(w, at) : first;
}

static struct wheel_node *node_of(const struct wheel *w, wheel_ref ref)
{
    int kind = wheel_ref_kind(ref);

    return (void *)((uint8_t *)pool_at(w->pool[kind], wheel_ref_index(ref)) + w->offset[kind]);
}

/* A node is less than 2^31 us away, so the low bits tell the instant. */
static int64_t instant_of(const struct wheel *w, const struct wheel_node *n)
{
    return w->now_us + (int32_t)(n->at - (uint32_t)w->now_us);
}

static int digit_of(int64_t instant, int level)
{
    return (int)((uint64_t)instant >> (DIGIT_BITS * level) & (WHEEL_SLOTS - 1));
}

static struct place place_of(const struct wheel *w, const struct wheel_node *n)
{
    int64_t at = instant_of(w, n);
    uint64_t differ = (uint64_t)(at ^ w->now_us);
    int level;

    if (at <= w->now_us)
        return (struct place){.level = -1};
    level = (63 - __builtin_clzll(differ)) / DIGIT_BITS;
    if (level >= WHEEL_LEVELS)
        level = WHEEL_LEVELS - 1; /* over the end of the top level, where it wraps */
    return (struct place){level, digit_of(at, level)};
}

static struct wheel_slot *slot_of(struct wheel *w, struct place at)
{
    return at.level < 0 ? &w->due : &w->slot[at.level][at.digit];
}

/* Level -1: none is busy. */
static struct place first_busy(const struct wheel *w)
{
    const int top = WHEEL_LEVELS - 1;
    int now_digit;
    uint64_t bits;

    for (int level = 0; level < top; level++)
        if (w->busy[level])
            return (struct place){level, __builtin_ctzll(w->busy[level])};
    if (!w->busy[top])
        return (struct place){.level = -1};
    now_digit = digit_of(w->now_us, top);
    bits = w->busy[top] >> now_digit; /* bit 0 is never set: that slot was opened */
    if (!bits)
        return (struct place){top, __builtin_ctzll(w->busy[top])};
    return (struct place){top, now_digit + __builtin_ctzll(bits)};
}

/* The first instant of a slot; INT64_MAX for level -1. */
static int64_t start_of(const struct wheel *w, struct place at)
{
    int shift = DIGIT_BITS * at.level;
    uint64_t ahead;

    if (at.level < 0)
        return INT64_MAX;
    ahead = (uint64_t)(at.digit - digit_of(w->now_us, at.level)) & (WHEEL_SLOTS - 1);
    return (int64_t)((((uint64_t)w->now_us >> shift) + ahead) << shift);
}

static void link_last(struct wheel *w, wheel_ref ref, struct wheel_node *n)
{
    struct place at = place_of(w, n);
    struct wheel_slot *s = slot_of(w, at);
    bool is_busy = at.level < 0 ? s->first != 0 : (w->busy[at.level] >> at.digit & 1) != 0;

    n->next = 0;
    n->prev = is_busy ? s->last : 0;
    if (is_busy)
        node_of(w, s->last)->next = ref;
    else
        s->first = ref;
    s->last = ref;
    if (at.level >= 0)
        w->busy[at.level] |= 1ull << at.digit;
    w->armed++;
}

static void unlink_node(struct wheel *w, struct wheel_node *n)
{
    struct place at = place_of(w, n);
    struct wheel_slot *s = slot_of(w, at);

    if (n->prev)
        node_of(w, n->prev)->next = n->next;
    else
        s->first = n->next;
    if (n->next)
        node_of(w, n->next)->prev = n->prev;
    else
        s->last = n->prev;
    if (!s->first && at.level >= 0)
        w->busy[at.level] &= ~(1ull << at.digit);
    w->armed--;
}

/* now_us has reached the slot's start: its nodes move down. All nodes of level 0 are due. */
static void open_slot(struct wheel *w, struct place at)
{
    struct wheel_slot s = w->slot[at.level][at.digit];

    w->busy[at.level] &= ~(1ull << at.digit);
    if (at.level == 0) {
        w->due = s;
        return;
    }
    for (wheel_ref ref = s.first; ref;) {
        struct wheel_node *n = node_of(w, ref);
        wheel_ref next = n->next;

        w->armed--;
        link_last(w, ref, n);
        ref = next;
    }
}
