/* Lists of TCP options, as a header holds them: for tests of reading and of writing. */
#ifndef WIRE_OPTLIST_H
#define WIRE_OPTLIST_H

#include "unit.h"

#include "wire/wire.h"

#define LIST_MAX 40

/* Parses a header with this option list; what is missing to a multiple of 4 is filled with
 * `fill`. */
static inline struct tcp_opts parsed_with(const uint8_t *list, size_t n, uint8_t fill)
{
    uint8_t p[TCP_HDR_MAX] = {0};
    size_t len = TCP_LEN + ((n + 3) & ~(size_t)3);
    struct tcp_hdr h;

    assert_true(n <= LIST_MAX);
    memset(&h, 0xa5, sizeof h); /* what stays is no accident */
    memset(p + TCP_LEN, fill, sizeof p - TCP_LEN);
    memcpy(p + TCP_LEN, list, n);
    p[12] = (uint8_t)(len << 2);
    p[13] = TCP_ACK;
    assert_int_equal(tcp_parse(&h, walled(p, len), len), len);
    return h.opt;
}

static inline struct tcp_opts parsed(const uint8_t *list, size_t n)
{
    return parsed_with(list, n, 0);
}

#define PARSED(...) parsed((const uint8_t[]){__VA_ARGS__}, sizeof(const uint8_t[]){__VA_ARGS__})

#endif
