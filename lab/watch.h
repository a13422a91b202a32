/* What connections, listeners and links were like over time: the curves of a report.
 *
 * Knows: the engine, libweir's info. Not how it is drawn. Shape: a sample is kept when a value
 * changed; a curve that is full keeps every other one and goes on half as densely.
 * Units: ns, bytes, us as in weir_sock_info. Errors: no memory ends the program; more ends than
 * WATCH_ENDS_MAX are counted in `missed`. Cost: O(endpoints) an instant, at most WATCH_WALK_MAX. */
#ifndef LAB_WATCH_H
#define LAB_WATCH_H

#include "lab/net.h"

#define WATCH_ENDS_MAX 64
#define WATCH_WALK_MAX 256 /* endpoints of a node that are looked at, at one instant */
#define WATCH_SAMPLES_MAX 2048
#define WATCH_VALUES 13

enum watch_value { /* of an end; ssthresh 0: not yet set */
                   WATCH_STATE,
                   WATCH_CWND,
                   WATCH_SSTHRESH,
                   WATCH_IN_FLIGHT,
                   WATCH_SND_WND,
                   WATCH_RCV_WND,
                   WATCH_SRTT_US,
                   WATCH_RTO_US,
                   WATCH_UNSENT,
                   WATCH_SEND_QUEUE,
                   WATCH_RECV_QUEUE,
                   WATCH_RETRANS,
                   WATCH_BACKOFF
};
/* Of a listener: connections that wait for accept(), how many may, handshakes under way. */
enum { WATCH_WAITING, WATCH_MOST, WATCH_HALF_OPEN, WATCH_LISTEN_VALUES };

struct watch_sample {
    int64_t at;
    uint32_t value[WATCH_VALUES];
};

struct watch_curve {
    struct watch_sample *sample;
    int samples, room, values;
    uint32_t stride, skipped; /* every stride-th change is kept */
};

struct watch_end {
    int node;
    bool is_listener;
    struct weir_sockaddr local, peer;
    struct weir_sock_info last; /* as it was seen last */
    struct watch_curve curve;
};

struct watch {
    const struct lab *lab;
    struct watch_end end[WATCH_ENDS_MAX];
    int ends;
    uint64_t missed;                            /* looks at an end for which there was no room */
    struct watch_curve queue[LAB_LINKS_MAX][2]; /* value 0: bytes that wait for the wire */
};

struct watch *watch_new(const struct lab *lab);
void watch_free(struct watch *w);
/* At the end of an instant. */
void watch_look(struct watch *w);
/* "state", "cwnd" ...; is_listener: "waiting" ... */
const char *watch_value_name(int value, bool is_listener);

#endif
