/* The lab as the command sees it: scenarios by name, and running them.
 *
 * Knows: nothing of Lua. Shape: a scenario is a name of the gallery or a file. Units: ns.
 * Errors: exit statuses: 0 as claimed, 1 a claim failed, 2 it can not be run. */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct lab_run_options {
    uint64_t seed;
    const char *const *sets; /* NAME=VALUE, NULL ended */
    int64_t until_ns;        /* 0: as the scenario says */
    const char *pcapng;      /* NULL: none */
    const char *html;        /* NULL: none; the page's path */
    bool is_json, is_quiet;  /* quiet: one line for each */
    bool has_colour, is_whole;
};

/* Names of the gallery, by index from 0; NULL behind the last. */
const char *lab_name(int index);
/* The gallery, one line each: name and title. */
void lab_list(FILE *to);
/* Runs each, and tells how many claims it makes, how long it lasted in the lab, how long it took.
 * The exit status. */
int lab_list_times(FILE *to);
/* The text of a scenario. False: there is none. */
bool lab_show(FILE *to, const char *name);
/* Name of the gallery or path of a file. The exit status; what is to be read goes to `to`. */
int lab_run(FILE *to, const char *name, const struct lab_run_options *o);
/* Seeds 1 to `seeds`: which fail, and the command that repeats the first of them. */
int lab_run_seeds(FILE *to, const char *name, const struct lab_run_options *o, uint64_t seeds);
/* A new scenario file to begin from. The exit status. */
int lab_new_file(const char *name);

#endif
