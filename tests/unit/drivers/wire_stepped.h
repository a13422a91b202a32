/* Memory of a lane as C11 allows it to be: drivers/wire_lane.c is compiled onto it.
 *
 * Knows: which accesses the lane makes. Shape: the addresses that the lane has are walled off, each
 * access comes here instead. What a member stores waits, and is seen by the other in any order but
 * that of one place and that which a release or a fence asks for; what it loads may be old, but for
 * an acquire that saw something new, and a fence. Before each access the member stops, so a seed
 * draws who goes on. Units: bytes. Errors: an access outside fails the test. Cost: copies. */
#ifndef TEST_DRIVERS_WIRE_STEPPED_H
#define TEST_DRIVERS_WIRE_STEPPED_H

#include "fiber.h"

#include <stdalign.h>
#include <stdatomic.h>

#include "drivers/wire_lane.h"
#include "support/unit.h"

#define CONTROL ((uint32_t)sizeof(struct lane_control))
#define PIECE 16u
#define WAITING_MAX 4096

/* A store on its way to memory. */
struct waiting {
    uint32_t at, len;
    bool is_release;
    uint8_t bytes[PIECE];
};

enum side { PRODUCER, CONSUMER };

struct member {
    struct fiber fiber;
    struct lane lane;
    enum side side;
    uint8_t *view; /* the memory as it last saw it */
    struct waiting *waiting;
    uint32_t waits;
    bool is_dead;     /* killed: what it does from here on does not happen */
    uint32_t touched; /* accesses since its last call began */
};

struct stepped {
    struct dice *d;
    uint8_t *walled; /* where the lane thinks that the memory is */
    uint8_t *memory;
    uint32_t bytes; /* of both: the control, and the ring behind it */
    struct member member[2];
};

static struct stepped stepped;
static struct member *member_now;

static inline bool coin(void)
{
    return dice_below(stepped.d, 2);
}

static inline void may_touch(const struct member *m, uint32_t at, uint32_t len, bool to_write)
{
    static const uint32_t written[][2] = {
        {offsetof(struct lane_control, head), offsetof(struct lane_control, is_asleep)},
        {offsetof(struct lane_control, tail), offsetof(struct lane_control, is_asleep)}};

    check(stepped.d, at < stepped.bytes && len <= stepped.bytes - at);
    if (to_write)
        check(stepped.d, at == written[m->side][0] || at == written[m->side][1] ||
                             (m->side == PRODUCER && at >= CONTROL));
}

/* The member stops, and others go on, before each access. */
static inline void step(void)
{
    member_now->touched++;
    if (!member_now->is_dead)
        fiber_stop();
}

/* -- what waits -------------------------------------------------------------------------------- */

static inline void reach_memory(struct member *m, uint32_t i)
{
    memcpy(stepped.memory + m->waiting[i].at, m->waiting[i].bytes, m->waiting[i].len);
    memmove(&m->waiting[i], &m->waiting[i + 1], (--m->waits - i) * sizeof m->waiting[0]);
}

/* Whether store i may be seen before those in front of it. */
static inline bool may_overtake(const struct member *m, uint32_t i)
{
    const struct waiting *w = m->waiting;

    for (uint32_t k = 0; k < i; k++)
        if (w[i].is_release || (w[k].at < w[i].at + w[i].len && w[i].at < w[k].at + w[k].len))
            return false;
    return true;
}

static inline void all_reach_memory(struct member *m)
{
    while (m->waits)
        reach_memory(m, 0);
}

static inline void one_reaches_memory(struct member *m)
{
    uint32_t i = m->waits ? dice_below(stepped.d, m->waits) : 0;

    if (m->waits)
        reach_memory(m, may_overtake(m, i) ? i : 0);
}

static inline void store(uint32_t at, const void *from, uint32_t len, bool is_release)
{
    struct member *m = member_now;

    may_touch(m, at, len, true);
    if (m->is_dead)
        return;
    if (m->waits == WAITING_MAX)
        all_reach_memory(m);
    m->waiting[m->waits] = (struct waiting){.at = at, .len = len, .is_release = is_release};
    memcpy(m->waiting[m->waits++].bytes, from, len);
}

/* -- what is seen ------------------------------------------------------------------------------ */

static inline void see_all(struct member *m)
{
    memcpy(m->view, stepped.memory, stepped.bytes);
}

static inline void load(uint32_t at, void *to, uint32_t len)
{
    struct member *m = member_now;

    may_touch(m, at, len, false);
    if (coin())
        memcpy(m->view + at, stepped.memory + at, len);
    memcpy(to, m->view + at, len);
}

