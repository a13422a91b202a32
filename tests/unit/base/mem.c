/* The accounted allocator: accounts, ceiling, cache, exhaustion. */
#include "unit.h"

static struct mem m;
static struct faulty f;

static int setup(void **state)
{
    (void)state;
    faulty_mem(&m, &f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    faulty_mem_end(&m, &f);
    return 0;
}

static void held_and_peak_count_what_is_handed_out(void **state)
{
    void *a = mem_alloc(&m, 100);
    void *b = mem_alloc(&m, 4096);

    (void)state;
    assert_int_equal(m.held, 4196);
    mem_free(&m, a, 100);
    assert_int_equal(m.held, 4096);
    mem_free(&m, b, 4096);
    assert_int_equal(m.held, 0);
    assert_int_equal(m.peak, 4196);
    assert_int_equal(m.cached, 4096);
    mem_free(&m, NULL, 4096);
    assert_int_equal(m.held, 0);
}

static void zalloc_clears_a_used_block(void **state)
{
    uint8_t *p = mem_alloc(&m, 2048);
    uint8_t *q;

    (void)state;
    memset(p, 0xaa, 2048);
    mem_free(&m, p, 2048);
    q = mem_zalloc(&m, 2048);
    assert_ptr_equal(p, q);
    for (int i = 0; i < 2048; i++)
        assert_int_equal(q[i], 0);
    mem_free(&m, q, 2048);
}

static void cache_is_last_in_first_out_for_each_size(void **state)
{
    (void)state;
    for (size_t bytes = 64; bytes <= 65536; bytes *= 2) {
        void *a = mem_alloc(&m, bytes);
        void *b = mem_alloc(&m, bytes);

        mem_free(&m, a, bytes);
        mem_free(&m, b, bytes);
        assert_ptr_equal(mem_alloc(&m, bytes), b);
        assert_ptr_equal(mem_alloc(&m, bytes), a);
        mem_free(&m, a, bytes);
        mem_free(&m, b, bytes);
    }
    assert_int_equal(m.cached, 2 * (131072 - 64));
}

static void other_sizes_are_not_cached(void **state)
{
    static const size_t bytes[] = {1, 8, 32, 1000, 2047, 2049, 3072, 65535, 65537, 8 << 20};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bytes); i++) {
        void *p = mem_alloc(&m, bytes[i]);

        assert_int_equal(m.held, bytes[i]);
        assert_int_equal(f.bytes, bytes[i]);
        memset(p, 1, bytes[i]);
        mem_free(&m, p, bytes[i]);
        assert_int_equal(f.blocks, 0);
        assert_int_equal(m.cached, 0);
    }
}

static void cache_ends_at_its_limit(void **state)
{
    void *p[80];

    (void)state;
    assert_int_equal(m.cached_max, 4 << 20);
    for (int i = 0; i < 80; i++)
        p[i] = mem_alloc(&m, 65536);
    for (int i = 0; i < 80; i++)
        mem_free(&m, p[i], 65536);
    assert_int_equal(m.cached, 4 << 20);
    assert_int_equal(f.bytes, 4 << 20);
}

static void ceiling_refuses_and_counts(void **state)
{
    void *a, *b;

    (void)state;
    m.max = 10000;
    a = mem_alloc(&m, 6000);
    assert_null(mem_alloc(&m, 4001));
    assert_null(mem_alloc(&m, SIZE_MAX));
    assert_int_equal(m.refused, 2);
    b = mem_alloc(&m, 4000);
    assert_non_null(b);
    assert_null(mem_alloc(&m, 1));
    m.max = 5000; /* lowered below what is out */
    assert_null(mem_zalloc(&m, 1));
    assert_int_equal(m.refused, 4);
    mem_free(&m, a, 6000);
    mem_free(&m, b, 4000);
}

static void refusal_gives_back_the_cache_and_tries_again(void **state)
{
    void *p = mem_alloc(&m, 65536);

    (void)state;
    mem_free(&m, p, 65536);
    assert_int_equal(f.blocks, 1);
    f.left = 0;
    assert_null(mem_alloc(&m, 100));
    assert_int_equal(f.blocks, 0);
    assert_int_equal(m.cached, 0);
    assert_int_equal(m.refused, 1);
    assert_int_equal(m.held, 0);
    f.left = -1;
}

static void without_an_allocator_the_library_serves(void **state)
{
    struct mem own;
    void *p;

    (void)state;
    mem_init(&own, NULL, NULL, NULL);
    p = mem_alloc(&own, 8192);
    memset(p, 1, 8192);
    mem_free(&own, p, 8192);
    mem_fini(&own);
}

static void misuse_traps(void **state)
{
    void *p = mem_alloc(&m, 10);

    (void)state;
    assert_traps(mem_fini(&m));
    assert_traps(mem_free(&m, p, 11));
    assert_traps(mem_free(&m, p, 0));
    assert_traps(mem_alloc(&m, 0));
    mem_free(&m, p, 10);
}

static void random_life_keeps_the_accounts(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 3); dice_next(&d)) {
        void *p[64] = {0};
        size_t bytes[64], sum = 0;

        m.cached_max = 300000;
        for (int round = 0; round < 20000; round++) {
            uint32_t i = dice_below(&d, 64);

            if (p[i]) {
                mem_free(&m, p[i], bytes[i]);
                sum -= bytes[i];
                p[i] = NULL;
            } else {
                bytes[i] = dice_below(&d, 2) ? (size_t)1 << dice_below(&d, 18)
                                             : 1 + dice_below(&d, 70000);
                p[i] = mem_alloc(&m, bytes[i]);
                memset(p[i], (int)i, bytes[i]);
                sum += bytes[i];
            }
            check(&d, m.held == sum);
            check(&d, f.bytes == sum + m.cached);
            check(&d, m.cached <= m.cached_max);
        }
        for (int i = 0; i < 64; i++)
            mem_free(&m, p[i], bytes[i]);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(held_and_peak_count_what_is_handed_out),
        T(zalloc_clears_a_used_block),
        T(cache_is_last_in_first_out_for_each_size),
        T(other_sizes_are_not_cached),
        T(cache_ends_at_its_limit),
        T(ceiling_refuses_and_counts),
        T(refusal_gives_back_the_cache_and_tries_again),
        T(without_an_allocator_the_library_serves),
        T(misuse_traps),
        T(random_life_keeps_the_accounts),
    };

    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
