/* One queue of an interface by AF_XDP: making the socket, its memory and its rings.
 *
 * Knows: options of AF_XDP. Shape: memory, rings, then the bind, at which the kernel takes
 * zero-copy if the driver has it and copies else. Units: bytes. Errors: errno of the call that
 * failed. Cost: memory that is pinned: 8 MiB for a queue, 4 MiB more for the one that sends. */
#include "drivers/xsk.h"

#include <linux/if_xdp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define SEND_QUEUE_BYTES (8 << 20)

static bool set(const struct xsk *x, int option, uint32_t value)
{
    return setsockopt(x->fd, SOL_XDP, option, &value, sizeof value) == 0;
}

static bool add_memory(struct xsk *x, bool is_sender)
{
    struct xdp_umem_reg reg = {.chunk_size = XSK_CHUNK};
    void *memory;

    x->memory_bytes = (size_t)(XSK_RX_CHUNKS + (is_sender ? XSK_TX_CHUNKS : 0)) * XSK_CHUNK;
    memory = mmap(NULL, x->memory_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                  0);
    if (memory == MAP_FAILED)
        return false;
    x->memory = memory;
    reg.addr = (uintptr_t)memory;
    reg.len = x->memory_bytes;
    return setsockopt(x->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof reg) == 0;
}

static bool map(struct xsk *x, struct xsk_ring *r, const struct xdp_ring_offset *at, off_t where,
                size_t entry)
{
    uint8_t *p;

    r->map_bytes = at->desc + r->size * entry;
    p = mmap(NULL, r->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, x->fd, where);
    if (p == MAP_FAILED)
        return false;
    r->map = p;
    r->producer = (void *)(p + at->producer);
    r->consumer = (void *)(p + at->consumer);
    r->flags = (void *)(p + at->flags);
    r->entry = p + at->desc;
    return true;
}

static bool add_rings(struct xsk *x, bool is_sender)
{
    struct xdp_mmap_offsets at;
    socklen_t len = sizeof at;

    x->fill.size = x->rx.size = XSK_RX_CHUNKS;
    x->done.size = x->tx.size = XSK_TX_CHUNKS;
    return set(x, XDP_UMEM_FILL_RING, x->fill.size) &&
           set(x, XDP_UMEM_COMPLETION_RING, x->done.size) && set(x, XDP_RX_RING, x->rx.size) &&
           (!is_sender || set(x, XDP_TX_RING, x->tx.size)) &&
           getsockopt(x->fd, SOL_XDP, XDP_MMAP_OFFSETS, &at, &len) == 0 && len == sizeof at &&
           map(x, &x->fill, &at.fr, XDP_UMEM_PGOFF_FILL_RING, sizeof(uint64_t)) &&
           map(x, &x->done, &at.cr, XDP_UMEM_PGOFF_COMPLETION_RING, sizeof(uint64_t)) &&
           map(x, &x->rx, &at.rx, XDP_PGOFF_RX_RING, sizeof(struct xdp_desc)) &&
           (!is_sender || map(x, &x->tx, &at.tx, XDP_PGOFF_TX_RING, sizeof(struct xdp_desc)));
}

/* All chunks are where they belong at the start. */
static bool deal_chunks(struct xsk *x, bool is_sender)
{
    uint64_t *entry = x->fill.entry;

    for (uint32_t i = 0; i < XSK_RX_CHUNKS; i++)
        entry[i] = (uint64_t)i * XSK_CHUNK;
    __atomic_store_n(x->fill.producer, XSK_RX_CHUNKS, __ATOMIC_RELEASE);
    if (!is_sender)
        return true;
    x->free = malloc(XSK_TX_CHUNKS * sizeof *x->free);
    for (uint32_t i = 0; x->free && i < XSK_TX_CHUNKS; i++)
        x->free[x->free_count++] = XSK_RX_CHUNKS + XSK_TX_CHUNKS - 1 - i;
    return x->free != NULL;
}

bool xsk_open(struct xsk *x, int ifindex, uint32_t queue, bool is_sender)
{
    struct sockaddr_xdp a = {.sxdp_family = AF_XDP,
                             .sxdp_flags = XDP_USE_NEED_WAKEUP,
                             .sxdp_ifindex = (uint32_t)ifindex,
                             .sxdp_queue_id = queue};
    struct xdp_options options = {.flags = 0};
    socklen_t len = sizeof options;
    int bytes = SEND_QUEUE_BYTES;

    x->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (x->fd < 0)
        return false;
    (void)setsockopt(x->fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
    if (!add_memory(x, is_sender) || !add_rings(x, is_sender) || !deal_chunks(x, is_sender) ||
        bind(x->fd, (const struct sockaddr *)&a, sizeof a) < 0)
        return false;
    if (getsockopt(x->fd, SOL_XDP, XDP_OPTIONS, &options, &len) == 0)
        x->is_zero_copy = options.flags & XDP_OPTIONS_ZEROCOPY;
    return true;
}

static void unmap(struct xsk_ring *r)
{
    if (r->map)
        munmap(r->map, r->map_bytes);
}

void xsk_close(struct xsk *x)
{
    unmap(&x->fill);
    unmap(&x->done);
    unmap(&x->rx);
    unmap(&x->tx);
    if (x->fd >= 0)
        close(x->fd);
    if (x->memory)
        munmap(x->memory, x->memory_bytes);
    free(x->free);
}
