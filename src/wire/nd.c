/* The options of neighbour discovery. 4861#4.6.
 *
 * Knows: bytes. Not what an option means. Shape: type, length in units of 8 bytes, value. Units:
 * bytes. Errors: false; NULL. Cost: O(options). */
#include "wire/wire.h"

#include "base/bytes.h"

#define UNIT 8u

bool nd_option_next(struct nd_option *o, const uint8_t *p, size_t n, uint32_t *at)
{
    if (*at >= n || n - *at < UNIT || p[*at + 1] == 0 || p[*at + 1] * UNIT > n - *at)
        return false;
    *o = (struct nd_option){.type = p[*at], .p = p + *at, .len = p[*at + 1] * UNIT};
    *at += o->len;
    return true;
}

bool nd_options_are_good(const uint8_t *p, size_t n, uint32_t fixed)
{
    struct nd_option o;
    uint32_t at = fixed;

    if (n < fixed)
        return false;
    while (nd_option_next(&o, p, n, &at))
        ;
    return at == n;
}

const uint8_t *nd_mac_option(const uint8_t *p, size_t n, uint32_t fixed, uint8_t type)
{
    struct nd_option o;
    uint32_t at = fixed;

    while (nd_option_next(&o, p, n, &at))
        if (o.type == type && o.len == UNIT)
            return o.p + 2;
    return NULL;
}
