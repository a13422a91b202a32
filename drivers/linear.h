/* Frames as one piece of memory: what impairments and captures need.
 *
 * Knows: where lengths, sequence numbers and checksums lie in IPv4, IPv6, TCP. Not their meaning.
 * Shape: a superframe of TCP is cut as a network card would cut it.
 * Units: bytes. Errors: what can not be cut is left whole. Cost: one pass over the bytes. */
#ifndef DRIVERS_LINEAR_H
#define DRIVERS_LINEAR_H

#include <stdbool.h>

#include <weir/frame.h>
#include <weir/stack.h>

/* The largest frame there is: an Ethernet header and an IP packet. */
#define LINEAR_MAX (14 + 65535)

/* Copies the frame's parts to `to`, which holds `max` bytes. Returns its length, or 0: too long. */
size_t linear_gather(const struct weir_frame *f, uint8_t *to, size_t max);

/* Completes the checksum of a WEIR_CSUM_PARTIAL frame in its copy of `len` bytes. */
void linear_complete(uint8_t *bytes, size_t len, const struct weir_frame *f);

/* A superframe that is being cut. */
struct linear_cut {
    const uint8_t *bytes;
    size_t len;      /* of the whole */
    size_t ip_at;    /* where the IP header begins */
    size_t tcp_at;   /* where the TCP header begins */
    size_t data_at;  /* where the payload begins */
    size_t done;     /* payload already given out */
    size_t gso_size; /* payload in a piece */
};

/* False if the frame is not TCP in one piece, or is no longer than one segment. */
bool linear_cut_start(struct linear_cut *c, const uint8_t *bytes, size_t len, size_t link_len,
                      size_t gso_size);
/* Writes the next segment, checksums complete, and returns its length, or 0 at the end. `out` holds
 * data_at + gso_size bytes. */
size_t linear_cut_next(struct linear_cut *c, uint8_t *out);

static inline size_t linear_link_len(enum weir_link_type type)
{
    return type == WEIR_LINK_ETHER ? 14 : 0;
}

#endif
