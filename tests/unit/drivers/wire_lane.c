/* A lane through shared memory: in order, whole, bounded, and safe from whoever is at its other
 * end. */
#include "fake.h"

#include <pthread.h>

#include "drivers/wire_lane.h"
#include "support/unit.h"

#define SIZE LANE_BYTES_MIN
#define RECORD 16u

struct both {
    struct lane_control *control;
    uint8_t *bytes;
    struct lane out, in;
    uint8_t *to;
};

/* Both ends, with indices that begin at `index`. ASan stands guard behind each piece of memory. */
static struct both both_ends(uint32_t index)
{
    struct both b = {.control = aligned_alloc(64, sizeof *b.control),
                     .bytes = aligned_alloc(64, SIZE),
                     .to = malloc(LANE_FRAME_MAX)};

    assert_non_null(b.control);
    assert_non_null(b.bytes);
    assert_non_null(b.to);
    atomic_store(&b.control->head, index);
    atomic_store(&b.control->tail, index);
    atomic_store(&b.control->is_asleep, 0);
    memset(b.bytes, 0xee, SIZE);
    b.out = b.in = (struct lane){
        .control = b.control, .bytes = b.bytes, .size = SIZE, .mine = index, .theirs = index};
    return b;
}

static void free_both(struct both *b)
{
    free(b->control);
    free(b->bytes);
    free(b->to);
}

static enum lane_result put(struct both *b, uint32_t len, uint32_t number)
{
    static uint8_t bytes[LANE_FRAME_MAX + 1];
    struct weir_frame f = numbered(bytes, len, number);

    for (uint32_t i = 4; i < len; i++)
        bytes[i] = (uint8_t)(number * 31 + i);
    return lane_put(&b->out, &f);
}

static void take(struct both *b, uint32_t len, uint32_t number)
{
    struct weir_frame f;

    assert_int_equal(lane_take(&b->in, &f, b->to), LANE_OK);
    assert_int_equal(weir_frame_len(&f), len);
    assert_int_equal(number_of(&f), number);
    for (uint32_t i = 4; i < len; i++)
        if (f.part[0].data[i] != (uint8_t)(number * 31 + i))
            fail_msg("frame %u differs at byte %u", number, i);
}

static void takes_nothing(struct both *b, enum lane_result what)
{
    struct weir_frame f;

    assert_int_equal(lane_take(&b->in, &f, b->to), what);
}

static void a_frame_crosses_with_all_that_belongs_to_it(void **state)
{
    struct both b = both_ends(0);
    static const uint8_t bytes[60] = "begin, middle and end of a frame in three slices";
    struct weir_frame f = {.part = {{bytes, 20}, {bytes + 20, 30}, {bytes + 50, 10}},
                           .parts = 3,
                           .flags = WEIR_CSUM_PARTIAL,
                           .gso_size = 1448,
                           .csum_start = 34,
                           .csum_offset = 16};
    struct weir_frame got;

    (void)state;
    assert_int_equal(lane_put(&b.out, &f), LANE_OK);
    takes_nothing(&b, LANE_EMPTY); /* not published yet */
    assert_false(lane_publish(&b.out));
    assert_int_equal(lane_take(&b.in, &got, b.to), LANE_OK);
    assert_int_equal(got.parts, 1);
    assert_int_equal(got.part[0].len, 60);
    assert_memory_equal(got.part[0].data, bytes, 60);
    assert_int_equal(got.flags, WEIR_CSUM_PARTIAL);
    assert_int_equal(got.gso_size, 1448);
    assert_int_equal(got.csum_start, 34);
    assert_int_equal(got.csum_offset, 16);
    takes_nothing(&b, LANE_EMPTY);
    free_both(&b);
}

