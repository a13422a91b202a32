/* Addresses: always 16 bytes in network order; IPv4 is held v4-mapped (::ffff:a.b.c.d, RFC 4291
 * section 2.5.5.2), so that one code path serves both families. The unspecified IPv4 address is
 * ::ffff:0.0.0.0; the unspecified IPv6 address is all zeros and means "any, both families". */
#ifndef WEIR_ADDR_H
#define WEIR_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_addr {
    union {
        uint8_t b[16];
        uint32_t w[4]; /* network order; 4 bytes aligned, so that a flow is 36 bytes */
    };
};

/* An address and a port. `port` is in host order. */
struct weir_sockaddr {
    struct weir_addr addr;
    uint16_t port;
    uint16_t ifindex; /* 0: any interface */
};

/* Text size that always suffices: "[v6]:port" and a terminating zero. */
#define WEIR_ADDR_TEXT 64

/* v4 from an address in host order: weir_addr_v4(0x0a000001) is 10.0.0.1. */
struct weir_addr weir_addr_v4(uint32_t host_order);
bool weir_addr_is_v4(const struct weir_addr *a);
uint32_t weir_addr_to_v4(const struct weir_addr *a); /* host order; only for is_v4 */
bool weir_addr_equal(const struct weir_addr *a, const struct weir_addr *b);
bool weir_addr_is_any(const struct weir_addr *a); /* 0.0.0.0 or :: */

/* Text to address ("10.0.0.1", "fd00::1"; no names, no brackets, no port). 0, or -EINVAL and *out
 * untouched. */
int weir_addr_parse(struct weir_addr *out, const char *text);
/* Address to text, RFC 5952 for IPv6. Returns `text`, which holds WEIR_ADDR_TEXT bytes. */
char *weir_addr_text(const struct weir_addr *a, char *text);
/* "10.0.0.1:80", "[fd00::1]:80". Returns `text`, which holds WEIR_ADDR_TEXT bytes. */
char *weir_sockaddr_text(const struct weir_sockaddr *a, char *text);

#ifdef __cplusplus
}
#endif

#endif
