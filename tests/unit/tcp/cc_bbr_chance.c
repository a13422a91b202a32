/* What BBR takes for chance: losses while nothing waits in the queue, and what they do not do. */
#include "bbr_path.h"

/* Rounds that bring all but `lost` of the product, with `queue_us` of waiting in each. */
static void lossy_rounds(struct path *p, int rounds, uint32_t lost, uint32_t queue_us)
{
    for (int i = 0; i < rounds; i++) {
        p->b.probe_rtt_at_us = (uint32_t)p->e.now_us;
        p->b.phase_at_us = (uint32_t)p->e.now_us;
        p->b.rounds_since_probe = 0;
        p->e.has_newest = true;
        p->e.newest_at_us = (uint32_t)p->e.now_us - queue_us; /* a round trip passes yet */
        lose(p, PRODUCT, lost);
        p->s.lost = lost;
        round_trip(p, PRODUCT - lost);
    }
}

static void what_is_lost_while_nothing_waits_is_tolerated(void **state)
{
    struct path p;
    uint32_t unknown = 2 * MSS + PRODUCT / 33 + 1740; /* 2 %, the most, and its square root */

    (void)state;
    in_state(&p, CRUISE);
    assert_in_range(bbr_tolerance(&p.c, PRODUCT), 2000, 2010); /* nothing was lost ever */
    lossy_rounds(&p, 40, MSS, 0);
    assert_in_range(bbr_tolerance(&p.c, PRODUCT), 3950, 4050); /* 1 % is chance, and 1 % more */
    lossy_rounds(&p, 40, 5 * MSS, 0);
    assert_in_range(bbr_tolerance(&p.c, PRODUCT), unknown - 10, unknown + 10);
}

static void a_policer_is_not_chance(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, CRUISE);
    lossy_rounds(&p, 40, 6 * MSS, 0);
    assert_in_range(bbr_tolerance(&p.c, PRODUCT), 2000, 2010);
}

static void what_is_lost_while_a_queue_stands_is_not(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, CRUISE);
    lossy_rounds(&p, 40, 3 * MSS, 20 * MS);
    assert_in_range(bbr_tolerance(&p.c, PRODUCT), 2000, 2010);
}

static void what_is_tolerated_does_not_lower_the_rate(void **state)
{
    struct path p;

    (void)state;
    in_state(&p, CRUISE);
    lossy_rounds(&p, 40, 2 * MSS, 0);
    assert_in_range(bbr_bw(&p.b), RATE * 98 / 100, RATE);
    in_state(&p, CRUISE);
    lossy_rounds(&p, 40, 20 * MSS, 20 * MS);
    assert_in_range(bbr_bw(&p.b), RATE * 80 / 100, RATE * 83 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_lost_while_nothing_waits_is_tolerated),
        cmocka_unit_test(a_policer_is_not_chance),
        cmocka_unit_test(what_is_lost_while_a_queue_stands_is_not),
        cmocka_unit_test(what_is_tolerated_does_not_lower_the_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
