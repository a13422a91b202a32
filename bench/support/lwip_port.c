/*
 * Knows:  nothing of lwIP but what a port owes it: a clock, memory, a checksum.
 * Shape:  for one thread: no lock anywhere. Memory comes from a free list per size class, which
 *         is what lwIP's pools do, without their limits.
 * Units:  bytes, milliseconds.
 * Errors: no memory: NULL to lwIP, as its own allocator does.
 * Cost:   allocation and release O(1); the checksum runs at vector speed.
 */
#include "lwip_port.h"

#include "../bench.h"

#include <stdlib.h>
#include <string.h>

#define CLASS_SHIFT 6 /* size classes of 64 bytes; a TCP segment with headers is class 25 */
#define CLASS_COUNT 32

struct block {
    _Alignas(16) size_t size; /* as asked for */
    struct block *next;       /* while free */
};

static struct {
    struct block *free_list[CLASS_COUNT];
    size_t live_bytes;
    uint32_t now_ms;
    bool heap_only;
} port;

void lwip_port_use_heap(void)
{
    port.heap_only = true;
}

void lwip_port_tick(int virtual_ms)
{
    if (virtual_ms < 0)
        port.now_ms = (uint32_t)(bench_now_ns() / 1000000);
    else
        port.now_ms += (uint32_t)virtual_ms;
}

size_t lwip_port_live_bytes(void)
{
    return port.live_bytes;
}

/* lwIP's own name for it, in every port. */
uint32_t sys_now(void);

uint32_t sys_now(void)
{
    return port.now_ms;
}

static size_t class_of(size_t size)
{
    return (size + (1u << CLASS_SHIFT) - 1) >> CLASS_SHIFT;
}

/* The header stays when the heap does the work: the workload `idle` needs the count. */
void *lwip_port_malloc(size_t wanted)
{
    size_t class = class_of(wanted);
    bool pooled = !port.heap_only && class < CLASS_COUNT;
    struct block *b = pooled ? port.free_list[class] : NULL;

    if (b != NULL)
        port.free_list[class] = b->next;
    else
        b = malloc(sizeof *b + (pooled ? class << CLASS_SHIFT : wanted));
    if (b == NULL)
        return NULL;
    b->size = wanted;
    port.live_bytes += wanted;
    return b + 1;
}

void lwip_port_free(void *memory)
{
    if (memory == NULL)
        return;

    struct block *b = (struct block *)memory - 1;
    size_t class = class_of(b->size);

    port.live_bytes -= b->size;
    if (port.heap_only || class >= CLASS_COUNT) {
        free(b);
        return;
    }
    b->next = port.free_list[class];
    port.free_list[class] = b;
}

void *lwip_port_calloc(size_t count, size_t size)
{
    void *memory = lwip_port_malloc(count * size);

    if (memory != NULL)
        memset(memory, 0, count * size);
    return memory;
}

#if defined(__clang__) /* makes vectors at -O2 already */
#define WIDE
#elif defined(__x86_64__)
#define WIDE __attribute__((optimize("O3"), target_clones("avx2", "default")))
#else
#define WIDE __attribute__((optimize("O3")))
#endif

/* 32-bit words into a 64-bit sum: no carry to chase, so the compiler makes vectors of it. */
static WIDE uint64_t sum_words(const unsigned char *p, size_t size)
{
    uint64_t sum = 0;

    for (size_t i = 0; i + 4 <= size; i += 4) {
        uint32_t word;

        memcpy(&word, p + i, 4);
        sum += word;
    }
    return sum;
}

/* Folded, not inverted, in memory order: what lwIP expects of LWIP_CHKSUM. 1071 */
uint16_t lwip_port_chksum(const void *data, int len)
{
    const unsigned char *p = data;
    size_t size = (size_t)len;
    unsigned char last[4] = {0};
    uint32_t word;

    uint64_t sum = sum_words(p, size);
    memcpy(last, p + (size & ~(size_t)3), size & 3);
    memcpy(&word, last, 4);
    sum += word;
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 32) + (sum & 0xffffffff);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)sum;
}
