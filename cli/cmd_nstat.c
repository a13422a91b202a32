/* weir nstat: counters by name, as nstat(8) prints those of the kernel.
 *
 * Knows: the options and the line. Shape: always the whole count; there is no history of earlier
 * calls. Units: events. Errors: exit 2 for bad usage, 1 where the run that was named is not there.
 * Cost: one question for each daemon. */
#include <fnmatch.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/counters.h"

enum { OPTION_RUN = 256 };

static const char usage[] =
    "usage: weir nstat [-z] [-j] [--run RUN] [PATTERN]...\n"
    "\n"
    "Counters of running stacks since each began, by Linux's names; dropped frames as "
    "drop.REASON.\n"
    "  PATTERN       names, as the shell matches them: 'Tcp*' 'drop.*'\n"
    "  -z, --zeros   those that are 0 too\n"
    "  -j, --json    one JSON object\n"
    "  -a, -s        as nstat's; here it is always so\n"
    "  --run RUN     this run only: its name (weir ss -e) or the number of its process\n";

static const struct option options[] = {
    {"zeros", no_argument, NULL, 'z'},
    {"json", no_argument, NULL, 'j'},
    {"ignore", no_argument, NULL, 'a'},
    {"noupdate", no_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {"run", required_argument, NULL, OPTION_RUN},
    {NULL, 0, NULL, 0},
};
static const char *const option_words[] = {"--zeros", "--json", "--ignore", "--noupdate",
                                           "--run",   "--help", NULL};

struct nstat_ask {
    bool zeros, json;
    const char *run;
    char **patterns;
    int count;
};

static bool is_wanted(const struct nstat_ask *ask, const char *name, unsigned long long value)
{
    if (!value && !ask->zeros)
        return false;
    for (int i = 0; i < ask->count; i++)
        if (fnmatch(ask->patterns[i], name, 0) == 0)
            return true;
    return ask->count == 0;
}

static void name_of(const struct counter *k, char name[64])
{
    snprintf(name, 64, "%s%s", k->is_drop ? "drop." : "", k->name);
}

static void print_lines(const struct nstat_ask *ask, const struct counters *c)
{
    char name[64];

    printf("#weir %s\n", c->run);
    for (int i = 0; i < c->n; i++) {
        name_of(&c->at[i], name);
        if (is_wanted(ask, name, c->at[i].value))
            printf("%-32s%-16llu%3.1f\n", name, c->at[i].value, 0.0);
    }
}

static json_t *json_of(const struct nstat_ask *ask, const struct counters *c)
{
    json_t *o = json_object();
    char name[64];

    for (int i = 0; i < c->n; i++) {
        name_of(&c->at[i], name);
        if (is_wanted(ask, name, c->at[i].value))
            json_object_set_new(o, name, json_integer((json_int_t)c->at[i].value));
    }
    return json_pack("{s:s, s:o}", "run", c->run, "counters", o);
}

static int parse(struct nstat_ask *ask, int argc, char **argv)
{
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "zjash", options, NULL)) != -1) {
        if (c == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (c == '?')
            return option_mistake("nstat", argv[optind - 1], option_words);
        if (c == OPTION_RUN)
            ask->run = optarg;
        ask->zeros |= c == 'z';
        ask->json |= c == 'j';
    }
    ask->patterns = argv + optind;
    ask->count = argc - optind;
    return 0;
}

int cmd_nstat(int argc, char **argv)
{
    static char names[64][12];
    static struct counters c;
    struct nstat_ask ask = {.zeros = false};
    int v = parse(&ask, argc, argv), n;
    json_t *runs;

    if (v)
        return v;
    n = daemons_chosen(names, 64, ask.run);
    runs = json_array();
    for (int i = 0; i < n; i++) {
        if (counters_ask(names[i], &c) < 0)
            continue;
        if (ask.json)
            json_array_append_new(runs, json_of(&ask, &c));
        else
            print_lines(&ask, &c);
    }
    if (ask.json) {
        json_t *all = json_pack("{s:O}", "runs", runs);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    }
    json_decref(runs);
    return n < 0;
}
