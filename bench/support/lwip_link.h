/*
 * Knows:  lwIP's netif and pbuf. Not TCP.
 * Shape:  one lwIP instance, two interfaces, two queues: what one sends the other receives. A pcb
 *         bound to an interface (tcp_bind_netif) is therefore on that host, and its segments
 *         really go TCP -> IP -> Ethernet -> link -> Ethernet -> IP -> TCP.
 * Units:  frames; a frame is at most 1500 bytes of IP behind 14 of Ethernet.
 * Errors: a full queue drops and counts; a benchmark that sees a drop must not print a number.
 * Cost:   one copy per frame, O(1) otherwise.
 */
#ifndef BENCH_LWIP_LINK_H
#define BENCH_LWIP_LINK_H

#include "lwip/netif.h"

#include <stdbool.h>
#include <stdint.h>

enum lwip_host { HOST_CLIENT, HOST_SERVER, HOST_COUNT };

struct lwip_link_stats {
    uint64_t frames;      /* all, ARP too */
    uint64_t full_frames; /* of at least 1500 bytes of IP */
    uint64_t bytes;
    uint64_t drops;
};

void lwip_link_init(bool ethernet);
struct netif *lwip_link_netif(enum lwip_host host);
const ip_addr_t *lwip_link_address(enum lwip_host host);

/* Delivers what was queued when it was called, both ways. False: nothing was. */
bool lwip_link_poll(void);
const struct lwip_link_stats *lwip_link_stats(void);

#endif