static void lengths_of_all_kinds_wrap_in_order(void **state)
{
    struct both b = both_ends(UINT32_MAX - 5 * SIZE + 1); /* the indices wrap, too */
    uint32_t put_next = 0, taken = 0, waiting[SIZE / RECORD], full = 0;

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 1); dice_next(&d)) {
        for (int i = 0; i < 20000; i++) {
            uint32_t len = 14 + (uint32_t)(dice_u64(&d) % (i % 9 ? 1500 : LANE_FRAME_MAX - 13));
            enum lane_result r = put(&b, len, put_next);
            if (r == LANE_OK)
                waiting[put_next++ % COUNT_OF(waiting)] = len;
            else
                full += r == LANE_FULL;
            lane_publish(&b.out);
            for (uint64_t n = dice_u64(&d) % 3; n && taken < put_next; n--, taken++)
                take(&b, waiting[taken % COUNT_OF(waiting)], taken);
            lane_release(&b.in);
        }
    }
    assert_true(full > 100);
    for (; taken < put_next; taken++)
        take(&b, waiting[taken % COUNT_OF(waiting)], taken);
    takes_nothing(&b, LANE_EMPTY);
    assert_true(taken > 10000);
    free_both(&b);
}

static void a_full_lane_takes_the_next_once_there_is_room(void **state)
{
    struct both b = both_ends(0);
    uint32_t n = SIZE / (RECORD + 1008);

    (void)state;
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(put(&b, 1008, i), LANE_OK);
    assert_int_equal(put(&b, 14, n), LANE_FULL);
    lane_publish(&b.out);
    take(&b, 1008, 0);
    assert_int_equal(put(&b, 14, n), LANE_FULL); /* taken, not given back */
    lane_release(&b.in);
    assert_int_equal(put(&b, 1008, n), LANE_OK);
    lane_publish(&b.out);
    for (uint32_t i = 1; i <= n; i++)
        take(&b, 1008, i);
    free_both(&b);
}

static void the_largest_frame_fits_the_smallest_lane(void **state)
{
    struct both b = both_ends(7 * RECORD);

    (void)state;
    assert_int_equal(put(&b, LANE_FRAME_MAX + 1, 1), LANE_BAD);
    assert_int_equal(put(&b, LANE_FRAME_MAX, 1), LANE_OK);
    lane_publish(&b.out);
    take(&b, LANE_FRAME_MAX, 1);
    free_both(&b);
}

static void sizes_are_powers_of_two_within_bounds(void **state)
{
    (void)state;
    assert_true(lane_size_fits(LANE_BYTES_MIN));
    assert_true(lane_size_fits(LANE_BYTES_MAX));
    assert_false(lane_size_fits(LANE_BYTES_MIN / 2));
    assert_false(lane_size_fits(LANE_BYTES_MIN + RECORD));
    assert_false(lane_size_fits(LANE_BYTES_MAX * 2));
    assert_false(lane_size_fits(0));
}

static void who_sleeps_is_woken_once(void **state)
{
    struct both b = both_ends(0);

    (void)state;
    assert_true(lane_sleep(&b.in));
    put(&b, 60, 1);
    assert_true(lane_publish(&b.out));
    put(&b, 60, 2);
    assert_false(lane_publish(&b.out)); /* it is awake */
    take(&b, 60, 1);
    assert_false(lane_sleep(&b.in)); /* there is one more */
    put(&b, 60, 3);
    assert_false(lane_publish(&b.out)); /* and so it did not lie down */
    take(&b, 60, 2);
    take(&b, 60, 3);
    assert_true(lane_sleep(&b.in));
    free_both(&b);
}

/* -- a hostile peer ---------------------------------------------------------------------------- */

