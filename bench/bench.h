/*
 * Knows:  the clock, the command line of a benchmark and the one JSON line it prints. No stack.
 * Shape:  a program measures once and prints once; repeats and medians are the caller's business.
 * Units:  nanoseconds; a rate is per second of CLOCK_MONOTONIC.
 * Errors: a benchmark that cannot do what it claims dies with a sentence; no number is printed.
 * Cost:   bench_now_ns is one vDSO call; nothing here runs per segment.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdint.h>

struct bench_result {
    const char *stack;
    const char *workload;
    double value;
    const char *unit;
    uint64_t count;
    double seconds;    /* 0 when nothing was timed (--fixed) */
    const char *extra; /* more JSON members, without a leading comma; NULL for none */
};

int64_t bench_now_ns(void);
void bench_print(const struct bench_result *r);
uint64_t bench_number(const char *text); /* accepts the suffixes k m g (powers of 1024) */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What `count` deserves: a rate when time was taken, else the plain count. */
double bench_rate(uint64_t count, double seconds);

#endif
