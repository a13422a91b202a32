/* ECN over a router that marks: what it marked is what the receiver counted and the sender heard
 * of, over IPv4 and over IPv6, and the queue stays short without a loss. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bottleneck.h"

/* 10 Mbit/s, 40 ms: the product is 34 segments; cubic without marks fills the queue of 200. */
#define LINK "rate 10mbit delay 20ms queue 200"
#define BYTES 20000000u

static uint64_t marked_by(const struct bottleneck *b)
{
    return b->link->dir[0].line.stats.marked;
}

static uint64_t ce_of(const struct bottleneck *b)
{
    return weir_stat_by_name(b->to->stack, b->scene->is_v6 ? "Ip6InCEPkts" : "IpExtInCEPkts");
}

static void transfer(struct bottleneck *b, const struct bottleneck_scene *s)
{
    bottleneck_begin(b, s);
    bottleneck_run(b, 20000);
    assert_int_equal(b->got[0], BYTES);
    print_message("# %s, ECN %s: %llu marked, queue %u, most %u\n", s->is_v6 ? "IPv6" : "IPv4",
                  s->value, (unsigned long long)marked_by(b), bottleneck_queue_mean(b),
                  b->queue_max);
}

static void each_mark_is_counted_and_heard_of(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct bottleneck_scene s = {.algo = {"cubic"},
                                     .link = LINK " mark 20",
                                     .put_most = BYTES,
                                     .knob = "net.ipv4.tcp_ecn",
                                     .value = "3",
                                     .knob2 = "net.ipv4.tcp_ecn_option",
                                     .value2 = i & 2 ? "2" : "0",
                                     .is_v6 = i & 1};
        struct bottleneck b;
        struct weir_sock_info from, to;

        transfer(&b, &s);
        from = bottleneck_info(&b, 0);
        to = bottleneck_peer_info(&b, 0);
        assert_true(marked_by(&b) > 20);
        assert_int_equal(ce_of(&b), marked_by(&b));
        assert_int_equal(to.ce_in, marked_by(&b));
        assert_int_equal(from.ce_told, to.ce_in);
        assert_int_equal(from.retrans, 0);
        if (i & 2)
            assert_int_equal(from.ce_bytes_told, to.ce_bytes_in);
        bottleneck_end(&b);
    }
}

static void a_router_that_marks_keeps_the_queue_short(void **state)
{
    (void)state;
    for (int is_v6 = 0; is_v6 < 2; is_v6++) {
        struct bottleneck_scene s = {.algo = {"cubic"},
                                     .link = LINK " mark 20",
                                     .put_most = BYTES,
                                     .knob = "net.ipv4.tcp_ecn",
                                     .value = "1",
                                     .is_v6 = is_v6};
        struct bottleneck b;

        transfer(&b, &s);
        assert_true(marked_by(&b) > 10);
        assert_int_equal(ce_of(&b), marked_by(&b));
        assert_int_equal(bottleneck_info(&b, 0).retrans, 0);
        assert_true(bottleneck_queue_mean(&b) < 30);
        bottleneck_end(&b);
        s.value = "0";
        transfer(&b, &s);
        assert_int_equal(marked_by(&b), 0);
        assert_true(bottleneck_queue_mean(&b) > 60);
        bottleneck_end(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mark_is_counted_and_heard_of),
        cmocka_unit_test(a_router_that_marks_keeps_the_queue_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
