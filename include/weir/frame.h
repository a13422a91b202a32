/* A frame as it crosses the border of a stack, in either direction.
 *
 * Out: part[0] is the header that the stack wrote, part[1] and part[2] point straight into the send
 * ring. All of it is valid until the next call on the same stack; the driver copies or writes it
 * before. In: all headers lie in part[0]; payload may go on in part[1] and part[2]. The stack
 * keeps nothing of it after weir_input returns, but fills in `why`, its judgement. */
#ifndef WEIR_FRAME_H
#define WEIR_FRAME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_BURST_MAX 64  /* frames in one call */
#define WEIR_FRAME_PARTS 3 /* slices in one frame */

struct weir_slice {
    const uint8_t *data;
    uint32_t len; /* bytes */
};

enum weir_frame_flag {
    /* The transport checksum field holds the folded pseudo-header sum only; who needs the rest sums
     * from csum_start to the end and stores the result at csum_start + csum_offset. */
    WEIR_CSUM_PARTIAL = 1,
    WEIR_CSUM_VALID = 2, /* in: the link vouches for the transport checksum */
};

/* Why the frame was sent, or what became of it; weir_why_text of trace.h says it in words. */
struct weir_why {
    uint16_t verdict; /* in: 0 passed, 1 kept, else 2 + index of weir_drop_name */
    uint16_t event;   /* which line of src/def/events.def, from 1; 0 if there is nothing to say */
    uint8_t from, to; /* states around the event, where it is a transition */
    uint8_t n, of;    /* "n of of", such as retransmission 2 of 15 */
};

struct weir_frame {
    struct weir_slice part[WEIR_FRAME_PARTS];
    uint8_t parts;        /* slices in use, 1 to 3 */
    uint8_t flags;        /* enum weir_frame_flag */
    uint16_t gso_size;    /* 0, or: payload is to be cut in (was joined from) pieces of this size */
    uint16_t csum_start;  /* bytes from the frame's start, with WEIR_CSUM_PARTIAL */
    uint16_t csum_offset; /* bytes from csum_start */
    uint16_t hdr_len;     /* out: bytes of link, IP and transport header in part[0] */
    struct weir_why why;
};

/* Bytes of the frame, over all its parts. */
static inline size_t weir_frame_len(const struct weir_frame *f)
{
    size_t n = 0;
    for (int i = 0; i < f->parts; i++)
        n += f->part[i].len;
    return n;
}

#ifdef __cplusplus
}
#endif

#endif
