/* The pseudo header: 9293#3.1 over IPv4, 8200#8.1 over IPv6.
 *
 * Knows: addresses, sum. Shape: addresses, protocol, length. One formula serves both families: the
 * prefix of a v4-mapped address sums to 0xffff, which is nothing in one's complement, and the
 * upper half of a length below 64 KiB is zero. Units: bytes.
 * Errors: none.
 * Cost: a few additions. */
#include "wire/wire.h"

static inline uint64_t words_of(const struct weir_addr *a)
{
    return (uint64_t)a->w[0] + a->w[1] + a->w[2] + a->w[3];
}

uint32_t pseudo_sum(const struct weir_addr *src, const struct weir_addr *dst, uint8_t proto,
                    uint32_t len)
{
    uint64_t acc = (uint64_t)__builtin_bswap32(len) + __builtin_bswap16(proto);

    acc += words_of(src) + words_of(dst);
    acc = (acc & 0xffffffff) + (acc >> 32);
    return (uint32_t)((acc & 0xffff) + (acc >> 16 & 0xffff) + (acc >> 32));
}
