/* Scenarios by name: found in the gallery or a file, run, reported.
 *
 * Knows: scripts, reports, the gallery. Not the command line. Shape: none. Units: ns.
 * Errors: exit statuses; a line on stderr where a scenario can not be run. Cost: the run's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/embed.h"
#include "lab/report.h"

#define FILE_MAX (1 << 20)

const char *lab_name(int index)
{
    static char name[64];

    if (index < 0 || index >= lab_gallery_count)
        return NULL;
    snprintf(name, sizeof name, "%.*s", (int)strlen(lab_gallery[index].name) - 4,
             lab_gallery[index].name);
    return name;
}

/* The text between the quotes of the first line, title "...". */
void lab_list(FILE *to)
{
    for (int i = 0; i < lab_gallery_count; i++) {
        const char *open = strchr(lab_gallery[i].text, '"');
        int n = open ? (int)strcspn(open + 1, "\"") : 0;
        fprintf(to, "%-24s %.*s\n", lab_name(i), n, open ? open + 1 : "");
    }
}

/* -- texts ------------------------------------------------------------------------------------- */

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text;
    size_t n;

    if (!f)
        return NULL;
    text = malloc(FILE_MAX);
    n = text ? fread(text, 1, FILE_MAX - 1, f) : 0;
    fclose(f);
    if (text)
        text[n] = '\0';
    return text;
}

/* A copy of the scenario's text, NULL if there is none; `where` names it in messages. */
static char *find_text(const char *name, char *where, size_t size)
{
    const struct lab_file *f = lab_scenario(name);

    if (f) {
        snprintf(where, size, "scenarios/%s", f->name);
        return strdup(f->text);
    }
    snprintf(where, size, "%s", name);
    return strchr(name, '/') || strchr(name, '.') ? read_file(name) : NULL;
}

bool lab_show(FILE *to, const char *name)
{
    char where[256], *text = find_text(name, where, sizeof where);

    if (text)
        fputs(text, to);
    free(text);
    return text != NULL;
}

/* -- running ----------------------------------------------------------------------------------- */

static struct scene *run_text(const char *where, const char *text, const struct lab_run_options *o)
{
    struct scene_options so = {.seed = o->seed,
                               .sets = o->sets,
                               .until_ns = o->until_ns,
                               .pcapng = o->pcapng,
                               .is_watched = o->html || (o->is_json && !o->is_quiet)};
    struct scene *s = scene_load(where, text, &so);

    if (!s)
        abort();
    if (!s->is_broken)
        scene_run(s);
    s->options = NULL; /* so lives no longer */
    return s;
}

int lab_run(FILE *to, const char *name, const struct lab_run_options *o)
{
    char where[256], *text = find_text(name, where, sizeof where);
    struct scene *s;
    int status;

    if (!text) {
        fprintf(stderr, "weir lab: no scenario '%s'\n", name);
        return 2;
    }
    s = run_text(where, text, o);
    status = s->is_broken ? 2 : s->claims_failed ? 1 : 0;
    if (o->is_json)
        report_json(to, s, name, o);
    else if (!s->is_broken && o->is_quiet)
        report_line(to, s, name, o);
    else if (!s->is_broken)
        report_print(to, s, name, o);
    if (s->is_broken)
        fprintf(stderr, "weir lab: %s\n", s->error);
    else if (o->html && report_html(o->html, s, name, o) < 0)
        status = 2;
    scene_free(s);
    free(text);
    return status;
}

static double seconds_on_the_wall(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int lab_list_times(FILE *to)
{
    const struct lab_run_options o = {.seed = 1, .is_quiet = true};
    double lasted = 0, took = 0;
    int claims = 0, failed = 0;

    for (int i = 0; i < lab_gallery_count; i++) {
        double began = seconds_on_the_wall();
        struct scene *s = run_text(lab_gallery[i].name, lab_gallery[i].text, &o);
        double one = seconds_on_the_wall() - began, time = (double)s->lab->now / 1e9;
        bool holds = !s->is_broken && !s->claims_failed;
        fprintf(to, "%-32s %3d claims %10.3f s %8.1f ms%s\n", lab_name(i), s->claims, time,
                one * 1e3, holds ? "" : "  FAILS");
        lasted += time;
        took += one;
        claims += s->claims;
        failed += !holds;
        scene_free(s);
    }
    fprintf(to, "%d scenarios, %d claims, %d failed: %.1f hours of the lab's time in %.2f s\n",
            lab_gallery_count, claims, failed, lasted / 3600, took);
    return failed ? 1 : 0;
}

int lab_run_seeds(FILE *to, const char *name, const struct lab_run_options *o, uint64_t seeds)
{
    struct lab_run_options one = *o;
    uint64_t failed = 0;
    int status = 0;

    one.is_quiet = true;
    for (one.seed = 1; one.seed <= seeds && status < 2; one.seed++) {
        char where[256], *text = find_text(name, where, sizeof where);
        struct scene *s = text ? run_text(where, text, &one) : NULL;
        if (!s || s->is_broken) {
            fprintf(stderr, "weir lab: seed %llu: %s\n", (unsigned long long)one.seed,
                    s ? s->error : "no such scenario");
            status = 2;
        } else if (s->claims_failed) {
            failed++;
            status = 1;
            if (o->is_json)
                report_json(to, s, name, &one);
            else
                report_line(to, s, name, &one);
        }
        scene_free(s);
        free(text);
    }
    if (status < 2 && !o->is_json)
        fprintf(to, "%s: %llu of %llu seeds hold\n", name, (unsigned long long)(seeds - failed),
                (unsigned long long)seeds);
    return status;
}

/* -- a new one --------------------------------------------------------------------------------- */

static const char template[] =
    "title \"What happens, in one line\"\n"
    "asks \"The question that this run answers.\"\n"
    "watch \"What to look at in the ladder.\"\n"
    "\n"
    "local a, b = host \"a\", host \"b\"\n"
    "local wire = link(a, b, \"delay 20ms\")\n"
    "local lost = knob(\"lost\", 1, \"how many SYN/ACKs are lost\")\n"
    "\n"
    "wire:lose(\"first \" .. lost .. \" SYN/ACK from b\")\n"
    "\n"
    "b:serve(80, function(conn)\n"
    "    conn:send(\"hello, \" .. conn:recv())\n"
    "    conn:close()\n"
    "end)\n"
    "\n"
    "a:app(function()\n"
    "    local conn = a:connect(b, 80)\n"
    "    check(conn, \"the connection is made\")\n"
    "    conn:send(\"world\")\n"
    "    check(conn:recv_all() == \"hello, world\", \"the answer comes whole\")\n"
    "    conn:close()\n"
    "end)\n"
    "\n"
    "conclude \"What was seen, and what it means.\"\n";

int lab_new_file(const char *name)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s%s", name, strstr(name, ".lua") ? "" : ".lua");
    f = fopen(path, "wxe");
    if (!f) {
        fprintf(stderr, "weir lab: %s: %s\n", path, strerror(errno));
        return 2;
    }
    fputs(template, f);
    fclose(f);
    printf("%s is written. Next: weir lab run ./%s\n", path, path);
    return 0;
}
