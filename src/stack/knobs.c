/* Knobs by name: the public face of knobs.def.
 *
 * Knows: the table. Not what a knob does. Shape: one row for each name; a row of two numbers is a
 * range and has an order, a row of three has none; those whose value is text are knobs_text.c's.
 * Units: the row's. Errors: ENOENT, EINVAL, ERANGE. Cost: O(rows). */
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "stack/tables.h"
#include "weir/knob.h"

struct row {
    struct weir_knob_info info;
    size_t at; /* of the first value in struct knobs */
};

static const struct row rows[] = {
#define KNOB(field, name, unit, preset, min, max, cite, doc) \
    {{name, unit, cite, doc, 1, {preset, 0, 0}, min, max}, offsetof(struct knobs, field)},
#define KNOB2(field, name, unit, a, b, min, max, cite, doc) \
    {{name, unit, cite, doc, 2, {a, b, 0}, min, max}, offsetof(struct knobs, field)},
#define KNOB3(field, name, unit, a, b, c, min, max, doc) \
    {{name, unit, "linux", doc, 3, {a, b, c}, min, max}, offsetof(struct knobs, field)},
#define KNOB_TEXT(field, name, unit, cite, doc)
#include "def/knobs.def"
#undef KNOB
#undef KNOB2
#undef KNOB3
#undef KNOB_TEXT
};
#define ROWS ((int)(sizeof rows / sizeof rows[0]))

void knobs_init(struct knobs *k)
{
    for (int i = 0; i < ROWS; i++)
        memcpy((char *)k + rows[i].at, rows[i].info.preset,
               (size_t)rows[i].info.values * sizeof(int64_t));
}

int weir_knob_count(void)
{
    int n = ROWS;

    while (weir_knob_info(n))
        n++;
    return n;
}

const struct weir_knob_info *weir_knob_info(int index)
{
    return index >= 0 && index < ROWS ? &rows[index].info : knob_text_info(index - ROWS);
}

static const struct row *row_find(const char *name)
{
    for (int i = 0; i < ROWS; i++)
        if (strcmp(rows[i].info.name, name) == 0)
            return &rows[i];
    return NULL;
}

/* `count` numbers separated by white space, all of them and nothing else. */
static int numbers(const char *text, int64_t *out, int count)
{
    for (int i = 0; i < count; i++) {
        char *end;
        out[i] = strtoll(text, &end, 10);
        if (end == text)
            return -EINVAL;
        text = end;
    }
    text += strspn(text, " \t\n");
    return *text ? -EINVAL : 0;
}

int weir_knob_set(struct weir_stack *stack, const char *name, const char *value)
{
    struct knobs *k = stack_knobs(stack);
    const struct row *r = row_find(name);
    int64_t n[3];
    int v;

    if (!r)
        return knob_text_set(stack, name, value);
    if ((v = numbers(value, n, r->info.values)) < 0)
        return v;
    for (int i = 0; i < r->info.values; i++)
        if (n[i] < r->info.min || n[i] > r->info.max)
            return -ERANGE;
    if (r->info.values == 2 && n[0] > n[1])
        return -ERANGE;
    memcpy((char *)k + r->at, n, (size_t)r->info.values * sizeof n[0]);
    stack_knobs_changed(stack);
    return 0;
}

/* -- get --------------------------------------------------------------------------------------- */

/* Appends a number in decimal; the new length, or -ENOSPC. */
int knob_put_number(char *text, size_t size, int at, int64_t n)
{
    char digits[24];
    int len = 0;
    uint64_t u = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

    do
        digits[len++] = (char)('0' + u % 10);
    while (u /= 10);
    if (n < 0)
        digits[len++] = '-';
    if ((size_t)(at + len) >= size)
        return -ENOSPC;
    while (len)
        text[at++] = digits[--len];
    text[at] = '\0';
    return at;
}

int weir_knob_get(const struct weir_stack *stack, const char *name, char *text, size_t size)
{
    const struct knobs *k = stack_knobs(stack);
    const struct row *r = row_find(name);
    int64_t n[3];
    int len = 0;

    if (!r)
        return knob_text_get(stack, name, text, size);
    memcpy(n, (const char *)k + r->at, (size_t)r->info.values * sizeof n[0]);
    for (int i = 0; i < r->info.values && len >= 0; i++) {
        if (i && (size_t)len + 1 < size)
            text[len++] = '\t';
        len = knob_put_number(text, size, len, n[i]);
    }
    return len;
}

/* -- the nearest name -------------------------------------------------------------------------- */

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot ? dot + 1 : name;
}

const char *weir_knob_nearest(const char *name)
{
    const struct weir_knob_info *best = weir_knob_info(0), *knob;
    unsigned best_distance = UINT_MAX;

    for (int i = 0; (knob = weir_knob_info(i)); i++) {
        unsigned d = word_distance(last_part(name), last_part(knob->name));
        if (d < best_distance) {
            best_distance = d;
            best = knob;
        }
    }
    return best->name;
}
