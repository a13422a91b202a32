/* What a DHCP server says: a message whose options are written one by one. Everything is static:
 * include it, link nothing. */
#ifndef SUPPORT_DHCP_REPLY_H
#define SUPPORT_DHCP_REPLY_H

#include <string.h>

#include "base/bytes.h"

struct reply {
    uint8_t bytes[700];
    size_t len;
};

static inline void option(struct reply *r, uint8_t code, const void *value, uint8_t len)
{
    r->bytes[r->len++] = code;
    r->bytes[r->len++] = len;
    memcpy(r->bytes + r->len, value, len);
    r->len += len;
}

static inline void word(struct reply *r, uint8_t code, uint32_t value)
{
    uint8_t v[4];

    put32(v, value);
    option(r, code, v, 4);
}

#endif
