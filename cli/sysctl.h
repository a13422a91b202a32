/* What the files of `weir sysctl` say to each other.
 *
 * Knows: names. Shape: a function each. Units: none. Errors: NULL. Cost: O(rows). */
#ifndef CLI_SYSCTL_H
#define CLI_SYSCTL_H

#include <weir/knob.h>

/* Why a knob that Linux has, or had, is not here; NULL: nobody had it. */
const char *sysctl_gone(const char *name);
/* sysctl_help.c: a knob in words. */
void sysctl_print_help(const struct weir_knob_info *k, const char *value);

#endif
