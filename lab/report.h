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
/* A page that needs nothing beside itself. 0, or -errno. */
int report_html(const char *path, const struct scene *s, const char *name,
                const struct lab_run_options *o);

/* The command that repeats the run; the caller frees it. */
char *report_repeat(const char *name, const struct lab_run_options *o);
/* The hosts that the scenario shows, or the first two that are no switch. False: there are none. */
bool report_sides(const struct scene *s, int sides[2]);

#endif
