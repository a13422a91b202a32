/* One socket as `weir ss` shows it, and what it was asked to show.
 *
 * Knows: the daemon's line of a socket (endpoint.h). Not how daemons are asked. Shape: plain
 * values. Units: as struct weir_sock_info. Errors: none. Cost: none. */
#ifndef CLI_SS_H
#define CLI_SS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "run/run.h"

#define SS_TEXT 80
#define SS_FILTER_MAX 64

struct ss_sock {
    struct endpoint e;
    char local[SS_TEXT], local_port[8], peer[SS_TEXT], peer_port[8]; /* "*" for none */
    char process[32];                                                /* "-": unknown */
    unsigned uid;                                                    /* of the process */
    const char *daemon;
};

/* A filter: a tree in an array, the last node is its root. */
enum ss_filter_op { SS_AND, SS_OR, SS_NOT, SS_PORT, SS_ADDR };
enum ss_cmp { SS_EQ, SS_NE, SS_GE, SS_LE, SS_GT, SS_LT };
struct ss_node {
    enum ss_filter_op op;
    enum ss_cmp cmp;
    bool is_peer; /* dst, dport; else src, sport */
    int left, right;
    int port;              /* SS_PORT; SS_ADDR: 0 for any */
    struct weir_addr addr; /* SS_ADDR */
    int prefix;            /* bits of the 128, 0: any address */
};

struct ss_ask {
    bool tcp, udp, raw, listening, all, process, info, timers, details, memory;
    bool summary, no_header, one_line, json, is_exact;
    int family;      /* 0, 4, 6 */
    unsigned states; /* bits 1 << state; 0: as the flags say */
    const char *run; /* --run, or NULL: all */
    struct ss_node filter[SS_FILTER_MAX];
    int nodes;
};

const char *ss_state_name(int state);
/* The states of this name, in ss's spelling or groups ("connected"), as bits; 0: no such. */
unsigned ss_states_of(const char *name);
extern const char *const ss_state_words[];
#define SS_STATES_ALL 0xffeu

/* ss_filter.c: "state X", "exclude X" and expressions. 0, or the exit status, with a word on
 * stderr. */
int ss_filter_parse(struct ss_ask *ask, char **words, int n);
bool ss_filter_matches(const struct ss_ask *ask, const struct ss_sock *s);

/* ss_gather.c. How many, or -1 with a word on stderr; *sock is to be freed. Says so on stderr when
 * no stack runs. */
int ss_gather(const struct ss_ask *ask, struct ss_sock **sock);
/* A daemon's line, which is cut up. False: it is not one. */
bool ss_read_line(char *line, struct ss_sock *s);
/* Name and user of its process. */
void ss_look_up_process(struct ss_sock *s);
bool ss_is_wanted(const struct ss_ask *ask, const struct ss_sock *s);

/* ss_print.c */
void ss_print(const struct ss_ask *ask, const struct ss_sock *s, int n);
void ss_print_summary(const struct ss_sock *s, int n);
const char *ss_netid(const struct ss_sock *s);

/* ss_details.c: what follows the columns, each item behind a blank. */
void ss_put_timer(FILE *to, const struct ss_sock *s);
void ss_put_details(FILE *to, const struct ss_sock *s);
void ss_put_memory(FILE *to, const struct ss_sock *s);
void ss_put_info(FILE *to, const struct ss_ask *ask, const struct ss_sock *s);

/* ss_json.c */
void ss_print_json(const struct ss_sock *s, int n);

#endif
