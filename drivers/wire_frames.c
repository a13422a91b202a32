/* Frames between a member of a wire and its peers.
 *
 * Knows: destination and source of an Ethernet frame. Shape: a frame goes to the peer whose own MAC
 * is its destination, else to whom the table names, else to all, as a switch does; peers are never
 * joined through us, so there is no loop. In: peers take turns, so that one that floods does not
 * silence the others. Units: bytes, frames. Errors: what finds no room or is none is dropped and
 * counted. Cost: one copy a frame and peer out, one in; the search for a MAC is linear in peers. */
#include <string.h>

#include "drivers/wire.h"

#define SHARE 16          /* frames of one peer before it is the next one's turn */
#define SHOW_BYTES 131072 /* published without waiting for the end of the burst */

/* -- in ---------------------------------------------------------------------------------------- */

/* Whether we said that we take such a frame. */
static bool is_welcome(const struct wire *w, const struct weir_frame *f)
{
    if (!w->takes_super && (f->flags & WEIR_CSUM_PARTIAL || f->gso_size))
        return false;
    return f->gso_size || f->part[0].len <= w->link.iface.mtu + ETHER_HEADER;
}

/* An address that a peer says is its own stays with it, whatever others put into their frames. */
static void learn(struct wire *w, const struct weir_frame *f, int member, int64_t now_ns)
{
    uint64_t mac = mac_number(f->part[0].data + 6);

    for (int i = 0; i < w->top; i++)
        if (w->peer[i].fd >= 0 && w->peer[i].mac == mac)
            return;
    macs_learn(&w->macs, mac, member, now_ns);
}

/* One frame into *f. LANE_BAD: it was none. */
static enum lane_result take_one(struct wire *w, int member, struct weir_frame *f, uint8_t *to,
                                 int64_t now_ns)
{
    enum lane_result r = lane_take(&w->peer[member].in, f, to);

    if (r == LANE_OK && !is_welcome(w, f))
        r = LANE_BAD;
    if (r == LANE_OK) {
        w->stats.frames_in++;
        if (!w->peer[member].is_ending)
            learn(w, f, member, now_ns);
    }
    w->stats.bad_frames += r == LANE_BAD;
    w->stats.liars += r == LANE_LIE;
    return r;
}

/* Up to `max` frames of a peer into `burst`, and their bytes into `to`; how many they are. */
static int take_from(struct wire *w, int member, struct weir_frame *burst, int max, int64_t now_ns)
{
    struct wire_peer *p = &w->peer[member];
    uint8_t(*to)[LANE_FRAME_MAX] = &w->buffer[burst - w->burst];
    uint32_t before = p->in.mine, taken;
    enum lane_result r = LANE_OK;
    int n = 0;

    for (int i = 0; i < max && (r == LANE_OK || r == LANE_BAD); i++) {
        r = take_one(w, member, &burst[n], to[n], now_ns);
        n += r == LANE_OK;
    }
    lane_release(&p->in);
    taken = p->in.mine - before;
    if (r == LANE_LIE || (p->is_ending && (r == LANE_EMPTY || taken >= p->left)))
        peer_cut_off(w, p);
    else
        p->left -= p->is_ending ? taken : 0;
    return n;
}

int frames_take(struct wire *w, struct weir_frame *burst, int max, int64_t now_ns)
{
    int n = 0, idle = 0;

    w->burst = burst;
    max = max < WEIR_BURST_MAX ? max : WEIR_BURST_MAX;
    while (n < max && idle < w->top) {
        int share = max - n < SHARE ? max - n : SHARE, got = 0;
        w->turn = w->turn < w->top ? w->turn : 0;
        if (w->peer[w->turn].fd >= 0)
            got = take_from(w, w->turn, &burst[n], share, now_ns);
        idle = got ? 0 : idle + 1;
        n += got;
        w->turn++;
    }
    return n;
}

bool frames_sleep(struct wire *w)
{
    bool all = true;

    for (int i = 0; i < w->top; i++)
        if (w->peer[i].fd >= 0)
            all &= !w->peer[i].is_ending && lane_sleep(&w->peer[i].in);
    return all;
}

/* -- out --------------------------------------------------------------------------------------- */

static void show(struct wire_peer *p)
{
    if (lane_publish(&p->out))
        meet_wake(p->fd);
    p->shown = p->out.mine;
}

static void put(struct wire *w, struct wire_peer *p, const struct weir_frame *f)
{
    switch (lane_put(&p->out, f)) {
    case LANE_OK:
        w->stats.frames_out++;
        if (p->out.mine - p->shown >= SHOW_BYTES)
            show(p);
        break;
    case LANE_FULL:
        w->stats.ring_full++;
        break;
    case LANE_LIE:
        w->stats.liars++;
        peer_cut_off(w, p);
        break;
    default:
        w->stats.bad_frames++;
    }
}

/* For a peer that takes neither superframes nor partial checksums, or did not say yet. */
static void put_plain(struct wire *w, struct wire_peer *p, const struct weir_frame *f)
{
    size_t len = linear_gather(f, w->whole, LANE_FRAME_MAX);
    struct weir_frame plain = {.part = {{w->whole, (uint32_t)len}}, .parts = 1};
    struct linear_cut cut;

    if (len && !f->gso_size) {
        linear_complete(w->whole, len, f);
        put(w, p, &plain);
        return;
    }
    if (!len || !linear_cut_start(&cut, w->whole, len, ETHER_HEADER, f->gso_size)) {
        w->stats.bad_frames++;
        return;
    }
    plain.part[0].data = w->piece;
    while ((len = linear_cut_next(&cut, w->piece)) > 0 && p->fd >= 0) {
        plain.part[0].len = (uint32_t)len;
        put(w, p, &plain);
    }
}

static void give(struct wire *w, struct wire_peer *p, const struct weir_frame *f)
{
    if (p->fd < 0)
        return;
    if (!p->takes_super && (f->gso_size || f->flags & WEIR_CSUM_PARTIAL))
        put_plain(w, p, f);
    else
        put(w, p, f);
}

/* The member behind which a MAC is, -1: not known. */
static int member_of(struct wire *w, uint64_t mac, int64_t now_ns)
{
    for (int i = 0; i < w->top; i++)
        if (w->peer[i].fd >= 0 && w->peer[i].mac == mac)
            return i;
    return macs_find(&w->macs, mac, now_ns);
}

void frames_give(struct wire *w, const struct weir_frame *f, int64_t now_ns)
{
    uint64_t to;
    int member;

    if (f->part[0].len < ETHER_HEADER) {
        w->stats.bad_frames++;
        return;
    }
    to = mac_number(f->part[0].data);
    member = mac_is_group(to) ? -1 : member_of(w, to, now_ns);
    if (member >= 0) {
        give(w, &w->peer[member], f);
        return;
    }
    w->stats.flooded++;
    for (int i = 0; i < w->top; i++)
        give(w, &w->peer[i], f);
}

void frames_show(struct wire *w)
{
    for (int i = 0; i < w->top; i++)
        if (w->peer[i].fd >= 0 && w->peer[i].out.mine != w->peer[i].shown)
            show(&w->peer[i]);
}
