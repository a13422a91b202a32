/* Ethernet II headers, RFC 894, and the LLC and SNAP headers of IEEE 802.3 frames, RFC 1042.
 *
 * Knows: bytes. Not who a frame is for. Shape: destination, source, type; or a length, and the type
 * 8 bytes further on. Units: bytes. Errors: short_frame, llc.
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

/* SSAP and DSAP of SNAP, unnumbered information, and the organization whose types are EtherTypes.
 */
static const uint8_t snap[6] = {0xaa, 0xaa, 3, 0, 0, 0};

int llc_parse(uint16_t *type, const uint8_t *p, size_t n)
{
    if (n < LLC_LEN || memcmp(p, snap, sizeof snap) != 0)
        return -DROP_llc;
    *type = get16(p + sizeof snap);
    return LLC_LEN;
}

size_t llc_emit(uint8_t *p, uint16_t type)
{
    memcpy(p, snap, sizeof snap);
    put16(p + sizeof snap, type);
    return LLC_LEN;
}
