/* Words, numbers and marks of a script, one at a time.
 *
 * Knows: characters. Shape: the reader asks for what it expects next; a peek is a copy that is
 * thrown away. Units: none. Errors: the first problem, with line and column. Cost: O(token). */
#ifndef PACKETDRILL_LEX_H
#define PACKETDRILL_LEX_H

#include "packetdrill/script.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* socket, EAGAIN, $NAME */
    TOKEN_NUMBER, /* 8080, 0x10 */
    TOKEN_TIME,   /* 0.100, .1 */
    TOKEN_TEXT,   /* "..." */
    TOKEN_SHELL,  /* `...` */
    TOKEN_CODE,   /* %{ ... }% */
    TOKEN_ANY,    /* ... */
    TOKEN_MARK    /* any other character */
};
struct token {
    enum token_kind kind;
    struct place at;
    const char *text; /* without its quotes */
    size_t len;
};

struct lex {
    const char *at; /* the text ends in a zero */
    int line, col;
    struct arena *arena;
    const struct setting *words;
    struct problem *problem;
};

void lex_init(struct lex *l, struct script *s, const char *text, struct problem *problem);
/* False: the text can not be cut into tokens here. */
bool lex_next(struct lex *l, struct token *out);
bool lex_peek(const struct lex *l, struct token *out);
struct place lex_place(struct lex *l); /* of the next token */
/* The same text as long as characters of `set` go on, without a space before. */
size_t lex_run(struct lex *l, const char *set, const char **text);
/* Takes everything up to `end` on the same line; for notes in parentheses and option lines. */
bool lex_until(struct lex *l, char end, const char **text, size_t *len);

bool token_is(const struct token *t, const char *text);
const char *token_say(const struct token *t, char *text, size_t size);
/* Takes the next token if it is this mark or word. */
bool lex_take(struct lex *l, const char *text);
/* Takes it or complains: "expected ')' behind the arguments, got ...". */
bool lex_expect(struct lex *l, const char *text, const char *where);
bool lex_number(struct lex *l, const char *what, int64_t min, int64_t max, int64_t *out);
bool lex_fail(struct lex *l, const char *expected); /* at the next token; false */

#endif
