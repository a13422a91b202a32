/* Counters, drop reasons, the trace, and reasons in words. */
#include "unit.h"

#include "def/drop.h"
#include "def/state.h"
#include "stack/tables.h"
#include "weir/socket.h"
#include "weir/stat.h"
#include "weir/trace.h"

static struct weir_stack *stack;
static int ifindex;

static int setup(void **state)
{
    struct weir_config c = {.seed = {1, 2}};
    struct weir_iface_config i = {.name = "t", .type = WEIR_LINK_IP, .mtu = 1500};

    (void)state;
    stack = weir_new(&c);
    ifindex = weir_iface_add(stack, &i);
    return ifindex > 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    weir_free(stack);
    return 0;
}

static void input_one_byte(int64_t now_ns)
{
    uint8_t byte = 0x45;
    struct weir_frame f = {.parts = 1, .part = {{&byte, 1}}};

    weir_input(stack, ifindex, &f, 1, now_ns);
}

static int drop_index(const char *name)
{
    for (int i = 0; i < weir_drop_count(); i++)
        if (strcmp(weir_drop_name(i), name) == 0)
            return i;
    fail_msg("no drop is called %s", name);
    return -1;
}

static void names_are_there_once_and_have_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < weir_stat_count(); i++) {
        assert_true(weir_stat_doc(i)[0]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(weir_stat_name(i), weir_stat_name(k));
    }
    for (int i = 0; i < weir_drop_count(); i++) {
        assert_true(weir_drop_doc(i)[0]);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(weir_drop_name(i), weir_drop_name(k));
    }
}

static void what_is_not_there_is_null_or_0(void **state)
{
    (void)state;
    assert_null(weir_stat_name(-1));
    assert_null(weir_stat_name(weir_stat_count()));
    assert_null(weir_stat_doc(weir_stat_count()));
    assert_null(weir_drop_name(weir_drop_count()));
    assert_null(weir_drop_doc(-1));
    assert_int_equal(weir_stat(stack, -1), 0);
    assert_int_equal(weir_drops(stack, weir_drop_count()), 0);
    assert_int_equal(weir_stat_by_name(stack, "NoSuchThing"), 0);
}

static void a_drop_is_counted_under_its_name(void **state)
{
    struct weir_account a;

    (void)state;
    input_one_byte(0);
    input_one_byte(0);
    assert_int_equal(weir_drops(stack, drop_index("ip_short")), 2);
    assert_int_equal(weir_stat_by_name(stack, "IpInReceives"), 2);
    weir_account(stack, &a);
    assert_int_equal(a.frames_in, 2);
    assert_int_equal(a.bytes_in, 2);
    assert_int_equal(a.dropped, 2);
}

static void the_trace_keeps_the_last_ones_in_order(void **state)
{
    struct weir_event e[4];

    (void)state;
    input_one_byte(0); /* off: nothing is kept */
    assert_int_equal(weir_trace_start(stack, 2), 0);
    for (int64_t ms = 1; ms <= 3; ms++)
        input_one_byte(ms * 1000000);
    assert_int_equal(weir_trace_read(stack, e, 4), 2);
    assert_int_equal(e[0].at_ns, 2000000);
    assert_int_equal(e[1].at_ns, 3000000);
    assert_int_equal(e[1].why.verdict, DROP_ip_short);
    assert_int_equal(weir_trace_read(stack, e, 4), 0);
    input_one_byte(4000000);
    assert_int_equal(weir_trace_start(stack, 0), 0);
    assert_int_equal(weir_trace_read(stack, e, 4), 0);
}

static void the_trace_can_be_looked_at_again(void **state)
{
    struct weir_event e;
    uint64_t cursor = 0, again = 0;

    (void)state;
    assert_int_equal(weir_trace_start(stack, 2), 0);
    for (int64_t ms = 1; ms <= 3; ms++)
        input_one_byte(ms * 1000000);
    assert_int_equal(weir_trace_next(stack, &cursor, &e), 1);
    assert_int_equal(e.at_ns, 2000000);
    assert_int_equal(weir_trace_next(stack, &cursor, &e), 1);
    assert_int_equal(weir_trace_next(stack, &cursor, &e), 0);
    input_one_byte(4000000);
    assert_int_equal(weir_trace_next(stack, &cursor, &e), 1);
    assert_int_equal(e.at_ns, 4000000);
    assert_int_equal(weir_trace_next(stack, &again, &e), 1);
    assert_int_equal(e.at_ns, 3000000);
}

