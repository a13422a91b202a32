/* tap: an Ethernet link to the kernel through a TAP device, with superframes and checksum offload.
 *
 * Knows: /dev/net/tun and struct virtio_net_hdr. Not the stack.
 * Shape: one read or write a frame, a buffer of 64 KiB for each frame of a burst.
 * Units: bytes. Errors: open names the next thing to do; a frame that the device refuses is dropped
 * and counted; -ENETDOWN once the device is gone. Cost: one system call a frame. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <weir/driver.h>

#include "drivers/vnet.h"

#define FRAME_MAX (14 + 65535 + 3) /* Ethernet header, IP packet, padding to 16 */

struct tap {
    struct weir_link link;
    int fd;
    uint64_t dropped;
    char name[IFNAMSIZ];
    uint8_t (*buffer)[FRAME_MAX]; /* WEIR_BURST_MAX of them */
};

/* 1 with *f filled, 0 for nothing now, or -ENETDOWN. */
static int read_frame(struct tap *t, struct weir_frame *f, uint8_t *buffer)
{
    struct virtio_net_hdr h;
    struct iovec iov[2] = {{&h, sizeof h}, {buffer, FRAME_MAX}};
    ssize_t n;

    do
        n = readv(t->fd, iov, 2);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EBADFD || errno == ENODEV ? -ENETDOWN : 0;
    if (n <= (ssize_t)sizeof h)
        return 0;
    *f = (struct weir_frame){.part = {{buffer, (uint32_t)n - (uint32_t)sizeof h}}};
    vnet_to_frame(f, &h);
    return 1;
}

static int tap_recv(struct weir_link *link, struct weir_frame *burst, int max, int64_t now_ns)
{
    struct tap *t = (struct tap *)link;
    int n = 0;

    (void)now_ns;
    while (n < max && n < WEIR_BURST_MAX) {
        int r = read_frame(t, &burst[n], t->buffer[n]);
        if (r <= 0)
            return n ? n : r;
        n++;
    }
    return n;
}

static int tap_send(struct weir_link *link, struct weir_frame *burst, int n, int64_t now_ns)
{
    struct tap *t = (struct tap *)link;

    (void)now_ns;
    for (int i = 0; i < n; i++) {
        struct virtio_net_hdr h;
        struct iovec iov[1 + WEIR_FRAME_PARTS] = {{&h, sizeof h}};
        ssize_t r;

        vnet_of_frame(&h, &burst[i]);
        for (int k = 0; k < burst[i].parts; k++)
            iov[k + 1] = (struct iovec){(void *)(uintptr_t)burst[i].part[k].data,
                                        burst[i].part[k].len};
        do
            r = writev(t->fd, iov, 1 + burst[i].parts);
        while (r < 0 && errno == EINTR);
        if (r < 0 && (errno == EBADFD || errno == ENODEV))
            return -ENETDOWN;
        if (r < 0)
            t->dropped++;
    }
    return n;
}

static int64_t tap_deadline(struct weir_link *link)
{
    (void)link;
    return WEIR_NEVER;
}

static int tap_fd(struct weir_link *link)
{
    return ((struct tap *)link)->fd;
}

static void tap_close(struct weir_link *link)
{
    struct tap *t = (struct tap *)link;

    if (t->fd >= 0)
        close(t->fd);
    free(t->buffer);
    free(t);
}

static int tap_losses(struct weir_link *link, struct weir_link_loss *out, int max)
{
    if (max < 1)
        return 0;
    out[0] = (struct weir_link_loss){"tx_refused", "the device is down, or has no memory",
                                     ((struct tap *)link)->dropped};
    return 1;
}

static const struct weir_driver tap_driver = {
    .name = "tap",
    .recv = tap_recv,
    .send = tap_send,
    .deadline = tap_deadline,
    .fd = tap_fd,
    .close = tap_close,
    .losses = tap_losses,
};

static void explain_open(char *error, size_t size, int code)
{
    if (code == ENOENT || code == ENODEV || code == ENXIO)
        snprintf(error, size,
                 "there is no /dev/net/tun: try `sudo modprobe tun`, or the link host, which needs "
                 "no device");
    else if (code == EACCES || code == EPERM)
        snprintf(error, size,
                 "no permission to open /dev/net/tun: try `sudo chmod 666 /dev/net/tun`, or the "
                 "link host, which needs no privilege");
    else
        snprintf(error, size, "can not open /dev/net/tun: %s", strerror(code));
}

