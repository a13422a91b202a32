/* The words of an impaired link. */
#include "fake.h"

static struct weir_impair parsed(const char *text)
{
    struct weir_impair m;
    char error[200] = "";

    if (weir_impair_parse(&m, text, error, sizeof error) != 0)
        fail_msg("\"%s\": %s", text, error);
    return m;
}

static void refuses(const char *text, const char *expected)
{
    struct weir_impair m = {.mtu = 4711};
    char error[200] = "";

    assert_int_equal(weir_impair_parse(&m, text, error, sizeof error), -EINVAL);
    assert_string_equal(error, expected);
    assert_int_equal(m.mtu, 4711); /* untouched */
}

static void every_word(void **state)
{
    struct weir_impair m = parsed("delay 40ms jitter 5ms loss 1% reorder 2% dup 0.1% corrupt 0.01% "
                                  "rate 20mbit queue 100 mtu 1500 seed 7");

    (void)state;
    assert_int_equal(m.up.delay_ns, 40 * MS);
    assert_int_equal(m.up.jitter_ns, 5 * MS);
    assert_int_equal(m.up.loss_ppb, 10000000);
    assert_int_equal(m.up.reorder_ppb, 20000000);
    assert_int_equal(m.up.dup_ppb, 1000000);
    assert_int_equal(m.up.corrupt_ppb, 100000);
    assert_int_equal(m.up.rate_bps, 20000000);
    assert_int_equal(m.up.queue_frames, 100);
    assert_memory_equal(&m.up, &m.down, sizeof m.up);
    assert_int_equal(m.mtu, 1500);
    assert_int_equal(m.seed, 7);
}

static void units_and_fractions(void **state)
{
    (void)state;
    assert_int_equal(parsed("delay 1.5ms").up.delay_ns, 1500000);
    assert_int_equal(parsed("delay 250us").up.delay_ns, 250000);
    assert_int_equal(parsed("delay 9ns").up.delay_ns, 9);
    assert_int_equal(parsed("delay 60s").up.delay_ns, INT64_C(60000000000));
    assert_int_equal(parsed("delay 0.1234567899ns").up.delay_ns, 0);
    assert_int_equal(parsed("loss 100%").up.loss_ppb, 1000000000);
    assert_int_equal(parsed("loss 0.0000001%").up.loss_ppb, 1);
    assert_int_equal(parsed("rate 9600bit").up.rate_bps, 9600);
    assert_int_equal(parsed("rate 1.5kbit").up.rate_bps, 1500);
    assert_int_equal(parsed("RATE 10Gbit").up.rate_bps, 10000000000);
    assert_int_equal(parsed("").up.rate_bps, 0);
}

static void directions(void **state)
{
    struct weir_impair m = parsed("delay 10ms up: loss 1% down:rate 1mbit, loss 2% both: dup 3%");

    (void)state;
    assert_int_equal(m.up.delay_ns, 10 * MS);
    assert_int_equal(m.down.delay_ns, 10 * MS);
    assert_int_equal(m.up.loss_ppb, 10000000);
    assert_int_equal(m.down.loss_ppb, 20000000);
    assert_int_equal(m.up.rate_bps, 0);
    assert_int_equal(m.down.rate_bps, 1000000);
    assert_int_equal(m.up.dup_ppb, 30000000);
    assert_int_equal(m.down.dup_ppb, 30000000);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    refuses("dealy 40ms", "unknown word \"dealy\"; did you mean \"delay\"?");
    refuses("delay 1ms 2ms", "unknown word \"2ms\"; did you mean \"loss\"?");
    refuses("upp: loss 1%", "unknown word \"upp:\"; did you mean \"up:\"?");
    refuses("duplicate 1%", "unknown word \"duplicate\"; did you mean \"dup\"?");
    refuses("loss", "\"loss\" needs a value, such as \"loss 1%\"");
    refuses("loss often", "\"loss\" needs a number such as 1%, not \"often\"");
    refuses("loss -1%", "\"loss\" needs a number such as 1%, not \"-1%\"");
    refuses("loss 1", "\"loss 1\" lacks a unit: write for example 1%");
    refuses("loss 101%", "\"loss 101%\" is too large");
    refuses("delay 40", "\"delay 40\" lacks a unit: write for example 40ms");
    refuses("delay 40msec", "\"msec\" in \"delay 40msec\" is no unit; did you mean \"ms\"?");
    refuses("rate 20mbps", "\"mbps\" in \"rate 20mbps\" is no unit; did you mean \"mbit\"?");
    refuses("delay 99999999999999999999s", "\"delay 99999999999999999999s\" is too large");
    refuses("delay 10000000000s", "\"delay 10000000000s\" is too large");
    refuses("queue 10kb", "\"queue\" is a plain number such as 100, not \"10kb\"");
    refuses("queue 1.5", "\"queue\" is a whole number such as 100, not \"1.5\"");
    refuses("mtu 67", "\"mtu 67\" is too small: the least is 68");
    refuses("mtu 65536", "\"mtu 65536\" is too large");
    refuses("up: queue 5", "\"queue\" and \"mark\" need a rate to queue for: add for example "
                           "\"rate 20mbit\"");
    refuses("delay 5ms mark 5", "\"queue\" and \"mark\" need a rate to queue for: add for example "
                                "\"rate 20mbit\"");
    refuses("bucket 5000", "\"bucket\" is of a policer: add for example \"police 5mbit\"");
    refuses("reorder 1%", "\"reorder\" needs a delay to overtake: add for example \"delay 10ms\"");
}

static void a_small_error_buffer_is_enough(void **state)
{
    struct weir_impair m;
    char error[8];

    (void)state;
    assert_int_equal(weir_impair_parse(&m, "dealy 40ms", error, sizeof error), -EINVAL);
    assert_string_equal(error, "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word),
        cmocka_unit_test(units_and_fractions),
        cmocka_unit_test(directions),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(a_small_error_buffer_is_enough),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("impair_parse", tests, NULL, NULL);
}
