/* One queue of an interface by AF_XDP: moving frames.
 *
 * Knows: the four rings. Not how they were made. Shape: an index runs freely, its low bits are the
 * place; ours is written with release, the kernel's read with acquire.
 * Units: chunks. Errors: a descriptor that points outside the memory is counted and let go.
 * Cost: as the head of xsk.h says. */
#include "drivers/xsk.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <sys/socket.h>

#define ETHER_HEADER 14
/* The kernel sends 32 frames for one call where it copies. */
#define KICKS_MAX 8

static uint32_t waiting_in(const struct xsk_ring *r)
{
    return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) -
           __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE);
}

static bool wants_wakeup(const struct xsk_ring *r)
{
    return __atomic_load_n(r->flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP;
}

void xsk_give_back(struct xsk *x)
{
    uint64_t *entry = x->fill.entry;
    uint32_t at = *x->fill.producer;

    for (int i = 0; i < x->held_count; i++)
        entry[at++ & (x->fill.size - 1)] = x->held[i];
    __atomic_store_n(x->fill.producer, at, __ATOMIC_RELEASE);
    x->held_count = 0;
    if (wants_wakeup(&x->fill))
        (void)recvfrom(x->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static bool is_sound(const struct xdp_desc *d)
{
    return d->len >= ETHER_HEADER && d->len <= XSK_CHUNK && d->addr / XSK_CHUNK < XSK_RX_CHUNKS &&
           d->addr % XSK_CHUNK + d->len <= XSK_CHUNK;
}

int xsk_recv(struct xsk *x, struct weir_frame *burst, int max)
{
    const struct xdp_desc *entry = x->rx.entry;
    uint32_t at = *x->rx.consumer, there = waiting_in(&x->rx);
    int n = 0;

    for (; there && n < max && x->held_count < WEIR_BURST_MAX; there--) {
        const struct xdp_desc *d = &entry[at++ & (x->rx.size - 1)];

        x->held[x->held_count++] = d->addr % (XSK_RX_CHUNKS * XSK_CHUNK) & ~(XSK_CHUNK - 1ull);
        if (!is_sound(d)) {
            x->malformed++;
            continue;
        }
        burst[n++] = (struct weir_frame){.part = {{x->memory + d->addr, d->len}}, .parts = 1};
    }
    __atomic_store_n(x->rx.consumer, at, __ATOMIC_RELEASE);
    return n;
}

/* Takes back what was sent. */
static void reap(struct xsk *x)
{
    const uint64_t *entry = x->done.entry;
    uint32_t at = *x->done.consumer;

    for (uint32_t n = waiting_in(&x->done); n && x->free_count < XSK_TX_CHUNKS; n--)
        x->free[x->free_count++] = (uint32_t)(entry[at++ & (x->done.size - 1)] / XSK_CHUNK);
    __atomic_store_n(x->done.consumer, at, __ATOMIC_RELEASE);
}

uint8_t *xsk_chunk(struct xsk *x)
{
    if (!x->free_count)
        reap(x);
    if (!x->free_count || waiting_in(&x->tx) == x->tx.size)
        return NULL;
    return x->memory + (size_t)x->free[x->free_count - 1] * XSK_CHUNK;
}

void xsk_queue(struct xsk *x, uint8_t *chunk, uint32_t len)
{
    struct xdp_desc *entry = x->tx.entry;
    uint32_t at = *x->tx.producer;

    x->free_count--;
    entry[at & (x->tx.size - 1)] = (struct xdp_desc){.addr = (size_t)(chunk - x->memory),
                                                     .len = len};
    __atomic_store_n(x->tx.producer, at + 1, __ATOMIC_RELEASE);
}

int xsk_kick(struct xsk *x)
{
    int code = 0;

    for (int i = 0; i < KICKS_MAX && waiting_in(&x->tx) && wants_wakeup(&x->tx); i++) {
        code = sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 ? errno : 0;
        if (code == ENETDOWN || code == ENXIO)
            return -code;
        reap(x);
    }
    return 0;
}

bool xsk_is_waiting(const struct xsk *x)
{
    return waiting_in(&x->tx) && wants_wakeup(&x->tx);
}
