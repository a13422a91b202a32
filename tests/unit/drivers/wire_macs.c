/* The switch's table: learns, moves, forgets, and is bounded. */
#include "fake.h"

#include "drivers/wire_macs.h"
#include "support/unit.h"

#define SECOND INT64_C(1000000000)

static struct macs empty(void)
{
    return (struct macs){.key = {1, 2}};
}

static void a_source_is_learned_and_moves(void **state)
{
    static const uint8_t bytes[6] = {0x02, 0x11, 0x22, 0x33, 0x44, 0x55};
    struct macs m = empty();
    uint64_t mac = mac_number(bytes);

    (void)state;
    assert_true(mac == 0x021122334455);
    assert_int_equal(macs_find(&m, mac, 0), -1);
    macs_learn(&m, mac, 3, 0);
    assert_int_equal(macs_find(&m, mac, 1), 3);
    macs_learn(&m, mac, 5, 2);
    assert_int_equal(macs_find(&m, mac, 3), 5);
    assert_int_equal(macs_find(&m, mac + 1, 3), -1);
}

static void groups_and_nobody_are_not_learned(void **state)
{
    struct macs m = empty();

    (void)state;
    macs_learn(&m, 0xffffffffffff, 1, 0);
    macs_learn(&m, 0x01005e000001, 1, 0);
    macs_learn(&m, 0, 1, 0);
    assert_int_equal(macs_find(&m, 0xffffffffffff, 0), -1);
    assert_int_equal(macs_find(&m, 0x01005e000001, 0), -1);
    assert_int_equal(macs_find(&m, 0, 0), -1);
}

static void after_five_minutes_of_silence_it_is_not_known(void **state)
{
    struct macs m = empty();

    (void)state;
    macs_learn(&m, 0x020000000001, 1, 0);
    assert_int_equal(macs_find(&m, 0x020000000001, 300 * SECOND - 1), 1);
    assert_int_equal(macs_find(&m, 0x020000000001, 300 * SECOND), -1);
    macs_learn(&m, 0x020000000001, 1, 300 * SECOND);
    assert_int_equal(macs_find(&m, 0x020000000001, 301 * SECOND), 1);
}

static void who_leaves_is_forgotten_and_nobody_else(void **state)
{
    struct macs m = empty();

    (void)state;
    for (uint64_t i = 1; i <= 40; i++)
        macs_learn(&m, 0x020000000000 + i, (int)(i % 2), 0);
    macs_forget(&m, 1);
    for (uint64_t i = 1; i <= 40; i++)
        assert_int_equal(macs_find(&m, 0x020000000000 + i, 0), i % 2 ? -1 : 0);
}

/* Whatever comes in, the newest are known, and what was heard of lately outlives what was not. */
static void the_least_recently_seen_goes(void **state)
{
    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 20); dice_next(&d)) {
        struct macs m = empty();
        uint64_t kept = dice_u64(&d) & 0xfeffffffffff;
        for (int i = 0; i < 2000; i++) /* each set is full */
            macs_learn(&m, (dice_u64(&d) & 0xfeffffffffff) | 1, 2, i);
        for (int i = 2000; i < 4000; i++) {
            uint64_t mac = (dice_u64(&d) & 0xfeffffffffff) | 1;
            macs_learn(&m, kept, 7, i);
            macs_learn(&m, mac, 1, i);
            assert_int_equal(macs_find(&m, mac, i), 1);
            assert_int_equal(macs_find(&m, kept, i), 7);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_is_learned_and_moves),
        cmocka_unit_test(groups_and_nobody_are_not_learned),
        cmocka_unit_test(after_five_minutes_of_silence_it_is_not_known),
        cmocka_unit_test(who_leaves_is_forgotten_and_nobody_else),
        cmocka_unit_test(the_least_recently_seen_goes),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("wire_macs", tests, NULL, NULL);
}
