/* `weir sysctl --help KNOB`: what a knob means, its preset and bounds, and who defined it.
 *
 * Knows: the rows of the knob table. Shape: a paragraph and three lines. Units: the knob's, in
 * words. Errors: none. Cost: O(1). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/sysctl.h"

static const char *unit_of(const struct weir_knob_info *k)
{
    static const char *const words[][2] = {{"s", " seconds"},
                                           {"ms", " milliseconds"},
                                           {"us", " microseconds"},
                                           {"bytes", " bytes"},
                                           {"on", " (0: off, 1: on)"}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(k->unit, words[i][0]) == 0)
            return words[i][1];
    return "";
}

/* "9293#3.8.3" */
static void put_source(const char *cite)
{
    const char *section = strchr(cite, '#');

    if (cite[0] >= '0' && cite[0] <= '9' && section)
        printf("RFC %.*s, section %s\n", (int)(section - cite), cite, section + 1);
    else if (cite[0] >= '0' && cite[0] <= '9')
        printf("RFC %s\n", cite);
    else
        puts(strcmp(cite, "linux") == 0 ? "Linux" : *cite ? cite : "weir");
}

void sysctl_print_help(const struct weir_knob_info *k, const char *value)
{
    printf("%s = %s%s\n\n%s\n\n", k->name, value, unit_of(k), k->doc);
    if (k->values) {
        fputs("preset   ", stdout);
        for (int i = 0; i < k->values; i++)
            printf("%s%" PRId64, i ? " " : "", k->preset[i]);
        printf("\nbounds   %" PRId64 " to %" PRId64 "\n", k->min, k->max);
    }
    fputs("after    ", stdout);
    put_source(k->cite);
    printf("set it   weir sysctl -w %s=VALUE, or from the start: weir run --set %s=VALUE\n",
           k->name, k->name);
}
