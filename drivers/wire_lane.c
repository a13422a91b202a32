/* One direction of a wire between two processes: frames through shared memory.
 *
 * Knows: the layout of a record: two words that say what it is, the frame's bytes, and padding.
 * Shape: records begin at multiples of 16, so that the two words never wrap; bytes may.
 * Units: bytes. Errors: see wire_lane.h. Cost: memcpy; a fence for each published burst.
 * Shared memory is read through atomics, or by one memcpy that is not looked at twice. */
#include "drivers/wire_lane.h"

#include <string.h>

#define RECORD_ALIGN 16u
#define FLAGS_KNOWN WEIR_CSUM_PARTIAL /* a peer that vouches for a checksum is not believed */

/* The two words of a record, as they are unpacked. */
struct record {
    uint32_t len;
    uint16_t gso_size, csum_start, csum_offset;
    uint8_t flags;
};

static uint32_t record_bytes(uint32_t len)
{
    return RECORD_ALIGN + ((len + RECORD_ALIGN - 1) & ~(RECORD_ALIGN - 1));
}

static _Atomic uint64_t *word_at(const struct lane *l, uint32_t index)
{
    return (_Atomic uint64_t *)(void *)(l->bytes + (index & (l->size - 1)));
}

/* -- the producer ------------------------------------------------------------------------------ */

static void write_bytes(struct lane *l, uint32_t index, const uint8_t *from, uint32_t len)
{
    uint32_t at = index & (l->size - 1);
    uint32_t first = l->size - at < len ? l->size - at : len;

    memcpy(l->bytes + at, from, first);
    memcpy(l->bytes, from + first, len - first);
}

static void write_words(struct lane *l, const struct weir_frame *f, uint32_t len)
{
    uint64_t what = len | (uint64_t)f->gso_size << 32 | (uint64_t)(f->flags & FLAGS_KNOWN) << 48;
    uint64_t sum = f->csum_start | (uint64_t)f->csum_offset << 16;

    atomic_store_explicit(word_at(l, l->mine), what, memory_order_relaxed);
    atomic_store_explicit(word_at(l, l->mine + 8), sum, memory_order_relaxed);
}

/* OK if `bytes` more fit. */
static enum lane_result have_room(struct lane *l, uint32_t bytes)
{
    uint32_t tail;

    if (l->size - (l->mine - l->theirs) >= bytes)
        return LANE_OK;
    tail = atomic_load_explicit(&l->control->tail, memory_order_acquire);
    if (l->mine - tail > l->size)
        return LANE_LIE;
    l->theirs = tail;
    return l->size - (l->mine - tail) >= bytes ? LANE_OK : LANE_FULL;
}

enum lane_result lane_put(struct lane *l, const struct weir_frame *f)
{
    size_t len = weir_frame_len(f);
    uint32_t at = l->mine + RECORD_ALIGN;
    enum lane_result r;

    if (len > LANE_FRAME_MAX)
        return LANE_BAD;
    r = have_room(l, record_bytes((uint32_t)len));
    if (r != LANE_OK)
        return r;
    write_words(l, f, (uint32_t)len);
    for (int i = 0; i < f->parts; i++) {
        write_bytes(l, at, f->part[i].data, f->part[i].len);
        at += f->part[i].len;
    }
    l->mine += record_bytes((uint32_t)len);
    return LANE_OK;
}

bool lane_publish(struct lane *l)
{
    atomic_store_explicit(&l->control->head, l->mine, memory_order_release);
    /* Between the index and the flag, as lane_sleep has it: one of both sees the other. */
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load_explicit(&l->control->is_asleep, memory_order_relaxed) &&
           atomic_exchange_explicit(&l->control->is_asleep, 0, memory_order_relaxed);
}

/* -- the consumer ------------------------------------------------------------------------------ */

/* What the producer has published and we have not taken; false: no such amount is possible. */
static bool available(struct lane *l, uint32_t *bytes)
{
    uint32_t head = l->theirs;

    if (head == l->mine)
        head = atomic_load_explicit(&l->control->head, memory_order_acquire);
    *bytes = head - l->mine;
    l->theirs = head;
    return *bytes <= l->size && *bytes % RECORD_ALIGN == 0;
}

static struct record read_words(const struct lane *l)
{
    uint64_t what = atomic_load_explicit(word_at(l, l->mine), memory_order_relaxed);
    uint64_t sum = atomic_load_explicit(word_at(l, l->mine + 8), memory_order_relaxed);

    return (struct record){.len = (uint32_t)what,
                           .gso_size = (uint16_t)(what >> 32),
                           .flags = (uint8_t)(what >> 48),
                           .csum_start = (uint16_t)sum,
                           .csum_offset = (uint16_t)(sum >> 16)};
}

static void read_bytes(const struct lane *l, uint32_t index, uint8_t *to, uint32_t len)
{
    uint32_t at = index & (l->size - 1);
    uint32_t first = l->size - at < len ? l->size - at : len;

    memcpy(to, l->bytes + at, first);
    memcpy(to + first, l->bytes, len - first);
    /* The copy is what counts from here on: the compiler may not look at the source again. */
    atomic_signal_fence(memory_order_seq_cst);
}

static bool is_frame(const struct record *r)
{
    if (r->len < 14 || r->flags & ~FLAGS_KNOWN)
        return false;
    return !(r->flags & WEIR_CSUM_PARTIAL) ||
           (uint32_t)r->csum_start + r->csum_offset + 2 <= r->len;
}

enum lane_result lane_take(struct lane *l, struct weir_frame *f, uint8_t *to)
{
    uint32_t bytes;
    struct record r;

    if (!available(l, &bytes))
        return LANE_LIE;
    if (!bytes)
        return LANE_EMPTY;
    r = read_words(l);
    if (r.len > LANE_FRAME_MAX || record_bytes(r.len) > bytes)
        return LANE_LIE;
    read_bytes(l, l->mine + RECORD_ALIGN, to, r.len);
    l->mine += record_bytes(r.len);
    if (!is_frame(&r))
        return LANE_BAD;
    *f = (struct weir_frame){.part = {{to, r.len}},
                             .parts = 1,
                             .flags = r.flags,
                             .gso_size = r.gso_size,
                             .csum_start = r.csum_start,
                             .csum_offset = r.csum_offset};
    return LANE_OK;
}

void lane_release(struct lane *l)
{
    atomic_store_explicit(&l->control->tail, l->mine, memory_order_release);
}

bool lane_sleep(struct lane *l)
{
    atomic_store_explicit(&l->control->is_asleep, 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&l->control->head, memory_order_acquire) == l->mine)
        return true;
    atomic_store_explicit(&l->control->is_asleep, 0, memory_order_relaxed);
    return false;
}
