/* Congestion control over a drop-tail bottleneck: golden traces, use of the link, fairness.
 *
 * WEIR_GOLDEN=write makes the traces anew; `git diff tests/golden/cc` then shows what changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bottleneck.h"

#define MSS 1448u

/* -- golden traces ----------------------------------------------------------------------------- */

static void trace_line(const struct bottleneck *b, int ms, char *line, size_t size)
{
    struct weir_sock_info i = bottleneck_info(b, 0);
    char ssthresh[16] = "-";

    if (i.ssthresh != UINT32_MAX)
        snprintf(ssthresh, sizeof ssthresh, "%.1f", i.ssthresh / (double)MSS);
    snprintf(line, size, "%5d %7.1f %8s %6.1f %5u\n", ms, i.cwnd / (double)MSS, ssthresh,
             i.in_flight / (double)MSS, bottleneck_queue(b));
}

static void compare(FILE *golden, const char *path, const char *line)
{
    char want[128];

    if (!fgets(want, sizeof want, golden) || strcmp(want, line) != 0)
        fail_msg("%s: wanted %s  got %s  (WEIR_GOLDEN=write, then look at the diff)", path, want,
                 line);
}

/* A line each 100 ms for 20 s: time, cwnd, ssthresh and in flight in segments, frames that wait. */
static void trace(const char *name, const struct bottleneck_scene *s)
{
    const char *mode = getenv("WEIR_GOLDEN"), *source = getenv("WEIR_SOURCE");
    bool is_writing = mode && strcmp(mode, "write") == 0;
    struct bottleneck b;
    char path[512], line[128];
    FILE *golden;

    snprintf(path, sizeof path, "%s/tests/golden/cc/%s.txt", source ? source : ".", name);
    golden = fopen(path, is_writing ? "w" : "r");
    assert_non_null(golden);
    bottleneck_begin(&b, s);
    for (int ms = 0; ms <= 20000; ms += 100) {
        bottleneck_run(&b, ms);
        snprintf(line, sizeof line, "#  ms    cwnd ssthresh flight queue   %s, %s\n", s->algo[0],
                 s->link);
        for (int heading = ms == 0; heading >= 0; heading--) {
            if (!heading)
                trace_line(&b, ms, line, sizeof line);
            if (is_writing)
                fputs(line, golden);
            else
                compare(golden, path, line);
        }
    }
    fclose(golden);
    bottleneck_end(&b);
}

/* 10 Mbit/s, 40 ms: the product is 34 segments, and so is the queue. */
#define MEDIUM "rate 10mbit delay 20ms queue 34"

static void reno_saws(void **state)
{
    (void)state;
    trace("reno", &(struct bottleneck_scene){.algo = {"reno"}, .link = MEDIUM});
}

static void cubic_follows_its_curve(void **state)
{
    (void)state;
    trace("cubic", &(struct bottleneck_scene){.algo = {"cubic"}, .link = MEDIUM});
}

static void bbr_probes_and_drains(void **state)
{
    (void)state;
    trace("bbr", &(struct bottleneck_scene){.algo = {"bbr"}, .link = MEDIUM});
}

/* -- use of the link --------------------------------------------------------------------------- */

static uint32_t use_of(const char *algo, const char *link, uint64_t rate)
{
    struct bottleneck_scene s = {.algo = {algo},
                                 .link = link,
                                 .rate_bps = rate,
                                 .knob = "net.weir.tcp_pacing",
                                 .value = "1"};
    struct bottleneck b;
    uint32_t use;

    bottleneck_begin(&b, &s);
    bottleneck_run(&b, 5000);
    bottleneck_measure(&b);
    bottleneck_run(&b, 25000);
    use = bottleneck_use(&b);
    print_message("# %s over %s: %u\n", algo, link, use);
    bottleneck_end(&b);
    return use;
}

/* A product of 69 segments: a tenth of it, the whole, and ten times as much. */
static void links_are_used_whatever_the_queue(void **state)
{
    static const struct {
        const char *algo;
        uint32_t shallow; /* BBR leaves others 15 % of what fits without loss */
    } algos[] = {{"cubic", 900}, {"bbr", 880}};
    static const char *const links[] = {"rate 20mbit delay 20ms queue 7",
                                        "rate 20mbit delay 20ms queue 69",
                                        "rate 20mbit delay 20ms queue 690"};

    (void)state;
    for (unsigned a = 0; a < sizeof algos / sizeof algos[0]; a++)
        for (unsigned i = 0; i < sizeof links / sizeof links[0]; i++)
            if (use_of(algos[a].algo, links[i], 20000000) < (i ? 950 : algos[a].shallow))
                fail_msg("%s over %s", algos[a].algo, links[i]);
}

/* A path that loses 3 % whatever is sent over it: BBR does not take that for its own doing. */
static void bbr_is_not_slowed_by_chance(void **state)
{
    (void)state;
    assert_true(use_of("bbr", "rate 20mbit delay 20ms queue 69 loss 1%", 20000000) >= 900);
    assert_true(use_of("bbr", "rate 20mbit delay 20ms queue 69 loss 3%", 20000000) >= 850);
}

/* -- fairness ---------------------------------------------------------------------------------- */

static void flows_share(const char *algo, int flows)
{
    struct bottleneck_scene s = {.link = "rate 50mbit delay 10ms queue 86", .rate_bps = 50000000};
    struct bottleneck b;

    for (int i = 0; i < flows; i++) {
        s.algo[i] = algo;
        s.start_ms[i] = i * 500;
    }
    bottleneck_begin(&b, &s);
    bottleneck_run(&b, 20000);
    bottleneck_measure(&b);
    bottleneck_run(&b, 50000);
    print_message("# %d %s flows: use %u, Jain %u\n", flows, algo, bottleneck_use(&b),
                  bottleneck_fairness(&b));
    assert_true(bottleneck_fairness(&b) >= 950);
    assert_true(bottleneck_use(&b) >= 900);
    bottleneck_end(&b);
}

static void cubic_flows_share(void **state)
{
    (void)state;
    for (int flows = 2; flows <= 16; flows *= 2)
        if (flows != 8)
            flows_share("cubic", flows);
}

/* A queue for ten products stays nearly empty: 690 frames, of which CUBIC fills most. */
static void bbr_keeps_the_queue_short(void **state)
{
    struct bottleneck_scene s = {
        .algo = {"bbr"}, .link = "rate 20mbit delay 20ms queue 690", .rate_bps = 20000000};
    struct bottleneck b;

    (void)state;
    bottleneck_begin(&b, &s);
    bottleneck_run(&b, 5000);
    bottleneck_measure(&b);
    bottleneck_run(&b, 30000);
    assert_true(bottleneck_use(&b) >= 950);
    assert_true(bottleneck_queue_mean(&b) <= 10);
    assert_true(b.queue_max <= 80);
    assert_int_equal(bottleneck_info(&b, 0).retrans, 0);
    s.algo[0] = "cubic";
    bottleneck_end(&b);
    bottleneck_begin(&b, &s);
    bottleneck_run(&b, 5000);
    bottleneck_measure(&b);
    bottleneck_run(&b, 30000);
    assert_true(bottleneck_queue_mean(&b) >= 400);
    bottleneck_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reno_saws),
        cmocka_unit_test(cubic_follows_its_curve),
        cmocka_unit_test(bbr_probes_and_drains),
        cmocka_unit_test(links_are_used_whatever_the_queue),
        cmocka_unit_test(bbr_is_not_slowed_by_chance),
        cmocka_unit_test(cubic_flows_share),
        cmocka_unit_test(bbr_keeps_the_queue_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
