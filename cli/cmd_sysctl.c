/* weir sysctl: knobs, in the manner of sysctl(8): of the running stacks, or their presets.
 *
 * Knows: the words. Not what a knob does. Shape: reading shows the first running stack's values, or
 * the presets; writing goes to all running stacks; --run chooses one. Units: each knob's.
 * Errors: exit 1 for an unknown knob or a value that does not fit, 2 for bad usage.
 * Cost: one question for each knob and stack. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "cli/cli.h"
#include "cli/sysctl.h"

#define NAME_LEN 96
#define VALUE_LEN 128

struct sysctl_ask {
    bool all, values_only, names_only, is_write, is_file, is_quiet, is_lenient, is_help;
    const char *run;
};

enum { OPTION_RUN = 256 };

static const char usage[] =
    "usage: weir sysctl [-n|-N] -a | KNOB...\n"
    "       weir sysctl [-q] [-w] KNOB=VALUE... | -p [FILE]...\n"
    "       weir sysctl --help KNOB...\n"
    "\n"
    "Shows the knobs of the first running stack (the presets where none runs); sets those of all.\n"
    "\n"
    "  -a, --all      all knobs             -p, --load     set what files say, KNOB = VALUE\n"
    "  -n, --values   values only           -e, --ignore   pass over knobs that are not here\n"
    "  -N, --names    names only            -q, --quiet    say nothing of what was set\n"
    "  -w, --write    (not needed)          --help KNOB    what it means, its bounds, its source\n"
    "      --run RUN  this run only: its name (weir ss -e) or the number of its process\n";

static const struct option options[] = {
    {"all", no_argument, NULL, 'a'},
    {"values", no_argument, NULL, 'n'},
    {"names", no_argument, NULL, 'N'},
    {"write", no_argument, NULL, 'w'},
    {"load", no_argument, NULL, 'p'},
    {"ignore", no_argument, NULL, 'e'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"run", required_argument, NULL, OPTION_RUN},
    {NULL, 0, NULL, 0},
};
static const char *const option_words[] = {"--all",    "--values", "--names", "--write", "--load",
                                           "--ignore", "--quiet",  "--help",  "--run",   NULL};

/* -- names ------------------------------------------------------------------------------------- */

/* "net/ipv4/tcp_sack" is meant too, and so is "tcp_sack" alone. */
static void name_from(char name[NAME_LEN], const char *text, size_t len)
{
    static const char *const homes[] = {"net.ipv4.", "net.weir.", "net.core."};

    while (len && isspace((unsigned char)*text)) {
        text++;
        len--;
    }
    while (len && isspace((unsigned char)text[len - 1]))
        len--;
    snprintf(name, NAME_LEN, "%.*s", (int)len, text);
    for (char *at = name; *at; at++)
        if (*at == '/')
            *at = '.';
    for (size_t h = 0; h < sizeof homes / sizeof homes[0] && !strchr(name, '.'); h++)
        for (int i = 0; i < weir_knob_count(); i++) {
            const char *full = weir_knob_info(i)->name;
            size_t n = strlen(homes[h]);
            if (strncmp(full, homes[h], n) == 0 && strcmp(full + n, name) == 0)
                snprintf(name, NAME_LEN, "%s", full);
        }
}

static const struct weir_knob_info *info_of(const char *name)
{
    for (int i = 0; i < weir_knob_count(); i++)
        if (strcmp(weir_knob_info(i)->name, name) == 0)
            return weir_knob_info(i);
    return NULL;
}

static int unknown_knob(const struct sysctl_ask *ask, const char *name)
{
    const char *why = sysctl_gone(name);

    if (ask->is_lenient)
        return 0;
    if (why)
        fprintf(stderr, "weir: no knob '%s': %s\n", name, why);
    else
        fprintf(stderr, "weir: unknown knob '%s': did you mean '%s'? (weir sysctl -a)\n", name,
                weir_knob_nearest(name));
    return 1;
}

/* -- reading ----------------------------------------------------------------------------------- */

