/* packet: an Ethernet link beside an interface of the kernel's, through an AF_PACKET socket. The
 * stack is a station of its own there, with its own MAC and addresses.
 *
 * Knows: TPACKET_V2 slots, struct virtio_net_hdr. Not the stack.
 * Shape: frames are read in place in a ring that the kernel fills; a superframe is longer than its
 * slot and is fetched whole from the socket, which keeps the same order. Frames out go by sendmmsg,
 * from where they lie. A slot is given back at the next recv.
 * Units: bytes. Errors: -ENETDOWN once the interface is gone; what is lost is counted by reason.
 * Cost: in: no system call for a frame that fits its slot, one for a superframe, one for a recv
 * that finds nothing; out: one for a burst. */
#include "drivers/packet.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "drivers/vnet.h"

#define ETHER_HEADER 14
#define VLAN_ID 0x0fff

/* -- in ---------------------------------------------------------------------------------------- */

static struct tpacket2_hdr *slot(const struct packet *p, uint32_t i)
{
    size_t block = (size_t)p->slots_in_block * p->slot_bytes;
    size_t gap = p->ring_bytes / (p->slots / p->slots_in_block) - block; /* at a block's end */

    return (void *)(p->ring + (size_t)i * p->slot_bytes + i / p->slots_in_block * gap);
}

static void give_back(struct packet *p)
{
    for (; p->held; p->held--) {
        struct tpacket2_hdr *h = slot(p, (p->next + p->slots - p->held) % p->slots);
        __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    }
}

/* The frame that did not fit its slot: the socket has it whole. */
static bool take_whole(struct packet *p, struct weir_frame *f, struct virtio_net_hdr *v,
                       uint8_t *to)
{
    struct iovec iov[2] = {{v, sizeof *v}, {to, PACKET_FRAME_MAX}};
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
    ssize_t n = -1;

    /* The first call may bring an error of the interface instead. */
    for (int i = 0; i < 3 && n < 0; i++)
        n = recvmsg(p->fd, &m, MSG_DONTWAIT | MSG_TRUNC);
    if (n < (ssize_t)(sizeof *v + ETHER_HEADER)) {
        p->lost[PACKET_RX_MALFORMED]++;
        return false;
    }
    if (n > (ssize_t)(sizeof *v + PACKET_FRAME_MAX)) {
        p->lost[PACKET_RX_LONG]++;
        return false;
    }
    *f = (struct weir_frame){.part = {{to, (uint32_t)n - (uint32_t)sizeof *v}}};
    return true;
}

static bool take_in_place(struct packet *p, struct weir_frame *f, struct virtio_net_hdr *v,
                          const struct tpacket2_hdr *h)
{
    const uint8_t *frame = (const uint8_t *)h + h->tp_mac;

    if (h->tp_mac < sizeof *h + sizeof *v || h->tp_snaplen < ETHER_HEADER ||
        h->tp_snaplen > h->tp_len || (size_t)h->tp_mac + h->tp_snaplen > p->slot_bytes) {
        p->lost[PACKET_RX_MALFORMED]++;
        return false;
    }
    if (h->tp_snaplen < h->tp_len) { /* cut, and the socket had no memory for the whole */
        p->lost[h->tp_len > PACKET_FRAME_MAX ? PACKET_RX_LONG : PACKET_RX_MEMORY]++;
        return false;
    }
    *f = (struct weir_frame){.part = {{frame, h->tp_snaplen}}};
    memcpy(v, frame - sizeof *v, sizeof *v);
    return true;
}

/* The kernel takes tags off. Tag 0 says a priority only; any other is another network's frame. */
static bool is_foreign(const struct tpacket2_hdr *h)
{
    return h->tp_status & TP_STATUS_VLAN_VALID && h->tp_vlan_tci & VLAN_ID;
}

