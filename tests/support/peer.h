/* The packet-test language: a stack at 10.0.0.1 in virtual time against peers at 10.0.0.2 that are
 * written by hand.
 *
 * Sequence numbers are relative: .seq counts from the peer's first number, .ack from the stack's
 * (both SYNs are 0; the peer's wrap after 60). Timestamps too: the peer's are plain numbers; the
 * stack's begin at 1 with its SYN and count milliseconds. expect() compares the fields that are
 * named. What the stack sends lands in a queue, with its instant, after each verb; a test that
 * leaves something there, or that ends with an anomaly counter it did not name, fails. Text is a
 * pattern, each byte of which is compared in both directions. */
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
#define CLOSED_WINDOW 0x10000u
#define NO_SACK 0xff

#define NOT_ECT 4 /* struct segment.ecn of what is not marked */
#define ECT0 2
#define CE 3

enum { ECE = TCP_ECE, CWR = TCP_CWR };
enum { FIN = TCP_FIN, SYN = TCP_SYN, RST = TCP_RST, PSH = TCP_PSH, ACK = TCP_ACK, URG = TCP_URG };

struct segment {
    uint8_t flags;     /* expect: PSH is compared only where it is named */
    uint32_t seq, ack; /* relative; expect: ANY if not to be compared */
    uint32_t len;
    uint32_t wnd;   /* as on the wire. inject: 0 means 65535; CLOSED_WINDOW is zero */
    uint16_t mss;   /* option; 0: none */
    uint8_t wscale; /* option + 1; 0: none */
    bool sack_ok, has_ts;
    uint32_t tsval, tsecr;
    uint16_t urg;
    uint8_t sacks;         /* expect: counted from .sack if not given; NO_SACK: there is none */
    struct tcp_sack_spec { /* relative */
        uint32_t start, end;
    } sack[TCP_SACK_MAX];
    bool ae;      /* accurate ECN's bit */
    uint8_t accs; /* and counters of its option; expect: 0 if not to be compared */
    bool is_acc_1;
    uint32_t acc[TCP_ACC_MAX];
    uint8_t ecn;      /* of the IP header. expect: 0 if not to be compared, NOT_ECT */
    uint16_t port;    /* the peer's, where it is not the usual one */
    const char *drop; /* inject: the verdict; NULL: it passes */
};

/* A segment of the stack, with absolute numbers. */
struct got {
    int64_t at_ns;
    struct tcp_hdr h;
    uint32_t len;
    struct weir_why why; /* what it was sent for */
    uint8_t tos;
    bool is_whole; /* nobody on the way may cut it: DF, or IPv6 */
    uint8_t text[1500];
};

struct peer_net; /* the stack, the clock, what was sent */

struct peer {
    struct peer_net *net;
    struct weir_stack *stack;
    int sock, listener;
    uint32_t isn, stack_isn; /* absolute */
    bool has_isn;
    uint16_t port, stack_port;
    bool has_ts;
    uint32_t ts_first; /* of the stack, minus 1 */
    uint32_t written;  /* bytes that the program wrote */
    uint32_t read;     /* and read */
};

struct peer_config {
    uint16_t mss; /* 1460 */
    bool sack_ok, has_ts;
    uint8_t wscale;  /* + 1 */
    uint32_t wnd;    /* of the SYN; 0: 65535 */
    bool is_active;  /* the stack connects */
    uint32_t rcvbuf; /* SO_RCVBUF of the listener or the socket; 0: the default */
    uint16_t mtu;    /* 1500 */
    int backlog;     /* 8 */
    bool is_shared;  /* SO_REUSEADDR of the listener or the socket */
    const char *knob, *value;
    const char *knob2, *value2;
};

/* -- beginnings and the end -------------------------------------------------------------------- */
struct peer peer_begin(const struct peer_config *c); /* a stack and nothing else */
struct peer peer_listening(const struct peer_config *c);
struct peer peer_connecting(const struct peer_config *c); /* its SYN was expected */
struct peer peer_established(const struct peer_config *c);
struct peer peer_other(const struct peer *p, uint16_t port); /* another peer of the same stack */
void peer_end(struct peer *p);
void peer_forget(void); /* the end without its checks */

