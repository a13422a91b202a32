/* Frames whose transport checksum was never finished, told by their bytes alone.
 *
 * Knows: where IPv4, IPv6, TCP and UDP have lengths, addresses and checksums. Shape: pure; each
 * length is looked at before what it covers.
 * Units: bytes. Errors: fragments, extension headers and all else are left as they are.
 * Cost: a sum over addresses. */
#include "drivers/partial.h"

#include <stdbool.h>

#include "base/bytes.h"
#include "base/sum.h"

#define ETHER_HEADER 14u
#define ETHER_TYPE_AT 12
#define TCP 6
#define UDP 17

struct transport {
    uint32_t at, len; /* from the frame's start */
    const uint8_t *addresses;
    uint32_t address_bytes; /* both */
    uint8_t protocol;
};

static bool find4(struct transport *t, const uint8_t *ip, uint32_t len)
{
    uint32_t head = len < 20 ? 0 : (ip[0] & 15) * 4u, total = len < 20 ? 0 : get16(ip + 2);

    if (head < 20 || ip[0] >> 4 != 4 || total < head || total > len || get16(ip + 6) & 0x3fff)
        return false;
    *t = (struct transport){ETHER_HEADER + head, total - head, ip + 12, 8, ip[9]};
    return true;
}

static bool find6(struct transport *t, const uint8_t *ip, uint32_t len)
{
    if (len < 40 || ip[0] >> 4 != 6 || get16(ip + 4) + 40u > len)
        return false;
    *t = (struct transport){ETHER_HEADER + 40, get16(ip + 4), ip + 8, 32, ip[6]};
    return true;
}

void partial_mark(struct weir_frame *f)
{
    const uint8_t *bytes = f->part[0].data;
    uint32_t len = f->part[0].len, sum;
    struct transport t;
    uint8_t tail[4] = {0};
    uint16_t is, kind = len < ETHER_HEADER ? 0 : get16(bytes + ETHER_TYPE_AT);
    uint16_t offset;

    if (kind == 0x0800 ? !find4(&t, bytes + ETHER_HEADER, len - ETHER_HEADER)
                       : kind != 0x86dd || !find6(&t, bytes + ETHER_HEADER, len - ETHER_HEADER))
        return;
    if ((t.protocol != TCP || t.len < 20) && (t.protocol != UDP || t.len < 8))
        return;
    offset = t.protocol == TCP ? 16 : 6;
    tail[1] = t.protocol;
    put16(tail + 2, (uint16_t)t.len);
    sum = sum_add(sum_add(0, t.addresses, t.address_bytes), tail, sizeof tail);
    memcpy(&is, bytes + t.at + offset, sizeof is);
    if (sum_fold(sum) != is)
        return;
    f->flags = WEIR_CSUM_PARTIAL;
    f->csum_start = (uint16_t)t.at;
    f->csum_offset = offset;
}
