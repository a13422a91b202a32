/* Goodput where order is lost and nothing else: two stacks, 100 Mbit/s, 20 ms each way, one frame
 * of fifty overtakes by half a round trip. RACK must not take that for loss: the rate loses less
 * than a tenth. What a detector that counts to three makes of it is the other half of the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/bottleneck.h"

#define LINK "rate 100mbit delay 20ms queue 345"
#define RATE 100000000u

struct result {
    uint64_t bytes;
    uint64_t again; /* segments */
};

static struct result run(const char *link, const char *recovery)
{
    struct bottleneck_scene s = {.algo = {"cubic"},
                                 .link = link,
                                 .rate_bps = RATE,
                                 .knob = "net.ipv4.tcp_recovery",
                                 .value = recovery,
                                 .knob2 = "net.ipv4.tcp_max_reordering",
                                 .value2 = recovery[0] == '0' ? "3" : "300"};
    struct bottleneck b;
    struct result r;

    bottleneck_begin(&b, &s);
    bottleneck_run(&b, 20000);
    r.bytes = b.got[0];
    r.again = weir_stat_by_name(b.from->stack, "TcpRetransSegs");
    print_message("# %s, tcp_recovery %s: %llu bytes, %llu segments again, %llu undone\n", link,
                  recovery, (unsigned long long)r.bytes, (unsigned long long)r.again,
                  (unsigned long long)weir_stat_by_name(b.from->stack, "TcpExtTCPDSACKUndo"));
    bottleneck_end(&b);
    return r;
}

/* REQ:8985-3.3.2-4 */
static void two_percent_out_of_order_cost_less_than_a_tenth(void **state)
{
    struct result in_order = run(LINK, "1"), out = run(LINK " reorder 2%", "1"),
                  counted = run(LINK " reorder 2%", "0");

    (void)state;
    assert_true(out.bytes > in_order.bytes / 10 * 9);
    assert_true(counted.bytes < out.bytes); /* or this proves nothing of RACK */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_percent_out_of_order_cost_less_than_a_tenth)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