#define begin(...) peer_begin(&(struct peer_config){__VA_ARGS__})
#define listening(...) peer_listening(&(struct peer_config){__VA_ARGS__})
#define connecting(...) peer_connecting(&(struct peer_config){__VA_ARGS__})
#define established(...) peer_established(&(struct peer_config){__VA_ARGS__})

/* -- the wire ---------------------------------------------------------------------------------- */
void inject_segment(struct peer *p, const struct segment *s, const char *where, int line);
uint16_t inject_and_judge(struct peer *p, const struct segment *s); /* the verdict, not compared */
/* An ICMP error about the segment at `seq` (relative, of the stack); the verdict. */
uint16_t inject_icmp(struct peer *p, uint8_t type, uint8_t code, uint32_t rest, uint32_t seq);
void expect_segment(struct peer *p, const struct segment *s, const char *where, int line);
void expect_segment_after(struct peer *p, int64_t ms, const struct segment *s, const char *where,
                          int line);
void expect_quiet_at(struct peer *p, const char *where, int line);
void expect_state_at(struct peer *p, int state, const char *where, int line);
/* The states that the connection entered since this was last asked, in order. */
void expect_path_at(struct peer *p, const char *path, const char *where, int line);
unsigned peer_edge_count(int from, int to); /* taken by this program so far */
void expect_stat_at(struct peer *p, const char *name, uint64_t n, const char *where, int line);
bool peer_next(struct peer *p, struct got *out); /* the oldest that waits */
void advance_ms(struct peer *p, int64_t ms);
int64_t peer_now_ms(const struct peer *p);
int peer_state(struct peer *p); /* of the one connection; 0: none is left */

#define inject(p, ...) inject_segment(p, &(struct segment){__VA_ARGS__}, __FILE__, __LINE__)
#define SEGMENT_SPEC(...)                               \
    &(struct segment)                                   \
    {                                                   \
        .seq = ANY, .ack = ANY, .len = ANY, __VA_ARGS__ \
    }
#define expect(p, ...) expect_segment(p, SEGMENT_SPEC(__VA_ARGS__), __FILE__, __LINE__)
/* Silence until it comes, exactly `ms` from now. */
#define expect_after(p, ms, ...) \
    expect_segment_after(p, ms, SEGMENT_SPEC(__VA_ARGS__), __FILE__, __LINE__)
#define expect_quiet(p) expect_quiet_at(p, __FILE__, __LINE__)
#define expect_state(p, s) expect_state_at(p, s, __FILE__, __LINE__)
#define expect_path(p, path) expect_path_at(p, path, __FILE__, __LINE__)
#define expect_stat(p, name, n) expect_stat_at(p, name, n, __FILE__, __LINE__)

/* -- the program ------------------------------------------------------------------------------- */
void app_accept(struct peer *p);
void app_write(struct peer *p, uint32_t n);     /* the pattern; all of it fits */
void app_read(struct peer *p, uint32_t n);      /* exactly this much is there */
void app_read_error(struct peer *p, int error); /* 0: the end of the stream */
void app_close(struct peer *p);
void app_shut_write(struct peer *p);
int app_error(struct peer *p); /* SO_ERROR, which is cleared */
void app_option(struct peer *p, int level, int name, int value);

/* -- tests, run in the order in which they are written; WEIR_TEST=name runs one ------------------
 */
void peer_test_add(const char *name, CMUnitTestFunction function);
int peer_tests_run(const char *group);

#define TEST(name)                                            \
    static void name(void);                                   \
    static void name##_run(void **state)                      \
    {                                                         \
        (void)state;                                          \
        name();                                               \
    }                                                         \
    __attribute__((constructor)) static void name##_add(void) \
    {                                                         \
        peer_test_add(#name, name##_run);                     \
    }                                                         \
    static void name(void)

/* -- peer_wire.c: bytes ------------------------------------------------------------------------ */
#define PEER_FRAME_MAX 2048
uint8_t peer_byte(bool is_from_stack, uint32_t relative);
uint32_t peer_build(const struct peer *p, const struct segment *s, uint8_t *frame); /* its length */
const char *peer_parse(const uint8_t *frame, uint32_t len,
                       struct got *out); /* NULL, or what is wrong */
void peer_print_segment(const struct segment *s, char *text, size_t size);
void peer_relative(const struct peer *p, const struct got *g, struct segment *out);

#endif
