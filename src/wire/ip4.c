/* IPv4 headers, RFC 791 section 3.1.
 *
 * Knows: bytes, sum. Not addresses of ours, and not what options say. Shape: 20 bytes and options.
 * Units: bytes. Errors: ip_short, ip_version, ip_header_len, ip_checksum, ip_total_len, judged in
 * this order: a length is believed only under a good checksum.
 * Cost: one header; emit sums words in registers before it stores them. */
#include "wire/wire.h"

#include <string.h>

#include "base/bytes.h"
#include "base/sum.h"

#define VERSION_4 0x45 /* and a header of 5 words */

static bool is_sum_good(const uint8_t *p, size_t hdr_len);

int ip4_parse(struct ip4 *out, const uint8_t *p, size_t n)
{
    size_t hdr_len;

    if (n < IP4_LEN)
        return -DROP_ip_short;
    if (p[0] >> 4 != 4)
        return -DROP_ip_version;
    hdr_len = (size_t)(p[0] & 15) * 4;
    if (hdr_len < IP4_LEN || hdr_len > n)
        return -DROP_ip_header_len;
    if (!is_sum_good(p, hdr_len))
        return -DROP_ip_checksum; /* 1122#3.2.1.2 */
    out->total_len = get16(p + 2);
    if (out->total_len < hdr_len || out->total_len > n)
        return -DROP_ip_total_len;
    out->hdr_len = (uint8_t)hdr_len;
    out->tos = p[1];
    out->id = get16(p + 4);
    out->frag = get16(p + 6);
    out->ttl = p[8];
    out->proto = p[9];
    out->src = get32(p + 12);
    out->dst = get32(p + 16);
    return (int)hdr_len;
}

size_t ip4_emit(uint8_t *p, const struct ip4 *h)
{
    uint32_t word[5] = {
        (uint32_t)VERSION_4 << 24 | (uint32_t)h->tos << 16 | h->total_len,
        (uint32_t)h->id << 16 | h->frag,
        (uint32_t)h->ttl << 24 | (uint32_t)h->proto << 16,
        h->src,
        h->dst,
    };
    uint64_t acc = (uint64_t)word[0] + word[1] + word[2] + word[3] + word[4];

    acc = (acc & 0xffffffff) + (acc >> 32);
    acc = (acc & 0xffff) + (acc >> 16 & 0xffff) + (acc >> 32);
    word[2] |= sum_finish((uint32_t)acc);
    for (int i = 0; i < 5; i++)
        put32(p + 4 * i, word[i]);
    return IP4_LEN;
}

static inline uint32_t load32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

static bool is_sum_good(const uint8_t *p, size_t hdr_len)
{
    uint64_t acc = 0;

    for (size_t i = 0; i < IP4_LEN; i += 4)
        acc += load32(p + i);
    for (size_t i = IP4_LEN; i < hdr_len; i += 4)
        acc += load32(p + i);
    acc = (acc & 0xffffffff) + (acc >> 32);
    acc = (acc & 0xffff) + (acc >> 16 & 0xffff) + (acc >> 32);
    return sum_finish((uint32_t)acc) == 0;
}
