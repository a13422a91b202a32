/* A member of a wire: what its three files share.
 *
 * Knows: lanes, memory, MACs, meeting. Shape: a peer is a connection and a piece of memory, whoever
 * made it; a guest has connected and not said yet who it is. wire_peers.c lets peers come and go,
 * wire_frames.c moves frames, wire.c is the driver.
 * Units: ns, bytes. Errors: a peer that breaks a rule goes; nothing else does. Cost: as there. */
#ifndef DRIVERS_WIRE_H
#define DRIVERS_WIRE_H

#include <weir/driver.h>

#include "drivers/linear.h"
#include "drivers/wire_lane.h"
#include "drivers/wire_macs.h"
#include "drivers/wire_meet.h"
#include "drivers/wire_memory.h"

#define WIRE_GUESTS 8
#define WIRE_MEMBERS_MAX 1024
#define LOOK_EVERY 16 /* bursts, while frames flow */
#define ETHER_HEADER 14

struct wire_peer {
    int fd; /* -1: this place is free */
    struct wire_memory memory;
    struct lane out, in;
    uint32_t shown;   /* out.mine when it was last published */
    uint64_t mac;     /* that it says is its own; 0: it did not say yet, or another has it */
    char id[MEET_ID]; /* to whom we connected; "": it connected to us */
    bool takes_super;
    bool is_ending; /* it is gone: what it left is taken, up to `left` bytes, and then its memory */
    uint32_t left;
};

struct wire {
    struct weir_link link;
    char name[MEET_NAME_MAX + 1], id[MEET_ID];
    uint32_t ring_bytes;
    bool takes_super;
    int folder, listener, reserve, epoll;
    struct wire_peer *peer;
    int peers_max;
    int top; /* places from here on are free */
    struct wire_guest {
        int fd; /* -1: free */
        int64_t until;
    } guest[WIRE_GUESTS];
    struct macs macs;
    uint64_t mac;
    struct weir_frame *burst; /* that is being filled */
    int turn;                 /* the peer that is served first */
    int unlooked;             /* bursts since the sockets were looked at */
    bool is_awake;            /* a lane may have frames that nobody will wake us for */
    struct weir_wire_stats stats;
    uint8_t (*buffer)[LANE_FRAME_MAX]; /* WEIR_BURST_MAX of them */
    uint8_t *whole, *piece;            /* LANE_FRAME_MAX each: for a peer that wants plain frames */
};

/* wire_peers.c */
/* Connects to all who are there. -ENOSPC: they are too many; -EADDRINUSE: one has our MAC. */
int peers_join(struct wire *w);
void peers_look(struct wire *w, int64_t now_ns);
void peer_cut_off(struct wire *w, struct wire_peer *p); /* at once */
int64_t guests_deadline(const struct wire *w);
bool wire_watch(struct wire *w, int fd, uint64_t what);

#define WATCH_LISTENER UINT64_MAX
#define WATCH_GUEST (UINT64_C(1) << 32)

/* wire_frames.c */
int frames_take(struct wire *w, struct weir_frame *burst, int max, int64_t now_ns);
bool frames_sleep(struct wire *w); /* true: each lane is empty, and its peer will wake us */
void frames_give(struct wire *w, const struct weir_frame *f, int64_t now_ns);
void frames_show(struct wire *w); /* publishes what was given */

#endif
