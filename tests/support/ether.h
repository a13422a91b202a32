/* Some stacks on one Ethernet in virtual time. What one sends all others get at the same instant;
 * a test looks at each frame as it passes, may swallow it, and may put frames of its own there.
 * Station i (from 0) has MAC 02:00:00:00:00:(i + 1) and interface 1. */
#ifndef SUPPORT_ETHER_H
#define SUPPORT_ETHER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weir/weir.h"

#define ETHER_STATIONS 4
#define ETHER_FRAME_MAX 2048

struct ether {
    struct weir_stack *stack[ETHER_STATIONS];
    int stations;
    int64_t now_ns;
    /* A frame that `from` sent (-1: the test); true: nobody gets it. */
    bool (*on_frame)(struct ether *s, int from, const uint8_t *bytes, uint32_t len);
    void *user;
};

void ether_open(struct ether *s, int stations);
void ether_close(struct ether *s);
void ether_run(struct ether *s, int64_t us);
/* A frame of the test's own, to all; it is taken at once, what follows from it by ether_run. */
void ether_put(struct ether *s, const void *bytes, uint32_t len);
/* An ICMPv6 message from a MAC that ends in `from`; its checksum is filled in. */
struct ether_icmp6 {
    const char *src, *dst; /* addresses as text */
    uint8_t from, hop_limit;
    uint8_t message[512];
    uint32_t len;
};
void ether_put_icmp6(struct ether *s, struct ether_icmp6 *m);
struct weir_addr ether_addr(const char *text);
void ether_mac(int station, uint8_t mac[6]);

#endif
