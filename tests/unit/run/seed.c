/* What `weir run` makes its stack's key of. */
#include "run/daemon.h"
#include "unit.h"

/* REQ:6528-3-3 REQ:6528-4-1: 128 bits, of the machine's randomness: no two runs agree in a half. */
static void each_run_has_a_key_of_its_own(void **state)
{
    struct run_options o = {.seed = 7};
    uint64_t a[2], b[2];

    (void)state;
    daemon_seed(&o, a);
    daemon_seed(&o, b);
    assert_true(a[0] != b[0] && a[1] != b[1]);
    assert_true(a[0] != ~a[1] && a[0] != a[1]);
    assert_true(a[0] != o.seed && a[1] != o.seed);
}

static void a_seed_repeats_it(void **state)
{
    struct run_options o = {.seed = 7, .has_seed = true};
    uint64_t a[2], b[2];

    (void)state;
    daemon_seed(&o, a);
    daemon_seed(&o, b);
    assert_memory_equal(a, b, sizeof a);
    o.seed = 8;
    daemon_seed(&o, b);
    assert_true(a[0] != b[0] && a[1] != b[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_run_has_a_key_of_its_own),
        cmocka_unit_test(a_seed_repeats_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
