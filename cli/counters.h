/* Counters of running stacks, as `weir netstat -s` and `weir nstat` print them.
 *
 * Knows: names and values. Not how they look. Shape: a counter's name begins with its section (Ip,
 * Icmp, Udp, Tcp, TcpExt); drops are apart, by reason. Units: events. Errors: none.
 * Cost: one question for each daemon. */
#ifndef CLI_COUNTERS_H
#define CLI_COUNTERS_H

#include <stdbool.h>

#define COUNTERS_MAX 256

struct counter {
    char name[48]; /* "TcpRetransSegs", or a drop's "tcp_checksum" */
    bool is_drop;
    unsigned long long value;
};
struct counters {
    char run[12];
    struct counter at[COUNTERS_MAX];
    int n;
};

/* 0, or -errno if the daemon has gone. */
int counters_ask(const char *run, struct counters *out);
/* netstat_words.c: in sections and sentences. */
void counters_print_sentences(const struct counters *c);

#endif
