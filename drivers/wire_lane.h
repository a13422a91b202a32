/* One direction of a wire between two processes: frames through shared memory.
 *
 * Knows: struct weir_frame and where a lane lies in memory. Not who is at its other end.
 * Shape: one producer, one consumer, a ring of records; each end believes only its own index. What
 * the other end wrote is read once, into a copy, and judged there: a peer can lose its own frames
 * and nothing else. Units: bytes; indices run freely and wrap at 2^32. Errors: enum lane_result.
 * Cost: one copy a frame at each end; the shared index is read when the known part is used up. */
#ifndef DRIVERS_WIRE_LANE_H
#define DRIVERS_WIRE_LANE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <weir/frame.h>

#define LANE_FRAME_MAX (14 + 65535) /* an Ethernet header and an IP packet */
#define LANE_BYTES_MIN (1u << 17)   /* room for the largest frame, and a power of two */
#define LANE_BYTES_MAX (1u << 28)

/* What both ends see. Each line is written by one end, but for `is_asleep`. */
struct lane_control {
    alignas(64) _Atomic uint32_t head;      /* the producer: published up to here */
    alignas(64) _Atomic uint32_t tail;      /* the consumer: taken up to here */
    alignas(64) _Atomic uint32_t is_asleep; /* the consumer wants to be woken */
};

/* One end of a lane. */
struct lane {
    struct lane_control *control;
    uint8_t *bytes;
    uint32_t size;   /* a power of two */
    uint32_t mine;   /* our index: of the next record that we write, or take */
    uint32_t theirs; /* the peer's, as last read and found possible */
};

enum lane_result {
    LANE_OK,
    LANE_EMPTY, /* nothing to take */
    LANE_FULL,  /* no room for this frame */
    LANE_BAD,   /* this frame is none, the next one may be */
    LANE_LIE,   /* the peer broke the rules: nothing that it says can be used any more */
};

static inline bool lane_size_fits(uint32_t size)
{
    return size >= LANE_BYTES_MIN && size <= LANE_BYTES_MAX && (size & (size - 1)) == 0;
}

/* -- the producer: OK, FULL, BAD (longer than LANE_FRAME_MAX), LIE -- */
enum lane_result lane_put(struct lane *l, const struct weir_frame *f);
/* Lets the consumer see what was put. True: it sleeps, and is to be woken. */
bool lane_publish(struct lane *l);

/* -- the consumer: OK with *f in `to`, which holds LANE_FRAME_MAX bytes; EMPTY, BAD, LIE -- */
enum lane_result lane_take(struct lane *l, struct weir_frame *f, uint8_t *to);
/* Gives the room of what was taken back to the producer. */
void lane_release(struct lane *l);
/* True: the lane is empty, and what comes next will wake. */
bool lane_sleep(struct lane *l);

#endif