static void impossible_indices_are_lies(void **state)
{
    static const uint32_t heads[] = {SIZE + RECORD, UINT32_MAX, UINT32_MAX - 15,
                                     RECORD + 1,    8,          0x80000000u};
    static const uint32_t tails[] = {96 + 2 * 60016 + 1, UINT32_MAX - SIZE, 0x80000000u, SIZE};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        struct both b = both_ends(0);
        memset(b.bytes, 0, SIZE); /* records without end, all possible */
        atomic_store(&b.control->head, heads[i]);
        takes_nothing(&b, LANE_LIE);
        assert_int_equal(b.in.mine, 0);
        free_both(&b);
    }
    for (size_t i = 0; i < COUNT_OF(tails); i++) {
        struct both b = both_ends(0);
        put(&b, 80, 0);
        atomic_store(&b.control->tail, tails[i]);
        enum lane_result r = LANE_OK;
        while (r == LANE_OK) /* it looks at the tail when it needs room */
            r = put(&b, 60000, 1);
        assert_int_equal(r, LANE_LIE);
        free_both(&b);
    }
}

static void impossible_lengths_are_lies(void **state)
{
    static const uint32_t lens[] = {LANE_FRAME_MAX + 1, UINT32_MAX, UINT32_MAX - 15,
                                    0x80000000u,        65,         LANE_FRAME_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        struct both b = both_ends(0);
        put(&b, 64, 1); /* one record of 64 bytes is published, */
        lane_publish(&b.out);
        memcpy(b.bytes, &lens[i], 4);
        takes_nothing(&b, LANE_LIE); /* and no longer one is there */
        assert_int_equal(b.in.mine, 0);
        free_both(&b);
    }
}

static void a_bad_frame_does_not_hurt_the_next(void **state)
{
    struct {
        uint32_t len;
        uint8_t flags;
        uint16_t start, offset;
    } bad[] = {
        {13, 0, 0, 0},
        {0, 0, 0, 0},
        {60, WEIR_CSUM_VALID, 0, 0},
        {60, 0x80, 0, 0},
        {60, WEIR_CSUM_PARTIAL, 34, 25},
        {60, WEIR_CSUM_PARTIAL, 59, 0},
        {60, WEIR_CSUM_PARTIAL, 65535, 65535},
        {60, WEIR_CSUM_PARTIAL, 0, 59},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct both b = both_ends(0);
        uint64_t what = bad[i].len | (uint64_t)bad[i].flags << 48;
        uint64_t sum = bad[i].start | (uint32_t)bad[i].offset << 16;
        put(&b, bad[i].len < 14 ? 14 : bad[i].len, 1);
        if (!bad[i].len) /* a record of its own two words */
            b.out.mine = RECORD;
        memcpy(b.bytes, &what, 8);
        memcpy(b.bytes + 8, &sum, 8);
        put(&b, 100, 2);
        lane_publish(&b.out);
        takes_nothing(&b, LANE_BAD);
        take(&b, 100, 2);
        free_both(&b);
    }
}

/* What may come out of a lane, whatever went in. */
static void check_taken(const struct both *b, const struct weir_frame *f)
{
    uint32_t sum = 0;

    assert_int_equal(f->parts, 1);
    assert_ptr_equal(f->part[0].data, b->to);
    assert_in_range(f->part[0].len, 14, LANE_FRAME_MAX);
    for (uint32_t i = 0; i < f->part[0].len; i += 97)
        sum += f->part[0].data[i];
    (void)sum;
    if (f->flags & WEIR_CSUM_PARTIAL)
        assert_true(f->csum_start + f->csum_offset + 2u <= f->part[0].len);
}

static void spoil(struct both *b, struct dice *d)
{
    _Atomic uint32_t *field[] = {&b->control->head, &b->control->tail, &b->control->is_asleep};
    uint32_t at = b->in.mine & (SIZE - 1), value = (uint32_t)dice_u64(d);

    switch (dice_u64(d) % 5) {
    case 0: /* anything at all */
        atomic_store(field[value % 3], (uint32_t)dice_u64(d));
        break;
    case 1: /* nearly right */
        atomic_fetch_add(field[value % 3], (value >> 8) % 65 * RECORD - 512);
        break;
    case 2: /* the record that is next, */
        memcpy(b->bytes + at + value % 4 * 4, &value, 4);
        break;
    case 3: /* one bit of it, */
        b->bytes[at + value % RECORD] ^= (uint8_t)(1u << (value >> 8) % 8);
        break;
    default: /* or of any other */
        b->bytes[value % SIZE] ^= (uint8_t)(value >> 24);
    }
}

