/* Buffers with the knobs as they come: they grow to what the path and the programs need, and no
 * further. 7323#2; tcp(7): tcp_moderate_rcvbuf, tcp_rmem, tcp_wmem. Virtual time, exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bottleneck.h"

/* 100 Mbit/s and 100 ms: 1.25 MB are on the way; the queue holds a third of it. */
#define LONG_LINK "rate 100mbit delay 50ms queue 300"
#define LONG_RATE 100000000
#define PRODUCT 1250000u
#define FIRST_RCVBUF 131072u
#define FIRST_SNDBUF 65536u

struct outcome {
    uint32_t use;            /* of the link, in thousandths */
    uint32_t rcvbuf, sndbuf; /* at the end */
    uint32_t rcv_mem, snd_mem;
};

static struct outcome watch(struct bottleneck_scene s, int from_ms, int until_ms)
{
    struct bottleneck b;
    struct outcome o;

    s.algo[0] = "cubic";
    s.has_own_buffers = true;
    bottleneck_begin(&b, &s);
    bottleneck_run(&b, from_ms);
    bottleneck_measure(&b);
    bottleneck_run(&b, until_ms);
    o = (struct outcome){bottleneck_use(&b), bottleneck_peer_info(&b, 0).rcvbuf,
                         bottleneck_info(&b, 0).sndbuf, bottleneck_peer_info(&b, 0).rcv_mem,
                         bottleneck_info(&b, 0).snd_mem};
    print_message("# use %u rcvbuf %u sndbuf %u held %u %u\n", o.use, o.rcvbuf, o.sndbuf, o.rcv_mem,
                  o.snd_mem);
    bottleneck_end(&b);
    return o;
}

static void both_grow_until_a_long_link_is_full(void **state)
{
    struct bottleneck_scene s = {.link = LONG_LINK, .rate_bps = LONG_RATE};
    struct outcome o = watch(s, 2000, 6000);

    (void)state;
    assert_true(o.use >= 950);
    assert_true(o.rcvbuf >= PRODUCT && o.sndbuf >= PRODUCT);
}

/* The window tells the round trip where no timestamp does. */
static void so_they_do_without_timestamps(void **state)
{
    struct bottleneck_scene s = {
        .link = LONG_LINK, .rate_bps = LONG_RATE, .knob = "net.ipv4.tcp_timestamps", .value = "0"};
    struct outcome o = watch(s, 2000, 6000);

    (void)state;
    assert_true(o.use >= 700); /* CUBIC is on the flat of its curve after an early loss */
    assert_true(o.rcvbuf >= PRODUCT && o.sndbuf >= PRODUCT);
}

static void a_receive_buffer_that_may_not_grow_holds_the_link_back(void **state)
{
    struct bottleneck_scene s = {.link = LONG_LINK,
                                 .rate_bps = LONG_RATE,
                                 .knob = "net.ipv4.tcp_moderate_rcvbuf",
                                 .value = "0"};
    struct outcome o = watch(s, 2000, 6000);

    (void)state;
    assert_int_equal(o.rcvbuf, FIRST_RCVBUF);
    assert_in_range(o.use, 80, 120); /* a window each round trip: a tenth of the rate */
}

static void a_send_buffer_that_may_not_grow_holds_the_link_back(void **state)
{
    struct bottleneck_scene s = {.link = LONG_LINK,
                                 .rate_bps = LONG_RATE,
                                 .knob = "net.ipv4.tcp_wmem",
                                 .value = "4096 65536 65536"};
    struct outcome o = watch(s, 2000, 6000);

    (void)state;
    assert_int_equal(o.sndbuf, FIRST_SNDBUF);
    assert_in_range(o.use, 40, 60);
}

/* 100 kB/s: a round trip holds 10 kB of it, the initial window is more. */
static void a_slow_writer_keeps_small_buffers(void **state)
{
    struct bottleneck_scene s = {.link = LONG_LINK, .rate_bps = LONG_RATE, .write_rate = 100000};
    struct outcome o = watch(s, 2000, 6000);

    (void)state;
    assert_int_equal(o.use, 8); /* all that it writes */
    assert_int_equal(o.sndbuf, FIRST_SNDBUF);
    assert_int_equal(o.rcvbuf, FIRST_RCVBUF);
}

static void a_slow_reader_keeps_a_small_buffer(void **state)
{
    struct bottleneck_scene s = {.link = LONG_LINK, .rate_bps = LONG_RATE, .read_rate = 100000};
    struct outcome o = watch(s, 2000, 10000);

    (void)state;
    assert_in_range(o.use, 8, 9); /* all that it reads */
    assert_int_equal(o.rcvbuf, FIRST_RCVBUF);
    assert_true(o.rcv_mem <= 2 * FIRST_RCVBUF);
}

static void what_it_may_grow_to_is_a_knob(void **state)
{
    struct bottleneck_scene s = {.link = LONG_LINK,
                                 .rate_bps = LONG_RATE,
                                 .knob = "net.ipv4.tcp_rmem",
                                 .value = "4096 131072 400000"};
    struct outcome o = watch(s, 2000, 6000);

    (void)state;
    assert_int_equal(o.rcvbuf, 400000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_grow_until_a_long_link_is_full),
        cmocka_unit_test(so_they_do_without_timestamps),
        cmocka_unit_test(a_receive_buffer_that_may_not_grow_holds_the_link_back),
        cmocka_unit_test(a_send_buffer_that_may_not_grow_holds_the_link_back),
        cmocka_unit_test(a_slow_writer_keeps_small_buffers),
        cmocka_unit_test(a_slow_reader_keeps_a_small_buffer),
        cmocka_unit_test(what_it_may_grow_to_is_a_knob),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