/* -- the accesses of wire_lane.c --------------------------------------------------------------- */

static inline uint32_t place(const volatile void *p)
{
    return (uint32_t)((const uint8_t *)(uintptr_t)p - stepped.walled);
}

static inline bool is_shared(const void *p)
{
    return place(p) < stepped.bytes;
}

static inline uint64_t stepped_load(const volatile void *p, size_t size, int order)
{
    uint64_t old = 0, new = 0;

    step();
    memcpy(&old, member_now->view + place(p), size);
    load(place(p), &new, (uint32_t)size);
    if (order == memory_order_acquire && old != new)
        see_all(member_now);
    return new;
}

static inline void stepped_store(volatile void *p, uint64_t value, size_t size, int order)
{
    step();
    store(place(p), &value, (uint32_t)size, order == memory_order_release);
}

/* Of is_asleep, and nobody orders by it. */
static inline uint64_t stepped_exchange(volatile void *p, uint64_t value, size_t size)
{
    uint64_t old = 0;

    step();
    may_touch(member_now, place(p), (uint32_t)size, true);
    memcpy(&old, stepped.memory + place(p), size);
    if (!member_now->is_dead)
        memcpy(stepped.memory + place(p), &value, size);
    memcpy(member_now->view + place(p), &value, size);
    return old;
}

static inline void stepped_fence(void)
{
    step();
    all_reach_memory(member_now);
    see_all(member_now);
}

static inline void stepped_copy(void *to, const void *from, size_t len)
{
    if (!is_shared(to) && !is_shared(from)) {
        memcpy(to, from, len);
        return;
    }
    for (size_t n; len; len -= n) {
        n = len < PIECE ? len : PIECE;
        step();
        if (is_shared(to))
            store(place(to), from, (uint32_t)n, false);
        else
            load(place(from), to, (uint32_t)n);
        to = (uint8_t *)to + n;
        from = (const uint8_t *)from + n;
    }
}

/* -- two ends ---------------------------------------------------------------------------------- */

static inline void member_begin(enum side side, uint32_t index, void (*run)(void *arg))
{
    struct member *m = &stepped.member[side];

    *m = (struct member){.side = side,
                         .view = malloc(stepped.bytes),
                         .waiting = malloc(WAITING_MAX * sizeof *m->waiting),
                         .lane = {.control = (void *)stepped.walled,
                                  .bytes = stepped.walled + CONTROL,
                                  .size = stepped.bytes - CONTROL,
                                  .mine = index,
                                  .theirs = index}};
    see_all(m);
    fiber_begin(&m->fiber, run, m);
}

static inline void stepped_begin(struct dice *d, uint32_t ring, uint32_t index)
{
    stepped = (struct stepped){
        .d = d, .bytes = CONTROL + ring, .memory = aligned_alloc(64, CONTROL + ring)};
    stepped.walled = mmap(NULL, stepped.bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(stepped.memory && stepped.walled != MAP_FAILED);
    memset(stepped.memory, 0xee, stepped.bytes);
    memset(stepped.memory, 0, CONTROL);
    memcpy(stepped.memory + offsetof(struct lane_control, head), &index, sizeof index);
    memcpy(stepped.memory + offsetof(struct lane_control, tail), &index, sizeof index);
}

static inline void member_runs(struct member *m)
{
    member_now = m;
    fiber_run(&m->fiber);
    member_now = NULL;
}

/* Where it stands it stays; what it stored is on its way. */
static inline void member_dies(struct member *m)
{
    m->is_dead = true;
    if (!m->fiber.is_over)
        member_runs(m);
}

static inline void stepped_end(void)
{
    for (int i = 0; i < 2; i++) {
        struct member *m = &stepped.member[i];
        member_dies(m);
        fiber_free(&m->fiber);
        free(m->view);
        free(m->waiting);
    }
    munmap(stepped.walled, stepped.bytes);
    free(stepped.memory);
}

/* The file under test, on this memory. */
#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_thread_fence
#undef atomic_signal_fence
#define atomic_load_explicit(p, order) stepped_load((p), sizeof *(p), (order))
#define atomic_store_explicit(p, value, order) stepped_store((p), (value), sizeof *(p), (order))
#define atomic_exchange_explicit(p, value, order) stepped_exchange((p), (value), sizeof *(p))
#define atomic_thread_fence(order) stepped_fence()
#define atomic_signal_fence(order) (void)0
#define memcpy stepped_copy
#include "drivers/wire_lane.c"
#undef memcpy

#endif
