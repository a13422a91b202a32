/* A fake link for tests of wrappers: hands out frames that the test laid in, keeps what was sent.
 *
 * Knows: the driver table. Shape: both queues hold copies, oldest first. Units: ns, bytes.
 * Errors: a full queue fails the test. Cost: none that matters. */
#ifndef TEST_DRIVERS_FAKE_H
#define TEST_DRIVERS_FAKE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <weir/weir.h>

#define FAKE_MAX 20000
#define MS INT64_C(1000000)

struct fake_frame {
    struct weir_frame frame;
    int64_t at;
    uint8_t *bytes;
};

struct fake {
    struct weir_link link;
    struct fake_frame in[FAKE_MAX], out[FAKE_MAX];
    int in_count, in_next, out_count;
    int64_t deadline;
    int recv_error;
    int *closed; /* counts closes, may be NULL */
};

static inline void fake_copy(struct fake_frame *to, const struct weir_frame *f, int64_t at)
{
    size_t n = 0;
    to->bytes = malloc(weir_frame_len(f) + 1);
    assert_non_null(to->bytes);
    for (int i = 0; i < f->parts; i++) {
        memcpy(to->bytes + n, f->part[i].data, f->part[i].len);
        n += f->part[i].len;
    }
    to->frame = *f;
    to->frame.parts = 1;
    to->frame.part[0] = (struct weir_slice){to->bytes, (uint32_t)n};
    to->at = at;
}

/* Lays in a frame that the next recv hands out. */
static inline void fake_arrive(struct fake *k, const struct weir_frame *f)
{
    assert_true(k->in_count < FAKE_MAX);
    fake_copy(&k->in[k->in_count++], f, 0);
}

static inline int fake_recv(struct weir_link *link, struct weir_frame *burst, int max, int64_t now)
{
    struct fake *k = (struct fake *)link;
    int n = 0;
    (void)now;
    if (k->recv_error)
        return k->recv_error;
    while (n < max && k->in_next < k->in_count)
        burst[n++] = k->in[k->in_next++].frame;
    return n;
}

static inline int fake_send(struct weir_link *link, struct weir_frame *burst, int n, int64_t now)
{
    struct fake *k = (struct fake *)link;
    for (int i = 0; i < n; i++) {
        assert_true(k->out_count < FAKE_MAX);
        fake_copy(&k->out[k->out_count++], &burst[i], now);
    }
    return n;
}

static inline int64_t fake_deadline(struct weir_link *link)
{
    return ((struct fake *)link)->deadline;
}

static inline int fake_fd(struct weir_link *link)
{
    (void)link;
    return 77;
}

static inline void fake_close(struct weir_link *link)
{
    struct fake *k = (struct fake *)link;
    for (int i = 0; i < k->in_count; i++)
        free(k->in[i].bytes);
    for (int i = 0; i < k->out_count; i++)
        free(k->out[i].bytes);
    if (k->closed)
        ++*k->closed;
    free(k);
}

static inline struct fake *fake_open(enum weir_link_type type)
{
    static const struct weir_driver driver = {.name = "fake",
                                              .recv = fake_recv,
                                              .send = fake_send,
                                              .deadline = fake_deadline,
                                              .fd = fake_fd,
                                              .close = fake_close};
    struct fake *k = calloc(1, sizeof *k);
    assert_non_null(k);
    k->link.driver = &driver;
    k->link.iface = (struct weir_iface_config){
        .name = "fake0", .type = type, .mtu = 1500, .gso_max = 65535, .flags = WEIR_IF_CSUM_TX};
    k->deadline = WEIR_NEVER;
    return k;
}

/* A frame of `len` bytes that begins with a big-endian number. `bytes` must outlive it. */
static inline struct weir_frame numbered(uint8_t *bytes, uint32_t len, uint32_t number)
{
    memset(bytes, 0, len);
    bytes[0] = (uint8_t)(number >> 24);
    bytes[1] = (uint8_t)(number >> 16);
    bytes[2] = (uint8_t)(number >> 8);
    bytes[3] = (uint8_t)number;
    return (struct weir_frame){.part = {{bytes, len}}, .parts = 1};
}

static inline uint32_t number_of(const struct weir_frame *f)
{
    const uint8_t *p = f->part[0].data;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The Internet checksum of big-endian words, written apart from the code under test. */
static inline uint16_t plain_sum(const uint8_t *p, size_t n, uint32_t acc)
{
    for (size_t i = 0; i < n; i++)
        acc += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (acc >> 16)
        acc = (acc & 0xffff) + (acc >> 16);
    return (uint16_t)acc;
}

/* An IPv4 TCP segment from 10.0.0.1 to 10.0.0.2 with `payload` bytes, FIN, PSH and CWR set, its TCP
 * checksum partial. Returns its length. */
static inline uint32_t build_tcp4(uint8_t *p, uint32_t payload)
{
    static const uint8_t head[40] = {0x45, 0,    0,    0,    0x12, 0x34, 0x40, 0, 64, 6,
                                     0,    0,    10,   0,    0,    1,    10,   0, 0,  2,
                                     0x30, 0x39, 0,    80,   0,    0,    0x10, 0, 0,  0,
                                     0x20, 0,    0x50, 0x99, 0xff, 0xff, 0,    0, 0,  0};
    uint32_t len = 40 + payload;
    uint16_t sum;
    memcpy(p, head, 40);
    for (uint32_t i = 0; i < payload; i++)
        p[40 + i] = (uint8_t)(i * 7 + i / 256);
    p[2] = (uint8_t)(len >> 8);
    p[3] = (uint8_t)len;
    sum = (uint16_t)~plain_sum(p, 20, 0);
    p[10] = (uint8_t)(sum >> 8);
    p[11] = (uint8_t)sum;
    sum = plain_sum(p + 12, 8, 6 + len - 20);
    p[36] = (uint8_t)(sum >> 8);
    p[37] = (uint8_t)sum;
    return len;
}

/* True if both checksums of a packet as build_tcp4 makes them are right. */
static inline bool tcp4_is_sound(const uint8_t *p, uint32_t len)
{
    return plain_sum(p, 20, 0) == 0xffff &&
           plain_sum(p + 20, len - 20, plain_sum(p + 12, 8, 6 + len - 20)) == 0xffff;
}

#endif
