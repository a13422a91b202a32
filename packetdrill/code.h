/* Expressions of %{ }%, between step_code.c and code.c.
 *
 * Knows: names and operators. Shape: a cursor over the text of one block; a number is a double,
 * which holds all of TCP_INFO. Errors: false, the problem told. Cost: O(text). */
#ifndef PACKETDRILL_CODE_H
#define PACKETDRILL_CODE_H

#include <netinet/in.h>
#include <linux/tcp.h>

#include "packetdrill/run.h"

struct code {
    struct run *r;
    const struct step *step;
    const char *begin, *at;
    struct tcp_info info;
    bool has_info;
    int depth;
    char said[256]; /* "tcpi_rto = 204000, x = 3": names that were asked for */
    size_t said_len;
};

void code_look(struct code *c); /* takes TCP_INFO of the socket under test */
bool code_value(struct code *c, double *out);
bool code_name(struct code *c, char *out, size_t size);
bool code_named(struct code *c, const char *name, double *out); /* a variable's value */
void code_blank(struct code *c); /* blanks, but not the end of a line */
bool code_take(struct code *c, const char *mark);
bool code_word(struct code *c, const char *word);
bool code_fail(struct code *c, const char *what);
struct place code_place(const struct code *c, const char *at);

#endif
