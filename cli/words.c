/* Words: the nearest right one, complaints about wrong ones, numbers.
 *
 * Knows: text. Shape: pure but for the complaints, which go to stderr. Units: none.
 * Errors: NULL or false for what is no such word. Cost: O(length squared) for each word of a list;
 * words longer than 63 bytes have no neighbours. */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_MAX 63

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Levenshtein's distance. */
static int distance(const char *a, const char *b)
{
    int row[WORD_MAX + 1], n = (int)strlen(b);

    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; *a; a++, i++) {
        int corner = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int above = row[j];
            row[j] = least(least(row[j], row[j - 1]) + 1, corner + (*a != b[j - 1]));
            corner = above;
        }
    }
    return row[n];
}

const char *words_nearest(const char *word, const char *const *words)
{
    const char *best = NULL;
    int length = (int)strlen(word), best_distance = length < 3 ? 2 : length / 2 + 1;

    for (; length <= WORD_MAX && *words; words++) {
        int d = strlen(*words) <= WORD_MAX ? distance(word, *words) : WORD_MAX;
        if (d < best_distance) {
            best_distance = d;
            best = *words;
        }
    }
    return best;
}

int usage_error(const char *verb, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "weir%s%s: ", *verb ? " " : "", verb);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

int unknown_option(const char *verb, const char *option, const char *const *options)
{
    const char *near = words_nearest(option, options);

    if (near)
        return usage_error(verb, "no option '%s'; did you mean %s?", option, near);
    return usage_error(verb, "no option '%s'; see: weir %s --help", option, verb);
}

bool parse_number(const char *text, long least_value, long most, long *out)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < least_value || n > most)
        return false;
    *out = n;
    return true;
}
