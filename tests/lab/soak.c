/* Random worlds, one for each seed: see tests/support/soak.h. Nothing may be lost or changed, each
 * error has its reason, frames are conserved, all memory comes back.
 *
 * WEIR_TEST_SEED=N runs that one, and tells its world; WEIR_SOAK_PCAPNG=FILE keeps its frames.
 * WEIR_SOAK_SEEDS=FIRST-LAST runs those: `make soak N=10000`. */
#include "soak.h"

#include <stdio.h>
#include <stdlib.h>

#define SEEDS 300

static void worlds_lose_nothing(void **state)
{
    const char *range = getenv("WEIR_SOAK_SEEDS"), *only = getenv("WEIR_TEST_SEED");
    unsigned long long first = 1, last = SEEDS, connections = 0, bytes = 0, failed = 0;

    (void)state;
    if (range)
        sscanf(range, "%llu-%llu", &first, &last);
    if (only)
        first = last = strtoull(only, NULL, 0);
    for (unsigned long long seed = first; seed <= last; seed++) {
        static struct soak w;
        if (!soak_run(&w, seed, only ? getenv("WEIR_SOAK_PCAPNG") : NULL)) {
            print_error("seed %llu: %s\nrepeat with WEIR_TEST_SEED=%llu %s\n", seed, w.wrong, seed,
                        program_invocation_name);
            failed++;
        }
        if (only)
            print_message("# %s\n", w.story);
        connections += (unsigned long long)w.conns;
        bytes += w.bytes;
    }
    print_message("# %llu worlds, %llu connections, %llu bytes, %.1f years\n", last - first + 1,
                  connections, bytes, (double)(last - first + 1) * 3 / 24 / 365.25);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(worlds_lose_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
