/* One direction of a link: exact faults and bursts of loss, then drivers' line with all the rest.
 *
 * Knows: impair_line, faults. Not nodes. Shape: a frame is lost, held, copied or put on the line;
 * held ones come out at their instant, past the line. Units: ns. Errors: a frame that finds no
 * room is lost, and said to be. Cost: one copy a frame, and one comparison for each fault. */
#include <stdlib.h>
#include <string.h>

#include "drivers/linear.h"
#include "lab/log.h"
#include "lab/net.h"
#include "wire/wire.h"

#define PPB 1000000000u

struct lab_parcel {
    struct lab_parcel *next;
    int64_t release;
    struct weir_frame frame;
    uint8_t bytes[];
};

void lab_link_close(struct lab_link *l)
{
    for (int d = 0; d < 2; d++) {
        while (l->dir[d].parcels) {
            struct lab_parcel *p = l->dir[d].parcels;
            l->dir[d].parcels = p->next;
            free(p);
        }
        line_fini(&l->dir[d].line);
    }
    free(l);
}

/* -- faults ------------------------------------------------------------------------------------ */

static bool is_meant(const struct lab_fault *f, const struct lab *lab, const struct lab_seg *s)
{
    if (f->kind >= 0 && f->kind != s->proto)
        return false;
    if (f->from && lab_owner(lab, s->src) != f->from)
        return false;
    if (f->port && f->port != s->sport && f->port != s->dport)
        return false;
    if ((s->flags & f->flags_on) != f->flags_on || (s->flags & f->flags_off))
        return false;
    if (f->is_pure_ack && (s->len || s->proto != LAB_TCP))
        return false;
    return !f->has_data || s->len;
}

/* The first fault that hits this frame, or NULL. All of them count what they see. */
static struct lab_fault *find_fault(struct lab_link *l, const struct lab_seg *s)
{
    struct lab_fault *found = NULL;

    for (int i = 0; i < l->faults; i++) {
        struct lab_fault *f = &l->fault[i];
        if (!is_meant(f, l->lab, s))
            continue;
        f->seen++;
        if (!found && f->seen >= f->first && f->seen <= f->last)
            found = f;
    }
    if (found)
        found->hit++;
    return found;
}

static void hold(struct lab_dir *d, const struct weir_frame *f, int64_t release)
{
    size_t len = weir_frame_len(f);
    struct lab_parcel *p = malloc(sizeof *p + len), **at = &d->parcels;

    if (!p)
        abort();
    p->release = release;
    linear_gather(f, p->bytes, len);
    p->frame = *f;
    p->frame.parts = 1;
    p->frame.part[0] = (struct weir_slice){p->bytes, (uint32_t)len};
    while (*at && (*at)->release <= release)
        at = &(*at)->next;
    p->next = *at;
    *at = p;
}

static uint32_t draw(struct lab_dir *d)
{
    d->random = d->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((d->random >> 33) * PPB >> 31);
}

static bool is_in_burst(struct lab_dir *d)
{
    if (!d->enter_ppb)
        return false;
    d->is_bad = d->is_bad ? draw(d) >= d->leave_ppb : draw(d) < d->enter_ppb;
    return d->is_bad;
}

static void put_corrupt(struct lab_dir *d, const struct weir_frame *f, int64_t now)
{
    uint32_t was = d->line.set.corrupt_ppb;

    d->line.set.corrupt_ppb = PPB;
    line_put(&d->line, f, now);
    d->line.set.corrupt_ppb = was;
}

/* -- Ethernet's check ---------------------------------------------------------------------------
 */

/* The frame as the card puts it on the cable, without the preamble. */
static void seal(struct lab_dir *d, const struct weir_frame *f, struct weir_frame *sealed)
{
    static uint8_t bytes[LINEAR_MAX + LAB_FCS_LEN]; /* one frame at a time, one thread */
    size_t len = linear_gather(f, bytes, LINEAR_MAX);
    struct lab_wire *w = &d->wire;
    uint32_t whole;

    linear_complete(bytes, len, f);
    len = lab_fcs_add(bytes, len);
    *sealed = (struct weir_frame){.parts = 1, .part = {{bytes, (uint32_t)len}}, .why = f->why};
    whole = (uint32_t)len + LAB_PREAMBLE_LEN;
    w->frames++;
    w->bytes += whole;
    w->longest = whole > w->longest ? whole : w->longest;
    w->shortest = !w->shortest || whole < w->shortest ? whole : w->shortest;
}

/* The card at the far end: takes the check off what is right, and drops what is wrong. How many are
 * left of the burst. */
