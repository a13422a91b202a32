/* Embedded files by name.
 *
 * Knows: the arrays. Shape: none. Units: none. Errors: NULL. Cost: O(files). */
#include "lab/embed.h"

#include <string.h>

static const struct lab_file *find(const struct lab_file *f, const char *name)
{
    while (f->name && strcmp(f->name, name) != 0)
        f++;
    return f->name ? f : NULL;
}

const struct lab_file *lab_words(const char *name)
{
    return find(lab_word_files, name);
}

const struct lab_file *lab_scenario(const char *name)
{
    size_t n = strlen(name);

    for (const struct lab_file *f = lab_gallery; f->name; f++)
        if (strlen(f->name) == n + 4 && strncmp(f->name, name, n) == 0)
            return f;
    return NULL;
}
