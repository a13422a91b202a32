/* Files that are part of the command: the words of scenarios, and the gallery.
 *
 * Knows: nothing. Shape: arrays that end with a name of NULL, made by tools/embed.py. Units: bytes.
 * Errors: NULL for a name that is not there. */
#ifndef LAB_EMBED_H
#define LAB_EMBED_H

#include <stddef.h>

struct lab_file {
    const char *name;
    const char *text; /* ends with a zero */
    size_t size;
};

extern const struct lab_file lab_gallery[];
extern const int lab_gallery_count;
extern const struct lab_file lab_word_files[];
extern const int lab_word_files_count;

const struct lab_file *lab_words(const char *name);
/* By its name without ".lua". */
const struct lab_file *lab_scenario(const char *name);

#endif
