/* weir lab: networks of stacks in virtual time.
 *
 * Knows: lab/lab.h. Shape: a word, then names and options in any order. Units: seconds as typed.
 * Errors: exit 0 as claimed, 1 a claim failed, 2 a mistake, with one line that names the next thing
 * to type. Cost: that of the runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lab/lab.h"

#define NAMES_MAX 256
#define SETS_MAX 32

struct lab_words {
    struct lab_run_options run;
    const char *sets[SETS_MAX + 1];
    int set_count;
    const char *names[NAMES_MAX];
    int count;
    uint64_t seeds; /* 0: one run */
    unsigned shard, shards;
    bool is_all;
    const char *colour;
};

static const char help[] =
    "usage: weir lab list [--times]           the gallery of scenarios; how long each runs\n"
    "       weir lab show NAME                the text of one, a page of Lua\n"
    "       weir lab run NAME|FILE.lua...     run, and show the ladder\n"
    "       weir lab run --all                run all, one line each\n"
    "       weir lab new NAME                 write a scenario to begin from\n"
    "\n"
    "  --seed N          another run of the same (1)\n"
    "  --seeds N         runs with the seeds 1 to N; tells which do not hold\n"
    "  --set KNOB=VALUE  a knob of the scenario, or of all its hosts (net.ipv4...)\n"
    "  --until T         ends at T seconds of the lab's time\n"
    "  --pcapng FILE     all segments with the stack's reasons, for Wireshark\n"
    "  --html FILE       a page of the run: diagrams and curves, all in one file\n"
    "  --json            one object for each run, on a line of its own\n"
    "  --shard I/N       with --all: the I-th of N parts\n"
    "  --whole           the ladder leaves nothing out\n"
    "  --quiet           one line for each run\n"
    "  --color WHEN      auto, always or never\n"
    "\n"
    "First: weir lab run lost-synack\n";

static int mistake(const char *what, const char *word)
{
    fprintf(stderr, "weir lab: %s '%s' (weir lab --help)\n", what, word);
    return 2;
}

static int unknown_scenario(const char *name)
{
    const char *names[NAMES_MAX + 1] = {NULL};
    int n = 0;

    for (; n < NAMES_MAX && lab_name(n); n++)
        names[n] = strdup(lab_name(n));
    if (n)
        fprintf(stderr, "weir lab: no scenario '%s': did you mean '%s'? (weir lab list)\n", name,
                nearest_word(name, names));
    for (int i = 0; i < n; i++)
        free((char *)names[i]);
    return 2;
}

static bool is_known(const char *name)
{
    if (strchr(name, '/') || strchr(name, '.'))
        return access(name, R_OK) == 0;
    for (int i = 0; lab_name(i); i++)
        if (!strcmp(lab_name(i), name))
            return true;
    return false;
}

/* -- options ----------------------------------------------------------------------------------- */

static bool parse_number(const char *text, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 0);
    return *text >= '0' && *text <= '9' && !*end;
}

static bool parse_shard(const char *text, struct lab_words *w)
{
    char end;

    return sscanf(text, "%u/%u%c", &w->shard, &w->shards, &end) == 2 && w->shard >= 1 &&
           w->shard <= w->shards;
}

static bool parse_seconds(const char *text, int64_t *ns)
{
    char *end;
    double s = strtod(text, &end);

    if (!strcmp(end, "ms"))
        s /= 1000;
    else if (*end && strcmp(end, "s") != 0)
        return false;
    *ns = (int64_t)(s * 1e9);
    return end != text && s > 0 && s < 9e9;
}

/* An option that takes a value: whether the value is good. */
static bool take_value(struct lab_words *w, const char *option, const char *value)
{
    if (!strcmp(option, "--seed"))
        return parse_number(value, &w->run.seed);
    if (!strcmp(option, "--seeds"))
        return parse_number(value, &w->seeds) && w->seeds;
    if (!strcmp(option, "--shard"))
        return parse_shard(value, w);
    if (!strcmp(option, "--until"))
        return parse_seconds(value, &w->run.until_ns);
    if (!strcmp(option, "--color")) {
        w->colour = value;
        return !strcmp(value, "auto") || !strcmp(value, "always") || !strcmp(value, "never");
    }
    if (!strcmp(option, "--pcapng") || !strcmp(option, "--html")) {
        *(!strcmp(option, "--html") ? &w->run.html : &w->run.pcapng) = value;
        return *value;
    }
    if (!strchr(value, '=') || w->set_count == SETS_MAX)
        return false;
    w->sets[w->set_count++] = value;
    return true;
}

static bool take_flag(struct lab_words *w, const char *option)
{
    bool *flag = !strcmp(option, "--all")     ? &w->is_all
                 : !strcmp(option, "--json")  ? &w->run.is_json
                 : !strcmp(option, "--whole") ? &w->run.is_whole
                 : !strcmp(option, "--quiet") ? &w->run.is_quiet
                                              : NULL;

    if (flag)
        *flag = true;
    return flag != NULL;
}

