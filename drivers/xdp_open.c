/* Opening an AF_XDP link: the packet socket for groups, a socket for each queue, the program.
 *
 * Knows: which step failed, and what a user can do about it. Not frames.
 * Shape: the program is attached last, so that no frame comes before all stands.
 * Units: bytes. Errors: a line that names the next thing to do. Cost: memory of all queues, pinned.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "drivers/packet.h"
#include "drivers/xdp.h"

/* A page less what the kernel keeps of it for itself: headroom, its own notes, headers. */
#define MTU_MAX 3498

static void explain(const struct xdp *x, const char *what, char *error, size_t size)
{
    const char *name = x->dev.name;

    if (errno == EPERM || errno == EACCES)
        snprintf(
            error, size,
            "no permission for %s of %s: AF_XDP needs sudo (CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF; "
            "not in a user namespace); --link packet:%s needs CAP_NET_RAW only",
            what, name, name);
    else if (errno == ENOBUFS)
        snprintf(
            error, size,
            "no memory may be pinned for %s of %s: run it with CAP_IPC_LOCK, or after ulimit -l "
            "unlimited",
            what, name);
    else if (errno == EAFNOSUPPORT)
        snprintf(error, size,
                 "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS): --link packet:%s does without",
                 name);
    else if (errno == EBUSY || errno == EEXIST)
        snprintf(
            error, size,
            "%s of %s is taken by another program: sudo ip link set %s xdp off, or end that one; "
            "--link packet:%s can share",
            what, name, name, name);
    else
        snprintf(error, size, "no %s on %s: %s; try --link packet:%s", what, name, strerror(errno),
                 name);
}

static void explain_attach(const struct xdp *x, char *error, size_t size)
{
    if (errno == ERANGE)
        snprintf(
            error, size,
            "the MTU of the peer of %s is too large for XDP: set it to %d there, or use --link "
            "packet:%s",
            x->dev.name, MTU_MAX, x->dev.name);
    else if (errno == EINVAL)
        snprintf(error, size,
                 "the kernel attaches no XDP program to %s, it is older than Linux 5.9, or the "
                 "driver's settings forbid it (dmesg): --link packet:%s does without",
                 x->dev.name, x->dev.name);
    else
        explain(x, "the place for an XDP program", error, size);
}

static bool is_fit(const struct xdp *x, int queue, char *error, size_t size)
{
    int n = netdev_queues(&x->dev);
    const char *name = x->dev.name;

    if (x->dev.mtu > MTU_MAX)
        snprintf(error, size,
                 "the MTU of %s is %u, XDP takes at most %d: sudo ip link set %s mtu %d, or --link "
                 "packet:%s",
                 name, x->dev.mtu, MTU_MAX, name, MTU_MAX, name);
    else if (queue >= n)
        snprintf(error, size, "%s has no queue %d: its %d are counted from 0 (ethtool -l %s)", name,
                 queue, n, name);
    else if (queue < 0 && n > XDP_QUEUES_MAX)
        snprintf(
            error, size,
            "%s has %d queues, at most %d can be taken: sudo ethtool -L %s combined 1, or name "
            "one: --link xdp:%s:0",
            name, n, XDP_QUEUES_MAX, name, name);
    else
        return true;
    return false;
}

static bool watch(const struct xdp *x, int fd)
{
    struct epoll_event e = {.events = EPOLLIN};

    return epoll_ctl(x->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

static bool open_queues(struct xdp *x, int queue, char *error, size_t size)
{
    int n = netdev_queues(&x->dev), first = queue < 0 ? 0 : queue;
    int end = queue < 0 ? n : queue + 1;

    if (!xdp_program_load(&x->program, x->link.iface.mac, (uint32_t)n)) {
        explain(x, "an XDP program", error, size);
        return false;
    }
    for (int q = first; q < end; q++) {
        struct xsk *s = &x->queue[x->queues++];

        if (!xsk_open(s, x->dev.ifindex, (uint32_t)q, q == first) ||
            !xdp_program_add(&x->program, (uint32_t)q, s->fd) || !watch(x, s->fd)) {
            explain(x, "a queue", error, size);
            return false;
        }
    }
    if (xdp_program_attach(&x->program, x->dev.ifindex, x->wants_generic))
        return true;
    explain_attach(x, error, size);
    return false;
}

static void name_mode(struct xdp *x)
{
    bool is_zero_copy = x->queue[0].is_zero_copy;

    snprintf(x->mode, sizeof x->mode, "%s, %s, %d queue%s", is_zero_copy ? "zero-copy" : "copying",
             !x->program.is_generic ? "native XDP"
             : x->wants_generic     ? "generic XDP, as asked for"
                                    : "generic XDP, the driver has none",
             x->queues, x->queues == 1 ? "" : "s");
}

/* What was asked for. */
struct wish {
    const char *name;
    int queue;
    const uint8_t *mac;
    bool generic;
};

static struct weir_link *open_wish(const struct wish *w, char *error, size_t error_size)
{
    struct xdp *x = calloc(1, sizeof *x);

    snprintf(error, error_size, "no memory");
    if (!x)
        return NULL;
    x->link.driver = &xdp_driver;
    x->wants_generic = w->generic;
    x->program = (struct xdp_program){.map = -1, .program = -1, .link = -1};
    x->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!netdev_find(&x->dev, w->name, error, error_size) ||
        !is_fit(x, w->queue, error, error_size) || !netdev_iface(&x->dev, w->mac, &x->link.iface))
        goto fail;
    x->groups = packet_open(w->name, x->link.iface.mac, true, error, error_size);
    if (!x->groups || !watch(x, weir_link_fd(x->groups)) ||
        !open_queues(x, w->queue, error, error_size))
        goto fail;
    name_mode(x);
    return &x->link;
fail:
    x->link.driver->close(&x->link);
    return NULL;
}

struct weir_link *weir_xdp_open(const char *name, int queue, const uint8_t *mac, char *error,
                                size_t error_size)
{
    return open_wish(&(struct wish){name, queue, mac, false}, error, error_size);
}

struct weir_link *weir_xdp_open_generic(const char *name, int queue, const uint8_t *mac,
                                        char *error, size_t error_size)
{
    return open_wish(&(struct wish){name, queue, mac, true}, error, error_size);
}

const char *weir_xdp_mode(const struct weir_link *link)
{
    return ((const struct xdp *)link)->mode;
}
