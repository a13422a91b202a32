/* A run as a JSON object, which is what --json prints and what the page is drawn from.
 *
 * Knows: jansson, scripts that have run. Shape: keys are never taken away. Units: seconds.
 * Errors: none. */
#ifndef LAB_JSON_H
#define LAB_JSON_H

#include <jansson.h>

#include "lab/report.h"
#include "lab/tale.h"

/* All that is known; with is_quiet, not the rows and the curves. The caller's. */
json_t *report_object(const struct scene *s, const char *name, const struct lab_run_options *o);
/* json_long.c: adds to each connection what the rows that are left out would have told. */
void json_long(json_t *connections, const struct tale *t);
/* json_run.c: adds the story. */
void json_run(json_t *j, const struct scene *s);

#endif
