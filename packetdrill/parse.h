/* The parts of the parser, each a file: what stands between two steps is parse.c's.
 *
 * Knows: lex and script. Shape: each takes what is its own and leaves the reader behind it.
 * Errors: false, the problem is told. Cost: O(text). */
#ifndef PACKETDRILL_PARSE_H
#define PACKETDRILL_PARSE_H

#include "packetdrill/lex.h"

bool parse_segment(struct lex *l, bool is_out, struct segment *out); /* behind '<' or '>' */
bool parse_options(struct lex *l, struct segment *out);              /* behind the window */
bool parse_icmp(struct lex *l, struct segment *out);                 /* behind "icmp" */
bool parse_value(struct lex *l, struct value **out);
bool parse_call(struct lex *l, struct call *out);

#endif
