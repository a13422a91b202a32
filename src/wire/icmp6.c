/* ICMPv6 messages, RFC 4443: their checksum, which goes over a pseudo header too.
 *
 * Knows: bytes, sum. Not what a type asks for. Shape: type, code, checksum, a word, as in ICMP.
 * Units: bytes. Errors: a bool. Cost: one pass over the message. */
#include "wire/wire.h"

#include <string.h>

#include "base/sum.h"

#define SUM_AT 2

static uint32_t sum_of(const uint8_t *p, size_t n, const struct weir_addr *src,
                       const struct weir_addr *dst)
{
    return sum_add(pseudo_sum(src, dst, PROTO_ICMP6, (uint32_t)n), p, n);
}

void icmp6_seal(uint8_t *p, size_t n, const struct weir_addr *src, const struct weir_addr *dst)
{
    uint16_t sum;

    memset(p + SUM_AT, 0, sizeof sum);
    sum = sum_finish(sum_of(p, n, src, dst));
    memcpy(p + SUM_AT, &sum, sizeof sum);
}

bool icmp6_is_good(const uint8_t *p, size_t n, const struct weir_addr *src,
                   const struct weir_addr *dst)
{
    return sum_finish(sum_of(p, n, src, dst)) == 0;
}
