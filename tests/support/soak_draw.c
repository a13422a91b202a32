/* What a seed draws: nodes, links, knobs, programs, accidents. See soak.h.
 *
 * Knows: the engine. Shape: one function for each thing that is drawn. Half of the worlds are kind:
 * whatever they do, no connection may fail. Units: ns. Errors: none. Cost: none that matters. */
#include "soak.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static uint32_t below(struct soak *w, uint32_t n)
{
    return dice_below(&w->d, n);
}

/* One of `n` times. */
static bool once_in(struct soak *w, uint32_t n)
{
    return below(w, n) == 0;
}

/* Small ones are as likely as large ones: from 0 to 2^bits. */
static uint32_t any_size(struct soak *w, uint32_t bits)
{
    return below(w, 1u << below(w, bits + 1));
}

void soak_tell(struct soak *w, const char *format, ...)
{
    size_t n = strlen(w->story);
    va_list args;

    va_start(args, format);
    vsnprintf(w->story + n, sizeof w->story - n, format, args);
    va_end(args);
}

void soak_wrong(struct soak *w, const char *format, ...)
{
    va_list args;

    if (*w->wrong)
        return;
    va_start(args, format);
    vsnprintf(w->wrong, sizeof w->wrong, format, args);
    va_end(args);
}

/* -- links ------------------------------------------------------------------------------------- */

static void draw_direction(struct soak *w, struct weir_impair_dir *d)
{
    static const uint64_t rates[] = {64000, 1000000, 10000000, 100000000, 1000000000};

    *d = (struct weir_impair_dir){.delay_ns = any_size(w, 17) * 1000ll};
    if (once_in(w, 4))
        d->jitter_ns = d->delay_ns / 2;
    if (once_in(w, 3)) {
        d->rate_bps = rates[below(w, 5)];
        /* where it is full for a minute even handshakes fail */
        d->queue_frames = (w->is_harsh ? 5 : 20) + any_size(w, 8);
        d->mark_frames = once_in(w, 2) ? 1 + below(w, d->queue_frames) : 0;
    }
    if (once_in(w, 3))
        d->loss_ppb = below(w, 50000000);
    if (once_in(w, 4))
        d->reorder_ppb = below(w, 100000000);
    if (once_in(w, 5))
        d->dup_ppb = below(w, 50000000);
    if (once_in(w, 6))
        d->corrupt_ppb = below(w, 10000000);
    w->has_loss |= d->loss_ppb || d->corrupt_ppb || d->rate_bps;
    w->has_dup |= d->dup_ppb > 0;
    soak_tell(w, " %lldus%s", (long long)d->delay_ns / 1000, d->jitter_ns ? " jitter" : "");
    if (d->rate_bps)
        soak_tell(w, " %llubit queue %u", (unsigned long long)d->rate_bps, d->queue_frames);
    soak_tell(w, " loss %.1f%% reorder %.1f%% dup %.1f%% corrupt %.1f%%;", d->loss_ppb / 1e7,
              d->reorder_ppb / 1e7, d->dup_ppb / 1e7, d->corrupt_ppb / 1e7);
}

static void draw_link(struct soak *w, struct lab_node *a, struct lab_node *b, uint32_t mtu,
                      enum lab_link_kind kind)
{
    static const char *const names[] = {"plain", "ether", "fcs", "bulk"};
    struct weir_impair impair = {.mtu = mtu};
    struct lab_link *l;

    soak_tell(w, "\n  %s-%s %s mtu %u", a->name, b->name, names[kind], mtu);
    draw_direction(w, &impair.up);
    draw_direction(w, &impair.down);
    if (kind == LAB_LINK_BULK) /* nothing would notice */
        impair.up.corrupt_ppb = impair.down.corrupt_ppb = 0;
    l = lab_link_add(w->lab, a, b, &impair, kind);
    for (int d = 0; d < 2; d++)
        if (once_in(w, 8)) {
            l->dir[d].enter_ppb = 10000000;
            /* a long one may outlast all repetitions */
            l->dir[d].leave_ppb = w->is_harsh ? 200000000 : 800000000;
            w->has_loss = true;
            soak_tell(w, " bursts");
        }
}

