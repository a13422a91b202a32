/* The driver of a fuzz harness: main() of each file in tests/fuzz.
 *
 * Knows: LLVMFuzzerTestOneInput. Shape: without arguments a harness eats inputs that seeds draw,
 * which `make test` does; with arguments it eats those files, which repeats what was found; and
 * with -DFUZZ_ENGINE it has no main and libFuzzer feeds it (`make fuzz`). Units: bytes. Errors: the
 * harness aborts, or a sanitizer does; the seed stands on the last line. Cost: `fuzz_runs` inputs.
 */
#ifndef SUPPORT_FUZZ_H
#define SUPPORT_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

#define FUZZ_BYTES 4096

void __sanitizer_set_death_callback(void (*tell)(void)) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An assertion of a harness: on in every build. */
#define holds(x) \
    ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s is false\n", __FILE__, __LINE__, #x), abort()))

/* The input, read from its front; zeros behind its end. */
struct feed {
    const uint8_t *data;
    size_t size;
};

static UNUSED uint32_t feed_number(struct feed *f, unsigned bytes)
{
    uint32_t n = 0;

    for (; bytes && f->size; bytes--, f->size--)
        n = n << 8 | *f->data++;
    return n;
}

static UNUSED const uint8_t *feed_bytes(struct feed *f, size_t *size)
{
    const uint8_t *bytes = f->data;

    *size = *size < f->size ? *size : f->size;
    f->data += *size;
    f->size -= *size;
    return bytes;
}

#ifndef FUZZ_ENGINE

/* Some of its bytes are like those of real inputs: small, near the ends of words, repeated. */
static size_t fuzz_draw(struct dice *d, uint8_t *to)
{
    size_t size = dice_below(d, dice_below(d, 4) ? 200 : FUZZ_BYTES);

    for (size_t i = 0; i < size; i++) {
        uint32_t kind = dice_below(d, 8);
        to[i] = (uint8_t)dice_u64(d);
        if (kind < 2)
            to[i] %= kind ? 4 : 32;
        else if (kind < 4)
            to[i] = kind == 2 ? 0 : 0xff;
        else if (kind == 4 && i > 0)
            to[i] = to[i - 1 - dice_below(d, (uint32_t)(i < 16 ? i : 16))];
    }
    return size;
}

static bool fuzz_file(const char *path)
{
    uint8_t *data = malloc(1 << 20);
    FILE *f = fopen(path, "rb");
    size_t size = f && data ? fread(data, 1, 1 << 20, f) : 0;

    if (f)
        fclose(f);
    else
        fprintf(stderr, "can not read %s\n", path);
    data = realloc(data, size ? size : 1); /* ASan stands behind it */
    if (f)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return f;
}

static uint64_t fuzz_seed;

/* Who dies says of what. */
static void fuzz_tell(void)
{
    fprintf(stderr, "repeat with WEIR_TEST_SEED=%llu\n", (unsigned long long)fuzz_seed);
}

static void fuzz_aborted(int signal_number)
{
    fuzz_tell();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static int fuzz_main(int argc, char **argv, uint64_t runs)
{
    uint8_t drawn[FUZZ_BYTES];

    for (int i = 1; i < argc; i++)
        if (!fuzz_file(argv[i]))
            return 2;
    if (argc > 1)
        return 0;
    signal(SIGABRT, fuzz_aborted);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(fuzz_tell);
    for (struct dice d = dice_first(1); dice_more(&d, runs); dice_next(&d)) {
        size_t size;
        uint8_t *exact;
        fuzz_seed = d.seed;
        size = fuzz_draw(&d, drawn);
        exact = malloc(size ? size : 1);
        memcpy(exact, drawn, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    printf("1..1\nok 1 - %llu inputs\n", (unsigned long long)runs);
    return 0;
}

#define FUZZ_MAIN(runs)                       \
    int main(int argc, char **argv)           \
    {                                         \
        return fuzz_main(argc, argv, (runs)); \
    }

#else
#define FUZZ_MAIN(runs)
#endif

#endif
