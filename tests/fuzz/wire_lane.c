/* The input is what a hostile member of a wire writes into the memory that it shares, and when.
 *
 * Knows: drivers/wire_lane.c. Shape: a step is a byte that says what we do (put, publish, take,
 * release, sleep), or a stretch of bytes that the peer writes somewhere. Our ends judge what they
 * find: they stay in the memory, give out possible frames only, and go on until they see a lie.
 * Units: bytes. Errors: abort. Cost: linear in the input. */
#include "fuzz.h"

#include "drivers/wire_lane.h"

struct shared {
    struct lane_control *control;
    uint8_t *bytes, *to;
    uint32_t size;
    struct lane out, in; /* ours: of one lane that leads to us, to see more with one input */
};

static void begin(struct shared *s, struct feed *f)
{
    uint32_t index = feed_number(f, 4) & ~15u;

    s->size = 256u << feed_number(f, 1) % 5;
    s->control = aligned_alloc(64, sizeof *s->control);
    s->bytes = aligned_alloc(64, s->size);
    s->to = malloc(s->size); /* no frame in a ring is longer than it */
    holds(s->control && s->bytes && s->to);
    memset(s->bytes, 0, s->size);
    atomic_init(&s->control->head, index);
    atomic_init(&s->control->tail, index);
    atomic_init(&s->control->is_asleep, 0);
    s->out = s->in = (struct lane){
        .control = s->control, .bytes = s->bytes, .size = s->size, .mine = index, .theirs = index};
}

static void end(struct shared *s)
{
    free(s->control);
    free(s->bytes);
    free(s->to);
}

/* The peer writes: to the control, to the record that is next, or anywhere in the ring. */
static void write_some(struct shared *s, struct feed *f)
{
    uint32_t where = feed_number(f, 1) % 3, at = where == 2 ? feed_number(f, 2) : 0;
    uint32_t room = where == 0 ? (uint32_t)sizeof *s->control : s->size;
    uint8_t *to = where == 0 ? (uint8_t *)s->control : s->bytes;
    size_t n = feed_number(f, 1) % 33;
    const uint8_t *bytes;

    at = (where == 0 ? feed_number(f, 1) % 3 * 64 : where == 1 ? s->in.mine : at) % room;
    n = n < room - at ? n : room - at;
    bytes = feed_bytes(f, &n);
    if (n)
        memcpy(to + at, bytes, n);
}

/* Indices that are possible are hard to guess. */
static void move_index(struct shared *s, struct feed *f)
{
    uint32_t by = feed_number(f, 1) * 16;

    if (by & 16)
        atomic_fetch_add(&s->control->head, by);
    else
        atomic_fetch_add(&s->control->tail, by);
}

static bool put(struct shared *s, struct feed *f)
{
    static const uint8_t bytes[70000];
    uint32_t len = feed_number(f, 2) + (feed_number(f, 1) == 0xff ? 5000 : 0);
    struct weir_frame frame = {
        .part = {{bytes, len / 2}, {bytes, len - len / 2}}, .parts = 2, .flags = (uint8_t)len};
    uint32_t before = s->out.mine;
    enum lane_result r = lane_put(&s->out, &frame);

    holds(r == LANE_OK || s->out.mine == before);
    holds(r != LANE_OK || len + 16 <= s->size);
    holds((r == LANE_BAD) == (len > LANE_FRAME_MAX));
    return r != LANE_LIE;
}

static bool take(struct shared *s)
{
    struct weir_frame f;
    uint32_t before = s->in.mine, moved;
    enum lane_result r = lane_take(&s->in, &f, s->to);

    moved = s->in.mine - before;
    holds(moved <= s->size && moved % 16 == 0);
    holds((r == LANE_OK || r == LANE_BAD) == (moved > 0)); /* each turn of a loop gets further */
    if (r != LANE_OK)
        return r != LANE_LIE;
    holds(f.parts == 1 && f.part[0].data == s->to);
    holds(f.part[0].len >= 14 && f.part[0].len + 16 <= moved);
    holds(!(f.flags & ~WEIR_CSUM_PARTIAL));
    holds(!f.flags || f.csum_start + f.csum_offset + 2u <= f.part[0].len);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    struct shared s;
    bool goes_on = true;

    begin(&s, &f);
    while (goes_on && f.size) {
        switch (feed_number(&f, 1) % 8) {
        case 0:
            goes_on = put(&s, &f);
            break;
        case 1:
            lane_publish(&s.out);
            break;
        case 2:
        case 3:
            goes_on = take(&s);
            break;
        case 4:
            lane_release(&s.in);
            break;
        case 5:
            lane_sleep(&s.in);
            break;
        case 6:
            move_index(&s, &f);
            break;
        default:
            write_some(&s, &f);
        }
    }
    end(&s);
    return 0;
}

FUZZ_MAIN(20000)
