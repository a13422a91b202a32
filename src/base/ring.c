/* Byte rings: see ring.h.
 *
 * Knows: mem. Not what the bytes mean. Shape: the buffer's size is a power of two, so that an
 * offset wraps by a mask. Units: bytes, offsets from the first readable byte.
 * Errors: ring_reserve says false and leaves the ring as it is.
 * Cost: O(1) and the copy. */
#include "base/ring.h"

#include <string.h>

#include "base/must.h"

#define RING_MIN 2048u
#define RING_MAX 0x80000000u

/* Into a larger buffer; what may be readable in the old one goes along. */
static bool move(struct ring *r, struct mem *m, uint32_t size, uint32_t used)
{
    uint8_t *buf = mem_alloc(m, size);

    if (!buf)
        return false;
    if (r->buf) {
        ring_peek(r, 0, buf, used);
        mem_free(m, r->buf, r->size);
    }
    r->buf = buf;
    r->size = size;
    r->head = 0;
    return true;
}

bool ring_reserve(struct ring *r, struct mem *m, uint32_t capacity, uint32_t used)
{
    uint32_t size = RING_MIN;

    must(used >= r->len && used <= r->size);
    if (capacity <= r->size)
        return true;
    if (capacity > RING_MAX)
        return false;
    while (size < capacity)
        size <<= 1;
    return move(r, m, size, used);
}

bool ring_shrink(struct ring *r, struct mem *m)
{
    struct ring less = {0};

    if (r->size <= RING_MIN || r->len > r->size / 2 ||
        !ring_reserve(&less, m, r->len ? r->len : 1, 0))
        return false;
    ring_peek(r, 0, less.buf, r->len);
    less.len = r->len;
    mem_free(m, r->buf, r->size);
    *r = less;
    return true;
}

void ring_release(struct ring *r, struct mem *m)
{
    mem_free(m, r->buf, r->size);
    *r = (struct ring){0};
}

int ring_slices(const struct ring *r, uint32_t off, uint32_t n, struct ring_slice out[2])
{
    uint32_t at = (r->head + off) & (r->size - 1);
    uint32_t to_end = r->size - at;

    must(n > 0 && off <= r->size && n <= r->size - off);
    if (n <= to_end) {
        out[0] = (struct ring_slice){r->buf + at, n};
        return 1;
    }
    out[0] = (struct ring_slice){r->buf + at, to_end};
    out[1] = (struct ring_slice){r->buf, n - to_end};
    return 2;
}

void ring_place(struct ring *r, uint32_t off, const void *src, uint32_t n)
{
    struct ring_slice part[2] = {{NULL, 0}}; /* one may be left: a compiler that inlines sees it */

    if (!n)
        return;
    if (ring_slices(r, off, n, part) == 2)
        memcpy(part[1].data, (const uint8_t *)src + part[0].len, part[1].len);
    memcpy(part[0].data, src, part[0].len);
}

void ring_peek(const struct ring *r, uint32_t off, void *dst, uint32_t n)
{
    struct ring_slice part[2] = {{NULL, 0}}; /* one may be left: a compiler that inlines sees it */

    if (!n)
        return;
    if (ring_slices(r, off, n, part) == 2)
        memcpy((uint8_t *)dst + part[0].len, part[1].data, part[1].len);
    memcpy(dst, part[0].data, part[0].len);
}
