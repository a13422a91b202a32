/* The memory of one script, and its first problem.
 *
 * Knows: nothing of scripts. Shape: a list of blocks, freed together. Units: bytes.
 * Errors: no memory ends the program: a script is small and a half-read one is of no use.
 * Cost: one malloc for each thing. */
#include "packetdrill/script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_chunk {
    struct arena_chunk *next;
    max_align_t bytes[];
};

void *arena_alloc(struct arena *a, size_t bytes)
{
    struct arena_chunk *c = calloc(1, sizeof *c + bytes);

    if (!c) {
        fputs("weir: packetdrill: out of memory\n", stderr);
        exit(1);
    }
    c->next = a->chunks;
    a->chunks = c;
    return c->bytes;
}

char *arena_text(struct arena *a, const char *from, size_t len)
{
    char *text = arena_alloc(a, len + 1);

    memcpy(text, from, len);
    return text;
}

void arena_free(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
}

bool problem_set(struct problem *p, enum problem_kind kind, struct place at, const char *format,
                 ...)
{
    va_list args;

    if (p->kind != PROBLEM_NONE)
        return false;
    p->kind = kind;
    p->at = at;
    va_start(args, format);
    vsnprintf(p->what, sizeof p->what, format, args);
    va_end(args);
    return false;
}
