/* Ethernet II headers, RFC 894.
 *
 * Knows: bytes. Not who a frame is for. Shape: destination, source, type. Units: bytes.
 * Errors: short_frame.
 * Cost: one header. */
#include "wire/wire.h"

#include <string.h>

#include "base/bytes.h"

int eth_parse(struct eth *out, const uint8_t *p, size_t n)
{
    if (n < ETH_LEN)
        return -DROP_short_frame;
    memcpy(out->dst, p, 6);
    memcpy(out->src, p + 6, 6);
    out->type = get16(p + 12);
    return ETH_LEN;
}

size_t eth_emit(uint8_t *p, const struct eth *e)
{
    memcpy(p, e->dst, 6);
    memcpy(p + 6, e->src, 6);
    put16(p + 12, e->type);
    return ETH_LEN;
}
