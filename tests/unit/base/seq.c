/* Sequence arithmetic around the end of the number space, and bytes in network order. */
#include "unit.h"

#include "base/bytes.h"
#include "base/seq.h"

static const uint32_t origin[] = {0, 1, 1000, 0x7fffffff, 0x80000000, 0xfffffff0, UINT32_MAX};

/* 9293#3.4 */
static void comparisons_are_modular(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(origin); i++) {
        struct seq a = seq_of(origin[i]);

        for (uint32_t n = 1; n < 0x7fffffff; n = n * 3 + 1) {
            struct seq b = seq_add(a, n);

            assert_true(seq_lt(a, b) && seq_le(a, b) && !seq_gt(a, b) && !seq_ge(a, b));
            assert_true(seq_gt(b, a) && seq_ge(b, a) && !seq_lt(b, a) && !seq_le(b, a));
            assert_false(seq_eq(a, b));
            assert_int_equal(seq_diff(b, a), n);
            assert_int_equal(seq_diff(a, b), -(int32_t)n);
            assert_true(seq_eq(seq_max(a, b), b) && seq_eq(seq_max(b, a), b));
            assert_true(seq_eq(seq_min(a, b), a) && seq_eq(seq_min(b, a), a));
            assert_true(seq_eq(seq_sub(b, n), a));
        }
        assert_true(seq_eq(a, a) && seq_le(a, a) && seq_ge(a, a) && !seq_lt(a, a) && !seq_gt(a, a));
    }
}

static void intervals_are_open_and_closed_where_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(origin); i++) {
        struct seq a = seq_of(origin[i]);

        for (uint32_t len = 0; len < 6; len++) {
            for (int32_t x = -3; x < 10; x++) {
                struct seq at = seq_add(a, (uint32_t)x), b = seq_add(a, len);

                assert_int_equal(seq_in_oc(a, at, b), x > 0 && x <= (int32_t)len);
                assert_int_equal(seq_in_co(a, at, b), x >= 0 && x < (int32_t)len);
                assert_int_equal(seq_in_cc(a, at, b), x >= 0 && x <= (int32_t)len);
            }
        }
    }
}

static void bytes_are_in_network_order_at_any_alignment(void **state)
{
    uint8_t b[12];

    (void)state;
    for (size_t off = 0; off < 8; off++) {
        put32(b + off, 0x01020304);
        assert_memory_equal(b + off, "\1\2\3\4", 4);
        assert_int_equal(get32(b + off), 0x01020304);
        put16(b + off, 0xfffe);
        assert_memory_equal(b + off, "\xff\xfe", 2);
        assert_int_equal(get16(b + off), 0xfffe);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_are_modular),
        cmocka_unit_test(intervals_are_open_and_closed_where_they_say),
        cmocka_unit_test(bytes_are_in_network_order_at_any_alignment),
    };

    return cmocka_run_group_tests_name("seq", tests, NULL, NULL);
}
