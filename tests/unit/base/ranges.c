/* Sets of sequence ranges against a bitmap of a small sequence space. */
#include "unit.h"

#include "base/ranges.h"

static struct ranges r;

static bool add(uint32_t start, uint32_t end)
{
    return ranges_add(&r, seq_of(start), seq_of(end), NULL);
}

static uint32_t fresh(uint32_t start, uint32_t end)
{
    uint32_t n = 77;

    assert_true(ranges_add(&r, seq_of(start), seq_of(end), &n));
    return n;
}

static int setup(void **state)
{
    (void)state;
    memset(&r, 0, sizeof r);
    return 0;
}

static void touching_ranges_merge(void **state)
{
    (void)state;
    assert_int_equal(fresh(10, 20), 10);
    assert_int_equal(fresh(30, 40), 10);
    assert_int_equal(r.n, 2);
    assert_int_equal(fresh(20, 30), 10);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.at[0].start.v, 10);
    assert_int_equal(r.at[0].end.v, 40);
    assert_int_equal(fresh(5, 50), 15);
    assert_int_equal(fresh(5, 50), 0);
    assert_int_equal(fresh(6, 7), 0);
    assert_int_equal(fresh(0, 6), 5);
    assert_int_equal(r.n, 1);
}

static void an_empty_range_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(fresh(10, 10), 0);
    assert_int_equal(fresh(10, 9), 0);
    assert_int_equal(r.n, 0);
}

