/* A lane in every interleaving that a seed draws, on memory that is as weak as C11 allows: both
 * ends are stopped before each access, are killed anywhere, or are liars that write anything to any
 * field between any two steps. What crosses between honest ends is whole, in order, and all of it.
 */
#include "wire_stepped.h"

#define FRAMES 40
#define LENGTH_MAX 300
#define TICKS_MAX 200000
#define RECORD 16u

/* One life of a lane. */
static struct life {
    uint32_t length[FRAMES]; /* of those that found room, in order */
    uint32_t put, shown, taken, full, bad;
    bool producer_lies, consumer_lies; /* somebody writes in its name, too */
    bool is_lie_found;
    bool is_woken, sleeps;
} life;

static uint8_t byte_of(uint32_t number, uint32_t at)
{
    return (uint8_t)(stepped.d->seed + number * 31 + at);
}

/* What one call may cost whatever the memory says: it never waits for a peer. */
static void call_begins(struct member *m)
{
    m->touched = 0;
}

static void call_ends(const struct member *m, uint32_t len)
{
    check(stepped.d, m->touched <= 6 + len / PIECE + 2);
}

static void produce(void *arg)
{
    struct member *m = arg;
    uint8_t bytes[LENGTH_MAX];

    for (int i = 0; i < FRAMES && !m->is_dead; i++) {
        uint32_t len = 14 + dice_below(stepped.d, LENGTH_MAX - 13),
                 cut = dice_below(stepped.d, len);
        struct weir_frame f = {.part = {{bytes, cut}, {bytes + cut, len - cut}}, .parts = 2};
        for (uint32_t k = 0; k < len; k++)
            bytes[k] = byte_of(life.put, k);
        call_begins(m);
        life.length[life.put] = len;
        enum lane_result r = lane_put(&m->lane, &f);
        call_ends(m, len + PIECE);
        if (m->is_dead)
            return;
        life.put += r == LANE_OK;
        life.full += r == LANE_FULL;
        life.is_lie_found |= r == LANE_LIE;
        check(stepped.d, r != LANE_BAD && (r != LANE_LIE || life.consumer_lies));
        if (r == LANE_LIE)
            return; /* the driver cuts the peer off */
        if (i + 1 < FRAMES && coin())
            continue;
        call_begins(m);
        life.shown = life.put;
        life.is_woken |= lane_publish(&m->lane) && !m->is_dead;
        call_ends(m, 0);
    }
}

static void check_frame(const struct weir_frame *f)
{
    check(stepped.d, f->parts == 1 && f->part[0].len >= 14 && f->part[0].len <= LANE_FRAME_MAX);
    if (f->flags & WEIR_CSUM_PARTIAL)
        check(stepped.d, f->csum_start + f->csum_offset + 2u <= f->part[0].len);
    if (life.producer_lies)
        return;
    check(stepped.d, life.taken < life.shown && f->part[0].len == life.length[life.taken]);
    for (uint32_t k = 0; k < f->part[0].len; k++)
        check(stepped.d, f->part[0].data[k] == byte_of(life.taken, k));
}

/* All that is there, as the driver does it. False: it was a lie. */
static bool take_all(struct member *m, uint8_t *to)
{
    enum lane_result r = LANE_OK;

    while (r != LANE_EMPTY && !m->is_dead) {
        struct weir_frame f;
        call_begins(m);
        r = lane_take(&m->lane, &f, to);
        call_ends(m, m->lane.size);
        if (m->is_dead)
            break;
        check(stepped.d, life.producer_lies || (r != LANE_BAD && r != LANE_LIE));
        life.is_lie_found |= r == LANE_LIE;
        life.bad += r == LANE_BAD;
        if (r == LANE_LIE)
            return false;
        if (r == LANE_OK)
            check_frame(&f);
        life.taken += r == LANE_OK;
        if (r != LANE_EMPTY && coin())
            lane_release(&m->lane);
    }
    lane_release(&m->lane);
    return true;
}

static void consume(void *arg)
{
    struct member *m = arg;
    uint8_t *to = malloc(m->lane.size); /* no frame in this ring is longer: ASan stands behind it */

    while (!m->is_dead && take_all(m, to)) {
        life.sleeps = lane_sleep(&m->lane);
        while (life.sleeps && !m->is_dead) {
            fiber_stop();
            life.sleeps = !life.is_woken;
        }
        life.is_woken = false;
    }
    free(to);
}

static uint32_t in_memory(uint32_t at)
{
    uint32_t value;

    memcpy(&value, stepped.memory + at, sizeof value);
    return value;
}

/* Anything, anywhere, of what the liar's process can write: that is all of the memory. */
static void lie(void)
{
    static const uint32_t field[] = {offsetof(struct lane_control, head),
                                     offsetof(struct lane_control, tail),
                                     offsetof(struct lane_control, is_asleep)};
    uint32_t value = (uint32_t)dice_u64(stepped.d), which = field[dice_below(stepped.d, 3)];
    uint32_t at = stepped.member[CONSUMER].lane.mine & (stepped.bytes - CONTROL - 1);

    switch (dice_below(stepped.d, 6)) {
    case 0:
        memcpy(stepped.memory + which, &value, 4);
        break;
    case 1:
        value = in_memory(which) + value % 65 * RECORD - 512;
        memcpy(stepped.memory + which, &value, 4);
        break;
    case 2: /* the length that is next, also so long that its record's is short again */
        value = UINT32_MAX - value % 33;
        memcpy(stepped.memory + CONTROL + at, &value, 4);
        break;
    case 3: /* any word of its record */
        which = CONTROL + at + value % 4 * 4;
        value >>= value % 32;
        memcpy(stepped.memory + which, &value, 4);
        break;
    case 4:
        stepped.memory[CONTROL + at + value % RECORD] ^= (uint8_t)(1u << (value >> 8) % 8);
        break;
    default:
        stepped.memory[value % stepped.bytes] = (uint8_t)(value >> 24);
    }
}

