/* The timing wheel against a sorted model. */
#include "unit.h"

#include "base/wheel.h"

#define S 1000000LL
#define DAY (86400 * S)
#define CLAMP INT32_MAX

struct item {
    uint64_t other;
    struct wheel_node node;
    uint32_t spare;
};

static struct mem m;
static struct faulty f;
static struct pool small, large;
static struct wheel w;

static int setup(void **state)
{
    (void)state;
    faulty_mem(&m, &f);
    pool_init(&small, &m, sizeof(struct item), 2000);
    pool_init(&large, &m, 512, 2000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_fini(&small);
    pool_fini(&large);
    faulty_mem_end(&m, &f);
    return 0;
}

static void start(int64_t now)
{
    wheel_init(&w, now);
    wheel_add_pool(&w, 0, &small, offsetof(struct item, node));
    wheel_add_pool(&w, 3, &large, 256);
}

static struct wheel_node *node_of(wheel_ref ref)
{
    int kind = wheel_ref_kind(ref);
    uint8_t *object = pool_at(kind ? &large : &small, wheel_ref_index(ref));

    return (void *)(object + (kind ? 256 : offsetof(struct item, node)));
}

static wheel_ref node(int kind)
{
    wheel_ref ref = wheel_ref_of(kind, pool_new(kind ? &large : &small));

    wheel_node_init(node_of(ref));
    return ref;
}

static void a_node_fires_at_its_microsecond(void **state)
{
    static const int64_t now[] = {0,
                                  1,
                                  63,
                                  64,
                                  1234567,
                                  (1LL << 32) - 1,
                                  (1LL << 36) - 1,
                                  (1LL << 36) - 100,
                                  (1LL << 40) + 12345,
                                  10000 * DAY,
                                  -5000000};
    static const int64_t ahead[] = {1,         2,       62,
                                    63,        64,      65,
                                    4095,      4096,    4097,
                                    200000,    1 << 18, (1 << 24) + 1,
                                    60 * S,    1 << 30, (1 << 30) + 1,
                                    CLAMP - 1, CLAMP};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(now); i++) {
        for (size_t k = 0; k < COUNT_OF(ahead); k++) {
            wheel_ref ref = node(k % 2 ? 3 : 0);
            int64_t at = now[i] + ahead[k];

            start(now[i]);
            wheel_arm(&w, ref, at);
            assert_true(wheel_is_armed(node_of(ref)));
            assert_int_equal(wheel_next(&w), at);
            assert_int_equal(wheel_step(&w, at - 1), 0);
            assert_int_equal(wheel_next(&w), at);
            assert_int_equal(wheel_step(&w, at), ref);
            assert_false(wheel_is_armed(node_of(ref)));
            assert_int_equal(w.now_us, at);
            assert_int_equal(wheel_step(&w, at), 0);
            assert_int_equal(wheel_next(&w), INT64_MAX);
        }
    }
}

static void empty_time_is_jumped(void **state)
{
    (void)state;
    start(0);
    assert_int_equal(wheel_next(&w), INT64_MAX);
    assert_int_equal(wheel_step(&w, 40000 * DAY), 0);
    assert_int_equal(w.now_us, 40000 * DAY);
    assert_int_equal(wheel_step(&w, INT64_MAX - 1), 0);
    assert_int_equal(w.now_us, INT64_MAX - 1);
}

static void the_past_fires_at_the_next_step(void **state)
{
    wheel_ref a, b, c;

    (void)state;
    start(1000);
    a = node(0);
    b = node(0);
    c = node(3);
    wheel_arm(&w, a, 1000);
    wheel_arm(&w, b, -DAY);
    wheel_arm(&w, c, INT64_MIN);
    assert_int_equal(wheel_next(&w), 1000);
    assert_int_equal(wheel_step(&w, 1000), a);
    assert_int_equal(wheel_step(&w, 1000), b);
    assert_int_equal(wheel_step(&w, 1000), c);
    assert_int_equal(wheel_step(&w, 1000), 0);
}

