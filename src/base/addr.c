/* Addresses as numbers and as text: see weir/addr.h.
 *
 * Knows: nothing of interfaces or routes. Shape: IPv4 is held v4-mapped. Units: bytes.
 * Errors: -EINVAL for text that is no address.
 * Cost: O(1). 5952#4: lower case, no leading zeros, the longest run of zeros (the first of equal
 * ones, two groups at least) becomes "::". */
#include "weir/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define V4_AT 12
#define GROUPS 8

static const uint8_t v4_prefix[V4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct run {
    int first, count;
};

static char *put_v4(char *text, const uint8_t *b);
static char *put_v6(char *text, const uint8_t *b);
static char *put_decimal(char *text, uint32_t n);
static char *put_hex(char *text, uint32_t n);
static struct run longest_zeros(const uint8_t *b);

struct weir_addr weir_addr_v4(uint32_t host_order)
{
    struct weir_addr a;

    memcpy(a.b, v4_prefix, V4_AT);
    put32(a.b + V4_AT, host_order);
    return a;
}

bool weir_addr_is_v4(const struct weir_addr *a)
{
    return memcmp(a->b, v4_prefix, V4_AT) == 0;
}

uint32_t weir_addr_to_v4(const struct weir_addr *a)
{
    return get32(a->b + V4_AT);
}

bool weir_addr_equal(const struct weir_addr *a, const struct weir_addr *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool weir_addr_is_any(const struct weir_addr *a)
{
    return !a->w[3] && !a->w[0] && !a->w[1] && (!a->w[2] || weir_addr_is_v4(a));
}

int weir_addr_parse(struct weir_addr *out, const char *text)
{
    struct weir_addr a = weir_addr_v4(0);

    if (inet_pton(AF_INET, text, a.b + V4_AT) != 1 && inet_pton(AF_INET6, text, a.b) != 1)
        return -EINVAL;
    *out = a;
    return 0;
}

char *weir_addr_text(const struct weir_addr *a, char *text)
{
    char *end = weir_addr_is_v4(a) ? put_v4(text, a->b + V4_AT) : put_v6(text, a->b);

    *end = 0;
    return text;
}

char *weir_sockaddr_text(const struct weir_sockaddr *a, char *text)
{
    char *end = text;

    if (weir_addr_is_v4(&a->addr)) {
        end = put_v4(end, a->addr.b + V4_AT);
    } else {
        *end++ = '[';
        end = put_v6(end, a->addr.b);
        *end++ = ']';
    }
    *end++ = ':';
    end = put_decimal(end, a->port);
    *end = 0;
    return text;
}

static char *put_v4(char *text, const uint8_t *b)
{
    for (int i = 0; i < 4; i++) {
        if (i)
            *text++ = '.';
        text = put_decimal(text, b[i]);
    }
    return text;
}

static char *put_v6(char *text, const uint8_t *b)
{
    struct run zeros = longest_zeros(b);

    for (int i = 0; i < GROUPS; i++) {
        if (zeros.count && i == zeros.first) {
            *text++ = ':';
            *text++ = ':';
            i += zeros.count - 1;
            continue;
        }
        if (i && i != zeros.first + zeros.count)
            *text++ = ':';
        text = put_hex(text, get16(b + 2 * i));
    }
    return text;
}

static char *put_decimal(char *text, uint32_t n)
{
    uint32_t unit = 1;

    while (n / unit >= 10)
        unit *= 10;
    for (; unit; unit /= 10)
        *text++ = (char)('0' + n / unit % 10);
    return text;
}

static char *put_hex(char *text, uint32_t n)
{
    int shift = 12;

    while (shift && !(n >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        *text++ = "0123456789abcdef"[n >> shift & 15];
    return text;
}

/* Count 0 (and first -1): no run of two or more. */
static struct run longest_zeros(const uint8_t *b)
{
    struct run best = {-1, 0};
    int count = 0;

    for (int i = 0; i < GROUPS; i++) {
        count = get16(b + 2 * i) ? 0 : count + 1;
        if (count >= 2 && count > best.count)
            best = (struct run){i - count + 1, count};
    }
    return best;
}