static void every_field_may_be_anything_at_any_time(void **state)
{
    unsigned seen[LANE_LIE + 1] = {0};

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 300); dice_next(&d)) {
        struct both b = both_ends((uint32_t)dice_u64(&d) & ~(RECORD - 1));
        struct weir_frame f;
        enum lane_result r = LANE_OK;
        for (int i = 0; i < 400 && r != LANE_LIE; i++) {
            if (put(&b, 14 + (uint32_t)(dice_u64(&d) % 3000), 7) != LANE_OK)
                b.out.mine = b.out.theirs = atomic_load(&b.control->tail) & ~(RECORD - 1);
            lane_publish(&b.out);
            if (dice_u64(&d) % 8 == 0)
                spoil(&b, &d);
            r = lane_take(&b.in, &f, b.to);
            seen[r]++;
            if (r == LANE_OK)
                check_taken(&b, &f);
            lane_release(&b.in);
            lane_sleep(&b.in);
        }
        free_both(&b);
    }
    if (!getenv("WEIR_TEST_SEED")) /* all of it was met */
        assert_true(seen[LANE_OK] > 1000 && seen[LANE_LIE] > 50 && seen[LANE_BAD] > 50);
}

struct scribbler {
    struct both *b;
    _Atomic bool is_over;
};

/* Changes lengths, flags and indices between one read of them and the next. */
static void *scribble(void *arg)
{
    struct scribbler *s = arg;
    static const uint32_t lens[] = {60, 0, LANE_FRAME_MAX, UINT32_MAX, 13, 1514};

    for (uint32_t i = 0; !atomic_load_explicit(&s->is_over, memory_order_relaxed); i++) {
        uint64_t what = lens[i % COUNT_OF(lens)] | (uint64_t)(i % 3) << 48;
        for (uint32_t at = 0; at < SIZE; at += RECORD * 256)
            __atomic_store_n((uint64_t *)(void *)(s->b->bytes + at), what, __ATOMIC_RELAXED);
        atomic_store_explicit(&s->b->control->head, i % 7 * (SIZE / 8), memory_order_relaxed);
    }
    return NULL;
}

static void what_changes_while_it_is_read_stays_in_bounds(void **state)
{
    struct both b = both_ends(0);
    struct scribbler s = {.b = &b};
    struct weir_frame f;
    pthread_t thread;

    (void)state;
    memset(b.bytes, 0, SIZE);
    assert_int_equal(pthread_create(&thread, NULL, scribble, &s), 0);
    for (int i = 0; i < 100000; i++) {
        b.in.mine = b.in.theirs = (uint32_t)i % 32 * RECORD * 256;
        if (lane_take(&b.in, &f, b.to) == LANE_OK)
            check_taken(&b, &f);
    }
    atomic_store(&s.is_over, true);
    pthread_join(thread, NULL);
    free_both(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_crosses_with_all_that_belongs_to_it),
        cmocka_unit_test(lengths_of_all_kinds_wrap_in_order),
        cmocka_unit_test(a_full_lane_takes_the_next_once_there_is_room),
        cmocka_unit_test(the_largest_frame_fits_the_smallest_lane),
        cmocka_unit_test(sizes_are_powers_of_two_within_bounds),
        cmocka_unit_test(who_sleeps_is_woken_once),
        cmocka_unit_test(impossible_indices_are_lies),
        cmocka_unit_test(impossible_lengths_are_lies),
        cmocka_unit_test(a_bad_frame_does_not_hurt_the_next),
        cmocka_unit_test(every_field_may_be_anything_at_any_time),
        cmocka_unit_test(what_changes_while_it_is_read_stays_in_bounds),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("wire_lane", tests, NULL, NULL);
}