static void a_due_node_can_be_disarmed_and_moved(void **state)
{
    wheel_ref a, b, c;

    (void)state;
    start(1000);
    a = node(0);
    b = node(0);
    c = node(0);
    wheel_arm(&w, a, 2000);
    wheel_arm(&w, b, 2000);
    wheel_arm(&w, c, 2000);
    assert_int_equal(wheel_step(&w, 3000), a);
    wheel_disarm(&w, b);
    wheel_arm(&w, c, 2500);
    wheel_arm(&w, a, 2400);
    assert_int_equal(wheel_step(&w, 3000), a);
    assert_int_equal(w.now_us, 2400);
    assert_int_equal(wheel_step(&w, 3000), c);
    assert_int_equal(wheel_step(&w, 3000), 0);
    assert_int_equal(w.now_us, 3000);
    wheel_disarm(&w, b);
    assert_int_equal(w.armed, 0);
}

static void far_deadlines_are_clamped(void **state)
{
    static const int64_t far[] = {CLAMP, CLAMP + 1LL, 1LL << 32, 100 * DAY, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(far); i++) {
        wheel_ref ref = node(0);

        start(-1000);
        wheel_arm(&w, ref, far[i]);
        assert_int_equal(wheel_next(&w), CLAMP - 1000LL);
        assert_int_equal(wheel_step(&w, CLAMP - 1001LL), 0);
        assert_int_equal(wheel_step(&w, CLAMP - 1000LL), ref);
    }
}

static void equal_instants_fire_in_order_of_arming(void **state)
{
    wheel_ref ref[100];

    (void)state;
    start(12345);
    for (int i = 0; i < 100; i++) {
        ref[i] = node(i % 3 ? 0 : 3);
        wheel_arm(&w, ref[i], 12345 + 7 * S);
        if (i % 10 == 9)
            assert_int_equal(wheel_step(&w, 12345 + i * 70000), 0); /* some have moved down */
    }
    for (int i = 0; i < 100; i++)
        assert_int_equal(wheel_step(&w, 12345 + 8 * S), ref[i]);
}

static void next_is_exact_while_few_nodes_are_near(void **state)
{
    int64_t first = 7 * S + 500;

    (void)state;
    start(0);
    for (int i = 4; i > 0; i--) { /* all in one slot, the first one last */
        wheel_arm(&w, node(0), 7 * S + 500 * i);
        assert_int_equal(wheel_next(&w), 7 * S + 500 * i);
    }
    wheel_arm(&w, node(0), 7 * S + 100);
    assert_in_range(wheel_next(&w), 1, 7 * S + 100);
    assert_int_equal(wheel_step(&w, 7 * S + 99), 0);
    assert_true(wheel_step(&w, first) != 0);
    assert_int_equal(wheel_next(&w), first);
}

static void a_kind_is_one_pool(void **state)
{
    (void)state;
    start(0);
    assert_traps(wheel_add_pool(&w, 0, &small, 0));
    assert_traps(wheel_add_pool(&w, -1, &small, 0));
    assert_traps(wheel_add_pool(&w, WHEEL_POOLS, &small, 0));
}

static void time_does_not_step_back(void **state)
{
    wheel_ref a;

    (void)state;
    start(1000);
    a = node(0);
    wheel_arm(&w, a, 2000);
    assert_int_equal(wheel_step(&w, 500), 0);
    assert_int_equal(w.now_us, 1000);
    assert_int_equal(wheel_step(&w, 2000), a);
}

/* -- against a sorted list --------------------------------------------------------------------- */

#define NODES 600

struct model {
    wheel_ref ref;
    int64_t at;
    uint64_t order; /* of arming */
    bool armed;
};
static struct model x[NODES];
static uint64_t armings;

static struct model *first_of_model(void)
{
    struct model *first = NULL;

    for (int i = 0; i < NODES; i++)
        if (x[i].armed &&
            (!first || x[i].at < first->at || (x[i].at == first->at && x[i].order < first->order)))
            first = &x[i];
    return first;
}

static int64_t some_time_ahead(struct dice *d)
{
    int64_t t = (int64_t)(dice_u64(d) >> (1 + dice_below(d, 63)));

    switch (dice_below(d, 8)) {
    case 0:
        return -t;
    case 1:
        return t % 4;
    case 2:
        return t % 3000 * S;
    default:
        return t % (1LL << (1 + dice_below(d, 33)));
    }
}

