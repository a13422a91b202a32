/* The shared object's parts: the node, its lock, and calls that really wait.
 *
 * Knows: node.h. Shape: two threads at most: packetdrill's own, which moves the clock, and one that
 * makes the calls which wait. Whoever moves something lets those that wait try again, and goes on
 * when all of them have. Units: microseconds. Errors: errno. Cost: a lock for each call. */
#ifndef PACKETDRILL_SO_SO_H
#define PACKETDRILL_SO_SO_H

#include <pthread.h>

#include "packetdrill/node.h"
#include "packetdrill/so/abi.h"

struct so {
    struct node *node;
    pthread_mutex_t lock;
    pthread_cond_t moved, tried;
    unsigned turn;       /* counts what moved */
    int waiting, trying; /* calls that wait; those that have not tried since the last turn */
    int64_t first_until; /* when the first of them gives up */
    /* A call that waited is over: its thread's next `now` is when it ended, however far the other
     * thread has moved the clock since. */
    pthread_t over_thread;
    int64_t over_us;
    bool is_over;
    bool is_ending;
};

struct so_call { /* one call that may wait */
    int64_t (*attempt)(struct so *s, struct so_call *c);
    struct node_wait wait;
    struct node_io io;
    struct iovec iov;
    int fd, number; /* flags, a count, milliseconds: what the call takes besides */
    void *set;
};

/* Makes the call, waits as long as it blocks; -1 and errno. Takes and leaves the lock. */
int64_t so_call(struct so *s, struct so_call *c);
int64_t so_result(int64_t v); /* -errno to -1 and errno */
void so_moved(struct so *s);  /* something happened; the lock is held */
/* Runs the clock to `us`, from deadline to deadline, or until a packet was sent. */
void so_run(struct so *s, int64_t us, bool stops_at_packet);

void so_fill_calls(struct so_table *table); /* slots.c, slots_data.c */
void so_fill_data(struct so_table *table);

#endif
