/* impair: a wrapper that makes a link worse, in a way that a seed repeats.
 *
 * Knows: the inner link's driver table, and line. Not how a frame fares on a line.
 * Shape: two lines, `up` before the inner send, `down` after the inner recv. Every frame is copied.
 * Units: ns, frames. Errors: the inner link's. Cost: one copy and a few draws a frame. */
#include <stdlib.h>

#include <weir/driver.h>

#include "impair_line.h"
#include "linear.h"

/* Bursts that one recv takes from the inner link: a flood must not keep it for ever. */
#define PULLS_MAX 8

struct impair {
    struct weir_link link;
    struct weir_link *inner;
    struct line up, down;
};

static int push_up(struct impair *m, int64_t now_ns)
{
    struct weir_frame burst[WEIR_BURST_MAX];
    int n;

    do {
        n = line_take(&m->up, burst, WEIR_BURST_MAX, now_ns);
        int r = n ? m->inner->driver->send(m->inner, burst, n, now_ns) : 0;
        if (r < 0)
            return r;
    } while (n == WEIR_BURST_MAX);
    return 0;
}

static int pull_down(struct impair *m, int64_t now_ns)
{
    struct weir_frame burst[WEIR_BURST_MAX];

    for (int pull = 0; pull < PULLS_MAX; pull++) {
        int n = m->inner->driver->recv(m->inner, burst, WEIR_BURST_MAX, now_ns);
        if (n < 0)
            return n;
        for (int i = 0; i < n; i++)
            line_put(&m->down, &burst[i], now_ns);
        if (n < WEIR_BURST_MAX)
            break;
    }
    return 0;
}

static int impair_recv(struct weir_link *link, struct weir_frame *burst, int max, int64_t now_ns)
{
    struct impair *m = (struct impair *)link;
    int r = push_up(m, now_ns);
    int n;

    if (r == 0)
        r = pull_down(m, now_ns);
    n = line_take(&m->down, burst, max, now_ns);
    return n ? n : r;
}

static int impair_send(struct weir_link *link, struct weir_frame *burst, int n, int64_t now_ns)
{
    struct impair *m = (struct impair *)link;
    int r;

    for (int i = 0; i < n; i++)
        line_put(&m->up, &burst[i], now_ns);
    r = push_up(m, now_ns);
    return r < 0 ? r : n;
}

static int64_t impair_deadline(struct weir_link *link)
{
    struct impair *m = (struct impair *)link;
    int64_t at = m->inner->driver->deadline(m->inner);
    int64_t up = line_deadline(&m->up);
    int64_t down = line_deadline(&m->down);

    at = up < at ? up : at;
    return down < at ? down : at;
}

static int impair_fd(struct weir_link *link)
{
    struct impair *m = (struct impair *)link;

    return m->inner->driver->fd(m->inner);
}

static void impair_close(struct weir_link *link)
{
    struct impair *m = (struct impair *)link;

    line_fini(&m->up);
    line_fini(&m->down);
    weir_link_close(m->inner);
    free(m);
}

static int impair_losses(struct weir_link *link, struct weir_link_loss *out, int max)
{
    return weir_link_losses(((struct impair *)link)->inner, out, max);
}

static const struct weir_driver impair_driver = {
    .name = "impair",
    .recv = impair_recv,
    .send = impair_send,
    .deadline = impair_deadline,
    .fd = impair_fd,
    .close = impair_close,
    .losses = impair_losses,
};

/* More than delay: then frames must be what a wire carries. */
static bool is_shaping(const struct weir_impair_dir *d)
{
    return d->loss_ppb || d->dup_ppb || d->corrupt_ppb || d->reorder_ppb || d->rate_bps ||
           d->police_bps || d->queue_frames;
}

static void fill_iface(struct weir_iface_config *c, const struct weir_impair *impair, bool shaped)
{
    if (impair->mtu)
        c->mtu = impair->mtu;
    if (shaped)
        c->gso_max = 0;
    /* The inner link would complete the checksum over the flipped bit. */
    if (impair->up.corrupt_ppb)
        c->flags &= ~(uint32_t)WEIR_IF_CSUM_TX;
}

struct weir_link *weir_impair_open(struct weir_link *inner, const struct weir_impair *impair)
{
    struct impair *m = calloc(1, sizeof *m);
    bool shaped = is_shaping(&impair->up) || is_shaping(&impair->down);

    if (!m)
        return NULL;
    if (!line_init(&m->up, &impair->up, impair->seed) ||
        !line_init(&m->down, &impair->down, ~impair->seed)) {
        line_fini(&m->up);
        line_fini(&m->down);
        free(m);
        return NULL;
    }
    m->up.is_shaped = m->down.is_shaped = shaped;
    m->up.link_len = m->down.link_len = linear_link_len(inner->iface.type);
    m->inner = inner;
    m->link.driver = &impair_driver;
    m->link.iface = inner->iface;
    fill_iface(&m->link.iface, impair, shaped);
    return &m->link;
}

void weir_impair_stats(struct weir_link *link, int dir, struct weir_impair_stats *out)
{
    struct impair *m = (struct impair *)link;

    *out = dir ? m->down.stats : m->up.stats;
}