static uint32_t draw_mtu(struct soak *w)
{
    return once_in(w, 4) ? 296 + below(w, 1205) : once_in(w, 8) ? 9000 : 1500;
}

static struct lab_node *add_host(struct soak *w)
{
    char name[16];

    snprintf(name, sizeof name, "h%d", w->hosts);
    return w->host[w->hosts++] = lab_node_add(w->lab, LAB_HOST, name);
}

static void draw_pair(struct soak *w)
{
    struct lab_node *a = add_host(w), *b = add_host(w);

    draw_link(w, a, b, draw_mtu(w), (enum lab_link_kind)below(w, 4));
}

static void draw_lan(struct soak *w)
{
    struct lab_node *sw = lab_node_add(w->lab, LAB_SWITCH, "sw");
    int n = 2 + (int)below(w, 3);
    uint32_t mtu = draw_mtu(w); /* a switch has no way to say that a frame is too big */

    for (int i = 0; i < n; i++)
        draw_link(w, add_host(w), sw, mtu, LAB_LINK_ETHER);
}

static void draw_chain(struct soak *w)
{
    struct lab_node *at = add_host(w), *far = add_host(w);
    int routers = 1 + (int)below(w, 3);

    for (int i = 0; i < routers; i++) {
        char name[16];
        struct lab_node *r;
        snprintf(name, sizeof name, "r%d", i);
        r = lab_node_add(w->lab, LAB_ROUTER, name);
        draw_link(w, at, r, draw_mtu(w), (enum lab_link_kind)below(w, 3));
        at = r;
    }
    draw_link(w, at, far, draw_mtu(w), (enum lab_link_kind)below(w, 3));
}

/* ICMP is not translated, so all links are of one size. */
static void draw_nat(struct soak *w)
{
    struct lab_node *r = lab_node_add(w->lab, LAB_ROUTER, "nat"), *out = add_host(w);
    int n = 1 + (int)below(w, 3);
    int64_t lasts = w->is_harsh ? 60 * S : 7200 * S;
    uint32_t mtu = draw_mtu(w);

    draw_link(w, r, out, mtu, (enum lab_link_kind)below(w, 3));
    r->port[0].nat = lab_nat_new(lasts, lasts);
    w->nat = r;
    for (int i = 0; i < n; i++)
        draw_link(w, add_host(w), r, mtu, (enum lab_link_kind)below(w, 3));
}

/* -- knobs ------------------------------------------------------------------------------------- */

static void draw_knobs(struct soak *w, struct lab_node *n)
{
    static const struct {
        const char *name, *values[4];
    } knobs[] = {
        {"net.ipv4.tcp_timestamps", {"0"}},
        {"net.ipv4.tcp_sack", {"0"}},
        {"net.ipv4.tcp_dsack", {"0"}},
        {"net.ipv4.tcp_ecn", {"0", "1", "3"}},
        {"net.ipv4.tcp_ecn_option", {"0", "1", "3"}},
        {"net.ipv4.tcp_ecn", {"0", "1"}},
        {"net.ipv4.tcp_congestion_control", {"reno", "cubic", "bbr"}},
        {"net.ipv4.tcp_recovery", {"0", "2", "4"}},
        {"net.ipv4.tcp_early_retrans", {"0"}},
        {"net.ipv4.tcp_frto", {"0"}},
        {"net.weir.tcp_pacing", {"1"}},
        {"net.ipv4.tcp_slow_start_after_idle", {"0"}},
        {"net.weir.tcp_initial_cwnd", {"1", "2", "40"}},
        {"net.weir.tcp_delack_us", {"0", "500000"}},
        {"net.ipv4.tcp_syncookies", {"0", "2"}},
        {"net.ipv4.tcp_rmem", {"2304 4096 16384", "4096 131072 300000", "1024 1024 1024"}},
        {"net.ipv4.tcp_wmem", {"2304 4096 16384", "4096 16384 100000", "1024 1024 1024"}},
        {"net.ipv4.tcp_moderate_rcvbuf", {"0"}},
        {"net.ipv4.tcp_notsent_lowat", {"1", "16384"}},
        {"net.ipv4.tcp_rto_min_us", {"20000", "1000000"}},
        {"net.ipv4.tcp_invalid_ratelimit", {"0"}},
        {"net.weir.tcp_sack_runs", {"4"}},
        {"net.ipv4.tcp_max_reordering", {"3"}},
    };

    for (uint32_t times = below(w, 5); times; times--) {
        uint32_t k = below(w, sizeof knobs / sizeof knobs[0]), values = 0;
        const char *value;
        while (values < 4 && knobs[k].values[values])
            values++;
        value = knobs[k].values[below(w, values)];
        if (lab_knob(n, knobs[k].name, value) < 0)
            continue; /* not all algorithms are there in every build */
        w->has_cookies |= !strcmp(knobs[k].name, "net.ipv4.tcp_syncookies") && *value == '2';
        soak_tell(w, "\n  %s: %s = %s", n->name, strrchr(knobs[k].name, '.') + 1, value);
    }
}

