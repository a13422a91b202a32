/* Which word was meant: see words.h.
 *
 * Knows: Levenshtein's table, one row at a time. Shape: an edit costs 2, a letter left out 1.
 * Units: none. Errors: none. Cost: the product of both lengths. */
#include "base/words.h"

#include <string.h>

#define WORD_MAX 64

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;

    return m < c ? m : c;
}

unsigned word_distance(const char *typed, const char *word)
{
    unsigned row[WORD_MAX + 1], n = (unsigned)strnlen(word, WORD_MAX);
    unsigned other_start = lower(*typed) != lower(*word);

    for (unsigned j = 0; j <= n; j++)
        row[j] = j;
    for (unsigned i = 1; *typed; typed++, i++) {
        unsigned corner = row[0];
        row[0] = 2 * i;
        for (unsigned j = 1; j <= n; j++) {
            unsigned above = row[j], change = lower(*typed) == lower(word[j - 1]) ? 0 : 2;
            row[j] = least(above + 2, row[j - 1] + 1, corner + change);
            corner = above;
        }
    }
    return row[n] + other_start;
}
