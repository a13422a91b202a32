/* A run as a page: the pieces of lab/report/ put together, with the run's JSON inside.
 *
 * Knows: the embedded pieces. Not what is drawn: the page's script does that. Shape: in page.html a
 * line "{{name}}" is replaced by the piece of that name, "{{data}}" by the JSON, "{{title}}" by the
 * title. Units: none. Errors: -errno, and a line on stderr. Cost: O(JSON). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lab/embed.h"
#include "lab/json.h"

/* Inside of <script> nothing may look like a tag. */
static void put_json(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("\\u003c", to);
        else
            fputc(*text, to);
    }
}

static void put_escaped(FILE *to, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            fputs("&lt;", to);
        else if (*text == '&')
            fputs("&amp;", to);
        else
            fputc(*text, to);
    }
}

static void put_piece(FILE *to, const char *name, const struct scene *s, const char *json)
{
    const struct lab_file *f = lab_page(name);

    if (!strcmp(name, "data"))
        put_json(to, json);
    else if (!strcmp(name, "title"))
        put_escaped(to, s->text[TEXT_TITLE]);
    else if (f)
        fwrite(f->text, 1, f->size, to);
    else
        abort();
}

static void put_page(FILE *to, const struct scene *s, const char *json)
{
    const char *at = lab_page("page.html")->text, *open;

    while ((open = strstr(at, "{{")) != NULL) {
        char name[32];
        size_t n = strcspn(open + 2, "}");
        fwrite(at, 1, (size_t)(open - at), to);
        snprintf(name, sizeof name, "%.*s", (int)n, open + 2);
        put_piece(to, name, s, json);
        at = open + 2 + n + 2;
    }
    fputs(at, to);
}

int report_html(const char *path, const struct scene *s, const char *name,
                const struct lab_run_options *o)
{
    FILE *to = fopen(path, "we");
    json_t *j;
    char *json;
    int problem = 0;

    if (!to) {
        problem = -errno;
        fprintf(stderr, "weir lab: %s: %s\n", path, strerror(-problem));
        return problem;
    }
    j = report_object(s, name, o);
    json = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(12));
    if (!json)
        abort();
    put_page(to, s, json);
    free(json);
    json_decref(j);
    if (ferror(to) | fclose(to)) {
        problem = errno ? -errno : -EIO;
        fprintf(stderr, "weir lab: %s: %s\n", path, strerror(-problem));
    }
    return problem;
}