static bool is_quiet(void)
{
    const struct member *m = stepped.member;
    bool consumer_waits = m[CONSUMER].fiber.is_over || (life.sleeps && !life.is_woken);

    return m[PRODUCER].fiber.is_over && consumer_waits && !m[PRODUCER].waits && !m[CONSUMER].waits;
}

/* One step of somebody: who lies does so in between, whoever dies does it now. */
static void tick(uint32_t deaths)
{
    struct member *m = &stepped.member[dice_below(stepped.d, 2)];

    if ((life.producer_lies || life.consumer_lies) && dice_below(stepped.d, 60) == 0)
        lie();
    if (deaths && dice_below(stepped.d, deaths) == 0) {
        member_dies(m);
        all_reach_memory(m);
        life.is_woken = true; /* by the end of the connection */
    }
    if (dice_below(stepped.d, 3) == 0)
        one_reaches_memory(m);
    else if (!m->fiber.is_over)
        member_runs(m);
}

/* Draws a lane and lets it live until nobody has anything to do. */
static void live(struct dice *d, uint32_t deaths)
{
    uint32_t index = (uint32_t)dice_u64(d) | (coin() ? 0xffffff00 : 0);
    int ticks = 0;

    stepped_begin(d, 512u << dice_below(d, 4), index & ~(RECORD - 1));
    member_begin(PRODUCER, index & ~(RECORD - 1), produce);
    member_begin(CONSUMER, index & ~(RECORD - 1), consume);
    for (; ticks < TICKS_MAX && !is_quiet(); ticks++)
        tick(deaths);
    if (life.producer_lies)
        return; /* its ring need not ever be empty */
    check(d, is_quiet());
    if (!stepped.member[CONSUMER].is_dead) /* and no wake-up was lost */
        check(d,
              in_memory(offsetof(struct lane_control, head)) == stepped.member[CONSUMER].lane.mine);
}

static void begin(struct dice *d, bool producer_lies, bool consumer_lies)
{
    stepped.d = d;
    life = (struct life){.producer_lies = producer_lies, .consumer_lies = consumer_lies};
}

static void between_honest_ends_all_crosses(void **state)
{
    uint32_t full = 0, taken = 0;

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 300); dice_next(&d)) {
        begin(&d, false, false);
        live(&d, 0);
        check(&d, life.taken == life.put && life.put + life.full == FRAMES);
        full += life.full;
        taken += life.taken;
        stepped_end();
    }
    if (!getenv("WEIR_TEST_SEED")) /* rings were full, and were not */
        assert_true(full > 1000 && taken > 5000);
}

/* What was published before the death arrives, what was not is not seen, and a producer whose
 * reader is dead counts what finds no room. */
static void a_death_at_any_step_leaves_whole_frames(void **state)
{
    uint32_t survivors[2] = {0};

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 400); dice_next(&d)) {
        begin(&d, false, false);
        live(&d, 300);
        bool is_dead[] = {stepped.member[0].is_dead, stepped.member[1].is_dead};
        check(&d, life.taken <= life.put);
        check(&d, is_dead[PRODUCER] || life.put + life.full == FRAMES);
        check(&d, is_dead[PRODUCER] || is_dead[CONSUMER] || life.taken == life.put);
        survivors[0] += !is_dead[0] && is_dead[1];
        survivors[1] += !is_dead[1] && is_dead[0];
        stepped_end();
    }
    if (!getenv("WEIR_TEST_SEED"))
        assert_true(survivors[0] > 20 && survivors[1] > 20);
}

/* After each liar an honest pair meets: nothing of what was written outlives its lane. */
static void a_liar_costs_its_own_frames_only(void **state)
{
    uint32_t lies = 0, bad = 0, taken = 0;

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 400); dice_next(&d)) {
        uint32_t who = dice_below(&d, 3);
        /* All of the memory is the liar's to write: either end may be made to look like one. */
        begin(&d, true, true);
        live(&d, who ? 0 : 400);
        lies += life.is_lie_found;
        bad += life.bad;
        taken += life.taken;
        stepped_end();
        begin(&d, false, false);
        live(&d, 0);
        check(&d, life.taken == life.put && life.put + life.full == FRAMES);
        stepped_end();
    }
    if (!getenv("WEIR_TEST_SEED"))
        assert_true(lies > 100 && bad > 20 && taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(between_honest_ends_all_crosses),
        cmocka_unit_test(a_death_at_any_step_leaves_whole_frames),
        cmocka_unit_test(a_liar_costs_its_own_frames_only),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("wire_model", tests, NULL, NULL);
}
