/* UDP headers, RFC 768.
 *
 * Knows: bytes. Not sockets; the checksum is judged where the addresses are known. Shape: ports,
 * length, checksum. Units: bytes.
 * Errors: udp_short, udp_len; bytes behind the length are padding.
 * Cost: one header. */
#include "wire/wire.h"

#include "base/bytes.h"

int udp_parse(struct udp *out, const uint8_t *p, size_t n)
{
    if (n < UDP_LEN)
        return -DROP_udp_short;
    out->len = get16(p + 4);
    if (out->len < UDP_LEN || out->len > n)
        return -DROP_udp_len;
    out->sport = get16(p);
    out->dport = get16(p + 2);
    out->has_sum = get16(p + 6) != 0;
    return UDP_LEN;
}

size_t udp_emit(uint8_t *p, const struct udp *u)
{
    put16(p, u->sport);
    put16(p + 2, u->dport);
    put16(p + 4, u->len);
    put16(p + 6, 0);
    return UDP_LEN;
}
