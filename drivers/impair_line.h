/* One direction of an impaired link: a bottleneck queue, a wire that loses, and a delay line.
 *
 * Knows: what to do to a frame, and when it comes out. Not where frames come from or go to.
 * Shape: two lists, `steady` and `hasty` (frames that overtake), each ordered by release instant.
 * Units: ns, bytes, frames. Errors: no room or no memory is a drop of the queue, and counted.
 * Cost: one copy a frame; buffers come from a cache, so nothing is allocated in the long run. */
#ifndef DRIVERS_IMPAIR_LINE_H
#define DRIVERS_IMPAIR_LINE_H

#include <stdbool.h>

#include <weir/driver.h>

/* What a line may hold at most: 64 MiB is half a second of 1 Gb/s. */
#define LINE_BYTES_MAX (64u << 20)

enum draw { DRAW_LOSS, DRAW_DUP, DRAW_CORRUPT, DRAW_BIT, DRAW_REORDER, DRAW_JITTER, DRAWS };

struct held; /* a frame on its way */

struct held_list {
    struct held *first, *last;
};

struct line {
    struct weir_impair_dir set;
    struct weir_impair_stats stats;
    uint64_t random[DRAWS]; /* a stream each, so that one impairment does not move another's hits */
    size_t link_len;        /* bytes of link header, which corruption spares */
    size_t extra_len;       /* bytes that each frame takes on the wire besides its own */
    bool is_shaped;         /* superframes are cut */
    struct held_list steady, hasty;
    int64_t steady_last_ns; /* release of the newest steady frame: jitter keeps the order */
    int64_t wire_free_at;   /* when the rate limiter has sent what it has */
    int64_t bucket_full_at; /* when the policer's bucket is full again */
    int64_t *departs;       /* ring of the instants at which queued frames leave the limiter */
    uint32_t depart_first, depart_count;
    uint64_t serial; /* of frames, to break ties between the lists */
    size_t held_bytes;
    struct held *lent;     /* given out by the last line_take */
    struct held *spare[2]; /* cache of small and of large buffers */
    uint8_t *scratch;      /* a superframe while it is cut */
};

bool line_init(struct line *l, const struct weir_impair_dir *set, uint64_t seed);
void line_fini(struct line *l);
/* A frame enters. It is copied, cut if need be, and waits; or it is lost. */
void line_put(struct line *l, const struct weir_frame *f, int64_t now_ns);
/* Frames that are due, oldest first. They are valid until the next line_take. */
int line_take(struct line *l, struct weir_frame *burst, int max, int64_t now_ns);
int64_t line_deadline(const struct line *l);

#endif
