/* The hash table of references against a list. */
#include "unit.h"

#include "base/table.h"

static struct mem m;
static struct faulty f;
static struct table t;

static int setup(void **state)
{
    (void)state;
    faulty_mem(&m, &f);
    table_init(&t, &m);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    table_fini(&t);
    faulty_mem_end(&m, &f);
    return 0;
}

static uint32_t count_of(uint32_t hash, uint32_t ref)
{
    uint32_t pos = 0, found, n = 0;

    while ((found = table_find(&t, hash, &pos)) != 0)
        n += found == ref;
    return n;
}

static uint32_t any_of(uint32_t hash)
{
    uint32_t pos = 0;

    return table_find(&t, hash, &pos);
}

static void an_empty_table_owns_nothing_and_finds_nothing(void **state)
{
    (void)state;
    assert_int_equal(any_of(0), 0);
    assert_int_equal(any_of(12345), 0);
    assert_int_equal(m.held, 0);
}

static void find_gives_exactly_the_same_hash(void **state)
{
    (void)state;
    assert_true(table_add(&t, 0x10, 1)); /* all of one home */
    assert_true(table_add(&t, 0x20, 2));
    assert_true(table_add(&t, 0x10, 3));
    assert_true(table_add(&t, 0xffffff10u, UINT32_MAX));
    assert_int_equal(any_of(0x20), 2);
    assert_int_equal(any_of(0xffffff10u), UINT32_MAX);
    assert_int_equal(any_of(0x30), 0);
    assert_int_equal(count_of(0x10, 1), 1);
    assert_int_equal(count_of(0x10, 3), 1);
    assert_int_equal(count_of(0x10, 2), 0);
}

static void hash_zero_is_a_hash(void **state)
{
    (void)state;
    assert_true(table_add(&t, 0, 7));
    assert_int_equal(any_of(0), 7);
    table_remove(&t, 0, 7);
    assert_int_equal(any_of(0), 0);
}

static void replace_keeps_the_place(void **state)
{
    uint32_t pos = 0;

    (void)state;
    for (uint32_t i = 1; i <= 5; i++)
        assert_true(table_add(&t, 0xabc, i));
    table_replace(&t, 0xabc, 3, 33);
    for (uint32_t i = 1; i <= 5; i++)
        assert_int_equal(table_find(&t, 0xabc, &pos), i == 3 ? 33 : i);
    assert_int_equal(table_find(&t, 0xabc, &pos), 0);
    assert_int_equal(t.used, 5);
}

static void misuse_traps(void **state)
{
    (void)state;
    assert_traps(table_remove(&t, 1, 1));
    assert_true(table_add(&t, 1, 1));
    assert_traps(table_remove(&t, 1, 2));
    assert_traps(table_remove(&t, 17, 1));
    assert_traps(table_replace(&t, 1, 1, 0));
    assert_traps(assert_true(table_add(&t, 1, 0)));
}

static void refused_memory_keeps_what_is_there(void **state)
{
    uint32_t n = 0;

    (void)state;
    f.left = 0;
    assert_false(table_add(&t, 1, 1));
    f.left = 1;
    while (table_add(&t, n * 7, n + 1))
        n++;
    assert_int_equal(n, 12);
    assert_int_equal(t.used, 12);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(count_of(i * 7, i + 1), 1);
    f.left = -1;
    assert_true(table_add(&t, n * 7, n + 1));
}

static void a_large_table_is_given_back_when_empty(void **state)
{
    (void)state;
    for (uint32_t i = 1; i <= 1000; i++)
        assert_true(table_add(&t, i, i));
    for (uint32_t i = 1; i <= 1000; i++)
        table_remove(&t, i, i);
    assert_int_equal(m.held, 0);
    assert_true(table_add(&t, 1, 1));
}

/* -- against a list ---------------------------------------------------------------------------- */

#define MOST 3000

struct entry {
    uint32_t hash, ref;
};

static void compare(struct dice *d, const struct entry *e, uint32_t n)
{
    uint32_t filled = 0;

    check(d, t.used == n && t.used <= t.size / 4 * 3);
    for (uint32_t i = 0; i < n; i++)
        check(d, count_of(e[i].hash, e[i].ref) == 1);
    for (uint32_t i = 0; i < t.size; i++)
        filled += t.slot[i] != 0;
    check(d, filled == n);
}

static void random_life_equals_the_list(void **state)
{
    static struct entry e[MOST];

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 12); dice_next(&d)) {
        uint32_t n = 0, next = 1, most = d.seed % 3 ? MOST : 12;
        uint32_t hashes = d.seed % 2 ? 40 : UINT32_MAX; /* few hashes: long runs, equal hashes */

        table_fini(&t);
        for (int i = 0; i < 40000; i++) {
            uint32_t at = n ? dice_below(&d, n) : 0;
            uint32_t grow = i / 8000 % 2 ? 35 : 65;

            if (hashes == 40 && n > 200)
                grow = 20;
            if (dice_below(&d, 100) < grow && n < most) {
                e[n] = (struct entry){dice_below(&d, hashes) * (d.seed % 4 ? 1 : 16), next++};
                check(&d, table_add(&t, e[n].hash, e[n].ref));
                n++;
            } else if (n && dice_below(&d, 10) == 0) {
                table_replace(&t, e[at].hash, e[at].ref, next);
                e[at].ref = next++;
            } else if (n) {
                table_remove(&t, e[at].hash, e[at].ref);
                check(&d, count_of(e[at].hash, e[at].ref) == 0);
                e[at] = e[--n];
            }
            if (i % 997 == 0)
                compare(&d, e, n);
        }
        compare(&d, e, n);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_empty_table_owns_nothing_and_finds_nothing),
        T(find_gives_exactly_the_same_hash),
        T(hash_zero_is_a_hash),
        T(replace_keeps_the_place),
        T(misuse_traps),
        T(refused_memory_keeps_what_is_there),
        T(a_large_table_is_given_back_when_empty),
        T(random_life_equals_the_list),
    };

    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
