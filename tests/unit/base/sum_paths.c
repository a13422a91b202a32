/* The roads of the checksum that this machine would not take by itself: the portable one, and SSE2
 * for long data. */
#include "unit.h"

#include "base/sum.h"

#if defined(__x86_64__)
#define sum_add x86_sum_add
#define sum_add_at x86_sum_add_at
#define sum_scalar x86_scalar
#define sum_blocks x86_blocks
#define fold_64 x86_fold_64
#define add_carry x86_add_carry
#include "base/sum.c"
#undef sum_add
#undef sum_add_at
#undef sum_scalar
#undef sum_blocks
#undef fold_64
#undef add_carry
#undef __x86_64__ /* the second copy is the portable one */
#endif

#define sum_add portable_sum_add
#define sum_add_at portable_sum_add_at
#define sum_scalar portable_scalar
#define sum_blocks portable_blocks
#define fold_64 portable_fold_64
#define add_carry portable_add_carry
#include "base/sum.c"
#undef sum_add
#undef sum_add_at
#undef sum_scalar
#undef sum_blocks
#undef fold_64
#undef add_carry

#define SIZE ((size_t)9 << 20)

static uint8_t *bytes;

static int setup(void **state)
{
    struct dice d = dice_first(1);

    (void)state;
    bytes = malloc(SIZE);
    if (!bytes)
        return -1;
    for (size_t i = 0; i < SIZE; i += 8) {
        uint64_t x = dice_u64(&d);

        memcpy(bytes + i, &x, 8);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(bytes);
    return 0;
}

/* By words of 16 bits. */
static uint16_t naive(const uint8_t *p, size_t n)
{
    uint64_t acc = 0;
    uint16_t word;

    for (size_t i = 0; i < n; i += 2) {
        word = p[i];
        if (i + 1 < n)
            memcpy(&word, p + i, 2);
        acc += word;
    }
    while (acc >> 16)
        acc = (acc & 0xffff) + (acc >> 16);
    return (uint16_t)acc;
}

static const size_t large[] = {65536, 1 << 20, (2 << 20) + 64, (8 << 20) + 640, SIZE};

static void portable_code_sums_the_same(void **state)
{
    (void)state;
    for (size_t n = 0; n < 1500; n++)
        assert_int_equal(sum_fold(portable_sum_add(0, bytes + n % 9, n)), naive(bytes + n % 9, n));
    for (size_t i = 0; i < COUNT_OF(large); i++)
        assert_int_equal(sum_fold(portable_sum_add(0, bytes, large[i])), naive(bytes, large[i]));
    for (size_t n = 0; n < 300; n++)
        assert_int_equal(portable_sum_add(0, walled(bytes, n), n), portable_sum_add(0, bytes, n));
}

#ifdef TURNS_MAX
static void sse2_sums_the_same(void **state)
{
    (void)state;
    for (size_t n = 0; n < 1500; n += 64)
        assert_int_equal(sum_fold(x86_fold_64(sum_sse2(0, bytes + 3, n))), naive(bytes + 3, n));
    for (size_t i = 0; i < COUNT_OF(large); i++)
        assert_int_equal(sum_fold(x86_fold_64(sum_sse2(0, bytes, large[i]))),
                         naive(bytes, large[i]));
    memset(bytes, 0xff, SIZE);
    for (size_t i = 0; i < COUNT_OF(large); i++)
        assert_int_equal(sum_fold(x86_fold_64(sum_sse2(0, bytes, large[i]))), 0xffff);
}
#else
static void sse2_sums_the_same(void **state)
{
    (void)state;
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portable_code_sums_the_same),
        cmocka_unit_test(sse2_sums_the_same),
    };

    return cmocka_run_group_tests_name("sum_paths", tests, setup, teardown);
}