static void keep_text(const struct run_answer *a, void *arg)
{
    if (a->result >= 0)
        snprintf(arg, VALUE_LEN, "%.127s", (const char *)a->value);
}

/* From the first stack that answers; one that is another user's, or ends just now, does not. */
static int value_of(const struct sysctl_ask *ask, const char *name, char text[VALUE_LEN])
{
    static char names[64][12];
    struct run_ask question = {.op = RUN_KNOB_GET};
    struct weir_config config = {.seed = {1, 1}};
    struct weir_stack *stack;
    int v = -ENETDOWN, n = ask->run ? daemons_chosen(names, 64, ask->run) : daemons_find(names, 64);

    snprintf((char *)question.value, sizeof question.value, "%s", name);
    for (int i = 0; i < n; i++)
        if ((v = daemon_ask(names[i], &question, keep_text, text)) >= 0 || v == -ENOENT)
            return v;
    if (ask->run)
        return v;
    stack = weir_new(&config);
    v = stack ? weir_knob_get(stack, name, text, VALUE_LEN) : -ENOMEM;
    weir_free(stack);
    return v;
}

static int show(const struct sysctl_ask *ask, const char *word)
{
    char name[NAME_LEN], text[VALUE_LEN] = "";
    const struct weir_knob_info *k;

    name_from(name, word, strlen(word));
    if (!(k = info_of(name)))
        return unknown_knob(ask, name);
    if (ask->names_only) {
        puts(name);
        return 0;
    }
    if (value_of(ask, name, text) < 0)
        return 1;
    if (ask->is_help)
        sysctl_print_help(k, text);
    else if (ask->values_only)
        puts(text);
    else
        printf("%s = %s\n", name, text);
    return 0;
}

static int show_all(const struct sysctl_ask *ask)
{
    int status = 0;

    for (int i = 0; i < weir_knob_count(); i++)
        status |= show(ask, weir_knob_info(i)->name);
    return status;
}

/* -- writing ----------------------------------------------------------------------------------- */

static void explain(const struct sysctl_ask *ask, const struct weir_knob_info *k, const char *value,
                    int error)
{
    char names[VALUE_LEN] = "";

    if (error == -ERANGE)
        fprintf(stderr, "weir: out of bounds '%s=%s': from %lld to %lld (weir sysctl --help %s)\n",
                k->name, value, (long long)k->min, (long long)k->max, k->name);
    else if (error == -EINVAL && k->values == 1)
        fprintf(stderr, "weir: not a number '%s=%s'\n", k->name, value);
    else if (error == -EACCES)
        fprintf(stderr, "weir: '%s' can only be read\n", k->name);
    else if (error == -EINVAL && strcmp(k->name, "net.ipv4.tcp_congestion_control") == 0 &&
             value_of(ask, "net.ipv4.tcp_available_congestion_control", names) >= 0)
        fprintf(stderr, "weir: no congestion control '%s': there are %s\n", value, names);
    else if (error == -EINVAL && k->values == 0)
        fprintf(stderr, "weir: not %s '%s=%s' (weir sysctl --help %s)\n", k->unit, k->name, value,
                k->name);
    else if (error == -EINVAL)
        fprintf(stderr, "weir: not %d numbers '%s=%s'\n", k->values, k->name, value);
    else
        fprintf(stderr, "weir: %s=%s: %s\n", k->name, value, strerror(-error));
}

