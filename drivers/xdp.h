/* An AF_XDP link: what its parts know of it.
 *
 * Knows: struct xdp. Shape: xdp_open.c makes one, xdp.c moves frames. Units: bytes.
 * Errors: see there. Cost: none. */
#ifndef DRIVERS_XDP_H
#define DRIVERS_XDP_H

#include <weir/driver.h>

#include "drivers/netdev.h"
#include "drivers/xdp_program.h"
#include "drivers/xsk.h"

#define XDP_QUEUES_MAX 16

enum xdp_loss { XDP_RX_FULL, XDP_RX_LONG, XDP_RX_MALFORMED, XDP_TX_FULL, XDP_TX_LONG, XDP_LOSSES };

struct xdp {
    struct weir_link link;
    struct netdev dev;
    struct weir_link *groups; /* a packet socket: groups and broadcasts */
    struct xdp_program program;
    struct xsk queue[XDP_QUEUES_MAX];
    int queues, first;
    bool wants_generic;
    int epoll; /* all of them */
    int64_t now;
    uint64_t lost[XDP_LOSSES];
    char mode[80];
};

extern const struct weir_driver xdp_driver;

#endif
