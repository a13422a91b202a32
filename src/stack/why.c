/* Reasons in words: what a segment was sent for, and what became of one.
 *
 * Knows: events.def, states.def, the drop names. Shape: templates with %f %t (states) and %n %o
 * (numbers). Units: none. Errors: text that does not fit is cut. Cost: O(text). */
#include <string.h>

#include "stack/tables.h"
#include "weir/socket.h"
#include "weir/stat.h"
#include "weir/trace.h"

static const char *const states[STATE_COUNT] = {
#define STATE(name, text, number) [number] = text,
#include "def/states.def"
#undef STATE
};
static const char *const events[EVENT_END] = {
#define EVENT(name, text) [EVENT_##name] = text,
#include "def/events.def"
#undef EVENT
};

const char *weir_state_name(int state)
{
    return state > 0 && state < STATE_COUNT ? states[state] : "?";
}

const char *weir_event_name(int event)
{
    static const char *const names[EVENT_END] = {
#define EVENT(name, text) [EVENT_##name] = #name,
#include "def/events.def"
#undef EVENT
    };
    return event > EVENT_none && event < EVENT_END ? names[event] : "?";
}

struct text {
    char *at;
    size_t size, len;
};

static void put_char(struct text *t, char c)
{
    if (t->len + 1 >= t->size)
        return;
    t->at[t->len++] = c;
    t->at[t->len] = '\0';
}

static void put(struct text *t, const char *s)
{
    while (*s)
        put_char(t, *s++);
}

static void put_small(struct text *t, unsigned n)
{
    if (n >= 10)
        put_small(t, n / 10);
    put_char(t, (char)('0' + n % 10));
}

static void put_event(struct text *t, const struct weir_why *w)
{
    for (const char *s = events[w->event]; *s; s++) {
        if (*s != '%') {
            put_char(t, *s);
            continue;
        }
        switch (*++s) {
        case 'f':
            put(t, weir_state_name(w->from));
            break;
        case 't':
            put(t, weir_state_name(w->to));
            break;
        case 'n':
            put_small(t, w->n);
            break;
        default:
            put_small(t, w->of);
        }
    }
}

int weir_why_text(const struct weir_why *w, char *text, size_t size)
{
    struct text t = {.at = text, .size = size};

    if (size)
        text[0] = '\0';
    if (w->event > EVENT_none && w->event < EVENT_END)
        put_event(&t, w);
    if (w->verdict == PASS || w->verdict >= DROP_END)
        return (int)t.len;
    if (t.len)
        put(&t, "; ");
    if (w->verdict == KEPT) {
        put(&t, "kept until the rest is here");
    } else {
        put(&t, "dropped: ");
        put(&t, weir_drop_name(w->verdict - DROP_FIRST));
    }
    return (int)t.len;
}
