/* What `weir run` lets its stack take, from the machine's memory and from cgroups. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/daemon.h"
#include "unit.h"

static char root[] = "/tmp/weir-memory-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", root, name);
    if (!text) {
        assert_int_equal(mkdir(path, 0700), 0);
        return;
    }
    assert_non_null(f = fopen(path, "w"));
    fputs(text, f);
    fclose(f);
}

static uint64_t of_group(const char *line)
{
    char path[128];

    put("self", line);
    snprintf(path, sizeof path, "%s/self", root);
    return memory_of_group(root, path);
}

static void an_eighth_and_never_too_little(void **state)
{
    (void)state;
    assert_true(memory_share(8ull << 30) == 1ull << 30);
    assert_true(memory_share(128 << 20) == 16 << 20);
    assert_true(memory_share(1 << 20) == 16 << 20);
}

static void the_narrowest_group_counts(void **state)
{
    static const char *const names[] = {"a/b/memory.max", "a/b",       "a/memory.max", "a",
                                        "self",           "memory.max"};
    char path[128];

    (void)state;
    assert_non_null(mkdtemp(root));
    put("a", NULL);
    put("a/b", NULL);
    put("a/memory.max", "1000000\n");
    put("a/b/memory.max", "max\n");
    assert_true(of_group("0::/a/b\n") == 1000000);
    put("a/b/memory.max", "500000\n");
    assert_true(of_group("12:pids:/x\n0::/a/b\n") == 500000);
    assert_true(of_group("0::/\n") == UINT64_MAX);
    put("memory.max", "700000\n"); /* of a container: the group that it sees is the root */
    assert_true(of_group("0::/\n") == 700000);
    assert_true(of_group("1:cpu:/a\n") == UINT64_MAX); /* version 1 */
    assert_true(memory_of_group(root, "/nonexistent") == UINT64_MAX);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        remove(path);
    }
    rmdir(root);
}

static void this_machine_has_some(void **state)
{
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    (void)state;
    assert_true(memory_preset() >= 16 << 20);
    assert_true(memory_preset() <= memory_share(all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_eighth_and_never_too_little),
        cmocka_unit_test(the_narrowest_group_counts),
        cmocka_unit_test(this_machine_has_some),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