/* The starts of the ranges in the order in which SACK tells of them. */
static void expect_recent(uint32_t max, const char *want)
{
    struct range out[8];
    uint32_t n = ranges_recent(&r, out, max);
    char got[80] = "";

    assert_true(n <= max);
    for (uint32_t i = 0; i < n; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%u", i ? " " : "", out[i].start.v);
    assert_string_equal(got, want);
}

static void the_last_ones_touched_come_first(void **state) /* REQ:2018-4-8 */
{
    (void)state;
    add(10, 20);
    add(30, 40);
    add(50, 60);
    expect_recent(4, "50 30 10");
    expect_recent(2, "50 30");
    add(5, 8);
    expect_recent(4, "5 50 30 10");
    add(35, 45);
    expect_recent(4, "30 5 50 10");
    add(70, 80); /* a fifth: the oldest is told no more */
    expect_recent(4, "70 30 5 50");
    expect_recent(8, "70 30 5 50 10");
    add(20, 30); /* joins 10..45 */
    expect_recent(4, "10 70 5 50");
    add(52, 53); /* a repeat counts */
    expect_recent(4, "50 10 70 5");
    assert_int_equal(ranges_take(&r, seq_of(5)).v, 8);
    expect_recent(4, "50 10 70");
    ranges_trim(&r, seq_of(46));
    expect_recent(4, "50 70");
    ranges_trim(&r, seq_of(60));
    expect_recent(4, "70");
    ranges_trim(&r, seq_of(75)); /* cut, and told by what is left */
    expect_recent(4, "75");
    ranges_trim(&r, seq_of(80));
    expect_recent(4, "");
}

static void take_needs_a_start_at_or_before(void **state)
{
    (void)state;
    assert_int_equal(ranges_take(&r, seq_of(5)).v, 5);
    add(10, 20);
    add(30, 40);
    assert_int_equal(ranges_take(&r, seq_of(9)).v, 9);
    assert_int_equal(r.n, 2);
    assert_int_equal(ranges_take(&r, seq_of(10)).v, 20);
    assert_int_equal(ranges_take(&r, seq_of(35)).v, 40);
    assert_int_equal(r.n, 0);
}

static void trim_cuts_the_range_in_the_middle(void **state)
{
    (void)state;
    add(10, 20);
    add(30, 40);
    ranges_trim(&r, seq_of(10));
    assert_int_equal(r.at[0].start.v, 10);
    ranges_trim(&r, seq_of(35));
    assert_int_equal(r.n, 1);
    assert_int_equal(r.at[0].start.v, 35);
    assert_int_equal(r.at[0].end.v, 40);
}

static void has_wants_one_range_around(void **state)
{
    (void)state;
    add(10, 20);
    add(30, 40);
    assert_true(ranges_has(&r, seq_of(10), seq_of(20)));
    assert_true(ranges_has(&r, seq_of(31), seq_of(32)));
    assert_false(ranges_has(&r, seq_of(9), seq_of(11)));
    assert_false(ranges_has(&r, seq_of(19), seq_of(21)));
    assert_false(ranges_has(&r, seq_of(15), seq_of(35)));
    assert_false(ranges_has(&r, seq_of(20), seq_of(30)));
    assert_false(ranges_has(&r, seq_of(50), seq_of(60)));
}

static void overlap_is_the_first_stretch_inside(void **state)
{
    struct range both = {seq_of(0), seq_of(0)};

    (void)state;
    add(10, 20);
    add(30, 40);
    assert_true(ranges_overlap(&r, seq_of(5), seq_of(35), &both));
    assert_true(both.start.v == 10 && both.end.v == 20);
    assert_true(ranges_overlap(&r, seq_of(20), seq_of(35), &both));
    assert_true(both.start.v == 30 && both.end.v == 35);
    assert_true(ranges_overlap(&r, seq_of(12), seq_of(15), &both));
    assert_true(both.start.v == 12 && both.end.v == 15);
    assert_false(ranges_overlap(&r, seq_of(20), seq_of(30), &both));
    assert_false(ranges_overlap(&r, seq_of(0), seq_of(10), &both));
    assert_false(ranges_overlap(&r, seq_of(40), seq_of(50), &both));
}

static void full_set_refuses_a_new_range_only(void **state)
{
    struct ranges before;
    uint32_t n;

    (void)state;
    for (uint32_t i = 0; i < RANGES_MAX; i++)
        assert_true(add(10 * i + 10, 10 * i + 15));
    before = r;
    assert_false(ranges_add(&r, seq_of(2), seq_of(4), &n));
    assert_int_equal(n, 0);
    assert_false(add(10 * RANGES_MAX + 50, 10 * RANGES_MAX + 60));
    assert_false(add(107, 108));
    assert_memory_equal(&before, &r, sizeof r);
    assert_int_equal(fresh(105, 106), 1);
    assert_int_equal(r.n, RANGES_MAX);
    assert_int_equal(fresh(104, 110), 4);
    assert_int_equal(r.n, RANGES_MAX - 1);
    assert_true(add(10 * RANGES_MAX + 50, 10 * RANGES_MAX + 60));
    assert_int_equal(fresh(0, 10 * RANGES_MAX + 100), 10 * RANGES_MAX + 100 - 5 * RANGES_MAX - 15);
    assert_int_equal(r.n, 1);
}

/* -- against a bitmap
 * ------------------------------------------------------------------------------- */

#define SPACE 3000

struct model {
    bool there[SPACE + 2]; /* two at the end stay false */
    uint32_t base;         /* sequence number of there[0] */
    uint32_t low;          /* below: forgotten */
};

static void compare(struct dice *d, const struct model *x)
{
    uint32_t i = 0;

    for (uint32_t at = 0; at < SPACE; at++) {
        uint32_t end = at;

        while (x->there[end])
            end++;
        if (end == at)
            continue;
        check(d, i < r.n && r.at[i].start.v - x->base == at && r.at[i].end.v - x->base == end);
        at = end;
        i++;
    }
    check(d, r.n == i);
    check(d, r.recents <= RANGES_RECENT);
}

static void model_add(struct dice *d, struct model *x, uint32_t span)
{
    uint32_t from = x->low + dice_below(d, SPACE - x->low);
    uint32_t to = from + 1 + dice_below(d, span);
    struct model with = *x;
    uint32_t count = 0, news = 0, n;
    struct range newest;
    bool ok;

    to = to < SPACE ? to : SPACE;
    for (uint32_t i = from; i < to; i++) {
        news += !with.there[i];
        with.there[i] = true;
    }
    for (uint32_t i = 0; i < SPACE; i++)
        count += with.there[i] && !with.there[i + 1];
    ok = ranges_add(&r, seq_of(x->base + from), seq_of(x->base + to), &n);
    check(d, ok == (count <= RANGES_MAX));
    check(d, n == (ok ? news : 0));
    if (!ok)
        return;
    *x = with;
    check(d, ranges_recent(&r, &newest, 1) == 1);
    check(d, seq_le(newest.start, seq_of(x->base + from)));
    check(d, seq_ge(newest.end, seq_of(x->base + to)));
}

static void model_ask(struct dice *d, const struct model *x)
{
    uint32_t from = dice_below(d, SPACE), to = from + 1 + dice_below(d, 20);
    bool all = to <= SPACE;

    for (uint32_t i = from; i < to && all; i++)
        all = x->there[i];
    check(d, ranges_has(&r, seq_of(x->base + from), seq_of(x->base + to)) == all);
}

static void model_take(struct dice *d, struct model *x)
{
    uint32_t at = x->low + dice_below(d, 5), first = 0, end;

    if (at >= SPACE)
        return;
    while (first < SPACE && !x->there[first])
        first++;
    end = first;
    while (x->there[end])
        end++;
    if (first > at || first == SPACE)
        end = at;
    check(d, ranges_take(&r, seq_of(x->base + at)).v - x->base == end);
    if (end == at && (first > at || first == SPACE))
        return;
    memset(x->there, false, end);
    x->low = x->low > end ? x->low : end;
}

static void model_trim(struct dice *d, struct model *x)
{
    uint32_t at = x->low + dice_below(d, 30);

    at = at < SPACE ? at : SPACE;
    ranges_trim(&r, seq_of(x->base + at));
    memset(x->there, false, at);
    x->low = at;
}

static void random_life_equals_the_bitmap(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 30); dice_next(&d)) {
        struct model x = {.base = (uint32_t)dice_u64(&d)};
        uint32_t span = 1 + dice_below(&d, 12) * dice_below(&d, 12);

        if (d.seed % 2)
            x.base = 0u - SPACE / 2; /* over the end of the number space */
        memset(&r, 0, sizeof r);
        for (int i = 0; i < 1500; i++) {
            uint32_t what = dice_below(&d, 100);

            if (what < 90)
                model_add(&d, &x, span);
            else if (what < 97)
                model_ask(&d, &x);
            else if (what < 98)
                model_trim(&d, &x);
            else
                model_take(&d, &x);
            compare(&d, &x);
            if (x.low > SPACE - 50)
                break;
        }
    }
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(touching_ranges_merge),
        T(an_empty_range_is_nothing),
        T(the_last_ones_touched_come_first),
        T(take_needs_a_start_at_or_before),
        T(trim_cuts_the_range_in_the_middle),
        T(has_wants_one_range_around),
        T(overlap_is_the_first_stretch_inside),
        T(full_set_refuses_a_new_range_only),
        T(random_life_equals_the_bitmap),
    };

    return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
