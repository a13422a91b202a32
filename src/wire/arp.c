/* ARP packets for IPv4 over Ethernet, RFC 826.
 *
 * Knows: bytes. Not whether the sender is possible, or what the operation means. Shape: hardware
 * and protocol type and lengths, operation, sender, target. Units: bytes.
 * Errors: arp_malformed; bytes behind the packet are padding.
 * Cost: one packet. */
#include "wire/wire.h"

#include <string.h>

#include "base/bytes.h"

enum { HARDWARE_ETHER = 1, HARDWARE_802 = 6 };
#define LENGTHS 0x0604 /* of a MAC, of an IPv4 address */

int arp_parse(struct arp *out, const uint8_t *p, size_t n)
{
    if (n < ARP_LEN)
        return -DROP_arp_malformed;
    out->is_802 = get16(p) == HARDWARE_802;
    if (get16(p) != HARDWARE_ETHER && !out->is_802)
        return -DROP_arp_malformed;
    if (get16(p + 2) != ETH_TYPE_IP4 || get16(p + 4) != LENGTHS)
        return -DROP_arp_malformed;
    out->op = get16(p + 6);
    memcpy(out->sha, p + 8, 6);
    out->spa = get32(p + 14);
    memcpy(out->tha, p + 18, 6);
    out->tpa = get32(p + 24);
    return ARP_LEN;
}

size_t arp_emit(uint8_t *p, const struct arp *a)
{
    put16(p, a->is_802 ? HARDWARE_802 : HARDWARE_ETHER);
    put16(p + 2, ETH_TYPE_IP4);
    put16(p + 4, LENGTHS);
    put16(p + 6, a->op);
    memcpy(p + 8, a->sha, 6);
    put32(p + 14, a->spa);
    memcpy(p + 18, a->tha, 6);
    put32(p + 24, a->tpa);
    return ARP_LEN;
}
