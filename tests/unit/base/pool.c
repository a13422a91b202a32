/* Pools and the lists that run through them. */
#include "unit.h"

#include "base/list.h"
#include "base/pool.h"

static struct mem m;
static struct faulty f;
static struct pool p;

static int setup(void **state)
{
    (void)state;
    faulty_mem(&m, &f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_fini(&p);
    faulty_mem_end(&m, &f);
    return 0;
}

static void indexes_begin_at_one_and_objects_are_clear(void **state)
{
    (void)state;
    pool_init(&p, &m, 24, 100);
    for (uint32_t i = 1; i <= 100; i++) {
        assert_int_equal(pool_new(&p), i);
        for (int b = 0; b < 24; b++)
            assert_int_equal(((uint8_t *)pool_at(&p, i))[b], 0);
        memset(pool_at(&p, i), 0xee, 24);
    }
    pool_free(&p, 50);
    assert_int_equal(pool_new(&p), 50);
    for (int b = 0; b < 24; b++)
        assert_int_equal(((uint8_t *)pool_at(&p, 50))[b], 0);
}

static void limit_is_exact(void **state)
{
    (void)state;
    pool_init(&p, &m, 8, 3);
    for (int i = 0; i < 3; i++)
        assert_true(pool_new(&p));
    assert_int_equal(pool_new(&p), 0);
    pool_free(&p, 2);
    assert_int_equal(pool_new(&p), 2);
    assert_int_equal(pool_new(&p), 0);
    pool_fini(&p);
    pool_init(&p, &m, 8, 0);
    assert_int_equal(pool_new(&p), 0);
    assert_int_equal(m.held, 0);
}

static void first_object_of_a_chunk_is_aligned_to_64(void **state)
{
    (void)state;
    pool_init(&p, &m, 64, 5000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal((uintptr_t)pool_at(&p, pool_new(&p)) % 64, 0);
}

static void chunks_are_64_kib_or_less(void **state)
{
    static const uint32_t size[] = {8, 24, 96, 512, 520, 40000, 65536};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(size); i++) {
        pool_init(&p, &m, size[i], 1 << 20);
        assert_true(size[i] << p.log2 <= 65536);
        assert_true(2 * size[i] << p.log2 > 65536);
        pool_init(&p, &m, size[i], 16);
        assert_true(1u << p.log2 <= 16);
    }
}

static void is_live_answers_any_number(void **state)
{
    static const uint32_t odd[] = {0, 3, 1024, 1025, 1u << 16, 1u << 30, 1u << 31, UINT32_MAX};

    (void)state;
    pool_init(&p, &m, 64, 1 << 20);
    assert_false(pool_is_live(&p, 1));
    pool_new(&p);
    pool_new(&p);
    assert_true(pool_is_live(&p, 1));
    assert_true(pool_is_live(&p, 2));
    for (size_t i = 0; i < COUNT_OF(odd); i++)
        assert_false(pool_is_live(&p, odd[i]));
    pool_free(&p, 1);
    assert_false(pool_is_live(&p, 1));
}

static void freeing_what_is_not_live_traps(void **state)
{
    (void)state;
    pool_init(&p, &m, 64, 100);
    pool_new(&p);
    assert_traps(pool_free(&p, 2));
    assert_traps(pool_free(&p, 0));
    assert_traps(pool_free(&p, UINT32_MAX));
    pool_free(&p, 1);
    assert_traps(pool_free(&p, 1));
}

static void impossible_sizes_trap(void **state)
{
    struct pool other;

    (void)state;
    pool_init(&p, &m, 8, 1);
    assert_traps(pool_init(&other, &m, 0, 1));
    assert_traps(pool_init(&other, &m, 4, 1));
    assert_traps(pool_init(&other, &m, 12, 1));
    assert_traps(pool_init(&other, &m, 65544, 1));
    assert_traps(pool_init(&other, &m, 8, 1u << 30));
}

static void empty_chunks_go_back_but_one(void **state)
{
    size_t one;
    uint32_t slots;

    (void)state;
    pool_init(&p, &m, 512, 1 << 20);
    slots = 1u << p.log2;
    pool_new(&p);
    one = m.held;
    for (uint32_t i = 1; i < 5 * slots; i++)
        pool_new(&p);
    assert_true(m.held > 4 * one);
    for (uint32_t i = 1; i <= 5 * slots; i++)
        pool_free(&p, i);
    assert_int_equal(p.used, 0);
    assert_int_equal(p.empty_chunks, 1);
    assert_true(m.held <= one);
    for (uint32_t i = 1; i <= 2 * slots; i++) /* holes of the chunk array are filled again */
        assert_true(pool_new(&p) <= 5 * slots);
}

static void refused_memory_is_no_harm(void **state)
{
    (void)state;
    pool_init(&p, &m, 512, 1 << 20);
    for (long left = 0; left < 2; left++) { /* the chunk array, then the chunk */
        f.left = left;
        assert_int_equal(pool_new(&p), 0);
        assert_int_equal(p.used, 0);
    }
    f.left = -1;
    assert_int_equal(pool_new(&p), 1);
    f.left = 0;
    for (uint32_t i = 1; i < 1u << p.log2; i++)
        assert_true(pool_new(&p));
    assert_int_equal(pool_new(&p), 0);
    f.left = -1;
    assert_int_equal(pool_new(&p), (1u << p.log2) + 1);
}

static void refused_chunk_array_is_no_harm(void **state)
{
    (void)state;
    pool_init(&p, &m, 65536, 100);
    f.only_one = true;
    m.cached_max = 0; /* a refusal gives the cache back and asks again */
    for (uint32_t i = 1; i <= 40; i++) {
        f.left = 0; /* at 1, 9, 17 and 33 this is the array, else the chunk */
        assert_int_equal(pool_new(&p), 0);
        assert_int_equal(f.left, -1);
        assert_int_equal(pool_new(&p), i);
    }
}

static void next_walks_all_of_them(void **state)
{
    uint32_t seen = 0;

    (void)state;
    pool_init(&p, &m, 512, 1 << 20);
    assert_int_equal(pool_next(&p, 1), 0);
    for (int i = 0; i < 1000; i++)
        pool_new(&p);
    for (uint32_t i = 1; i <= 1000; i++)
        assert_int_equal(pool_next(&p, i), i);
    for (uint32_t i = 1; i <= 1000; i++)
        if (i % 7 || (i > 200 && i < 800))
            pool_free(&p, i);
    for (uint32_t i = pool_next(&p, 1); i; i = pool_next(&p, i + 1), seen++)
        assert_true(i % 7 == 0 && (i <= 200 || i >= 800));
    assert_int_equal(seen, 28 + 28);
    assert_int_equal(pool_next(&p, 1001), 0);
    assert_int_equal(pool_next(&p, UINT32_MAX), 0);
    assert_traps(pool_next(&p, 0));
}

#define MOST 3000

struct model {
    uint8_t live[MOST * 2];
    uint32_t used;
};

static void add_one(struct dice *d, struct model *x)
{
    uint32_t at = pool_new(&p);

    check(d, (at != 0) == (x->used < MOST));
    if (!at)
        return;
    check(d, at < 2 * MOST && !x->live[at]);
    check(d, *(uint64_t *)pool_at(&p, at) == 0);
    *(uint64_t *)pool_at(&p, at) = at;
    x->live[at] = 1;
    x->used++;
}

static void remove_one(struct dice *d, struct model *x)
{
    uint32_t at = pool_next(&p, 1 + dice_below(d, MOST));

    if (!at)
        return;
    check(d, x->live[at] && *(uint64_t *)pool_at(&p, at) == at);
    pool_free(&p, at);
    x->live[at] = 0;
    x->used--;
}

static void random_life_equals_the_model(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 4); dice_next(&d)) {
        struct model x = {0};

        pool_init(&p, &m, 8 * (1 + dice_below(&d, 200)), MOST);
        for (int i = 0; i < 60000; i++) {
            uint32_t at = dice_below(&d, 2 * MOST);

            if (dice_below(&d, 100) < (i / 10000 % 2 ? 40 : 60))
                add_one(&d, &x);
            else
                remove_one(&d, &x);
            check(&d, pool_is_live(&p, at) == x.live[at]);
            check(&d, p.used == x.used && p.empty_chunks <= 1);
        }
        pool_fini(&p);
        check(&d, m.held == 0);
    }
}

