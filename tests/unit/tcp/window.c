/* The window that we offer, and what we may use of the peer's. */
#include "tcp_bench.h"

#define START 0xfffff000u /* numbers wrap on the way */

static struct stats stats;
static struct tcp tcp = {.stats = &stats};

/* rcvbuf bytes of room, `offered` of it told to the peer, one byte received already. */
static struct tcb receiver(uint32_t rcvbuf, uint32_t offered, uint8_t wscale)
{
    struct tcb t = {.state = ESTABLISHED};

    t.opt.rcvbuf = rcvbuf;
    t.rcv.mss = 1000;
    t.rcv.wscale = wscale;
    t.rcv.irs = seq_of(START);
    t.rcv.nxt = seq_of(START + 2);
    t.rcv.edge = seq_add(t.rcv.nxt, offered);
    return t;
}

static void scale_makes_the_biggest_buffer_fit(void **state)
{
    (void)state;
    assert_int_equal(window_scale_for(65535), 0);
    assert_int_equal(window_scale_for(65536), 1);
    assert_int_equal(window_scale_for(6291456), 7);
    assert_int_equal(window_scale_for(UINT32_MAX), 14); /* 7323#2.3: not more */
}

static void room_is_what_the_buffer_or_the_clamp_leaves(void **state)
{
    struct tcb t = receiver(10000, 0, 0);

    (void)state;
    assert_int_equal(window_room(&t), 10000);
    t.rcv.ring.len = 4000;
    assert_int_equal(window_room(&t), 6000);
    t.opt.window_clamp = 5120;
    assert_int_equal(window_room(&t), 1120);
    t.rcv.ring.len = 6000;
    assert_int_equal(window_room(&t), 0);
}

static void the_edge_never_moves_left(void **state) /* REQ:7323-2.4-3 */
{
    struct tcb t = receiver(10000, 5000, 0);

    (void)state;
    t.rcv.ring.len = 9000; /* room for 1000, but 5000 were promised */
    assert_int_equal(window_to_offer(&tcp, &t), 5000);
    assert_true(seq_eq(t.rcv.edge, seq_add(t.rcv.nxt, 5000)));
}

static void a_small_step_is_not_told(void **state) /* REQ:MUST-39 */
{
    struct tcb t = receiver(10000, 5000, 0);

    (void)state;
    t.rcv.ring.len = 4001; /* 999 more than was offered */
    assert_int_equal(window_to_offer(&tcp, &t), 5000);
    t.rcv.ring.len = 4000; /* a full segment */
    assert_int_equal(window_to_offer(&tcp, &t), 6000);
}

static void half_a_small_buffer_is_step_enough(void **state)
{
    struct tcb t = receiver(600, 100, 0);

    (void)state;
    t.rcv.ring.len = 201;
    assert_int_equal(window_to_offer(&tcp, &t), 100);
    t.rcv.ring.len = 200;
    assert_int_equal(window_to_offer(&tcp, &t), 400);
}

static void scaling_rounds_so_that_the_edge_stays(void **state)
{
    struct tcb t = receiver(100000, 5000, 7);

    (void)state;
    assert_int_equal(window_to_offer(&tcp, &t), 100000 & ~127u);
    t = receiver(5000, 5000, 7);
    assert_int_equal(window_to_offer(&tcp, &t), 5120); /* up: rounding down would move it left */
    assert_int_equal(seq_diff(t.rcv.edge, t.rcv.nxt), 5120);
    t = receiver(5375, 5275, 7);
    t.rcv.mss = 100; /* a step below the unit: 5375 rounds down to less than was offered */
    assert_int_equal(window_to_offer(&tcp, &t), 5376);
}

static void the_field_bounds_the_offer(void **state)
{
    struct tcb t = receiver(200000, 0, 0);

    (void)state;
    assert_int_equal(window_to_offer(&tcp, &t), 65535);
}

static void closing_and_opening_are_counted(void **state)
{
    struct tcb t = receiver(4000, 0, 0);

    (void)state;
    memset(&stats, 0, sizeof stats);
    t.rcv.ring.len = 4000;
    assert_int_equal(window_to_offer(&tcp, &t), 0);
    assert_int_equal(window_to_offer(&tcp, &t), 0);
    assert_int_equal(stats.TcpExtTCPToZeroWindowAdv, 1);
    t.rcv.ring.len = 1000;
    assert_int_equal(window_to_offer(&tcp, &t), 3000);
    assert_int_equal(stats.TcpExtTCPFromZeroWindowAdv, 1);
}

static void updates_are_due_when_they_help(void **state)
{
    struct tcb t = receiver(10000, 0, 0);

    (void)state;
    t.rcv.ring.len = 9001;
    assert_false(window_update_due(&tcp, &t)); /* the peer waits, but 999 is no segment */
    t.rcv.ring.len = 9000;
    assert_true(window_update_due(&tcp, &t));
    t = receiver(10000, 4000, 0);
    t.rcv.ring.len = 1001;
    assert_false(
        window_update_due(&tcp, &t)); /* it has work: half the buffer is news, less is not */
    t.rcv.ring.len = 1000;
    assert_true(window_update_due(&tcp, &t));
    t.state = CLOSE_WAIT; /* nothing more comes */
    assert_false(window_update_due(&tcp, &t));
}

static void no_update_of_what_was_never_used(void **state)
{
    struct tcb t = receiver(200000, 65535, 7);

    (void)state;
    assert_true(window_update_due(&tcp, &t));
    t.rcv.nxt = seq_of(START + 1);
    t.rcv.edge = seq_add(t.rcv.nxt, 65535);
    assert_false(window_update_due(&tcp, &t));
}

static void no_update_that_the_field_can_not_say(void **state)
{
    struct tcb t = receiver(200000, 65535, 0);

    (void)state;
    assert_false(window_update_due(&tcp, &t));
}

static void a_window_that_shrank_is_used_up(void **state) /* REQ:MUST-34 */
{
    struct tcb t = {.state = ESTABLISHED};

    (void)state;
    t.snd.una = seq_of(START);
    t.snd.nxt = seq_add(t.snd.una, 5000);
    t.snd.wnd = 8000;
    assert_int_equal(window_usable(&t), 3000);
    t.snd.wnd = 5000;
    assert_int_equal(window_usable(&t), 0);
    t.snd.wnd = 1000;
    assert_int_equal(window_usable(&t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scale_makes_the_biggest_buffer_fit),
        cmocka_unit_test(room_is_what_the_buffer_or_the_clamp_leaves),
        cmocka_unit_test(the_edge_never_moves_left),
        cmocka_unit_test(a_small_step_is_not_told),
        cmocka_unit_test(half_a_small_buffer_is_step_enough),
        cmocka_unit_test(scaling_rounds_so_that_the_edge_stays),
        cmocka_unit_test(the_field_bounds_the_offer),
        cmocka_unit_test(closing_and_opening_are_counted),
        cmocka_unit_test(updates_are_due_when_they_help),
        cmocka_unit_test(no_update_of_what_was_never_used),
        cmocka_unit_test(no_update_that_the_field_can_not_say),
        cmocka_unit_test(a_window_that_shrank_is_used_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
