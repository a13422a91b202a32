/*
 * Knows:  CLOCK_MONOTONIC and stdout.
 * Shape:  one JSON object on one line; the seven named members come first and in this order.
 * Units:  see bench.h.
 * Errors: bench_die prints to stderr and exits with 1.
 * Cost:   outside every timed section.
 */
#include "../bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_print(const struct bench_result *r)
{
    printf("{\"stack\":\"%s\",\"workload\":\"%s\",\"value\":%.6g,\"unit\":\"%s\","
           "\"count\":%llu,\"seconds\":%.6f",
           r->stack, r->workload, r->value, r->unit, (unsigned long long)r->count, r->seconds);
    if (r->extra != NULL)
        printf(",%s", r->extra);
    printf("}\n");
}

uint64_t bench_number(const char *text)
{
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    int shift = *end == 'k' ? 10 : *end == 'm' ? 20 : *end == 'g' ? 30 : 0;

    if (end == text || (shift == 0 && *end != '\0') || (shift != 0 && end[1] != '\0'))
        bench_die("'%s' is not a number (try 4096, 64k, 1g)", text);
    return n << shift;
}

double bench_rate(uint64_t count, double seconds)
{
    return seconds > 0 ? (double)count / seconds : (double)count;
}

void bench_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}
