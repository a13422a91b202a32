/* Random worlds, one for each seed: see tests/support/soak.h. Nothing may be lost or changed, each
 * error has its reason, frames are conserved, all memory comes back.
 *
 * WEIR_TEST_SEED=N runs that one, and tells its world; WEIR_SOAK_PCAPNG=FILE keeps its frames.
 * WEIR_SOAK_SEEDS=FIRST-LAST runs those: `make soak N=10000`. */
#include "soak.h"

#include <stdio.h>
#include <stdlib.h>

#define SEEDS 10000
#define HOURS 3 /* of each world's time */

static void worlds_lose_nothing(void **state)
{
    const char *range = getenv("WEIR_SOAK_SEEDS"), *only = getenv("WEIR_TEST_SEED");
    unsigned long long first = 1, last = SEEDS, connections = 0, bytes = 0, failed = 0;
    unsigned long long whole = 0, errors = 0, datagrams = 0;

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
        whole += w.whole;
        errors += w.errors;
        datagrams += w.datagrams;
    }
    print_message(
        "# %llu worlds, %.2f years: %llu connections, %llu datagrams, %llu bytes; %llu ends "
        "read all, %llu failed for a reason\n",
        last - first + 1, (double)(last - first + 1) * HOURS / 24 / 365.25, connections, datagrams,
        bytes, whole, errors);
    assert_int_equal(failed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(worlds_lose_nothing)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