/* -- programs ---------------------------------------------------------------------------------- */

/* Slow ones still have to come to an end: at most some minutes of pauses. */
static void draw_end(struct soak *w, struct soak_conn *c, int side, struct lab_node *n)
{
    struct soak_end *e = &c->end[side];

    *e = (struct soak_end){.w = w, .conn = c, .side = side, .node = n, .sock = -1, .listener = -1};
    e->bytes = any_size(w, 18);
    e->write_chunk = 1 + e->bytes / 200 + any_size(w, 15);
    e->read_chunk = 1 + any_size(w, 15);
    e->write_pause = once_in(w, 3) ? any_size(w, 19) * 1000ll : 0;
    e->begin_at = side == 0 ? any_size(w, 23) * 1000ll : 0;
    e->uses_slices = once_in(w, 3);
    e->answers = side == 1 && once_in(w, 3);
    e->finish = side == 1 && once_in(w, 3) ? FINISH_AFTER : FINISH_POLITE;
    if (w->is_harsh && once_in(w, 4))
        e->finish = (enum soak_finish)(FINISH_CLOSE + below(w, 3));
}

static void draw_conn(struct soak *w)
{
    struct soak_conn *c = &w->conn[w->conns];
    uint32_t a = below(w, (uint32_t)w->hosts), b = below(w, (uint32_t)w->hosts - 1);

    b += b >= a;
    if (w->nat) { /* those inside connect to those outside: host 0 */
        b = 0;
        a = 1 + below(w, (uint32_t)w->hosts - 1);
    }
    c->id = w->conns++;
    c->port = (uint16_t)(1000 + c->id);
    draw_end(w, c, 0, w->host[a]);
    draw_end(w, c, 1, w->host[b]);
    for (int i = 0; i < 2; i++)
        if (once_in(w, 3)) {
            struct soak_end *e = &c->end[i];
            uint32_t chunk = c->end[1 - i].bytes / 60 + 1;
            e->read_chunk = e->read_chunk < chunk ? chunk : e->read_chunk;
            e->read_pause = any_size(w, 21) * 1000ll;
        }
}

static void draw_flow(struct soak *w)
{
    struct soak_flow *f = &w->flow[w->flows];
    uint32_t a = below(w, (uint32_t)w->hosts), b = below(w, (uint32_t)w->hosts - 1);

    b += b >= a;
    *f = (struct soak_flow){.id = w->flows++, .from = w->host[a], .to = w->host[b]};
    f->size = 8 + any_size(w, 13);
    f->count = 1 + below(w, 60);
    f->pause = any_size(w, 19) * 1000ll;
}

/* -- accidents --------------------------------------------------------------------------------- */

static struct soak_event *add_event(struct soak *w, int64_t at, enum soak_event_kind kind,
                                    int which)
{
    struct soak_event *e = &w->event[w->events++];

    *e = (struct soak_event){.at = at, .kind = kind, .which = which};
    return e;
}

