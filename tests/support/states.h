/* The packet-test language: a connection in any state, for tests that hold in several of them.
 *
 * in_state(WEIR_CLOSING, .mss = 1000) arranges it with segments and calls only. Our FIN is sent by
 * shutdown(), so the program keeps its socket; text was neither sent nor received. numbers() says
 * where the sequence spaces stand then. */
#ifndef SUPPORT_STATES_H
#define SUPPORT_STATES_H

#include "support/peer.h"

/* Relative, as in struct segment. */
struct numbers {
    uint32_t una, nxt; /* SND.UNA, SND.NXT */
    uint32_t rcv_nxt;  /* RCV.NXT */
};

/* LISTEN; SYN_SENT; SYN_RECV (SYNs crossed, or a listener's where !is_active); the others. */
struct peer peer_in_state(int state, const struct peer_config *c);
struct numbers numbers(int state);

#define in_state(state, ...) peer_in_state(state, &(struct peer_config){__VA_ARGS__})
/* `int s` walks over the states that are named. */
#define each_state(s, ...)                                        \
    for (int states_[] = {__VA_ARGS__}, *at_ = states_, s = *at_; \
         at_ < states_ + sizeof states_ / sizeof states_[0] && (s = *at_, true); at_++)
/* Takes what waits and does not look at it: the test is about something else. */
void peer_forget_output(struct peer *p);
/* An inject() that has a timestamp if the connection has. */
#define inject_ts(p, ...) inject(p, .tsval = (p)->has_ts ? 1001 : 0, __VA_ARGS__)

#endif