static int unseal(struct lab_link *l, int dir, struct weir_frame *burst, int n)
{
    int kept = 0;

    for (int i = 0; i < n; i++) {
        struct lab_seg s;
        if (lab_fcs_is_right(burst[i].part[0].data, burst[i].part[0].len)) {
            burst[i].part[0].len -= LAB_FCS_LEN;
            burst[kept++] = burst[i];
            continue;
        }
        l->dir[dir].wire.fcs_errors++;
        if (!l->lab->log)
            continue;
        lab_seg_read(&s, &burst[i], l->type);
        lab_log_fate(l->lab->log, l, &s, LAB_LOST_FCS);
    }
    return kept;
}

/* -- the way of a frame ------------------------------------------------------------------------ */

static enum lab_fate put_on_line(struct lab_dir *d, const struct weir_frame *f, int64_t now)
{
    struct weir_impair_stats was = d->line.stats, *is = &d->line.stats;

    line_put(&d->line, f, now);
    if (is->lost > was.lost)
        return LAB_LOST_CHANCE;
    if (is->queue_full > was.queue_full)
        return LAB_LOST_QUEUE;
    if (is->policed > was.policed)
        return LAB_LOST_POLICER;
    if (is->corrupted > was.corrupted)
        return LAB_DAMAGED;
    return LAB_FLYING;
}

static enum lab_fate put_faulty(struct lab_link *l, int dir, const struct weir_frame *f,
                                const struct lab_fault *fault)
{
    struct lab_dir *d = &l->dir[dir];
    int64_t now = l->lab->now, way = d->line.set.delay_ns;

    switch (fault->action) {
    case LAB_LOSE:
        return LAB_LOST_FAULT;
    case LAB_HOLD:
        hold(d, f, now + way + fault->by_ns);
        return LAB_FLYING;
    case LAB_COPY:
        hold(d, f, now + way + fault->by_ns);
        return put_on_line(d, f, now);
    default:
        put_corrupt(d, f, now);
        return LAB_DAMAGED;
    }
}

static enum lab_fate put(struct lab_link *l, int dir, const struct weir_frame *f,
                         const struct lab_seg *s)
{
    struct lab_dir *d = &l->dir[dir];
    size_t head = l->type == WEIR_LINK_ETHER ? ETH_LEN : 0;
    struct lab_fault *fault = l->faults ? find_fault(l, s) : NULL;
    struct weir_frame sealed;

    if (d->is_down)
        return LAB_LOST_DOWN;
    if (weir_frame_len(f) > l->mtu + head && !f->gso_size)
        return LAB_LOST_MTU;
    if (l->has_fcs) {
        seal(d, f, &sealed);
        f = &sealed;
    }
    if (fault)
        return put_faulty(l, dir, f, fault);
    if (is_in_burst(d))
        return LAB_LOST_BURST;
    return put_on_line(d, f, l->lab->now);
}

void lab_link_send(struct lab_link *l, int end, struct weir_frame *f)
{
    struct lab *lab = l->lab;
    struct lab_seg s;
    enum lab_fate fate;

    if (lab->log || l->faults)
        lab_seg_read(&s, f, l->type);
    if (lab->log)
        lab_log_sent(lab->log, l->end[end].node, &s, &f->why);
    fate = put(l, end, f, &s);
    l->dir[end].frames++;
    l->dir[end].lost += fate >= LAB_LOST_CHANCE;
    if (lab->log && fate != LAB_FLYING)
        lab_log_fate(lab->log, l, &s, fate);
    if (lab->pcapng)
        lab_capture(l, end, f, fate);
}

int lab_link_take(struct lab_link *l, int dir, struct weir_frame *burst, int max)
{
    struct lab_dir *d = &l->dir[dir];
    int got, n;

    do {
        got = line_take(&d->line, burst, max, l->lab->now);
        n = l->has_fcs ? unseal(l, dir, burst, got) : got;
    } while (got && !n);
    return n;
}

/* A held frame whose time has come goes to the far end by itself. */
bool lab_link_release(struct lab_link *l, int dir)
{
    struct lab_dir *d = &l->dir[dir];
    struct lab_parcel *p = d->parcels;

    if (!p || p->release > l->lab->now)
        return false;
    d->parcels = p->next;
    if (!l->has_fcs || unseal(l, dir, &p->frame, 1))
        lab_arrive(l, 1 - dir, &p->frame, 1);
    free(p);
    return true;
}

int64_t lab_link_deadline(const struct lab_link *l)
{
    int64_t at = WEIR_NEVER;

    for (int d = 0; d < 2; d++) {
        int64_t line = line_deadline(&l->dir[d].line);
        at = line < at ? line : at;
        if (l->dir[d].parcels && l->dir[d].parcels->release < at)
            at = l->dir[d].parcels->release;
    }
    return at;
}
