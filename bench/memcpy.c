/*
 * Knows:  memcpy. It is the floor that no stack which copies into and out of rings can go under.
 * Shape:  user -> ring -> ring -> user in chunks of one segment; both rings have the same size.
 * Units:  bytes of end-to-end data; each of them is copied three times.
 * Errors: a byte that arrives changed ends the program without a number.
 * Cost:   three memcpy per chunk, and a wrap that is a compare.
 */
#include "bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct path {
    size_t ring_size; /* also the size of each user buffer: together the working set */
    size_t chunk;
    unsigned char *user_out, *send_ring, *receive_ring, *user_in;
};

static unsigned char *buffer_new(size_t size)
{
    unsigned char *b = aligned_alloc(4096, (size + 4095) / 4096 * 4096);

    if (b == NULL)
        bench_die("no memory for %zu bytes", size);
    memset(b, 0, size); /* touch the pages now, not in the timed section */
    return b;
}

static void path_init(struct path *p)
{
    p->user_out = buffer_new(p->ring_size);
    p->send_ring = buffer_new(p->ring_size);
    p->receive_ring = buffer_new(p->ring_size);
    p->user_in = buffer_new(p->ring_size);
    for (size_t i = 0; i < p->ring_size; i++)
        p->user_out[i] = (unsigned char)(i * 7 + i / 251);
}

/* noinline: callgrind names it in --toggle-collect. The barriers keep the three copies three. */
static __attribute__((noinline)) uint64_t bench_measured(const struct path *p, uint64_t bytes)
{
    uint64_t done = 0;
    size_t at = 0;

    while (done < bytes) {
        size_t n = p->chunk < p->ring_size - at ? p->chunk : p->ring_size - at;

        memcpy(p->send_ring + at, p->user_out + at, n);
        __asm__ volatile("" ::: "memory");
        memcpy(p->receive_ring + at, p->send_ring + at, n);
        __asm__ volatile("" ::: "memory");
        memcpy(p->user_in + at, p->receive_ring + at, n);
        __asm__ volatile("" ::: "memory");
        at = at + n == p->ring_size ? 0 : at + n;
        done += n;
    }
    return done;
}

static void usage(void)
{
    fputs("usage: memcpy [--ring 64k] [--chunk 1460] [--fixed] BYTES\n", stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"ring", required_argument, NULL, 'r'},
                                            {"chunk", required_argument, NULL, 'c'},
                                            {"fixed", no_argument, NULL, 'f'},
                                            {0}};
    struct path p = {.ring_size = 65536, .chunk = 1460};
    bool fixed = false;
    int opt;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 'r')
            p.ring_size = bench_number(optarg);
        else if (opt == 'c')
            p.chunk = bench_number(optarg);
        else if (opt == 'f')
            fixed = true;
        else
            usage();
    }
    if (optind + 1 != argc || p.ring_size == 0 || p.chunk == 0)
        usage();
    path_init(&p);

    uint64_t bytes = bench_number(argv[optind]);
    if (!fixed)
        bench_measured(&p, bytes / 10); /* caches and clock frequency settle */
    int64_t start = bench_now_ns();
    uint64_t done = bench_measured(&p, bytes);
    double seconds = fixed ? 0 : (double)(bench_now_ns() - start) / 1e9;
    if (done >= p.ring_size && memcmp(p.user_in, p.user_out, p.ring_size) != 0)
        bench_die("the copy differs from its source");

    char extra[160];
    snprintf(extra, sizeof extra,
             "\"ring\":%zu,\"chunk\":%zu,\"segments\":%llu,\"gbit_per_s\":%.2f", p.ring_size,
             p.chunk, (unsigned long long)((done + p.chunk - 1) / p.chunk),
             seconds > 0 ? (double)done * 8 / seconds / 1e9 : 0.0);
    bench_print(&(struct bench_result){.stack = "memcpy",
                                       .workload = "copy3",
                                       .value = bench_rate(done, seconds),
                                       .unit = fixed ? "bytes" : "bytes/s",
                                       .count = done,
                                       .seconds = seconds,
                                       .extra = extra});
    return 0;
}
