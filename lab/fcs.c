/* The frame check sequence of Ethernet, which network cards add and take off before anyone looks.
 *
 * Knows: bytes. Not links. Shape: pure; CRC-32 of IEEE 802.3, least bit first, as it is on the
 * wire. Units: bytes. Errors: a frame that is too short or does not fit its check is wrong. Cost:
 * two steps a byte. */
#include <string.h>

#include "lab/net.h"

#define SHORTEST 60 /* what a frame is padded to, without its check */

static uint32_t crc_of(const uint8_t *p, size_t len)
{
    static const uint32_t step[16] = {
        0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u,
        0x4db26158u, 0x5005713cu, 0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu,
        0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu,
    };
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < len; i++) {
        crc = step[(crc ^ p[i]) & 15] ^ crc >> 4;
        crc = step[(crc ^ p[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

size_t lab_fcs_add(uint8_t *bytes, size_t len)
{
    uint32_t crc;

    if (len < SHORTEST) {
        memset(bytes + len, 0, SHORTEST - len);
        len = SHORTEST;
    }
    crc = crc_of(bytes, len);
    for (size_t i = 0; i < LAB_FCS_LEN; i++)
        bytes[len + i] = (uint8_t)(crc >> 8 * i);
    return len + LAB_FCS_LEN;
}

bool lab_fcs_is_right(const uint8_t *bytes, size_t len)
{
    uint32_t crc = 0;

    if (len < SHORTEST + LAB_FCS_LEN)
        return false;
    for (size_t i = 0; i < LAB_FCS_LEN; i++)
        crc |= (uint32_t)bytes[len - LAB_FCS_LEN + i] << 8 * i;
    return crc == crc_of(bytes, len - LAB_FCS_LEN);
}
