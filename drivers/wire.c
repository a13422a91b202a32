/* wire: an Ethernet link between programs of one user, through shared memory.
 *
 * Knows: how its parts are put together. Shape: every two members share memory of their own, so
 * that a member that lies, stalls or dies harms its own frames only, and no lock is ever held.
 * There is one descriptor to wait for: an epoll of the listener and the connections to all peers.
 * Units: ns, bytes. Errors: open names the next thing to do; after that the link never fails.
 * Cost: no system call while frames flow; one to look, one to wake, one to be woken when they stop.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "drivers/wire.h"

#define RING_BYTES (4u << 20)
#define MEMBERS 32
#define MTU 1500

static int wire_recv(struct weir_link *link, struct weir_frame *burst, int max, int64_t now_ns)
{
    struct wire *w = (struct wire *)link;
    int n = frames_take(w, burst, max, now_ns);

    w->is_awake = true;
    if (n && ++w->unlooked < LOOK_EVERY)
        return n;
    w->unlooked = 0;
    peers_look(w, now_ns);
    if (n)
        return n;
    if (frames_sleep(w)) {
        w->is_awake = false;
        return 0;
    }
    return frames_take(w, burst, max, now_ns);
}

static int wire_send(struct weir_link *link, struct weir_frame *burst, int n, int64_t now_ns)
{
    struct wire *w = (struct wire *)link;

    for (int i = 0; i < n; i++)
        frames_give(w, &burst[i], now_ns);
    frames_show(w);
    return n;
}

static int64_t wire_deadline(struct weir_link *link)
{
    struct wire *w = (struct wire *)link;

    return w->is_awake ? 0 : guests_deadline(w);
}

static int wire_fd(struct weir_link *link)
{
    return ((struct wire *)link)->epoll;
}

static void close_all(const int *fd, int n)
{
    for (int i = 0; i < n; i++)
        if (fd[i] >= 0)
            close(fd[i]);
}

static void wire_close(struct weir_link *link)
{
    struct wire *w = (struct wire *)link;
    const int fds[] = {w->folder, w->listener, w->reserve, w->epoll};

    if (w->listener >= 0)
        meet_leave(w->folder, w->name, w->id);
    for (int i = w->top - 1; i >= 0; i--)
        if (w->peer[i].fd >= 0)
            peer_cut_off(w, &w->peer[i]);
    for (int i = 0; i < WIRE_GUESTS; i++)
        close_all(&w->guest[i].fd, 1);
    close_all(fds, sizeof fds / sizeof fds[0]);
    free(w->peer);
    free(w->buffer);
    free(w->whole);
    free(w->piece);
    free(w);
}

static int wire_losses(struct weir_link *link, struct weir_link_loss *out, int max)
{
    const struct weir_wire_stats *s = &((struct wire *)link)->stats;
    const struct weir_link_loss loss[] = {
        {"ring_full", "a member is stopped or too slow; a longer ring: wire:NAME,ring=16777216",
         s->ring_full},
        {"bad_frames",
         "longer than the MTU, or not as agreed: give all the same mtu=", s->bad_frames},
    };
    int n = 0;

    for (; n < max && n < (int)(sizeof loss / sizeof loss[0]); n++)
        out[n] = loss[n];
    return n;
}

static const struct weir_driver wire_driver = {
    .name = "wire",
    .recv = wire_recv,
    .send = wire_send,
    .deadline = wire_deadline,
    .fd = wire_fd,
    .close = wire_close,
    .losses = wire_losses,
};

/* -- opening ----------------------------------------------------------------------------------- */

const char *weir_wire_mistake(const struct weir_wire_config *c)
{
    if (!c->name || !meet_name_fits(c->name))
        return "a wire's name has 1 to 15 letters, digits, '-' and '_', as in wire:lab";
    if (c->ring_bytes && !lane_size_fits(c->ring_bytes))
        return "a wire's ring has a power of two of bytes, 128 KiB to 256 MiB, as in 4194304";
    if (c->members_max && (c->members_max < 2 || c->members_max > WIRE_MEMBERS_MAX))
        return "a wire has 2 to 1,024 members";
    if (c->mtu && (c->mtu < 68 || c->mtu > 65535))
        return "a wire's MTU is 68 to 65,535, as in 1500";
    if (mac_is_group(mac_number(c->mac)))
        return "a member's MAC is no group's: its first byte is even";
    return NULL;
}

