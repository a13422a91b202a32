/* The packet-test language: a stack at 10.0.0.1 in virtual time against a peer that is written by
 * hand.
 *
 * Sequence numbers are relative: .seq counts from the peer's first number, .ack from the stack's
 * (both SYNs are 0). expect() compares the fields that are named; a field that is not named is not
 * looked at. A mismatch prints what came. */
#ifndef SUPPORT_PEER_H
#define SUPPORT_PEER_H

#include <stdarg.h>
#include <stdbool.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "weir/weir.h"
#include "wire/wire.h"

#define ANY 0xffffffffu

struct segment {
    uint8_t flags;
    uint32_t seq, ack; /* relative; expect: ANY if not to be compared */
    uint32_t len;
    uint32_t wnd;   /* inject: 0 means 65535; CLOSED_WINDOW is zero. expect: 0 is not compared */
    uint16_t mss;   /* option; 0: none */
    uint8_t wscale; /* option + 1; 0: none */
    bool sack_ok, has_ts;
    uint32_t tsval, tsecr;
    uint32_t sack_start, sack_end; /* expect: first block */
};
#define CLOSED_WINDOW 0x10000u

struct peer {
    struct weir_stack *stack;
    int ifindex, sock, listener;
    int64_t now_ns;
    uint32_t isn, stack_isn; /* absolute */
    bool has_isn;
    uint16_t port, stack_port;
    bool has_ts;
};

struct peer_config {
    uint16_t mss; /* 1460 */
    bool sack_ok, has_ts;
    bool is_active; /* the stack connects */
    const char *knob, *value;
};

struct peer peer_begin(const struct peer_config *c); /* a stack and nothing else */
struct peer peer_established(const struct peer_config *c);
void peer_end(struct peer *p);

void inject_segment(struct peer *p, const struct segment *s);
void expect_segment(struct peer *p, const struct segment *s, const char *where, int line);
void expect_quiet_at(struct peer *p, const char *where, int line);
void expect_state_at(struct peer *p, int state, const char *where, int line);
void advance_ms(struct peer *p, int64_t ms);
int peer_state(struct peer *p); /* of the one connection; 0: none is left */

#define established(...) peer_established(&(struct peer_config){__VA_ARGS__})
#define inject(p, ...) inject_segment(p, &(struct segment){__VA_ARGS__})
#define expect(p, ...)                                                                    \
    expect_segment(p, &(struct segment){.seq = ANY, .ack = ANY, .len = ANY, __VA_ARGS__}, \
                   __FILE__, __LINE__)
#define expect_quiet(p) expect_quiet_at(p, __FILE__, __LINE__)
#define expect_state(p, s) expect_state_at(p, s, __FILE__, __LINE__)

#endif
