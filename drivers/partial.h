/* Frames whose transport checksum was never finished, told by their bytes alone.
 *
 * Knows: where IPv4, IPv6, TCP and UDP have lengths, addresses and checksums. Shape: pure.
 * Units: bytes. Errors: what it does not understand is left as it is. Cost: a sum over addresses.
 */
#ifndef DRIVERS_PARTIAL_H
#define DRIVERS_PARTIAL_H

#include <weir/frame.h>

/* A kernel that is near leaves the sum of the pseudo-header in the checksum's place, for a card to
 * finish; where that stands, the frame is marked WEIR_CSUM_PARTIAL. For Ethernet frames in one
 * part. A frame that was damaged passes for one of these once in 65,536 times: ask only where there
 * is no wire between. */
void partial_mark(struct weir_frame *f);

#endif
