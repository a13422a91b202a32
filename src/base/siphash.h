/* SipHash, a keyed hash (Aumasson and Bernstein, 2012): 2-4 for secrets (ISN, cookies, ports,
 * random numbers), 1-3 for hash tables.
 *
 * Knows: nothing. Units: bytes. Cost: below 10 ns for 16 bytes. */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct sipkey {
    uint64_t k0, k1;
};

uint64_t siphash24(const struct sipkey *key, const void *data, size_t len);
/* 1-3 over whole words; the length is not mixed in beyond their number. */
uint64_t siphash13_words(const struct sipkey *key, const uint64_t *word, int words);
/* 2-4 over whole words: what siphash24 gives for the same bytes. */
uint64_t siphash24_words(const struct sipkey *key, const uint64_t *word, int words);

#endif
