/* One queue of an interface by AF_XDP: a socket, its memory and its four rings.
 *
 * Knows: linux/if_xdp.h. Not which frames come: the program in xdp_program.c says that.
 * Shape: chunks 0 to XSK_RX_CHUNKS - 1 are the kernel's to fill, a burst's to read, and go back;
 * the others are for sending. Each ring has one producer and one consumer, of which the kernel is
 * one. Units: chunks of XSK_CHUNK bytes. Errors: false with errno set. Cost: no system call for
 * frames that come; one for a burst that goes. */
#ifndef DRIVERS_XSK_H
#define DRIVERS_XSK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/frame.h>

#define XSK_CHUNK 4096u
#define XSK_RX_CHUNKS 2048u
#define XSK_TX_CHUNKS 1024u

struct xsk_ring {
    uint32_t *producer, *consumer, *flags;
    void *entry;
    void *map;
    size_t map_bytes;
    uint32_t size;
};

struct xsk {
    int fd;
    uint8_t *memory;
    size_t memory_bytes;
    struct xsk_ring fill, done, rx, tx;
    uint64_t held[WEIR_BURST_MAX]; /* chunks that a burst shows */
    int held_count;
    uint32_t *free; /* chunks to send with */
    uint32_t free_count;
    uint64_t malformed;
    bool is_zero_copy;
};

/* is_sender: it has chunks and a ring to send with. */
bool xsk_open(struct xsk *x, int ifindex, uint32_t queue, bool is_sender);
void xsk_close(struct xsk *x);
/* The chunks of the last burst are the kernel's again. */
void xsk_give_back(struct xsk *x);
int xsk_recv(struct xsk *x, struct weir_frame *burst, int max);
/* A chunk to write one frame to, or NULL: all are under way. */
uint8_t *xsk_chunk(struct xsk *x);
void xsk_queue(struct xsk *x, uint8_t *chunk, uint32_t len);
/* Lets the kernel send what is queued. 0, or -errno (-ENETDOWN, -ENXIO). */
int xsk_kick(struct xsk *x);
bool xsk_is_waiting(const struct xsk *x); /* the kernel has not taken all of it yet */

#endif
