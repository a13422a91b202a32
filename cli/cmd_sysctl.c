/* weir sysctl: knobs, in the manner of sysctl(8): of the running stacks, or their presets.
 *
 * Knows: the knob table. Shape: reading shows the first running stack's values, or the presets;
 * writing goes to all running stacks. Units: each knob's. Errors: exit 1 for an unknown knob. Cost:
 * none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "cli/cli.h"

static void keep_text(const struct run_answer *a, void *arg)
{
    if (a->result >= 0)
        snprintf(arg, 128, "%.127s", (const char *)a->value);
}

/* From the first stack that answers; one that is another user's, or ends just now, does not. */
static int value_of(const char *name, char text[128])
{
    static char names[64][12];
    struct run_ask ask = {.op = RUN_KNOB_GET};
    struct weir_config config = {.seed = {1, 1}};
    struct weir_stack *stack;
    int v, n = daemons_find(names, 64);

    snprintf((char *)ask.value, sizeof ask.value, "%s", name);
    for (int i = 0; i < n; i++)
        if ((v = daemon_ask(names[i], &ask, keep_text, text)) >= 0 || v == -ENOENT)
            return v;
    stack = weir_new(&config);
    v = stack ? weir_knob_get(stack, name, text, 128) : -ENOMEM;
    weir_free(stack);
    return v;
}

static int show(const char *name, bool is_bare)
{
    char text[128] = "";

    if (value_of(name, text) < 0) {
        fprintf(stderr, "weir: unknown knob '%s': did you mean '%s'?\n", name,
                weir_knob_nearest(name));
        return 1;
    }
    if (is_bare)
        puts(text);
    else
        printf("%s = %s\n", name, text);
    return 0;
}

static const char usage[] =
    "usage: weir sysctl [-n] -a | KNOB... | KNOB=VALUE... | -p [FILE]\n"
    "\n"
    "Shows the knobs of the first running stack (the presets where none runs); sets those of all.\n"
    "\n"
    "  -a  all knobs        -n  values only\n"
    "  -p  sets what FILE says (/etc/sysctl.conf; - is standard input), a knob = value on each "
    "line\n";

/* What a stack says of text, which is NAME=VALUE. */
static void explain(const char *text, int error)
{
    char name[128];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(text, "="), text);
    if (error == -ENOENT)
        fprintf(stderr, "weir: unknown knob '%s': did you mean '%s'?\n", name,
                weir_knob_nearest(name));
    else if (error == -ERANGE)
        fprintf(stderr, "weir: out of bounds '%s': `weir sysctl -a` shows each knob's value\n",
                text);
    else if (error == -EINVAL)
        fprintf(stderr, "weir: not a number '%s'\n", text);
    else
        fprintf(stderr, "weir: %s: %s\n", text, strerror(-error));
}

static int set(const char *text)
{
    static char names[64][12];
    struct run_ask ask = {.op = RUN_KNOB_SET};
    int n = daemons_find(names, 64), v = 0;

    snprintf((char *)ask.value, sizeof ask.value, "%s", text);
    if (n == 0) {
        fprintf(stderr, "weir: no stack is running; set it at the start: weir run --set %s\n",
                text);
        return 1;
    }
    for (int i = 0; i < n; i++)
        if ((v = daemon_ask(names[i], &ask, NULL, NULL)) < 0)
            break;
    if (v < 0)
        explain(text, v);
    else
        puts(text);
    return v < 0;
}

/* One line of a file as sysctl(8) reads it: "name = value"; # and ; begin a comment. */
static int load_line(char *line)
{
    char text[128], *name = line + strspn(line, " \t"), *value = strchr(name, '=');

    line[strcspn(line, "\r\n")] = '\0';
    if (*name == '\0' || *name == '#' || *name == ';')
        return 0;
    if (!value) {
        fprintf(stderr, "weir: not NAME = VALUE: '%s'\n", name);
        return 1;
    }
    *value++ = '\0';
    value += strspn(value, " \t");
    name[strcspn(name, " \t")] = '\0';
    value[strcspn(value, "#")] = '\0';
    for (size_t n = strlen(value); n && (value[n - 1] == ' ' || value[n - 1] == '\t');)
        value[--n] = '\0';
    snprintf(text, sizeof text, "%s=%s", name, value);
    return set(text);
}

/* All lines, also behind one that was wrong. */
static int load(const char *path)
{
    char line[256];
    int status = 0;
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");

    if (!f) {
        fprintf(stderr, "weir: %s: %s\n", path, strerror(errno));
        return 1;
    }
    while (fgets(line, sizeof line, f))
        status |= load_line(line);
    if (f != stdin)
        fclose(f);
    return status;
}

int cmd_sysctl(int argc, char **argv)
{
    bool is_bare = false;
    int status = 0;

    if (argc < 2) {
        fputs(usage, stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-n") == 0) {
            is_bare = true;
        } else if (strcmp(argv[i], "-a") == 0) {
            for (int k = 0; k < weir_knob_count(); k++)
                status |= show(weir_knob_info(k)->name, is_bare);
        } else if (strcmp(argv[i], "-p") == 0) {
            status |= load(i + 1 < argc ? argv[++i] : "/etc/sysctl.conf");
        } else if (strchr(argv[i], '=')) {
            status |= set(argv[i]);
        } else {
            status |= show(argv[i], is_bare);
        }
    }
    return status;
}
