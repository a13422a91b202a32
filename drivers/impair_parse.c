/* The words of an impaired link: "delay 40ms loss 1% up: rate 20mbit".
 *
 * Knows: the table of words and their units. Not what the numbers do.
 * Shape: a word, then its value; "up:" and "down:" narrow what follows, "both:" widens it again.
 * Units: as written; stored in ns, parts per billion, bits per second, frames, bytes.
 * Errors: one line that names the mistake and the nearest right word. Cost: none that matters. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <weir/driver.h>

#include "base/words.h"

#define WORD_MAX 64
#define COUNT_OF(a) (sizeof(a) / sizeof(a)[0])

struct unit {
    const char *name;
    uint64_t scale;
};
static const struct unit time_units[] = {
    {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {NULL, 0}};
static const struct unit share_units[] = {{"%", 10000000}, {NULL, 0}};
static const struct unit rate_units[] = {
    {"bit", 1}, {"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000}, {NULL, 0}};
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};

/* A word that takes a value. `at` is its place in struct weir_impair_dir, or, for the words that
 * belong to the link as a whole, in struct weir_impair. */
struct word {
    const char *name;
    const struct unit *units;
    const char *example;
    uint64_t min, max;
    size_t at, size;
    bool is_whole;
};
#define DIR(name, units, example, max, field)                                  \
    {                                                                          \
        name, units, example, 0, max, offsetof(struct weir_impair_dir, field), \
            sizeof(((struct weir_impair_dir *)0)->field), false                \
    }
static const struct word words[] = {
    DIR("delay", time_units, "40ms", 3600000000000, delay_ns),
    DIR("jitter", time_units, "5ms", 3600000000000, jitter_ns),
    DIR("loss", share_units, "1%", 1000000000, loss_ppb),
    DIR("dup", share_units, "0.1%", 1000000000, dup_ppb),
    DIR("corrupt", share_units, "0.01%", 1000000000, corrupt_ppb),
    DIR("reorder", share_units, "2%", 1000000000, reorder_ppb),
    DIR("rate", rate_units, "20mbit", 1000000000000, rate_bps),
    DIR("queue", count_units, "100", 1000000, queue_frames),
    DIR("mark", count_units, "20", 1000000, mark_frames),
    DIR("police", rate_units, "5mbit", 1000000000000, police_bps),
    DIR("bucket", count_units, "30000", UINT32_MAX, bucket_bytes),
    {"mtu", count_units, "1500", 68, 65535, offsetof(struct weir_impair, mtu), 4, true},
    {"seed", count_units, "7", 0, INT64_MAX, offsetof(struct weir_impair, seed), 8, true},
};
#undef DIR
static const char *const scopes[] = {"up:", "down:", "both:"};

struct parser {
    struct weir_impair out;
    const char *at;
    bool up, down; /* the directions that words apply to now */
    char *error;
    size_t error_size;
};

static int fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct parser *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->error, p->error_size, format, args);
    va_end(args);
    return -EINVAL;
}

/* -- the nearest right word -------------------------------------------------------------------- */

/* "duplicate" is "dup" written out and "corr" is "corrupt" cut off, however many letters differ. */
static bool is_begin(const char *begin, const char *of)
{
    return *begin && strncmp(begin, of, strlen(begin)) == 0;
}

static void nearer(const char *text, const char *candidate, const char **best,
                   unsigned *best_distance)
{
    unsigned d = word_distance(text, candidate);

    if (is_begin(candidate, text) || is_begin(text, candidate))
        d = 0;
    if (d < *best_distance) {
        *best_distance = d;
        *best = candidate;
    }
}

static const char *nearest_word(const char *text)
{
    const char *best = words[0].name;
    unsigned d = UINT_MAX;

    for (size_t i = 0; i < COUNT_OF(words); i++)
        nearer(text, words[i].name, &best, &d);
    for (size_t i = 0; i < COUNT_OF(scopes); i++)
        nearer(text, scopes[i], &best, &d);
    return best;
}

static const char *nearest_unit(const struct unit *units, const char *text)
{
    const char *best = units[0].name;
    unsigned d = UINT_MAX;

    for (const struct unit *u = units; u->name; u++)
        nearer(text, u->name, &best, &d);
    return best;
}

/* -- words and values -------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',';
}

/* The next word, in small letters; false at the end. A scope ends at its colon, so that
 * "up:loss 1%" is as good as "up: loss 1%". */
