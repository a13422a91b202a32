/* Opening a packet socket beside an interface: filter, ring, memory, addresses.
 *
 * Knows: options of AF_PACKET. Not frames.
 * Shape: the filter stands and the ring is there before the socket is bound, so that nothing else
 * ever comes in. The filter leaves what is for the stack's MAC, for groups and for everybody; the
 * kernel's own stack ignores what is for a MAC that is not its own, so it answers nothing of that.
 * Units: bytes. Errors: a line that names the next thing to do. Cost: RING_BYTES, pinned. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "drivers/packet.h"

#define RING_BYTES (4u << 20)
#define GROUPS_RING_BYTES (256u << 10)
#define BLOCK_BYTES (64u << 10)
#define SLOT_BYTES_MIN 2048u
#define SLOT_BYTES_MAX 16384u
/* What stands in a slot before the frame, the kernel's rounding, and a tag that was left on. */
#define SLOT_EXTRA 128u
#define QUEUE_BYTES (8 << 20) /* superframes that wait, each way */
#define FRAME_MAX 0x40000

static bool set(int fd, int option, int value)
{
    return setsockopt(fd, SOL_PACKET, option, &value, sizeof value) == 0;
}

/* With CAP_NET_ADMIN as much as is wanted, else what net.core.rmem_max and wmem_max allow. */
static void set_queue(int fd, int force, int option)
{
    int bytes = QUEUE_BYTES;

    if (setsockopt(fd, SOL_SOCKET, force, &bytes, sizeof bytes) < 0)
        (void)setsockopt(fd, SOL_SOCKET, option, &bytes, sizeof bytes);
}

/* Lets in what is for `mac` (unless groups_only), for groups and for everybody. */
static bool set_filter(int fd, const uint8_t mac[6], bool groups_only)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 5, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, get32(mac), 0, 2),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, get16(mac + 4), !groups_only, 0),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, FRAME_MAX),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

static bool set_ring(struct packet *p, uint32_t bytes)
{
    uint32_t slot = ((p->dev.mtu + SLOT_EXTRA) + 255) & ~255u;
    struct tpacket_req r = {.tp_block_size = BLOCK_BYTES, .tp_block_nr = bytes / BLOCK_BYTES};
    void *ring;

    slot = slot < SLOT_BYTES_MIN ? SLOT_BYTES_MIN : slot > SLOT_BYTES_MAX ? SLOT_BYTES_MAX : slot;
    r.tp_frame_size = slot;
    r.tp_frame_nr = BLOCK_BYTES / slot * r.tp_block_nr;
    if (!set(p->fd, PACKET_VERSION, TPACKET_V2) || !set(p->fd, PACKET_VNET_HDR, 1) ||
        !set(p->fd, PACKET_COPY_THRESH, 1) ||
        setsockopt(p->fd, SOL_PACKET, PACKET_RX_RING, &r, sizeof r) < 0)
        return false;
    ring = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
    if (ring == MAP_FAILED)
        return false;
    p->ring = ring;
    p->ring_bytes = bytes;
    p->slot_bytes = slot;
    p->slots_in_block = BLOCK_BYTES / slot;
    p->slots = r.tp_frame_nr;
    return true;
}

/* The card is to let the stack's MAC and all groups in. A card that cannot filter by a second
 * address is set to hear everything, by the kernel. */
static bool join(const struct packet *p)
{
    struct packet_mreq m = {.mr_ifindex = p->dev.ifindex, .mr_alen = 6};
    bool is_joined;

    m.mr_type = PACKET_MR_UNICAST;
    memcpy(m.mr_address, p->link.iface.mac, 6);
    is_joined = setsockopt(p->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m) == 0;
    m.mr_type = is_joined ? PACKET_MR_ALLMULTI : PACKET_MR_PROMISC;
    return setsockopt(p->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof m) == 0;
}

static bool is_bound(const struct packet *p)
{
    struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_ifindex = p->dev.ifindex};

    put16((uint8_t *)&ll.sll_protocol, ETH_P_ALL);
    return bind(p->fd, (const struct sockaddr *)&ll, sizeof ll) == 0;
}

static void explain_socket(char *error, size_t size, const char *name, int code)
{
    if (code == EPERM || code == EACCES)
        snprintf(error, size,
                 "no permission for packets of %s: run it with sudo, or once: sudo setcap "
                 "cap_net_raw,cap_net_admin+ep $(command -v weir)",
                 name);
    else
        snprintf(error, size, "no packet socket on %s: %s", name, strerror(code));
}

static bool prepare(struct packet *p, bool groups_only)
{
    p->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || !set_filter(p->fd, p->link.iface.mac, groups_only))
        return false;
    set_queue(p->fd, SO_RCVBUFFORCE, SO_RCVBUF);
    set_queue(p->fd, SO_SNDBUFFORCE, SO_SNDBUF);
    set(p->fd, PACKET_IGNORE_OUTGOING, 1); /* what the kernel sends is for the wire */
    return set_ring(p, groups_only ? GROUPS_RING_BYTES : RING_BYTES) && join(p) && is_bound(p);
}

struct weir_link *packet_open(const char *name, const uint8_t *mac, bool groups_only, char *error,
                              size_t size)
{
    struct packet *p = calloc(1, sizeof *p);

    snprintf(error, size, "no memory");
    if (!p)
        return NULL;
    p->fd = -1;
    p->link.driver = &packet_driver;
    if (!netdev_find(&p->dev, name, error, size))
        goto fail;
    p->copy = malloc(sizeof *p->copy * PACKET_COPIES);
    p->cut = calloc(1, sizeof *p->cut);
    if (!p->copy || !p->cut || !netdev_iface(&p->dev, mac, &p->link.iface))
        goto fail;
    p->link.iface.flags = WEIR_IF_CSUM_TX;
    p->link.iface.gso_max = 65535;
    if (prepare(p, groups_only))
        return &p->link;
    explain_socket(error, size, name, errno);
fail:
    p->link.driver->close(&p->link);
    return NULL;
}

struct weir_link *weir_packet_open(const char *name, const uint8_t *mac, char *error,
                                   size_t error_size)
{
    return packet_open(name, mac, false, error, error_size);
}

void weir_packet_no_offload(struct weir_link *link)
{
    link->iface.gso_max = 0;
    link->iface.flags &= ~(uint32_t)WEIR_IF_CSUM_TX;
}