static const char *const valued[] = {"--seed",   "--seeds", "--set",   "--until", "--shard",
                                     "--pcapng", "--html",  "--color", NULL};

/* 0, or the exit status of a mistake. */
static int parse(struct lab_words *w, int argc, char **argv)
{
    static const char *const all[] = {"--seed",   "--seeds", "--set",   "--until", "--shard",
                                      "--pcapng", "--html",  "--color", "--all",   "--json",
                                      "--whole",  "--quiet", "--help",  NULL};

    for (int i = 0; i < argc; i++) {
        char option[16];
        int k = 0;
        const char *value = strchr(argv[i], '=');
        if (argv[i][0] != '-') {
            if (w->count == NAMES_MAX)
                return mistake("too many scenarios at", argv[i]);
            w->names[w->count++] = argv[i];
            continue;
        }
        if (take_flag(w, argv[i]))
            continue;
        snprintf(option, sizeof option, "%.*s", (int)strcspn(argv[i], "="), argv[i]);
        while (valued[k] && strcmp(valued[k], option) != 0)
            k++;
        if (!valued[k]) {
            fprintf(stderr, "weir lab: unknown option '%s': did you mean '%s'?\n", argv[i],
                    nearest_word(argv[i], all));
            return 2;
        }
        value = value ? value + 1 : argv[++i];
        if (!value || !take_value(w, option, value))
            return mistake(value ? "no value for this option:" : "a value is wanted behind",
                           value ? value : option);
    }
    return 0;
}

static bool wants_colour(const struct lab_words *w)
{
    const char *no = getenv("NO_COLOR");

    if (w->colour && strcmp(w->colour, "auto") != 0)
        return !strcmp(w->colour, "always");
    return isatty(STDOUT_FILENO) && !(no && *no);
}

/* -- the words --------------------------------------------------------------------------------- */

static int run_one(struct lab_words *w, const char *name)
{
    if (w->seeds)
        return lab_run_seeds(stdout, name, &w->run, w->seeds);
    return lab_run(stdout, name, &w->run);
}

static int run_all(struct lab_words *w)
{
    unsigned runs = 0, failed = 0;
    int worst = 0;

    w->run.is_quiet = true;
    for (int i = 0; lab_name(i); i++) {
        int status;
        if (w->shards && (unsigned)i % w->shards != w->shard - 1)
            continue;
        status = run_one(w, lab_name(i));
        runs++;
        failed += status != 0;
        worst = status > worst ? status : worst;
    }
    if (!w->run.is_json)
        printf("%u scenarios, %u failed\n", runs, failed);
    return worst;
}

static int word_run(int argc, char **argv)
{
    struct lab_words w = {.run.seed = 1};
    int worst = parse(&w, argc, argv);

    if (worst)
        return worst;
    w.run.sets = w.sets;
    w.run.has_colour = wants_colour(&w);
    if (w.shards && !w.is_all)
        return mistake("--shard wants --all, not", w.count ? w.names[0] : "nothing");
    if (w.is_all && w.run.html)
        return mistake("--html wants one run, not", "--all");
    if (w.is_all && !w.count)
        return run_all(&w);
    if (!w.count || w.is_all)
        return mistake("run wants a name, or --all, not", w.count ? w.names[0] : "nothing");
    if (w.run.html && (w.count != 1 || w.seeds))
        return mistake("--html wants one run, not", w.seeds ? "--seeds" : w.names[1]);
    for (int i = 0; i < w.count; i++) {
        int status = is_known(w.names[i]) ? run_one(&w, w.names[i]) : unknown_scenario(w.names[i]);
        worst = status > worst ? status : worst;
    }
    return worst;
}

int cmd_lab(int argc, char **argv)
{
    static const char *const words[] = {"list", "show", "run", "new", NULL};

    if (argc < 2) {
        fputs(help, stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[argc - 1], "--help")) {
        fputs(help, stdout);
        return 0;
    }
    if (!strcmp(argv[1], "list") && argc > 2)
        return argc == 3 && !strcmp(argv[2], "--times") ? lab_list_times(stdout)
                                                        : mistake("list knows no", argv[2]);
    if (!strcmp(argv[1], "list")) {
        lab_list(stdout);
        return 0;
    }
    if (!strcmp(argv[1], "run"))
        return word_run(argc - 2, argv + 2);
    if (!strcmp(argv[1], "show") && argc == 3)
        return lab_show(stdout, argv[2]) ? 0 : unknown_scenario(argv[2]);
    if (!strcmp(argv[1], "new") && argc == 3)
        return lab_new_file(argv[2]);
    if (!strcmp(argv[1], "show") || !strcmp(argv[1], "new"))
        return mistake("one name is wanted behind", argv[1]);
    fprintf(stderr, "weir lab: unknown word '%s': did you mean '%s'? (weir lab --help)\n", argv[1],
            nearest_word(argv[1], words));
    return 2;
}
