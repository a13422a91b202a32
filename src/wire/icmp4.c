/* ICMP messages, RFC 792.
 *
 * Knows: bytes, sum. Not what a type asks for. Shape: type, code, checksum, a word that each type
 * uses in its way, then data or the quoted packet. Units: bytes.
 * Errors: icmp_short, icmp_checksum.
 * Cost: the checksum goes over the whole message. */
#include "wire/wire.h"

#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"

#define SUM_AT 2

int icmp4_parse(struct icmp4 *out, const uint8_t *p, size_t n)
{
    if (n < ICMP_LEN)
        return -DROP_icmp_short;
    if (sum_finish(sum_add(0, p, n)) != 0)
        return -DROP_icmp_checksum;
    out->type = p[0];
    out->code = p[1];
    out->rest = get32(p + 4);
    return ICMP_LEN;
}

size_t icmp4_emit(uint8_t *p, const struct icmp4 *h)
{
    p[0] = h->type;
    p[1] = h->code;
    put16(p + SUM_AT, 0);
    put32(p + 4, h->rest);
    return ICMP_LEN;
}

void icmp4_seal(uint8_t *p, size_t n)
{
    uint16_t sum = sum_finish(sum_add(0, p, n));

    memcpy(p + SUM_AT, &sum, sizeof sum);
}
