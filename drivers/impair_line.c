/* One direction of an impaired link: a bottleneck queue, a wire that loses, and a delay line.
 *
 * Knows: linear.h. Not where frames come from or go to.
 * Shape: policer, queue (which marks), then loss, corruption, duplication, then delay: a lost frame
 * has used the wire. `steady` and `hasty` are each ordered by release, because the limiter and the
 * jitter keep order. Units: ns, bytes, frames. Errors: no room is counted as queue_full. Cost: one
 * copy a frame. */
#include "impair_line.h"

#include <stdlib.h>
#include <string.h>

#include "linear.h"

#define SMALL_BYTES 2048
#define PPB 1000000000u
#define QUEUE_DEFAULT 1000
#define BUCKET_DEFAULT_MIN 15000 /* bytes: ten frames, however slow */
#define NS_PER_S 1000000000u

struct held {
    struct held *next;
    int64_t release_ns;
    uint64_t serial;
    struct weir_frame frame; /* one part, which points to data */
    uint32_t room;
    uint8_t data[];
};

/* -- chance ------------------------------------------------------------------------------------ */

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 <= x < n. The bias is below 2^-32 for any n that occurs here. */
static uint64_t draw_below(struct line *l, enum draw what, uint64_t n)
{
    return splitmix(&l->random[what]) % n;
}

static bool hits(struct line *l, enum draw what, uint32_t ppb)
{
    return ppb && draw_below(l, what, PPB) < ppb;
}

/* -- buffers ----------------------------------------------------------------------------------- */

static struct held *held_new(struct line *l, size_t len)
{
    int kind = len > SMALL_BYTES;
    struct held *h = l->spare[kind];
    size_t room = kind ? LINEAR_MAX : SMALL_BYTES;

    if (len > LINEAR_MAX || l->held_bytes + room > LINE_BYTES_MAX)
        return NULL;
    if (h)
        l->spare[kind] = h->next;
    else if (!(h = malloc(sizeof *h + room)))
        return NULL;
    h->room = (uint32_t)room;
    l->held_bytes += room;
    return h;
}

static void held_free(struct line *l, struct held *h)
{
    int kind = h->room > SMALL_BYTES;

    l->held_bytes -= h->room;
    h->next = l->spare[kind];
    l->spare[kind] = h;
}

static void list_append(struct held_list *list, struct held *h)
{
    h->next = NULL;
    if (list->last)
        list->last->next = h;
    else
        list->first = h;
    list->last = h;
}

static struct held *list_shift(struct held_list *list)
{
    struct held *h = list->first;

    list->first = h->next;
    if (!list->first)
        list->last = NULL;
    return h;
}

static void chain_free(struct held *h)
{
    while (h) {
        struct held *next = h->next;
        free(h);
        h = next;
    }
}

bool line_init(struct line *l, const struct weir_impair_dir *set, uint64_t seed)
{
    *l = (struct line){.set = *set,
                       .steady_last_ns = INT64_MIN,
                       .wire_free_at = INT64_MIN,
                       .bucket_full_at = INT64_MIN};
    if (!l->set.queue_frames)
        l->set.queue_frames = QUEUE_DEFAULT;
    for (int i = 0; i < DRAWS; i++)
        l->random[i] = splitmix(&seed);
    l->departs = calloc(l->set.queue_frames, sizeof *l->departs);
    l->scratch = malloc(LINEAR_MAX * 2);
    return l->departs && l->scratch;
}

void line_fini(struct line *l)
{
    chain_free(l->steady.first);
    chain_free(l->hasty.first);
    chain_free(l->lent);
    chain_free(l->spare[0]);
    chain_free(l->spare[1]);
    free(l->departs);
    free(l->scratch);
}

/* -- the bottleneck ---------------------------------------------------------------------------- */

/* Nanoseconds that `bytes` take at `bps`, rounded up. */
static int64_t wire_time(size_t bytes, uint64_t bps)
{
    uint64_t bits = (uint64_t)bytes * 8;
    uint64_t whole = bits / bps;

    return (int64_t)(whole * NS_PER_S + ((bits % bps) * NS_PER_S + bps - 1) / bps);
}