/* NAME=VALUE, with blanks around both or not. */
static int set(const struct sysctl_ask *ask, const char *text)
{
    static char runs[64][12];
    struct run_ask question = {.op = RUN_KNOB_SET};
    const char *value = strchr(text, '=');
    const struct weir_knob_info *k;
    char name[NAME_LEN];
    int n, v = -ENETDOWN;

    name_from(name, text, (size_t)(value - text));
    value += 1 + strspn(value + 1, " \t");
    if (!(k = info_of(name)))
        return unknown_knob(ask, name);
    n = ask->run ? daemons_chosen(runs, 64, ask->run) : daemons_find(runs, 64);
    if (n == 0)
        fprintf(stderr, "weir: no stack is running; set it at the start: weir run --set %s=%s\n",
                name, value);
    if (n <= 0)
        return 1;
    snprintf((char *)question.value, sizeof question.value, "%s=%s", name, value);
    for (int i = 0; i < n; i++)
        if ((v = daemon_ask(runs[i], &question, NULL, NULL)) < 0)
            break;
    if (v < 0)
        explain(ask, k, value, v);
    else if (!ask->is_quiet && ask->values_only)
        puts(value);
    else if (!ask->is_quiet)
        printf("%s = %s\n", name, value);
    return v < 0;
}

static void cut_comment(char *line)
{
    size_t n = strcspn(line, "#\r\n");

    while (n && isspace((unsigned char)line[n - 1]))
        n--;
    line[n] = '\0';
}

/* Lines of KNOB = VALUE; those that begin with # or ; are comments, with - may fail. */
static int load(const struct sysctl_ask *ask, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    struct sysctl_ask gentle = *ask;
    char line[256];
    int status = 0;

    if (!f) {
        fprintf(stderr, "weir: %s: %s\n", path, strerror(errno));
        return 1;
    }
    gentle.is_lenient = true;
    while (fgets(line, sizeof line, f)) {
        const char *at = line + strspn(line, " \t");
        cut_comment(line);
        if (!*at || *at == ';')
            continue;
        if (!strchr(at, '=')) {
            fprintf(stderr, "weir: %s: not KNOB = VALUE '%s'\n", path, at);
            status = 1;
        } else if (*at == '-') {
            (void)set(&gentle, at + 1);
        } else {
            status |= set(ask, at);
        }
    }
    if (f != stdin)
        fclose(f);
    return status;
}

/* -- words ------------------------------------------------------------------------------------- */

static int unknown_option(const char *word)
{
    if (optopt && optopt < OPTION_RUN)
        fprintf(stderr, "weir: unknown option '-%c': see weir sysctl --help\n", optopt);
    else if (optopt)
        fprintf(stderr, "weir: option '%s' wants a run (weir sysctl --help)\n", word);
    else
        fprintf(stderr, "weir: unknown option '%s': did you mean '%s'? (weir sysctl --help)\n",
                word, nearest_word(word, option_words));
    return 2;
}

static int parse(struct sysctl_ask *ask, int argc, char **argv)
{
    int c;

    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "anNwpeqhAX", options, NULL)) != -1) {
        if (c == '?')
            return unknown_option(argv[optind - 1]);
        if (c == OPTION_RUN)
            ask->run = optarg;
        ask->all |= c == 'a' || c == 'A' || c == 'X';
        ask->values_only |= c == 'n';
        ask->names_only |= c == 'N';
        ask->is_write |= c == 'w';
        ask->is_file |= c == 'p';
        ask->is_lenient |= c == 'e';
        ask->is_quiet |= c == 'q';
        ask->is_help |= c == 'h';
    }
    return 0;
}

static int each(const struct sysctl_ask *ask, const char *word)
{
    if (ask->is_file)
        return load(ask, word);
    if (strchr(word, '='))
        return set(ask, word);
    if (ask->is_write) {
        fprintf(stderr, "weir: not KNOB=VALUE '%s'\n", word);
        return 1;
    }
    return show(ask, word);
}

int cmd_sysctl(int argc, char **argv)
{
    struct sysctl_ask ask = {.all = false};
    int status = parse(&ask, argc, argv);

    if (status)
        return status;
    if (optind == argc && ask.is_file)
        return load(&ask, "/etc/sysctl.conf");
    if (optind == argc && !ask.all) {
        fputs(usage, ask.is_help ? stdout : stderr);
        return ask.is_help ? 0 : 2;
    }
    if (ask.all)
        return show_all(&ask);
    for (int i = optind; i < argc; i++)
        status |= each(&ask, argv[i]);
    return status;
}
