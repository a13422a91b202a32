/* A packet socket beside an interface: what its parts, and the XDP link, know of it.
 *
 * Knows: struct packet. Shape: packet_open.c makes one, packet.c moves frames.
 * Units: bytes. Errors: see there. Cost: none. */
#ifndef DRIVERS_PACKET_H
#define DRIVERS_PACKET_H

#include <weir/driver.h>

#include "drivers/netdev.h"
#include "drivers/udp_cut.h"

/* Superframes that one recv hands in: they do not fit the ring's slots and are copied. */
#define PACKET_COPIES 16
#define PACKET_FRAME_MAX (14 + 65535)

/* Why frames are lost; packet_loss.c has the words. */
enum packet_loss {
    PACKET_RX_FULL,
    PACKET_RX_MEMORY,
    PACKET_RX_LONG,
    PACKET_RX_VLAN,
    PACKET_RX_KIND,
    PACKET_RX_MALFORMED,
    PACKET_TX_FULL,
    PACKET_TX_LONG,
    PACKET_TX_DOWN,
    PACKET_TX_REFUSED,
    PACKET_LOSSES
};

struct packet {
    struct weir_link link;
    struct netdev dev;
    int fd;
    uint8_t *ring; /* slots, blocks of them on end */
    size_t ring_bytes;
    uint32_t slot_bytes, slots_in_block, slots;
    uint32_t next;                     /* the slot to look at */
    uint32_t held;                     /* slots before it that a burst still shows */
    uint8_t (*copy)[PACKET_FRAME_MAX]; /* PACKET_COPIES of them */
    struct udp_cut *cut; /* a superframe of UDP that is being handed in, piece by piece */
    uint64_t lost[PACKET_LOSSES];
};

extern const struct weir_driver packet_driver;

/* As weir_packet_open; groups_only: what is for `mac` is left to others. */
struct weir_link *packet_open(const char *name, const uint8_t *mac, bool groups_only, char *error,
                              size_t size);
int packet_losses(struct weir_link *link, struct weir_link_loss *out, int max);

#endif