/* A token bucket, told by the instant at which it is full again: a policer holds nothing, it drops.
 */
static bool pass_policer(struct line *l, size_t bytes, int64_t now_ns)
{
    uint64_t rate = l->set.police_bps, bucket = l->set.bucket_bytes;
    int64_t full_at = l->bucket_full_at > now_ns ? l->bucket_full_at : now_ns;

    if (!rate)
        return true;
    if (!bucket)
        bucket = rate / 80 > BUCKET_DEFAULT_MIN ? rate / 80 : BUCKET_DEFAULT_MIN;
    full_at += wire_time(bytes, rate);
    if (full_at - now_ns > wire_time(bucket, rate))
        return false;
    l->bucket_full_at = full_at;
    return true;
}

/* Sets *depart to when the frame has left the limiter; false if the queue is full. */
static bool pass_limiter(struct line *l, size_t bytes, int64_t now_ns, int64_t *depart)
{
    uint32_t slots = l->set.queue_frames;

    *depart = now_ns;
    if (!l->set.rate_bps)
        return true;
    while (l->depart_count && l->departs[l->depart_first] <= now_ns) {
        l->depart_first = (l->depart_first + 1) % slots;
        l->depart_count--;
    }
    if (l->depart_count == slots)
        return false;
    if (l->wire_free_at < now_ns)
        l->wire_free_at = now_ns;
    l->wire_free_at += wire_time(bytes, l->set.rate_bps);
    l->departs[(l->depart_first + l->depart_count++) % slots] = l->wire_free_at;
    *depart = l->wire_free_at;
    return true;
}

/* -- the wire ---------------------------------------------------------------------------------- */

static void corrupt(struct line *l, struct held *h)
{
    size_t len = h->frame.part[0].len;
    uint64_t bit;

    if (len <= l->link_len)
        return;
    /* A flipped bit must be there to be found: the checksum becomes real, and nobody vouches. */
    linear_complete(h->data, len, &h->frame);
    h->frame.flags = 0;
    bit = draw_below(l, DRAW_BIT, (len - l->link_len) * 8);
    h->data[l->link_len + bit / 8] ^= (uint8_t)(1u << (bit % 8));
    l->stats.corrupted++;
}

/* A router that uses ECN, 3168#5: CE instead of ECT. The sum of IPv4's header is mended (1624). */
static void mark(struct line *l, struct held *h)
{
    uint8_t *ip = h->data + l->link_len;
    bool is_v6 = h->frame.part[0].len > l->link_len + 20 && ip[0] >> 4 == 6;
    bool is_v4 = h->frame.part[0].len >= l->link_len + 20 && ip[0] >> 4 == 4;
    int shift = is_v6 ? 4 : 0;
    uint8_t ecn = ip[1] >> shift & 3, added = (uint8_t)(3 - ecn);
    uint32_t sum;

    if ((!is_v4 && !is_v6) || ecn == 0 || ecn == 3)
        return;
    ip[1] |= (uint8_t)(3 << shift);
    l->stats.marked++;
    if (is_v6)
        return;
    sum = (uint32_t)(ip[10] << 8 | ip[11]) + 0xffffu - added;
    sum = (sum & 0xffff) + (sum >> 16);
    ip[10] = (uint8_t)(sum >> 8);
    ip[11] = (uint8_t)sum;
}

static void enqueue(struct line *l, struct held *h, int64_t depart)
{
    const struct weir_impair_dir *set = &l->set;
    int64_t release = depart + set->delay_ns;

    h->serial = l->serial++;
    if ((set->delay_ns || set->jitter_ns) && hits(l, DRAW_REORDER, set->reorder_ppb)) {
        l->stats.reordered++;
        h->release_ns = depart;
        list_append(&l->hasty, h);
        return;
    }
    if (set->jitter_ns)
        release += (int64_t)draw_below(l, DRAW_JITTER, (uint64_t)set->jitter_ns * 2 + 1) -
                   set->jitter_ns;
    if (release < depart)
        release = depart;
    if (release < l->steady_last_ns)
        release = l->steady_last_ns;
    l->steady_last_ns = release;
    h->release_ns = release;
    list_append(&l->steady, h);
}

