/* What is said of a run: for people, or as JSON.
 *
 * Knows: scripts that have run. Shape: none. Units: s on the page. Errors: none. */
#ifndef LAB_REPORT_H
#define LAB_REPORT_H

#include "lab/lab.h"
#include "lab/scene.h"

void report_print(FILE *to, const struct scene *s, const char *name,
                  const struct lab_run_options *o);
void report_line(FILE *to, const struct scene *s, const char *name,
                 const struct lab_run_options *o);
void report_json(FILE *to, const struct scene *s, const char *name,
                 const struct lab_run_options *o);

#endif
