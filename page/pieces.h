/* The pieces of the page by name.
 *
 * Knows: nothing. Shape: an array that ends with a name of NULL, made by tools/embed.py.
 * Units: bytes. Errors: none. */
#ifndef PAGE_PIECES_H
#define PAGE_PIECES_H

#include <stddef.h>

struct page_piece {
    const char *name;
    const char *text; /* ends with a zero */
    size_t size;
};

extern const struct page_piece page_pieces[];
extern const int page_pieces_count;

#endif
