/* Accurate ECN's option: which counters it bears, whatever moved and however little room there is.
 */
#include "tcp_fixture.h"

#include "tcp/more.h"

enum { E0B, CEB, E1B }; /* counters, in the order of struct acc_ecn */

static const struct tcp_opts no_options;

static struct tcb *agreed(int64_t mode)
{
    struct tcb *t = tcb_new(tcp);

    assert_non_null(t);
    assert_true(accecn_begin(tcp, t, 0));
    bench.knobs.tcp_ecn_option = mode;
    return t;
}

/* Text of n bytes, by counter. */
static void receive(struct tcb *t, int counter, uint32_t n)
{
    static const uint8_t ip_ecn[3] = {2, 3, 1};
    struct seg s = {.len = n, .pieces = 1, .ip_ecn = ip_ecn[counter], .opt = &no_options};

    accecn_on_segment(tcp, t, &s);
}

static struct tcp_opts sent(struct tcb *t, uint32_t room)
{
    struct acc_plan plan = accecn_plan(tcp, t, room);
    struct tcp_hdr h = {.flags = TCP_ACK};

    assert_true(plan.bytes <= room);
    accecn_on_out(tcp, t, &h, &plan);
    assert_int_equal(tcp_opts_len(&h.opt), plan.bytes);
    return h.opt;
}

static bool bears(const struct tcp_opts *o, int counter)
{
    int at = o->is_acc_1 ? 2 - counter : counter;

    return o->has & TCP_OPT_ACC && at < o->accs;
}

/* REQ:9768-3.2.3-2 REQ:9768-3.2.3.3-4 REQ:9768-3.2.3.3-5: what moved is there, or no option at all;
 * it is left out only where it would not fit, and said when there is room again. */
static void what_moved_is_said_or_nothing_is(void **state)
{
    static const uint8_t need[8] = {0, 8,  8, 8,
                                    8, 12, 8, 12}; /* by what moved, CE's in the middle */

    (void)state;
    for (struct dice d = dice_first(1); dice_more(&d, 500); dice_next(&d)) {
        struct tcb *t = agreed(2);
        uint32_t sum[3] = {1, 0, 1};
        uint8_t moved = 0;

        for (int step = 0; step < 40; step++) {
            uint32_t room = 4 * dice_below(&d, 5);
            struct tcp_opts o;
            bool is_there;

            for (uint32_t n = dice_below(&d, 3); n; n--) {
                int counter = (int)dice_below(&d, 3);
                uint32_t bytes = 1 + dice_below(&d, 65535);
                receive(t, counter, bytes);
                sum[counter] += bytes;
                moved |= (uint8_t)(1 << counter);
            }
            o = sent(t, room);
            is_there = o.has & TCP_OPT_ACC;
            check(&d, is_there == (moved && room >= need[moved]));
            for (int i = 0; i < 3 && is_there; i++) {
                check(&d, bears(&o, i) || !(moved & 1 << i));
                check(&d, !bears(&o, i) || o.acc[o.is_acc_1 ? 2 - i : i] == (sum[i] & 0xffffff));
            }
            moved = is_there ? 0 : moved;
        }
        tcb_free(tcp, t);
    }
}

/* REQ:9768-3.2.3.3-9 */
static void no_counter_goes_half_round_unsaid(void **state)
{
    struct tcb *t = agreed(1);

    (void)state;
    for (int i = 0; i < 2; i++) { /* a change is said twice */
        receive(t, E0B, 1);
        assert_true(sent(t, 40).has & TCP_OPT_ACC);
    }
    receive(t, E0B, (1u << 22) - 1);
    assert_false(sent(t, 40).has & TCP_OPT_ACC);
    receive(t, E0B, 1);
    assert_true(sent(t, 40).has & TCP_OPT_ACC);
    tcb_free(tcp, t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_moved_is_said_or_nothing_is, setup, teardown),
        cmocka_unit_test_setup_teardown(no_counter_goes_half_round_unsaid, setup, teardown),
    };

    return cmocka_run_group_tests_name("accecn", tests, NULL, NULL);
}
