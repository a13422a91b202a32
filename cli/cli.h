/* The verbs of the weir command. Each is a file cmd_VERB.c; main.c has the table.
 *
 * Knows: how a verb is called: argv[0] is the verb; the result is the exit status. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "run/run.h"

int cmd_run(int argc, char **argv);
int cmd_ss(int argc, char **argv);
int cmd_netstat(int argc, char **argv);
int cmd_nstat(int argc, char **argv);
int cmd_ping(int argc, char **argv);
int cmd_traceroute(int argc, char **argv);
int cmd_ip(int argc, char **argv);
int cmd_arp(int argc, char **argv);
int cmd_lab(int argc, char **argv);
int cmd_sysctl(int argc, char **argv);
int cmd_why(int argc, char **argv);

/* ask.c: the daemons of this machine that may be asked. Names of 8 hex digits. */
int daemons_find(char (*names)[12], int max);
/* All of them, or with `run` (--run) the one of this name, or that the process of this number runs
 * under. How many, or -1 with a word on stderr; says so there, too, when none runs. */
int daemons_chosen(char (*names)[12], int max, const char *run);
/* Connects, asks, and calls `each` for every answer until the last; the last one's result, or
 * -errno. */
int daemon_ask(const char *daemon, const struct run_ask *ask,
               void (*each)(const struct run_answer *answer, void *arg), void *arg);

/* What getopt_long did not take, in words; 2. `words`: the long options, NULL at the end. */
int option_mistake(const char *verb, const char *word, const char *const *words);

#endif
