/* A fresh struct tcp for each test of a file: setup and teardown for cmocka. Everything is static:
 * include it, link nothing. */
#ifndef UNIT_TCP_TCP_FIXTURE_H
#define UNIT_TCP_TCP_FIXTURE_H

#include "tcp_bench.h"

static UNUSED struct tcp_bench bench;
static UNUSED struct tcp *const tcp = &bench.tcp;

static UNUSED int setup(void **state)
{
    (void)state;
    bench_begin(&bench);
    return 0;
}

static UNUSED int teardown(void **state)
{
    (void)state;
    bench_end(&bench);
    return 0;
}

#endif
