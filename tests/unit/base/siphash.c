/* SipHash against published vectors, and the random numbers that are made of it. */
#include "unit.h"

#include "base/rng.h"
#include "base/siphash.h"

static const struct sipkey key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

/* SipHash-2-4 of 0, 1, ... n - 1 under the key 0, 1, ... 15: appendix A of the paper and its
 * code. */
static const uint64_t vector24[64] = {
    0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
    0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
    0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
    0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
    0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
    0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
    0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
    0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
    0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
    0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
    0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
    0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
    0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
    0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
    0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
    0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

/* SipHash-1-3 of the same, for lengths of 0, 8, 16, ... */
static const uint64_t vector13[6] = {
    0xabac0158050fc4dcu, 0x369095118d299a8eu, 0xcc4fdd1a7d908b66u,
    0xf464aeb267349c8cu, 0x81157b6c16a7b60du, 0xc1d2363299e41531u,
};

static void siphash24_gives_the_published_values(void **state)
{
    uint8_t in[64];

    (void)state;
    for (size_t n = 0; n < 64; n++) {
        in[n] = (uint8_t)n;
        assert_int_equal(siphash24(&key, walled(in, n), n), vector24[n]);
    }
}

static void siphash24_takes_any_alignment(void **state)
{
    uint8_t in[80];

    (void)state;
    for (size_t off = 0; off < 8; off++) {
        for (size_t i = 0; i < 64; i++)
            in[off + i] = (uint8_t)i;
        for (size_t n = 0; n < 64; n++)
            assert_int_equal(siphash24(&key, in + off, n), vector24[n]);
    }
}

static void siphash13_words_is_siphash13_of_the_bytes(void **state)
{
    uint64_t word[5];

    (void)state;
    for (size_t i = 0; i < sizeof word; i++)
        ((uint8_t *)word)[i] = (uint8_t)i;
    for (int n = 0; n <= 5; n++)
        assert_int_equal(siphash13_words(&key, word, n), vector13[n]);
}

static void another_key_gives_another_hash(void **state)
{
    struct sipkey other = key;

    (void)state;
    other.k1 ^= 1;
    assert_int_not_equal(siphash24(&key, "weir", 4), siphash24(&other, "weir", 4));
}

/* -- rng --------------------------------------------------------------------------------------- */

static void a_seed_repeats_its_numbers(void **state)
{
    struct rng a, b, c;
    int same = 0;

    (void)state;
    rng_init(&a, 1, 2);
    rng_init(&b, 1, 2);
    rng_init(&c, 1, 3);
    for (int i = 0; i < 1000; i++) {
        uint64_t x = rng_u64(&a);

        assert_int_equal(x, rng_u64(&b));
        same += x == rng_u64(&c);
    }
    assert_int_equal(same, 0);
}

static void keys_differ(void **state)
{
    struct rng r;
    struct sipkey a, b;

    (void)state;
    rng_init(&r, 7, 7);
    a = rng_key(&r);
    b = rng_key(&r);
    assert_true(a.k0 != b.k0 && a.k1 != b.k1 && a.k0 != a.k1);
}

static void below_is_in_range_and_even(void **state)
{
    static const uint32_t bound[] = {1, 2, 3, 7, 10, 1000, 28232, 0x80000001u, UINT32_MAX};
    struct rng r;
    uint32_t count[7] = {0};

    (void)state;
    rng_init(&r, 3, 4);
    for (size_t i = 0; i < COUNT_OF(bound); i++)
        for (int k = 0; k < 1000; k++)
            assert_true(rng_below(&r, bound[i]) < bound[i]);
    for (int k = 0; k < 70000; k++)
        count[rng_below(&r, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(count[i], 9500, 10500); /* the seed is fixed: 5 deviations are no chance */
    assert_traps(rng_below(&r, 0));
}

/* With 3/4 of 2^32 as bound a plain product would favour every third number: 2 to 1. */
static void below_is_unbiased_for_large_bounds(void **state)
{
    struct rng r;
    uint32_t third[3] = {0}, half[2] = {0};

    (void)state;
    rng_init(&r, 5, 6);
    for (int k = 0; k < 60000; k++) {
        uint32_t x = rng_below(&r, 0xc0000000u);

        third[x % 3]++;
        half[x / 0x60000000u]++;
    }
    assert_in_range(half[0], 29300, 30700);
    for (int i = 0; i < 3; i++)
        assert_in_range(third[i], 19400, 20600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash24_gives_the_published_values),
        cmocka_unit_test(siphash24_takes_any_alignment),
        cmocka_unit_test(siphash13_words_is_siphash13_of_the_bytes),
        cmocka_unit_test(another_key_gives_another_hash),
        cmocka_unit_test(a_seed_repeats_its_numbers),
        cmocka_unit_test(keys_differ),
        cmocka_unit_test(below_is_in_range_and_even),
        cmocka_unit_test(below_is_unbiased_for_large_bounds),
    };

    return cmocka_run_group_tests_name("siphash", tests, NULL, NULL);
}