static struct held *held_copy(struct line *l, const struct weir_frame *f, size_t len)
{
    struct held *h = held_new(l, len);

    if (!h) {
        l->stats.queue_full++;
        return NULL;
    }
    linear_gather(f, h->data, len);
    h->frame = *f;
    h->frame.parts = 1;
    h->frame.part[0] = (struct weir_slice){h->data, (uint32_t)len};
    return h;
}

/* One frame of `len` bytes. */
static void put_one(struct line *l, const struct weir_frame *f, size_t len, int64_t now_ns)
{
    struct held *h;
    int64_t depart;
    bool is_marked;
    int copies;

    if (!pass_policer(l, len + l->extra_len, now_ns)) {
        l->stats.policed++;
        return;
    }
    if (!pass_limiter(l, len + l->extra_len, now_ns, &depart)) {
        l->stats.queue_full++;
        return;
    }
    is_marked = l->set.mark_frames && l->depart_count > l->set.mark_frames;
    if (hits(l, DRAW_LOSS, l->set.loss_ppb)) {
        l->stats.lost++;
        return;
    }
    copies = hits(l, DRAW_DUP, l->set.dup_ppb) ? 2 : 1;
    for (int i = 0; i < copies; i++) {
        h = held_copy(l, f, len);
        if (!h)
            return;
        l->stats.duplicated += (uint64_t)i;
        if (is_marked)
            mark(l, h);
        if (hits(l, DRAW_CORRUPT, l->set.corrupt_ppb))
            corrupt(l, h);
        enqueue(l, h, depart);
    }
}

void line_put(struct line *l, const struct weir_frame *f, int64_t now_ns)
{
    uint8_t *whole = l->scratch;
    uint8_t *piece = l->scratch + LINEAR_MAX;
    size_t len = weir_frame_len(f);
    struct weir_frame like = *f;
    struct linear_cut cut;

    if (!len || len > LINEAR_MAX) {
        l->stats.queue_full++;
        return;
    }
    if (!l->is_shaped || !f->gso_size || !linear_gather(f, whole, LINEAR_MAX) ||
        !linear_cut_start(&cut, whole, len, l->link_len, f->gso_size)) {
        put_one(l, f, len, now_ns);
        return;
    }
    /* The pieces' checksums are complete, and whoever vouched for the whole vouches for them. */
    like.flags = f->flags ? WEIR_CSUM_VALID : 0;
    like.gso_size = 0;
    like.parts = 1;
    while ((len = linear_cut_next(&cut, piece)) > 0) {
        like.part[0] = (struct weir_slice){piece, (uint32_t)len};
        put_one(l, &like, len, now_ns);
    }
}

/* -- the far side ------------------------------------------------------------------------------ */

static bool is_before(const struct held *a, const struct held *b)
{
    if (a->release_ns != b->release_ns)
        return a->release_ns < b->release_ns;
    return a->serial < b->serial;
}

/* The list whose first frame comes out next, or NULL. */
static struct held_list *next_list(struct line *l)
{
    struct held *s = l->steady.first;
    struct held *h = l->hasty.first;

    if (!s && !h)
        return NULL;
    return h && (!s || is_before(h, s)) ? &l->hasty : &l->steady;
}

int line_take(struct line *l, struct weir_frame *burst, int max, int64_t now_ns)
{
    int n = 0;

    while (l->lent) {
        struct held *h = l->lent;
        l->lent = h->next;
        held_free(l, h);
    }
    while (n < max) {
        struct held_list *list = next_list(l);
        struct held *h;

        if (!list || list->first->release_ns > now_ns)
            break;
        h = list_shift(list);
        burst[n++] = h->frame;
        h->next = l->lent;
        l->lent = h;
    }
    l->stats.passed += (uint64_t)n;
    return n;
}

int64_t line_deadline(const struct line *l)
{
    int64_t at = WEIR_NEVER;

    if (l->steady.first)
        at = l->steady.first->release_ns;
    if (l->hasty.first && l->hasty.first->release_ns < at)
        at = l->hasty.first->release_ns;
    return at;
}
