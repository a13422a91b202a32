/* run/: what the command sees of it: the verb itself, and how running daemons are asked.
 *
 * Knows: protocol.h, names.h. Shape: see those. Units: as there. Errors: exit statuses. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

#include "run/echo.h"
#include "run/endpoint.h"
#include "run/link.h"
#include "run/names.h"
#include "run/past.h"
#include "run/probe.h"
#include "run/protocol.h"

/* weir run, argv[0] is the verb. The exit status. */
int run_verb(int argc, char **argv);
/* The word of a NULL-ended list that differs least. */
const char *nearest_word(const char *word, const char *const *words);

#endif
