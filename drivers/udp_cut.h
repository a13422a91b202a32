/* Superframes of UDP, which the stack does not take, as the datagrams that they were made of.
 *
 * Knows: where IPv4, IPv6 and UDP have lengths and checksums. Shape: the superframe is kept; each
 * piece is a header of its own and a slice of it, valid as long as both.
 * Units: bytes. Errors: false for what is no such frame. Cost: a copy of the superframe. */
#ifndef DRIVERS_UDP_CUT_H
#define DRIVERS_UDP_CUT_H

#include <linux/virtio_net.h>
#include <stdbool.h>

#include <weir/frame.h>

#define UDP_CUT_HEAD 128u /* of all headers */

struct udp_cut {
    uint8_t bytes[14 + 65535];
    uint8_t head[WEIR_BURST_MAX][UDP_CUT_HEAD]; /* one for each frame of a burst */
    uint32_t len, udp_at, done; /* len 0: nothing is left; done: payload that was given out */
    uint16_t size, number;      /* of payload in a piece; pieces given out */
};

/* Whether the kernel says so of a frame. */
bool udp_cut_is(const struct virtio_net_hdr *v);
bool udp_cut_start(struct udp_cut *c, const struct weir_frame *f, const struct virtio_net_hdr *v);
/* Fills in the next piece, its header in head[i]; false: there is none left. */
bool udp_cut_next(struct udp_cut *c, struct weir_frame *f, int i);

#endif
