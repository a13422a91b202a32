/* The Internet checksum (RFC 1071): the sum of 16-bit words, vectorised.
 *
 * Knows: nothing. Shape: sums are of words as they lie in memory, so they are stored without
 * swapping. An odd piece may only be the last one, unless sum_add_at is used. Cost: above 20
 * bytes/ns in cache. */
#ifndef BASE_SUM_H
#define BASE_SUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t sum_add(uint32_t acc, const void *data, size_t len);
/* The same for a piece that begins at byte `offset` of the whole. */
uint32_t sum_add_at(uint32_t acc, const void *data, size_t len, size_t offset);
static inline uint16_t sum_fold(uint32_t acc)
{
    acc = (acc & 0xffff) + (acc >> 16);
    return (uint16_t)(acc + (acc >> 16));
}
/* What goes into the header: the complement of the folded sum. */
static inline uint16_t sum_finish(uint32_t acc)
{
    return (uint16_t)~sum_fold(acc);
}

#endif
