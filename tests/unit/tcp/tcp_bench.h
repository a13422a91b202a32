/* A struct tcp alone, with its tables and the presets of its knobs, for unit tests of src/tcp. */
#ifndef UNIT_TCP_TCP_BENCH_H
#define UNIT_TCP_TCP_BENCH_H

#include "unit.h"

#include "stack/tables.h"
#include "tcp/tcb.h"

struct tcp_bench {
    struct mem mem;
    struct wheel wheel;
    struct knobs knobs;
    struct stats stats;
    struct rng rng;
    struct tcp tcp;
};

static UNUSED void bench_begin(struct tcp_bench *b)
{
    memset(b, 0, sizeof *b);
    mem_init(&b->mem, NULL, NULL, NULL);
    knobs_init(&b->knobs);
    rng_init(&b->rng, 1, 2);
    b->tcp.now_us = 1000000;
    wheel_init(&b->wheel, b->tcp.now_us);
    assert_int_equal(tcp_init(&b->tcp, &b->mem, &b->wheel, &b->knobs, &b->stats), 0);
    tcp_seed(&b->tcp, &b->rng);
}

static UNUSED void bench_end(struct tcp_bench *b)
{
    tcp_fini(&b->tcp);
    mem_fini(&b->mem);
}

static UNUSED struct flow bench_flow(uint32_t local, uint16_t lport, uint32_t remote,
                                     uint16_t rport)
{
    return (struct flow){.local = weir_addr_v4(local),
                         .remote = weir_addr_v4(remote),
                         .lport = lport,
                         .rport = rport};
}

#endif
