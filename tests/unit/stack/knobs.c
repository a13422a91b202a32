/* Knobs by name: each row of the table, and what is refused. */
#include "unit.h"

#include "weir/knob.h"

static struct weir_stack *stack;

static int setup(void **state)
{
    struct weir_config c = {.seed = {1, 2}};

    (void)state;
    stack = weir_new(&c);
    return stack ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    weir_free(stack);
    return 0;
}

static void set(const char *name, const char *value, int want)
{
    int got = weir_knob_set(stack, name, value);

    if (got != want)
        fail_msg("%s = '%s' gives %d, wanted %d", name, value, got, want);
}

static void get(const char *name, const char *want)
{
    char text[80];

    assert_int_equal(weir_knob_get(stack, name, text, sizeof text), strlen(want));
    assert_string_equal(text, want);
}

static void each_row_begins_with_its_preset_and_keeps_its_bounds(void **state)
{
    char text[80], value[100];

    (void)state;
    for (int i = 0; i < weir_knob_count(); i++) {
        const struct weir_knob_info *k = weir_knob_info(i);
        assert_true(k->name[0] && k->unit[0] && k->doc[0]);
        if (k->values == 0) /* text */
            continue;
        for (int n = 0; n < k->values; n++)
            assert_true(k->preset[n] >= k->min && k->preset[n] <= k->max);
        assert_true(weir_knob_get(stack, k->name, text, sizeof text) > 0);
        assert_int_equal(strtoll(text, NULL, 10), k->preset[0]);
        set(k->name, text, 0); /* what is read can be written */
        if (k->values != 1)
            continue;
        snprintf(value, sizeof value, "%lld", (long long)k->min - 1);
        set(k->name, value, -ERANGE);
        if (k->max < INT64_MAX) {
            snprintf(value, sizeof value, "%lld", (long long)k->max + 1);
            set(k->name, value, -ERANGE);
        }
        snprintf(value, sizeof value, "%lld", (long long)k->max);
        set(k->name, value, 0);
        get(k->name, value);
    }
    assert_null(weir_knob_info(-1));
    assert_null(weir_knob_info(weir_knob_count()));
}

static void congestion_control_is_a_name(void **state)
{
    const char *name = "net.ipv4.tcp_congestion_control";
    const char *all = "net.ipv4.tcp_available_congestion_control";
    char text[8], names[128];

    (void)state;
    get(name, "cubic");
    set(name, "reno", 0);
    get(name, "reno");
    set(name, "vegas", -EINVAL);
    set(name, "1", -EINVAL);
    get(name, "reno");
    assert_true(weir_knob_get(stack, all, names, sizeof names) > 0);
    assert_memory_equal(names, "cubic ", 6); /* the preset is the first */
    for (char *word = strtok(names, " "); word; word = strtok(NULL, " ")) {
        set(name, word, 0);
        get(name, word);
    }
    set(name, "reno", 0);
    set(all, "reno", -EACCES);
    assert_int_equal(weir_knob_get(stack, all, text, sizeof text), -ENOSPC);
    assert_int_equal(weir_knob_get(stack, name, text, 4), -ENOSPC);
    set(name, "cubic", 0);
}

static void three_numbers_are_set_together_or_not_at_all(void **state)
{
    (void)state;
    set("net.ipv4.tcp_rmem", "4096 131072", -EINVAL);
    set("net.ipv4.tcp_rmem", "4096 131072 6291456 1", -EINVAL);
    set("net.ipv4.tcp_rmem", "5000 100000 200000", 0);
    get("net.ipv4.tcp_rmem", "5000\t100000\t200000");
    set("net.ipv4.tcp_rmem", "5001 100001 99999999999999999999", -ERANGE);
    get("net.ipv4.tcp_rmem", "5000\t100000\t200000");
}

static void the_port_range_has_an_order(void **state)
{
    (void)state;
    set("net.ipv4.ip_local_port_range", "2000 1000", -ERANGE);
    set("net.ipv4.ip_local_port_range", "0 1000", -ERANGE);
    set("net.ipv4.ip_local_port_range", "1000 65536", -ERANGE);
    set("net.ipv4.ip_local_port_range", "1000", -EINVAL);
    set("net.ipv4.ip_local_port_range", "1000 1000\n", 0);
    get("net.ipv4.ip_local_port_range", "1000\t1000");
}

static void what_is_no_number_is_refused(void **state)
{
    static const char *const wrong[] = {"", " ", "x", "5x", "5 6", "0x10", "5.0", "--5"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        set("net.ipv4.tcp_fin_timeout", wrong[i], -EINVAL);
    set("net.ipv4.tcp_fin_timeout", " 7\n", 0);
    get("net.ipv4.tcp_fin_timeout", "7");
    set("net.ipv4.no_such", "1", -ENOENT);
}

static void text_that_does_not_fit_is_refused(void **state)
{
    char text[4];

    (void)state;
    assert_int_equal(weir_knob_get(stack, "net.ipv4.tcp_rmem", text, sizeof text), -ENOSPC);
    assert_int_equal(weir_knob_get(stack, "net.ipv4.tcp_sack", text, 2), 1);
    assert_int_equal(weir_knob_get(stack, "net.ipv4.tcp_sack", text, 1), -ENOSPC);
    assert_int_equal(weir_knob_get(stack, "no.such", text, sizeof text), -ENOENT);
}

static void a_mistyped_name_is_understood(void **state)
{
    (void)state;
    assert_string_equal(weir_knob_nearest("net.ipv4.tcp_fin_timout"), "net.ipv4.tcp_fin_timeout");
    assert_string_equal(weir_knob_nearest("tcp_sak"), "net.ipv4.tcp_sack");
    assert_non_null(weir_knob_nearest(""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void reserved_ports_are_ranges_in_order(void **state)
{
    const char *name = "net.ipv4.ip_local_reserved_ports";

    (void)state;
    get(name, "");
    set(name, "9000-9010,80,9005-9012,65535", 0);
    get(name, "80,9000-9012,65535");
    set(name, "80-", -EINVAL);
    set(name, "80 81", -EINVAL);
    set(name, "80,", -EINVAL);
    set(name, "70000", -ERANGE);
    set(name, "9-8", -ERANGE);
    get(name, "80,9000-9012,65535"); /* what is refused changes nothing */
    set(name, "", 0);
    get(name, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_row_begins_with_its_preset_and_keeps_its_bounds),
        TEST(three_numbers_are_set_together_or_not_at_all),
        TEST(congestion_control_is_a_name),
        TEST(the_port_range_has_an_order),
        TEST(reserved_ports_are_ranges_in_order),
        TEST(what_is_no_number_is_refused),
        TEST(text_that_does_not_fit_is_refused),
        TEST(a_mistyped_name_is_understood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