static void arm(struct model *one, int64_t at)
{
    wheel_arm(&w, one->ref, at);
    if (at < w.now_us)
        at = w.now_us;
    if (at > w.now_us + CLAMP)
        at = w.now_us + CLAMP;
    if (one->armed && one->at == at)
        return;
    one->at = at;
    one->armed = true;
    one->order = armings++;
}

static void run_to(struct dice *d, int64_t now)
{
    for (;;) {
        struct model *first = first_of_model();
        wheel_ref ref;

        check(d, wheel_next(&w) <= (first ? first->at : INT64_MAX));
        check(d, first || wheel_next(&w) == INT64_MAX);
        ref = wheel_step(&w, now);
        if (!first || first->at > now) {
            check(d, ref == 0 && w.now_us == now);
            return;
        }
        check(d, ref == first->ref && w.now_us == first->at);
        check(d, !wheel_is_armed(node_of(ref)));
        first->armed = false;
        if (!dice_below(d, 4)) /* as owners do, while it fires; not always into the past */
            arm(first, w.now_us + 1 + llabs(some_time_ahead(d)));
        if (!dice_below(d, 50))
            return;
    }
}

static void one_step(struct dice *d)
{
    struct model *one = &x[dice_below(d, NODES)];
    uint32_t what = dice_below(d, 1000);

    if (what < 550) {
        arm(one, w.now_us + some_time_ahead(d));
    } else if (what < 800) {
        wheel_disarm(&w, one->ref);
        one->armed = false;
    } else if (what < 995) {
        run_to(d, w.now_us + (int64_t)(dice_u64(d) >> (34 + dice_below(d, 30))));
    } else if (what < 999) {
        run_to(d, w.now_us + dice_below(d, 3000) * S);
    } else {
        run_to(d, w.now_us + dice_below(d, 30) * DAY);
    }
    check(d, wheel_is_armed(node_of(one->ref)) == one->armed);
}

static void random_life_equals_the_model(void **state)
{
    (void)state;
    for (int i = 0; i < NODES; i++)
        x[i] = (struct model){.ref = node(i % 3 ? 0 : 3)};
    for (struct dice d = dice_first(1); dice_more(&d, 6); dice_next(&d)) {
        uint32_t armed = 0;

        start(d.seed % 2 ? (1LL << 36) - 100 * S : (int64_t)dice_u64(&d) >> 8);
        for (int i = 0; i < 100000; i++)
            one_step(&d);
        for (int i = 0; i < NODES; i++)
            armed += x[i].armed;
        check(&d, w.armed == armed);
        for (int i = 0; i < NODES; i++) {
            wheel_disarm(&w, x[i].ref);
            x[i].armed = false;
        }
        check(&d, w.armed == 0 && wheel_next(&w) == INT64_MAX);
        for (int level = 0; level < WHEEL_LEVELS; level++)
            check(&d, w.busy[level] == 0);
    }
}

static void waking_at_next_meets_every_deadline_in_few_steps(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 5); dice_next(&d)) {
        int wakes = 0, fired = 0;

        start((int64_t)(dice_u64(&d) >> 10));
        for (int i = 0; i < 500; i++)
            wheel_arm(&w, node(0), w.now_us + dice_below(&d, 1u << 31));
        while (wheel_next(&w) != INT64_MAX) {
            int64_t at = wheel_next(&w);
            wheel_ref ref;

            check(&d, at >= w.now_us);
            while ((ref = wheel_step(&w, at)) != 0) {
                pool_free(&small, wheel_ref_index(ref));
                fired++;
            }
            wakes++;
        }
        check(&d, fired == 500);
        check(&d, wakes <= 500 * WHEEL_LEVELS);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_node_fires_at_its_microsecond),
        T(empty_time_is_jumped),
        T(the_past_fires_at_the_next_step),
        T(a_due_node_can_be_disarmed_and_moved),
        T(far_deadlines_are_clamped),
        T(equal_instants_fire_in_order_of_arming),
        T(next_is_exact_while_few_nodes_are_near),
        T(a_kind_is_one_pool),
        T(time_does_not_step_back),
        T(random_life_equals_the_model),
        T(waking_at_next_meets_every_deadline_in_few_steps),
    };

    return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
