/* The page put together: in page.html "{{name}}" stands for the piece of that name, "{{data}}" for
 * the JSON that all of it is drawn from, "{{title}}" for the title.
 *
 * Knows: the pieces, jansson. Not what is drawn: the page's script does that. Shape: written front
 * to back. Units: none. Errors: as page/page.h. Cost: O(JSON). */
#include "page/page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/pieces.h"

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

static const struct page_piece *find(const char *name)
{
    const struct page_piece *p = page_pieces;

    while (p->name && strcmp(p->name, name) != 0)
        p++;
    if (!p->name)
        abort();
    return p;
}

static void put_piece(FILE *to, const char *name, const json_t *data, const char *json)
{
    const char *title = json_string_value(json_object_get(data, "title"));

    if (!strcmp(name, "data"))
        put_json(to, json);
    else if (!strcmp(name, "title"))
        put_escaped(to, title ? title : "");
    else
        fwrite(find(name)->text, 1, find(name)->size, to);
}

static void put_page(FILE *to, const json_t *data, const char *json)
{
    const char *at = find("page.html")->text, *open;

    while ((open = strstr(at, "{{")) != NULL) {
        char name[32];
        size_t n = strcspn(open + 2, "}");
        fwrite(at, 1, (size_t)(open - at), to);
        snprintf(name, sizeof name, "%.*s", (int)n, open + 2);
        put_piece(to, name, data, json);
        at = open + 2 + n + 2;
    }
    fputs(at, to);
}

static int refuse(const char *who, const char *path, int problem)
{
    fprintf(stderr, "%s: %s: %s\n", who, path, strerror(problem));
    return -problem;
}

int page_write(const char *path, const char *who, const json_t *data)
{
    FILE *to = fopen(path, "we");
    char *json;

    if (!to)
        return refuse(who, path, errno);
    json = json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(12));
    if (!json)
        abort();
    put_page(to, data, json);
    free(json);
    errno = 0;
    if (ferror(to) | fclose(to))
        return refuse(who, path, errno ? errno : EIO);
    return 0;
}
