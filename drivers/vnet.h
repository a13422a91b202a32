/* The header before each frame that tells kernel and driver of superframes and partial checksums.
 *
 * Knows: struct virtio_net_hdr, as TAP devices and packet sockets have it. Shape: pure.
 * Units: bytes. Errors: none; what makes no sense is the stack's to judge. Cost: some stores. */
#ifndef DRIVERS_VNET_H
#define DRIVERS_VNET_H

#include <linux/virtio_net.h>
#include <stdbool.h>

#include <weir/frame.h>

/* What the kernel says of a frame that comes in; sets parts to 1. */
void vnet_to_frame(struct weir_frame *f, const struct virtio_net_hdr *h);
/* False: a superframe of a kind that the stack does not take, such as UDP's. */
bool vnet_is_known(const struct virtio_net_hdr *h);
/* What the kernel must know of a frame that goes out. */
void vnet_of_frame(struct virtio_net_hdr *h, const struct weir_frame *f);

#endif