static bool next_word(struct parser *p, char *text)
{
    size_t n = 0;

    while (is_space(*p->at))
        p->at++;
    while (*p->at && !is_space(*p->at)) {
        char c = *p->at++;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (n < WORD_MAX - 1)
            text[n++] = c;
        if (c == ':')
            break;
    }
    text[n] = 0;
    return n > 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool add_scaled(uint64_t *sum, uint64_t n, uint64_t scale)
{
    return !__builtin_mul_overflow(n, scale, &n) && !__builtin_add_overflow(*sum, n, sum);
}

/* "12.5" times scale, exactly as far as the unit goes; false if it does not fit. */
static bool scaled(const char *text, uint64_t scale, uint64_t *out)
{
    uint64_t whole = 0;

    for (; is_digit(*text); text++)
        if (__builtin_mul_overflow(whole, 10u, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(*text - '0'), &whole))
            return false;
    *out = 0;
    if (!add_scaled(out, whole, scale))
        return false;
    if (*text == '.')
        text++;
    for (; is_digit(*text) && scale; text++) {
        scale /= 10;
        if (!add_scaled(out, (uint64_t)(*text - '0'), scale))
            return false;
    }
    return true;
}

/* Where the number ends and its unit begins; the text's start if there is no number. */
static const char *skip_number(const char *text)
{
    const char *s = text;

    while (is_digit(*s))
        s++;
    if (s == text)
        return text;
    if (*s == '.' && is_digit(s[1]))
        for (s++; is_digit(*s); s++)
            ;
    return s;
}

static int parse_value(struct parser *p, const struct word *w, const char *text, uint64_t *out)
{
    const char *unit = skip_number(text);
    const struct unit *u = w->units;

    if (unit == text)
        return fail(p, "\"%s\" needs a number such as %s, not \"%s\"", w->name, w->example, text);
    while (u->name && strcmp(u->name, unit) != 0)
        u++;
    if (!u->name && w->units == count_units)
        return fail(p, "\"%s\" is a plain number such as %s, not \"%s\"", w->name, w->example,
                    text);
    if (!u->name && !*unit)
        return fail(p, "\"%s %s\" lacks a unit: write for example %s", w->name, text, w->example);
    if (!u->name)
        return fail(p, "\"%s\" in \"%s %s\" is no unit; did you mean \"%s\"?", unit, w->name, text,
                    nearest_unit(w->units, unit));
    if (w->units == count_units && strchr(text, '.'))
        return fail(p, "\"%s\" is a whole number such as %s, not \"%s\"", w->name, w->example,
                    text);
    if (!scaled(text, u->scale, out) || *out > w->max)
        return fail(p, "\"%s %s\" is too large", w->name, text);
    if (*out < w->min)
        return fail(p, "\"%s %s\" is too small: the least is %llu", w->name, text,
                    (unsigned long long)w->min);
    return 0;
}

static void store(const struct word *w, void *object, uint64_t value)
{
    uint32_t narrow = (uint32_t)value;

    if (w->size == sizeof narrow)
        memcpy((uint8_t *)object + w->at, &narrow, sizeof narrow);
    else
        memcpy((uint8_t *)object + w->at, &value, sizeof value);
}

static int parse_setting(struct parser *p, const char *text)
{
    char value[WORD_MAX];
    uint64_t v = 0;
    int r;

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        const struct word *w = &words[i];
        if (strcmp(text, w->name) != 0)
            continue;
        if (!next_word(p, value))
            return fail(p, "\"%s\" needs a value, such as \"%s %s\"", w->name, w->name, w->example);
        if ((r = parse_value(p, w, value, &v)) < 0)
            return r;
        if (w->is_whole)
            store(w, &p->out, v);
        if (!w->is_whole && p->up)
            store(w, &p->out.up, v);
        if (!w->is_whole && p->down)
            store(w, &p->out.down, v);
        return 0;
    }
    return fail(p, "unknown word \"%s\"; did you mean \"%s\"?", text, nearest_word(text));
}

static bool parse_scope(struct parser *p, const char *text)
{
    for (size_t i = 0; i < COUNT_OF(scopes); i++) {
        if (strcmp(text, scopes[i]) != 0)
            continue;
        p->up = i != 1;
        p->down = i != 0;
        return true;
    }
    return false;
}

/* A frame overtakes by doing without its delay: where there is none, nothing would ever happen. */
static bool reorders_in_vain(const struct weir_impair_dir *d)
{
    return d->reorder_ppb && !d->delay_ns && !d->jitter_ns;
}

/* A queue forms only where frames wait for each other. */
static bool queues_in_vain(const struct weir_impair *m)
{
    return (m->up.queue_frames || m->up.mark_frames || m->down.queue_frames ||
            m->down.mark_frames) &&
           !m->up.rate_bps && !m->down.rate_bps;
}

static bool pours_in_vain(const struct weir_impair *m)
{
    return (m->up.bucket_bytes || m->down.bucket_bytes) && !m->up.police_bps && !m->down.police_bps;
}

int weir_impair_parse(struct weir_impair *out, const char *text, char *error, size_t error_size)
{
    struct parser p = {
        .at = text, .up = true, .down = true, .error = error, .error_size = error_size};
    char word[WORD_MAX];

    while (next_word(&p, word)) {
        int r = parse_scope(&p, word) ? 0 : parse_setting(&p, word);
        if (r < 0)
            return r;
    }
    if (reorders_in_vain(&p.out.up) || reorders_in_vain(&p.out.down))
        return fail(&p, "\"reorder\" needs a delay to overtake: add for example \"delay 10ms\"");
    if (queues_in_vain(&p.out))
        return fail(&p, "\"queue\" and \"mark\" need a rate to queue for: add for example "
                        "\"rate 20mbit\"");
    if (pours_in_vain(&p.out))
        return fail(&p, "\"bucket\" is of a policer: add for example \"police 5mbit\"");
    *out = p.out;
    return 0;
}
