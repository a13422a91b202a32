/* The packet-test language: the list of a program's tests. See peer.h.
 *
 * Knows: cmocka. Shape: TEST() adds itself before main. Units: none.
 * Errors: too many tests end the program. Cost: none that matters. */
#include <stdlib.h>

#include "peer.h"

#define TESTS_MAX 128

static struct CMUnitTest tests[TESTS_MAX];
static size_t tests_count;

/* What a failed test left behind. */
static int forget(void **state)
{
    (void)state;
    peer_forget();
    return 0;
}

void peer_test_add(const char *name, CMUnitTestFunction function)
{
    if (tests_count == TESTS_MAX)
        abort();
    tests[tests_count++] =
        (struct CMUnitTest){.name = name, .test_func = function, .teardown_func = forget};
}

int peer_tests_run(const char *group)
{
    if (getenv("WEIR_TEST"))
        cmocka_set_test_filter(getenv("WEIR_TEST"));
    return _cmocka_run_group_tests(group, tests, tests_count, NULL, NULL);
}
