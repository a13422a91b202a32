/* Links: what joins a stack to a network. A driver is a table of five functions (and one that may
 * be missing) over an object that begins with struct weir_link; a wrapper (impairments, capture) is
 * a driver that owns another.
 *
 * Drivers make system calls and may block nothing. They are used by one thread. */
#ifndef WEIR_DRIVER_H
#define WEIR_DRIVER_H

#include <stdbool.h>

#include <weir/frame.h>
#include <weir/stack.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_link;

#define WEIR_LOSSES_MAX 16 /* reasons that one link has at most */

/* Frames that a link itself lost, before the stack saw them or after it had sent them. */
struct weir_link_loss {
    const char *why; /* "rx_full" */
    const char *doc; /* what it means, and what to try */
    uint64_t frames;
};

struct weir_driver {
    const char *name;
    /* Takes up to max frames from the link; they are valid until the next recv. Returns how many, 0
     * for none now, or -errno (-ENETDOWN: the link is gone for good). Wrappers read the judgement
     * that weir_input leaves in `burst` at the next call of send, recv or close: whoever lets go of
     * the array before calls send first, with n 0 if there is nothing to send. */
    int (*recv)(struct weir_link *link, struct weir_frame *burst, int max, int64_t now_ns);
    /* Gives n frames to the link and returns n, or -errno. It copies or writes them all before it
     * returns; what finds no room is dropped and counted by the driver, as a network card does. n
     * may be 0. */
    int (*send)(struct weir_link *link, struct weir_frame *burst, int n, int64_t now_ns);
    /* When recv or send is to be called again although no descriptor woke; WEIR_NEVER. */
    int64_t (*deadline)(struct weir_link *link);
    /* A descriptor that polls readable when recv has work, or -1. */
    int (*fd)(struct weir_link *link);
    void (*close)(struct weir_link *link); /* frees the object and what it wraps */
    /* Fills in at most `max` reasons, also those that count 0, and returns how many there are.
     * NULL: it loses nothing, or counts it elsewhere. */
    int (*losses)(struct weir_link *link, struct weir_link_loss *out, int max);
};

struct weir_link {
    const struct weir_driver *driver;
    struct weir_iface_config iface; /* what the link is and can do: hand it to weir_iface_add */
};

/* One round for one interface: recv, weir_input, weir_advance, weir_output, send, until nothing
 * moves or `rounds` are through. Returns the number of frames that moved, or -errno of the link. */
int weir_link_pump(struct weir_link *link, struct weir_stack *stack, int ifindex, int64_t now_ns,
                   int rounds);
/* What to wait for between two pumps: a descriptor that polls readable when the link has frames
 * (-1: it has none), */
int weir_link_fd(struct weir_link *link);
/* and an instant: 0 if the stack has something to send, else the earlier deadline of stack and
 * link, or WEIR_NEVER. */
int64_t weir_link_deadline(struct weir_link *link, const struct weir_stack *stack);
/* A deadline as the timeout of poll() and epoll_wait(): ms, rounded up; -1 for WEIR_NEVER. */
int weir_poll_ms(int64_t deadline_ns, int64_t now_ns);
/* What the link lost, by reason; of a wrapper, what the link within lost. Returns how many reasons
 * were filled in, at most `max`. */
int weir_link_losses(struct weir_link *link, struct weir_link_loss *out, int max);
/* Frees the link and what it wraps; NULL is allowed. The stack stays. */
void weir_link_close(struct weir_link *link);
/* CLOCK_MONOTONIC in nanoseconds, for callers that live in real time. */
int64_t weir_clock_ns(void);
/* What to add to it for the time since 1970; moves when somebody sets the clock. */
int64_t weir_clock_epoch_ns(void);

/* -- drivers -------------------------------------------------------------------------------------
 */

/* mem: the far end of the link is an interface of another stack of the same thread. Frames cross by
 * reference, without a copy; the near pump drives both stacks. */
struct weir_link *weir_mem_open(struct weir_stack *far, int far_ifindex,
                                const struct weir_iface_config *near_iface);

/* tap: a TAP device with IFF_VNET_HDR; offloads on. name NULL or "": the kernel chooses. Creates
 * the device if it is not there. NULL with *error filled (one line that names the next thing to
 * do). */
struct weir_link *weir_tap_open(const char *name, char *error, size_t error_size);
/* Before weir_iface_add: frames of the MTU's size with complete checksums, both ways. */
void weir_tap_no_offload(struct weir_link *link);
/* Frames that the device did not take (it is down, or out of memory). */
uint64_t weir_tap_dropped(struct weir_link *link);

/* wire: an Ethernet link that programs of one user on one machine share through memory, without
 * privilege and without the kernel's network. All who name the same wire are on it, as on a switch;
 * they come and go at any time. Zero means the preset. */
struct weir_wire_config {
    const char *name;    /* 1 to 15 letters, digits, '-', '_' */
    const char *folder;  /* where members meet; NULL: weir in XDG_RUNTIME_DIR, else /tmp/weir-UID */
    uint32_t ring_bytes; /* each way between two members: a power of two, 128 KiB to 256 MiB; 4 MiB.
                          * Who comes later decides for the pair. */
    int members_max;     /* with us, 2 to 1,024; 32 */
    uint32_t mtu;        /* 68 to 65,535; 1,500. The same for all, or large frames get lost. */
    uint8_t mac[6];      /* all zero: a random one. Who comes back with the address of before should
                          * come with its MAC: others ask for the one they know for seconds. */
    bool no_offload;     /* frames of the MTU's size with complete checksums, both ways */
};
/* What cannot be meant in it, or NULL. */
const char *weir_wire_mistake(const struct weir_wire_config *config);
/* NULL with *error filled (one line that names the next thing to do). */
struct weir_link *weir_wire_open(const struct weir_wire_config *config, char *error,
                                 size_t error_size);