static void explain_permission(char *error, size_t size, const char *name)
{
    if (if_nametoindex(name))
        snprintf(error, size,
                 "tap device %s belongs to another user: ask root for one of yours (`ip tuntap add "
                 "NAME mode tap user YOU`), or use the link host, which needs no privilege",
                 name);
    else
        snprintf(error, size,
                 "making a tap device needs CAP_NET_ADMIN: try sudo, or let root make it once (`ip "
                 "tuntap add %s mode tap user YOU`), or use the link host, which needs no "
                 "privilege",
                 *name ? name : "weir0");
}

static void explain_attach(char *error, size_t size, const char *name, int code)
{
    if (code == EPERM)
        explain_permission(error, size, name);
    else if (code == EBUSY)
        snprintf(error, size, "tap device %s is in use by another process: choose another name",
                 name);
    else if (code == EINVAL)
        snprintf(error, size,
                 "%s is there and is no tap device that can be attached: choose another name",
                 name);
    else
        snprintf(error, size, "can not attach tap device %s: %s", name, strerror(code));
}

static int attach(struct tap *t, const char *name, char *error, size_t size)
{
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int header = sizeof(struct virtio_net_hdr);

    if (name && strlen(name) >= IFNAMSIZ) {
        snprintf(error, size, "%s is too long for a device name: use at most 15 letters", name);
        return -1;
    }
    if (name)
        strcpy(r.ifr_name, name);
    if (ioctl(t->fd, TUNSETIFF, &r) < 0) {
        explain_attach(error, size, name ? name : "", errno);
        return -1;
    }
    strcpy(t->name, r.ifr_name);
    if (ioctl(t->fd, TUNSETVNETHDRSZ, &header) < 0) {
        snprintf(error, size, "tap device %s: the kernel is too old for TUNSETVNETHDRSZ", t->name);
        return -1;
    }
    return 0;
}

/* The kernel's end: its MTU becomes ours, and it is brought up, because a device that is down
 * swallows everything without a word. Without the right to do so it stays as its owner left it. */
static uint32_t prepare_kernel_end(const char *name)
{
    struct ifreq r = {0};
    uint32_t mtu = 1500;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (s < 0)
        return mtu;
    strcpy(r.ifr_name, name);
    if (ioctl(s, SIOCGIFMTU, &r) == 0 && r.ifr_mtu >= 68 && r.ifr_mtu <= 65535)
        mtu = (uint32_t)r.ifr_mtu;
    if (ioctl(s, SIOCGIFFLAGS, &r) == 0 && !(r.ifr_flags & IFF_UP)) {
        r.ifr_flags |= IFF_UP;
        (void)ioctl(s, SIOCSIFFLAGS, &r);
    }
    close(s);
    return mtu;
}

/* USO is not asked for: the stack takes no superframes of UDP. */
static bool accept_offloads(int fd)
{
    unsigned base = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;

    return ioctl(fd, TUNSETOFFLOAD, base | TUN_F_TSO_ECN) == 0 ||
           ioctl(fd, TUNSETOFFLOAD, base) == 0;
}

static bool fill_iface(struct tap *t)
{
    struct weir_iface_config *c = &t->link.iface;

    c->name = t->name;
    c->type = WEIR_LINK_ETHER;
    c->mtu = prepare_kernel_end(t->name);
    c->flags = WEIR_IF_CSUM_TX;
    c->gso_max = accept_offloads(t->fd) ? 65535 : 0;
    /* Locally administered, not a group: never the kernel end's own but by a chance of 2^-46. */
    if (getrandom(c->mac, sizeof c->mac, 0) != sizeof c->mac)
        return false;
    c->mac[0] = (uint8_t)((c->mac[0] & 0xfc) | 0x02);
    return true;
}

struct weir_link *weir_tap_open(const char *name, char *error, size_t error_size)
{
    struct tap *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    t->link.driver = &tap_driver;
    t->buffer = malloc(sizeof *t->buffer * WEIR_BURST_MAX);
    t->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (t->fd < 0) {
        explain_open(error, error_size, errno);
        goto fail;
    }
    if (attach(t, name, error, error_size) < 0)
        goto fail;
    if (!t->buffer || !fill_iface(t)) {
        snprintf(error, error_size, "tap device %s: out of memory", t->name);
        goto fail;
    }
    return &t->link;
fail:
    tap_close(&t->link);
    return NULL;
}

void weir_tap_no_offload(struct weir_link *link)
{
    struct tap *t = (struct tap *)link;

    (void)ioctl(t->fd, TUNSETOFFLOAD, 0);
    link->iface.gso_max = 0;
    link->iface.flags &= ~(uint32_t)WEIR_IF_CSUM_TX;
}

uint64_t weir_tap_dropped(struct weir_link *link)
{
    return ((struct tap *)link)->dropped;
}
