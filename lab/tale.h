/* The log made ready to be told: each row with its connection, its words, its numbers, and the rows
 * that explain it.
 *
 * Knows: the log, the ladder's words. Not JSON. Shape: one entry for each row of the log; of a log
 * that is too long the beginning and the end are told. Units: ns, bytes relative to the
 * connection's first. Errors: no memory ends the program. Cost: O(rows), and for each
 * retransmission a look back. */
#ifndef LAB_TALE_H
#define LAB_TALE_H

#include "lab/ladder.h"

#define TALE_FIRST 4000 /* rows that are told of the beginning, and of the end */
#define TALE_LAST 1000
#define TALE_NONE UINT32_MAX

struct tale_row {
    const struct lab_row *row;
    int connection; /* from 1; 0: none */
    int end;        /* of the connection: 0 began it. Of a segment its sender */
    struct ladder_numbers n;
    int64_t waited; /* how long the timer ran that sent it, or ended the state; -1: none did */
    uint32_t since; /* the row that began the timer, or TALE_NONE */
    uint32_t cause; /* LAB_ROW_STATE: the segment that did it, coming or going, or TALE_NONE */
    char text[64];
};

struct tale {
    struct tale_row *row;
    uint32_t rows;
    uint32_t *first; /* of each connection, its first segment's row; index from 1 */
    int connections;
};

struct tale *tale_new(const struct lab_log *log);
void tale_free(struct tale *t);
/* Where a row is among those that are told; TALE_NONE: it is left out. */
uint32_t tale_place(const struct tale *t, uint32_t row);

#endif