static bool fill_iface(struct wire *w, const struct weir_wire_config *c)
{
    struct weir_iface_config *i = &w->link.iface;

    snprintf(w->name, sizeof w->name, "%s", c->name);
    i->name = w->name;
    i->type = WEIR_LINK_ETHER;
    i->mtu = c->mtu ? c->mtu : MTU;
    i->flags = c->no_offload ? 0 : WEIR_IF_CSUM_TX;
    i->gso_max = c->no_offload ? 0 : 65535;
    w->takes_super = !c->no_offload;
    if (getrandom(i->mac, sizeof i->mac, 0) != sizeof i->mac ||
        getrandom(&w->macs.key, sizeof w->macs.key, 0) != sizeof w->macs.key)
        return false;
    i->mac[0] = (uint8_t)((i->mac[0] & 0xfc) | 0x02); /* locally administered, not a group */
    if (mac_number(c->mac))
        memcpy(i->mac, c->mac, sizeof i->mac);
    w->mac = mac_number(i->mac);
    return true;
}

static bool allocate(struct wire *w)
{
    w->peer = calloc((size_t)w->peers_max, sizeof *w->peer);
    w->buffer = malloc(sizeof *w->buffer * WEIR_BURST_MAX);
    w->whole = malloc(LANE_FRAME_MAX);
    w->piece = malloc(LANE_FRAME_MAX);
    for (int i = 0; w->peer && i < w->peers_max; i++)
        w->peer[i].fd = -1;
    return w->peer && w->buffer && w->whole && w->piece;
}

/* 0, or -errno; a line stands in `error` where the folder is to blame. */
static int join(struct wire *w, const char *folder, char *error, size_t error_size)
{
    w->folder = meet_folder(folder, error, error_size);
    if (w->folder < 0)
        return w->folder;
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (w->epoll < 0)
        return -errno;
    w->listener = meet_listen(w->folder, w->name, w->link.iface.mac, w->id);
    if (w->listener < 0)
        return w->listener;
    w->reserve = fcntl(w->listener, F_DUPFD_CLOEXEC, 0);
    if (w->reserve < 0 || !wire_watch(w, w->listener, WATCH_LISTENER))
        return -errno;
    return peers_join(w);
}

static struct wire *wire_new(const struct weir_wire_config *c)
{
    struct wire *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->link.driver = &wire_driver;
    w->folder = w->listener = w->reserve = w->epoll = -1;
    for (int i = 0; i < WIRE_GUESTS; i++)
        w->guest[i].fd = -1;
    w->ring_bytes = c->ring_bytes ? c->ring_bytes : RING_BYTES;
    w->peers_max = (c->members_max ? c->members_max : MEMBERS) - 1;
    w->is_awake = true;
    if (allocate(w) && fill_iface(w, c))
        return w;
    wire_close(&w->link);
    return NULL;
}

struct weir_link *weir_wire_open(const struct weir_wire_config *config, char *error,
                                 size_t error_size)
{
    const char *mistake = weir_wire_mistake(config);
    struct wire *w;
    int v;

    snprintf(error, error_size, "%s", mistake ? mistake : "no memory for a wire");
    w = mistake ? NULL : wire_new(config);
    if (!w)
        return NULL;
    error[0] = '\0';
    v = join(w, config->folder, error, error_size);
    if (v == 0)
        return &w->link;
    if (v == -ENOSPC)
        snprintf(error, error_size,
                 "wire %s is full, it has %d members: use a wire of another name", w->name,
                 w->peers_max + 1);
    else if (v == -EADDRINUSE)
        snprintf(error, error_size,
                 "wire %s has a member with this address already (MAC %.*s): choose another --ip",
                 w->name, MEET_ID_MAC, w->id);
    else if (!*error)
        snprintf(error, error_size, "can not join wire %s: %s", w->name, strerror(-v));
    wire_close(&w->link);
    return NULL;
}

void weir_wire_stats(struct weir_link *link, struct weir_wire_stats *out)
{
    *out = ((struct wire *)link)->stats;
}
