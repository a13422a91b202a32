/* What a call prints, for tests of words: said_begin(2), the call, said_end(). One at a time; the
 * text lives until the next one. Everything is static: include it, link nothing. */
#ifndef SUPPORT_SAID_H
#define SUPPORT_SAID_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct {
    int fd, saved;
    FILE *file;
    char text[65536];
} said;

static inline void said_begin(int fd)
{
    fflush(NULL);
    said.fd = fd;
    said.saved = dup(fd);
    said.file = tmpfile();
    if (!said.file || dup2(fileno(said.file), fd) < 0)
        abort();
}

static inline const char *said_end(void)
{
    size_t n;

    fflush(NULL);
    dup2(said.saved, said.fd);
    close(said.saved);
    rewind(said.file);
    n = fread(said.text, 1, sizeof said.text - 1, said.file);
    said.text[n] = '\0';
    fclose(said.file);
    return said.text;
}

#endif
