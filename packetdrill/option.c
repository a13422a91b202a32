/* TCP options as bytes: see segment.h.
 *
 * Knows: kinds and lengths. Shape: a list in the order of the wire; nothing is sorted or merged.
 * Units: bytes. Errors: -1 for a list that breaks its own lengths. Cost: O(bytes). */
#include <string.h>

#include "base/bytes.h"
#include "packetdrill/segment.h"

#define EXPERIMENT_FASTOPEN 0xf989

size_t option_len(const struct option *o)
{
    switch (o->kind) {
    case OPTION_EOL:
    case OPTION_NOP:
        return 1;
    case OPTION_MSS:
        return 4;
    case OPTION_WSCALE:
        return 3;
    case OPTION_SACK_OK:
        return 2;
    case OPTION_SACK:
        return 2 + 8u * o->len;
    case OPTION_TS:
        return 10;
    case OPTION_MD5:
        return 18;
    case OPTION_EXPERIMENT:
        return 4u + o->len;
    default:
        return 2u + o->len;
    }
}

static void option_build(uint8_t *p, const struct option *o)
{
    p[0] = o->kind;
    if (o->kind == OPTION_EOL || o->kind == OPTION_NOP)
        return;
    p[1] = (uint8_t)option_len(o);
    switch (o->kind) {
    case OPTION_MSS:
        put16(p + 2, (uint16_t)o->a);
        break;
    case OPTION_WSCALE:
        p[2] = (uint8_t)o->a;
        break;
    case OPTION_SACK:
        for (int i = 0; i < o->len; i++) {
            put32(p + 2 + 8 * i, o->sack[i][0]);
            put32(p + 6 + 8 * i, o->sack[i][1]);
        }
        break;
    case OPTION_TS:
        put32(p + 2, o->a);
        put32(p + 6, o->b);
        break;
    case OPTION_EXPERIMENT:
        put16(p + 2, EXPERIMENT_FASTOPEN);
        memcpy(p + 4, o->data, o->len);
        break;
    default:
        memcpy(p + 2, o->data, p[1] - 2u);
    }
}

size_t options_build(uint8_t *out, const struct option *list, int n)
{
    size_t len = 0;

    for (int i = 0; i < n; i++) {
        option_build(out + len, &list[i]);
        len += option_len(&list[i]);
    }
    return len;
}

static bool option_read(struct option *o, const uint8_t *p, uint8_t len)
{
    *o = (struct option){.kind = p[0]};
    if (p[0] == OPTION_SACK) {
        o->len = (uint8_t)((len - 2) / 8);
        if (o->len > SACKS_MAX || len != 2 + 8 * o->len)
            return false;
    } else if (p[0] == OPTION_EXPERIMENT && len >= 4) {
        o->len = (uint8_t)(len - 4);
        memcpy(o->data, p + 4, o->len);
    } else if (option_len(o) != len) { /* no fixed length, or not this one */
        if (len - 2 > OPTION_DATA_MAX || p[0] <= OPTION_TS)
            return false;
        o->len = (uint8_t)(len - 2);
        memcpy(o->data, p + 2, o->len);
    }
    if (p[0] == OPTION_MSS)
        o->a = get16(p + 2);
    if (p[0] == OPTION_WSCALE)
        o->a = p[2];
    if (p[0] == OPTION_TS) {
        o->a = get32(p + 2);
        o->b = get32(p + 6);
    }
    for (int i = 0; p[0] == OPTION_SACK && i < o->len; i++) {
        o->sack[i][0] = get32(p + 2 + 8 * i);
        o->sack[i][1] = get32(p + 6 + 8 * i);
    }
    return true;
}

int options_read(struct option *list, const uint8_t *p, size_t len)
{
    size_t at = 0;
    int n = 0;

    while (at < len) {
        bool is_single = p[at] == OPTION_EOL || p[at] == OPTION_NOP;
        size_t size = is_single ? 1 : at + 1 < len ? p[at + 1] : 0;
        if (n == OPTIONS_MAX || size == 0 || (!is_single && size < 2) || at + size > len)
            return -1;
        if (is_single)
            list[n] = (struct option){.kind = p[at]};
        else if (!option_read(&list[n], p + at, (uint8_t)size))
            return -1;
        n++;
        at += size;
    }
    return n;
}
