/* The wire link of a stack: what is typed behind `wire:`.
 *
 * Knows: weir_wire_open, and which MAC goes with an address. Shape: NAME, then settings behind
 * commas: NAME,ring=BYTES,members=N,mtu=N. Units: bytes, members. Errors: NULL and a line, or exit
 * status 2 and a line. Cost: none that matters. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run/link.h"

/* A wire's words, taken apart. `name` is where config.name points. */
struct wire_words {
    struct weir_wire_config config;
    char name[64];
};

/* "ring=4194304": false if it is no setting with a number. */
static bool take_setting(struct weir_wire_config *c, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t n = equals ? (size_t)(equals - word) : 0;
    unsigned long value;
    char *end;

    if (!equals || !isdigit((unsigned char)equals[1]))
        return false;
    value = strtoul(equals + 1, &end, 10);
    if (*end || value == 0 || value > INT32_MAX)
        return false;
    if (n == 4 && memcmp(word, "ring", n) == 0)
        c->ring_bytes = (uint32_t)value;
    else if (n == 7 && memcmp(word, "members", n) == 0)
        c->members_max = (int)value;
    else if (n == 3 && memcmp(word, "mtu", n) == 0)
        c->mtu = (uint32_t)value;
    else
        return false;
    return true;
}

/* NULL, or the word that is none. */
static const char *take_words(struct wire_words *w, const char *text, char copy[256])
{
    char *rest = copy, *word;

    snprintf(copy, 256, "%s", text);
    *w = (struct wire_words){.name = ""};
    word = strsep(&rest, ",");
    snprintf(w->name, sizeof w->name, "%s", word);
    w->config.name = w->name;
    while ((word = strsep(&rest, ",")))
        if (!take_setting(&w->config, word))
            return word;
    return NULL;
}

int wire_check(const char *name)
{
    struct wire_words w;
    char copy[256];
    const char *wrong = take_words(&w, name, copy);
    const char *mistake = wrong ? NULL : weir_wire_mistake(&w.config);

    if (wrong)
        return link_mistake("no setting of a wire", wrong,
                            "there are ring=BYTES, members=N and mtu=N, as in --link "
                            "wire:lab,members=64");
    return mistake ? link_mistake("not a wire", name, mistake) : 0;
}

struct weir_link *wire_open(const char *name, const struct link_options *o, struct link_ends *ends,
                            char *error, size_t error_size)
{
    struct wire_words w;
    char copy[256];

    (void)take_words(&w, name, copy); /* wire_check saw it */
    w.config.no_offload = o->no_offload;
    link_ends_typed(ends, o);
    (void)link_ends_mac(ends, w.config.name, w.config.mac); /* else all zero: it is drawn */
    return weir_wire_open(&w.config, error, error_size);
}
