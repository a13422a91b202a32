/* What unit tests of the core share: cmocka, seeded random numbers, memory that fails on order,
 * memory with a wall behind it, and assertions that a call traps. Everything is static: include it,
 * link nothing. */
#ifndef SUPPORT_UNIT_H
#define SUPPORT_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

#define UNUSED __attribute__((unused))
#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

/* -- random numbers, and how a failure is repeated
 * ------------------------------------------------ */

struct dice {
    uint64_t seed, state;
};

/* `for (struct dice d = dice_first(1); dice_more(&d, 5); dice_next(&d))` runs seeds 1 to 5, or only
 * the one that WEIR_TEST_SEED names. */
static UNUSED struct dice dice_first(uint64_t seed)
{
    const char *only = getenv("WEIR_TEST_SEED");

    if (only)
        seed = strtoull(only, NULL, 0);
    return (struct dice){seed, seed};
}

static UNUSED bool dice_more(const struct dice *d, uint64_t last)
{
    const char *only = getenv("WEIR_TEST_SEED");

    return only ? d->seed == strtoull(only, NULL, 0) : d->seed <= last;
}

static UNUSED void dice_next(struct dice *d)
{
    *d = (struct dice){d->seed + 1, d->seed + 1};
}

/* splitmix64: of another family than what is tested. */
static UNUSED uint64_t dice_u64(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static UNUSED uint32_t dice_below(struct dice *d, uint32_t n)
{
    return (uint32_t)((dice_u64(d) >> 32) * n >> 32);
}

static UNUSED void dice_fill(struct dice *d, void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ((uint8_t *)p)[i] = (uint8_t)dice_u64(d);
}

static UNUSED void dice_failed(const struct dice *d, const char *what, const char *file, int line)
{
    print_error("%s is false\nrepeat with WEIR_TEST_SEED=%llu %s\n", what,
                (unsigned long long)d->seed, program_invocation_name);
    _fail(file, line);
}

/* An assertion within a random run. */
#define check(d, x) ((x) ? (void)0 : dice_failed((d), #x, __FILE__, __LINE__))

/* -- memory
 * ---------------------------------------------------------------------------------------- */

/* malloc with a count of what is out, that refuses once `left` calls are used up (-1: never): from
 * then on, or that one call only. */
struct faulty {
    long left;
    bool only_one;
    size_t bytes, blocks;
};

static UNUSED void *faulty_alloc(void *ctx, size_t bytes)
{
    struct faulty *f = ctx;

    if (f->left == 0) {
        f->left = f->only_one ? -1 : 0;
        return NULL;
    }
    if (f->left > 0)
        f->left--;
    f->bytes += bytes;
    f->blocks++;
    return malloc(bytes);
}

static UNUSED void faulty_free(void *ctx, void *p, size_t bytes)
{
    struct faulty *f = ctx;

    assert_non_null(p);
    assert_true(f->blocks > 0 && f->bytes >= bytes);
    f->bytes -= bytes;
    f->blocks--;
    free(p);
}

static UNUSED void faulty_mem(struct mem *m, struct faulty *f)
{
    *f = (struct faulty){.left = -1};
    mem_init(m, faulty_alloc, faulty_free, f);
}

static UNUSED void faulty_mem_end(struct mem *m, struct faulty *f)
{
    mem_fini(m);
    assert_int_equal(f->blocks, 0);
    assert_int_equal(f->bytes, 0);
}

/* Copies n bytes so that the first one behind them can not be read: an overread is a crash in every
 * build. One wall at a time; the bytes live until the next call. */
static UNUSED uint8_t *walled(const void *bytes, size_t n)
{
    static uint8_t *pages;
    const size_t room = 1 << 17;
    const size_t wall = 1 << 16;

    if (!pages) {
        pages = mmap(NULL, room + wall, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert_true(pages != MAP_FAILED);
        assert_int_equal(mprotect(pages + room, wall, PROT_NONE), 0);
    }
    assert_true(n <= room);
    if (n)
        memcpy(pages + room - n, bytes, n);
    return pages + room - n;
}

/* -- must()
 * ----------------------------------------------------------------------------------------- */

/* Runs `statement` in a child, which must die of the trap. */
#define assert_traps(statement)                                                   \
    do {                                                                          \
        pid_t child_ = fork();                                                    \
        int status_ = 0;                                                          \
        if (child_ == 0) {                                                        \
            signal(SIGILL, SIG_DFL);                                              \
            signal(SIGTRAP, SIG_DFL);                                             \
            statement;                                                            \
            _exit(0);                                                             \
        }                                                                         \
        assert_int_equal(waitpid(child_, &status_, 0), child_);                   \
        assert_true(WIFSIGNALED(status_));                                        \
        assert_true(WTERMSIG(status_) == SIGILL || WTERMSIG(status_) == SIGTRAP); \
    } while (0)

#endif