static bool is_kept(uint16_t event, uint16_t verdict)
{
    struct weir_why why = {.event = event, .verdict = verdict};

    return trace_wants(&(struct trace){.is_brief = true}, &why);
}

static void a_brief_trace_leaves_the_routine_out(void **state)
{
    struct weir_event e;

    (void)state;
    assert_int_equal(weir_trace_start_brief(stack), 0);
    input_one_byte(1000000);
    assert_int_equal(weir_trace_read(stack, &e, 1), 0);
    assert_true(is_kept(EVENT_rto, PASS) && is_kept(EVENT_reset_unread, PASS));
    assert_false(is_kept(EVENT_delayed_ack, PASS) || is_kept(EVENT_duplicate_ack, PASS));
    assert_true(is_kept(0, DROP_tcp_accept_queue));
    assert_false(is_kept(0, DROP_tcp_duplicate));
    assert_int_equal(weir_trace_start(stack, 0), 0);
    assert_int_equal(weir_knob_set(stack, "net.weir.trace_events", "0"), 0);
    assert_int_equal(weir_trace_start_brief(stack), 0);
    assert_false(trace_is_on(stack_trace(stack)));
}

static void expect_text(struct weir_why why, const char *want)
{
    char text[100];

    assert_int_equal(weir_why_text(&why, text, sizeof text), strlen(want));
    assert_string_equal(text, want);
}

static void reasons_in_words(void **state)
{
    (void)state;
    expect_text((struct weir_why){0}, "");
    expect_text((struct weir_why){.event = EVENT_rto, .n = 2, .of = 15},
                "retransmission timeout 2 of 15");
    expect_text((struct weir_why){.event = EVENT_syn_retry, .n = 127, .of = 127},
                "SYN again, 127 of 127");
    expect_text((struct weir_why){.event = EVENT_state, .from = SYN_SENT, .to = ESTABLISHED},
                "SYN-SENT -> ESTABLISHED");
    expect_text((struct weir_why){.verdict = DROP_tcp_checksum}, "dropped: tcp_checksum");
    expect_text((struct weir_why){.verdict = KEPT}, "kept until the rest is here");
    expect_text((struct weir_why){.event = EVENT_challenge_ack, .verdict = DROP_tcp_paws},
                "challenge ACK (RFC 5961); dropped: tcp_paws");
    expect_text((struct weir_why){.event = EVENT_END, .verdict = DROP_END}, "");
}

static void a_reason_that_does_not_fit_is_cut(void **state)
{
    struct weir_why why = {.verdict = DROP_tcp_checksum};
    char text[8] = "xxxxxxx", nothing = 'x';

    (void)state;
    assert_int_equal(weir_why_text(&why, text, sizeof text), 7);
    assert_string_equal(text, "dropped");
    assert_int_equal(weir_why_text(&why, &nothing, 0), 0);
    assert_int_equal(nothing, 'x');
}

static void states_have_the_names_of_the_rfc(void **state)
{
    (void)state;
    assert_string_equal(weir_state_name(WEIR_FIN_WAIT_1), "FIN-WAIT-1");
    assert_string_equal(weir_state_name(WEIR_SYN_RECV), "SYN-RECEIVED");
    assert_string_equal(weir_state_name(0), "?");
    assert_string_equal(weir_state_name(12), "?");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(names_are_there_once_and_have_a_text),
        TEST(what_is_not_there_is_null_or_0),
        TEST(a_drop_is_counted_under_its_name),
        TEST(the_trace_keeps_the_last_ones_in_order),
        TEST(the_trace_can_be_looked_at_again),
        TEST(a_brief_trace_leaves_the_routine_out),
        TEST(reasons_in_words),
        TEST(a_reason_that_does_not_fit_is_cut),
        TEST(states_have_the_names_of_the_rfc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
