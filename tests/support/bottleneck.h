/* Flows through one drop-tail bottleneck in virtual time: what congestion control is measured by.
 *
 * Two hosts, one link with a rate, a delay each way and a queue; each flow sends without end from
 * the first to the second. Everything is exact: one scene, one result. */
#ifndef SUPPORT_BOTTLENECK_H
#define SUPPORT_BOTTLENECK_H

#include <stdint.h>
#include <stdio.h>

#include "lab/net.h"

#define FLOWS_MAX 16

struct bottleneck_scene {
    const char *algo[FLOWS_MAX]; /* of each flow; its end is where it is NULL */
    const char *link;            /* words of weir_impair_parse */
    uint64_t rate_bps;           /* as in `link` */
    int start_ms[FLOWS_MAX];
    int64_t max_pacing_rate;        /* bytes a second, of each flow; 0: none */
    bool has_own_buffers;           /* SO_SNDBUF and SO_RCVBUF are left alone, and their knobs */
    uint32_t write_rate, read_rate; /* bytes a second that the programs are good for; 0: any */
    uint64_t put_most;              /* bytes that each flow writes; 0: no end */
    bool is_v6;
    const char *knob, *value;
    const char *knob2, *value2;
};

struct bottleneck {
    const struct bottleneck_scene *scene;
    struct lab *lab;
    struct lab_node *from, *to;
    struct lab_link *link;
    int listener, flows;
    int client[FLOWS_MAX], server[FLOWS_MAX];
    uint64_t put[FLOWS_MAX];  /* bytes that were written */
    uint64_t got[FLOWS_MAX];  /* bytes that were read */
    uint64_t mark[FLOWS_MAX]; /* the same when measuring began */
    int64_t marked_at;
    uint32_t queue_max; /* frames, since then */
    uint64_t queue_sum, queue_samples;
};

void bottleneck_begin(struct bottleneck *b, const struct bottleneck_scene *s);
void bottleneck_run(struct bottleneck *b, int until_ms);
void bottleneck_measure(struct bottleneck *b); /* from now on */
void bottleneck_end(struct bottleneck *b);

/* In thousandths. */
uint32_t bottleneck_use(
    const struct bottleneck *b); /* of the rate, by text that arrived and its headers */
uint32_t bottleneck_fairness(const struct bottleneck *b); /* Jain's index */
uint32_t bottleneck_queue(const struct bottleneck *b);    /* frames that wait now */
uint32_t bottleneck_queue_mean(const struct bottleneck *b);
struct weir_sock_info bottleneck_info(const struct bottleneck *b, int flow);
struct weir_sock_info bottleneck_peer_info(const struct bottleneck *b, int flow);

#endif
