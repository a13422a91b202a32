/* What is said of scripts that were played: lines for people, TAP, JSON.
 *
 * Knows: results. Shape: begin, one call for each script, end. Errors: none. Cost: O(text). */
#ifndef PACKETDRILL_REPORT_H
#define PACKETDRILL_REPORT_H

#include <stdio.h>

#include "packetdrill/script.h"

enum report_kind { REPORT_LINES, REPORT_TAP, REPORT_JSON };

struct report {
    enum report_kind kind;
    int planned, passed, failed, unreadable;
};

void report_begin(struct report *r);
/* source: the script's text, whose line is shown; NULL: it could not be read. */
void report_script(struct report *r, const char *path, const char *source,
                   const struct problem *problem);
int report_end(struct report *r); /* the exit status */

#endif