/* False: there is no frame now; pieces of one may follow. */
static bool take_slot(struct packet *p, struct weir_frame *f, const struct tpacket2_hdr *h,
                      int *copies)
{
    struct virtio_net_hdr v = {0};

    if (h->tp_status & TP_STATUS_COPY ? !take_whole(p, f, &v, p->copy[(*copies)++])
                                      : !take_in_place(p, f, &v, h))
        return false;
    if (!is_foreign(h) && udp_cut_is(&v) && udp_cut_start(p->cut, f, &v))
        return false;
    if (is_foreign(h) || !vnet_is_known(&v)) {
        p->lost[is_foreign(h) ? PACKET_RX_VLAN : PACKET_RX_KIND]++;
        return false;
    }
    vnet_to_frame(f, &v);
    return true;
}

static int packet_recv(struct weir_link *link, struct weir_frame *burst, int max, int64_t now_ns)
{
    struct packet *p = (struct packet *)link;
    int n = 0, copies = 0;

    give_back(p);
    while (n < max && copies < PACKET_COPIES && p->held < p->slots / 2) {
        struct tpacket2_hdr *h = slot(p, p->next);

        if (udp_cut_next(p->cut, &burst[n], n)) {
            n++;
            continue;
        }
        if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
            break;
        n += take_slot(p, &burst[n], h, &copies);
        p->next = (p->next + 1) % p->slots;
        p->held++;
    }
    return p->held || n ? n : netdev_check(&p->dev, p->fd, now_ns);
}

/* -- out --------------------------------------------------------------------------------------- */

static enum packet_loss loss_of(int code)
{
    switch (code) {
    case ENOBUFS:
    case EAGAIN:
    case ENOMEM:
        return PACKET_TX_FULL;
    case EMSGSIZE:
        return PACKET_TX_LONG;
    case ENETDOWN:
        return PACKET_TX_DOWN;
    default:
        return PACKET_TX_REFUSED;
    }
}

static int packet_send(struct weir_link *link, struct weir_frame *burst, int n, int64_t now_ns)
{
    struct packet *p = (struct packet *)link;
    struct virtio_net_hdr v[WEIR_BURST_MAX];
    struct iovec iov[WEIR_BURST_MAX][1 + WEIR_FRAME_PARTS];
    struct mmsghdr m[WEIR_BURST_MAX];

    (void)now_ns;
    for (int i = 0; i < n; i++) {
        vnet_of_frame(&v[i], &burst[i]);
        iov[i][0] = (struct iovec){&v[i], sizeof v[i]};
        for (int k = 0; k < burst[i].parts; k++)
            iov[i][k + 1] = (struct iovec){(void *)(uintptr_t)burst[i].part[k].data,
                                           burst[i].part[k].len};
        m[i] = (struct mmsghdr){
            .msg_hdr = {.msg_iov = iov[i], .msg_iovlen = 1 + (size_t)burst[i].parts}};
    }
    for (int done = 0; done < n;) {
        int sent = sendmmsg(p->fd, m + done, (unsigned)(n - done), MSG_DONTWAIT);

        if (sent < 0 && (errno == ENXIO || errno == ENODEV))
            return -ENETDOWN;
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            p->lost[loss_of(errno)]++;
        done += sent < 0 ? 1 : sent;
    }
    return n;
}

/* -- the rest ---------------------------------------------------------------------------------- */

static int64_t packet_deadline(struct weir_link *link)
{
    struct packet *p = (struct packet *)link;

    return p->cut->len ? 0 : netdev_deadline(&p->dev);
}

static int packet_fd(struct weir_link *link)
{
    return ((struct packet *)link)->fd;
}

static void packet_close(struct weir_link *link)
{
    struct packet *p = (struct packet *)link;

    if (p->ring)
        munmap(p->ring, p->ring_bytes);
    if (p->fd >= 0)
        close(p->fd);
    free(p->copy);
    free(p->cut);
    free(p);
}

const struct weir_driver packet_driver = {
    .name = "packet",
    .recv = packet_recv,
    .send = packet_send,
    .deadline = packet_deadline,
    .fd = packet_fd,
    .close = packet_close,
    .losses = packet_losses,
};
