/* xdp: an Ethernet link beside an interface of the kernel's, through AF_XDP: frames for the stack's
 * MAC leave the kernel at the driver's door.
 *
 * Knows: queues (xsk.h), the program that picks frames, the packet socket for the rest.
 * Shape: one socket for each queue of the interface, the first of them sends. What is for groups
 * and for everybody the kernel must have as well, so it comes by a packet socket. Units: bytes.
 * Errors: -ENETDOWN once the interface is gone; what is lost is counted by reason. Cost: in: none
 * for a frame, it is read where the driver or the kernel put it; out: one copy of a frame, one
 * system call for a burst where the kernel asks for it. */
#include <errno.h>
#include <linux/if_xdp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drivers/packet.h"
#include "drivers/partial.h"
#include "drivers/xdp.h"

#define RETRY_NS 1000000 /* until what the kernel did not take is offered again */

/* -- in ---------------------------------------------------------------------------------------- */

static int xdp_recv(struct weir_link *link, struct weir_frame *burst, int max, int64_t now_ns)
{
    struct xdp *x = (struct xdp *)link;
    int n = 0, groups;

    x->now = now_ns;
    for (int i = 0; i < x->queues; i++)
        xsk_give_back(&x->queue[i]);
    for (int i = 0; i < x->queues && n < max; i++) { /* another queue is first each time */
        struct xsk *q = &x->queue[(x->first + i) % x->queues];
        n += xsk_recv(q, burst + n, max - n);
    }
    x->first = (x->first + 1) % x->queues;
    if (x->dev.is_partial)
        for (int i = 0; i < n; i++)
            partial_mark(&burst[i]);
    groups = x->groups->driver->recv(x->groups, burst + n, max - n, now_ns);
    return groups < 0 ? groups : n + groups;
}

/* -- out --------------------------------------------------------------------------------------- */

static int xdp_send(struct weir_link *link, struct weir_frame *burst, int n, int64_t now_ns)
{
    struct xdp *x = (struct xdp *)link;
    struct xsk *q = &x->queue[0];

    x->now = now_ns;
    for (int i = 0; i < n; i++) {
        uint8_t *chunk = xsk_chunk(q);
        size_t len;

        if (!chunk && xsk_kick(q) == 0)
            chunk = xsk_chunk(q);
        len = chunk ? weir_frame_copy(&burst[i], chunk, XSK_CHUNK) : 0;
        if (len)
            xsk_queue(q, chunk, (uint32_t)len);
        else
            x->lost[chunk ? XDP_TX_LONG : XDP_TX_FULL]++;
    }
    return xsk_kick(q) == -ENXIO ? -ENETDOWN : n;
}

/* -- what was lost ----------------------------------------------------------------------------- */

static const struct {
    const char *why, *doc;
} words[XDP_LOSSES] = {
    [XDP_RX_FULL] = {"xdp_rx_full",
                     "no room in a queue, the program was too slow: give it more CPU"},
    [XDP_RX_LONG] = {"xdp_rx_long", "longer than a chunk: ethtool -K DEV gro off, and ip link set "
                                    "gso_max_segs 1 at the other end of a veth"},
    [XDP_RX_MALFORMED] = {"xdp_rx_malformed", "shorter than an Ethernet header, or outside the "
                                              "memory"},
    [XDP_TX_FULL] = {"xdp_tx_full", "all chunks were on their way: the line is slower than this"},
    [XDP_TX_LONG] = {"xdp_tx_long", "longer than a chunk"},
};

/* What the kernel counts of a queue. It has one number for frames that found no chunk free and for
 * those that are longer than one; of the first it counts the tries, too, where it copies. */
static void add_kernels(uint64_t lost[XDP_LOSSES], int fd)
{
    struct xdp_statistics s = {.rx_dropped = 0};
    socklen_t len = sizeof s;
    uint64_t full;

    if (getsockopt(fd, SOL_XDP, XDP_STATISTICS, &s, &len) < 0)
        return;
    full = s.rx_fill_ring_empty_descs < s.rx_dropped ? s.rx_fill_ring_empty_descs : s.rx_dropped;
    lost[XDP_RX_FULL] += s.rx_ring_full + full;
    lost[XDP_RX_LONG] += s.rx_dropped - full;
}

static int xdp_losses(struct weir_link *link, struct weir_link_loss *out, int max)
{
    struct xdp *x = (struct xdp *)link;
    uint64_t lost[XDP_LOSSES];
    int n = 0;

    memcpy(lost, x->lost, sizeof lost);
    for (int i = 0; i < x->queues; i++) {
        lost[XDP_RX_MALFORMED] += x->queue[i].malformed;
        add_kernels(lost, x->queue[i].fd);
    }
    for (; n < XDP_LOSSES && n < max; n++)
        out[n] = (struct weir_link_loss){words[n].why, words[n].doc, lost[n]};
    return n + weir_link_losses(x->groups, out + n, max - n);
}

/* -- the rest ---------------------------------------------------------------------------------- */

static int64_t xdp_deadline(struct weir_link *link)
{
    struct xdp *x = (struct xdp *)link;
    int64_t at = x->groups->driver->deadline(x->groups), retry = x->now + RETRY_NS;

    return xsk_is_waiting(&x->queue[0]) && retry < at ? retry : at;
}

static int xdp_fd(struct weir_link *link)
{
    return ((struct xdp *)link)->epoll;
}

static void xdp_close(struct weir_link *link)
{
    struct xdp *x = (struct xdp *)link;

    xdp_program_close(&x->program);
    for (int i = 0; i < x->queues; i++)
        xsk_close(&x->queue[i]);
    if (x->epoll >= 0)
        close(x->epoll);
    weir_link_close(x->groups);
    free(x);
}

const struct weir_driver xdp_driver = {
    .name = "xdp",
    .recv = xdp_recv,
    .send = xdp_send,
    .deadline = xdp_deadline,
    .fd = xdp_fd,
    .close = xdp_close,
    .losses = xdp_losses,
};
