/* One socket as `weir ss` shows it, and what it was asked to show.
 *
 * Knows: nothing of daemons. Shape: plain values. Units: bytes, us. Errors: none.
 * Cost: none. */
#ifndef CLI_SS_H
#define CLI_SS_H

#include <stdbool.h>
#include <stdint.h>

#define SS_TEXT 80

struct ss_sock {
    int protocol, state, pid, timer_n;
    unsigned recv_queue, send_queue;
    char local[SS_TEXT], local_port[8], peer[SS_TEXT], peer_port[8];
    char process[32], timer[24], daemon[32];
    long long timer_left_us;
    unsigned cwnd, ssthresh, srtt_us, rttvar_us, rto_us, mss, in_flight, retrans, segs_out;
    unsigned long long bytes_acked, bytes_received;
};

struct ss_ask {
    bool tcp, udp, listening, all, process, info, timers, summary, no_header, one_line, json;
    int family;       /* 0, 4, 6 */
    int state;        /* 0: as the flags say */
    int sport, dport; /* 0: any */
};

const char *ss_state_name(int state);
/* The state of this name, in ss's spelling, or 0. */
int ss_state_of(const char *name);
extern const char *const ss_state_words[];

/* ss_gather.c. How many; *sock is to be freed. Says so on stderr when no stack runs. */
int ss_gather(const struct ss_ask *ask, struct ss_sock **sock);
/* The fields of a daemon's line, which is cut up. False: it is not one. */
bool ss_read_line(char *line, struct ss_sock *s);
bool ss_is_wanted(const struct ss_ask *ask, const struct ss_sock *s);

/* ss_print.c */
void ss_print(const struct ss_ask *ask, const struct ss_sock *s, int n);
void ss_print_summary(const struct ss_sock *s, int n);
void ss_print_json(const struct ss_sock *s, int n);

#endif
