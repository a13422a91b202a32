/* weir packetdrill: options, files, one script after the other.
 *
 * Knows: the command line. Shape: each script has its own stack and its own clock from zero.
 * Units: none. Errors: exit 2 for what can not be read, 1 for a script that fails.
 * Cost: the scripts'. */
#include "packetdrill/packetdrill.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "packetdrill/report.h"
#include "packetdrill/run.h"

#define FILE_MAX_BYTES (16 << 20)

struct options {
    struct settings set;
    struct report report;
    struct arena arena;
    const char **files;
    int count, room;
};

static const char usage[] =
    "usage: weir packetdrill [options] FILE|FOLDER...\n\n"
    "Plays packet scripts against weir's own stack, in virtual time: no root, no network.\n"
    "A folder stands for all of its *.pkt, also below it.\n\n"
    "  --tolerance_usecs=N  how far a packet may come off its time (4000; 0: exactly)\n"
    "  --strict             packets that no line expects are a failure at the end of the script,\n"
    "                       and a superframe does not stand for its segments\n"
    "  --dry_run            read the scripts, play nothing\n"
    "  -v, --verbose        show each step as it happens\n"
    "  -q, --quiet          no notes\n"
    "  -D NAME=VALUE        replace a word in the scripts\n"
    "  --tap, -j, --json    the results as TAP or JSON\n"
    "  --local_ip=A --remote_ip=A --mtu=N --bind_port=N --connect_port=N --ip_version=V\n"
    "                       as in the head of a script, which comes after and wins\n\n"
    "Exit: 0 all passed, 1 a script failed, 2 a script or an option can not be read.\n";

/* -- files ------------------------------------------------------------------------------------- */

static void add_file(struct options *o, const char *path)
{
    const char **more;

    if (o->count == o->room) {
        o->room = o->room ? o->room * 2 : 64;
        more = arena_alloc(&o->arena, (size_t)o->room * sizeof *more);
        if (o->count)
            memcpy(more, o->files, (size_t)o->count * sizeof *more);
        o->files = more;
    }
    o->files[o->count++] = arena_text(&o->arena, path, strlen(path));
}

static bool is_script(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && strcmp(name + n - 4, ".pkt") == 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_path(struct options *o, const char *path)
{
    struct stat st;
    struct dirent *e;
    char below[1024];
    DIR *d;
    int n;

    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        add_file(o, path); /* what is not there is told when it is read */
        return;
    }
    d = opendir(path);
    while (d && (e = readdir(d))) {
        n = snprintf(below, sizeof below, "%s/%s", path, e->d_name);
        if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof below || stat(below, &st) < 0)
            continue;
        if (S_ISDIR(st.st_mode))
            add_path(o, below);
        else if (is_script(e->d_name))
            add_file(o, below);
    }
    if (d)
        closedir(d);
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = f ? calloc(1, FILE_MAX_BYTES + 1) : NULL;
    size_t n = text ? fread(text, 1, FILE_MAX_BYTES, f) : 0;
    int error = f && ferror(f) ? errno : 0;

    if (f)
        fclose(f);
    if (error || !text) {
        free(text);
        errno = error ? error : errno;
        return NULL;
    }
    text[n] = '\0';
    return text;
}

/* -- one script -------------------------------------------------------------------------------- */

static void play_text(struct options *o, const char *text, struct problem *problem)
{
    struct settings set = o->set;
    struct script s;

    if (script_parse(&s, text, set.words, problem) && settings_apply(&set, s.settings, problem) &&
        run_check(&s, problem) && !set.is_dry)
        run_script(&s, &set, problem);
    script_free(&s);
}

static void play_file(struct options *o, const char *path)
{
    struct problem problem = {.kind = PROBLEM_NONE};
    char *text = read_file(path);

    if (text)
        play_text(o, text, &problem);
    else
        problem_set(&problem, PROBLEM_SYNTAX, (struct place){1, 1}, "%s", strerror(errno));
    report_script(&o->report, path, text, &problem);
    free(text);
}

/* -- the command line -------------------------------------------------------------------------- */

static bool add_word(struct options *o, const char *text)
{
    const char *equal = strchr(text, '=');
    struct setting *w = arena_alloc(&o->arena, sizeof *w);

    if (!equal || equal == text)
        return false;
    w->name = arena_text(&o->arena, text, (size_t)(equal - text));
    w->value = arena_text(&o->arena, equal + 1, strlen(equal + 1));
    w->next = (struct setting *)o->set.words;
    o->set.words = w;
    return true;
}

/* "--name=value" as a script would write it. */
static bool add_setting(struct options *o, const char *text)
{
    const char *equal = strchr(text, '=');
    struct setting s = {.at = {1, 1}, .value = equal ? equal + 1 : ""};
    struct problem problem = {.kind = PROBLEM_NONE};

    s.name = arena_text(&o->arena, text + 2, equal ? (size_t)(equal - text - 2) : strlen(text + 2));
    if (settings_apply(&o->set, &s, &problem))
        return true;
    fprintf(stderr, "weir: packetdrill: %s (weir packetdrill --help)\n", problem.what);
    return false;
}

static bool is_one_of(const char *text, const char *a, const char *b)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

static bool parse_arguments(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *text = argv[i];
        if (is_one_of(text, "-j", "--json"))
            o->report.kind = REPORT_JSON;
        else if (strcmp(text, "--tap") == 0)
            o->report.kind = REPORT_TAP;
        else if (is_one_of(text, "-v", "--verbose"))
            o->set.is_verbose = true;
        else if (is_one_of(text, "-q", "--quiet"))
            o->set.is_quiet = true;
        else if (strncmp(text, "-D", 2) == 0) {
            if (!add_word(o, text[2] ? text + 2 : ++i < argc ? argv[i] : ""))
                return fputs("weir: packetdrill: expected -D NAME=VALUE\n", stderr), false;
        } else if (strncmp(text, "--", 2) == 0) {
            if (!add_setting(o, text))
                return false;
        } else {
            add_path(o, text);
        }
    }
    return true;
}

int cmd_packetdrill(int argc, char **argv)
{
    struct options o = {.set = {.family = AF_INET,
                                .mtu = 1500,
                                .bind_port = 8080,
                                .connect_port = 8080,
                                .tolerance_us = 4000,
                                .out = stdout}};
    int status = 2;

    settings_preset(&o.set);
    if (argc > 1 && is_one_of(argv[1], "-h", "--help")) {
        fputs(usage, stdout);
        return 0;
    }
    if (parse_arguments(&o, argc, argv)) {
        o.report.planned = o.count;
        o.set.note_prefix = o.report.kind == REPORT_TAP ? "# " : "";
        o.set.is_quiet |= o.report.kind == REPORT_JSON;
        o.set.is_verbose &= o.report.kind != REPORT_JSON;
        qsort(o.files, (size_t)o.count, sizeof o.files[0], by_name);
        if (o.count == 0)
            fputs(usage, stderr);
        else {
            report_begin(&o.report);
            for (int i = 0; i < o.count; i++)
                play_file(&o, o.files[i]);
            status = report_end(&o.report);
        }
    }
    arena_free(&o.arena);
    return status;
}
