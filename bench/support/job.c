/*
 * Knows:  getopt; the names of the workloads and of what they are counted in.
 * Shape:  see job.h.
 * Units:  see job.h.
 * Errors: see job.h.
 * Cost:   outside every timed section.
 */
#include "job.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bench.h"

#define OPTIONS_MAX 12

static const char *const names[WORKLOADS] = {"bulk", "rr", "crr", "idle"};
static const char *const unit_rate[WORKLOADS] = {"bytes/s", "roundtrips/s", "connections/s",
                                                 "bytes/connection"};
static const char *const unit_fixed[WORKLOADS] = {"bytes", "roundtrips", "connections",
                                                  "bytes/connection"};

static void add(struct job_option *all, struct option *words, int n, const struct job_option *one)
{
    if (n + 1 >= OPTIONS_MAX)
        bench_die("more than %d options", OPTIONS_MAX - 1);
    all[n] = *one;
    words[n] = (struct option){one->name, one->number ? required_argument : no_argument, NULL, n};
}

static _Noreturn void refuse(const char *usage)
{
    fputs(usage, stderr);
    exit(2);
}

void job_parse(struct bench_job *job, const struct job_option *own, const char *usage, int argc,
               char **argv)
{
    const struct job_option shared[] = {{"idle", NULL, &job->idle_count},
                                        {"timewait", NULL, &job->timewait_count},
                                        {"fixed", &job->fixed, NULL}};
    struct option words[OPTIONS_MAX] = {{0}};
    struct job_option all[OPTIONS_MAX];
    int n = 0, which;

    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        add(all, words, n++, &shared[i]);
    for (; own->name; own++)
        add(all, words, n++, own);
    while ((which = getopt_long(argc, argv, "", words, NULL)) != -1) {
        if (which < 0 || which >= n)
            refuse(usage);
        if (all[which].number)
            *all[which].number = bench_number(optarg);
        else
            *all[which].flag = true;
    }
    if (optind + 2 != argc)
        refuse(usage);
    while (job->workload < WORKLOADS && strcmp(argv[optind], names[job->workload]) != 0)
        job->workload++;
    job->count = bench_number(argv[optind + 1]);
    if (job->workload == WORKLOADS || job->count == 0)
        refuse(usage);
}

uint64_t job_warm_up(const struct bench_job *job, uint64_t buffer_bytes)
{
    uint64_t tenth = job->count / 10 + 1;

    return job->workload == BULK ? (tenth / buffer_bytes + 1) * buffer_bytes : tenth;
}

void job_print(const struct bench_job *job, const char *stack, double value, double seconds,
               const char *extra)
{
    bench_print(&(struct bench_result){.stack = stack,
                                       .workload = names[job->workload],
                                       .value = value,
                                       .unit = (job->fixed ? unit_fixed : unit_rate)[job->workload],
                                       .count = job->count,
                                       .seconds = seconds,
                                       .extra = extra});
}
