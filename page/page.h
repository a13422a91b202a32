/* A page that tells of connections: diagrams and tables, all in one file that needs nothing.
 *
 * Knows: the pieces beside it, which are part of the command. Not what it is told of: lab runs and
 * captures hand in the same kind of object (docs/lab.md). Shape: one call. Units: as in the object:
 * seconds, bytes. Errors: -errno, and a line on stderr. Cost: O(object). */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include <jansson.h>

/* who: stands before messages. data: its "title" becomes the page's. */
int page_write(const char *path, const char *who, const json_t *data);

#endif