static void draw_accident(struct soak *w)
{
    int64_t at = any_size(w, 25) * 1000ll; /* within half a minute */
    int link = (int)below(w, (uint32_t)w->lab->links), host = (int)below(w, (uint32_t)w->hosts);
    uint32_t kind = below(w, w->is_harsh ? 5 : 2);
    int64_t lasts = any_size(w, kind ? 23 : 28) * 1000ll;

    if (kind == 0 && w->is_harsh) { /* a long silence */
        add_event(w, at, EV_DOWN, link);
        add_event(w, at + lasts, EV_UP, link);
    } else if (kind <= 1) {
        add_event(w, at, EV_DOWN, link);
        /* An RTO of 20 ms and tcp_orphan_retries end a closed connection after 5 s: three of its
         * last retransmissions find the link up, so that no single loss does. */
        add_event(w, at + lasts % S, EV_UP, link);
        w->has_loss = true;
    } else if (kind == 2) {
        add_event(w, at, EV_CRASH, host);
        add_event(w, at + lasts, EV_BOOT, host);
    } else if (kind == 3 && w->nat) {
        add_event(w, at, EV_REBIND, 0);
    } else {
        struct soak_event *e = add_event(w, at, EV_SET, link);
        soak_tell(w, "\n  later:");
        draw_direction(w, &e->set.up);
        draw_direction(w, &e->set.down);
        if (w->lab->link[link]->is_bulk)
            e->set.up.corrupt_ppb = e->set.down.corrupt_ppb = 0;
    }
}

static void do_event(struct soak *w, const struct soak_event *e)
{
    struct lab_link *l = w->lab->link[e->kind <= EV_SET ? e->which : 0];
    struct lab_node *n = w->host[e->kind > EV_SET && e->kind < EV_REBIND ? e->which : 0];

    switch (e->kind) {
    case EV_DOWN:
    case EV_UP:
        l->dir[0].is_down = l->dir[1].is_down = e->kind == EV_DOWN;
        break;
    case EV_SET:
        lab_link_set(l, &e->set);
        break;
    case EV_CRASH:
        soak_host_died(w, n);
        if (n->stack)
            lab_crash(n);
        break;
    case EV_BOOT:
        lab_boot(n);
        break;
    case EV_REBIND:
        lab_nat_rebind(w->nat->port[0].nat);
        break;
    }
}

void soak_happen(struct soak *w)
{
    for (int i = 0; i < w->events; i++) {
        if (w->happened & 1u << i || w->event[i].at > w->lab->now)
            continue;
        w->happened |= 1u << i;
        do_event(w, &w->event[i]);
    }
}

void soak_draw(struct soak *w, uint64_t seed)
{
    static void (*const shapes[])(struct soak *) = {draw_pair, draw_lan, draw_chain, draw_nat};

    *w = (struct soak){.d = {seed, seed}};
    w->lab = lab_new(seed);
    w->is_harsh = once_in(w, 2);
    soak_tell(w, "%s world", w->is_harsh ? "a harsh" : "a kind");
    shapes[below(w, 4)](w);
    for (int i = 0; i < w->lab->nodes; i++) {
        struct lab_node *n = w->lab->node[i];
        if (n->kind == LAB_HOST)
            draw_knobs(w, n);
        if (once_in(w, 6))
            n->skew_ppm = (int64_t)below(w, 2001) - 1000;
    }
    if (w->is_harsh && once_in(w, 5)) {
        w->lab->starve_ppb = any_size(w, 26);
        soak_tell(w, "\n  memory is refused %.2f%% of the time", w->lab->starve_ppb / 1e7);
    }
    for (uint32_t n = 1 + below(w, SOAK_CONNS); n; n--)
        draw_conn(w);
    for (uint32_t n = w->nat ? 0 : below(w, SOAK_FLOWS + 1); n; n--)
        draw_flow(w);
    for (uint32_t n = below(w, w->is_harsh ? 5 : 3); n; n--)
        draw_accident(w);
}
