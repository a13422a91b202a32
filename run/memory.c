/* How much memory the stack of a run may take: an eighth of the machine's, or of the cgroup's.
 *
 * Knows: sysconf, cgroup v2. Shape: Linux lets TCP have a sixteenth until there is pressure and a
 * tenth at most (tcp_mem); here pressure begins at six eighths of the ceiling, which holds for all
 * that the stack keeps. Units: bytes. Errors: what can not be read limits nothing.
 * Cost: a few files, once. docs/memory.md */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/daemon.h"

#define SHARE 8
#define LEAST (16ull << 20) /* a machine of 128 MiB */
#define DEEP 16             /* groups one in another */

/* The number in DIR/memory.max; "max", or no such file: no limit. */
static uint64_t limit_of(const char *dir)
{
    char path[512], text[32] = "";
    uint64_t bytes;
    FILE *f;

    snprintf(path, sizeof path, "%s/memory.max", dir);
    if (!(f = fopen(path, "re")))
        return UINT64_MAX;
    if (!fgets(text, sizeof text, f))
        text[0] = '\0';
    fclose(f);
    bytes = strtoull(text, NULL, 10);
    return bytes ? bytes : UINT64_MAX;
}

/* The least limit of a group and of those that it lies in. */
static uint64_t limit_of_groups(const char *root, char *group)
{
    uint64_t least = UINT64_MAX;
    char dir[384];

    for (int i = 0; i < DEEP; i++) {
        uint64_t is;
        char *slash = strrchr(group, '/');
        snprintf(dir, sizeof dir, "%s%s", root, group);
        is = limit_of(dir);
        least = is < least ? is : least;
        if (!slash)
            return least;
        *slash = '\0';
    }
    return least;
}

uint64_t memory_of_group(const char *root, const char *proc)
{
    uint64_t bytes = UINT64_MAX;
    char line[256];
    FILE *f = fopen(proc, "re");

    if (!f)
        return bytes;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::", 3) == 0)
            bytes = limit_of_groups(root, line + 3);
    }
    fclose(f);
    return bytes;
}

uint64_t memory_share(uint64_t bytes)
{
    uint64_t share = bytes / SHARE;

    return share > LEAST ? share : LEAST;
}

uint64_t memory_preset(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t all = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 1ull << 30;
    uint64_t group = memory_of_group("/sys/fs/cgroup", "/proc/self/cgroup");

    return memory_share(group < all ? group : all);
}