/* -- lists
 * -------------------------------------------------------------------------------------------- */

struct item {
    uint64_t value;
    struct list_node node;
};

static void list_keeps_order_through_random_unlinking(void **state)
{
    struct list l;

    (void)state;
    pool_init(&p, &m, sizeof(struct item), 50);
    for (int i = 1; i <= 50; i++)
        list_node_init(&((struct item *)pool_at(&p, pool_new(&p)))->node);
    list_init(&l, &p, offsetof(struct item, node));
    for (struct dice d = dice_first(1); dice_more(&d, 3); dice_next(&d)) {
        uint32_t model[50], n = 0, back = 0, count = 0;

        for (int i = 0; i < 5000; i++) {
            uint32_t x = 1 + dice_below(&d, 50), at = 0;

            while (at < n && model[at] != x)
                at++;
            check(&d, list_is_on(list_node_at(&l, x)) == (at < n));
            if (at < n) {
                list_unlink(&l, x);
                memmove(model + at, model + at + 1, (--n - at) * sizeof *model);
            } else {
                list_append(&l, x);
                model[n++] = x;
            }
            check(&d, l.count == n);
            back = count = 0;
            for (uint32_t y = l.first; y; y = list_node_at(&l, y)->next) {
                check(&d, count < n && model[count] == y && list_node_at(&l, y)->prev == back);
                back = y;
                count++;
            }
            check(&d, count == n && l.last == back);
        }
        while (l.first)
            list_unlink(&l, l.first);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(indexes_begin_at_one_and_objects_are_clear),
        T(limit_is_exact),
        T(first_object_of_a_chunk_is_aligned_to_64),
        T(chunks_are_64_kib_or_less),
        T(is_live_answers_any_number),
        T(freeing_what_is_not_live_traps),
        T(empty_chunks_go_back_but_one),
        T(refused_memory_is_no_harm),
        T(refused_chunk_array_is_no_harm),
        T(impossible_sizes_trap),
        T(next_walks_all_of_them),
        T(random_life_equals_the_model),
        T(list_keeps_order_through_random_unlinking),
    };

    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
