/* Members of one wire in one process, stepped as a seed draws: they send, take, stop to take, leave
 * and come again, while a rogue beside each of two writes anything into the memory that it shares,
 * also between any two accesses of theirs. Frames between honest members are whole and in order, or
 * counted: `ring_full`. */
#include "wire_rogue.h"

#include <stdatomic.h>

#define STEPS 400
#define HONEST 3 /* the last of them leaves and comes again */
#define ROGUES 2

static struct dice *die;
static struct rogue rogue[ROGUES];
static bool is_here[ROGUES];
static unsigned accesses, lies;

static void spoil(struct rogue *r)
{
    struct lane_control *c = (void *)r->memory.base;
    _Atomic uint32_t *field[] = {&c[0].head, &c[0].tail, &c[0].is_asleep,
                                 &c[1].head, &c[1].tail, &c[1].is_asleep};
    uint32_t value = (uint32_t)dice_u64(die), which = dice_below(die, COUNT_OF(field));
    uint64_t word = dice_u64(die) % (1 << 17);

    switch (dice_below(die, 4)) {
    case 0:
        atomic_store(field[which], value);
        break;
    case 1:
        atomic_fetch_add(field[which], value % 129 * 16 - 1024);
        break;
    case 2:
        memcpy(r->out.bytes + value % (LANE_BYTES_MIN / 16) * 16, &word, sizeof word);
        break;
    default:
        r->memory.base[value % (4096 + 2 * LANE_BYTES_MIN)] ^= (uint8_t)(value >> 24);
    }
    lies++;
}

/* Before each access of a member to memory that is shared. */
static void between(void)
{
    uint32_t i = dice_below(die, ROGUES * 16);

    accesses++;
    if (i < ROGUES && is_here[i])
        spoil(&rogue[i]);
}

static uint32_t load32(_Atomic uint32_t *p)
{
    between();
    return atomic_load(p);
}

static uint64_t load64(_Atomic uint64_t *p)
{
    between();
    return atomic_load(p);
}

static void copy(void *to, const void *from, size_t len)
{
    between();
    memcpy(to, from, len);
}

#undef atomic_load_explicit
#define atomic_load_explicit(p, order) \
    _Generic((p), _Atomic uint32_t * : load32, _Atomic uint64_t * : load64)((void *)(p))
#define memcpy copy
#include "drivers/wire_lane.c"
#undef memcpy

/* What one member has said to one other. */
static struct talk {
    uint32_t said, heard, full;
    uint32_t next; /* no number below it can come */
} talk[HONEST][HONEST];

static uint8_t byte_of(uint32_t number, uint32_t at)
{
    return (uint8_t)(die->seed * 7 + number * 31 + at);
}

static void tell(struct weir_link *const *m, int from, int to)
{
    static uint8_t bytes[3000];
    struct talk *t = &talk[from][to];
    uint32_t number = t->said++, len = 40 + number * 97 % 1400;
    struct weir_frame f = frame_to(bytes, len, m[to]->iface.mac, m[from]->iface.mac, 0);
    uint64_t before = stats_of(m[from]).ring_full;

    for (uint32_t i = 18; i < len; i++)
        bytes[i] = byte_of(number, i);
    memcpy(bytes + 14, &number, 4);
    m[from]->driver->send(m[from], &f, 1, 0);
    t->full += stats_of(m[from]).ring_full != before;
}

/* Whole, and newer than the last one. */
static void hear(struct talk *t, const struct weir_frame *f)
{
    const uint8_t *p = f->part[0].data;
    uint32_t number;

    memcpy(&number, p + 14, 4);
    check(die, number < t->said && f->part[0].len == 40 + number * 97 % 1400);
    for (uint32_t i = 18; i < f->part[0].len; i++)
        check(die, p[i] == byte_of(number, i));
    check(die, number >= t->next);
    t->next = number + 1;
    t->heard++;
}

static void take(struct weir_link *const *m, int who)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    unsigned before = accesses;
    int n = m[who]->driver->recv(m[who], burst, WEIR_BURST_MAX, 0);

    check(die, n >= 0 && n <= WEIR_BURST_MAX);
    check(die, accesses - before < 16 * WEIR_BURST_MAX); /* whatever a rogue writes meanwhile */
    for (int i = 0; i < n; i++)
        for (int from = 0; from < 2; from++)
            if (memcmp(burst[i].part[0].data + 6, m[from]->iface.mac, 6) == 0 && who != from)
                hear(&talk[from][who], &burst[i]);
}

static void shout(struct rogue *r)
{
    static uint8_t bytes[2000];
    struct weir_frame f = frame_to(bytes, 14 + dice_below(die, 1900), EVERYBODY,
                                   (const uint8_t *)"\2rogue", 1);

    if (lane_put(&r->out, &f) != LANE_OK)
        r->out.mine = r->out.theirs = atomic_load(&r->out.control->tail) & ~15u;
    lane_publish(&r->out);
    meet_wake(r->fd);
}

static void come_or_go(struct weir_link *const *m, uint32_t i)
{
    if (is_here[i])
        rogue_ends(&rogue[i]);
    else
        rogue[i] = rogue_beside(m[i], i ? "\2rogue" : "\2other");
    is_here[i] = !is_here[i];
}

static void step(struct weir_link **m)
{
    uint32_t what = dice_below(die, 40), i = dice_below(die, ROGUES);

    if (what < 14) {
        for (uint32_t n = dice_below(die, 20) ? 1 : 150; n;
             n--) /* many: the other one is stopped */
            tell(m, (int)i, !i);
    } else if (what < 28) {
        take(m, (int)dice_below(die, HONEST));
    } else if (what < 37) {
        if (is_here[i])
            shout(&rogue[i]);
    } else if (what < 39) {
        come_or_go(m, i);
    } else { /* one that is killed does the same without its last word */
        weir_link_close(m[2]);
        m[2] = member();
    }
}

static void frames_between_honest_members_are_whole_or_counted(void **state)
{
    uint64_t liars = 0, full = 0, heard = 0;

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 40); dice_next(&d)) {
        struct weir_link *m[HONEST];
        die = &d;
        memset(talk, 0, sizeof talk);
        for (int i = 0; i < HONEST; i++)
            m[i] = member();
        for (int i = 0; i < 4 * HONEST; i++)
            take(m, i % HONEST);
        for (int i = 0; i < STEPS; i++)
            step(m);
        for (uint32_t i = 0; i < ROGUES; i++)
            if (is_here[i])
                come_or_go(m, i);
        for (int i = 0; i < 400; i++)
            take(m, i % 2);
        for (int from = 0; from < 2; from++) {
            struct talk *t = &talk[from][!from];
            check(&d, t->heard + t->full == t->said);
            full += t->full;
            heard += t->heard;
            liars += stats_of(m[from]).liars;
        }
        for (int i = 0; i < HONEST; i++)
            weir_link_close(m[i]);
    }
    if (!getenv("WEIR_TEST_SEED")) {
        print_message("# %llu liars, %llu full, %llu heard\n", (unsigned long long)liars,
                      (unsigned long long)full, (unsigned long long)heard);
        assert_true(liars > 50 && full > 1000 && heard > 5000 && lies > 5000);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frames_between_honest_members_are_whole_or_counted),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("wire_members", tests, NULL, NULL);
}