struct weir_wire_stats {
    int members;         /* others on the wire now */
    uint64_t frames_in;  /* taken */
    uint64_t frames_out; /* given, once for each member that gets it */
    uint64_t flooded;    /* frames for all: groups, and whom nobody knows */
    uint64_t ring_full;  /* dropped: that member does not take them, or not fast enough */
    uint64_t bad_frames; /* dropped: too long, too short, or not as this member takes them */
    uint64_t liars;      /* members that broke the rules of the shared memory, and were cut off */
    uint64_t refused;    /* strangers, other versions, no room: on either side */
};
void weir_wire_stats(struct weir_link *link, struct weir_wire_stats *out);

/* packet: a station of the stack's own beside an Ethernet interface of the kernel's, by an
 * AF_PACKET socket; needs CAP_NET_RAW, and CAP_NET_ADMIN for more memory. `mac` is its own, NULL:
 * one is drawn; the kernel's stack does not answer for it. Like a macvlan it does not reach, by
 * that interface, the host that it runs on. NULL with *error filled. */
struct weir_link *weir_packet_open(const char *name, const uint8_t *mac, char *error,
                                   size_t error_size);
/* Before weir_iface_add: sends no superframes, and checksums complete. */
void weir_packet_no_offload(struct weir_link *link);

/* xdp: the same station by AF_XDP, which takes frames at the driver's door: less work for the
 * kernel on a card that has zero-copy, and no superframes. `queue` of the interface, from 0, or -1
 * for all of them. Needs root (CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF), Linux 5.11, an MTU of at most
 * 3,498. NULL with *error filled. */
struct weir_link *weir_xdp_open(const char *name, int queue, const uint8_t *mac, char *error,
                                size_t error_size);
/* The same in the kernel's general place for XDP, also where the driver has one of its own: slower,
 * and for a driver whose own place misbehaves. */
struct weir_link *weir_xdp_open_generic(const char *name, int queue, const uint8_t *mac,
                                        char *error, size_t error_size);
/* What the kernel and the driver agreed to: "zero-copy, native XDP, 2 queues". */
const char *weir_xdp_mode(const struct weir_link *link);

/* -- wrappers ------------------------------------------------------------------------------------
 */

/* One direction's impairments; all zero is a perfect link. Probabilities are in parts per billion.
 * Superframes cross a link that only delays. As soon as anything else is set, in either direction,
 * they are cut into frames: a loss then hits one segment, as on a wire. */
struct weir_impair_dir {
    int64_t delay_ns, jitter_ns; /* jitter: uniform in +-jitter, order kept */
    uint32_t loss_ppb, dup_ppb, corrupt_ppb;
    uint32_t reorder_ppb;  /* such a frame overtakes: it is sent without its delay */
    uint64_t rate_bps;     /* bits of frame per second, 0: no limit */
    uint32_t queue_frames; /* room before the rate limiter, in frames; 0: 1,000 */
    uint32_t mark_frames;  /* who finds so many there is marked CE if it is ECT (ECN); 0: nobody */
    uint64_t
        police_bps; /* what is faster for longer than `bucket_bytes` last is dropped; 0: none */
    uint32_t
        bucket_bytes; /* of frames that may come at once; 0: a tenth of a second's, or 15,000 */
};
struct weir_impair {
    struct weir_impair_dir up; /* what the stack sends */
    struct weir_impair_dir down;
    uint32_t mtu; /* 0: the link's */
    uint64_t seed;
};
/* Parses "delay 40ms jitter 5ms loss 1% reorder 2% dup 0.1% corrupt 0.01% rate 20mbit queue 100
 * mark 20 police 5mbit bucket 30000 mtu 1500"; words after "up:" or "down:" count for that
 * direction only. 0, or -EINVAL with one line in `error` that names the mistake and the nearest
 * right word. */
int weir_impair_parse(struct weir_impair *out, const char *text, char *error, size_t error_size);
struct weir_link *weir_impair_open(struct weir_link *inner, const struct weir_impair *impair);

struct weir_impair_stats {
    uint64_t lost, duplicated, corrupted, reordered, queue_full, policed, marked, passed;
};
/* dir 0: up, 1: down. */
void weir_impair_stats(struct weir_link *link, int dir, struct weir_impair_stats *out);

/* capture: writes each frame to a pcapng file with the stack's reason as its comment. Frames that
 * come in are written once the stack has judged them. NULL with *error filled. */
struct weir_link *weir_capture_open(struct weir_link *inner, const char *path, char *error,
                                    size_t error_size);
/* Nanoseconds to add to each time stamp, such as wall clock minus weir_clock_ns(); 0 at first. */
void weir_capture_epoch(struct weir_link *link, int64_t epoch_ns);
/* Copies the frame's parts to `to` with its checksum complete. Its length, or 0: longer than max.
 */
size_t weir_frame_copy(const struct weir_frame *frame, uint8_t *to, size_t max);
/* The same, but each frame is shown to a function; packet->iface is 0. NULL: no memory. */
struct weir_pcapng_packet;
typedef void (*weir_capture_fn)(void *arg, const struct weir_pcapng_packet *packet,
                                const struct weir_frame *frame);
struct weir_link *weir_capture_to(struct weir_link *inner, weir_capture_fn show, void *arg);
/* Ends a wrapper of weir_capture_to: what is left to show is shown. The inner link, which lives. */
struct weir_link *weir_capture_end(struct weir_link *link);
/* Writes out what is buffered. 0, or the -errno that stopped the capture; the link works on. */
int weir_capture_flush(struct weir_link *link);

#ifdef __cplusplus
}
#endif

#endif
