/* The Internet checksum against the text of RFC 1071: network order words, one by one. */
#include "unit.h"

#include "base/sum.h"

/* The folded sum, in host order, of words in network order. */
static uint16_t naive(const uint8_t *p, size_t n)
{
    uint64_t acc = 0;

    for (size_t i = 0; i < n; i++)
        acc += i % 2 ? p[i] : (uint64_t)p[i] << 8;
    while (acc >> 16)
        acc = (acc & 0xffff) + (acc >> 16);
    return (uint16_t)acc;
}

/* A folded sum as it would be stored, read back in network order. */
static uint16_t stored(uint32_t acc)
{
    uint16_t v = sum_fold(acc);
    uint8_t b[2];

    memcpy(b, &v, 2);
    return (uint16_t)(b[0] << 8 | b[1]);
}

/* 1071#3: the numerical example. */
static void example_of_rfc_1071(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

    (void)state;
    assert_int_equal(stored(sum_add(0, bytes, sizeof bytes)), 0xddf2);
}

static void header_with_its_checksum_sums_to_zero(void **state)
{
    /* An IPv4 header whose checksum is known: b861. */
    uint8_t h[20] = {0x45, 0, 0,    0x73, 0, 0, 0x40, 0,    0x40, 0x11,
                     0,    0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0,    0xc7};
    uint16_t sum = sum_finish(sum_add(0, h, sizeof h));

    (void)state;
    memcpy(h + 10, &sum, 2);
    assert_int_equal(h[10], 0xb8);
    assert_int_equal(h[11], 0x61);
    assert_int_equal(sum_finish(sum_add(0, h, sizeof h)), 0);
}

static void all_lengths_and_alignments(void **state)
{
    static uint8_t bytes[2400];

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 2); dice_next(&d)) {
        dice_fill(&d, bytes, sizeof bytes);
        for (size_t n = 0; n <= 2304; n++) {
            size_t off = n % 67;

            check(&d, stored(sum_add(0, bytes + off, n)) == naive(bytes + off, n));
        }
    }
}

static void nothing_is_read_behind_the_end(void **state)
{
    static uint8_t bytes[1024];
    struct dice d = dice_first(1);

    (void)state;
    dice_fill(&d, bytes, sizeof bytes);
    for (size_t n = 0; n <= sizeof bytes; n++)
        assert_int_equal(stored(sum_add(0, walled(bytes, n), n)), naive(bytes, n));
}

static void large_and_extreme_data(void **state)
{
    static const size_t size[] = {65535, 65536, 1 << 20, (4 << 20) + 77, (9 << 20) + 64};
    uint8_t *p = malloc(10 << 20);

    (void)state;
    assert_non_null(p);
    for (size_t i = 0; i < COUNT_OF(size); i++) {
        struct dice d = {i, i};

        memset(p, 0xff, size[i]);
        assert_int_equal(stored(sum_add(0, p, size[i])), naive(p, size[i]));
        memset(p, 0, size[i]);
        assert_int_equal(sum_add(0, p, size[i]), 0);
        for (size_t k = 0; k < size[i]; k += 8) {
            uint64_t x = dice_u64(&d);

            memcpy(p + k, &x, 8);
        }
        assert_int_equal(stored(sum_add(0, p, size[i])), naive(p, size[i]));
    }
    free(p);
}

static void results_stay_small_and_any_start_is_taken(void **state)
{
    static uint8_t ones[512];

    (void)state;
    memset(ones, 0xff, sizeof ones);
    for (size_t n = 0; n <= sizeof ones; n++) {
        assert_true(sum_add(UINT32_MAX, ones, n) < 1u << 17);
        assert_int_equal(sum_fold(sum_add(UINT32_MAX, ones, n & ~1ul)), 0xffff);
    }
    assert_int_equal(sum_fold(sum_add(0xfffe0001u, "", 0)), 0xffff);
    assert_int_equal(sum_fold(sum_add(0x00010000u, "", 0)), 1);
}

static void pieces_add_up(void **state)
{
    static uint8_t bytes[4000];

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 2000); dice_next(&d)) {
        uint32_t even = 0, any = 0;
        size_t n = dice_below(&d, sizeof bytes), at = 0;

        dice_fill(&d, bytes, n);
        while (at < n) { /* pieces of any length */
            size_t k = 1 + dice_below(&d, 700);

            k = k < n - at ? k : n - at;
            any = sum_add_at(any, bytes + at, k, at);
            at += k;
        }
        for (at = 0; at < n;) { /* an odd one only at the end */
            size_t k = 2 + 2 * dice_below(&d, 350);

            k = k < n - at ? k : n - at;
            even = sum_add(even, bytes + at, k);
            at += k;
        }
        check(&d, stored(any) == naive(bytes, n));
        check(&d, stored(even) == naive(bytes, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(example_of_rfc_1071),
        cmocka_unit_test(header_with_its_checksum_sums_to_zero),
        cmocka_unit_test(all_lengths_and_alignments),
        cmocka_unit_test(nothing_is_read_behind_the_end),
        cmocka_unit_test(large_and_extreme_data),
        cmocka_unit_test(results_stay_small_and_any_start_is_taken),
        cmocka_unit_test(pieces_add_up),
    };

    return cmocka_run_group_tests_name("sum", tests, NULL, NULL);
}
