/*
 * Knows:  the workloads that two stacks in one process are measured with, and their command line.
 *         No stack.
 * Shape:  a program says which options are its own; all else of a job is the same for each.
 * Units:  count: bytes of bulk, round trips, connections, connections that stay idle.
 * Errors: a job that cannot be read ends the program with its usage, status 2.
 * Cost:   outside every timed section.
 */
#ifndef BENCH_JOB_H
#define BENCH_JOB_H

#include <stdbool.h>
#include <stdint.h>

enum workload { BULK, RR, CRR, IDLE, WORKLOADS };

struct bench_job {
    enum workload workload;
    uint64_t count;
    uint64_t idle_count;     /* other open connections in the table */
    uint64_t timewait_count; /* connections in TIME-WAIT in the table */
    bool fixed;              /* no clock, no warm-up: the same work in each run */
};

/* --NAME, which sets `flag`, or --NAME NUMBER. */
struct job_option {
    const char *name;
    bool *flag;
    uint64_t *number;
};

/* Reads [--idle K] [--timewait K] [--fixed] and `own`, which ends with a NULL name; then WORKLOAD
 * and COUNT. */
void job_parse(struct bench_job *job, const struct job_option *own, const char *usage, int argc,
               char **argv);
/* How much work fills free lists, congestion window and caches; of bulk in whole buffers, so that
 * segments stay whole after it. */
uint64_t job_warm_up(const struct bench_job *job, uint64_t buffer_bytes);
void job_print(const struct bench_job *job, const char *stack, double value, double seconds,
               const char *extra);

#endif
