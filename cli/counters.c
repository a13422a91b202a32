/* Asking a daemon for its counters.
 *
 * Knows: RUN_STATS. Shape: "name<tab>value", drops behind "drop.". Units: events.
 * Errors: -errno. Cost: one question. */
#include "cli/counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static void keep(const struct run_answer *a, void *arg)
{
    static const char drop[] = "drop.";
    struct counters *c = arg;
    struct counter *to = &c->at[c->n];
    const char *text = (const char *)a->value, *tab = strchr(text, '\t');

    if (!a->value_len || !tab || c->n == COUNTERS_MAX)
        return;
    to->is_drop = strncmp(text, drop, sizeof drop - 1) == 0;
    if (to->is_drop)
        text += sizeof drop - 1;
    snprintf(to->name, sizeof to->name, "%.*s", (int)(tab - text), text);
    to->value = strtoull(tab + 1, NULL, 10);
    c->n++;
}

int counters_ask(const char *run, struct counters *out)
{
    struct run_ask ask = {.op = RUN_STATS};
    int v;

    *out = (struct counters){.n = 0};
    snprintf(out->run, sizeof out->run, "%s", run);
    v = daemon_ask(run, &ask, keep, out);
    return v < 0 ? v : 0;
}
